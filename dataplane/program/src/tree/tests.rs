//! Errors planted in trees: either no packet is answered otherwise, or the check says so.

use packet::family::Addr;
use packet::{Fragment, Header, Ipv4, L4, protocol};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Kind, Node, Packed, Tree, TreeFault};
use crate::header_test::{HeaderTest, Interfaces, L4Test, PortRange};
use crate::id::{ChainId, CounterSlot, IdRange, InterfaceId};
use crate::rule::{Rule, Target};
use crate::table::{Chain, Policy, Table, TableKind};

/// What a rule asks: the source's last bits under a mask, the destination port from one to another, the protocol
/// (0 for any, with any port).
type Ask = ((u32, u8), (u16, u16), u8);

fn table(asks: &[Ask]) -> Table<Ipv4> {
    let mut table = Table { hooks: [None, Some(ChainId(0)), None, None, None], ..Table::empty(TableKind::Filter) };
    for (number, ((src, len), (first, last), protocol)) in asks.iter().enumerate() {
        let src_mask = u32::prefix_mask(*len);
        let mut test =
            HeaderTest { src: src & src_mask, src_mask, protocol: (*protocol != 0).then_some(*protocol), ..HeaderTest::any() };
        let (sport, dport) = (PortRange::ANY, PortRange { first: *first, last: *last });
        test.l4 = IdRange { first: number as u32, len: u32::from(*protocol != 0) };
        table.l4_tests.push(match *protocol {
            protocol::UDP => L4Test::Udp { sport, not_sport: false, dport, not_dport: false },
            _ => L4Test::Tcp { sport, not_sport: false, dport, not_dport: false, mask: 0, set: 0, not_flags: false },
        });
        let counter = CounterSlot(number as u32);
        table.rules.push(Rule { test, residual: IdRange::default(), ordered: IdRange::default(), target: Target::Accept, counter });
    }
    let rules = IdRange { first: 0, len: table.rules.len() as u32 };
    let policy = Some(Policy { accept: false, counter: CounterSlot(rules.len) });
    table.chains.push(Chain { name: "INPUT".into(), rules, policy });
    table.bind(&[]);
    table
}

fn ask() -> impl Strategy<Value = Ask> {
    let src = (0u32..64, prop::sample::select(vec![0u8, 26, 28, 30, 32]));
    let ports = prop_oneof![Just((0, u16::MAX)), (0u16..32).prop_map(|port| (port, port)), (0u16..32, 0u16..32)];
    (src, ports, prop::sample::select(vec![protocol::TCP, protocol::UDP, protocol::TCP, 0]))
}

/// An error to plant.
#[derive(Clone, Debug)]
enum Error {
    Bound(Index, Index, u32),
    Child(Index, u32),
    Rest(Index, Option<u32>),
    Second(Index, u32),
    Swap(Index, Index),
    Source(Index, u32),
    Ports(Index, u16, u16),
    Protocol(Index, u16),
    Exact(Index),
    Rule(Index, Index),
    Len(Index),
}

fn error() -> impl Strategy<Value = Error> {
    let any = || any::<Index>();
    prop_oneof![
        (any(), any(), 0u32..70).prop_map(|(node, bound, value)| Error::Bound(node, bound, value)),
        (any(), 0u32..4).prop_map(|(node, by)| Error::Child(node, by)),
        (any(), prop::option::of(0u32..9)).prop_map(|(node, to)| Error::Rest(node, to)),
        (any(), 0u32..300).prop_map(|(node, rule)| Error::Second(node, rule)),
        (any(), any()).prop_map(|(one, other)| Error::Swap(one, other)),
        (any(), 0u32..64).prop_map(|(entry, src)| Error::Source(entry, src)),
        (any(), 0u16..32, 0u16..32).prop_map(|(entry, first, last)| Error::Ports(entry, first, last)),
        (any(), 0u16..20).prop_map(|(entry, protocol)| Error::Protocol(entry, protocol)),
        any().prop_map(Error::Exact),
        (any(), any()).prop_map(|(entry, rule)| Error::Rule(entry, rule)),
        any().prop_map(Error::Len),
    ]
}

fn plant(tree: &mut Tree<Ipv4>, error: &Error) {
    let (nodes, entries) = (tree.nodes.len(), tree.entries.len());
    if entries == 0 {
        // All the rules' ports run backwards: there is nothing to spoil.
        return;
    }
    match *error {
        Error::Bound(node, bound, value) => *bound.get_mut(&mut tree.nodes[node.index(nodes)].bounds) = value,
        Error::Child(node, by) => tree.nodes[node.index(nodes)].child += by,
        Error::Rest(node, to) => {
            if let Kind::Branch { rest, .. } = &mut tree.nodes[node.index(nodes)].kind {
                *rest = to.map_or(Packed::NONE, Packed::new);
            }
        }
        Error::Second(node, rule) => {
            if let Kind::Branch { second, .. } = &mut tree.nodes[node.index(nodes)].kind {
                *second = Packed::new(rule);
            }
        }
        Error::Swap(one, other) => tree.nodes.swap(one.index(nodes), other.index(nodes)),
        Error::Source(entry, src) => tree.entries[entry.index(entries)].src = src,
        Error::Ports(entry, first, last) => tree.entries[entry.index(entries)].dports = PortRange { first, last },
        Error::Protocol(entry, protocol) => tree.entries[entry.index(entries)].protocol = protocol,
        Error::Exact(entry) => tree.entries[entry.index(entries)].exact ^= true,
        Error::Rule(entry, rule) => tree.entries[entry.index(entries)].rule = rule.index(entries) as u32,
        Error::Len(node) => match &mut tree.nodes[node.index(nodes)].kind {
            Kind::Leaf { len } => *len = Packed::new(len.get().saturating_sub(1)),
            Kind::Twig { ends, .. } => ends[0] = ends[0].saturating_sub(1),
            Kind::Branch { .. } => {}
        },
    }
}

/// Packets of every kind that such rules tell apart.
fn packets() -> impl Iterator<Item = Header<Ipv4>> {
    let places = (0u32..64).flat_map(|src| (0u16..32).map(move |dport| (src, dport)));
    places.flat_map(|(src, dport)| {
        let tcp = L4::Tcp { sport: 9, dport, seq: 0, ack: 0, flags: 2, window: 0, header_len: 20 };
        let udp = L4::Udp { sport: 9, dport, len: 8 };
        let cut = L4::Truncated { ports: None };
        [(protocol::TCP, tcp), (protocol::UDP, udp), (protocol::TCP, cut)].map(|(protocol, transport)| Header {
            src,
            dst: 7,
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
        })
    })
}

/// The first packet that is answered otherwise than rule by rule.
fn wrong(table: &Table<Ipv4>) -> Option<Header<Ipv4>> {
    let interfaces = Interfaces { sets: &[], input: InterfaceId::NONE, output: InterfaceId::NONE };
    packets().find(|header| table.next(ChainId(0), 0, header, interfaces) != table.next_in_row(ChainId(0), 0, header, interfaces))
}

proptest! {
    #[test]
    fn a_planted_error_that_any_packet_meets_is_found(asks in vec(ask(), 1..300), errors in vec(error(), 20)) {
        let table = table(&asks);
        prop_assert_eq!(table.tree.check(&table), Ok(()));
        prop_assert_eq!(wrong(&table), None);
        for error in &errors {
            let mut broken = table.clone();
            plant(&mut broken.tree, error);
            // Only a tree that passes may be walked at all.
            if broken.tree.check(&broken).is_ok() {
                prop_assert_eq!(wrong(&broken), None, "{:?}", error);
            }
        }
    }
}

#[test]
fn every_kind_of_error_has_its_fault() {
    let mut asks: Vec<Ask> = (0..200).map(|n| ((n % 64, 32), (n as u16 % 32, n as u16 % 32), protocol::TCP)).collect();
    asks.extend([((0, 0), (0, u16::MAX), 0); 3]);
    let good = table(&asks);
    let broken = |change: &dyn Fn(&mut Tree<Ipv4>)| {
        let mut table = good.clone();
        change(&mut table.tree);
        table.tree.check(&table)
    };
    assert_eq!(broken(&|_| {}), Ok(()));
    assert_eq!(broken(&|tree| tree.chains.clear()), Err(TreeFault::Shape(0)));
    assert_eq!(broken(&|tree| tree.nodes[0].child = 1 << 20), Err(TreeFault::Shape(0)));
    let whole = |tree: &mut Tree<Ipv4>| tree.chains[0].whole as usize;
    let late = |tree: &mut Tree<Ipv4>| {
        let root = whole(tree);
        let Kind::Branch { rest, second, .. } = &mut tree.nodes[root].kind else { panic!("rules that ask nothing make a rest") };
        assert_ne!(*rest, Packed::NONE, "rules that ask nothing make a rest");
        *second = Packed::new(second.get() + 1);
    };
    assert!(matches!(broken(&late), Err(TreeFault::PassedOver(_))));
    let backwards = |tree: &mut Tree<Ipv4>| {
        let last = tree.entries.len();
        tree.entries[last - 3..].reverse();
    };
    assert!(matches!(broken(&backwards), Err(TreeFault::Order(_))));
    assert!(matches!(broken(&|tree| tree.entries[5].dports.first = 31), Err(TreeFault::Foreign(_))));
    let shorter = |tree: &mut Tree<Ipv4>| {
        let kinds = tree.nodes.iter_mut().map(|node| &mut node.kind);
        for kind in kinds.take(40) {
            if let Kind::Leaf { len } = kind {
                *len = Packed::new(len.get().saturating_sub(1));
            }
        }
    };
    assert!(matches!(broken(&shorter), Err(TreeFault::Missed(_))));
    // Rests of rests of rests.
    let deep = |tree: &mut Tree<Ipv4>| {
        let root = tree.nodes.len() as u32;
        for n in 0..super::WAYS as u32 {
            let (rest, second) = (Packed::new(root + 2 * n + 2), Packed::new(0));
            let kind = Kind::Branch { dimension: 0, rest_first: false, rest, second };
            tree.nodes.push(Node { child: root + 2 * n + 1, kind, ..Node::EMPTY });
            tree.nodes.push(Node::EMPTY);
        }
        tree.nodes.push(Node::EMPTY);
        tree.chains[0].whole = root;
    };
    assert!(matches!(broken(&deep), Err(TreeFault::Ways(_))));
}

/// `--syn` is no range of ports.
#[test]
fn an_entry_that_does_not_say_all_is_not_exact() {
    let mut table = table(&[((1, 32), (5, 5), protocol::TCP)]);
    assert!(table.tree.entries[0].exact);
    if let L4Test::Tcp { mask, set, .. } = &mut table.l4_tests[0] {
        (*mask, *set) = (2, 2);
    }
    assert_eq!(table.tree.check(&table), Err(TreeFault::Foreign(0)), "the tree is of the rule as it was");
    table.bind(&[]);
    assert!(!table.tree.entries[0].exact);
    assert_eq!(table.tree.check(&table), Ok(()));
}
