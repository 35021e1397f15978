//! A device that leads one way: what is sent to a `net_ring` comes out of the same one.

use anyhow::{Context, Result};
use dpdk::eal::Handle;
use dpdk::mempool::Mempool;
use dpdk::port::{Port, PortConfig};
use dpdk::queue::{RxQueue, TxQueue};

/// Packets that fit into one.
const LENGTH: u16 = 1024;

/// Both of its ends.
pub(crate) struct Pipe {
    /// Where packets go in.
    pub(crate) inlet: TxQueue,
    /// Where they come out.
    pub(crate) outlet: RxQueue,
}

impl Pipe {
    /// EAL's argument for the pipe of this number.
    pub(crate) fn argument(number: usize) -> String {
        format!("--vdev={}", name(number))
    }

    /// The pipe of this number.
    pub(crate) fn open(eal: &Handle, number: usize, pool: &Mempool) -> Result<Self> {
        let mut port = Port::by_name(eal, &name(number)).context("a ring of DPDK's")?;
        let wish = PortConfig {
            rx_queues: 1,
            tx_queues: 1,
            rx_descriptors: LENGTH,
            tx_descriptors: LENGTH,
            mtu: 1500,
            rx_checksum: false,
            rss: None,
        };
        port.configure(&wish, std::slice::from_ref(pool))?;
        let (outlet, inlet) = port.start()?;
        let one = "one queue was asked for";
        Ok(Self { inlet: inlet.into_iter().next().context(one)?, outlet: outlet.into_iter().next().context(one)? })
    }
}

fn name(number: usize) -> String {
    format!("net_ring{number}")
}
