//! One packet: an owned chain of buffers.
//!
//! # Soundness
//! An [`Mbuf`] is the only handle to its chain. It comes from a pool or from a driver's receive call, both of which hand over
//! ownership; there is no `Clone`, and nothing in this crate attaches an mbuf to another one or raises a reference count. It ends
//! by going back to its pool, or to a driver's transmit call. So `&Mbuf` and `&mut Mbuf` borrow the bytes as usual, and an `Mbuf`
//! may move to another thread, whose drop returns it to the pool there (pools are made for that).
//!
//! Of a chain we rely on what DPDK guarantees and every method here keeps: `nb_segs` segments linked by `next`, the last one
//! null; `data_off + data_len <= buf_len` in each; `pkt_len` the sum of all `data_len`. All buffer memory is mapped and
//! initialised (the kernel zeroes it), so stale bytes are at worst those of an older packet, never undefined.
//!
//! A driver may hand out packets that refer to memory shared with others ([`Mbuf::is_shared`]). They may be read; whoever wants
//! to write copies them first ([`Mempool::copy`](crate::mempool::Mempool::copy)). Debug builds check that.
//!
//! Everything done per packet is written here in Rust on the fields, only freeing goes through the C shim.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::slice;

use dpdk_sys as sys;
use dpdk_sys::mbuf as field;

/// Bytes that a fresh packet has free before its data.
pub const HEADROOM: u16 = sys::RTE_PKTMBUF_HEADROOM as u16;

/// A packet in DPDK memory; dropping it returns its buffers to their pools.
#[repr(transparent)]
pub struct Mbuf(NonNull<sys::rte_mbuf>);

// SAFETY: an mbuf belongs to no thread; its pool takes buffers back from any (see the module's head).
unsafe impl Send for Mbuf {}

/// What the NIC says about a checksum of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RxChecksum {
    /// Nothing: it must be computed.
    Unknown,
    /// It was computed and is right.
    Good,
    /// It was computed and is wrong.
    Bad,
    /// The data is known to be intact, but the field is not filled in (the packet never was on a wire).
    None,
}

/// Why [`Mbuf::pull_up`] could not be done. The packet is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullUpError {
    /// The packet has fewer bytes.
    TooShort,
    /// The first buffer cannot hold that many.
    NoRoom,
    /// The packet's memory is shared, so it must be copied, not moved.
    Shared,
}

impl Mbuf {
    /// Takes ownership of a chain.
    ///
    /// # Safety
    /// `raw` is a valid chain (see the module's head) that nobody else has.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(raw: NonNull<sys::rte_mbuf>) -> Self {
        Mbuf(raw)
    }

    #[inline(always)]
    pub(crate) fn as_ptr(&self) -> *mut sys::rte_mbuf {
        self.0.as_ptr()
    }

    #[inline(always)]
    fn head(&self) -> Segment {
        Segment(self.0)
    }

    #[inline(always)]
    fn last(&self) -> Segment {
        let mut segment = self.head();
        while let Some(next) = segment.next() {
            segment = next;
        }
        segment
    }

    /// Bytes in the whole packet.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: we own a live mbuf.
        unsafe { *field::pkt_len(self.as_ptr()) as usize }
    }

    /// Whether the packet has no bytes.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Buffers in the chain, at least 1.
    #[inline(always)]
    pub fn segment_count(&self) -> usize {
        // SAFETY: we own a live mbuf.
        usize::from(unsafe { *field::nb_segs(self.as_ptr()) })
    }

    /// Asks the processor to bring near what is read of a packet first, and does not wait for it: the buffer's own fields, and where the frame begins if the
    /// buffer is as a driver fills it.
    #[inline(always)]
    pub fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let fields = self.as_ptr().cast::<i8>();
            let frame = fields.wrapping_add(size_of::<sys::rte_mbuf>() + usize::from(HEADROOM));
            // SAFETY: a prefetch reads nothing that the program can see, whatever the address.
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(fields);
                _mm_prefetch::<_MM_HINT_T0>(frame);
            }
        }
    }

    /// The bytes of the first segment.
    #[inline(always)]
    pub fn data(&self) -> &[u8] {
        // SAFETY: the segment is ours, and borrowed with `self`.
        unsafe { self.head().bytes() }
    }

    /// The bytes of the first segment, for writing. The packet must not be [shared](Mbuf::is_shared).
    #[inline(always)]
    pub fn data_mut(&mut self) -> &mut [u8] {
        debug_assert!(!self.is_shared(), "a shared packet must be copied before it is written");
        // SAFETY: the segment is ours alone, and borrowed with `self`.
        unsafe { self.head().bytes_mut() }
    }

    /// The bytes of all segments, in order.
    #[inline]
    pub fn segments(&self) -> Segments<'_> {
        Segments { next: Some(self.head()), packet: PhantomData }
    }

    /// The bytes of all segments, for writing. The packet must not be [shared](Mbuf::is_shared).
    #[inline]
    pub fn segments_mut(&mut self) -> SegmentsMut<'_> {
        debug_assert!(!self.is_shared(), "a shared packet must be copied before it is written");
        SegmentsMut { next: Some(self.head()), packet: PhantomData }
    }

    /// Copies bytes from `offset` on, across segments, and says how many there were (at most `out.len()`).
    pub fn read(&self, offset: usize, out: &mut [u8]) -> usize {
        let (mut skip, mut done) = (offset, 0);
        for segment in self.segments() {
            let from = &segment[skip.min(segment.len())..];
            skip -= segment.len() - from.len();
            let count = from.len().min(out.len() - done);
            out[done..done + count].copy_from_slice(&from[..count]);
            done += count;
        }
        done
    }

    /// Free bytes before the data of the first segment.
    #[inline(always)]
    pub fn headroom(&self) -> usize {
        usize::from(self.head().data_off())
    }

    /// Free bytes after the data of the last segment.
    #[inline]
    pub fn tailroom(&self) -> usize {
        self.last().tailroom()
    }

    /// Adds `count` bytes before the packet and returns them, to be filled in (they hold old data), or None if the headroom is
    /// smaller.
    #[inline]
    pub fn prepend(&mut self, count: usize) -> Option<&mut [u8]> {
        debug_assert!(!self.is_shared(), "a shared packet must be copied before it is written");
        let head = self.head();
        if count > self.headroom() {
            return None;
        }
        let new_len = u16::try_from(usize::from(head.data_len()) + count).ok()?;
        head.set_data_off(head.data_off() - count as u16);
        head.set_data_len(new_len);
        self.set_len(self.len() + count);
        // SAFETY: the segment is ours alone; it has at least `count` bytes now.
        Some(unsafe { &mut head.bytes_mut()[..count] })
    }

    /// Removes `count` bytes from the front of the first segment; false, with nothing done, if that segment is shorter.
    #[inline]
    pub fn trim_front(&mut self, count: usize) -> bool {
        let head = self.head();
        if count > usize::from(head.data_len()) {
            return false;
        }
        head.set_data_off(head.data_off() + count as u16);
        head.set_data_len(head.data_len() - count as u16);
        self.set_len(self.len() - count);
        true
    }

    /// Cuts the packet to its first `len` bytes, across segments; those that are left empty are freed (never the first). Does
    /// nothing if the packet is not longer.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len() {
            return;
        }
        let (mut keep, mut count, mut segment) = (len, 1, self.head());
        // The segment in which the new end is: the first one that is not passed over completely.
        while keep > usize::from(segment.data_len()) {
            keep -= usize::from(segment.data_len());
            // A chain shorter than its pkt_len cannot be; stopping here keeps even that one consistent.
            let Some(next) = segment.next() else { break };
            segment = next;
            count += 1;
        }
        segment.set_data_len(segment.data_len().min(keep as u16));
        let rest = segment.next();
        segment.set_next(None);
        self.set_segments(count, len);
        if let Some(rest) = rest {
            rest.free_chain();
        }
    }

    /// Adds `count` bytes behind the packet, in its last segment, and returns them, to be filled in (they hold old data), or
    /// None if the tailroom is smaller.
    #[inline]
    pub fn append(&mut self, count: usize) -> Option<&mut [u8]> {
        debug_assert!(!self.is_shared(), "a shared packet must be copied before it is written");
        let last = self.last();
        if count > last.tailroom() {
            return None;
        }
        let old = usize::from(last.data_len());
        last.set_data_len((old + count) as u16);
        self.set_len(self.len() + count);
        // SAFETY: the segment is ours alone; it has `old + count` bytes now.
        Some(unsafe { &mut last.bytes_mut()[old..] })
    }

    /// Puts the segments of `tail` behind this packet. Gives `tail` back if the chain would get too long for an mbuf to count.
    pub fn chain(&mut self, tail: Mbuf) -> Result<(), Mbuf> {
        let segments = self.segment_count() + tail.segment_count();
        let len = self.len() + tail.len();
        let (Ok(count), Ok(_)) = (u16::try_from(segments), u32::try_from(len)) else { return Err(tail) };
        self.last().set_next(Some(tail.head()));
        self.set_segments(count, len);
        // Its segments are ours now.
        std::mem::forget(tail);
        Ok(())
    }

    /// Makes the first `count` bytes of the packet contiguous, by moving them into the first segment. Segments that are emptied
    /// are freed. Costs a comparison if they are contiguous already.
    ///
    /// # Errors
    /// See [`PullUpError`].
    #[inline]
    pub fn pull_up(&mut self, count: usize) -> Result<(), PullUpError> {
        if count <= usize::from(self.head().data_len()) { Ok(()) } else { self.pull_up_slow(count) }
    }

    #[cold]
    fn pull_up_slow(&mut self, count: usize) -> Result<(), PullUpError> {
        let head = self.head();
        if count > self.len() {
            return Err(PullUpError::TooShort);
        }
        if count > usize::from(head.buf_len()) {
            return Err(PullUpError::NoRoom);
        }
        if self.is_shared() {
            return Err(PullUpError::Shared);
        }
        if usize::from(head.data_off()) + count > usize::from(head.buf_len()) {
            head.move_data_to(head.buf_len() - count as u16);
        }
        let mut missing = count - usize::from(head.data_len());
        while missing > 0 {
            // The packet is long enough, so there is a next segment as long as something is missing.
            let Some(next) = head.next() else { return Err(PullUpError::TooShort) };
            let take = missing.min(usize::from(next.data_len()));
            let old = usize::from(head.data_len());
            head.set_data_len((old + take) as u16);
            // SAFETY: two different segments of ours, borrowed only here; both have `take` bytes at these places.
            unsafe { head.bytes_mut()[old..].copy_from_slice(&next.bytes()[..take]) };
            next.set_data_off(next.data_off() + take as u16);
            next.set_data_len(next.data_len() - take as u16);
            missing -= take;
            if next.data_len() == 0 {
                head.set_next(next.next());
                next.set_next(None);
                self.set_segments((self.segment_count() - 1) as u16, self.len());
                next.free_chain();
            }
        }
        Ok(())
    }

    /// Whether any byte of the packet lies in memory that others may read or write: copy before writing.
    #[inline]
    pub fn is_shared(&self) -> bool {
        let mut segment = Some(self.head());
        while let Some(this) = segment {
            if this.is_shared() {
                return true;
            }
            segment = this.next();
        }
        false
    }

    /// Whether the packet is in one segment, in no memory that others may read or write, and its TCP or UDP checksum is [`RxChecksum::Good`] or
    /// [`RxChecksum::Unknown`]: what most are.
    // Two comparisons: the reference count and the number of segments stand side by side, and a bit for each thing that is unusual in the flags. Where only
    // both bits of the checksum together say that there is none, one of them says that something is wrong.
    #[inline(always)]
    pub fn is_usual(&self) -> bool {
        const UNUSUAL: u64 = sys::SHIM_F_INDIRECT | sys::SHIM_F_EXTERNAL | sys::SHIM_F_RX_L4_CKSUM_BAD;
        const { assert!(sys::SHIM_F_RX_L4_CKSUM_NONE & sys::SHIM_F_RX_L4_CKSUM_BAD == sys::SHIM_F_RX_L4_CKSUM_BAD) };
        const { assert!(sys::SHIM_F_RX_L4_CKSUM_GOOD & sys::SHIM_F_RX_L4_CKSUM_BAD == 0) };
        let head = self.head();
        u32::from(head.refcnt()) | u32::from(head.nb_segs()) << 16 == 0x1_0001 && head.flags() & UNUSUAL == 0
    }

    /// What the NIC says about the IPv4 header checksum.
    #[inline]
    pub fn ip_checksum(&self) -> RxChecksum {
        match self.flags() & sys::SHIM_F_RX_IP_CKSUM_MASK {
            sys::SHIM_F_RX_IP_CKSUM_GOOD => RxChecksum::Good,
            sys::SHIM_F_RX_IP_CKSUM_BAD => RxChecksum::Bad,
            sys::SHIM_F_RX_IP_CKSUM_NONE => RxChecksum::None,
            _ => RxChecksum::Unknown,
        }
    }

    /// What the NIC says about the TCP or UDP checksum.
    #[inline]
    pub fn l4_checksum(&self) -> RxChecksum {
        match self.flags() & sys::SHIM_F_RX_L4_CKSUM_MASK {
            sys::SHIM_F_RX_L4_CKSUM_GOOD => RxChecksum::Good,
            sys::SHIM_F_RX_L4_CKSUM_BAD => RxChecksum::Bad,
            sys::SHIM_F_RX_L4_CKSUM_NONE => RxChecksum::None,
            _ => RxChecksum::Unknown,
        }
    }

    /// Says of the TCP or UDP checksum what a NIC would say: for whoever makes packets in a NIC's place, and for whoever learns more of one.
    #[inline]
    pub fn set_l4_checksum(&mut self, state: RxChecksum) {
        let said = match state {
            RxChecksum::Good => sys::SHIM_F_RX_L4_CKSUM_GOOD,
            RxChecksum::Bad => sys::SHIM_F_RX_L4_CKSUM_BAD,
            RxChecksum::None => sys::SHIM_F_RX_L4_CKSUM_NONE,
            RxChecksum::Unknown => 0,
        };
        let flags = self.flags() & !sys::SHIM_F_RX_L4_CKSUM_MASK | said;
        // SAFETY: we own a live mbuf.
        unsafe { *field::ol_flags(self.as_ptr()) = flags }
    }

    /// The NIC's RSS hash, if it gave one.
    #[inline]
    pub fn rss_hash(&self) -> Option<u32> {
        // SAFETY: we own a live mbuf.
        (self.flags() & sys::SHIM_F_RX_RSS_HASH != 0).then(|| unsafe { *field::hash_rss(self.as_ptr()) })
    }

    /// The VLAN tag (TCI, host order) if the driver took it out of the packet. We never ask for that, but some drivers do it.
    #[inline]
    pub fn stripped_vlan(&self) -> Option<u16> {
        // SAFETY: we own a live mbuf.
        (self.flags() & sys::SHIM_F_RX_VLAN_STRIPPED != 0).then(|| unsafe { *field::vlan_tci(self.as_ptr()) })
    }

    /// The id of the port that the packet came in by; meaningless in a packet that was not received.
    #[inline]
    pub fn port(&self) -> u16 {
        // SAFETY: we own a live mbuf.
        unsafe { *field::port(self.as_ptr()) }
    }

    /// Forgets what the receiving NIC said, so that the sending one does not take it for a request. What else a request consists of (`tx_offload`) no driver
    /// reads without its flag, and it stands in a line of the mbuf that need not be touched.
    #[inline]
    pub fn clear_offload_flags(&mut self) {
        // The two flags that say where the buffer is are needed to free it.
        let kept = self.flags() & (sys::SHIM_F_INDIRECT | sys::SHIM_F_EXTERNAL);
        // SAFETY: we own a live mbuf.
        unsafe { *field::ol_flags(self.as_ptr()) = kept }
    }

    #[inline(always)]
    fn flags(&self) -> u64 {
        self.head().flags()
    }

    #[inline(always)]
    fn set_len(&mut self, len: usize) {
        // SAFETY: we own a live mbuf.
        unsafe { *field::pkt_len(self.as_ptr()) = len as u32 }
    }

    #[inline(always)]
    fn set_segments(&mut self, count: u16, len: usize) {
        // SAFETY: we own a live mbuf.
        unsafe { *field::nb_segs(self.as_ptr()) = count }
        self.set_len(len);
    }
}

impl Drop for Mbuf {
    #[inline]
    fn drop(&mut self) {
        self.head().free_chain();
    }
}

impl fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mbuf").field("len", &self.len()).field("segments", &self.segment_count()).finish_non_exhaustive()
    }
}

/// One buffer of a chain that the holder may use. Only made from an [`Mbuf`] or from `next` of another segment of one, and never
/// kept longer than that, which is what makes the field accesses below sound.
#[derive(Clone, Copy)]
struct Segment(NonNull<sys::rte_mbuf>);

macro_rules! segment_fields {
    ($($get:ident $($set:ident)?: $type:ty;)*) => {$(
        #[inline(always)]
        fn $get(self) -> $type {
            // SAFETY: a segment is a live mbuf.
            unsafe { *field::$get(self.0.as_ptr()) }
        }
        $(#[inline(always)]
        fn $set(self, value: $type) {
            // SAFETY: a segment is a live mbuf, and the `Mbuf` that it belongs to is borrowed mutably where this is called.
            unsafe { *field::$get(self.0.as_ptr()) = value }
        })?
    )*};
}

impl Segment {
    segment_fields! {
        data_off set_data_off: u16;
        data_len set_data_len: u16;
        buf_len: u16;
        refcnt: u16;
        nb_segs: u16;
    }

    #[inline(always)]
    fn flags(self) -> u64 {
        // SAFETY: a segment is a live mbuf.
        unsafe { *field::ol_flags(self.0.as_ptr()) }
    }

    #[inline(always)]
    fn next(self) -> Option<Segment> {
        // SAFETY: a segment is a live mbuf, and its `next` is null or one as well.
        NonNull::new(unsafe { *field::next(self.0.as_ptr()) }).map(Segment)
    }

    #[inline(always)]
    fn set_next(self, next: Option<Segment>) {
        // SAFETY: a segment is a live mbuf.
        unsafe { *field::next(self.0.as_ptr()) = next.map_or(std::ptr::null_mut(), |next| next.0.as_ptr()) }
    }

    #[inline(always)]
    fn is_shared(self) -> bool {
        self.refcnt() > 1 || self.flags() & (sys::SHIM_F_INDIRECT | sys::SHIM_F_EXTERNAL) != 0
    }

    #[inline(always)]
    fn tailroom(self) -> usize {
        usize::from(self.buf_len()).saturating_sub(usize::from(self.data_off()) + usize::from(self.data_len()))
    }

    /// # Safety
    /// The packet is borrowed for `'a`, and its lengths do not change within.
    #[inline(always)]
    unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: data_off + data_len <= buf_len, all of it mapped; the caller vouches for the borrow.
        unsafe { slice::from_raw_parts(self.start(), usize::from(self.data_len())) }
    }

    /// # Safety
    /// The packet is borrowed mutably for `'a`, its lengths do not change within, and no other slice of this segment exists.
    #[inline(always)]
    unsafe fn bytes_mut<'a>(self) -> &'a mut [u8] {
        // SAFETY: data_off + data_len <= buf_len, all of it mapped; the caller vouches for the borrow.
        unsafe { slice::from_raw_parts_mut(self.start(), usize::from(self.data_len())) }
    }

    #[inline(always)]
    fn start(self) -> *mut u8 {
        // SAFETY: a segment is a live mbuf, and the data starts within its buffer.
        unsafe { (*field::buf_addr(self.0.as_ptr())).add(usize::from(self.data_off())) }
    }

    /// Moves the data to another place of the buffer, which must have room for it there.
    fn move_data_to(self, data_off: u16) {
        debug_assert!(data_off + self.data_len() <= self.buf_len());
        // SAFETY: both places lie within the buffer, which is mapped; `copy` allows them to overlap.
        unsafe {
            let to = (*field::buf_addr(self.0.as_ptr())).add(usize::from(data_off));
            std::ptr::copy(self.start(), to, usize::from(self.data_len()));
        }
        self.set_data_off(data_off);
    }

    /// Returns this segment and those behind it to their pools; they must not be part of a packet any more.
    #[inline(always)]
    fn free_chain(self) {
        // SAFETY: the segments belong to the caller alone, and are not used afterwards.
        unsafe { sys::shim_pktmbuf_free(self.0.as_ptr()) }
    }
}

/// The slices of a packet's segments, see [`Mbuf::segments`].
#[derive(Clone)]
pub struct Segments<'a> {
    next: Option<Segment>,
    packet: PhantomData<&'a Mbuf>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let segment = self.next?;
        self.next = segment.next();
        // SAFETY: the packet is borrowed for 'a.
        Some(unsafe { segment.bytes() })
    }
}

/// The mutable slices of a packet's segments, see [`Mbuf::segments_mut`].
pub struct SegmentsMut<'a> {
    next: Option<Segment>,
    packet: PhantomData<&'a mut Mbuf>,
}

impl<'a> Iterator for SegmentsMut<'a> {
    type Item = &'a mut [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a mut [u8]> {
        let segment = self.next?;
        self.next = segment.next();
        // SAFETY: the packet is borrowed mutably for 'a, and each segment is visited once.
        Some(unsafe { segment.bytes_mut() })
    }
}
