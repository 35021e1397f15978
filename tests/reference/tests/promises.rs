//! What the reference itself promises, in cases small enough to check by reading the kernel's documentation.

use packet::{Ipv4, Tuple, TupleL4, checksum, parse};
use reference::{Around, Connection, ConnectionState, Done, Facts, Model, Outcome, Surroundings, Tracking, Verdict, WayBack};
use rules::matches::statistic::Mode;
use rules::matches::{Limit, PortTest, Statistic, Tcp};
use rules::{ChainName, Family, Header, Hook, Match, Policy, ProtocolMatch, Rule, RuleSet, TableName, Target};

fn rule(target: Target) -> Rule {
    Rule { target, ..Rule::any(Family::Ipv4) }
}

fn asking(test: Match, target: Target) -> Rule {
    Rule { matches: Box::new([test]), ..rule(target) }
}

fn jump(to: &str) -> Target {
    Target::Jump(ChainName::new(to))
}

fn goto(to: &str) -> Target {
    Target::Goto(ChainName::new(to))
}

/// A filter table whose FORWARD chain has these rules and the policy DROP, and with these user chains.
fn forward(rules: Vec<Rule>, user: Vec<(&str, Vec<Rule>)>) -> RuleSet {
    let mut set = RuleSet::new(Family::Ipv4);
    let table = set.table_mut(TableName::Filter);
    for (name, rules) in user {
        assert!(table.add_chain(ChainName::new(name)));
        table.chain_mut(name).unwrap().rules = rules.into_iter().collect();
    }
    let chain = table.chain_mut("FORWARD").unwrap();
    chain.policy = Some(Policy::Drop);
    chain.rules = rules.into_iter().collect();
    set
}

/// A packet from 10.0.0.1 to 10.0.0.2 with this payload.
fn facts(protocol: u8, payload: &[u8]) -> Facts<Ipv4> {
    let mut bytes = vec![0x45, 0, 0, 20 + payload.len() as u8, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let check = checksum::ipv4_header(&bytes);
    bytes[10..12].copy_from_slice(&check.to_be_bytes());
    bytes.extend(payload);
    Facts {
        header: parse::ip(&bytes, 0, bytes.len()).unwrap(),
        bytes,
        frame_source: Some([2, 0, 0, 0, 0, 1]),
        around: Around {
            src_type: [2; 3],
            dst_type: [2; 3],
            way_back: WayBack::Same,
            frame_to: rules::matches::pkttype::LinkDestination::Unicast,
            groups: [0; 2],
        },
        input: "eth0".to_owned(),
        output: "eth1".to_owned(),
        mark: 0,
        label: String::new(),
        tracking: Tracking::Invalid,
    }
}

fn send(model: &mut Model<'_>, facts: &mut Facts<Ipv4>, now: u64) -> Outcome {
    model.table(TableName::Filter, Hook::Forward, facts, &mut Surroundings { now, clock: 0, minutes_west: 0, random: &mut || 0 })
}

/// The rules that counted a packet, as `chain:number`.
fn counted(outcome: &Outcome) -> Vec<String> {
    outcome.counted.iter().map(|place| format!("{}:{}", place.chain, place.number)).collect()
}

#[test]
fn the_end_of_a_chain_returns_behind_the_jump() {
    let set = forward(vec![rule(jump("a")), rule(Target::Accept)], vec![("a", vec![rule(Target::None)])]);
    let outcome = send(&mut Model::new(&set), &mut facts(17, &[0; 8]), 0);
    assert_eq!(outcome.verdict, Verdict::Accept);
    assert_eq!(counted(&outcome), ["FORWARD:1", "a:1", "FORWARD:2"]);
}

#[test]
fn the_end_of_a_goto_is_the_end_of_the_chain_that_went() {
    let user = vec![("a", vec![rule(goto("b")), rule(Target::Accept)]), ("b", vec![rule(Target::Return), rule(Target::Accept)])];
    let set = forward(vec![rule(jump("a"))], user.clone());
    let outcome = send(&mut Model::new(&set), &mut facts(17, &[0; 8]), 0);
    assert_eq!(counted(&outcome), ["FORWARD:1", "a:1", "b:1", "FORWARD:0"], "from a it returns behind the jump to a");
    let set = forward(vec![rule(goto("a")), rule(Target::Accept)], user);
    let outcome = send(&mut Model::new(&set), &mut facts(17, &[0; 8]), 0);
    assert_eq!(counted(&outcome), ["FORWARD:1", "a:1", "b:1", "FORWARD:0"], "from a built-in chain it returns to the policy");
    assert!(matches!(outcome.verdict, Verdict::Drop(place) if place.number == 0));
}

#[test]
fn a_header_that_is_cut_drops_uncounted() {
    let tcp = Match::Tcp(Tcp { sport: PortTest::ANY, dport: PortTest::ANY, flags: None, option: None });
    let header = Header { protocol: ProtocolMatch { number: 6, invert: false }, ..Header::any(Family::Ipv4) };
    let set = forward(vec![Rule { header, ..asking(tcp, Target::Accept) }, rule(Target::Accept)], vec![]);
    let outcome = send(&mut Model::new(&set), &mut facts(6, &[0; 19]), 0);
    assert_eq!(outcome, Outcome { verdict: Verdict::HotDrop, counted: vec![], done: vec![] });
    let outcome = send(&mut Model::new(&set), &mut facts(6, &[0; 20]), 0);
    assert_eq!(counted(&outcome), ["FORWARD:1"]);
}

#[test]
fn nth_takes_the_packets_that_its_offset_says() {
    let third = Match::Statistic(Statistic { mode: Mode::Nth { every: 3, packet: 1 }, invert: false });
    let set = forward(vec![asking(third, Target::Accept)], vec![]);
    let mut model = Model::new(&set);
    let taken: Vec<bool> = (0..7).map(|_| send(&mut model, &mut facts(17, &[0; 8]), 0).verdict == Verdict::Accept).collect();
    assert_eq!(taken, [false, true, false, false, true, false, false]);
}

#[test]
fn limit_lets_its_burst_pass_and_then_its_rate() {
    let limit = Match::Limit(Limit { average: 10_000, burst: 3 });
    let set = forward(vec![asking(limit, Target::Accept)], vec![]);
    let mut model = Model::new(&set);
    let mut at = |now| (0..5).filter(|_| send(&mut model, &mut facts(17, &[0; 8]), now).verdict == Verdict::Accept).count();
    assert_eq!([at(0), at(999), at(1000), at(60_000)], [3, 0, 1, 3]);
}

#[test]
fn the_nat_table_is_asked_for_the_first_packet_alone_and_before_filter_at_output() {
    let mut set = RuleSet::new(Family::Ipv4);
    let redirect = Target::Redirect(Box::default());
    set.table_mut(TableName::Nat).chain_mut("OUTPUT").unwrap().rules = [rule(redirect.clone())].into_iter().collect();
    set.table_mut(TableName::Filter).chain_mut("OUTPUT").unwrap().rules = [rule(Target::Drop)].into_iter().collect();
    let mut packet = facts(17, &[0; 8]);
    let tuple = Tuple { src: 1, dst: 2, protocol: 17, l4: TupleL4::Ports { src: 3, dst: 4 } };
    let mut hook = |state| {
        packet.tracking = Tracking::Known(Connection {
            state,
            original: true,
            there: tuple,
            back: tuple.invert().unwrap(),
            mark: 0,
            label: String::new(),
            snat: false,
            dnat: false,
            expected: false,
            announced_by: String::new(),
            carried: [(0, 0); 2],
            labels: 0,
            seen_reply: false,
            assured: false,
            confirmed: false,
            seconds_left: 0,
        });
        let outcome = Model::new(&set).hook(
            Hook::Output,
            &mut packet,
            &mut Surroundings { now: 0, clock: 0, minutes_west: 0, random: &mut || 0 },
        );
        (outcome.counted.iter().map(|place| place.table).collect::<Vec<_>>(), outcome.done)
    };
    assert_eq!(hook(ConnectionState::New), (vec![TableName::Nat, TableName::Filter], vec![Done::Translated(redirect)]));
    assert_eq!(hook(ConnectionState::Established), (vec![TableName::Filter], vec![]));
}
