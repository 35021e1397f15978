//! Packets that need no walk: to the outside, and to every counter, it must make no difference that they did not walk.

mod lines;

use std::collections::HashSet;
use std::sync::Arc;

use engine::host::Neighbour;
use engine::snapshot::{Edition, Settings};
use proptest::prelude::*;
use rules::TableName::{Filter, Mangle};

use crate::lab::frames::{Packet, tcp, udp};
use crate::lab::{Box, ETH0, ETH1, ETH2, Lab, ip};
use crate::router::with_options;
use lines::RULES;

const CLIENT: &str = "10.0.0.2:1024";
const SERVER: &str = "192.168.1.2:80";

/// Opens a connection, and says how many of three packets with data behind that needed no walk. Each must arrive.
fn retraced(lab: &mut Lab) -> u64 {
    let arrives = |lab: &mut Lab, port, packet: Packet| {
        let lines = lab.wire(port, &packet);
        assert!(lines.iter().any(|line| line.starts_with("eth")), "{lines:?}");
    };
    arrives(lab, ETH0, tcp(CLIENT, SERVER, "S"));
    arrives(lab, ETH1, tcp(SERVER, CLIENT, "SA").numbers(5000, 1001));
    arrives(lab, ETH0, tcp(CLIENT, SERVER, "A").numbers(1001, 5001));
    let before = lab.sim.worker.retraced();
    (0..3).for_each(|i| arrives(lab, ETH0, tcp(CLIENT, SERVER, "PA").numbers(1001 + i * 10, 5001).data(10)));
    lab.sim.worker.retraced() - before
}

fn with(table: &str, rule: &str) -> Lab {
    Lab::new(&format!("*{table}\n{rule}\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n"))
}

#[test]
fn an_established_connection_walks_no_more_and_every_rule_on_its_way_counts() {
    let mut lab = Lab::new(
        "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A FORWARD -p tcp -j MARK --set-mark 1\nCOMMIT\n\
         *filter\n:FORWARD DROP [0:0]\n:in - [0:0]\n-A FORWARD -j in\n-A in -m mark --mark 1 -m conntrack --ctstate ESTABLISHED -j ACCEPT\n\
         -A in -p tcp --syn -j ACCEPT\nCOMMIT\n",
    );
    assert_eq!(retraced(&mut lab), 3);
    let bytes = 3 * 40 + 3 * 50;
    assert_eq!(lab.count(Mangle, "FORWARD", 1), (6, bytes));
    assert_eq!(lab.count(Mangle, "POSTROUTING", 0), (6, bytes));
    assert_eq!(lab.count(Filter, "FORWARD", 1), (6, bytes));
    assert_eq!((lab.count(Filter, "in", 1), lab.count(Filter, "in", 2)), ((5, bytes - 40), (1, 40)));
    assert_eq!(lab.count(Filter, "FORWARD", 0), (0, 0));
}

/// What may say something else of the next packet, or does more than to let it pass.
#[test]
fn what_could_differ_for_the_next_packet_is_asked_of_each() {
    for (table, rule) in [
        ("mangle", "-A FORWARD -m limit --limit 1/hour --limit-burst 9 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m statistic --mode nth --every 2 --packet 0 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m statistic --mode random --probability 0.5 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m connbytes --connbytes 1000 --connbytes-dir both --connbytes-mode bytes -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m connlimit --connlimit-above 9 -j DROP"),
        ("mangle", "-A FORWARD -m set --match-set blocked src -j DROP"),
        ("mangle", "-A POSTROUTING -m set ! --match-set blocked dst -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m conntrack --ctexpire 500:600 -j DROP"),
        ("mangle", "-A FORWARD -m conntrack --ctstatus ASSURED -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -p tcp --tcp-option 5 -j DROP"),
        ("mangle", "-A FORWARD -m length --length 0:49 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m ttl --ttl-lt 9 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -p tcp -m ecn --ecn-tcp-ece -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m mac --mac-source 02:00:00:00:00:99 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -p tcp -m tcpmss ! --mss 1000 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -p tcp -j TCPOPTSTRIP --strip-options 8"),
        ("mangle", "-A FORWARD -p tcp -j ECN --ecn-tcp-remove"),
        ("mangle", "-A FORWARD -j DSCP --set-dscp 1"),
        ("mangle", "-A FORWARD -m time --weekdays Mon -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m string --algo bm --string no -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -m u32 --u32 40=1 -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -j LOG"),
        ("mangle", "-A FORWARD -j TOS --set-tos 0x10"),
        ("mangle", "-A PREROUTING -j TTL --ttl-inc 1"),
        ("mangle", "-A FORWARD -j CONNMARK --set-xmark 1/0"),
        ("mangle", "-A FORWARD -j MARK --set-xmark 1\n-A FORWARD -j CONNMARK --save-mark\n-A FORWARD -j CONNMARK --set-mark 2"),
        ("security", "-A FORWARD -j CONNSECMARK --restore"),
        ("mangle", "-A FORWARD -i eth0 -m connlabel --label 1 --set -j MARK --set-mark 1"),
        ("mangle", "-A FORWARD -i eth1 -m connlabel ! --label 1 --set\n-A FORWARD -m connlabel --label 1 -j MARK --set-mark 1"),
    ] {
        assert_eq!(retraced(&mut with(table, rule)), 0, "{rule}");
    }
}

#[test]
fn what_is_the_same_for_the_next_packet_is_not_asked_again() {
    for rule in [
        "-A FORWARD -m mark ! --mark 7 -j MARK --set-mark 1",
        "-A PREROUTING -j CONNMARK --restore-mark",
        "-A FORWARD -j MARK --set-mark 3\n-A FORWARD -j CONNMARK --save-mark",
        "-A FORWARD -m conntrack --ctproto tcp --ctorigdstport 80 --ctdir ORIGINAL -j ACCEPT",
        "-A FORWARD -m cluster --cluster-total-nodes 1 --cluster-local-node 1 --cluster-hash-seed 7 -j MARK --set-mark 1",
        "-A FORWARD -j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-mod 9 --hmark-rnd 1\n-A FORWARD -m mark --mark 9 -j DROP",
        "-A FORWARD -j HMARK --hmark-tuple ct,src,dst,sport --hmark-mod 9 --hmark-rnd 1\n-A FORWARD -m mark --mark 9 -j DROP",
        "-A FORWARD -m devgroup ! --src-group 7 --dst-group 0/7 -j MARK --set-mark 1",
        "-A FORWARD -p tcp --syn -m limit --limit 1/s -j ACCEPT",
        "-A FORWARD -m limit --limit 1/hour --limit-burst 2 -j LOG",
        "-A FORWARD -p tcp --tcp-flags SYN,RST SYN -m tcpmss --mss 1:65535 -j TCPMSS --clamp-mss-to-pmtu",
        "-A POSTROUTING -p tcp --syn -j TCPMSS --set-mss 1000",
        "-A FORWARD -p tcp -m multiport --ports 80,443 -m connmark ! --mark 1 -j MARK --set-mark 1",
        "-A FORWARD -m dscp --dscp-class EF -j DROP",
        "-A FORWARD -m addrtype ! --src-type LOCAL --dst-type UNICAST --limit-iface-out -j MARK --set-mark 1",
        "-A PREROUTING -m rpfilter -m pkttype --pkt-type unicast -j MARK --set-mark 1",
        "-A FORWARD -m tos ! --tos 0x10 -m ecn --ecn-ip-ect 0 -j MARK --set-mark 1",
        "-A FORWARD -m iprange --src-range 10.0.0.0-10.0.0.2 ! --dst-range 10.0.0.0-10.0.0.2 -j MARK --set-mark 1",
        "-A FORWARD -m connlabel --label 1 -j DROP",
        "-A FORWARD -m connlabel ! --label 1 -j MARK --set-mark 1",
    ] {
        assert_eq!(retraced(&mut with("mangle", rule)), 3, "{rule}");
    }
}

/// The raw table is asked of each, and what it does to one it does to the next: the way behind it is remembered.
#[test]
fn what_raw_marks_or_puts_in_a_zone_walks_no_further_than_tracking() {
    for rule in ["-A PREROUTING -j MARK --set-mark 5", "-A PREROUTING -j CT --zone 3"] {
        let mut lab = with("raw", rule);
        assert_eq!((retraced(&mut lab), lab.count(rules::TableName::Raw, "PREROUTING", 1).0), (3, 6), "{rule}");
    }
}

/// A limit that refused is asked of each packet, wherever on the way it stands: what it lets pass walks, and is logged.
#[test]
fn a_limit_that_refuses_is_asked_again() {
    let mut lab = with("raw", "-A PREROUTING -m limit --limit 1/s --limit-burst 1 -j LOG");
    assert_eq!(retraced(&mut lab), 3);
    let before = lab.sim.worker.retraced();
    let mut logged = |millis| {
        lab.advance(millis);
        let lines = lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1031, 5001));
        (lines.iter().filter(|line| !line.starts_with("eth")).count(), lab.sim.worker.retraced() - before)
    };
    // Behind a packet that walked, the next one has to walk for there to be a trace again.
    assert_eq!([900, 200, 10, 10, 1000].map(&mut logged), [(0, 1), (1, 1), (0, 1), (0, 2), (1, 2)]);
}

#[test]
fn packets_that_rules_or_a_router_could_treat_otherwise_walk() {
    let rules = "*filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -p tcp --tcp-flags PSH,URG URG -j DROP\nCOMMIT\n";
    let mut lab = Lab::new(rules);
    assert_eq!(retraced(&mut lab), 2, "PSH is looked at: its first one walks");
    let (base, data) = (lab.sim.worker.retraced(), || tcp(CLIENT, SERVER, "PA").numbers(1031, 5001));
    assert_eq!(lab.wire(ETH0, &tcp(CLIENT, SERVER, "AU").numbers(1031, 5001)), [""; 0]);
    assert_eq!(lab.wire(ETH0, &data().ttl(1)).len(), 1, "time exceeded");
    assert!(lab.wire(ETH0, &data().ttl(1))[0].contains("icmp 11/0"));
    assert!(lab.wire(ETH0, &data().df().data(1500))[0].contains("icmp 3/4"));
    assert_eq!(lab.wire(ETH0, &data().tos(0x10)), ["eth1: 10.0.0.2:1024 > 192.168.1.2:80 tcp AP ttl 63 tos 0x10"]);
    assert_eq!(lab.sim.worker.retraced(), base);
}

#[test]
fn another_port_another_mark_and_ip_options_are_seen() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -m statistic --mode nth --every 4 --packet 3 -j MARK --set-mark 2\nCOMMIT\n\
         *filter\n-A FORWARD -i eth2 -j DROP\n-A FORWARD -m mark --mark 2 -j DROP\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n",
    );
    let (ask, answer) = (udp(CLIENT, SERVER), udp(SERVER, CLIENT));
    let passed = |lines: Vec<String>| lines.len();
    assert_eq!([passed(lab.wire(ETH0, &ask)), passed(lab.wire(ETH1, &answer)), passed(lab.wire(ETH0, &ask))], [1, 1, 1]);
    assert_eq!(passed(lab.wire(ETH0, &ask)), 0, "each fourth packet is marked");
    assert_eq!([passed(lab.wire(ETH0, &ask)), passed(lab.wire(ETH2, &ask)), passed(lab.wire(ETH0, &ask))], [1, 0, 1], "eth2");
    assert_eq!(lab.sim.worker.retraced(), 2);
    lab.wire(ETH0, &ask);
    assert_eq!(passed(lab.wire_frame(ETH0, with_options(&ask, &[131, 3, 4, 0]))), 0);
    assert_eq!(lab.drops().iter().find(|(reason, _)| *reason == "SourceRoute"), Some(&("SourceRoute", 1)));
}

/// However often one like it went by.
#[test]
fn a_sender_is_told_again_of_the_better_way() {
    let mut lab = Lab::new(
        "*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n",
    );
    let (ask, answer) = (udp("10.0.0.2:1", "10.0.0.3:2"), udp("10.0.0.3:2", "10.0.0.2:1"));
    let told = |lines: Vec<String>| lines.iter().any(|line| line.contains("icmp 5/1"));
    assert!(!told(lab.wire(ETH0, &ask)), "not before the connection's translation is decided");
    lab.wire(ETH0, &answer);
    lab.advance(10_000);
    assert!(told(lab.wire(ETH0, &ask)));
    assert!(!told(lab.wire(ETH0, &ask)), "not so soon");
    lab.advance(10_000);
    assert!(told(lab.wire(ETH0, &ask)));
}

#[test]
fn new_rules_neighbours_and_settings_hold_for_the_next_packet() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n");
    assert_eq!(retraced(&mut lab), 3);
    let data = tcp(CLIENT, SERVER, "PA").numbers(1031, 5001);
    let mut host = Box::default();
    let server = host.parts.neighbours.iter_mut().find(|(_, address, _)| *address == ip("192.168.1.2")).expect("is known");
    server.2 = Neighbour::Known([0xaa; 6]);
    lab.rehost(&host);
    lab.sim.wire(ETH0, &[frame(&data)], &Default::default());
    let sent = lab.sim.events();
    assert!(matches!(&sent[..], [engine::sim::Event::Transmit { frame, .. }] if frame[..6] == [0xaa; 6]), "{sent:?}");
    host.interfaces[1].mtu = 39;
    lab.rehost(&host);
    assert!(lab.wire(ETH0, &data.clone().df())[0].contains("icmp 3/4"));
    let settings = Settings { icmp_ratelimit: 0, ..Settings::default() };
    (lab.sim.snapshot.edition, lab.sim.snapshot.settings) = (Edition::new(), Arc::new(settings));
    lab.rehost(&Box::default());
    assert_eq!(lab.wire(ETH0, &data).len(), 1);
    lab.load("*filter\n-A FORWARD -s 10.0.0.2 -m conntrack --ctstate ESTABLISHED -j DROP\nCOMMIT\n");
    assert_eq!(lab.wire(ETH0, &data), [""; 0]);
    assert_eq!(lab.wire(ETH0, &data), [""; 0]);
}

#[test]
fn a_group_that_changes_holds_for_the_next_packet() {
    let mut lab =
        Lab::new("*filter\n-A FORWARD -m conntrack --ctstate INVALID\n-A FORWARD -m devgroup --dst-group 6/14 -j DROP\nCOMMIT\n");
    assert_eq!(retraced(&mut lab), 3);
    let data = tcp(CLIENT, SERVER, "PA").numbers(1031, 5001);
    let mut host = Box::default();
    for (group, passes) in [(7, false), (15, true), (6, false)] {
        host.interfaces[1].group = group;
        lab.rehost(&host);
        assert_eq!(lab.wire(ETH0, &data).len(), usize::from(passes), "group {group}");
    }
}

fn frame(packet: &Packet) -> Vec<u8> {
    let mut frame = packet.frame();
    frame[..6].copy_from_slice(&crate::lab::mac(ETH0));
    frame
}

/// What goes one way only is NEW for ever, and is remembered as such.
#[test]
fn packets_without_answers_need_no_walk_either_until_an_answer_comes() {
    let mut lab = Lab::new(
        "*nat\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n\
         *filter\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
    );
    for _ in 0..4 {
        lab.wire(ETH0, &udp(CLIENT, SERVER));
    }
    assert_eq!(
        (lab.count(Filter, "FORWARD", 1).0, lab.sim.worker.retraced()),
        (4, 2),
        "the first begins it, the second is remembered"
    );
    lab.wire(ETH1, &udp(SERVER, CLIENT));
    lab.wire(ETH0, &udp(CLIENT, SERVER));
    assert_eq!((lab.count(Filter, "FORWARD", 1).0, lab.count(Filter, "FORWARD", 2).0), (4, 2));
}

/// A connection is over when its time is up, not when its timer comes round to it.
#[test]
fn a_connection_past_its_time_is_not_gone_on_with() {
    let mut lab = Lab::new(
        "*filter\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nCOMMIT\n",
    );
    let (ask, answer) = (udp(CLIENT, SERVER), udp(SERVER, CLIENT));
    [(ETH0, &ask), (ETH1, &answer), (ETH0, &ask), (ETH0, &ask)].into_iter().for_each(|(port, packet)| drop(lab.wire(port, packet)));
    assert_eq!((lab.count(Filter, "FORWARD", 1).0, lab.sim.worker.retraced()), (1, 1));
    lab.sim.now.0 += 200_000_000_000;
    lab.wire(ETH0, &ask);
    assert_eq!((lab.count(Filter, "FORWARD", 1).0, lab.sim.worker.retraced()), (2, 1));
}

/// The way of a flow that ended is not that of the one which comes to stand in its place.
#[test]
fn a_new_connection_in_the_place_of_an_old_one_has_no_trace() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n");
    let query = |lab: &mut Lab, server: &str| {
        let first = lab.wire(ETH0, &udp(CLIENT, server));
        lab.wire(ETH1, &udp(server, CLIENT));
        (first, lab.wire(ETH0, &udp(CLIENT, server)), lab.wire(ETH0, &udp(CLIENT, server)))
    };
    query(&mut lab, "192.168.1.2:53");
    lab.advance(200_000);
    assert_eq!(lab.flows(), 0);
    lab.sim.wire(ETH0, &[frame(&udp(CLIENT, "192.168.1.3:53"))], &Default::default());
    lab.wire(ETH1, &udp("192.168.1.3:53", CLIENT));
    lab.sim.wire(ETH0, &[frame(&udp(CLIENT, "192.168.1.3:53"))], &Default::default());
    let sent = lab.sim.events();
    let [engine::sim::Event::Transmit { frame, .. }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(frame[..6], [2, 1, 0, 0, 2, ip("192.168.1.3") as u8]);
}

const STATEFUL: &str = "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -m conntrack --ctstate NEW -j ACCEPT";

fn filter(rules: &str) -> String {
    format!("*filter\n{rules}\nCOMMIT\n")
}

#[test]
fn an_edit_ends_the_traces_that_it_could_change_and_no_other() {
    let first = format!("{STATEFUL}\n-A FORWARD -s 203.0.113.0/24 -j DROP");
    for (edited, holds) in [
        // Rules that come.
        (format!("-A FORWARD -s 10.0.0.3 -j DROP\n{first}"), true),
        (format!("-A FORWARD -s 10.0.0.2 -j LOG\n{first}"), false),
        (format!("-A FORWARD ! -s 10.0.0.2 -j LOG\n{first}"), true),
        (format!("-A FORWARD -p udp -j LOG\n{first}"), true),
        (format!("-A FORWARD -p tcp -m tcp --dport 81:99 -j LOG\n{first}"), true),
        (format!("-A FORWARD -p tcp -m multiport --dports 22,80 -j LOG\n{first}"), false),
        (format!("-A FORWARD -p tcp -m multiport --dports 22,81 -j LOG\n{first}"), true),
        (format!("-A FORWARD -i eth1 -j LOG\n{first}"), true),
        (format!("-A FORWARD -i eth+ -j LOG\n{first}"), false),
        (format!("-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST RST -j LOG\n{first}"), true),
        (format!("-A INPUT -s 10.0.0.2 -j LOG\n{first}"), true),
        (format!(":sub - [0:0]\n-A sub -j LOG\n-A FORWARD -d 192.168.1.3 -j sub\n{first}"), true),
        (format!(":sub - [0:0]\n-A sub -j LOG\n-A FORWARD -d 192.168.1.2 -j sub\n{first}"), false),
        // Rules that go.
        (STATEFUL.to_owned(), true),
        ("-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT".to_owned(), true),
        ("-A FORWARD -m conntrack --ctstate NEW -j ACCEPT".to_owned(), false),
        // Another policy, which these packets do not come to.
        (format!(":FORWARD DROP [0:0]\n{first}"), true),
    ] {
        for change in [Lab::edit, Lab::restore] {
            let mut lab = Lab::new(&filter(&first));
            assert_eq!(retraced(&mut lab), 3);
            change(&mut lab, &filter(&edited));
            let before = lab.sim.worker.retraced();
            lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1031, 5001));
            assert_eq!(lab.sim.worker.retraced() - before, u64::from(holds), "{edited}");
        }
    }
}

/// A restore that says the same again but for some lines is an edit in many places: it ends what meets them.
#[test]
fn a_restore_ends_the_traces_that_its_other_lines_could_change_and_no_other() {
    let rules = |number: u32| {
        let lines = (0..200).map(|n| match n {
            100 => format!("{STATEFUL}\n"),
            n if n % 5 == 0 => format!("-A FORWARD -s 10.{number}.0.{n} -j DROP\n"),
            n => format!("-A FORWARD -s 10.9.0.{n} -j DROP\n"),
        });
        lines.collect::<String>()
    };
    let mut lab = Lab::new(&filter(&rules(1)));
    assert_eq!(retraced(&mut lab), 3);
    let mut walks = |rules: String| {
        lab.restore(&filter(&rules));
        let before = lab.sim.worker.retraced();
        let passed = lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1031, 5001)).len();
        (passed, lab.sim.worker.retraced() - before)
    };
    assert_eq!(walks(rules(1)), (1, 1), "the same again");
    assert_eq!(walks(rules(2)), (1, 1), "39 others");
    assert_eq!(walks(format!("-N own\n{}-A own -j DROP\n", rules(2))), (1, 1), "a chain more");
    assert_eq!(walks(format!("-A FORWARD -s 10.0.0.77 -j DROP\n{}", rules(2))), (1, 1), "it has gone, and others stand elsewhere");
    assert_eq!(walks(rules(3).replace("-A FORWARD -s 10.3.0.5 ", "-A FORWARD -s 10.0.0.2 ")), (0, 0), "one of 39 is met");
    assert_eq!(walks(rules(3)), (1, 0));
    assert_eq!(walks(rules(3)), (1, 1));
    assert_eq!(
        walks(
            rules(3)
                .replace("-m conntrack --ctstate ESTABLISHED -j ACCEPT", "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT")
        ),
        (1, 0)
    );
    assert_eq!(walks(rules(0).replace("--ctstate ESTABLISHED ", "--ctstate INVALID ")), (1, 0), "its own rule has gone");
}

#[test]
fn another_policy_ends_the_traces_of_packets_that_met_it() {
    let rules = |policy| filter(&format!(":FORWARD {policy} [0:0]\n-A FORWARD -m conntrack --ctstate INVALID -j DROP"));
    for change in [Lab::edit, Lab::restore] {
        let mut lab = Lab::new(&rules("ACCEPT"));
        assert_eq!(retraced(&mut lab), 3);
        let passed = ["DROP", "ACCEPT", "DROP"].map(|policy| {
            change(&mut lab, &rules(policy));
            lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1031, 5001)).len()
        });
        assert_eq!(passed, [0, 1, 0]);
    }
}

#[test]
fn a_chain_that_comes_before_others_leaves_rules_where_they_led() {
    let sub =
        ":sub - [0:0]\n-A FORWARD -j sub\n-A sub -s 10.0.0.3 -j DROP\n-A sub -m conntrack --ctstate NEW,ESTABLISHED -j RETURN\n";
    let mut lab = Lab::new(&filter(sub));
    assert_eq!(retraced(&mut lab), 3);
    for early in [":early - [0:0]\n-A early -j DROP\n", ":a - [0:0]\n:b - [0:0]\n-A b -s 10.0.0.9 -j a\n", ""] {
        lab.restore(&filter(&format!("{early}{sub}")));
        let before = lab.sim.worker.retraced();
        assert_eq!(lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1031, 5001)).len(), 1);
        assert_eq!(lab.sim.worker.retraced() - before, 1);
        let others = [tcp("10.0.0.2:7", SERVER, "S"), tcp("10.0.0.3:7", SERVER, "S")].map(|packet| lab.wire(ETH0, &packet).len());
        assert_eq!(others, [1, 0], "{early}");
    }
}

#[test]
fn a_rule_that_looks_at_what_is_translated_ends_the_traces_of_those_packets() {
    let dnat = "*nat\n-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.3:8080\nCOMMIT\n";
    for (rule, holds) in
        [("-d 192.168.1.2", false), ("-d 192.168.1.3", false), ("-d 192.168.1.4", true), ("-p tcp --dport 8080", false)]
    {
        let mut lab = Lab::new(&format!("{dnat}{}", filter(STATEFUL)));
        lab.wire(ETH0, &tcp(CLIENT, SERVER, "S"));
        lab.wire(ETH1, &tcp("192.168.1.3:8080", CLIENT, "SA").numbers(5000, 1001));
        let data = |lab: &mut Lab| lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1001, 5001)).len();
        assert_eq!([data(&mut lab), data(&mut lab)], [1, 1]);
        lab.edit(&format!("{dnat}{}", filter(&format!("-A FORWARD {rule} -j LOG\n{STATEFUL}"))));
        let before = lab.sim.worker.retraced();
        data(&mut lab);
        assert_eq!(lab.sim.worker.retraced() - before, u64::from(holds), "{rule}");
    }
}

#[test]
fn what_goes_one_way_only_is_asked_of_a_nat_table_that_changed() {
    let nat = |rules: &str| format!("*nat\n:POSTROUTING ACCEPT [0:0]\n{rules}COMMIT\n{}", filter(STATEFUL));
    let mut lab = Lab::new(&nat(""));
    let retraced = |lab: &mut Lab| {
        let before = lab.sim.worker.retraced();
        lab.wire(ETH0, &udp(CLIENT, SERVER));
        lab.sim.worker.retraced() - before
    };
    assert_eq!([0; 3].map(|_| retraced(&mut lab)), [0, 0, 1]);
    lab.edit(&nat("-A POSTROUTING -s 203.0.113.1 -j MASQUERADE\n"));
    assert_eq!([0; 2].map(|_| retraced(&mut lab)), [0, 1]);
}

/// Its bucket is full again, and stands elsewhere.
#[test]
fn a_limit_in_a_table_that_was_edited_is_asked_anew() {
    let rules = |more: &str| filter(&format!("{more}-A FORWARD -p tcp -m limit --limit 1/hour --limit-burst 2 -j LOG\n{STATEFUL}"));
    let mut lab = Lab::new(&rules(""));
    assert_eq!(retraced(&mut lab), 3);
    lab.edit(&rules("-A FORWARD -p udp -m limit --limit 1/s -j ACCEPT\n"));
    let logged = |lab: &mut Lab| lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1031, 5001)).len() - 1;
    assert_eq!([0; 4].map(|_| logged(&mut lab)), [1, 1, 0, 0]);
}

/// Packets of so many connections, as one burst.
fn burst(lab: &mut Lab, flows: u16) -> usize {
    let frames: Vec<_> = (0..flows).map(|flow| frame(&udp(&format!("10.0.0.2:{}", 2000 + flow), SERVER))).collect();
    lab.sim.wire(ETH0, &frames, &Default::default());
    lab.lines().iter().filter(|line| line.starts_with("eth1")).count()
}

/// A box that knows so many connections, whose packets need no walk.
fn knowing(flows: u16) -> Lab {
    let mut lab = Lab::lingering(&filter(STATEFUL));
    for flow in 0..flows {
        let client = format!("10.0.0.2:{}", 2000 + flow);
        lab.wire(ETH0, &udp(&client, SERVER));
        lab.wire(ETH1, &udp(SERVER, &client));
    }
    assert_eq!([burst(&mut lab, flows), burst(&mut lab, flows)], [usize::from(flows); 2]);
    lab
}

/// How many packets of such a burst passed, and how many walked.
fn walked(lab: &mut Lab, flows: u16) -> (usize, u64) {
    let before = lab.sim.worker.retraced();
    let passed = burst(lab, flows);
    lab.advance(0);
    (passed, u64::from(flows) - (lab.sim.worker.retraced() - before))
}

/// Ends the first half of the connections.
fn half_dropped() -> String {
    filter(&format!("-A FORWARD -p udp -m udp --sport 2000:2031 -j DROP\n{STATEFUL}"))
}

/// Loses none of a worker's packets that come faster than they could be judged anew.
#[test]
fn when_all_rules_change_full_bursts_are_judged_anew_little_by_little() {
    let mut lab = knowing(64);
    assert_eq!(walked(&mut lab, 64), (64, 0));
    lab.load(&half_dropped());
    lab.advance(0);
    assert!(!lab.sim.worker.is_settled());
    let mut dropped = 0;
    // Those that are dropped have no trace: they walk from then on.
    for _ in 0..12 {
        let (passed, walks) = walked(&mut lab, 64);
        assert_eq!(walks, dropped + 1);
        dropped = 64 - passed as u64;
    }
    assert_eq!(dropped, 12, "one in each burst is judged anew");
    assert!(!lab.sim.worker.is_settled());
    let there_is_time = [0; 4].map(|_| walked(&mut lab, 63));
    assert_eq!(there_is_time, [(35, 12 + 16), (31, 28 + 16), (31, 32 + 16), (31, 32 + 3)]);
    lab.advance(1);
    assert!(lab.sim.worker.is_settled());
    lab.load(&half_dropped());
    assert_eq!(walked(&mut lab, 64), (32, 32 + 1 + 1), "and the one that no packet of the last burst asked for");
    lab.advance(1);
    assert!(lab.sim.worker.is_settled(), "no packet needs it any more");
    assert_eq!(walked(&mut lab, 64), (32, 64 - 2), "all are judged anew that were not");
}

#[test]
fn whoever_waits_for_a_change_does_not_wait_longer_than_its_time() {
    let mut lab = knowing(64);
    lab.load(&half_dropped());
    lab.advance(0);
    let walks = [0; 5].map(|_| {
        lab.sim.now.0 += 10_000_000;
        walked(&mut lab, 64).1
    });
    assert_eq!(walks, [1, 2, 3, 4, 64]);
}

#[test]
fn what_was_decided_before_two_changes_is_over() {
    let mut lab = knowing(64);
    lab.load(&half_dropped());
    lab.edit(&half_dropped().replace("COMMIT", "-A FORWARD -p tcp -j DROP\nCOMMIT"));
    assert_eq!(walked(&mut lab, 64), (32, 64));
}

#[derive(Clone, Debug)]
enum Op {
    /// A client says something to a server.
    Ask { client: usize, server: usize, tcp: bool, flags: usize, look: usize },
    /// The answer to what left the box that many packets before.
    Answer { back: usize, flags: usize, look: usize },
    /// The last packet comes again, so many of it at once.
    Again(usize),
    /// Time passes.
    Wait(u64),
    /// The rules are loaded anew.
    Load,
    /// A rule comes to this place, or goes.
    Edit(usize, usize),
    /// Some do, by a restore that says the others again.
    Restore(Vec<(usize, usize)>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (0..3usize, 0..3usize, any::<bool>(), 0..6usize, 0..8usize)
            .prop_map(|(client, server, tcp, flags, look)| Op::Ask { client, server, tcp, flags, look }),
        6 => (0..5usize, 0..6usize, 0..8usize).prop_map(|(back, flags, look)| Op::Answer { back, flags, look }),
        3 => (1..5usize).prop_map(Op::Again),
        1 => prop_oneof![Just(5), Just(400), Just(9_000)].prop_map(Op::Wait),
        1 => Just(Op::Load),
        2 => (0..RULES.len(), 0..9usize).prop_map(|(rule, at)| Op::Edit(rule, at)),
        2 => prop::collection::vec((0..RULES.len(), 0..9usize), 0..4).prop_map(Op::Restore),
    ]
}

fn text(chosen: &[usize]) -> String {
    let mut text = String::new();
    for table in ["raw", "mangle", "nat", "filter", "security"] {
        let mut rules: Vec<_> =
            chosen.iter().map(|rule| RULES[*rule]).filter(|(of, _)| *of == table).map(|(_, rule)| rule).collect();
        // A chain is there once.
        let mut chains = HashSet::new();
        rules.retain(|rule| !rule.starts_with(':') || chains.insert(*rule));
        if !rules.is_empty() {
            text += &format!("*{table}\n{}\nCOMMIT\n", rules.join("\n"));
        }
    }
    text
}

/// Mostly alike, sometimes with something that a rule or the box looks at.
fn look(packet: Packet, look: usize) -> Packet {
    match look {
        0 => packet.tos(0x10),
        1 => packet.ttl(1),
        2 => packet.data(100),
        3 => packet.df().data(1490),
        // A number that no window has.
        4 => packet.numbers(0x7000_0000, 1001),
        _ => packet,
    }
}

fn segment(src: &str, dst: &str, flags: usize, asks: bool) -> Packet {
    let flags = [if asks { "S" } else { "SA" }, "A", "A", "PA", "FA", "RA"][flags];
    let numbers = match (asks, flags) {
        (true, "S") => (1000, 0),
        (true, _) => (1001, 5001),
        (false, "SA") => (5000, 1001),
        (false, _) => (5001, 1001),
    };
    tcp(src, dst, flags).numbers(numbers.0, numbers.1)
}

/// A rule comes to this place, or goes.
fn come_or_go(chosen: &mut Vec<usize>, rule: usize, at: usize) {
    match chosen.iter().position(|chosen| *chosen == rule) {
        Some(at) => drop(chosen.remove(at)),
        None => chosen.insert(at % (chosen.len() + 1), rule),
    }
}

/// What each step brought out, and in the end all counters.
fn outcome(lab: &mut Lab, chosen: &[usize], ops: &[Op]) -> Vec<String> {
    let mut chosen = chosen.to_vec();
    let (mut all, mut sent) = (Vec::new(), Vec::<(String, String, String, bool)>::new());
    let mut last: Option<(program::InterfaceId, Packet)> = None;
    for op in ops {
        let lines = match op {
            Op::Ask { client, server, tcp, flags, look: how } => {
                let src = ["10.0.0.2:1024", "10.0.0.2:1025", "10.0.0.3:1024"][*client];
                let dst = ["192.168.1.2:80", "192.168.1.3:53", "198.51.100.7:80"][*server];
                let packet = if *tcp { segment(src, dst, *flags, true) } else { udp(src, dst) };
                let packet = last.insert((ETH0, look(packet, *how)));
                lab.wire(packet.0, &packet.1)
            }
            Op::Answer { back, flags, look: how } => {
                let Some((port, src, dst, is_tcp)) = sent.len().checked_sub(back + 1).map(|at| sent[at].clone()) else { continue };
                let asks = src.starts_with("10.0.0.") || dst.ends_with(":80") || dst.ends_with(":8080") || dst.ends_with(":53");
                let packet = if is_tcp { segment(&dst, &src, *flags, !asks) } else { udp(&dst, &src) };
                let port = [ETH0, ETH1, ETH2][port[3..].parse::<usize>().expect("a port's number")];
                let packet = last.insert((port, look(packet, *how)));
                lab.wire(packet.0, &packet.1)
            }
            Op::Again(times) => {
                let Some((port, packet)) = &last else { continue };
                let mut frame = packet.frame();
                frame[..6].copy_from_slice(&crate::lab::mac(*port));
                lab.sim.wire(*port, &vec![frame; *times], &Default::default());
                lab.lines()
            }
            Op::Wait(millis) => lab.advance(*millis),
            Op::Load => {
                lab.load(&text(&chosen));
                Vec::new()
            }
            Op::Edit(rule, at) => {
                come_or_go(&mut chosen, *rule, *at);
                lab.edit(&text(&chosen));
                Vec::new()
            }
            Op::Restore(rules) => {
                rules.iter().for_each(|(rule, at)| come_or_go(&mut chosen, *rule, *at));
                lab.restore(&text(&chosen));
                Vec::new()
            }
        };
        for line in &lines {
            let words: Vec<_> = line.split(' ').collect();
            if let [port, src, ">", dst, protocol @ ("tcp" | "udp"), ..] = words[..] {
                sent.push((port.trim_end_matches(':').into(), src.into(), dst.into(), protocol == "tcp"));
            }
        }
        all.push(format!("{lines:?}"));
    }
    let counts = (0..1024).map(|slot| lab.sim.worker.counters().get(program::CounterSlot(slot)));
    all.extend(counts.map(|count| format!("{count:?}")));
    all.push(format!("{:?}", lab.drops()));
    let flows = lab.sim.worker.flows();
    all.extend(flows.iter().map(|(_, flow)| format!("{flow:?}")));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn with_traces_and_without_everything_is_the_same(
        chosen in prop::collection::vec(0..RULES.len(), 0..9),
        ops in prop::collection::vec(op(), 1..150),
    ) {
        let rules = text(&chosen);
        let (mut walking, mut tracing) = (Lab::walking(&rules), Lab::new(&rules));
        let (expected, got) = (outcome(&mut walking, &chosen, &ops), outcome(&mut tracing, &chosen, &ops));
        prop_assert_eq!(walking.sim.worker.retraced(), 0);
        prop_assert_eq!(expected, got, "{}", rules);
    }
}
