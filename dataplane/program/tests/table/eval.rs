//! What a table does with a packet: order, jumps and returns, policies, counters, hotdrops. Each case was seen in Linux 6.18 with
//! iptables-legacy 1.8.9.

use crate::build::{self, Line, POLICIES, every, header, later, log, on, table, tcp, tcp_dport};
use packet::{Fragment, Header, Ipv4, L4};
use program::eval::{self, Act, Env, Verdict};
use program::header_test::Answer;
use program::table::Hook;
use program::{
    ChainId, CounterSlot, HeaderTest, InterfaceId, InterfacePattern, Invert, L4Test, MarkOp, Match, PatternId, PortRange,
    PortSides, RejectWith, RuleIndex, Table, TableKind, Target,
};

/// A packet that knows its mark, whether it has a TCP option, and what happened to it.
struct Packet {
    header: Header<Ipv4>,
    interfaces: (InterfaceId, InterfaceId),
    mark: u32,
    option: Answer,
    counted: Vec<u32>,
    asked: Vec<Match>,
    logged: Vec<u32>,
}

impl Packet {
    fn new(header: Header<Ipv4>) -> Self {
        let interfaces = (InterfaceId(1), InterfaceId::NONE);
        Self { header, interfaces, mark: 0, option: Answer::No, counted: vec![], asked: vec![], logged: vec![] }
    }

    fn run(&mut self, table: &Table<Ipv4>, hook: Hook) -> Verdict {
        eval::run(table, hook, self)
    }
}

impl Env<Ipv4> for Packet {
    fn header(&self) -> &Header<Ipv4> {
        &self.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        self.interfaces
    }

    fn ask(&mut self, _: &Table<Ipv4>, test: &Match) -> Answer {
        self.asked.push(*test);
        match *test {
            Match::Mark { value, mask, not } => ((self.mark & mask == value) != not).into(),
            Match::TcpOption { .. } => self.option,
            _ => Answer::Yes,
        }
    }

    fn count(&mut self, counter: CounterSlot) {
        self.counted.push(counter.0);
    }

    fn act(&mut self, _: &Table<Ipv4>, _: RuleIndex, target: &Target) -> Act {
        match *target {
            Target::Mark(op) => self.mark = op.apply(self.mark),
            Target::Log(index) => self.logged.push(index),
            Target::TtlSet(ttl) => self.header.ttl = ttl,
            Target::Reject(_) => return Act::Drop,
            ref other => panic!("the evaluator does {other:?} itself"),
        }
        Act::Continue
    }
}

const U0: ChainId = ChainId(3);
const U1: ChainId = ChainId(4);

/// A filter table whose INPUT has these rules, and whose user chains have those.
fn filter(input: Vec<Line<Ipv4>>, users: &[Vec<Line<Ipv4>>]) -> Table<Ipv4> {
    let mut chains = vec![input, vec![], vec![]];
    chains.extend_from_slice(users);
    table(TableKind::Filter, &chains)
}

/// Verdict, and the counters that moved in order.
fn seen(table: &Table<Ipv4>, header: Header<Ipv4>) -> (Verdict, Vec<u32>) {
    let mut packet = Packet::new(header);
    let verdict = packet.run(table, Hook::Input);
    (verdict, packet.counted)
}

#[test]
fn the_first_rule_that_decides_wins() {
    let t = filter(vec![on(17, &[], Target::Drop), on(6, &[], Target::Accept), every(Target::Drop)], &[]);
    assert_eq!(seen(&t, tcp()), (Verdict::Accept, vec![1]));
}

#[test]
fn a_rule_without_target_counts_and_goes_on() {
    let t = filter(vec![every(Target::Continue), every(Target::Drop)], &[]);
    assert_eq!(seen(&t, tcp()), (Verdict::Drop(RuleIndex(1)), vec![0, 1]));
}

#[test]
fn what_no_rule_decides_meets_the_policy() {
    let mut t = filter(vec![on(17, &[], Target::Drop)], &[]);
    assert_eq!(seen(&t, tcp()), (Verdict::Accept, vec![POLICIES]));
    t.chains[0].policy.as_mut().unwrap().accept = false;
    assert_eq!(seen(&t, tcp()), (Verdict::PolicyDrop, vec![POLICIES]));
}

#[test]
fn a_hook_without_chain_accepts_and_counts_nothing() {
    let t = filter(vec![every(Target::Drop)], &[]);
    let mut packet = Packet::new(tcp());
    assert_eq!(packet.run(&t, Hook::Prerouting), Verdict::Accept);
    assert!(packet.counted.is_empty());
}

#[test]
fn each_hook_has_its_own_chain() {
    let t = table::<Ipv4>(TableKind::Filter, &[vec![every(Target::Accept)], vec![every(Target::Drop)], vec![]]);
    let mut packet = Packet::new(tcp());
    assert_eq!(packet.run(&t, Hook::Forward), Verdict::Drop(RuleIndex(1)));
    assert_eq!(packet.run(&t, Hook::Output), Verdict::Accept);
    assert_eq!(packet.counted, [1, POLICIES + 2]);
}

#[test]
fn the_end_of_a_chain_and_return_lead_back_to_the_caller() {
    let t = filter(
        vec![every(Target::Jump(U0)), every(Target::Jump(U1)), every(Target::Drop)],
        &[vec![every(Target::Continue)], vec![every(Target::Return), every(Target::Accept)]],
    );
    assert_eq!(seen(&t, tcp()), (Verdict::Drop(RuleIndex(2)), vec![0, 3, 1, 4, 2]));
}

#[test]
fn return_in_a_base_chain_is_the_policy() {
    let t = filter(vec![every(Target::Return), every(Target::Drop)], &[]);
    assert_eq!(seen(&t, tcp()), (Verdict::Accept, vec![0, POLICIES]));
}

#[test]
fn goto_returns_to_the_callers_caller() {
    let t = filter(
        vec![every(Target::Jump(U0)), every(Target::Drop)],
        &[vec![every(Target::Goto(U1)), every(Target::Accept)], vec![every(Target::Continue)]],
    );
    assert_eq!(seen(&t, tcp()), (Verdict::Drop(RuleIndex(1)), vec![0, 2, 4, 1]));
}

#[test]
fn goto_from_a_base_chain_ends_at_the_policy() {
    let t = filter(vec![every(Target::Goto(U0)), every(Target::Drop)], &[vec![every(Target::Return)]]);
    assert_eq!(seen(&t, tcp()), (Verdict::Accept, vec![0, 2, POLICIES]));
}

#[test]
fn accept_in_a_user_chain_ends_the_table() {
    let t = filter(vec![every(Target::Jump(U0)), every(Target::Drop)], &[vec![every(Target::Accept)]]);
    assert_eq!(seen(&t, tcp()), (Verdict::Accept, vec![0, 2]));
}

#[test]
fn as_many_chains_can_wait_as_verification_allows() {
    let depth = eval::MAX_DEPTH as u32;
    let mut users: Vec<_> = (1..depth).map(|n| vec![every(Target::Jump(ChainId(3 + n)))]).collect();
    users.push(vec![every(Target::Continue)]);
    let t = filter(vec![every(Target::Jump(U0))], &users);
    let (verdict, counted) = seen(&t, tcp());
    assert_eq!((verdict, counted.len()), (Verdict::Accept, eval::MAX_DEPTH + 2));
}

#[test]
fn log_mark_and_ttl_go_on_and_later_rules_see_the_change() {
    let marked = Match::Mark { value: 7, mask: u32::MAX, not: false };
    let mut t = build::empty(TableKind::Mangle);
    t.logs.push(log("seen "));
    let lines = vec![
        on(6, &[marked], Target::Drop),
        every(Target::Mark(MarkOp { value: 7, mask: u32::MAX })),
        every(Target::Log(0)),
        every(Target::TtlSet(9)),
        on(6, &[marked], Target::Accept),
    ];
    build::fill(&mut t, &[lines]);
    let mut packet = Packet::new(tcp());
    assert_eq!(packet.run(&t, Hook::Prerouting), Verdict::Accept);
    assert_eq!((packet.mark, packet.header.ttl), (7, 9));
    assert_eq!((packet.logged, packet.counted), (vec![0], vec![1, 2, 3, 4]));
}

#[test]
fn reject_drops() {
    let t = filter(vec![every(Target::Reject(RejectWith::Unreachable(3)))], &[]);
    assert_eq!(seen(&t, tcp()), (Verdict::Drop(RuleIndex(0)), vec![0]));
}

#[test]
fn matches_are_asked_in_order_and_not_after_one_that_fails() {
    let fails = Match::Mark { value: 1, mask: 1, not: false };
    let holds = Match::Mark { value: 0, mask: 1, not: false };
    let never = Match::Mark { value: 5, mask: 5, not: true };
    let t = filter(vec![on(6, &[holds, fails, never], Target::Drop)], &[]);
    let mut packet = Packet::new(tcp());
    packet.run(&t, Hook::Input);
    assert_eq!(packet.asked, [holds, fails]);
}

#[test]
fn a_transport_test_behind_one_that_remembers_is_asked_after_it() {
    let every = Match::Random { threshold: 1 << 31, not: false };
    let t = filter(vec![on(6, &[every, tcp_dport(99)], Target::Drop)], &[]);
    let mut packet = Packet::new(tcp());
    assert_eq!(packet.run(&t, Hook::Input), Verdict::Accept);
    assert_eq!(packet.asked, [every], "the packet reached it though its port is another");
    let t = filter(vec![on(6, &[tcp_dport(99), every], Target::Drop)], &[]);
    let mut packet = Packet::new(tcp());
    packet.run(&t, Hook::Input);
    assert!(packet.asked.is_empty());
}

#[test]
fn a_transport_header_cut_short_is_dropped_and_nothing_counts_it() {
    let cut = |protocol| header(protocol, L4::Truncated { ports: None });
    let udp = Match::L4(L4Test::Udp { sport: PortRange::ANY, not_sport: false, dport: PortRange::ANY, not_dport: false });
    let icmp = Match::L4(L4Test::Icmp { kind: 255, code_first: 0, code_last: 255, not: false });
    for (protocol, test) in [(6, tcp_dport(80)), (17, udp), (1, icmp)] {
        let t = filter(vec![on(protocol, &[], Target::Continue), on(protocol, &[test], Target::Accept), every(Target::Drop)], &[]);
        assert_eq!(seen(&t, cut(protocol)), (Verdict::HotDrop, vec![0]), "protocol {protocol}");
    }
}

#[test]
fn a_packet_without_its_protocol_is_dropped_by_the_first_rule_that_asks_for_one() {
    let t = filter(vec![every(Target::Continue), on(6, &[], Target::Continue), every(Target::Drop)], &[]);
    assert_eq!(seen(&t, header(60, L4::Lost)), (Verdict::HotDrop, vec![0]));
}

#[test]
fn a_rule_that_fails_before_its_transport_test_drops_nothing() {
    let fails = Match::Mark { value: 5, mask: u32::MAX, not: false };
    let t = filter(vec![on(6, &[fails, tcp_dport(80)], Target::Continue), on(6, &[], Target::Continue)], &[]);
    assert_eq!(seen(&t, header(6, L4::Truncated { ports: None })), (Verdict::Accept, vec![1, POLICIES]));
    assert_eq!(seen(&t, later(6, 8)), (Verdict::Accept, vec![1, POLICIES]));
}

#[test]
fn multiport_is_content_with_the_ports_of_a_header_that_is_cut_behind_them() {
    let mut t = build::empty(TableKind::Filter);
    let ranges = build::append(&mut t.port_ranges, &[PortRange { first: 80, last: 81 }]);
    let multiport = Match::L4(L4Test::Multiport { sides: PortSides::Destination, ranges, not: false });
    build::fill(&mut t, &[vec![on(6, &[multiport], Target::Accept), on(6, &[tcp_dport(80)], Target::Accept)]]);
    let cut = |ports| header(6, L4::Truncated { ports });
    assert_eq!(seen(&t, cut(Some((5, 80)))), (Verdict::Accept, vec![0]));
    assert_eq!(seen(&t, cut(Some((5, 82)))), (Verdict::HotDrop, vec![]), "the tcp match behind it is not");
    assert_eq!(seen(&t, cut(None)), (Verdict::HotDrop, vec![]));
}

#[test]
fn a_tcp_fragment_at_offset_8_is_dropped_by_tcp_alone() {
    let mut t = build::empty(TableKind::Filter);
    let ranges = build::append(&mut t.port_ranges, &[PortRange { first: 80, last: 80 }]);
    let multiport = Match::L4(L4Test::Multiport { sides: PortSides::Either, ranges, not: false });
    build::fill(&mut t, &[vec![on(6, &[multiport], Target::Drop), on(6, &[tcp_dport(80)], Target::Drop)]]);
    assert_eq!(seen(&t, later(6, 8)).0, Verdict::HotDrop);
    assert_eq!(seen(&t, later(6, 16)), (Verdict::Accept, vec![POLICIES]));
}

#[test]
fn later_fragments_match_no_transport_test_and_a_first_one_does() {
    let udp = Match::L4(L4Test::Udp { sport: PortRange::ANY, not_sport: false, dport: PortRange::ANY, not_dport: false });
    let later_only = HeaderTest { fragment: true, ..HeaderTest::any() };
    let not_later = HeaderTest { invert: Invert::FRAGMENT, ..later_only };
    let line = |test, target| Line { test, all: vec![], target };
    let rules = vec![on(17, &[udp], Target::Continue), line(later_only, Target::Continue), line(not_later, Target::Continue)];
    let t = filter(rules, &[]);
    assert_eq!(seen(&t, later(17, 8)).1, [1, POLICIES]);
    let first = L4::Udp { sport: 1, dport: 2, len: 100 };
    assert_eq!(seen(&t, Header { fragment: Fragment::First, ..header(17, first) }).1, [0, 2, POLICIES]);
}

#[test]
fn a_broken_option_list_is_dropped_unless_a_test_before_it_fails() {
    let option = Match::TcpOption { kind: 5, not: false };
    let behind = filter(vec![on(6, &[option, tcp_dport(99)], Target::Accept)], &[]);
    let before = filter(vec![on(6, &[tcp_dport(99), option], Target::Accept)], &[]);
    let broken = || Packet { option: Answer::HotDrop, ..Packet::new(tcp()) };
    assert_eq!(broken().run(&behind, Hook::Input), Verdict::HotDrop);
    assert_eq!(broken().run(&before, Hook::Input), Verdict::Accept);
}

#[test]
fn interfaces_match_by_name_by_beginning_and_never_where_there_is_none() {
    let mut t = build::empty(TableKind::Filter);
    let pattern = |name: &str, prefix| InterfacePattern { name: name.into(), prefix };
    t.patterns = vec![pattern("eth0", false), pattern("eth", true), pattern("", true)];
    let out = |n| HeaderTest { out_interface: Some(PatternId(n)), ..HeaderTest::any() };
    let tests = [0, 1, 2].map(out).into_iter().flat_map(|test| [test, HeaderTest { invert: Invert::OUT, ..test }]);
    let lines = tests.map(|test| Line { test, all: vec![], target: Target::Continue }).collect();
    build::fill(&mut t, &[lines]);
    t.bind(&["", "eth0", "eth1", "wan"]);
    let counted = |output| {
        let mut packet = Packet::new(tcp());
        packet.interfaces.1 = InterfaceId(output);
        packet.run(&t, Hook::Input);
        packet.counted.pop();
        packet.counted
    };
    assert_eq!(counted(1), [0, 2, 4], "eth0");
    assert_eq!(counted(2), [1, 2, 4], "eth1");
    assert_eq!(counted(3), [1, 3, 4], "wan");
    assert_eq!(counted(0), [1, 3, 4], "no interface: `-o +` holds, `! -o +` never does");
}

#[test]
fn transport_tests_answer_as_the_kernel_does() {
    let ask = |test: L4Test, header: Header<Ipv4>| test.ask(&header, &[PortRange { first: 70, last: 90 }]);
    let tcp_test = |dport, not_dport, mask, set, not_flags| L4Test::Tcp {
        sport: PortRange::ANY,
        not_sport: false,
        dport,
        not_dport,
        mask,
        set,
        not_flags,
    };
    let backwards = PortRange { first: 90, last: 70 };
    assert_eq!(ask(tcp_test(backwards, false, 0, 0, false), tcp()), Answer::No, "a range that runs backwards holds nothing");
    assert_eq!(ask(tcp_test(backwards, true, 0, 0, false), tcp()), Answer::Yes);
    assert_eq!(ask(tcp_test(PortRange::ANY, true, 0, 0, false), tcp()), Answer::No);
    assert_eq!(ask(tcp_test(PortRange::ANY, false, 0x17, 0x02, false), tcp()), Answer::Yes, "--syn");
    assert_eq!(ask(tcp_test(PortRange::ANY, false, 0x17, 0x02, true), tcp()), Answer::No, "! --syn");
    assert_eq!(
        ask(tcp_test(PortRange::ANY, false, 0x02, 0x10, false), tcp()),
        Answer::No,
        "a flag that is not looked at cannot be set"
    );

    let echo = header(1, L4::Icmp { kind: 8, code: 0, id: 1, seq: 1 });
    let icmp = |kind, code_first, code_last, not| L4Test::Icmp { kind, code_first, code_last, not };
    assert_eq!(ask(icmp(8, 0, 255, false), echo), Answer::Yes);
    assert_eq!(ask(icmp(8, 1, 255, false), echo), Answer::No);
    assert_eq!(ask(icmp(0, 0, 255, true), echo), Answer::Yes);
    assert_eq!(ask(icmp(255, 3, 3, false), echo), Answer::Yes, "type 255 is any type, whatever the code");
    assert_eq!(ask(icmp(255, 0, 255, true), echo), Answer::No);

    let ranges = program::IdRange { first: 0, len: 1 };
    let multiport = |sides, not| L4Test::Multiport { sides, ranges, not };
    assert_eq!(ask(multiport(PortSides::Destination, false), tcp()), Answer::Yes);
    assert_eq!(ask(multiport(PortSides::Source, false), tcp()), Answer::No);
    assert_eq!(ask(multiport(PortSides::Either, false), tcp()), Answer::Yes);
    assert_eq!(ask(multiport(PortSides::Either, true), tcp()), Answer::No, "either port in the list is enough, also inverted");
}

#[test]
fn type_255_is_a_type_like_others_in_ipv6() {
    let test = L4Test::Icmp { kind: 255, code_first: 0, code_last: 255, not: false };
    let echo = header::<packet::Ipv6>(58, L4::Icmp { kind: 128, code: 0, id: 1, seq: 1 });
    assert_eq!(test.ask(&echo, &[]), Answer::No);
}
