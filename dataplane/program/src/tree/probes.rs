//! Packets to try a rule's entries out with.

use core::ops::ControlFlow;

use packet::family::Addr;
use packet::{Family, Fragment, Header, L4, protocol};

use crate::header_test::{L4Test, PortSides};
use crate::id::{InterfaceId, PatternId, RuleIndex};
use crate::table::Table;

/// Packets on the edges of a rule, made from what it says and not from its boxes, and some beside it.
pub(super) fn probes<F: Family>(
    table: &Table<F>,
    rule: RuleIndex,
    mut ask: impl FnMut(&Header<F>, (InterfaceId, InterfaceId)) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let test = &table.rules[rule.index()].test;
    let number = test.protocol.unwrap_or(protocol::TCP);
    let mut sports = [(0, u16::MAX); 2];
    let mut dports = sports;
    let mut flags = 0;
    let mut icmp = (0, 0);
    for l4 in test.l4.of(&table.l4_tests) {
        match *l4 {
            L4Test::Tcp { sport, dport, set, .. } => {
                (sports[0], dports[0]) = ((sport.first, sport.last), (dport.first, dport.last));
                flags = set;
            }
            L4Test::Udp { sport, dport, .. } => (sports[0], dports[0]) = ((sport.first, sport.last), (dport.first, dport.last)),
            L4Test::Icmp { kind, code_first, .. } => icmp = (kind, code_first),
            L4Test::Multiport { sides, ranges, .. } => {
                let list = ranges.of(&table.port_ranges);
                let ends = [list.first(), list.last()].map(|range| range.map_or((0, u16::MAX), |range| (range.first, range.last)));
                match sides {
                    PortSides::Source => sports = ends,
                    PortSides::Destination | PortSides::Either => dports = ends,
                }
            }
        }
    }
    let transport = |sport, dport, flags| match number {
        protocol::TCP => L4::Tcp { sport, dport, seq: 0, ack: 0, flags, window: 0, header_len: 20 },
        protocol::UDP | protocol::UDPLITE => L4::Udp { sport, dport, len: 8 },
        protocol::SCTP | protocol::DCCP => L4::Ports { sport, dport },
        number if number == F::ICMP => L4::Icmp { kind: icmp.0, code: icmp.1, id: 0, seq: 0 },
        _ => L4::Other,
    };
    let named = |pattern: Option<PatternId>| {
        let set = pattern.and_then(|p| table.bound.get(p.index())).copied().unwrap_or(0);
        InterfaceId(set.checked_ilog2().unwrap_or(0) as u16)
    };
    let interfaces = (named(test.in_interface), named(test.out_interface));
    let (low, high) = ((test.src, test.dst), (test.src | !test.src_mask, test.dst | !test.dst_mask));
    let at = |(src, dst): (F::Addr, F::Addr), sport, dport, flags| Header {
        src,
        dst,
        protocol: number,
        tos: 0,
        ttl: 64,
        l3: 0,
        l4: 0,
        len: 40,
        id: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment: if test.fragment { Fragment::Later(16) } else { Fragment::Whole },
        transport: if test.fragment { L4::Absent } else { transport(sport, dport, flags) },
    };
    let one = F::Addr::ONES ^ F::Addr::prefix_mask(F::Addr::LEN as u8 * 8 - 1);
    let (s, d) = (sports[0], dports[0]);
    let headers = [
        at(low, s.0, d.0, flags),
        at(high, s.1, d.1, flags),
        at((low.0, high.1), sports[1].0, dports[1].1, flags),
        // Beside it.
        at((high.0 ^ one, low.1), s.0.wrapping_sub(1), d.0, flags),
        at((low.0, high.1 ^ one), s.1.wrapping_add(1), d.0, flags),
        at((low.0, low.1), s.0, d.0.wrapping_sub(1), flags),
        at((high.0, high.1), s.0, d.1.wrapping_add(1), flags),
        at((!low.0, low.1), s.0, d.0, flags),
        at((low.0, !low.1), s.0, d.0, flags),
        at(low, s.0, d.0, !flags),
        Header { protocol: number ^ 1, transport: L4::Other, ..at(low, s.0, d.0, flags) },
    ];
    for header in &headers {
        ask(header, interfaces)?;
    }
    ask(&headers[0], (InterfaceId::NONE, InterfaceId::NONE))
}
