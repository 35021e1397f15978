//! `-m srh`: the routing header of type 4, which lists segments (`ip6t_srh.c`).

use packet::ipv6::{self, Sought};
use packet::{Family, Header, protocol};
use serde::{Deserialize, Serialize};

use super::{Single, Span};

/// What is asked of the header. All that is asked must hold; a packet without such a header does not pass, whatever is inverted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SegmentsTest {
    /// `--srh-next-hdr`
    pub next: Option<Single<u8>>,
    /// `--srh-hdr-len-*`: as it stands in the header, in units of 8 bytes without the first.
    pub length: Vec<Span<u16>>,
    /// `--srh-segs-left-*`
    pub left: Vec<Span<u16>>,
    /// `--srh-last-entry-*`
    pub last_entry: Vec<Span<u16>>,
    /// `--srh-tag`
    pub tag: Option<Single<u16>>,
    /// `--srh-psid`, `--srh-nsid`, `--srh-lsid`: the segment before the one that the packet is on its way to, the one behind it, and the last one.
    pub segments: [Option<SegmentTest>; 3],
}

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SegmentTest {
    /// Wanted under the mask.
    pub address: u128,
    /// Bits looked at.
    pub mask: u128,
    /// `!`
    pub not: bool,
}

/// Type of the routing header.
const SEGMENT_ROUTING: u8 = 4;
/// Bytes before the list.
const LIST_AT: usize = 8;

impl SegmentsTest {
    /// Asks it. `head` is the packet's first segment.
    pub(super) fn holds<F: Family>(&self, head: &[u8], header: &Header<F>) -> bool {
        let packet = head.get(usize::from(header.l3)..).unwrap_or_default();
        let packet = packet.get(..header.len as usize).unwrap_or(packet);
        match ipv6::find(packet, protocol::ROUTING) {
            Sought::At(at) => packet.get(at..).and_then(|bytes| self.holds_of(bytes)).unwrap_or(false),
            Sought::Nowhere | Sought::Lost => false,
        }
    }

    /// `None` where the packet ends within what is asked, or there is no such segment.
    fn holds_of(&self, bytes: &[u8]) -> Option<bool> {
        let &[next, length, kind, left, last_entry, _, tag_low, tag_high] = bytes.first_chunk()?;
        bytes.get(..(usize::from(length) + 1) * 8)?;
        if kind != SEGMENT_ROUTING || left > last_entry {
            return None;
        }
        let all = |spans: &[Span<u16>], number: u8| spans.iter().all(|span| span.holds(number.into()));
        // As the machines read it on which the kernel was seen.
        let tag = u16::from_le_bytes([tag_low, tag_high]);
        let holds = self.next.is_none_or(|test| test.holds(next))
            && all(&self.length, length)
            && all(&self.left, left)
            && all(&self.last_entry, last_entry)
            && self.tag.is_none_or(|test| test.holds(tag));
        if !holds {
            return Some(false);
        }
        // The list is the way backwards: its first entry is the last segment.
        let before = (left != last_entry).then_some(usize::from(left) + 1);
        let behind = usize::from(left).checked_sub(1);
        for (test, place) in self.segments.iter().zip([before, behind, Some(0)]) {
            let Some(test) = test else { continue };
            let segment = bytes.get(LIST_AT + place? * 16..)?.first_chunk().map(|bytes| u128::from_be_bytes(*bytes))?;
            if ((segment ^ test.address) & test.mask == 0) == test.not {
                return Some(false);
            }
        }
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three segments, on the way to the second one, whose entry is the middle one.
    fn list() -> Vec<u8> {
        let mut bytes = vec![protocol::UDP, 6, SEGMENT_ROUTING, 1, 2, 0, 0, 5];
        (1..=3).for_each(|n| bytes.extend([n; 16]));
        bytes
    }

    fn segment(n: u8, not: bool) -> Option<SegmentTest> {
        Some(SegmentTest { address: u128::from_be_bytes([n; 16]), mask: u128::MAX, not })
    }

    #[test]
    fn the_list_is_the_way_backwards() {
        let test = SegmentsTest { segments: [segment(3, false), segment(1, false), segment(1, false)], ..SegmentsTest::default() };
        assert_eq!(test.holds_of(&list()), Some(true));
        let mut first = list();
        first[3] = 2;
        for not in [false, true] {
            let test = SegmentsTest { segments: [segment(3, not), None, None], ..SegmentsTest::default() };
            assert_eq!(test.holds_of(&first), None, "there is none before the first one");
        }
    }

    #[test]
    fn a_header_that_is_no_such_list_passes_nothing() {
        let test = SegmentsTest { next: Some(Single { value: protocol::TCP, not: true }), ..SegmentsTest::default() };
        assert_eq!(test.holds_of(&list()), Some(true));
        for (at, value) in [(1, 7), (2, 0), (3, 3)] {
            let mut bytes = list();
            bytes[at] = value;
            assert_eq!(test.holds_of(&bytes), None, "byte {at}");
        }
        assert_eq!(test.holds_of(&list()[..7]), None);
    }
}
