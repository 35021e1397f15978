//! DPDK's packet buffer as the engine wants it.

use dpdk::mbuf::{self, Mbuf};
use engine::buffer::{Buffer, RxChecksum};

/// EtherType of an 802.1Q tag.
const VLAN: [u8; 2] = [0x81, 0x00];
/// Both Ethernet addresses: what stands before a tag.
const ADDRESSES: usize = 12;

/// A packet. What is known of its transport checksum stands where the driver wrote it, in the mbuf's flags, until it is sent.
#[derive(Debug)]
pub struct Packet(Mbuf);

impl Packet {
    /// A packet that is [whole](make_whole).
    #[inline(always)]
    pub fn whole(mbuf: Mbuf) -> Self {
        Self(mbuf)
    }

    /// A packet of the box itself. The TAPs offer the kernel no checksum offload, so what comes out of them is complete.
    #[inline]
    pub fn own(mut mbuf: Mbuf) -> Self {
        mbuf.set_l4_checksum(mbuf::RxChecksum::Good);
        Self(mbuf)
    }

    /// The buffer itself.
    #[inline]
    pub fn mbuf(&self) -> &Mbuf {
        &self.0
    }

    /// The buffer, with what is known of the packet.
    #[inline]
    pub fn into_mbuf(self) -> Mbuf {
        self.0
    }

    /// Ready for a driver that takes chains: without the receiving NIC's flags. For any other it is to be [in one piece](in_one_piece) too.
    #[inline(always)]
    pub fn into_sendable(mut self) -> Mbuf {
        self.0.clear_offload_flags();
        self.0
    }
}

/// Has a packet be in one piece, for a driver that takes no chains. False if there is no room for it.
pub fn in_one_piece(mbuf: &mut Mbuf) -> bool {
    mbuf.segment_count() == 1 || mbuf.pull_up(mbuf.len()).is_ok()
}

/// Has a received packet be as it was on the wire: a VLAN tag that the driver took out is put back. False if there is no room for it.
pub fn make_whole(mbuf: &mut Mbuf) -> bool {
    mbuf.stripped_vlan().is_none_or(|tag| restore_tag(mbuf, tag).is_some())
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
        self.0.data()
    }

    #[inline]
    fn head_mut(&mut self) -> &mut [u8] {
        self.0.data_mut()
    }

    #[inline]
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn segments(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.0.segments()
    }

    #[inline]
    fn pull_up(&mut self, n: usize) -> bool {
        self.0.pull_up(n).is_ok()
    }

    #[inline]
    fn prepend(&mut self, n: usize) -> Option<&mut [u8]> {
        self.0.prepend(n)?;
        Some(self.0.data_mut())
    }

    #[inline]
    fn trim_front(&mut self, n: usize) -> bool {
        self.0.trim_front(n)
    }

    #[inline]
    fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) -> bool {
        match self.0.append(bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }

    #[inline]
    fn chain(&mut self, tail: Self) -> Result<(), Self> {
        self.0.chain(tail.0).map_err(Self)
    }

    #[inline]
    fn is_shared(&self) -> bool {
        self.0.is_shared()
    }

    #[inline(always)]
    fn is_usual(&self) -> bool {
        self.0.is_usual()
    }

    #[inline]
    fn l4_checksum(&self) -> RxChecksum {
        match self.0.l4_checksum() {
            mbuf::RxChecksum::Good => RxChecksum::Good,
            mbuf::RxChecksum::Bad => RxChecksum::Bad,
            mbuf::RxChecksum::Unknown => RxChecksum::Unknown,
            // Known to be intact, with the field not filled in: it has to be completed before the packet goes on.
            mbuf::RxChecksum::None => RxChecksum::Partial,
        }
    }

    #[inline]
    fn set_l4_checksum(&mut self, state: RxChecksum) {
        self.0.set_l4_checksum(match state {
            RxChecksum::Good => mbuf::RxChecksum::Good,
            RxChecksum::Bad => mbuf::RxChecksum::Bad,
            RxChecksum::Unknown => mbuf::RxChecksum::Unknown,
            RxChecksum::Partial => mbuf::RxChecksum::None,
        });
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
        assert!(!packet.is_usual(), "it is a chain");
        for state in [RxChecksum::Unknown, RxChecksum::Partial, RxChecksum::Bad, RxChecksum::Good] {
            packet.set_l4_checksum(state);
            assert_eq!((packet.l4_checksum(), packet.is_shared()), (state, false));
        }
        assert_eq!(packet.segments().last().and_then(|last| last.last()), Some(&7));
    }

    fn only_a_driver_that_takes_no_chains_gets_one_piece(pool: &Mempool, bytes: &[u8]) {
        let packet = |len| Packet::own(pool.packet(&bytes[..len]).expect("buffers"));
        let mut long = packet(5000).into_sendable();
        assert_eq!(long.segment_count(), 3);
        assert!(!in_one_piece(&mut long), "no buffer holds 5,000 bytes");
        let mut chain = pool.packet(&bytes[..1000]).expect("a buffer");
        chain.chain(pool.packet(&bytes[1000..1500]).expect("a buffer")).expect("two are no long chain");
        let mut sent = Packet::own(chain).into_sendable();
        assert!(in_one_piece(&mut sent), "1,500 bytes fit");
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
