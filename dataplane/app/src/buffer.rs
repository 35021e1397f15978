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
    #[inline(always)]
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
    fn chain(&mut self, tail: Self) -> Result<(), Self> {
        let l4 = tail.l4;
        self.mbuf.chain(tail.mbuf).map_err(|mbuf| Self { mbuf, l4 })
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

#[cfg(test)]
mod tests {
    use dpdk::eal::Eal;
    use dpdk::mempool::{DATA_ROOM, Mempool};
    use engine::buffer::{Buffer as _, RxChecksum};

    use super::*;

    /// EAL starts once in a process, so one test has it and makes all promises that need mbufs.
    #[test]
    fn an_mbuf_keeps_the_promises_of_the_engines_buffer() {
        // Without root EAL keeps its runtime files below this folder; as root it insists on /var/run.
        let prefix = format!("--file-prefix=app-buffer-{}", std::process::id());
        let arguments = ["--no-huge", "-m32", "--no-pci", "--no-shconf", "--no-telemetry", &prefix].map(String::from);
        let eal = Eal::init(&arguments).expect("EAL without huge pages and devices");
        let pool = Mempool::new(eal.handle(), "buffer", 1023, 0, DATA_ROOM, None).expect("a small pool");
        let bytes: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();

        a_chain_is_read_and_changed_across_its_segments(&pool, &bytes);
        only_a_driver_that_takes_no_chains_gets_one_piece(&pool, &bytes);
        a_tag_that_the_driver_took_out_is_put_back(&pool);

        assert_eq!(pool.in_use(), 0, "nothing leaked");
        drop(pool);
        eal.shutdown().expect("nothing is in use");
    }

    fn a_chain_is_read_and_changed_across_its_segments(pool: &Mempool, bytes: &[u8]) {
        let mut packet = Packet::own(pool.packet(bytes).expect("buffers"));
        assert_eq!((packet.len(), packet.segments().count(), packet.l4_checksum()), (5000, 3, RxChecksum::Good));
        assert_eq!(packet.segments().flatten().copied().collect::<Vec<_>>(), bytes);
        assert!(packet.pull_up(100) && !packet.pull_up(5001));
        assert!(packet.trim_front(14));
        assert_eq!(packet.prepend(14).map(|head| head.len()), Some(packet.head().len()));
        packet.truncate(3000);
        assert_eq!((packet.len(), packet.segments().count()), (3000, 2));
        assert!(packet.append(&[7; 20]));
        assert_eq!(packet.segments().last().and_then(|last| last.last()), Some(&7));
    }

    fn only_a_driver_that_takes_no_chains_gets_one_piece(pool: &Mempool, bytes: &[u8]) {
        let packet = |len| Packet::own(pool.packet(&bytes[..len]).expect("buffers"));
        assert_eq!(packet(5000).into_sendable(true).map(|mbuf| mbuf.segment_count()), Some(3));
        assert!(packet(5000).into_sendable(false).is_none(), "no buffer holds 5,000 bytes");
        let mut chain = pool.packet(&bytes[..1000]).expect("a buffer");
        chain.chain(pool.packet(&bytes[1000..1500]).expect("a buffer")).expect("two are no long chain");
        let sent = Packet::own(chain).into_sendable(false).expect("1,500 bytes fit");
        assert_eq!((sent.segment_count(), sent.data()), (1, &bytes[..1500]));
    }

    fn a_tag_that_the_driver_took_out_is_put_back(pool: &Mempool) {
        let mut frame = pool.packet(b"ddddddssssss\x08\x00payload").expect("a buffer");
        restore_tag(&mut frame, 0x0123).expect("there is headroom");
        assert_eq!(frame.data(), b"ddddddssssss\x81\x00\x01\x23\x08\x00payload");
        let mut short = pool.packet(b"ddddd").expect("a buffer");
        assert!(restore_tag(&mut short, 1).is_none());
    }
}
