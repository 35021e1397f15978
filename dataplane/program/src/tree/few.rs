//! A few rules asked at once: the entries of a short leaf lie in lanes side by side, and one comparison is of all of them.

use packet::family::Addr;
use packet::{Family, Header};
use wide::{u16x8, u32x8};

use super::entry::{Entry, Line};
use super::space::{self, words};
use crate::header_test::Interfaces;
use crate::id::RuleIndex;
use crate::table::Table;

/// Lanes: most entries.
const LANES: usize = 8;
/// Fewer are as soon asked one after another, and would take more room than they are worth.
const WORTH_IT: usize = 4;

/// Entries in lanes. Lanes that are not used hold for no packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Few {
    /// Of each word of both addresses, the source's first: the mask, and what is under it.
    words: Box<[[[u32; LANES]; 2]]>,
    ports: [Ports; 2],
    protocols: [u16; LANES],
    /// Of protocols, what is looked at.
    protocol_masks: [u16; LANES],
    /// Numbers of the rules.
    rules: [u32; LANES],
    /// Lanes whose entries are exact, a bit each.
    exact: u32,
}

/// Ranges of ports: the first, and how many behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ports {
    first: [u16; LANES],
    more: [u16; LANES],
}

impl Few {
    /// The same entries, if there are so many that it is worth it.
    pub(super) fn of<F: Family>(lines: &[Line<F>]) -> Option<Self> {
        // A range without ports holds for none, and has no number of ports.
        let is_range = |entry: &Entry<F>| entry.sports.first <= entry.sports.last && entry.dports.first <= entry.dports.last;
        if !(WORTH_IT..=LANES).contains(&lines.len()) {
            return None;
        }
        let entries: Vec<Entry<F>> = lines.iter().map(Line::entry).collect();
        if !entries.iter().all(is_range) {
            return None;
        }
        let none = Ports { first: [0; LANES], more: [0; LANES] };
        let mut few = Self {
            words: vec![[[0; LANES], [0; LANES]]; 2 * words::<F>()].into(),
            ports: [none; 2],
            // What no protocol is, under a mask that looks at all of it.
            protocols: [u16::MAX; LANES],
            protocol_masks: [u16::MAX; LANES],
            rules: [0; LANES],
            exact: 0,
        };
        for (lane, entry) in entries.iter().enumerate() {
            let addresses = [(entry.src_mask, entry.src), (entry.dst_mask, entry.dst)];
            let by_word = addresses.iter().flat_map(|(mask, value)| (0..words::<F>()).map(|n| (mask.word(n), value.word(n))));
            for ([masks, values], (mask, value)) in few.words.iter_mut().zip(by_word) {
                (masks[lane], values[lane]) = (mask, value);
            }
            for (ports, range) in few.ports.iter_mut().zip([entry.sports, entry.dports]) {
                (ports.first[lane], ports.more[lane]) = (range.first, range.last - range.first);
            }
            let (protocol, mask) = entry.protocol().map_or((0, 0), |protocol| (protocol.into(), u16::MAX));
            (few.protocols[lane], few.protocol_masks[lane]) = (protocol, mask);
            few.rules[lane] = entry.rule;
            few.exact |= u32::from(entry.exact) << lane;
        }
        Some(few)
    }

    /// Bytes that they take.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.words)
    }

    /// The first rule from the one at position `from` on that holds, in a chain that begins with rule `first`.
    #[inline]
    pub(super) fn first<F: Family>(
        &self,
        table: &Table<F>,
        (first, from): (u32, u32),
        header: &Header<F>,
        interfaces: Interfaces<'_>,
    ) -> Option<RuleIndex> {
        let mut near = self.near(header, space::ports(header));
        while near != 0 {
            let lane = near.trailing_zeros() as usize;
            near &= near - 1;
            let rule = RuleIndex(first + self.rules[lane]);
            if self.rules[lane] < from {
                continue;
            }
            let is_exact = self.exact >> lane & 1 == 1 && space::is_plain(header);
            if is_exact || table.rule_holds_at_last(rule, header, interfaces) {
                return Some(rule);
            }
        }
        None
    }

    /// The lanes whose entries do not speak against this packet, a bit each.
    #[inline]
    fn near<F: Family>(&self, header: &Header<F>, (sport, dport): (u16, u16)) -> u32 {
        let mut differs = u32x8::splat(0);
        let mut rows = self.words.iter();
        for address in [header.src, header.dst] {
            for (n, [mask, value]) in (0..words::<F>()).zip(rows.by_ref()) {
                differs |= (u32x8::splat(address.word(n)) & u32x8::new(*mask)) ^ u32x8::new(*value);
            }
        }
        let protocol = u16x8::splat(header.protocol.into());
        let mut other = (protocol & u16x8::new(self.protocol_masks)) ^ u16x8::new(self.protocols);
        for (ports, port) in self.ports.iter().zip([sport, dport]) {
            other |= (u16x8::splat(port) - u16x8::new(ports.first)).saturating_sub(u16x8::new(ports.more));
        }
        differs.simd_eq(u32x8::splat(0)).to_bitmask() & other.simd_eq(u16x8::splat(0)).to_bitmask()
    }
}

#[cfg(test)]
mod tests {
    use packet::{Fragment, Ipv4, Ipv6, L4, protocol};
    use proptest::prelude::*;

    use super::super::space::{Names, Point};
    use super::*;
    use crate::header_test::PortRange;
    use crate::id::InterfaceId;
    use crate::table::TableKind;

    /// The bits of an address that tell it apart: some of its first word, and some of its last.
    fn address<F: Family>(bits: u8) -> F::Addr {
        let ends = |bits: u8| F::Addr::prefix_mask(bits) ^ F::Addr::prefix_mask(bits - 1);
        let all = 8 * F::Addr::LEN as u8;
        let bit = |n: u8, at: u8| if bits >> n & 1 == 1 { ends(at) } else { F::Addr::ZERO };
        bit(0, 1) | bit(1, 2) | bit(2, all - 1) | bit(3, all)
    }

    fn ports() -> impl Strategy<Value = PortRange> {
        let ends = || prop::sample::select(vec![0u16, 1, 2, 40_000, u16::MAX]);
        (ends(), ends()).prop_map(|(one, other)| PortRange { first: one.min(other), last: one.max(other) })
    }

    fn entry<F: Family>() -> impl Strategy<Value = Entry<F>> {
        let protocol = prop::sample::select(vec![None, Some(protocol::TCP), Some(protocol::UDP)]);
        let fields = ((any::<u8>(), any::<u8>()), (any::<u8>(), any::<u8>()), (ports(), ports()), protocol, any::<bool>());
        fields.prop_map(|((src_mask, src), (dst_mask, dst), (sports, dports), protocol, exact)| {
            let (src_mask, dst_mask) = (address::<F>(src_mask), address::<F>(dst_mask));
            let (src, dst) = (address::<F>(src) & src_mask, address::<F>(dst) & dst_mask);
            let any = Entry::<F>::any();
            let protocol = protocol.map_or(any.protocol, u16::from);
            Entry { src, src_mask, dst, dst_mask, sports, dports, protocol, exact, ..any }
        })
    }

    fn header<F: Family>() -> impl Strategy<Value = Header<F>> {
        let port = || prop::sample::select(vec![0u16, 1, 2, 3, 39_999, 40_000, u16::MAX]);
        (any::<u8>(), any::<u8>(), port(), port(), any::<bool>()).prop_map(|(src, dst, sport, dport, is_tcp)| {
            let (protocol, transport) = if is_tcp {
                (protocol::TCP, L4::Tcp { sport, dport, seq: 0, ack: 0, flags: 0, window: 0, header_len: 20 })
            } else {
                (protocol::UDP, L4::Udp { sport, dport, len: 8 })
            };
            let (src, dst) = (address::<F>(src), address::<F>(dst));
            Header {
                src,
                dst,
                protocol,
                tos: 0,
                ttl: 64,
                l3: 14,
                l4: 34,
                len: 40,
                id: 0,
                dont_fragment: true,
                more_fragments: false,
                fragment: Fragment::Whole,
                transport,
            }
        })
    }

    /// What the lanes say is what the entries say, one after another.
    fn agree<F: Family>(mut entries: Vec<Entry<F>>, header: &Header<F>) {
        (0..).zip(&mut entries).for_each(|(number, entry)| entry.rule = number);
        let lines: Vec<Line<F>> = entries.iter().copied().map(Line::from).collect();
        let few = Few::of(&lines).expect("so many are worth it");
        let (table, names) = (Table::<F>::empty(TableKind::Filter), Names::default());
        let interfaces = Interfaces { sets: &[], input: InterfaceId(1), output: InterfaceId(2) };
        let point = Point::new(header, interfaces, &names);
        let exact = |entry: &Entry<F>| Entry { exact: true, ..*entry };
        let near = entries.iter().map(|entry| Line::from(exact(entry)).holds(&point, &table, |number| Some(RuleIndex(number))));
        let wanted = (0..).zip(near).fold(0, |lanes, (lane, near)| lanes | u32::from(near) << lane);
        assert_eq!(few.near(header, space::ports(header)), wanted);
        let exact = (0..).zip(&entries).fold(0, |lanes, (lane, entry)| lanes | u32::from(entry.exact) << lane);
        assert_eq!(few.exact, exact);
    }

    proptest! {
        #[test]
        fn lanes_say_what_entries_say(
            entries in prop::collection::vec(entry::<Ipv4>(), WORTH_IT..=LANES), header in header::<Ipv4>(),
        ) {
            agree(entries, &header);
        }

        #[test]
        fn and_so_they_do_for_ipv6(
            entries in prop::collection::vec(entry::<Ipv6>(), WORTH_IT..=LANES), header in header::<Ipv6>(),
        ) {
            agree(entries, &header);
        }
    }
}
