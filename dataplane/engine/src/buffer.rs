//! What the walk needs of a packet buffer: a DPDK mbuf chain in the appliance, bytes on the heap in tests.
//!
//! A buffer is a chain of segments. The first one, the *head*, is what headers are read from and written to; the walk pulls the bytes that
//! it needs up into the head. A buffer is owned: dropping it frees it, and it is never cloned.

/// What is known of the transport checksum of a received packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RxChecksum {
    /// The NIC found it right.
    Good,
    /// The sender, a stack on this machine, left it to its NIC: the field holds the pseudo header's sum only, and must be completed before the
    /// packet is sent.
    Partial,
    /// The NIC found it wrong.
    Bad,
    /// Nobody looked.
    #[default]
    Unknown,
}

/// A packet, from its Ethernet header on.
pub trait Buffer: Sized {
    /// The first segment.
    fn head(&self) -> &[u8];
    /// The first segment, to be written to.
    fn head_mut(&mut self) -> &mut [u8];
    /// Bytes in all segments.
    fn len(&self) -> usize;
    /// Is there nothing in it?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The segments in order, the head first.
    fn segments(&self) -> impl Iterator<Item = &[u8]> + Clone;
    /// Makes the first `n` bytes contiguous in the head; `false`, and nothing changed, when there are fewer or the head cannot hold them.
    fn pull_up(&mut self, n: usize) -> bool;
    /// Grows the packet by `n` bytes at its front, and gives the head from there on; `None` without that much headroom.
    fn prepend(&mut self, n: usize) -> Option<&mut [u8]>;
    /// Cuts `n` bytes from the front; `false`, and nothing changed, when the head is shorter.
    fn trim_front(&mut self, n: usize) -> bool;
    /// Cuts the packet's end, so that `len` bytes are left, freeing segments that become empty. A longer `len` changes nothing.
    fn truncate(&mut self, len: usize);
    /// Adds bytes behind the last one; `false`, and nothing changed, without room.
    fn append(&mut self, bytes: &[u8]) -> bool;
    /// Hangs the segments of `tail` behind the last one; gives `tail` back when the chain would grow too long.
    fn chain(&mut self, tail: Self) -> Result<(), Self>;
    /// Are its bytes seen by others too (an indirect buffer, or one with several references)? Then it is copied before it is written to, by
    /// [`crate::outside::Outside::copy`].
    fn is_shared(&self) -> bool;
    /// Is it one segment, [nobody else's](Buffer::is_shared), with a transport checksum that nobody has yet to complete or found wrong? So most are; of any
    /// other the rest is to be asked.
    fn is_usual(&self) -> bool;
    /// What is known of the transport checksum.
    fn l4_checksum(&self) -> RxChecksum;
    /// Notes what is known of the transport checksum.
    fn set_l4_checksum(&mut self, state: RxChecksum);
}
