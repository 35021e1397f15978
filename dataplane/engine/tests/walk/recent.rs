//! Addresses that were seen. What the kernel does is in `tests/kernel`; here are reloads, several workers, and traces.

use engine::sim::Room;
use rules::TableName::Filter;

use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, tcp, udp};
use crate::lab::{ETH0, ETH1, Lab};

/// As in every guide: who comes a fourth time within a minute is kept out, until he has been quiet for one.
const SSH: &str = "*filter\n\
    -A FORWARD -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set --name SSH\n\
    -A FORWARD -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 60 --hitcount 4 --name SSH -j DROP\nCOMMIT\n";

fn ssh(client: &str, port: u16) -> Packet {
    tcp(&format!("{client}:{port}"), "192.168.1.2:22", "S")
}

fn passes(lab: &mut Lab, packet: &Packet) -> bool {
    lab.wire(ETH0, packet).len() == 1
}

#[test]
fn who_knocks_too_often_is_kept_out_until_he_has_been_quiet() {
    let mut lab = Lab::new(SSH);
    assert_eq!([1, 2, 3, 4, 5].map(|port| passes(&mut lab, &ssh("10.0.0.2", port))), [true, true, true, false, false]);
    assert!(passes(&mut lab, &ssh("10.0.0.3", 1)), "another one");
    lab.advance(59_000);
    assert!(!passes(&mut lab, &ssh("10.0.0.2", 6)), "each try is one more");
    lab.advance(61_000);
    assert!(passes(&mut lab, &ssh("10.0.0.2", 7)));
}

#[test]
fn a_list_lives_as_long_as_a_rule_names_it() {
    let mut lab = Lab::new(SSH);
    let knock = |lab: &mut Lab, port: u16| passes(lab, &ssh("10.0.0.2", port));
    assert_eq!([1, 2, 3].map(|port| knock(&mut lab, port)), [true; 3]);
    // Another restore, an edit of the same table, and rules of another one: all keep it.
    lab.load(SSH);
    lab.restore(&SSH.replace("COMMIT", "-A FORWARD -p udp -j DROP\nCOMMIT"));
    assert!(!knock(&mut lab, 4));
    lab.load(&format!("{SSH}*mangle\n-A PREROUTING -j MARK --set-mark 1\nCOMMIT\n"));
    assert!(!knock(&mut lab, 5));
    // In another table, under the same name.
    lab.load("*raw\n-A PREROUTING -p tcp -m recent --rcheck --name SSH -j DROP\nCOMMIT\n*filter\nCOMMIT\n");
    assert!(!knock(&mut lab, 6) && passes(&mut lab, &ssh("10.0.0.3", 6)));
    // Nobody names it, and it is gone.
    lab.load("*filter\nCOMMIT\n");
    lab.load(SSH);
    assert!(knock(&mut lab, 7));
    // One that has to keep more times of an address begins anew.
    assert!(knock(&mut lab, 8) && knock(&mut lab, 9));
    lab.load(&SSH.replace("--hitcount 4", "--hitcount 4 --name other -m recent --rcheck --hitcount 40"));
    lab.load(SSH);
    assert!(knock(&mut lab, 10), "the name had other times meanwhile");
}

#[test]
fn an_edit_that_takes_away_the_last_rule_of_a_name_takes_the_list() {
    let set = "-A FORWARD -m recent --set\n";
    let check = "-A FORWARD -m recent --rcheck --hitcount 2 -j DROP\n";
    let rules = |rules: &[&str]| format!("*filter\n{}COMMIT\n", rules.concat());
    let mut lab = Lab::new(&rules(&[set, check]));
    let ask = |lab: &mut Lab| passes(lab, &udp("10.0.0.2:1", "192.168.1.2:53"));
    assert!(ask(&mut lab) && !ask(&mut lab));
    lab.restore(&rules(&[check]));
    assert!(!ask(&mut lab), "it is named still");
    lab.restore(&rules(&[]));
    lab.restore(&rules(&[check]));
    assert!(ask(&mut lab));
    lab.restore(&rules(&[set, check]));
    assert!(ask(&mut lab) && !ask(&mut lab));
}

#[test]
fn a_known_connection_meets_such_rules_with_each_packet() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m recent --update --hitcount 3 -j DROP\n-A FORWARD -m recent --set\nCOMMIT\n");
    let there = udp("10.0.0.2:1", "192.168.1.2:53");
    assert_eq!([(); 5].map(|()| passes(&mut lab, &there)), [true, true, true, false, false]);
    lab.wire(ETH1, &udp("192.168.1.2:53", "10.0.0.2:1"));
    assert_eq!((lab.count(Filter, "FORWARD", 1).0, lab.count(Filter, "FORWARD", 2).0), (2, 4));
}

#[test]
fn quota_begins_anew_with_its_table_alone() {
    let quota = "*filter\n-A FORWARD -m quota --quota 60 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n";
    let mut lab = Lab::new(quota);
    let ask = |lab: &mut Lab| passes(lab, &udp("10.0.0.2:1", "192.168.1.2:53"));
    assert_eq!([(); 3].map(|()| ask(&mut lab)), [true, true, false]);
    lab.restore(&quota.replace("COMMIT", "-A INPUT -j DROP\nCOMMIT"));
    assert_eq!([(); 3].map(|()| ask(&mut lab)), [true, true, false]);
}

#[test]
fn several_workers_have_one_list() {
    let mut lab = CrewLab::with(SSH, 3, 7, Room::default());
    for client in 2..40 {
        let client = format!("10.0.0.{client}");
        let passed: usize = (1..=7).map(|port| lab.wire(usize::from(port) % 3, ETH0, &ssh(&client, port)).len()).sum();
        assert_eq!(passed, 3, "{client}");
    }
}
