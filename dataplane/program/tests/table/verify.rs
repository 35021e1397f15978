//! What may not be run is refused, by place and reason.

use packet::{Ipv4, Ipv6};
use program::eval::MAX_DEPTH;
use program::table::{Hook, StateInit};
use program::verify::{self, Fault, Limits, Place, VerifyError};
use program::{
    ChainId, CounterSlot, CtAction, EventSet, HeaderTest, IdRange, Invert, L4Test, LabelId, LimitSpec, MarkOp, Match, Nat, NatKind,
    PatternId, PortRange, PortSides, RejectWith, RuleIndex, StateSlot, Synproxy, Table, TableKind, Target,
};

use crate::build::{self, Line, every, on, tcp_dport};

fn fault(table: &Table<Ipv4>) -> Option<VerifyError> {
    verify::table(table, &Limits::default()).err()
}

/// The fault of a table with these chains: base chains first.
fn of(kind: TableKind, chains: &[Vec<Line<Ipv4>>]) -> Option<VerifyError> {
    let mut table = build::empty(kind);
    build::fill(&mut table, chains);
    fault(&table)
}

/// The fault of a filter table with one rule in INPUT, after `change`.
fn changed(change: impl FnOnce(&mut Table<Ipv4>)) -> Fault {
    let mut table = build::table(TableKind::Filter, &[vec![on(6, &[tcp_dport(80)], Target::Accept)], vec![], vec![], vec![]]);
    change(&mut table);
    fault(&table).expect("the change makes it bad").fault
}

fn target(kind: TableKind, target: Target) -> Option<Fault> {
    of(kind, &[vec![on(6, &[], target)]]).map(|error| error.fault)
}

#[test]
fn every_kind_of_empty_table_passes() {
    for kind in TableKind::ALL {
        assert_eq!(of(kind, &[]), None, "{}", kind.name());
    }
}

#[test]
fn hooks_are_those_of_the_kind() {
    assert_eq!(changed(|t| t.hooks[Hook::Input as usize] = None), Fault::PolicyWithoutHook);
    assert_eq!(
        changed(|t| t.hooks[Hook::Prerouting as usize] = Some(ChainId(0))),
        Fault::HookForeign(TableKind::Filter, Hook::Prerouting)
    );
    assert_eq!(changed(|t| t.hooks[Hook::Input as usize] = Some(ChainId(1))), Fault::PolicyWithoutHook);
    assert_eq!(changed(|t| t.chains[0].policy = None), Fault::HookChain(Hook::Input));
    assert!(matches!(
        changed(|t| {
            t.hooks[Hook::Input as usize] = Some(ChainId(9));
            t.chains[0].policy = None;
        }),
        Fault::OutOfRange { array: "chains", index: 9, .. }
    ));
}

#[test]
fn chains_hold_all_rules_one_after_the_other() {
    assert_eq!(changed(|t| t.chains[0].rules = IdRange { first: 0, len: 0 }), Fault::NotInARow);
    assert_eq!(changed(|t| t.chains[1].rules = IdRange { first: 0, len: 1 }), Fault::NotInARow);
    assert!(matches!(changed(|t| t.chains[0].rules.len = 2), Fault::OutOfRange { array: "rules", index: 2, .. }));
    assert!(matches!(changed(|t| t.chains[0].rules.len = u32::MAX), Fault::OutOfRange { .. }));
}

#[test]
fn links_lead_to_something() {
    let out = |fault, name| matches!(fault, Fault::OutOfRange { array, .. } if array == name);
    assert!(out(changed(|t| t.rules[0].test.l4.first = 7), "transport tests"));
    assert!(out(changed(|t| t.rules[0].ordered.len = 200), "matches"));
    assert!(out(changed(|t| t.rules[0].residual = IdRange { first: u32::MAX, len: 2 }), "matches"));
    assert!(out(changed(|t| t.rules[0].test.in_interface = Some(PatternId(0))), "interface patterns"));
    assert!(out(changed(|t| t.rules[0].target = Target::Log(0)), "logs"));
    assert!(out(changed(|t| t.rules[0].target = Target::Jump(ChainId(4))), "chains"));
    assert!(out(changed(|t| t.l4_tests[0] = multiport(IdRange { first: 0, len: 1 })), "port ranges"));
    assert!(matches!(changed(|t| t.rules[0].ordered.len = 257), Fault::TooMany { what: "matches", found: 257, most: 256 }));
}

fn multiport(ranges: IdRange) -> L4Test {
    L4Test::Multiport { sides: PortSides::Either, ranges, not: false }
}

#[test]
fn counters_and_labels_stay_below_their_limits() {
    let table = build::table::<Ipv4>(TableKind::Security, &[vec![every(Target::Secmark(LabelId(2)))]]);
    let check = |counters, labels| verify::table(&table, &Limits { counters, labels });
    assert_eq!(check(2000, 3), Ok(()));
    let error = check(2000, 2).unwrap_err();
    assert_eq!(error.place, Place::Rule(RuleIndex(0)));
    assert_eq!(error.to_string(), "rule 0: labels: 2 is past the end (2)");
    let error = check(1001, 3).unwrap_err();
    assert_eq!(error.place, Place::Chain(ChainId(1)), "the first policy whose slot is not there");
    assert!(matches!(changed(|t| t.rules[0].counter = CounterSlot(u32::MAX)), Fault::OutOfRange { array: "counter slots", .. }));
}

#[test]
fn loops_are_refused_where_packets_come_by() {
    let jump = |to| every(Target::Jump(ChainId(to)));
    let goto = |to| every(Target::Goto(ChainId(to)));
    let error = of(TableKind::Filter, &[vec![jump(3)], vec![], vec![], vec![jump(4)], vec![every(Target::Continue), goto(3)]]);
    assert_eq!(error, Some(VerifyError { place: Place::Rule(RuleIndex(3)), fault: Fault::Loop }));
    assert_eq!(of(TableKind::Filter, &[vec![jump(3)], vec![], vec![], vec![goto(3)]]).unwrap().fault, Fault::Loop);
    assert_eq!(of(TableKind::Filter, &[vec![], vec![], vec![], vec![jump(4)], vec![jump(3)]]), None, "no hook reaches it");
    assert_eq!(of(TableKind::Filter, &[vec![jump(3), jump(4)], vec![jump(4)], vec![], vec![jump(4)], vec![]]), None, "no loop");
}

#[test]
fn jumps_are_as_deep_as_the_walk_can_hold() {
    let chains = |depth: usize, target: fn(ChainId) -> Target| {
        let mut chains = vec![vec![], vec![every(target(ChainId(3)))], vec![]];
        chains.extend((1..depth).map(|n| vec![every(target(ChainId(3 + n as u32)))]));
        chains.push(vec![]);
        chains
    };
    assert_eq!(of(TableKind::Filter, &chains(MAX_DEPTH, Target::Jump)), None);
    assert_eq!(of(TableKind::Filter, &chains(MAX_DEPTH + 1, Target::Jump)).unwrap().fault, Fault::TooDeep);
    assert_eq!(of(TableKind::Filter, &chains(MAX_DEPTH + 9, Target::Goto)), None, "goto leaves nothing waiting");
}

#[test]
fn no_packet_is_led_through_more_rules_than_a_worker_has_time_for() {
    // Each chain calls the next one twice: 2^n visits of the last.
    let twice = |depth: u32| {
        let mut chains = vec![vec![every(Target::Jump(ChainId(3)))], vec![], vec![]];
        chains.extend((1..depth).map(|n| vec![every(Target::Jump(ChainId(3 + n))); 2]));
        chains.push(vec![every(Target::Continue)]);
        chains
    };
    assert_eq!(of(TableKind::Filter, &twice(20)), None);
    assert_eq!(of(TableKind::Filter, &twice(60)).unwrap().fault, Fault::TooManySteps);
}

#[test]
fn nobody_jumps_to_a_base_chain() {
    assert_eq!(changed(|t| t.rules[0].target = Target::Goto(ChainId(1))), Fault::JumpToBase);
}

#[test]
fn targets_stand_in_their_tables() {
    let refused = |kind, what| matches!(target(kind, what), Some(Fault::TargetTable { .. }));
    let mark = Target::Mark(MarkOp { value: 1, mask: 1 });
    let ct = Target::Ct(Default::default());
    let reject = Target::Reject(RejectWith::TcpReset);
    for kind in TableKind::ALL {
        assert_eq!(target(kind, mark), None, "MARK in {}", kind.name());
        assert_eq!(refused(kind, reject), kind != TableKind::Filter, "REJECT in {}", kind.name());
        assert_eq!(refused(kind, ct), kind != TableKind::Raw, "CT in {}", kind.name());
        assert_eq!(refused(kind, Target::Notrack), kind != TableKind::Raw);
        assert_eq!(refused(kind, Target::Trace), kind != TableKind::Raw);
        assert_eq!(refused(kind, Target::TtlDec(1)), kind != TableKind::Mangle);
        assert_eq!(refused(kind, Target::Tos { value: 0, mask: 255 }), kind != TableKind::Mangle);
        let labels = matches!(kind, TableKind::Mangle | TableKind::Security);
        assert_eq!(refused(kind, Target::Secmark(LabelId(0))), !labels);
        assert_eq!(refused(kind, Target::ConnsecmarkSave), !labels);
    }
    let muted = |bits| Target::Ct(CtAction { muted: EventSet(bits), ..CtAction::default() });
    assert_eq!(target(TableKind::Raw, muted(EventSet::ALL.0)), None);
    assert!(matches!(target(TableKind::Raw, muted(1 << 12)), Some(Fault::Value { .. })));
    assert_eq!(target(TableKind::Nat, Target::Drop), Some(Fault::NatDrops));
}

#[test]
fn nat_stays_in_nat_at_hooks_of_its_side() {
    let with = |kind, nat: Nat<Ipv4>, chain: usize| {
        let mut table = build::empty::<Ipv4>(kind);
        table.nats.push(nat);
        let mut chains = vec![vec![]; 6];
        chains[4] = vec![every(Target::Nat(0))];
        chains[chain].push(every(Target::Jump(ChainId(4))));
        build::fill(&mut table, &chains[..5]);
        fault(&table).map(|error| error.fault)
    };
    let source = build::snat::<Ipv4>(1);
    let of_kind = |kind| Nat { kind, addresses: None, ..source };
    let hook = |fault: Option<Fault>| match fault {
        Some(Fault::TargetHook { hook, .. }) => Some(hook),
        None => None,
        other => panic!("{other:?}"),
    };
    let [pre, input, output, post] = [0, 1, 2, 3];
    assert_eq!(hook(with(TableKind::Nat, source, pre)), Some(Hook::Prerouting));
    assert_eq!(hook(with(TableKind::Nat, source, input)), None);
    assert_eq!(hook(with(TableKind::Nat, source, output)), Some(Hook::Output));
    assert_eq!(hook(with(TableKind::Nat, source, post)), None);
    assert_eq!(hook(with(TableKind::Nat, of_kind(NatKind::Masquerade), input)), Some(Hook::Input));
    assert_eq!(hook(with(TableKind::Nat, of_kind(NatKind::Masquerade), post)), None);
    for kind in [NatKind::Destination, NatKind::Redirect] {
        assert_eq!(hook(with(TableKind::Nat, of_kind(kind), pre)), None);
        assert_eq!(hook(with(TableKind::Nat, of_kind(kind), output)), None);
        assert_eq!(hook(with(TableKind::Nat, of_kind(kind), input)), Some(Hook::Input));
    }
    for chain in [pre, input, output, post] {
        assert_eq!(hook(with(TableKind::Nat, Nat { kind: NatKind::Map, ..source }, chain)), None);
    }
    assert!(matches!(with(TableKind::Mangle, source, post), Some(Fault::JumpToBase)), "mangle's fifth chain is POSTROUTING");
}

#[test]
fn nat_ranges_are_in_order() {
    let with = |nat: Nat<Ipv4>| {
        let mut table = build::empty(TableKind::Nat);
        table.nats.push(nat);
        let chain = if nat.kind == NatKind::Destination { 0 } else { 3 };
        let mut chains = vec![vec![]; 4];
        chains[chain] = vec![every(Target::Nat(0))];
        build::fill(&mut table, &chains);
        fault(&table).map(|error| (error.place, matches!(error.fault, Fault::Value(_))))
    };
    let source = build::snat::<Ipv4>(5);
    let refused = Some((Place::Rule(RuleIndex(0)), true));
    assert_eq!(with(source), None);
    assert_eq!(with(Nat { addresses: Some((5, 4)), ..source }), refused);
    assert_eq!(with(Nat { ports: Some((80, 79)), ..source }), refused);
    assert_eq!(with(Nat { kind: NatKind::Masquerade, ..source }), refused, "it chooses the address itself");
    assert_eq!(with(Nat { ports: Some((1, 2)), base_port: Some(1), ..source }), refused, "only DNAT maps port by port");
    assert_eq!(with(Nat { kind: NatKind::Destination, ports: Some((1, 2)), base_port: Some(1), ..source }), None);
    let cone = Nat { full_cone: true, ..source };
    assert_eq!((with(cone), with(Nat { kind: NatKind::Masquerade, addresses: None, ..cone })), (None, None));
    assert_eq!(with(Nat { kind: NatKind::Destination, ..cone }), refused, "only sources have cones");
    let map = |first, last| Nat { kind: NatKind::Map, addresses: Some((first, last)), ..source };
    for (first, last) in [(0x0a00_0100, 0x0a00_01ff), (7, 7), (0, u32::MAX)] {
        assert_eq!(with(map(first, last)), None);
    }
    for (first, last) in [(0x0a00_0100, 0x0a00_01fe), (0x0a00_0101, 0x0a00_01ff), (0x0a00_0100, 0x0a00_02ff), (6, 5)] {
        assert_eq!(with(map(first, last)), refused, "no network");
    }
    assert_eq!(with(Nat { addresses: None, ..map(7, 7) }), refused);
    assert_eq!(with(Nat { ports: Some((1, 2)), ..map(7, 7) }), refused, "it keeps the port");
    assert_eq!(with(Nat { persistent: true, ..map(7, 7) }), refused);
}

#[test]
fn transport_tests_stand_behind_their_protocol() {
    assert_eq!(changed(|t| t.rules[0].test.protocol = Some(17)), Fault::Protocol("tcp"));
    assert_eq!(changed(|t| t.rules[0].test.protocol = None), Fault::Protocol("tcp"));
    assert_eq!(changed(|t| t.rules[0].test.invert = Invert::PROTOCOL), Fault::Protocol("tcp"));
    let alone = |protocol, test| of(TableKind::Filter, &[vec![on(protocol, &[test], Target::Drop)]]).map(|error| error.fault);
    let udp = Match::L4(L4Test::Udp { sport: PortRange::ANY, not_sport: false, dport: PortRange::ANY, not_dport: false });
    let ports = Match::L4(multiport(IdRange::default()));
    assert_eq!(alone(17, udp), None);
    assert_eq!(alone(136, udp), Some(Fault::Protocol("udp")));
    assert_eq!(alone(1, ports), Some(Fault::Protocol("multiport")));
    for protocol in [6, 17, 33, 132, 136] {
        assert_eq!(alone(protocol, ports), None);
    }
    assert_eq!(alone(17, Match::TcpOption { kind: 2, not: false }), Some(Fault::Protocol("tcp option")));
    let reset = of(TableKind::Filter, &[vec![on(17, &[], Target::Reject(RejectWith::TcpReset))]]);
    assert_eq!(reset.unwrap().fault, Fault::Protocol("REJECT with tcp-reset"));
    let proxy = of(TableKind::Filter, &[vec![on(17, &[], Target::Synproxy(Synproxy::default()))]]);
    assert_eq!(proxy.unwrap().fault, Fault::Protocol("SYNPROXY"));
}

#[test]
fn contradictions_in_the_header_are_refused() {
    let test = |change: fn(&mut HeaderTest<Ipv4>)| matches!(changed(|t| change(&mut t.rules[0].test)), Fault::Value(_));
    assert!(test(|h| h.src = 1), "address outside its mask");
    assert!(test(|h| h.protocol = Some(0)));
    assert!(test(|h| h.invert = Invert::IN));
    assert!(test(|h| h.invert = Invert::FRAGMENT));
    assert!(test(|h| h.invert = Invert::from_bits_retain(128)));
    let mut table = build::empty::<Ipv6>(TableKind::Filter);
    build::fill(
        &mut table,
        &[vec![Line { test: HeaderTest { fragment: true, ..HeaderTest::any() }, all: vec![], target: Target::Drop }]],
    );
    assert_eq!(verify::table(&table, &Limits::default()).unwrap_err().fault, Fault::ForeignFamily("-f"));
}

#[test]
fn both_lists_of_matches_tell_the_same_story() {
    assert_eq!(changed(|t| t.rules[0].ordered = IdRange::default()), Fault::Ordered);
    assert_eq!(changed(|t| t.rules[0].test.l4 = IdRange::default()), Fault::Ordered);
    assert_eq!(changed(|t| t.rules[0].residual = t.rules[0].ordered), Fault::Ordered);
    assert_eq!(changed(|t| t.matches[0] = tcp_dport(81)), Fault::Ordered);
    let mut comment = build::table::<Ipv4>(TableKind::Filter, &[vec![on(6, &[Match::ALWAYS], Target::Drop)]]);
    comment.rules[0].residual = IdRange::default();
    assert_eq!(fault(&comment), None, "what every packet passes need not be asked");
    let random = Match::Random { threshold: 1, not: false };
    let mut table = build::table::<Ipv4>(TableKind::Filter, &[vec![on(6, &[random, tcp_dport(80)], Target::Drop)]]);
    let Match::L4(test) = tcp_dport(80) else { unreachable!() };
    table.rules[0].test.l4 = build::append(&mut table.l4_tests, &[test]);
    table.rules[0].residual.len = 1;
    assert_eq!(fault(&table).unwrap().fault, Fault::Ordered, "a test behind one that remembers may not be asked before it");
}

#[test]
fn what_is_remembered_belongs_to_one_rule_and_starts_as_it_should() {
    let spec = LimitSpec::new(10_000, 5).unwrap();
    let limit = Match::Limit { state: StateSlot(0), spec };
    let nth = Match::Nth { state: StateSlot(0), every: 2, not: false };
    let with = |state: StateInit, lines: Vec<Line<Ipv4>>| {
        let mut table = build::empty(TableKind::Filter);
        table.state.push(state);
        build::fill(&mut table, &[lines]);
        fault(&table).map(|error| error.fault)
    };
    let one = |test| vec![Line { test: HeaderTest::any(), all: vec![test], target: Target::Drop }];
    assert_eq!(with(StateInit::Limit(spec.cap), one(limit)), None);
    assert_eq!(with(StateInit::Nth(2), one(nth)), None);
    assert_eq!(with(StateInit::Nth(3), one(nth)), Some(Fault::State(0)), "a position past the round");
    assert_eq!(with(StateInit::Nth(2), one(limit)), Some(Fault::State(0)));
    assert_eq!(with(StateInit::Limit(spec.cap - 1), one(limit)), Some(Fault::State(0)));
    assert_eq!(with(StateInit::Nth(2), [one(nth), one(nth)].concat()), Some(Fault::State(0)), "two rules on one position");
    let twice = vec![Line { test: HeaderTest::any(), all: vec![nth, nth], target: Target::Drop }];
    assert_eq!(with(StateInit::Nth(2), twice), Some(Fault::State(0)), "two tests on one position");
}

#[test]
fn names_are_as_long_as_the_kernel_allows() {
    use program::InterfacePattern;
    let pattern = |len| InterfacePattern { name: "x".repeat(len), prefix: false };
    assert!(matches!(changed(|t| t.patterns.push(pattern(16))), Fault::TooMany { found: 16, most: 15, .. }));
    let prefix = changed(|t| {
        t.logs.push(build::log(&"x".repeat(30)));
        t.rules[0].target = Target::Log(0);
    });
    assert!(matches!(prefix, Fault::TooMany { found: 30, most: 29, .. }));
    assert!(matches!(changed(|t| t.chains[3].name = "x".repeat(29)), Fault::TooMany { found: 29, most: 28, .. }));
}

#[test]
fn the_tracking_flag_says_what_the_rules_need() {
    assert_eq!(changed(|t| t.needs_tracking = true), Fault::Tracking);
    let state = Match::State { mask: 8, not: false };
    let mut table = build::table::<Ipv4>(TableKind::Filter, &[vec![], vec![], vec![], vec![on(6, &[state], Target::Drop)]]);
    assert!(table.needs_tracking, "also in a chain that no hook reaches");
    table.needs_tracking = false;
    assert_eq!(fault(&table).unwrap().fault, Fault::Tracking);
    assert!(
        !build::table::<Ipv4>(TableKind::Nat, &[vec![every(Target::Accept)]]).needs_tracking,
        "a nat table without nat targets"
    );
    assert!(!build::table::<Ipv4>(TableKind::Raw, &[vec![every(Target::Notrack)]]).needs_tracking);
}
