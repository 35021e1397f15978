//! The tree finds what asking each rule in turn finds.

use packet::family::Addr;
use packet::{Family, Fragment, Header, Ipv4, Ipv6, L4, protocol};
use program::header_test::Interfaces;
use program::table::needs_order;
use program::tree::{Plain, Seeker};
use program::{
    ChainId, HeaderTest, IdRange, InterfaceId, InterfacePattern, Invert, L4Test, Match, PatternId, PortRange, PortSides, RuleIndex,
    Table, TableKind, Target,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::arbitrary::{self, NAMES};
use crate::build::{self, Line};

/// Ports that rules and packets have in common.
const PORTS: [u16; 10] = [0, 1, 22, 80, 443, 1023, 1024, 8080, 65534, 65535];

/// An address that rules and packets have in common: one of 4 networks of 3 subnets of 4 hosts.
fn address<F: Family>() -> impl Strategy<Value = F::Addr> {
    (0u8..4, 0u8..3, 0u8..4).prop_map(|(net, subnet, host)| {
        let mut bytes = [0; 16];
        (bytes[0], bytes[F::Addr::LEN / 2], bytes[F::Addr::LEN - 1]) = (10 + net, 3 * subnet, host);
        F::Addr::read(&bytes).expect("16 bytes hold any address")
    })
}

fn network<F: Family>() -> impl Strategy<Value = (F::Addr, F::Addr)> {
    let bits = F::Addr::LEN as u8 * 8;
    let mask = prop_oneof![
        4 => select(vec![0, 8, bits / 2 + 8, bits - 1, bits]).prop_map(F::Addr::prefix_mask),
        1 => (0..=bits).prop_map(F::Addr::prefix_mask),
        1 => (0..=bits).prop_map(|len| !F::Addr::prefix_mask(len)),
    ];
    (address::<F>(), mask).prop_map(|(address, mask)| (address & mask, mask))
}

fn range() -> impl Strategy<Value = PortRange> {
    let any = select(&PORTS[..]);
    prop_oneof![
        2 => Just(PortRange::ANY),
        4 => any.clone().prop_map(|port| PortRange { first: port, last: port }),
        1 => (any.clone(), any).prop_map(|(first, last)| PortRange { first, last }),
    ]
}

/// What stands behind `-p`: a transport test, and a list of ports where it is `multiport`'s.
type Transport = (Option<u8>, Vec<(L4Test, Vec<PortRange>)>);

fn transport<F: Family>() -> impl Strategy<Value = Transport> {
    let rarely = || prop::bool::weighted(0.1);
    let ports = || (range(), rarely(), range(), rarely(), prop_oneof![3 => Just((0, 0)), 1 => Just((0x17, 2))]);
    let tcp = ports().prop_map(|(sport, not_sport, dport, not_dport, (mask, set))| {
        let test = L4Test::Tcp { sport, not_sport, dport, not_dport, mask, set, not_flags: false };
        (Some(protocol::TCP), vec![(test, vec![])])
    });
    let udp = ports().prop_map(|(sport, not_sport, dport, not_dport, _)| {
        (Some(protocol::UDP), vec![(L4Test::Udp { sport, not_sport, dport, not_dport }, vec![])])
    });
    let icmp = (select(vec![0u8, 3, 8, 255]), 0u8..3, rarely()).prop_map(|(kind, code, not)| {
        (Some(F::ICMP), vec![(L4Test::Icmp { kind, code_first: code, code_last: 2 * code, not }, vec![])])
    });
    let sides = select(vec![PortSides::Source, PortSides::Destination, PortSides::Either]);
    let listed = select(vec![protocol::TCP, protocol::UDP, protocol::SCTP]);
    let list = (sides, vec(range(), 1..5), rarely(), listed, any::<bool>()).prop_map(|(sides, list, not, protocol, twice)| {
        let one = (L4Test::Multiport { sides, ranges: IdRange::default(), not }, list);
        (Some(protocol), vec![one; 1 + usize::from(twice)])
    });
    prop_oneof![
        1 => Just((None, vec![])),
        1 => select(vec![1u8, 6, 17, 47, 136]).prop_map(|number| (Some(number), vec![])),
        5 => tcp,
        2 => udp,
        1 => icmp,
        2 => list,
    ]
}

fn rule<F: Family>() -> impl Strategy<Value = (HeaderTest<F>, Transport)> {
    let interface = || prop::option::weighted(0.2, (0u16..4).prop_map(PatternId));
    let invert = prop_oneof![6 => Just(Invert::empty()), 1 => select(vec![Invert::SRC, Invert::DST, Invert::IN | Invert::OUT])];
    (network::<F>(), network::<F>(), interface(), interface(), invert, transport::<F>()).prop_map(
        |((src, src_mask), (dst, dst_mask), in_interface, out_interface, mut invert, transport)| {
            invert.set(Invert::IN, in_interface.is_some() && invert.contains(Invert::IN));
            invert.set(Invert::OUT, out_interface.is_some() && invert.contains(Invert::OUT));
            let test = HeaderTest { src, src_mask, dst, dst_mask, in_interface, out_interface, invert, ..HeaderTest::any() };
            (HeaderTest { protocol: transport.0, ..test }, transport)
        },
    )
}

/// A filter table with these rules in INPUT, and the first of them in FORWARD as well.
fn table<F: Family>(rules: Vec<(HeaderTest<F>, Transport)>) -> Table<F> {
    let mut table = build::empty::<F>(TableKind::Filter);
    let pattern = |name: &str, prefix| InterfacePattern { name: name.into(), prefix };
    table.patterns = vec![pattern("eth0", false), pattern("eth", true), pattern("", true), pattern("wan", false)];
    let lines: Vec<Line<F>> = rules
        .into_iter()
        .enumerate()
        .map(|(number, (test, (_, tests)))| {
            let all = tests.into_iter().map(|(mut test, list)| {
                if let L4Test::Multiport { ranges, .. } = &mut test {
                    *ranges = build::append(&mut table.port_ranges, &list);
                }
                Match::L4(test)
            });
            Line { test, all: all.collect(), target: if number % 4 == 1 { Target::Accept } else { Target::Continue } }
        })
        .collect();
    let few = lines.iter().take(5).cloned().collect();
    build::fill(&mut table, &[lines, few]);
    program::verify::table(&table, &Default::default()).expect("such rules are right");
    table.bind(&NAMES);
    assert_eq!(table.tree.check(&table, None), Ok(()));
    table
}

fn packet<F: Family>() -> impl Strategy<Value = (Header<F>, (u16, u16))> {
    let port = || select(&PORTS[..]);
    let tcp = (port(), port(), any::<bool>()).prop_map(|(sport, dport, syn)| {
        let flags = if syn { 2 } else { 16 };
        (protocol::TCP, Fragment::Whole, L4::Tcp { sport, dport, seq: 1, ack: 0, flags, window: 9, header_len: 20 })
    });
    let udp = (port(), port(), select(vec![protocol::UDP, protocol::UDPLITE]))
        .prop_map(|(sport, dport, number)| (number, Fragment::Whole, L4::Udp { sport, dport, len: 20 }));
    let others = prop_oneof![
        (select(vec![0u8, 3, 8]), 0u8..5).prop_map(|(kind, code)| (
            F::ICMP,
            Fragment::Whole,
            L4::Icmp { kind, code, id: 1, seq: 1 }
        )),
        (port(), port()).prop_map(|(sport, dport)| (protocol::SCTP, Fragment::Whole, L4::Ports { sport, dport })),
        select(vec![6u8, 17, 1, 132]).prop_map(|number| (number, Fragment::Whole, L4::Truncated { ports: None })),
        select(vec![6u8, 17, 1, 47]).prop_map(|number| (number, Fragment::Later(8), L4::Absent)),
        select(vec![44u8, 60]).prop_map(|number| (number, Fragment::Whole, L4::Lost)),
        Just((47, Fragment::Whole, L4::Other)),
    ];
    let transport = prop_oneof![4 => tcp, 2 => udp, 2 => others];
    (address::<F>(), address::<F>(), transport, (0u16..5, 0u16..5)).prop_map(
        |(src, dst, (protocol, fragment, transport), interfaces)| {
            (Header { src, dst, fragment, ..build::header(protocol, transport) }, interfaces)
        },
    )
}

/// Everything that the chains answer for this packet, from every position on.
fn same<F: Family>(table: &Table<F>, header: &Header<F>, (input, output): (u16, u16)) -> Result<(), TestCaseError> {
    let interfaces = Interfaces { sets: &table.bound, input: InterfaceId(input), output: InterfaceId(output) };
    for (number, chain) in table.chains.iter().enumerate() {
        let id = ChainId(number as u32);
        let mut from = 0;
        loop {
            let wanted = table.next_in_row(id, from, header, interfaces);
            prop_assert_eq!(table.next(id, from, header, interfaces), wanted, "{} from {}", chain.name, from);
            let Some(wanted) = wanted else { break };
            let rule = &table.rules[wanted.index()];
            // Where its way ends for certain, a packet asks for no later rule.
            let is_asked_all = needs_order(header) || rule.residual.len > 0;
            if !is_asked_all && matches!(rule.target, Target::Accept | Target::Drop | Target::Return | Target::Goto(_)) {
                break;
            }
            from = wanted.0 - chain.rules.first + 1;
        }
        prop_assert_eq!(table.next(id, chain.rules.len + 7, header, interfaces), None);
    }
    Ok(())
}

/// A burst in step is answered as its packets one by one.
fn in_step<F: Family>(table: &Table<F>, packets: &[(Header<F>, (u16, u16))]) -> Result<(), TestCaseError> {
    let seekers: Vec<Seeker<'_, F>> = packets
        .iter()
        .map(|(header, (input, output))| Seeker {
            header,
            interfaces: Interfaces { sets: &table.bound, input: InterfaceId(*input), output: InterfaceId(*output) },
        })
        .collect();
    for (number, chain) in table.chains.iter().enumerate() {
        let id = ChainId(number as u32);
        let mut found = vec![Some(RuleIndex(u32::MAX)); packets.len()];
        prop_assert_eq!(table.is_long(id), chain.rules.len >= 64, "{} rules", chain.rules.len);
        table.first_of_many::<Plain>(id, &seekers, &mut found);
        for (seeker, found) in seekers.iter().zip(found) {
            prop_assert_eq!(found, table.next_in_row(id, 0, seeker.header, seeker.interfaces));
        }
    }
    Ok(())
}

/// A rule before it stands in a table.
type Loose = (HeaderTest<Ipv4>, Transport);
/// A packet, and where it comes in and goes out.
type Through = (Header<Ipv4>, (u16, u16));

/// A rule about one of so many sources.
fn of_a_source(sources: u16) -> impl Strategy<Value = Loose> {
    (0..sources, rule::<Ipv4>(), prop::bool::weighted(0.8)).prop_map(|(source, (test, transport), alone)| {
        let (src, src_mask) = (0x0a00_0000 + u32::from(source) * 3, u32::MAX);
        if alone {
            return (HeaderTest { src, src_mask, ..HeaderTest::any() }, (None, vec![]));
        }
        (HeaderTest { src, src_mask, invert: test.invert - Invert::SRC, ..test }, transport)
    })
}

/// Lists of sources, of which some have rules enough for a tree of their own, and packets from these and others.
fn sources() -> impl Strategy<Value = (Vec<Loose>, Vec<Through>)> {
    select(vec![4u16, 12, 40, 400]).prop_flat_map(|sources| {
        let from = |(source, (header, interfaces)): (u16, Through)| {
            (Header { src: 0x0a00_0000 + u32::from(source) * 3, ..header }, interfaces)
        };
        (vec(of_a_source(sources), 64..400), vec((0..sources + 2, packet::<Ipv4>()).prop_map(from), 1..80))
    })
}

proptest! {
    #[test]
    fn bursts_find_their_sources((rules, packets) in sources()) {
        let table = table(rules);
        in_step(&table, &packets)?;
        for (header, interfaces) in &packets {
            same(&table, header, *interfaces)?;
        }
    }

    #[test]
    fn bursts_find_what_their_packets_find(rules in vec(rule::<Ipv4>(), 0..400), packets in vec(packet::<Ipv4>(), 0..80)) {
        in_step(&table(rules), &packets)?;
    }

    #[test]
    fn ipv6_bursts_find_what_their_packets_find(rules in vec(rule::<Ipv6>(), 0..400), packets in vec(packet::<Ipv6>(), 0..80)) {
        in_step(&table(rules), &packets)?;
    }

    #[test]
    fn ipv4_rules_are_found(rules in vec(rule::<Ipv4>(), 0..400), packets in vec(packet::<Ipv4>(), 64)) {
        let table = table(rules);
        for (header, interfaces) in &packets {
            same(&table, header, *interfaces)?;
        }
    }

    #[test]
    fn ipv6_rules_are_found(rules in vec(rule::<Ipv6>(), 0..400), packets in vec(packet::<Ipv6>(), 64)) {
        let table = table(rules);
        for (header, interfaces) in &packets {
            same(&table, header, *interfaces)?;
        }
    }

    #[test]
    fn any_table_has_its_rules_found(mut table in arbitrary::table::<Ipv4>(), headers in vec(arbitrary::header::<Ipv4>(), 8)) {
        table.bind(&NAMES);
        for header in &headers {
            same(&table, header, (1, 2))?;
        }
    }
}
