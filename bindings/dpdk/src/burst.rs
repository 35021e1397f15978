//! Packets by the burst.
//!
//! # Soundness
//! An [`Mbuf`] is a transparent non-null pointer, so the memory of a [`Burst`] is the array of pointers that DPDK works on.

use arrayvec::ArrayVec;
use dpdk_sys as sys;

use crate::mbuf::Mbuf;

/// Packets that a worker takes from a queue at once. Costs per burst are shared by them, their headers fit into the L1 cache.
pub const BURST: usize = 64;

/// Up to [`BURST`] owned packets.
pub type Burst = ArrayVec<Mbuf, BURST>;

/// Frees all packets at once, which is cheaper than one by one. The burst is empty afterwards.
pub fn free<const N: usize>(burst: &mut ArrayVec<Mbuf, N>) {
    let count = burst.len();
    // SAFETY: `count` owned packets, which the burst forgets before DPDK frees them.
    unsafe {
        burst.set_len(0);
        sys::rte_pktmbuf_free_bulk(burst.as_mut_ptr().cast(), count as u32);
    }
}
