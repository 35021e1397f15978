//! DPDK's packet buffer as the engine wants it.

use dpdk::mbuf::{self, Mbuf};
use engine::buffer::{Buffer, RxChecksum};

/// EtherType of an 802.1Q tag.
const VLAN: [u8; 2] = [0x81, 0x00];
/// Both Ethernet addresses: what stands before a tag.
const ADDRESSES: usize = 12;

/// A packet with what is known of its transport checksum: mbuf flags are the driver's to write, this field is the walk's.
#[derive(Debug)]
pub struct Packet {
    mbuf: Mbuf,
    l4: RxChecksum,
}

impl Packet {
    /// A packet that a driver received. A VLAN tag that the driver took out is put back, so that the walk sees the frame as it was on the
    /// wire; `None`, and the packet freed, if there is no room for it.
    #[inline]
    pub fn received(mut mbuf: Mbuf) -> Option<Self> {
        if let Some(tag) = mbuf.stripped_vlan() {
            restore_tag(&mut mbuf, tag)?;
        }
        let l4 = match mbuf.l4_checksum() {
            mbuf::RxChecksum::Good => RxChecksum::Good,
            mbuf::RxChecksum::Bad => RxChecksum::Bad,
            mbuf::RxChecksum::Unknown => RxChecksum::Unknown,
            // Known to be intact, with the field not filled in: it has to be completed before the packet goes on.
            mbuf::RxChecksum::None => RxChecksum::Partial,
        };
        Some(Self { mbuf, l4 })
    }

    /// A packet of the box itself. The TAPs offer the kernel no checksum offload, so what comes out of them is complete.
    #[inline]
    pub fn own(mbuf: Mbuf) -> Self {
        Self { mbuf, l4: RxChecksum::Good }
    }

    /// The buffer itself.
    #[inline]
    pub fn mbuf(&self) -> &Mbuf {
        &self.mbuf
    }

    /// Ready for a driver: without the receiving NIC's flags, and in one piece if the driver takes no chains. `None`, and the packet freed,
    /// if it cannot be made so.
    #[inline]
    pub fn into_sendable(mut self, takes_chains: bool) -> Option<Mbuf> {
        if !takes_chains && self.mbuf.segment_count() > 1 && self.mbuf.pull_up(self.mbuf.len()).is_err() {
            return None;
        }
        self.mbuf.clear_offload_flags();
        Some(self.mbuf)
    }
}

#[cold]
fn restore_tag(mbuf: &mut Mbuf, tag: u16) -> Option<()> {
    if mbuf.is_shared() || mbuf.data().len() < ADDRESSES {
        return None;
    }
    mbuf.prepend(VLAN.len() + 2)?;
    let data = mbuf.data_mut();
    data.copy_within(4..4 + ADDRESSES, 0);
    data[ADDRESSES..ADDRESSES + 2].copy_from_slice(&VLAN);
    data[ADDRESSES + 2..ADDRESSES + 4].copy_from_slice(&tag.to_be_bytes());
    Some(())
}

impl Buffer for Packet {
    #[inline]
    fn head(&self) -> &[u8] {
        self.mbuf.data()
    }

    #[inline]
    fn head_mut(&mut self) -> &mut [u8] {
        self.mbuf.data_mut()
    }

    #[inline]
    fn len(&self) -> usize {
        self.mbuf.len()
    }

    #[inline]
    fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.mbuf.segments()
    }

    #[inline]
    fn pull_up(&mut self, n: usize) -> bool {
        self.mbuf.pull_up(n).is_ok()
    }

    #[inline]
    fn prepend(&mut self, n: usize) -> Option<&mut [u8]> {
        self.mbuf.prepend(n)?;
        Some(self.mbuf.data_mut())
    }

    #[inline]
    fn trim_front(&mut self, n: usize) -> bool {
        self.mbuf.trim_front(n)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.mbuf.truncate(len);
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) -> bool {
        match self.mbuf.append(bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    #[inline]
    fn is_shared(&self) -> bool {
        self.mbuf.is_shared()
    }

    #[inline]
    fn l4_checksum(&self) -> RxChecksum {
        self.l4
    }

    #[inline]
    fn set_l4_checksum(&mut self, state: RxChecksum) {
        self.l4 = state;
    }
}
