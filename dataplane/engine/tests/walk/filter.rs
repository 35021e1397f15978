//! Verdicts, paths, policies, counters, REJECT, LOG.

use etherparse::{Icmpv4Type, icmpv4};
use rules::TableName::{Filter, Mangle, Raw, Security};

use crate::lab::frames::{icmp, other, ping, tcp, udp};
use crate::lab::{ETH0, ETH1, ETH2, Lab};

#[test]
fn rules_and_policies_decide_and_count() {
    let mut lab = Lab::new(
        "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n\
         -A INPUT -p icmp -j ACCEPT\n-A FORWARD -s 10.0.0.0/24 -d 192.168.1.0/24 -p tcp --dport 80 -j ACCEPT\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "192.168.1.2:80", "S")), ["eth1: 10.0.0.2:4000 > 192.168.1.2:80 tcp S ttl 63"]);
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "192.168.1.2:81", "S")), [""; 0]);
    assert_eq!(lab.wire(ETH0, &ping("10.0.0.2", "10.0.0.1", 1)).len(), 1);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.1:1")), [""; 0]);
    assert_eq!(lab.host(ETH0, &ping("10.0.0.1", "10.0.0.2", 1).data(10)).len(), 1);
    assert_eq!(lab.count(Filter, "FORWARD", 1), (1, 40));
    assert_eq!(lab.count(Filter, "FORWARD", 0), (1, 40));
    assert_eq!(lab.count(Filter, "INPUT", 1), (1, 28));
    assert_eq!(lab.count(Filter, "INPUT", 0), (1, 28));
    assert_eq!(lab.count(Filter, "OUTPUT", 0), (1, 38));
    assert_eq!(lab.drops(), [("FilterPolicy", 2)]);
}

#[test]
fn every_table_sees_a_packet_once_at_each_of_its_hooks() {
    let tables = "*raw\nCOMMIT\n*mangle\nCOMMIT\n*filter\nCOMMIT\n*security\nCOMMIT\n";
    let seen = |lab: &Lab| {
        let mut hooks = Vec::new();
        for (table, chains) in [
            (Raw, &["PREROUTING", "OUTPUT"][..]),
            (Mangle, &["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]),
            (Filter, &["INPUT", "FORWARD", "OUTPUT"]),
            (Security, &["INPUT", "FORWARD", "OUTPUT"]),
        ] {
            for chain in chains {
                let (packets, _) = lab.count(table, chain, 0);
                assert!(packets < 2);
                if packets == 1 {
                    hooks.push(format!("{table:?} {chain}"));
                }
            }
        }
        hooks
    };
    let mut lab = Lab::new(tables);
    lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1"));
    assert_eq!(
        seen(&lab),
        ["Raw PREROUTING", "Mangle PREROUTING", "Mangle FORWARD", "Mangle POSTROUTING", "Filter FORWARD", "Security FORWARD"]
    );
    let mut lab = Lab::new(tables);
    lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.1:1"));
    assert_eq!(seen(&lab), ["Raw PREROUTING", "Mangle PREROUTING", "Mangle INPUT", "Filter INPUT", "Security INPUT"]);
    let mut lab = Lab::new(tables);
    lab.host(ETH0, &udp("10.0.0.1:1", "10.0.0.2:1"));
    assert_eq!(seen(&lab), ["Raw OUTPUT", "Mangle OUTPUT", "Mangle POSTROUTING", "Filter OUTPUT", "Security OUTPUT"]);
    let mut lab = Lab::new(tables);
    lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1").ttl(1));
    assert_eq!(
        seen(&lab),
        [
            "Raw PREROUTING",
            "Raw OUTPUT",
            "Mangle PREROUTING",
            "Mangle OUTPUT",
            "Mangle POSTROUTING",
            "Filter OUTPUT",
            "Security OUTPUT"
        ],
        "the error goes the way of the box's own packets"
    );
}

#[test]
fn interfaces_are_those_of_the_hook() {
    let mut lab = Lab::new(
        "*filter\n-A FORWARD -i eth0 -o eth1 -j ACCEPT\n-A FORWARD -i eth+ -o eth2 -j DROP\n-A INPUT -i eth1 -j DROP\n\
         -A OUTPUT -o eth1 -j DROP\nCOMMIT\n*mangle\n-A POSTROUTING -o eth2 -j DROP\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).len(), 1);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:1")).len(), 0);
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:1", "192.168.1.1:1")).len(), 0);
    assert_eq!(lab.host(ETH1, &udp("192.168.1.1:1", "192.168.1.2:1")).len(), 0);
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:1", "8.8.8.8:1")).len(), 0);
    assert_eq!(lab.drops(), [("MangleRule", 1), ("FilterRule", 3)]);
}

#[test]
fn reject_answers_with_what_it_says() {
    let mut lab = Lab::new(
        "*filter\n-A INPUT -p tcp --dport 80 -j REJECT\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\n\
         -A FORWARD -p udp -j REJECT --reject-with icmp-admin-prohibited\nCOMMIT\n",
    );
    assert_eq!(
        lab.wire(ETH0, &tcp("10.0.0.2:4000", "10.0.0.1:80", "S")),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 3/3 [10.0.0.2:4000 > 10.0.0.1:80 ttl 64] tos 0xc0"]
    );
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "192.168.1.2:80", "S")), ["eth0: 192.168.1.2:80 > 10.0.0.2:4000 tcp AR"]);
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "192.168.1.2:80", "A")), ["eth0: 192.168.1.2:80 > 10.0.0.2:4000 tcp R"]);
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:4000", "192.168.1.2:80", "R")), [""; 0], "no reset for a reset");
    assert_eq!(
        lab.wire(ETH0, &udp("10.0.0.2:4000", "192.168.1.2:80").tos(0x10)),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 3/13 [10.0.0.2:4000 > 192.168.1.2:80 ttl 63] tos 0xd0"]
    );
    assert_eq!(lab.drops(), [("Rejected", 5)]);
    assert_eq!(lab.sim.outside.live(), 0);
}

#[test]
fn a_reset_is_what_the_kernel_sends() {
    let mut lab = Lab::new("*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n");
    let mut frame = tcp("10.0.0.2:4000", "192.168.1.2:80", "SP").numbers(0x01020304, 0).data(10).tos(0x10).frame();
    frame[..6].copy_from_slice(&crate::lab::mac(ETH0));
    lab.sim.wire(ETH0, &[frame], &Default::default());
    let [engine::sim::Event::Transmit { frame, .. }] = &lab.sim.events()[..] else { panic!("one frame") };
    let (ip, tcp) = frame[14..].split_at(20);
    // TOS 0, length 40, id 0, DF, TTL 64.
    assert_eq!(&ip[..10], &[0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6]);
    assert_eq!(&ip[12..], &[192, 168, 1, 2, 10, 0, 0, 2]);
    // Sequence 0, acknowledging SYN and ten bytes, RST and ACK, window 0.
    assert_eq!(&tcp[..16], &[0, 80, 0x0f, 0xa0, 0, 0, 0, 0, 1, 2, 3, 4 + 11, 0x50, 0x14, 0, 0]);
}

#[test]
fn reject_does_not_answer_what_must_not_be_answered() {
    let mut lab = Lab::new("*filter\n-A FORWARD -j REJECT\n-A INPUT -j REJECT\nCOMMIT\n");
    let mut wrong = udp("10.0.0.2:1", "192.168.1.2:1").data(4).frame();
    wrong[14 + 20 + 6] ^= 0xff;
    assert_eq!(lab.wire_frame(ETH0, wrong), [""; 0], "a wrong checksum");
    let error = icmp("10.0.0.2", "192.168.1.2", Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port));
    assert_eq!(lab.wire(ETH0, &error.data(28)), [""; 0], "an ICMP error");
    let mut later = udp("10.0.0.2:1", "192.168.1.2:1").data(40).frame();
    later[21] = 3;
    let sum = packet::checksum::ipv4_header(&later[14..34]);
    later[24..26].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(lab.wire_frame(ETH0, later), [""; 0], "a later fragment");
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.255:1")), [""; 0], "a broadcast");
    assert_eq!(lab.drops(), [("Rejected", 4)]);
}

#[test]
fn an_answer_to_the_box_itself_ends_by_name() {
    let mut lab = Lab::new("*filter\n-A OUTPUT -p udp -j REJECT\n-A OUTPUT -p tcp -j REJECT --reject-with tcp-reset\nCOMMIT\n");
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:5", "8.8.8.8:53")), [""; 0]);
    assert_eq!(lab.host(ETH2, &tcp("203.0.113.1:5", "8.8.8.8:53", "S")), [""; 0]);
    assert_eq!(lab.drops(), [("LocalToLocal", 2), ("Rejected", 2)]);
}

#[test]
fn an_icmp_error_quotes_up_to_576_bytes_of_any_segmentation() {
    let mut lab = Lab::new("*filter\n-A INPUT -j REJECT\nCOMMIT\n");
    let mut frame = udp("10.0.0.2:1", "10.0.0.1:1").data(1400).frame();
    frame[..6].copy_from_slice(&crate::lab::mac(ETH0));
    let shape = engine::sim::Shape { segments: vec![14, 28, 100, 100], ..Default::default() };
    lab.sim.wire(ETH0, &[frame.clone()], &shape);
    let [engine::sim::Event::Transmit { frame: error, .. }] = &lab.sim.events()[..] else { panic!("one frame") };
    assert_eq!(error.len(), 14 + 576);
    assert_eq!(error[14 + 28..], frame[14..14 + 548]);
}

#[test]
fn answers_pass_output_and_can_be_stopped_there() {
    let mut lab = Lab::new(
        "*filter\n-A INPUT -p udp -j REJECT\n-A OUTPUT -o eth0 -p icmp -m conntrack --ctstate RELATED --ctdir REPLY -j DROP\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.1:1")), [""; 0]);
    assert_eq!(lab.count(Filter, "OUTPUT", 1), (1, 56));
    assert_eq!(lab.drops(), [("FilterRule", 1), ("Rejected", 1)]);
    assert_eq!(lab.flows(), 0, "nothing stays of what was refused");
}

#[test]
fn log_writes_the_kernels_line_and_goes_on() {
    let mut lab =
        Lab::new("*filter\n-A INPUT -p tcp --dport 22 -j LOG --log-prefix \"SSH Attempt: \"\n-A INPUT -j ACCEPT\nCOMMIT\n");
    assert_eq!(
        lab.wire(ETH0, &tcp("10.0.0.2:4000", "10.0.0.1:22", "S").tos(0x10).df()),
        [
            "log: SSH Attempt: IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:99:08:00 SRC=10.0.0.2 DST=10.0.0.1 LEN=40 TOS=0x10 \
         PREC=0x00 TTL=64 ID=7 DF PROTO=TCP SPT=4000 DPT=22 WINDOW=64000 RES=0x00 SYN URGP=0 ",
            "tap eth0: 10.0.0.2:4000 > 10.0.0.1:22 tcp S tos 0x10",
        ]
    );
}

#[test]
fn log_shows_marks_and_what_is_forwarded() {
    let mut lab = Lab::new(
        "*mangle\n-A PREROUTING -j MARK --set-mark 0x2a\nCOMMIT\n*filter\n-A FORWARD -j LOG --log-level 6\n-A OUTPUT -j LOG\nCOMMIT\n",
    );
    let lines = lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53"));
    assert_eq!(
        lines[0],
        "log: IN=eth0 OUT=eth2 MAC=02:00:00:00:00:01:02:00:00:00:00:99:08:00 SRC=10.0.0.2 DST=8.8.8.8 LEN=28 TOS=0x00 PREC=0x00 \
         TTL=63 ID=7 PROTO=UDP SPT=4000 DPT=53 LEN=8 MARK=0x2a "
    );
    let lines = lab.host(ETH2, &ping("203.0.113.1", "8.8.8.8", 5));
    assert_eq!(
        lines[0],
        "log: IN= OUT=eth2 SRC=203.0.113.1 DST=8.8.8.8 LEN=28 TOS=0x00 PREC=0x00 TTL=64 ID=7 PROTO=ICMP TYPE=8 CODE=0 ID=5 SEQ=1 "
    );
}

#[test]
fn user_chains_return_and_goto_does_not() {
    let mut lab = Lab::new(
        "*filter\n:FORWARD DROP\n:A -\n:B -\n-A FORWARD -p tcp -j A\n-A FORWARD -p tcp -j ACCEPT\n-A FORWARD -p udp -g B\n\
         -A FORWARD -p udp -j ACCEPT\n-A A -p tcp --dport 80 -j RETURN\n-A A -j DROP\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:1", "192.168.1.2:80", "S")).len(), 1);
    assert_eq!(lab.wire(ETH0, &tcp("10.0.0.2:1", "192.168.1.2:81", "S")).len(), 0);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:81")).len(), 0);
    assert_eq!(lab.drops(), [("FilterRule", 1), ("FilterPolicy", 1)]);
}

#[test]
fn a_cut_transport_header_is_a_hotdrop_that_nothing_counts() {
    let mut lab = Lab::new("*filter\n-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT\n-A FORWARD -j ACCEPT\nCOMMIT\n");
    let packet = crate::lab::frames::other("10.0.0.2", "192.168.1.2", 6).bytes(&[0, 1, 0, 80, 0, 0]);
    assert_eq!(lab.wire(ETH0, &packet), [""; 0]);
    assert_eq!((lab.count(Filter, "FORWARD", 1), lab.count(Filter, "FORWARD", 2)), ((0, 0), (0, 0)));
    assert_eq!(lab.drops(), [("HotDrop", 1)]);
}

#[test]
fn limit_holds_the_rate_and_restarts_with_a_change() {
    let text = "*filter\n:FORWARD DROP\n-A FORWARD -m limit --limit 1/second --limit-burst 3 -j ACCEPT\nCOMMIT\n";
    let mut lab = Lab::new(text);
    let passed = |lab: &mut Lab| (0..10).filter(|_| !lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).is_empty()).count();
    assert_eq!(passed(&mut lab), 3);
    lab.advance(2000);
    assert_eq!(passed(&mut lab), 2);
    lab.load(text);
    assert_eq!(passed(&mut lab), 3);
}

#[test]
fn reject_answers_packets_with_nothing_to_sum_up() {
    let mut lab = Lab::new("*filter\n-A FORWARD -j REJECT\nCOMMIT\n");
    for (protocol, data) in [(2, &[][..]), (2, &[0, 0, 0, 0]), (47, &[0x99]), (47, &[0x80, 0, 8, 0, 1, 2]), (255, &[])] {
        assert_eq!(
            lab.wire(ETH0, &other("10.0.0.2", "192.168.1.2", protocol).bytes(data)),
            [format!("eth0: 10.0.0.1 > 10.0.0.2 icmp 3/3 [10.0.0.2 > 192.168.1.2 proto {protocol} ttl 63] tos 0xc0")]
        );
    }
    assert_eq!(lab.wire(ETH0, &other("10.0.0.2", "192.168.1.2", 255).bytes(&[1, 2])), [""; 0], "no checksum that is right");
}
