//! The queues of a started port, each polled by whoever holds its value.
//!
//! # Soundness
//! DPDK allows one thread at a time on a queue, and none while the port is stopped or reconfigured. [`Port::start`] makes exactly
//! one value per queue; it has no `Clone`, polling needs `&mut`, and it holds the device, which a port only stops when no queue
//! holds it any more.
//!
//! [`Port::start`]: crate::port::Port::start

use std::sync::Arc;

use arrayvec::ArrayVec;
use dpdk_sys as sys;

use crate::mbuf::Mbuf;
use crate::port::Device;

/// A receive queue. Send it to the thread that is to poll it.
#[derive(Debug)]
pub struct RxQueue {
    device: Arc<Device>,
    queue: u16,
}

/// A transmit queue. Send it to the thread that is to fill it.
#[derive(Debug)]
pub struct TxQueue {
    device: Arc<Device>,
    queue: u16,
    takes_chains: bool,
}

impl RxQueue {
    pub(crate) fn new(device: Arc<Device>, queue: u16) -> Self {
        RxQueue { device, queue }
    }

    /// Adds received packets to `into`, as many as there are and fit, and says how many. Give it an empty burst: some drivers only
    /// look for packets when there is room for four or more.
    #[inline]
    pub fn rx<const N: usize>(&mut self, into: &mut ArrayVec<Mbuf, N>) -> usize {
        let len = into.len();
        let room = into.remaining_capacity().min(usize::from(u16::MAX));
        // SAFETY: this value is the only one for its queue, and the port runs. DPDK writes at most `room` pointers to packets that are
        // ours from then on, into the free part of the array, and says how many.
        unsafe {
            let free = into.as_mut_ptr().add(len).cast();
            let count = usize::from(sys::shim_eth_rx_burst(self.device.id(), self.queue, free, room as u16));
            into.set_len(len + count);
            count
        }
    }

    /// The id of the port, as received packets carry it.
    pub fn port(&self) -> u16 {
        self.device.id()
    }

    /// The number of the queue, from 0.
    pub fn queue(&self) -> u16 {
        self.queue
    }
}

impl TxQueue {
    pub(crate) fn new(device: Arc<Device>, queue: u16, takes_chains: bool) -> Self {
        TxQueue { device, queue, takes_chains }
    }

    /// Sends packets from the front of `burst` and says how many the queue took. The others stay in `burst`, in order: to be tried
    /// again or dropped, as the caller decides.
    #[inline]
    pub fn tx<const N: usize>(&mut self, burst: &mut ArrayVec<Mbuf, N>) -> usize {
        let len = burst.len().min(usize::from(u16::MAX));
        // SAFETY: this value is the only one for its queue, and the port runs. DPDK takes the first `sent` packets; they leave the array
        // without being dropped, and the rest moves to the front.
        unsafe {
            let packets = burst.as_mut_ptr();
            let sent = usize::from(sys::shim_eth_tx_burst(self.device.id(), self.queue, packets.cast(), len as u16));
            let rest = burst.len() - sent;
            if rest > 0 {
                std::ptr::copy(packets.add(sent), packets, rest);
            }
            burst.set_len(rest);
            sent
        }
    }

    /// Whether the driver sends packets of several segments. If not, they must be made contiguous before
    /// ([`Mbuf::pull_up`] with their length).
    pub fn takes_chains(&self) -> bool {
        self.takes_chains
    }

    /// The id of the port.
    pub fn port(&self) -> u16 {
        self.device.id()
    }

    /// The number of the queue, from 0.
    pub fn queue(&self) -> u16 {
        self.queue
    }
}
