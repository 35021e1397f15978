//! What a packet is told to meet: each line as Linux 6.18 wrote it for the same rules (`TRACE:`, without the packet).

use packet::{Header, Ipv4, L4};
use program::eval::{self, Act, Env, Met};
use program::header_test::Answer;
use program::table::Hook;
use program::{ChainId, CounterSlot, HeaderTest, InterfaceId, L4Test, Match, PortRange, RuleIndex, Table, TableKind, Target};

use crate::build::{self, Line, every, header, on, tcp};

/// A packet that is told of behind TRACE, and what it meets.
struct Listener {
    header: Header<Ipv4>,
    met: Vec<String>,
    counted: usize,
}

impl Env<Ipv4> for Listener {
    fn header(&self) -> &Header<Ipv4> {
        &self.header
    }

    fn interfaces(&self) -> (InterfaceId, InterfaceId) {
        (InterfaceId(1), InterfaceId::NONE)
    }

    fn ask(&mut self, _: &Table<Ipv4>, test: &Match) -> Answer {
        match *test {
            Match::TcpOption { .. } => Answer::HotDrop,
            _ => Answer::Yes,
        }
    }

    fn count(&mut self, _: CounterSlot) {
        self.counted += 1;
    }

    fn act(&mut self, _: &Table<Ipv4>, _: RuleIndex, target: &Target) -> Act {
        if *target == Target::Trace { Act::Tell } else { Act::Continue }
    }

    fn tell(&mut self, table: &Table<Ipv4>, chain: ChainId, met: Met, number: u32) {
        self.met.push(format!("{}:{}:{number}", table.chains[chain.index()].name, met.name()));
    }
}

fn listener() -> Listener {
    Listener { header: tcp(), met: Vec::new(), counted: 0 }
}

/// What a packet meets in the raw table whose chains are these, that of PREROUTING and then user chains.
fn behind_trace(chains: &[Vec<Line<Ipv4>>]) -> Vec<String> {
    let mut all = vec![chains[0].clone(), vec![]];
    all.extend_from_slice(&chains[1..]);
    let mut packet = listener();
    eval::run(&build::table::<Ipv4>(TableKind::Raw, &all), Hook::Prerouting, &mut packet);
    packet.met
}

/// The user chain of this number.
fn user(number: u32) -> ChainId {
    ChainId(2 + number)
}

#[test]
fn the_rule_that_has_a_packet_told_of_is_not_told_and_all_behind_it_are() {
    let met = behind_trace(&[
        vec![
            every(Target::Continue),
            every(Target::Trace),
            every(Target::Continue),
            on(17, &[], Target::Accept),
            every(Target::Trace),
        ],
        vec![],
    ]);
    assert_eq!(met, ["PREROUTING:rule:3", "PREROUTING:rule:5", "PREROUTING:policy:6"]);
}

#[test]
fn ends_of_chains_are_told_where_nothing_stands_any_more() {
    let met = behind_trace(&[
        vec![every(Target::Trace), every(Target::Jump(user(0))), every(Target::Goto(user(1))), every(Target::Continue)],
        vec![on(6, &[], Target::Return)],
        vec![every(Target::Jump(user(2))), every(Target::Continue)],
        vec![],
    ]);
    let wanted = ["PREROUTING:rule:2", "U0:rule:1", "PREROUTING:rule:3", "U1:rule:1", "U2:return:1", "U1:rule:2", "U1:return:3"];
    assert_eq!(met[..7], wanted);
    assert_eq!(met[7..], ["PREROUTING:policy:5"], "to where the goto stood nobody returns");
}

#[test]
fn a_verdict_without_any_test_is_called_by_what_it_does_to_its_chain() {
    for target in [Target::Accept, Target::Drop] {
        assert_eq!(behind_trace(&[vec![every(Target::Trace), every(target)]]), ["PREROUTING:policy:2"]);
        assert_eq!(
            behind_trace(&[vec![every(Target::Trace), every(Target::Jump(user(0)))], vec![every(target)]]),
            ["PREROUTING:rule:2", "U0:return:1"]
        );
        assert_eq!(behind_trace(&[vec![every(Target::Trace), on(6, &[], target)]]), ["PREROUTING:rule:2"]);
        let held = Line { all: vec![Match::Mark { value: 0, mask: 0, not: false }], ..every(target) };
        assert_eq!(behind_trace(&[vec![every(Target::Trace), held]]), ["PREROUTING:rule:2"], "a test that always holds is one");
    }
    let met = behind_trace(&[vec![every(Target::Trace), every(Target::Return), every(Target::Continue)]]);
    assert_eq!(met, ["PREROUTING:policy:2", "PREROUTING:policy:4"]);
    let met = behind_trace(&[vec![every(Target::Trace), every(Target::Continue)]]);
    assert_eq!(met, ["PREROUTING:rule:2", "PREROUTING:policy:3"], "a rule that only counts ends nothing");
}

#[test]
fn a_trace_in_a_called_chain_holds_on_behind_it() {
    let met = behind_trace(&[vec![every(Target::Jump(user(0))), every(Target::Continue)], vec![every(Target::Trace)]]);
    assert_eq!(met, ["U0:return:2", "PREROUTING:rule:2", "PREROUTING:policy:3"]);
}

#[test]
fn what_a_match_drops_is_told_no_more() {
    let met = behind_trace(&[vec![
        every(Target::Trace),
        every(Target::Continue),
        on(6, &[Match::TcpOption { kind: 5, not: false }], Target::Accept),
        every(Target::Continue),
    ]]);
    assert_eq!(met, ["PREROUTING:rule:2"]);
}

#[test]
fn a_packet_that_is_told_of_already_hears_of_a_chain_without_rules() {
    let told = |rules: Vec<Line<Ipv4>>| {
        let mut packet = listener();
        let table = build::table::<Ipv4>(TableKind::Filter, &[rules]);
        eval::run_told(&table, ChainId(0), &mut packet);
        (packet.met.join(" "), packet.counted)
    };
    assert_eq!(told(vec![]), ("INPUT:policy:1".to_owned(), 1));
    let udp = L4Test::Udp { sport: PortRange::ANY, not_sport: false, dport: PortRange::ANY, not_dport: false };
    let rules = vec![on(17, &[Match::L4(udp)], Target::Drop), every(Target::Continue)];
    assert_eq!(told(rules), ("INPUT:rule:2 INPUT:policy:3".to_owned(), 2), "what does not match is not met");
}

/// A table says so itself, also behind an edit.
#[test]
fn only_raw_with_a_trace_rule_tells() {
    let mut table = build::table::<Ipv4>(TableKind::Raw, &[vec![every(Target::Notrack)]]);
    table.bind(&[""]);
    assert!(!table.tells);
    let mut table = build::table::<Ipv4>(TableKind::Raw, &[vec![], vec![], vec![every(Target::Trace)]]);
    table.bind(&[""]);
    assert!(table.tells, "also in a chain that nobody calls yet");
    let lost = Header { transport: L4::Lost, ..header::<Ipv4>(6, L4::Lost) };
    let mut packet = Listener { header: lost, ..listener() };
    let line = Line { test: HeaderTest { protocol: Some(6), ..HeaderTest::any() }, ..every(Target::Accept) };
    eval::run(&build::table::<Ipv4>(TableKind::Raw, &[vec![every(Target::Trace), line]]), Hook::Prerouting, &mut packet);
    assert_eq!(packet.met, [""; 0], "a packet whose protocol is lost is dropped on the spot");
}
