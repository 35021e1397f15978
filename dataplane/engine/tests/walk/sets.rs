//! Sets that change while connections go on: the next packet finds them changed, however the ones before it went.

use program::SetEdit;

use crate::lab::frames::tcp;
use crate::lab::{ETH0, ETH1, Lab};

const CLIENT: &str = "10.0.0.2:1024";
const SERVER: &str = "192.168.1.2:80";
const BLOCKED: &str = "-A FORWARD -m set --match-set blocked src -j DROP";
const STATEFUL: &str = "-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT";

fn filter(rules: &[&str]) -> String {
    format!("*filter\n:FORWARD DROP [0:0]\n{}\nCOMMIT\n", rules.join("\n"))
}

/// Begins the connection.
fn begin(lab: &mut Lab) {
    lab.wire(ETH0, &tcp(CLIENT, SERVER, "S"));
    lab.wire(ETH1, &tcp(SERVER, CLIENT, "SA").numbers(5000, 1001));
    lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1001, 5001));
}

/// Does one more packet of it arrive? And did it walk?
fn next(lab: &mut Lab) -> (bool, bool) {
    let before = lab.sim.worker.retraced();
    let lines = lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1001, 5001));
    (lines.iter().any(|line| line.starts_with("eth1")), lab.sim.worker.retraced() == before)
}

const PASSES: (bool, bool) = (true, true);
const IS_DROPPED: (bool, bool) = (false, true);
const PASSES_BY_ITS_TRACE: (bool, bool) = (true, false);

#[test]
fn a_connection_that_goes_on_is_dropped_from_the_next_packet_on_and_let_go_on() {
    for lab in [Lab::new, Lab::lingering] {
        let mut lab = lab(&filter(&[BLOCKED, STATEFUL]));
        begin(&mut lab);
        for _ in 0..3 {
            assert_eq!([next(&mut lab), next(&mut lab)], [PASSES; 2]);
            lab.add("blocked", "10.0.0.2", 0);
            assert_eq!([next(&mut lab), next(&mut lab)], [IS_DROPPED; 2]);
            lab.del("blocked", "10.0.0.2");
        }
        // All at once, by another directory in the same edition.
        lab.add("other", "10.0.0.2", 0);
        let swap = [SetEdit::Swap { one: "other".into(), other: "blocked".into() }];
        lab.tell(&swap);
        assert_eq!([next(&mut lab), next(&mut lab)], [IS_DROPPED; 2]);
        assert_eq!((lab.counted("blocked", "10.0.0.2"), lab.counted("other", "10.0.0.2")), (Some(2), None));
        lab.tell(&swap);
        assert_eq!(next(&mut lab), PASSES);
        lab.tell(&swap);
        lab.tell(&[SetEdit::Flush { name: "blocked".into() }]);
        assert_eq!(next(&mut lab), PASSES);
    }
}

#[test]
fn an_address_is_free_when_its_time_is_over_without_anybody_saying_so() {
    let mut lab = Lab::new(&filter(&[BLOCKED, STATEFUL]));
    begin(&mut lab);
    lab.add("blocked", "10.0.0.2", 500);
    assert_eq!(next(&mut lab), IS_DROPPED);
    lab.advance(499);
    assert_eq!(next(&mut lab), IS_DROPPED);
    lab.advance(1);
    assert_eq!(next(&mut lab), PASSES);
}

/// Rules that accept the connection before the set is asked make it go by its trace, which a set that changes does not end; a rule set in which the set comes
/// first does.
#[test]
fn a_set_that_stands_behind_what_let_a_packet_pass_is_not_asked() {
    let established = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT";
    let mut lab = Lab::new(&filter(&[established, BLOCKED, STATEFUL]));
    begin(&mut lab);
    assert_eq!(next(&mut lab), PASSES_BY_ITS_TRACE);
    lab.add("blocked", "10.0.0.2", 0);
    assert_eq!(next(&mut lab), PASSES_BY_ITS_TRACE);
    lab.tell(&[SetEdit::Swap { one: "other".into(), other: "blocked".into() }]);
    assert_eq!(next(&mut lab), PASSES_BY_ITS_TRACE);
    lab.tell(&[SetEdit::Swap { one: "other".into(), other: "blocked".into() }]);
    lab.load(&filter(&[BLOCKED, STATEFUL]));
    assert_eq!(next(&mut lab), IS_DROPPED);
    assert_eq!(lab.counted("blocked", "10.0.0.2"), Some(1));
}

/// Each packet is asked in the raw table, also of a connection that goes by its trace behind it.
#[test]
fn a_set_in_raw_is_asked_of_each_packet() {
    let raw = "*raw\n-A PREROUTING -m set --match-set blocked src -j DROP\nCOMMIT\n";
    let mut lab = Lab::new(&format!("{raw}{}", filter(&[STATEFUL])));
    begin(&mut lab);
    assert!(next(&mut lab).0);
    lab.add("blocked", "10.0.0.2", 0);
    assert!(!next(&mut lab).0);
    lab.del("blocked", "10.0.0.2");
    assert!(next(&mut lab).0);
}

const KNOCK: &str = "-A FORWARD -p tcp --dport 7 -j SET --add-set other src";
const KNOWN: &str = "-A FORWARD -m set --match-set other src -j ACCEPT";

fn tries(lab: &mut Lab, from: &str, port: &str) -> bool {
    let lines = lab.wire(ETH0, &tcp(&format!("{from}:1024"), &format!("192.168.1.2:{port}"), "S"));
    lines.iter().any(|line| line.starts_with("eth1"))
}

/// The next rule finds what the packet changed, and so does the next packet, whether the table has it by then or not.
#[test]
fn what_a_packet_brings_and_takes_out_is_found_by_the_next_rule_and_the_next_packet() {
    let forget = "-A FORWARD -p tcp --dport 9 -j SET --del-set other src";
    for follows in [false, true] {
        let mut lab = Lab::new(&filter(&[KNOCK, forget, KNOWN]));
        let mut tries = |port| {
            let passes = tries(&mut lab, "10.0.0.2", port);
            if follows {
                lab.follow();
            }
            passes
        };
        assert_eq!(["80", "7", "80", "9", "80", "7", "80"].map(&mut tries), [false, true, true, false, false, true, true]);
        assert!(!super::sets::tries(&mut lab, "10.0.0.3", "80"), "another one");
        lab.follow();
        assert_eq!((lab.has("other", "10.0.0.2"), lab.has("other", "10.0.0.3")), (true, false));
    }
}

/// A packet that brings an element is counted with it, those that find it are, and whoever looks sees all of them, however often tables take over what there is.
#[test]
fn no_packet_is_lost_that_finds_what_another_brought() {
    let mut lab = Lab::new(&filter(&[KNOCK, KNOWN]));
    assert!(tries(&mut lab, "10.0.0.2", "7"));
    for round in 0..5u64 {
        assert!(tries(&mut lab, "10.0.0.2", "80"));
        lab.follow();
        // One that the knock has counted, one that the rule behind it did, and then one each round.
        assert_eq!(lab.counted("other", "10.0.0.2"), Some(3 + round));
    }
}

#[test]
fn commands_come_behind_what_packets_did_before_them_and_before_what_they_do_then() {
    let mut lab = Lab::new(&filter(&[KNOCK, KNOWN]));
    let edits: [fn(&mut Lab); 3] = [
        |lab| lab.del("other", "10.0.0.2"),
        |lab| lab.tell(&[SetEdit::Flush { name: "other".into() }]),
        |lab| lab.tell(&[SetEdit::Swap { one: "other".into(), other: "blocked".into() }]),
    ];
    for edit in edits {
        for follows in [false, true] {
            assert!(!tries(&mut lab, "10.0.0.2", "80"));
            assert!(tries(&mut lab, "10.0.0.2", "7"));
            if follows {
                lab.follow();
            }
            edit(&mut lab);
            assert!(!tries(&mut lab, "10.0.0.2", "80"), "it is gone");
            assert!(tries(&mut lab, "10.0.0.2", "7"), "and comes again");
            lab.del("other", "10.0.0.2");
            lab.tell(&[SetEdit::Flush { name: "blocked".into() }]);
        }
    }
}

/// A connection's packets are asked one by one: none that changes a set goes by what one before it met.
#[test]
fn a_packet_that_changes_a_set_leaves_no_trace() {
    let mut lab = Lab::new(&filter(&["-A FORWARD -p tcp --dport 80 -j SET --add-set other src", STATEFUL]));
    begin(&mut lab);
    assert_eq!([next(&mut lab), next(&mut lab)], [PASSES; 2]);
    lab.del("other", "10.0.0.2");
    assert_eq!(next(&mut lab), PASSES);
    lab.follow();
    assert!(lab.has("other", "10.0.0.2"));
}
