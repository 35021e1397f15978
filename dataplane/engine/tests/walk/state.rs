//! Rules that ask for connections.

use std::sync::Arc;

use engine::conntrack::policy::Tracker;
use engine::conntrack::{Dir, Policy, Timeouts};
use engine::snapshot::{Edition, Settings};
use etherparse::{Icmpv4Type, icmpv4};
use packet::TupleL4;
use rules::TableName::{Filter, Raw};

use crate::lab::frames::{icmp, ping, pong, tcp, udp};
use crate::lab::{ETH0, ETH1, ETH2, Lab};

const OUTWARD: &str = "*filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n\
    -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A FORWARD -i eth0 -m state --state NEW -j ACCEPT\nCOMMIT\n";

#[test]
fn only_answers_come_in() {
    let mut lab = Lab::new(OUTWARD);
    assert_eq!(lab.wire(ETH2, &tcp("8.8.8.8:80", "10.0.0.2:4000", "S")), [""; 0]);
    assert_eq!(lab.flows(), 0, "a dropped first packet leaves nothing behind");
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "S")).len(), 1);
    assert_eq!(lab.wire(ETH2, &tcp("8.8.8.8:80", "10.0.0.2:4000", "SA").numbers(9, 1001)).len(), 1);
    assert_eq!(
        lab.wire(ETH2, &tcp("8.8.8.8:81", "10.0.0.2:4000", "SA").numbers(9, 1001)),
        [""; 0],
        "an answer that nobody asked for"
    );
    assert_eq!(lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 5)).len(), 1);
    assert_eq!(lab.wire(ETH2, &pong("8.8.8.8", "10.0.0.2", 5)).len(), 1);
    assert_eq!(lab.wire(ETH2, &pong("8.8.8.8", "10.0.0.2", 6)), [""; 0]);
    assert_eq!(lab.count(Filter, "FORWARD", 1).0, 2);
    assert_eq!(lab.count(Filter, "FORWARD", 2).0, 2);
    assert_eq!(lab.count(Filter, "FORWARD", 3).0, 2);
    assert_eq!(lab.count(Filter, "FORWARD", 0).0, 1);
}

#[test]
fn errors_about_a_connection_are_related_and_others_are_not() {
    let mut lab = Lab::new(OUTWARD);
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    let error = |port: u16| {
        let sent = udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53").frame();
        icmp("203.0.113.254", "10.0.0.2", Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit))
            .bytes(&sent[14..])
    };
    assert_eq!(lab.wire(ETH2, &error(4000)).len(), 1);
    assert_eq!(lab.wire(ETH2, &error(4001)), [""; 0]);
}

#[test]
fn a_wrong_checksum_is_invalid_when_the_nic_does_not_know_better() {
    use engine::buffer::RxChecksum::{Bad, Good, Unknown};
    let mut frame = udp("10.0.0.2:4000", "8.8.8.8:53").data(9).frame();
    frame[14 + 26] ^= 0x55;
    for (checksum, passes) in [(Unknown, false), (Bad, false), (Good, true)] {
        let mut lab = Lab::new(OUTWARD);
        let shape = engine::sim::Shape { checksum, ..Default::default() };
        assert_eq!(lab.wire_shaped(ETH0, frame.clone(), &shape).len(), usize::from(passes), "{checksum:?}");
    }
}

#[test]
fn untracked_packets_have_no_flow_and_no_nat() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -p tcp --dport 80 -j NOTRACK\n-A PREROUTING -p udp -j CT --notrack\nCOMMIT\n\
         *nat\n-A PREROUTING -p tcp -j DNAT --to-destination 192.168.1.2\nCOMMIT\n\
         *filter\n:FORWARD DROP\n-A FORWARD -m conntrack --ctstate UNTRACKED -j ACCEPT\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:1", "8.8.8.8:80", "S")), ["eth2: 10.0.0.2:1 > 8.8.8.8:80 tcp S ttl 63"]);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:80")).len(), 1);
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:1", "8.8.8.8:81", "S")), [""; 0]);
    assert_eq!(lab.flows(), 0);
    assert_eq!(lab.count(Raw, "PREROUTING", 1), (1, 40));
}

#[test]
fn zones_part_what_looks_alike() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -i eth0 -j CT --zone 1\n-A PREROUTING -i eth1 -j CT --zone 2\nCOMMIT\n\
         *filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:1")).len(), 1);
    assert_eq!(lab.wire(ETH1, &udp("8.8.8.8:1", "10.0.0.2:1")).len(), 1, "no answer to a packet of another zone");
    assert_eq!(lab.flows(), 2);
}

/// As the kernel does it: the mark counts that the packet has when it is tracked, not where the rule stands, and of it the low half.
#[test]
fn a_zone_is_the_mark_when_the_packet_is_tracked() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -j CT --zone mark\n-A PREROUTING -i eth0 -j MARK --set-mark 0x30001\n\
         -A PREROUTING -i eth1 -j MARK --set-mark 2\n-A PREROUTING -i eth2 -j MARK --set-mark 0x70001\nCOMMIT\n\
         *filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:1")).len(), 1);
    assert_eq!(lab.wire(ETH1, &udp("8.8.8.8:1", "10.0.0.2:1")).len(), 1);
    assert_eq!((lab.flows(), lab.count(Filter, "FORWARD", 1).0), (2, 0), "no answer to a packet of another zone");
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:1", "10.0.0.2:1")).len(), 1);
    assert_eq!((lab.flows(), lab.count(Filter, "FORWARD", 1).0), (2, 1), "the answer");
}

#[test]
fn a_marks_zone_parts_one_direction_alone_and_0_none() {
    let mut lab = Lab::new(
        "*raw\n-A PREROUTING -i eth0 -p udp --sport 1 -j MARK --set-mark 5\n-A PREROUTING -i eth0 -j CT --zone-orig mark\nCOMMIT\n\
         *filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED\nCOMMIT\n",
    );
    for port in ["10.0.0.2:1", "10.0.0.2:2"] {
        assert_eq!(lab.wire(ETH0, &udp(port, "8.8.8.8:1")).len(), 1);
        assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:1", port)).len(), 1);
    }
    assert_eq!((lab.flows(), lab.count(Filter, "FORWARD", 1).0), (2, 2));
}

#[test]
fn the_box_may_ask_and_gets_answers_only() {
    let mut lab = Lab::new("*filter\n:INPUT DROP\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\nCOMMIT\n");
    assert_eq!(lab.wire(ETH2, &tcp("8.8.8.8:80", "203.0.113.1:4000", "A")), [""; 0]);
    assert_eq!(lab.host(ETH2, &tcp("203.0.113.1:4000", "8.8.8.8:80", "S")).len(), 1);
    assert_eq!(
        lab.wire(ETH2, &tcp("8.8.8.8:80", "203.0.113.1:4000", "SA").numbers(9, 1001)),
        ["tap eth2: 8.8.8.8:80 > 203.0.113.1:4000 tcp SA"]
    );
}

#[test]
fn a_rejected_answer_of_a_known_flow_keeps_the_flow() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m conntrack --ctdir REPLY -j REJECT\nCOMMIT\n");
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(
        lab.wire(ETH2, &udp("8.8.8.8:53", "10.0.0.2:4000")),
        ["eth2: 203.0.113.1 > 8.8.8.8 icmp 3/3 [8.8.8.8:53 > 10.0.0.2:4000 ttl 63] tos 0xc0"]
    );
    assert_eq!(lab.flows(), 1);
}

#[test]
fn flows_end_after_their_time() {
    let mut lab = Lab::new(OUTWARD);
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    for _ in 0..29 {
        lab.advance(1000);
    }
    assert_eq!(lab.flows(), 1);
    for _ in 0..10 {
        lab.advance(1000);
    }
    assert_eq!(lab.flows(), 0);
}

#[test]
fn a_full_table_refuses_by_name() {
    let mut lab = Lab::new(OUTWARD);
    for port in 0..4097u32 {
        lab.wire(ETH0, &udp(&format!("10.0.0.2:{}", 1000 + port), "8.8.8.8:53"));
    }
    lab.advance(0);
    assert_eq!((lab.drops(), lab.flows()), (vec![], 4096), "one that is not ASSURED makes way");
    assert_eq!(lab.sim.worker.gauges().tally().early_drop, 1);
    let mut lab = Lab::new(OUTWARD);
    for port in 0..4097u32 {
        let (here, there) = (format!("10.0.0.2:{}", 1000 + port), "8.8.8.8:80");
        lab.wire(ETH0, &tcp(&here, there, "S"));
        lab.wire(ETH2, &tcp(there, &here, "SA").numbers(9, 1001));
        lab.wire(ETH0, &tcp(&here, there, "A").numbers(1001, 10));
    }
    assert_eq!((lab.drops(), lab.flows()), (vec![("ConntrackFull", 3)], 4096), "whatever would begin a flow, be it INVALID then");
}

/// Policies as `nfct add timeout` makes them.
fn policy(name: &str, tracker: Tracker, times: &[(&str, u32)]) -> Policy {
    let mut timeouts = Timeouts::default();
    for (state, place) in tracker.states() {
        if let Some((_, seconds)) = times.iter().find(|(name, _)| name == state) {
            *place(&mut timeouts) = *seconds;
        }
    }
    Policy { name: name.into(), family: packet::FamilyId::Ipv4, tracker, timeouts }
}

/// Destination port (0 without ports) and remaining seconds of every flow.
fn lives(lab: &Lab) -> Vec<(u16, u32)> {
    let now = lab.sim.now;
    let port = |l4: TupleL4| if let TupleL4::Ports { dst, .. } = l4 { dst } else { 0 };
    let flows = lab.sim.worker.flows().iter();
    let mut lives: Vec<(u16, u32)> =
        flows.map(|(_, flow)| (port(flow.tuple(Dir::Original).l4), flow.remaining_seconds(now))).collect();
    lives.sort_unstable();
    lives
}

#[test]
fn a_timeout_policy_gives_its_flows_other_lives_in_every_state() {
    let mut lab = Lab::new("");
    let mut settings = Settings::default();
    settings.conntrack.policies = Arc::new([
        policy("dns", Tracker::Udp, &[("unreplied", 3), ("replied", 4)]),
        policy("web", Tracker::Tcp, &[("syn_sent", 5), ("syn_recv", 6), ("established", 700), ("unacknowledged", 8)]),
        policy("echo", Tracker::Icmp, &[("timeout", 9)]),
    ]);
    (lab.sim.snapshot.edition, lab.sim.snapshot.settings) = (Edition::new(), Arc::new(settings));
    lab.load(
        "*raw\n-A PREROUTING -p udp --dport 53 -j CT --timeout dns\n-A PREROUTING -p tcp --dport 80 -j CT --timeout web\n\
         -A PREROUTING -p icmp -j CT --timeout echo\nCOMMIT\n",
    );
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:54"));
    lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 5));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:80", "S"));
    lab.wire(ETH0, &tcp("10.0.0.2:4000", "8.8.8.8:81", "S"));
    assert_eq!(lives(&lab), [(0, 9), (53, 3), (54, 30), (80, 5), (81, 120)]);
    // The answers meet no rule: the policy stays with the flow.
    for port in [80, 81] {
        lab.wire(ETH2, &tcp(&format!("8.8.8.8:{port}"), "10.0.0.2:4000", "SA").numbers(9, 1001));
    }
    assert_eq!(lives(&lab)[3..], [(80, 6), (81, 60)]);
    for port in [80, 81] {
        lab.wire(ETH0, &tcp("10.0.0.2:4000", &format!("8.8.8.8:{port}"), "A").numbers(1001, 10));
    }
    assert_eq!(lives(&lab)[3..], [(80, 700), (81, 432_000)]);
    lab.advance(2_500);
    lab.wire(ETH2, &udp("8.8.8.8:53", "10.0.0.2:4000"));
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(lives(&lab)[1], (53, 4), "both ways for more than two seconds");
    lab.advance(4_100);
    assert_eq!(lives(&lab).iter().map(|(port, _)| *port).collect::<Vec<_>>(), [0, 54, 80, 81], "its time is up");
}

#[test]
fn the_first_rule_that_lays_something_down_decides_the_policy() {
    let mut lab = Lab::new("");
    let mut settings = Settings::default();
    settings.conntrack.policies = Arc::new([policy("dns", Tracker::Udp, &[("unreplied", 3)])]);
    (lab.sim.snapshot.edition, lab.sim.snapshot.settings) = (Edition::new(), Arc::new(settings));
    lab.load("*raw\n-A PREROUTING -j CT --zone 0\n-A PREROUTING -p udp -j CT --timeout dns\nCOMMIT\n");
    lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(lives(&lab), [(53, 30)]);
}

#[test]
fn what_tracking_did_is_counted_as_the_kernel_counts_it() {
    use engine::conntrack::Tally;
    let mut lab = Lab::new("*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n");
    let tally = |lab: &mut Lab| {
        lab.advance(0);
        lab.sim.worker.gauges().tally()
    };
    lab.wire(ETH0, &ping("10.0.0.2", "8.8.8.8", 5));
    assert_eq!(tally(&mut lab), Tally::default());
    // An error about nothing that is known, and an answer that nobody asked for.
    let sent = udp("10.0.0.2:1", "8.8.8.8:53").frame();
    let error = icmp("203.0.113.254", "10.0.0.2", Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit));
    lab.wire(ETH2, &error.bytes(&sent[14..]));
    lab.wire(ETH2, &pong("8.8.8.8", "10.0.0.2", 6));
    lab.wire(ETH2, &tcp("8.8.8.8:80", "10.0.0.2:4000", "SA"));
    assert_eq!(tally(&mut lab), Tally { error: 1, invalid: 2, ..Tally::default() });
}
