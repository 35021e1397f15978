//! The space that a tree divides: what a packet's header and a rule's header test are in it.
//!
//! A packet is a point: numbers of 32 bits, one for each dimension. A rule is one box or several. Every packet for which the rule's header
//! test holds lies in one of its boxes; not every packet in a box need pass the test, which is asked again at the leaf.

use packet::family::Addr;
use packet::{Family, Header, L4, protocol};

use super::entry::{Entry, Ports};
use crate::header_test::{Interfaces, Invert, L4Test, PortRange, PortSides};
use crate::id::{InterfaceId, PatternId, RuleIndex};
use crate::table::Table;

/// Source port, or the ICMP type.
const SPORT: usize = 0;
/// Destination port, or the ICMP code.
const DPORT: usize = 1;
const PROTOCOL: usize = 2;
/// The number of the input's name ([`Names`]).
const IN: usize = 3;
/// The same of the output.
const OUT: usize = 4;
/// The words of both addresses follow, the source's first.
const ADDRESSES: usize = 5;
/// Dimensions of IPv6, which has the most.
pub(super) const MOST: usize = ADDRESSES + 2 * 4;

/// The dimensions of a family.
pub(super) fn dimensions<F: Family>() -> core::ops::Range<usize> {
    0..ADDRESSES + 2 * words::<F>()
}

/// Those of them that the IP header has.
pub(super) fn ip_dimensions<F: Family>() -> core::ops::Range<usize> {
    PROTOCOL..dimensions::<F>().end
}

pub(super) const fn words<F: Family>() -> usize {
    F::Addr::LEN / 4
}

/// Numbers from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Span {
    pub(super) const ALL: Self = Self { first: 0, last: u32::MAX };

    fn one(value: u32) -> Self {
        Self { first: value, last: value }
    }

    fn ports(range: PortRange) -> Self {
        Self { first: range.first.into(), last: range.last.into() }
    }

    pub(super) fn is_empty(self) -> bool {
        self.first > self.last
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self { first: self.first.max(other.first), last: self.last.min(other.last) }
    }
}

/// A box.
pub(super) type Region = [Span; MOST];

/// The whole space.
pub(super) const EVERYWHERE: Region = [Span::ALL; MOST];

/// Many boxes.
pub(super) struct Boxes {
    /// Those of the first box, then of the second, ...
    spans: Vec<Span>,
    dimensions: usize,
}

impl Boxes {
    pub(super) fn new(dimensions: usize) -> Self {
        Self { spans: Vec::new(), dimensions }
    }

    pub(super) fn add(&mut self, region: &Region) {
        self.spans.extend_from_slice(&region[..self.dimensions]);
    }

    pub(super) fn clear(&mut self) {
        self.spans.clear();
    }

    #[inline]
    pub(super) fn span(&self, id: u32, dimension: usize) -> Span {
        self.spans[id as usize * self.dimensions + dimension]
    }
}

/// A packet's place.
pub(super) struct Point<'p, F: Family> {
    pub(super) header: &'p Header<F>,
    pub(super) interfaces: Interfaces<'p>,
    pub(super) place: [u32; MOST],
    /// Ports and protocol as entries ask for them.
    pub(super) ports: Ports,
}

impl<'p, F: Family> Point<'p, F> {
    #[inline]
    pub(super) fn new(header: &'p Header<F>, interfaces: Interfaces<'p>, names: &Names) -> Self {
        let mut place = [0; MOST];
        let (sport, dport) = ports(header);
        place[SPORT] = sport.into();
        place[DPORT] = dport.into();
        place[PROTOCOL] = header.protocol.into();
        place[IN] = names.of(interfaces.input);
        place[OUT] = names.of(interfaces.output);
        for n in 0..words::<F>() {
            place[ADDRESSES + n] = header.src.word(n);
            place[ADDRESSES + words::<F>() + n] = header.dst.word(n);
        }
        let ports = Ports::new((sport, dport), header.protocol);
        Self { header, interfaces, place, ports }
    }

    /// Is it in this box?
    pub(super) fn is_in(&self, region: &Region) -> bool {
        self.place.iter().zip(region).all(|(value, span)| (span.first..=span.last).contains(value))
    }
}

/// A packet's place in one dimension.
#[inline(always)]
pub(super) fn value<F: Family>(header: &Header<F>, interfaces: Interfaces<'_>, names: &Names, dimension: usize) -> u32 {
    match dimension {
        SPORT => ports(header).0.into(),
        DPORT => ports(header).1.into(),
        PROTOCOL => header.protocol.into(),
        IN => names.of(interfaces.input),
        OUT => names.of(interfaces.output),
        word if word < ADDRESSES + words::<F>() => header.src.word(word - ADDRESSES),
        word => header.dst.word(word - ADDRESSES - words::<F>()),
    }
}

/// A packet's ports, or its ICMP type and code.
#[inline]
pub(super) fn ports<F: Family>(header: &Header<F>) -> (u16, u16) {
    match header.transport {
        L4::Tcp { sport, dport, .. } | L4::Udp { sport, dport, .. } | L4::Ports { sport, dport } => (sport, dport),
        L4::Icmp { kind, code, .. } => (kind.into(), code.into()),
        L4::Absent | L4::Lost | L4::Truncated { .. } | L4::EnhancedGre { .. } | L4::Other => (0, 0),
    }
}

/// Is the transport header what its protocol has? Then an [`Entry`] says all of rules that are exact.
#[inline]
pub(super) fn is_plain<F: Family>(header: &Header<F>) -> bool {
    match header.protocol {
        protocol::TCP => matches!(header.transport, L4::Tcp { .. }),
        protocol::UDP => matches!(header.transport, L4::Udp { .. }),
        _ => true,
    }
}

/// Numbers for the interfaces that are named in full, so that an interface's name is a place in the space. An interface that no rule names has 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    by_interface: Vec<u32>,
    by_pattern: Vec<Option<u32>>,
}

impl Names {
    /// Of a table whose patterns are bound.
    pub(super) fn new<F: Family>(table: &Table<F>) -> Self {
        let first_of = |name: &str| table.patterns.iter().position(|other| !other.prefix && other.name == name);
        // Patterns are few, and each is there once in a compiled table.
        let number = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
        let by_pattern: Vec<_> =
            table.patterns.iter().map(|p| if p.prefix { None } else { first_of(&p.name).map(number) }).collect();
        let of = |interface: InterfaceId| {
            let named = by_pattern.iter().zip(&table.bound).find(|(number, set)| number.is_some() && **set & interface.bit() != 0);
            named.and_then(|(number, _)| *number).unwrap_or(0)
        };
        let by_interface = (0..=InterfaceId::MAX).map(InterfaceId).map(of).collect();
        Self { by_interface, by_pattern }
    }

    #[inline]
    fn of(&self, interface: InterfaceId) -> u32 {
        self.by_interface.get(interface.index()).copied().unwrap_or(0)
    }

    fn span(&self, pattern: Option<PatternId>, inverted: bool) -> Span {
        let number = pattern.filter(|_| !inverted).and_then(|p| self.by_pattern.get(p.index()).copied().flatten());
        number.map_or(Span::ALL, Span::one)
    }
}

/// The box of a rule's IP part, with the entry that asks the rest.
fn ip_box<F: Family>(table: &Table<F>, rule: RuleIndex, names: &Names) -> (Region, Entry<F>) {
    let test = &table.rules[rule.index()].test;
    let inverted = |flag| test.invert.contains(flag);
    let (mut region, mut entry) = (EVERYWHERE, Entry::any());
    entry.exact = !test.invert.intersects(Invert::SRC | Invert::DST | Invert::PROTOCOL)
        && test.in_interface.is_none()
        && test.out_interface.is_none()
        && !test.fragment;
    if !inverted(Invert::SRC) {
        (entry.src, entry.src_mask) = (test.src, test.src_mask);
        address(&mut region[ADDRESSES..], test.src, test.src_mask);
    }
    if !inverted(Invert::DST) {
        (entry.dst, entry.dst_mask) = (test.dst, test.dst_mask);
        address(&mut region[ADDRESSES + words::<F>()..], test.dst, test.dst_mask);
    }
    if let Some(protocol) = test.protocol.filter(|_| !inverted(Invert::PROTOCOL)) {
        entry.protocol = protocol.into();
        region[PROTOCOL] = Span::one(protocol.into());
    }
    region[IN] = names.span(test.in_interface, inverted(Invert::IN));
    region[OUT] = names.span(test.out_interface, inverted(Invert::OUT));
    (region, entry)
}

/// The box of a rule for packets of which only the IP part is asked. Where a packet has lost its protocol every one is met, so none parts rules here.
pub(super) fn in_order_box<F: Family>(table: &Table<F>, rule: RuleIndex, names: &Names) -> Region {
    let mut region = ip_box(table, rule, names).0;
    region[PROTOCOL] = Span::ALL;
    region
}

/// May each range of a list of ports be a box of its own? Lists are long in few rule sets; the memory that they take must not be a surprise.
pub(super) fn has_room_for_lists<F: Family>(table: &Table<F>, rules: &[RuleIndex]) -> bool {
    let room = 64 + 4 * rules.len() as u64;
    let ranges = |test: &L4Test| if let L4Test::Multiport { ranges, .. } = test { u64::from(ranges.len) } else { 0 };
    let tests = rules.iter().flat_map(|rule| table.rules[rule.index()].test.l4.of(&table.l4_tests));
    tests.map(ranges).sum::<u64>() <= room
}

/// The boxes of the rule with this number for packets with a transport header, each with its entry; one for each range of a list of ports where
/// `lists`. None where the header test holds for no such packet.
pub(super) fn boxes<F: Family>(
    table: &Table<F>,
    (number, rule): (u32, RuleIndex),
    names: &Names,
    lists: bool,
    mut add: impl FnMut(Region, Entry<F>),
) {
    let test = &table.rules[rule.index()].test;
    let (mut region, mut entry) = ip_box(table, rule, names);
    entry.rule = number;
    let tests = test.l4.of(&table.l4_tests);
    for l4 in tests {
        narrow(&mut region, l4);
    }
    let has_ports = matches!(test.protocol, Some(protocol::TCP | protocol::UDP));
    let ports = |region: &Region| {
        let range = |span: Span| PortRange {
            first: u16::try_from(span.first).unwrap_or(u16::MAX),
            last: u16::try_from(span.last).unwrap_or(u16::MAX),
        };
        (range(region[SPORT]), range(region[DPORT]))
    };
    // The only test with a list makes a box of each of its ranges.
    let list = match tests {
        [L4Test::Multiport { sides: PortSides::Source, ranges, not: false }] if lists => Some((SPORT, *ranges)),
        [L4Test::Multiport { sides: PortSides::Destination, ranges, not: false }] if lists => Some((DPORT, *ranges)),
        _ => None,
    };
    let mut put = |region: Region, exact: bool| {
        if region.iter().any(|span| span.is_empty()) {
            return;
        }
        let mut entry = entry;
        if has_ports {
            (entry.sports, entry.dports) = ports(&region);
        }
        entry.exact &= exact;
        add(region, entry);
    };
    match list {
        Some((side, ranges)) => {
            for range in ranges.of(&table.port_ranges) {
                let mut region = region;
                region[side] = Span::ports(*range);
                put(region, has_ports);
            }
        }
        None => put(region, tests.is_empty() || has_ports && says_all(tests)),
    }
}

/// Do the ranges of ports say all of these tests?
fn says_all(tests: &[L4Test]) -> bool {
    matches!(
        tests,
        [L4Test::Tcp { not_sport: false, not_dport: false, mask: 0, set: 0, not_flags: false, .. }]
            | [L4Test::Udp { not_sport: false, not_dport: false, .. }]
    )
}

/// Word by word: the leading bits of a mask say where a number lies.
fn address<A: Addr>(region: &mut [Span], address: A, mask: A) {
    for (n, span) in region.iter_mut().enumerate().take(A::LEN / 4) {
        let leading = mask.word(n).leading_ones();
        let rest = u32::MAX.checked_shr(leading).unwrap_or(0);
        let first = address.word(n) & !rest;
        *span = Span { first, last: first | rest };
    }
}

/// What a transport test says of the dimensions.
fn narrow(region: &mut Region, test: &L4Test) {
    let mut to = |dimension: usize, span: Span| region[dimension] = region[dimension].and(span);
    match *test {
        L4Test::Tcp { sport, not_sport, dport, not_dport, .. } | L4Test::Udp { sport, not_sport, dport, not_dport } => {
            if !not_sport {
                to(SPORT, Span::ports(sport));
            }
            if !not_dport {
                to(DPORT, Span::ports(dport));
            }
        }
        L4Test::Icmp { not: true, .. } | L4Test::Icmp { kind: 0xff, .. } | L4Test::Multiport { .. } => {}
        L4Test::Icmp { kind, code_first, code_last, not: false } => {
            to(SPORT, Span::one(kind.into()));
            to(DPORT, Span { first: code_first.into(), last: code_last.into() });
        }
    }
}
