//! What a table looks like in words, and which rules a header may meet.

use packet::{Header, Ipv4, L4};
use program::explain::{self, Step};
use program::header_test::Interfaces;
use program::table::{Hook, StateInit};
use program::{
    ChainId, HeaderTest, IdRange, InterfaceId, InterfacePattern, Invert, LimitSpec, Match, PatternId, RuleIndex, StateSlot, Table,
    TableKind, Target,
};

use crate::build::{self, Line, every, header, later, on, tcp, tcp_dport};

#[test]
fn a_table_in_words() {
    let mut table = build::empty::<Ipv4>(TableKind::Filter);
    let spec = LimitSpec::new(10_000, 5).unwrap();
    table.state = vec![StateInit::Limit(spec.cap)];
    table.patterns = vec![InterfacePattern { name: "eth".into(), prefix: true }];
    table.logs = vec![build::log("in: ")];
    table.chains[0].policy.as_mut().unwrap().accept = false;
    let lan = HeaderTest {
        src: 0xc0a8_0100,
        src_mask: 0xffff_ff00,
        dst_mask: 0x00ff_00ff,
        in_interface: Some(PatternId(0)),
        protocol: Some(6),
        invert: Invert::SRC | Invert::IN,
        ..HeaderTest::any()
    };
    let limit = Match::Limit { state: StateSlot(0), spec };
    let state = Match::State { mask: 6, not: true };
    let label = Match::Label { label: program::LabelId(1), not: false };
    let input = vec![
        Line { test: lan, all: vec![tcp_dport(22), limit, state], target: Target::Jump(ChainId(3)) },
        Line { test: HeaderTest::any(), all: vec![label], target: Target::Accept },
    ];
    build::fill(&mut table, &[input, vec![], vec![], vec![every(Target::Log(0)), every(Target::Return)]]);
    let text = explain::table(&table, &["".into(), "web".into()]);
    assert_eq!(
        text,
        "filter, IPv4, 4 rules, tracking needed\n\
         INPUT: policy drop [counter 1000]\n  \
           1 not src 192.168.1.0/24, dst 0.0.0.0/0.255.0.255, not in eth+, protocol 6, tcp dport 22 ? limit cost 32000 cap 160000 (state 0), not state ESTABLISHED,RELATED => jump U0 [counter 0]\n  \
           2 any ? label \"web\" => accept [counter 1]\n\
         FORWARD: policy accept [counter 1001]\n\
         OUTPUT: policy accept [counter 1002]\n\
         U0:\n  \
           1 any => log \"in: \" level 4 [counter 2]\n  \
           2 any => return [counter 3]\n"
    );
    assert_eq!(explain::rule(&table, RuleIndex(3), &[]), "any => return");
}

/// Rules on the path as (rule, certain).
fn path(table: &Table<Ipv4>, header: &Header<Ipv4>) -> Vec<(u32, bool)> {
    let nowhere = Interfaces { sets: &table.bound, input: InterfaceId(1), output: InterfaceId::NONE };
    explain::path(table, Hook::Input, header, nowhere).iter().map(|step| (step.rule.0, step.certain)).collect()
}

#[test]
fn a_path_ends_where_the_header_alone_decides() {
    let state = Match::State { mask: 2, not: false };
    let t = build::table(
        TableKind::Filter,
        &[
            vec![
                on(6, &[state], Target::Accept),
                on(17, &[], Target::Drop),
                on(6, &[tcp_dport(80)], Target::Jump(ChainId(3))),
                every(Target::Drop),
                every(Target::Accept),
            ],
            vec![],
            vec![],
            vec![on(6, &[], Target::Return), every(Target::Drop)],
        ],
    );
    assert_eq!(path(&t, &tcp()), [(0, false), (2, true), (5, true), (3, true)]);
    assert_eq!(path(&t, &header(17, L4::Udp { sport: 1, dport: 2, len: 8 })), [(1, true)]);
    assert_eq!(path(&t, &later(6, 16)), [(0, false), (3, true)]);
    assert_eq!(path(&t, &header(6, L4::Truncated { ports: None })), [(0, false)], "dropped on the spot by the port test");
}

#[test]
fn a_jump_that_may_not_happen_is_followed_both_ways() {
    let mark = Match::Mark { value: 1, mask: 1, not: false };
    let t = build::table::<Ipv4>(
        TableKind::Filter,
        &[vec![on(6, &[mark], Target::Goto(ChainId(3))), every(Target::Accept)], vec![], vec![], vec![every(Target::Drop)]],
    );
    let sets = Interfaces { sets: &[], input: InterfaceId(1), output: InterfaceId::NONE };
    let steps = explain::path(&t, Hook::Input, &tcp(), sets);
    assert_eq!(steps[1], Step { chain: ChainId(3), rule: RuleIndex(2), depth: 1, certain: true });
    assert_eq!(IdRange { first: 0, len: 2 }, t.chains[0].rules);
}

#[test]
fn a_path_without_end_is_cut() {
    let twice = |to| vec![every(Target::Jump(ChainId(to))), every(Target::Jump(ChainId(to)))];
    let mut chains = vec![twice(3), vec![], vec![]];
    chains.extend((4..20).map(twice));
    chains.push(vec![]);
    let t = build::table::<Ipv4>(TableKind::Filter, &chains);
    assert_eq!(path(&t, &tcp()).len(), explain::MAX_STEPS);
}
