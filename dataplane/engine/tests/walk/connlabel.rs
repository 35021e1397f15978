//! Labels of connections, put on and asked for by rules.

use engine::conntrack::Labels;
use engine::events::{Changes, Kind};
use engine::sim::Shape;
use packet::family::Either;
use rules::TableName::{Filter, Mangle, Raw};

use crate::families::{CLIENT, SERVER, tables, udp6};
use crate::ipv6::{parts, sim_of};
use crate::lab::frames::{Packet, udp};
use crate::lab::{ETH0, ETH2, FLOW_EXTRAS, Lab};

fn query(port: u16) -> Packet {
    udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53")
}

fn answer(port: u16) -> Packet {
    udp("8.8.8.8:53", &format!("10.0.0.2:{port}"))
}

fn labels(lab: &Lab) -> u128 {
    let (id, _) = lab.sim.worker.flows().iter().next().expect("a flow");
    lab.sim.worker.flows().labels(id).bits()
}

#[test]
fn a_label_stays_with_its_connection_in_both_directions() {
    let mut lab = Lab::new(
        "*mangle\n-A PREROUTING -i eth0 -m connlabel --label 127 --set\n-A PREROUTING -i eth0 -m connlabel ! --label 3 --set\nCOMMIT\n\
         *filter\n-A FORWARD -m connlabel --label 3\n-A FORWARD -m connlabel --label 127\n-A FORWARD -m connlabel --label 64\n\
         -A FORWARD -m connlabel ! --label 64\nCOMMIT\n",
    );
    lab.wire(ETH0, &query(1));
    lab.wire(ETH2, &answer(1));
    assert_eq!(labels(&lab), 1 << 127 | 1 << 3);
    assert_eq!(
        [1, 2].map(|rule| lab.count(Mangle, "PREROUTING", rule).0),
        [1, 0],
        "one that is put on holds, inverted it does not"
    );
    assert_eq!([1, 2, 3, 4].map(|rule| lab.count(Filter, "FORWARD", rule).0), [2, 2, 0, 2]);
}

#[test]
fn who_has_no_connection_has_no_label() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -m connlabel --label 3 --set\n-A PREROUTING -m connlabel ! --label 3 --set\n\
         -A PREROUTING -s 10.0.0.2 -p udp --sport 2 -j NOTRACK\nCOMMIT\n\
         *filter\n-A FORWARD -m connlabel ! --label 3\n-A FORWARD -m connlabel --label 3 --set\nCOMMIT\n",
    );
    lab.wire(ETH0, &query(1));
    lab.wire(ETH0, &query(2));
    assert_eq!([1, 2].map(|rule| lab.count(Raw, "PREROUTING", rule).0), [0, 2]);
    assert_eq!([1, 2].map(|rule| lab.count(Filter, "FORWARD", rule).0), [2, 1]);
}

#[test]
fn what_stands_behind_a_test_that_puts_a_label_on_is_asked_after_it() {
    let mut lab = Lab::new(
        "*filter\n-A FORWARD -p udp -m connlabel --label 1 --set -m udp --dport 99\n\
         -A FORWARD -p udp -m udp --dport 99 -m connlabel --label 2 --set\nCOMMIT\n",
    );
    lab.wire(ETH0, &query(1));
    assert_eq!(labels(&lab), 1 << 1);
}

#[test]
fn a_new_label_is_told_once() {
    let mut lab = Lab::new("*filter\n-A FORWARD -i eth2 -m connlabel --label 5 --set\nCOMMIT\n");
    lab.sim.worker.inbox().events().flows.listen(true);
    lab.wire(ETH0, &query(1));
    lab.wire(ETH2, &answer(1));
    lab.wire(ETH2, &answer(1));
    let told = core::iter::from_fn(|| lab.sim.worker.inbox().events().flows.next()).map(|event| match event {
        Either::Ipv4(event) => (event.kind, event.changes.has(Changes::LABELS), event.listed.extra.labels),
        Either::Ipv6(_) => panic!("no packet of IPv6 was sent"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [(Kind::New, false, Labels::NONE), (Kind::Update, true, Labels::one(5))]);
}

#[test]
fn who_finds_no_room_for_a_label_is_dropped_by_name() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m connlabel --label 5 --set\nCOMMIT\n");
    let passed = (1..=FLOW_EXTRAS as u16 + 3).filter(|port| lab.wire(ETH0, &query(*port)).len() == 1).count();
    assert_eq!(passed, FLOW_EXTRAS as usize);
    assert_eq!((lab.drops(), lab.flows()), (vec![("ConntrackExtrasFull", 3)], FLOW_EXTRAS as usize));
    lab.advance(1000 * 86_400);
    assert_eq!(lab.sim.worker.flows().extras(), 0);
    lab.wire(ETH0, &query(1));
    assert_eq!(labels(&lab), 1 << 5, "a connection in another's place begins without its labels");
}

#[test]
fn ipv6_connections_carry_labels_too() {
    let rules = "*filter\n-A FORWARD -m connlabel --label 100 --set\nCOMMIT\n";
    let mut sim = sim_of(parts(), tables(rules::Family::Ipv6, rules));
    sim.wire(ETH0, &[udp6(CLIENT, SERVER, 4000, 53)], &Shape::default());
    let flows = sim.worker.flows_ipv6().expect("it walks IPv6");
    let (id, _) = flows.iter().next().expect("a flow");
    assert_eq!(flows.labels(id), Labels::one(100));
}
