//! The near end of a wire, as a port of DPDK's on a packet socket: a burst is one system call, and the kernel forwards it within that call.

use std::fs;

use anyhow::{Context, Result, ensure};
use dpdk::burst::Burst;
use dpdk::eal::{Eal, Handle};
use dpdk::mempool::{DATA_ROOM, Mempool};
use dpdk::port::{Port, PortConfig};
use dpdk::queue::{RxQueue, TxQueue};
use dpdk::vdev::AfPacket;
use scene::traffic::{FRAME, Fields, Stamp};

const DESCRIPTORS: u16 = 512;
const BUFFERS: u32 = 8191;
const BUFFER_CACHE: u32 = 256;

/// A near end.
pub(crate) struct Wire {
    interface: String,
    pool: Mempool,
    queue: TxQueue,
    _from: RxQueue,
}

/// DPDK on this CPU, with a port on each of these interfaces.
pub(crate) fn open(cpu: usize, interfaces: &[String]) -> Result<(Eal, Vec<Wire>)> {
    let ports: Vec<AfPacket> = interfaces
        .iter()
        .enumerate()
        .map(|(number, interface)| AfPacket {
            number: number as u16,
            interface: interface.clone(),
            queue_pairs: 1,
            mtu: 1500,
            slots: AfPacket::SLOTS,
        })
        .collect();
    let mut arguments = scene::eal_arguments(cpu, "peers");
    arguments.extend(ports.iter().filter_map(AfPacket::eal_argument).map(|argument| argument + ",qdisc_bypass=1"));
    let eal = Eal::init(&arguments).context("DPDK on packet sockets")?;
    let pool = Mempool::new(eal.handle(), "packets", BUFFERS, BUFFER_CACHE, DATA_ROOM, None)?;
    let wires = ports.into_iter().map(|port| Wire::open(eal.handle(), &port, &pool)).collect::<Result<_>>()?;
    Ok((eal, wires))
}

impl Wire {
    fn open(eal: &Handle, device: &AfPacket, pool: &Mempool) -> Result<Self> {
        let mut port = Port::by_name(eal, &device.name())?;
        let wish = PortConfig {
            rx_queues: 1,
            tx_queues: 1,
            rx_descriptors: DESCRIPTORS,
            tx_descriptors: DESCRIPTORS,
            mtu: device.mtu,
            rx_checksum: false,
            rss: None,
        };
        port.configure(&wish, std::slice::from_ref(pool))?;
        let (rx, tx) = port.start()?;
        let one = "one queue was asked for";
        let (queue, from) = (tx.into_iter().next().context(one)?, rx.into_iter().next().context(one)?);
        Ok(Self { interface: device.interface.clone(), pool: pool.clone(), queue, _from: from })
    }

    /// A burst that is ready to be sent.
    pub(crate) fn burst(&self, stamp: &Stamp, count: usize, mut next: impl FnMut() -> Fields) -> Result<Burst> {
        let mut burst = Burst::new();
        ensure!(self.pool.alloc_bulk(&mut burst, count), "packet buffers have run out");
        for mbuf in &mut burst {
            stamp.write(&next(), mbuf.append(FRAME).context("a buffer holds a frame")?);
        }
        Ok(burst)
    }

    /// Sends it.
    pub(crate) fn send(&mut self, mut burst: Burst) -> Result<()> {
        self.queue.tx(&mut burst);
        ensure!(burst.is_empty(), "{} packets were not taken by {}", burst.len(), self.interface);
        Ok(())
    }
}

/// Packets that have come to the near end of a wire.
pub(crate) fn arrived(interface: &str) -> Result<u64> {
    let devices = fs::read_to_string("/proc/net/dev").context("the devices' counters")?;
    let counters = devices.lines().find_map(|line| line.trim().strip_prefix(interface)?.strip_prefix(':'));
    let packets =
        counters.and_then(|counters| counters.split_ascii_whitespace().nth(1)).with_context(|| format!("{interface} is there"))?;
    Ok(packets.parse()?)
}
