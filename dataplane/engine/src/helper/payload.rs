//! The data of a packet, copied out to be read in one piece and changed in length, and written back.
//!
//! Only packets of flows that a helper reads come here, so the copy costs others nothing; it makes every shape of buffer alike.

use core::ops::Range;

use packet::{Family, Header, checksum, set};

use crate::buffer::{Buffer, RxChecksum};
use crate::outside::Outside;

/// Longest IP packet.
const LONGEST: usize = 65_535;
/// Data that an empty buffer of the pool holds.
const PIECE: usize = 2_048;

/// One worker's. All memory is allocated when it is made.
#[derive(Debug)]
pub(crate) struct Payload {
    bytes: Vec<u8>,
    /// Bytes in front of it, from the IP header on.
    front: usize,
    changed: bool,
}

impl Payload {
    pub(crate) fn new() -> Self {
        Self { bytes: Vec::with_capacity(LONGEST), front: 0, changed: false }
    }

    /// Takes the data of a packet, which begins at `at` in the frame.
    pub(crate) fn load<F: Family, B: Buffer>(&mut self, buf: &B, header: &Header<F>, at: usize) {
        let l3 = usize::from(header.l3);
        self.bytes.clear();
        self.changed = false;
        self.front = at.saturating_sub(l3);
        let (mut skip, mut left) = (at, (header.len as usize).saturating_sub(self.front).min(LONGEST));
        for segment in buf.segments() {
            let bytes = segment.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(segment.len());
            let bytes = &bytes[..bytes.len().min(left)];
            self.bytes.extend_from_slice(bytes);
            left -= bytes.len();
        }
    }

    /// The data.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts `new` in place of a range; `false`, and nothing changed, when the packet would become too long.
    pub(crate) fn replace(&mut self, range: Range<usize>, new: &[u8]) -> bool {
        let old_len = self.bytes.len();
        if range.start > range.end || range.end > old_len {
            return false;
        }
        let new_len = old_len - range.len() + new.len();
        if self.front + new_len > LONGEST {
            return false;
        }
        self.bytes.resize(new_len.max(old_len), 0);
        self.bytes.copy_within(range.end..old_len, range.start + new.len());
        self.bytes.truncate(new_len);
        self.bytes[range.start..range.start + new.len()].copy_from_slice(new);
        self.changed = true;
        true
    }

    /// Writes changed data back into the packet, and makes lengths and checksums right; `false` when there was no buffer for it.
    pub(crate) fn store<F: Family, O: Outside>(&mut self, buf: &mut O::Buf, header: &mut Header<F>, out: &mut O) -> bool {
        if !core::mem::take(&mut self.changed) {
            return true;
        }
        let has_checksum = !checksum::is_absent(header, buf.head());
        buf.truncate(usize::from(header.l3) + self.front);
        if !buf.append(&self.bytes) {
            for piece in self.bytes.chunks(PIECE) {
                let Some(mut next) = out.alloc() else { return false };
                if !next.append(piece) || buf.chain(next).is_err() {
                    return false;
                }
            }
        }
        if set::len(buf.head_mut(), header, (self.front + self.bytes.len()) as u32).is_err() {
            return false;
        }
        if has_checksum && let Some(value) = checksum::l4_compute(header, buf.segments()) {
            if set::l4_checksum(buf.head_mut(), header, value).is_err() {
                return false;
            }
            buf.set_l4_checksum(RxChecksum::Good);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use packet::{Ipv4, parse};
    use proptest::prelude::*;

    use super::*;
    use crate::conntrack::frames::{Frame, Tcp};
    use crate::sim::{Recorder, Shape};

    proptest! {
        #[test]
        fn what_is_replaced_is_replaced_in_any_shape(
            len in 1usize..3000,
            (from, cut) in (0usize..3000, 0usize..200),
            new in proptest::collection::vec(any::<u8>(), 0..300),
            segments in proptest::collection::vec(1usize..900, 0..5),
            udp in any::<bool>(),
        ) {
            let frame = if udp {
                Frame::udp(1, 2, 3, 4, &vec![b'x'; len])
            } else {
                Frame::tcp(1, 2, 3, 4, &Tcp { flags: 16, data: len, ..Tcp::default() })
            };
            let data_at = 14 + 20 + if udp { 8 } else { 20 };
            let mut out = Recorder::new(64);
            let segments = core::iter::once(data_at).chain(segments).collect();
            let mut buf = out.buffer(&frame.bytes, &Shape { segments, ..Shape::default() });
            let mut header = frame.header();
            let mut payload = Payload::new();
            payload.load(&buf, &header, data_at);
            prop_assert_eq!(payload.bytes(), &frame.bytes[data_at..]);
            let from = from.min(len);
            let range = from..(from + cut).min(len);
            let mut wanted = frame.bytes[data_at..].to_vec();
            wanted.splice(range.clone(), new.iter().copied());
            prop_assert!(payload.replace(range, &new));
            prop_assert!(payload.store(&mut buf, &mut header, &mut out));
            let bytes = buf.bytes();
            prop_assert_eq!(&bytes[data_at..], &wanted[..]);
            let again = parse::ip::<Ipv4>(&bytes, 14, bytes.len() - 14).expect("it is sound");
            prop_assert_eq!(again, header);
            prop_assert_eq!(again.l4_fault(), None);
            prop_assert!(checksum::l4_verify(&again, [bytes.as_slice()]));
        }
    }

    #[test]
    fn no_packet_grows_beyond_what_its_length_field_holds() {
        let frame = Frame::udp(1, 2, 3, 4, &vec![0; LONGEST - 28]);
        let out = Recorder::new(1);
        let mut payload = Payload::new();
        payload.load(&out.buffer(&frame.bytes, &Shape::default()), &frame.header(), 42);
        assert!(!payload.replace(0..1, b"ab"));
        assert!(payload.replace(0..2, b"ab"));
    }

    #[test]
    fn without_a_buffer_nothing_is_written() {
        let frame = Frame::udp(1, 2, 3, 4, &[0; 2000]);
        let mut out = Recorder::new(1);
        let mut buf = out.buffer(&frame.bytes, &Shape::default());
        let mut header = frame.header();
        let mut payload = Payload::new();
        payload.load(&buf, &header, 42);
        assert!(payload.replace(0..0, &[1; 500]));
        assert!(!payload.store(&mut buf, &mut header, &mut out));
    }
}
