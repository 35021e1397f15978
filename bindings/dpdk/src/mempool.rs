//! Pools of packet buffers.
//!
//! # Soundness
//! A pool is created once and freed only by EAL's clean-up, which waits for every [`Mempool`] (it holds a handle) and every
//! [`Mbuf`] (the pool is asked for its count). DPDK's default pool is a multi-producer, multi-consumer ring with a cache per
//! lcore, so it may be used from every thread; a cache is only touched by the thread with that lcore id.

use std::ffi::CString;
use std::ptr::NonNull;

use arrayvec::ArrayVec;
use dpdk_sys as sys;

use crate::eal::Handle;
use crate::error::{Error, errno, strerror};
use crate::mbuf::{HEADROOM, Mbuf};

/// Room of one buffer, headroom included, that every driver accepts: 2,048 bytes of packet. Larger frames need a chain of
/// buffers (a driver that scatters), or a pool made with [`data_room_for`].
pub const DATA_ROOM: u16 = 2048 + HEADROOM;

/// The largest cache that DPDK gives an lcore in a pool.
pub const CACHE_MAX: u32 = sys::RTE_MEMPOOL_CACHE_MAX_SIZE;

/// The data room with which a frame of `bytes` fits into one buffer, or None if no buffer can be that large.
pub fn data_room_for(bytes: usize) -> Option<u16> {
    u16::try_from(bytes).ok()?.checked_add(HEADROOM)
}

/// A pool of packet buffers; clones are the same pool.
#[derive(Clone, Debug)]
pub struct Mempool {
    raw: NonNull<sys::rte_mempool>,
    data_room: u16,
    eal: Handle,
}

// SAFETY: see the module's head; the pool is made for use from many threads.
unsafe impl Send for Mempool {}
// SAFETY: as above; all methods take `&self`.
unsafe impl Sync for Mempool {}

impl Mempool {
    /// Creates a pool of `count` buffers (best 2^n - 1), each with `data_room` bytes, headroom included, on the memory of `socket`
    /// (None: any). `cache` buffers are kept aside per lcore: at most [`CACHE_MAX`] and at most `count` / 1.5.
    ///
    /// # Errors
    /// [`Error::Mempool`] with DPDK's reason: no memory, a name that is taken or too long, a cache that is too large.
    pub fn new(eal: &Handle, name: &str, count: u32, cache: u32, data_room: u16, socket: Option<i32>) -> Result<Self, Error> {
        let c_name = CString::new(name).map_err(|_| Error::Nul { what: "pool name", text: name.into() })?;
        // SAFETY: EAL runs (the handle), the name is NUL-terminated and copied by DPDK; -1 is SOCKET_ID_ANY.
        let raw = unsafe { sys::rte_pktmbuf_pool_create(c_name.as_ptr(), count, cache, 0, data_room, socket.unwrap_or(-1)) };
        let raw = NonNull::new(raw).ok_or_else(|| {
            let code = errno();
            let remedy = match code {
                libc::EEXIST => "choose another name",
                libc::ENAMETOOLONG => "choose a shorter name",
                libc::EINVAL => "the cache may be at most 512 and at most two thirds of the buffers",
                _ => "reserve more huge pages, raise -m, or ask for fewer buffers",
            };
            Error::Mempool { name: name.into(), count, data_room, reason: strerror(code), remedy }
        })?;
        eal.adopt(raw);
        Ok(Mempool { raw, data_room, eal: eal.clone() })
    }

    /// An empty packet of one segment with the usual headroom, or None if the pool is empty.
    #[inline]
    pub fn alloc(&self) -> Option<Mbuf> {
        // SAFETY: the pool lives as long as our handle.
        let raw = unsafe { sys::shim_pktmbuf_alloc(self.raw.as_ptr()) };
        // SAFETY: a fresh mbuf of one empty segment, and nobody else has it.
        NonNull::new(raw).map(|raw| unsafe { Mbuf::from_raw(raw) })
    }

    /// Adds `count` empty packets to `into`; all or none, and none if `into` has no room for them.
    pub fn alloc_bulk<const N: usize>(&self, into: &mut ArrayVec<Mbuf, N>, count: usize) -> bool {
        if count > into.remaining_capacity() {
            return false;
        }
        let len = into.len();
        // SAFETY: `Mbuf` is a transparent pointer, `count` more of them fit behind the first `len`, and they are only counted as
        // present when DPDK has written them all (it returns 0 then, and writes nothing useful otherwise).
        unsafe {
            let free = into.as_mut_ptr().add(len).cast();
            if sys::shim_pktmbuf_alloc_bulk(self.raw.as_ptr(), free, count as u32) != 0 {
                return false;
            }
            into.set_len(len + count);
        }
        true
    }

    /// A packet with these bytes, in as many segments as they need, or None if the pool runs empty. An empty packet is one segment.
    pub fn packet(&self, bytes: &[u8]) -> Option<Mbuf> {
        let mut packet = self.alloc()?;
        let mut rest = bytes;
        loop {
            let (now, later) = rest.split_at(rest.len().min(packet.tailroom()));
            packet.append(now.len())?.copy_from_slice(now);
            rest = later;
            if rest.is_empty() {
                return Some(packet);
            }
            let segment = self.alloc()?;
            if segment.tailroom() == 0 {
                // Buffers that are all headroom can hold no byte.
                return None;
            }
            packet.chain(segment).ok()?;
        }
    }

    /// A copy of the packet in buffers of this pool, shared with nobody; None if the pool runs empty.
    pub fn copy(&self, packet: &Mbuf) -> Option<Mbuf> {
        if packet.is_empty() {
            // DPDK copies no empty packet.
            return self.alloc();
        }
        // SAFETY: both are alive; offset 0 with the greatest length copies the whole chain into fresh mbufs.
        let raw = unsafe { sys::rte_pktmbuf_copy(packet.as_ptr(), self.raw.as_ptr(), 0, u32::MAX) };
        // SAFETY: a fresh chain that nobody else has.
        NonNull::new(raw).map(|raw| unsafe { Mbuf::from_raw(raw) })
    }

    /// Buffers that can be had now, the caches of all lcores included. Walks the caches: not for the packet path.
    pub fn available(&self) -> u32 {
        // SAFETY: the pool lives as long as our handle.
        unsafe { sys::rte_mempool_avail_count(self.raw.as_ptr()) }
    }

    /// Buffers that packets or drivers hold now.
    pub fn in_use(&self) -> u32 {
        // SAFETY: the pool lives as long as our handle.
        unsafe { sys::rte_mempool_in_use_count(self.raw.as_ptr()) }
    }

    /// Bytes of room in each buffer, headroom included.
    pub fn data_room(&self) -> u16 {
        self.data_room
    }

    /// The EAL that the pool lives in.
    pub fn eal(&self) -> &Handle {
        &self.eal
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::rte_mempool {
        self.raw.as_ptr()
    }
}
