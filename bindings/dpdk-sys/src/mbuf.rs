//! The fields of `struct rte_mbuf`, as pointers to them.
//!
//! The struct itself is opaque: its anonymous unions have different shapes from release to release, while the offsets (taken by
//! the C compiler from the installed headers) are always right.

use crate::{rte_mbuf, rte_mempool, shim_mbuf_offset as offset};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $offset:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// `mbuf` must point to a live mbuf. The result is good for reads and writes as long as that mbuf is.
        #[inline(always)]
        pub unsafe fn $name(mbuf: *mut rte_mbuf) -> *mut $type {
            // SAFETY: the offset is of a field of the struct that the caller vouches for, so it is in bounds.
            unsafe { mbuf.byte_add(offset::$offset as usize).cast() }
        }
    )*};
}

fields! {
    /// Start of the segment's buffer, headroom included.
    buf_addr: *mut u8 = SHIM_MBUF_BUF_ADDR;
    /// Distance of the first byte of data from the start of the buffer.
    data_off: u16 = SHIM_MBUF_DATA_OFF;
    /// How many owners the segment has.
    refcnt: u16 = SHIM_MBUF_REFCNT;
    /// Number of segments of the packet; only in its first one.
    nb_segs: u16 = SHIM_MBUF_NB_SEGS;
    /// The port that the packet came in by.
    port: u16 = SHIM_MBUF_PORT;
    /// Offload flags.
    ol_flags: u64 = SHIM_MBUF_OL_FLAGS;
    /// Bytes in all segments; only in the first one.
    pkt_len: u32 = SHIM_MBUF_PKT_LEN;
    /// Bytes in this segment.
    data_len: u16 = SHIM_MBUF_DATA_LEN;
    /// The stripped VLAN tag.
    vlan_tci: u16 = SHIM_MBUF_VLAN_TCI;
    /// The NIC's RSS hash.
    hash_rss: u32 = SHIM_MBUF_HASH_RSS;
    /// Size of the segment's buffer, headroom included.
    buf_len: u16 = SHIM_MBUF_BUF_LEN;
    /// The pool that the segment goes back to.
    pool: *mut rte_mempool = SHIM_MBUF_POOL;
    /// The next segment of the packet, or null.
    next: *mut rte_mbuf = SHIM_MBUF_NEXT;
}
