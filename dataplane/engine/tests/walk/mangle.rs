//! Targets that change packets and marks, and rerouting of what the box sends.

use rules::TableName::{Filter, Mangle};

use crate::lab::frames::{ping, tcp, udp};
use crate::lab::{Box, ETH0, ETH1, ETH2, FLOW_EXTRAS, Lab, ip};

#[test]
fn tos_is_set_and_the_checksum_stays_right() {
    let mut lab = Lab::new("*mangle\n-A PREROUTING -p tcp --dport 80 -j TOS --set-tos 0x10\nCOMMIT\n");
    assert_eq!(
        lab.wire(ETH0, &tcp("10.0.0.2:1", "192.168.1.2:80", "S")),
        ["eth1: 10.0.0.2:1 > 192.168.1.2:80 tcp S ttl 63 tos 0x10"]
    );
}

#[test]
fn ttl_is_set_raised_and_lowered() {
    let mut lab = Lab::new(
        "*mangle\n-A PREROUTING -p tcp -j TTL --ttl-set 64\n-A PREROUTING -p udp -j TTL --ttl-inc 250\n\
         -A PREROUTING -p icmp -j TTL --ttl-dec 200\nCOMMIT\n",
    );
    assert_eq!(
        lab.wire(ETH0, &tcp("10.0.0.2:1", "192.168.1.2:80", "S").ttl(3)),
        ["eth1: 10.0.0.2:1 > 192.168.1.2:80 tcp S ttl 63"]
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:80").ttl(9)), ["eth1: 10.0.0.2:1 > 192.168.1.2:80 udp ttl 254"]);
    assert_eq!(
        lab.wire(ETH0, &ping("10.0.0.2", "192.168.1.2", 1).ttl(100)),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 11/0 [10.0.0.2 > 192.168.1.2 icmp 8/0 id 1 ttl 0] tos 0xc0"]
    );
}

#[test]
fn marks_are_set_under_masks_and_matched() {
    let mut lab = Lab::new(
        "*mangle\n-A PREROUTING -j MARK --set-mark 0xf0\n-A PREROUTING -j MARK --or-mark 0x3\n-A PREROUTING -j MARK --and-mark 0x33\n\
         -A PREROUTING -m mark --mark 0x33 -j ACCEPT\n-A PREROUTING -j DROP\nCOMMIT\n\
         *filter\n-A FORWARD -m mark --mark 0x30/0xf0 -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).len(), 1);
    assert_eq!(lab.count(Filter, "FORWARD", 1), (1, 28));
}

#[test]
fn every_third_packet_gets_its_mark() {
    let mut lab = Lab::new(
        "*mangle\n\
         -A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 0 -j MARK --set-mark 1\n\
         -A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 1 -j MARK --set-mark 2\n\
         -A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet 2 -j MARK --set-mark 3\nCOMMIT\n\
         *nat\n-A PREROUTING -p tcp --dport 80 -m mark --mark 1 -j DNAT --to-destination 192.168.1.2:80\n\
         -A PREROUTING -p tcp --dport 80 -m mark --mark 2 -j DNAT --to-destination 192.168.1.3:80\n\
         -A PREROUTING -p tcp --dport 80 -m mark --mark 3 -j DNAT --to-destination 192.168.1.4:80\nCOMMIT\n",
    );
    let mut to = Vec::new();
    for port in 1..=6 {
        let lines = lab.wire(ETH0, &tcp(&format!("10.0.0.2:{port}"), "10.0.0.1:80", "S"));
        to.push(lines[0].clone());
    }
    let server = [2, 3, 4, 2, 3, 4];
    for (i, line) in to.iter().enumerate() {
        assert_eq!(*line, format!("eth1: 10.0.0.2:{} > 192.168.1.{}:80 tcp S ttl 63", i + 1, server[i]));
    }
    let again = lab.wire(ETH0, &tcp("10.0.0.2:2", "10.0.0.1:80", "S"));
    assert_eq!(again, ["eth1: 10.0.0.2:2 > 192.168.1.3:80 tcp S ttl 63"], "a connection stays where it is, whatever the mark");
    assert_eq!(lab.count(Mangle, "PREROUTING", 1).0, 3);
}

#[test]
fn a_probability_is_kept_roughly() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m statistic --mode random --probability 0.25 -j DROP\nCOMMIT\n");
    let passed = (0..1000).filter(|_| !lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).is_empty()).count();
    assert!((700..800).contains(&passed), "{passed}");
}

#[test]
fn labels_are_put_saved_restored_and_matched() {
    let label = "user_u:object_r:httpd_t:s0";
    let mut lab = Lab::new(&format!(
        "*security\n-A FORWARD -i eth0 -j SECMARK --selctx {label}\n-A FORWARD -i eth0 -j CONNSECMARK --save\n\
         -A FORWARD -i eth1 -j CONNSECMARK --restore\n-A FORWARD -m selinux --selctx {label} -j ACCEPT\n-A FORWARD -j DROP\nCOMMIT\n"
    ));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).len(), 1);
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:1", "10.0.0.2:1")).len(), 1, "the answer is known by its connection");
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:2", "10.0.0.2:1")).len(), 0);
    assert_eq!(lab.drops(), [("SecurityRule", 1)]);
}

#[test]
fn a_label_that_finds_no_room_is_a_named_drop_and_room_comes_back_with_the_end_of_a_flow() {
    let mut lab = Lab::new(
        "*security\n-A FORWARD -i eth0 -j SECMARK --selctx user_u:object_r:httpd_t:s0\n-A FORWARD -i eth0 -j CONNSECMARK --save\nCOMMIT\n",
    );
    for flow in 0..FLOW_EXTRAS {
        assert_eq!(lab.wire(ETH0, &udp(&format!("10.0.0.2:{}", flow + 1), "192.168.1.2:1")).len(), 1);
    }
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:99", "192.168.1.2:1")).len(), 0);
    assert_eq!(lab.drops(), [("ConntrackExtrasFull", 1)]);
    assert_eq!((lab.flows(), lab.sim.worker.flows().extras()), (FLOW_EXTRAS as usize, FLOW_EXTRAS as usize));
    lab.advance(31_000);
    assert_eq!((lab.flows(), lab.sim.worker.flows().extras()), (0, 0));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:99", "192.168.1.2:1")).len(), 1);
}

#[test]
fn connection_marks_are_saved_and_restored() {
    let mut lab = Lab::new(
        "*mangle\n-A PREROUTING -i eth0 -j MARK --set-mark 7\n-A PREROUTING -i eth0 -j CONNMARK --save-mark\n\
         -A PREROUTING -i eth1 -j CONNMARK --restore-mark\nCOMMIT\n\
         *filter\n:FORWARD DROP\n-A FORWARD -m mark --mark 7 -m connmark --mark 7 -j ACCEPT\nCOMMIT\n",
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).len(), 1);
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:1", "10.0.0.2:1")).len(), 1);
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:9", "10.0.0.2:1")).len(), 0);
}

/// As Linux 6.18 does it: seen with pings over its loopback, and `conntrack -L`.
#[test]
fn marks_are_shifted_on_their_way() {
    for (rules, connmark, mark) in [
        (&["CONNMARK --set-mark 0x5/0xff --left-shift-mark 4"][..], 0x50, 0),
        (
            &[
                "CONNMARK --set-mark 0xf00",
                "MARK --set-mark 0xabc",
                "CONNMARK --save-mark --nfmask 0xff --ctmask 0xf0 --left-shift-mark 4",
            ],
            0x4c0,
            0xabc,
        ),
        (
            &[
                "CONNMARK --set-mark 0xf0f",
                "MARK --set-mark 0xabc",
                "CONNMARK --save-mark --nfmask 0xff0 --ctmask 0x0f --right-shift-mark 4",
            ],
            0xfab,
            0xabc,
        ),
        (
            &[
                "CONNMARK --set-mark 0xf35",
                "MARK --set-mark 0xabc",
                "CONNMARK --restore-mark --nfmask 0x0f --ctmask 0xff --left-shift-mark 8",
            ],
            0xf35,
            0x3fb0,
        ),
        (&["CONNMARK --set-mark 0xf0", "CONNMARK --xor-mark 0x80000001 --left-shift-mark 1"], 0x1e2, 0),
    ] {
        let rules: String = rules.iter().map(|rule| format!("-A PREROUTING -j {rule}\n")).collect();
        let mut lab = Lab::new(&format!(
            "*mangle\n{rules}COMMIT\n*filter\n:FORWARD DROP\n\
             -A FORWARD -m connmark --mark {connmark:#x} -m mark --mark {mark:#x} -j ACCEPT\nCOMMIT\n"
        ));
        assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).len(), 1, "{rules}");
    }
}

#[test]
fn what_the_box_sends_is_routed_again_when_its_destination_changes() {
    let mut lab = Lab::new(
        "*nat\n-A OUTPUT -d 8.8.8.8 -j DNAT --to-destination 192.168.1.2\nCOMMIT\n\
         *filter\n-A OUTPUT -o eth1 -j DROP\nCOMMIT\n*mangle\n-A POSTROUTING -o eth1 -j ACCEPT\nCOMMIT\n",
    );
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:5", "8.8.8.8:53")), ["eth1: 203.0.113.1:5 > 192.168.1.2:53 udp"]);
    assert_eq!(lab.count(Mangle, "POSTROUTING", 1), (1, 28), "POSTROUTING sees the new way out, OUTPUT the first");
    assert_eq!(lab.wire(ETH1, &udp("192.168.1.2:53", "203.0.113.1:5")), ["tap eth1: 8.8.8.8:53 > 203.0.113.1:5 udp"]);
}

#[test]
fn a_changed_destination_that_is_the_box_itself_ends_by_name() {
    let mut lab = Lab::new(
        "*nat\n-A OUTPUT -p udp -j REDIRECT --to-ports 53\n-A OUTPUT -d 8.8.8.8 -j DNAT --to-destination 10.0.0.1\nCOMMIT\n",
    );
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:5", "9.9.9.9:53")), [""; 0]);
    assert_eq!(lab.host(ETH2, &tcp("203.0.113.1:5", "8.8.8.8:53", "S")), [""; 0]);
    assert_eq!(lab.drops(), [("LocalToLocal", 2)]);
    assert_eq!(lab.flows(), 0);
}

#[test]
fn a_mark_alone_keeps_the_frame_of_the_box() {
    let mut lab = Lab::new("*mangle\n-A OUTPUT -j MARK --set-mark 1\nCOMMIT\n");
    // The stack's own neighbour, which is not known here.
    let mut host = Box::default();
    host.parts.neighbours.retain(|(_, address, _)| *address != ip("203.0.113.254"));
    lab.rehost(&host);
    assert_eq!(lab.host(ETH2, &udp("203.0.113.1:5", "8.8.8.8:53")), ["eth2: 203.0.113.1:5 > 8.8.8.8:53 udp"]);
}
