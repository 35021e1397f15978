//! The box as a router: what happens to packets when no rule says anything.

use crate::lab::frames::{Packet, icmp, other, ping, tcp, udp};
use crate::lab::{Box, ETH0, ETH1, ETH2, Lab, ip, mac};
use engine::buffer::RxChecksum;
use engine::host::{Neighbour, RpFilter};
use engine::route::{Route, RouteKind};
use engine::sim::Shape;
use etherparse::{Icmpv4Type, icmpv4};

fn router() -> Lab {
    Lab::new("")
}

#[test]
fn a_packet_is_forwarded_with_its_ttl_one_less() {
    let mut lab = router();
    assert_eq!(
        lab.wire(ETH0, &tcp("10.0.0.2:4000", "192.168.1.2:80", "S").ttl(64)),
        ["eth1: 10.0.0.2:4000 > 192.168.1.2:80 tcp S ttl 63"]
    );
    assert_eq!(lab.drops(), []);
    assert_eq!(lab.flows(), 0, "no rule needs connections");
}

#[test]
fn a_forwarded_frame_is_addressed_to_the_next_hop() {
    let mut lab = router();
    let mut frame = udp("10.0.0.2:4000", "8.8.8.8:53").frame();
    frame[..6].copy_from_slice(&mac(ETH0));
    lab.sim.wire(ETH0, &[frame], &Shape::default());
    let [engine::sim::Event::Transmit { port: ETH2, frame }] = &lab.sim.events()[..] else { panic!("one frame by eth2") };
    assert_eq!((&frame[..6], &frame[6..12]), (&[2, 1, 0, 0, 3, 254][..], &mac(ETH2)[..]));
}

#[test]
fn packets_for_the_box_go_to_the_tap_as_they_came() {
    let mut lab = router();
    assert_eq!(lab.wire(ETH0, &ping("10.0.0.2", "10.0.0.1", 1)), ["tap eth0: 10.0.0.2 > 10.0.0.1 icmp 8/0 id 1"]);
    assert_eq!(
        lab.wire(ETH0, &ping("10.0.0.2", "192.168.1.1", 1).ttl(1)),
        ["tap eth0: 10.0.0.2 > 192.168.1.1 icmp 8/0 id 1 ttl 1"]
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:68", "10.0.0.255:67")), ["tap eth0: 10.0.0.2:68 > 10.0.0.255:67 udp"]);
    assert_eq!(lab.wire(ETH0, &udp("0.0.0.0:68", "255.255.255.255:67")), ["tap eth0: 0.0.0.0:68 > 255.255.255.255:67 udp"]);
}

#[test]
fn joined_groups_are_delivered_and_others_end_by_name() {
    let mut lab = router();
    let mut host = Box::default();
    host.parts.groups.push((ETH0, ip("224.0.0.18")));
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &other("10.0.0.2", "224.0.0.18", 112)), ["tap eth0: 10.0.0.2 > 224.0.0.18 proto 112"]);
    assert_eq!(lab.wire(ETH1, &other("192.168.1.2", "224.0.0.18", 112)), [""; 0]);
    assert_eq!(lab.drops(), [("MulticastNotJoined", 1)]);
}

#[test]
fn what_the_box_sends_leaves_as_it_is() {
    let mut lab = router();
    assert_eq!(lab.host(ETH2, &tcp("203.0.113.1:4000", "8.8.8.8:53", "S")), ["eth2: 203.0.113.1:4000 > 8.8.8.8:53 tcp S"]);
}

#[test]
fn frames_that_are_not_ip_pass_both_ways() {
    let mut lab = router();
    let mut arp = vec![0xff; 12];
    arp.extend([8, 6]);
    arp.extend([0; 46]);
    assert_eq!(lab.wire_frame(ETH0, arp.clone()), ["tap eth0: ethertype 0806"]);
    lab.sim.host(ETH0, &[arp], &Shape::default());
    assert_eq!(lab.lines(), ["eth0: ethertype 0806"]);
}

#[test]
fn ipv6_ends_by_name_in_both_directions() {
    let mut lab = router();
    let mut frame = mac(ETH0).to_vec();
    frame.extend([2, 0, 0, 0, 0, 9, 0x86, 0xdd, 0x60]);
    frame.extend([0; 60]);
    assert_eq!(lab.wire_frame(ETH0, frame.clone()), [""; 0]);
    lab.sim.host(ETH0, &[frame], &Shape::default());
    assert_eq!(lab.lines(), [""; 0]);
    assert_eq!(lab.drops(), [("Ipv6NotEnforced", 2)]);
}

#[test]
fn before_the_first_program_nothing_passes() {
    let mut lab = router();
    lab.sim.snapshot.program.root.generation = 0;
    assert_eq!(lab.wire(ETH0, &ping("10.0.0.2", "10.0.0.1", 1)), [""; 0]);
    assert_eq!(lab.host(ETH0, &ping("10.0.0.1", "10.0.0.2", 1)), [""; 0]);
    assert_eq!(lab.drops(), [("NoProgram", 2)]);
}

#[test]
fn frames_to_another_station_and_tagged_ones_end_by_name() {
    let mut lab = router();
    let mut other = ping("10.0.0.2", "10.0.0.1", 1).frame();
    other[..6].copy_from_slice(&[2, 9, 9, 9, 9, 9]);
    assert_eq!(lab.wire_frame(ETH0, other), [""; 0]);
    let mut tagged = mac(ETH0).to_vec();
    tagged.extend([2, 0, 0, 0, 0, 9, 0x81, 0, 0, 5, 8, 0]);
    tagged.extend([0; 60]);
    assert_eq!(lab.wire_frame(ETH0, tagged), [""; 0]);
    assert_eq!(lab.drops(), [("UnknownVlan", 1), ("OtherHost", 1)]);
}

#[test]
fn malformed_packets_end_by_name() {
    let good = ping("10.0.0.2", "192.168.1.2", 1).data(20).frame();
    let change = |at: usize, value: u8| {
        let mut frame = good.clone();
        frame[14 + at] = value;
        frame
    };
    for (frame, name) in [
        (good[..10].to_vec(), "EthernetTruncated"),
        (good[..30].to_vec(), "IpTruncated"),
        (good[..40].to_vec(), "IpTotalLength"),
        (change(0, 0x65), "IpVersion"),
        (change(0, 0x44), "IpHeaderLength"),
        (change(10, !good[24]), "IpChecksum"),
    ] {
        let mut lab = router();
        let mut frame = frame;
        frame[..6].copy_from_slice(&mac(ETH0));
        assert_eq!(lab.wire_frame(ETH0, frame), [""; 0], "{name}");
        assert_eq!(lab.drops(), [(name, 1)]);
        assert_eq!(lab.sim.outside.live(), 0);
    }
}

#[test]
fn padding_is_cut_off() {
    let mut lab = router();
    let mut frame = ping("10.0.0.2", "192.168.1.2", 1).frame();
    frame.extend([0xee; 18]);
    frame[..6].copy_from_slice(&mac(ETH0));
    lab.sim.wire(ETH0, &[frame], &Shape::default());
    let [engine::sim::Event::Transmit { frame, .. }] = &lab.sim.events()[..] else { panic!("one frame") };
    assert_eq!(frame.len(), 14 + 28);
}

#[test]
fn sources_that_cannot_be_end_by_name() {
    for (src, name) in [
        ("224.0.0.5:1", "MartianSource"),
        ("255.255.255.255:1", "MartianSource"),
        ("127.0.0.1:1", "MartianSource"),
        ("192.168.1.1:1", "MartianSource"),
    ] {
        let mut lab = router();
        assert_eq!(lab.wire(ETH0, &udp(src, "192.168.1.2:1")), [""; 0], "{src}");
        assert_eq!(lab.drops(), [(name, 1)]);
    }
    for dst in ["127.0.0.1:1", "0.0.0.0:1"] {
        let mut lab = router();
        assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", dst)), [""; 0]);
        assert_eq!(lab.drops(), [("MartianDestination", 1)]);
    }
}

#[test]
fn odd_but_legal_sources_pass() {
    let mut lab = router();
    for src in ["0.1.2.3", "240.0.0.1", "169.254.1.1", "192.168.1.255"] {
        assert_eq!(
            lab.wire(ETH0, &udp(&format!("{src}:1"), "192.168.1.2:1")),
            [format!("eth1: {src}:1 > 192.168.1.2:1 udp ttl 63")]
        );
    }
}

#[test]
fn a_source_whose_own_route_leads_nowhere_passes_without_rp_filter() {
    let mut host = Box::default();
    let nowhere = Route { prefix: ip("198.18.0.0"), len: 24, kind: RouteKind::Blackhole, ..host.parts.routes[3].clone() };
    host.parts.routes.push(nowhere);
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH2, &udp("198.18.0.3:1", "8.8.8.8:1")), ["eth2: 198.18.0.3:1 > 8.8.8.8:1 udp ttl 63"]);
}

#[test]
fn rp_filter_wants_the_way_back() {
    let mut host = Box::default();
    host.interfaces[0].rp_filter = RpFilter::Strict;
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("192.168.1.9:1", "192.168.1.2:1")), [""; 0]);
    assert_eq!(lab.drops(), [("ReversePath", 1)]);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")).len(), 1);
    host.interfaces[0].rp_filter = RpFilter::Loose;
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("192.168.1.9:1", "192.168.1.2:1")).len(), 1);
}

#[test]
fn accept_local_takes_packets_from_ones_own_addresses() {
    let mut host = Box::default();
    host.interfaces[0].accept_local = true;
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("192.168.1.1:1", "192.168.1.2:1")).len(), 1);
}

#[test]
fn without_forwarding_nothing_passes_and_nobody_is_told() {
    let mut host = Box::default();
    host.interfaces[0].forwarding = false;
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")), [""; 0]);
    assert_eq!(lab.wire(ETH0, &ping("10.0.0.2", "10.0.0.1", 1)).len(), 1, "the box itself is there");
    assert_eq!(lab.drops(), [("ForwardingDisabled", 1)]);
}

#[test]
fn an_ended_ttl_is_told_to_the_sender() {
    let mut lab = router();
    assert_eq!(
        lab.wire(ETH0, &udp("10.0.0.2:4000", "192.168.1.2:53").ttl(1)),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 11/0 [10.0.0.2:4000 > 192.168.1.2:53 ttl 1] tos 0xc0"]
    );
    assert_eq!(lab.drops(), [("TtlExceeded", 1)]);
    let quench = icmp("10.0.0.2", "192.168.1.2", Icmpv4Type::TimeExceeded(icmpv4::TimeExceededCode::TtlExceededInTransit));
    assert_eq!(lab.wire(ETH0, &quench.data(28).ttl(1)), [""; 0], "no error about an error");
}

#[test]
fn routes_that_lead_nowhere_are_told_or_not() {
    let route = |prefix, kind| Route { prefix: ip(prefix), len: 24, tos: 0, metric: 0, source: None, mtu: None, kind };
    let mut host = Box::default();
    host.parts.routes.retain(|route| route.len != 0);
    host.parts.routes.push(route("10.1.0.0", RouteKind::Unreachable));
    host.parts.routes.push(route("10.2.0.0", RouteKind::Prohibit));
    host.parts.routes.push(route("10.3.0.0", RouteKind::Blackhole));
    let mut lab = router();
    lab.rehost(&host);
    let quote = |dst: &str| format!("[10.0.0.2:1 > {dst}:1 ttl 64] tos 0xc0");
    let told = |code: u8, dst: &str| vec![format!("eth0: 10.0.0.1 > 10.0.0.2 icmp 3/{code} {}", quote(dst))];
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:1")), told(0, "8.8.8.8"));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.1.0.1:1")), told(1, "10.1.0.1"));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.2.0.1:1")), told(13, "10.2.0.1"));
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.3.0.1:1")), [""; 0]);
    assert_eq!(lab.drops(), [("NoRoute", 1), ("RouteUnreachable", 1), ("RouteProhibit", 1), ("RouteBlackhole", 1)]);
}

#[test]
fn a_packet_that_must_not_be_cut_is_told_the_mtu() {
    let mut host = Box::default();
    host.interfaces[1].mtu = 1000;
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(
        lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1").data(1100).df()),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 3/4 mtu 1000 [10.0.0.2:1 > 192.168.1.2:1 ttl 64] tos 0xc0"]
    );
    assert_eq!(lab.drops(), [("MtuExceeded", 1)]);
}

#[test]
fn the_mtu_of_a_route_holds_for_packets_that_may_be_cut_and_for_those_that_must_not() {
    let mut host = Box::default();
    for route in &mut host.parts.routes {
        route.mtu = Some(600);
    }
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(
        lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1").data(700).df()),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 3/4 mtu 600 [10.0.0.2:1 > 192.168.1.2:1 ttl 64] tos 0xc0"]
    );
    let pieces = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1").data(700));
    assert_eq!(pieces.len(), 2, "{pieces:?}");
    assert!(pieces[0].ends_with("fragment 0+") && pieces[1].ends_with("fragment 576"), "{pieces:?}");
}

#[test]
fn a_packet_that_may_be_cut_is_cut() {
    let mut host = Box::default();
    host.interfaces[1].mtu = 1000;
    let mut lab = router();
    lab.rehost(&host);
    let whole = udp("10.0.0.2:1", "192.168.1.2:1").data(2500).frame();
    for segments in [vec![], vec![14, 20, 900]] {
        let mut frame = whole.clone();
        frame[..6].copy_from_slice(&mac(ETH0));
        lab.sim.wire(ETH0, &[frame], &Shape { segments, ..Shape::default() });
        let mut data = Vec::new();
        for event in lab.sim.events() {
            let engine::sim::Event::Transmit { port: ETH1, frame } = event else { panic!("only frames by eth1") };
            assert!(crate::lab::frames::describe(&frame).contains("fragment"), "and no wrong checksum");
            assert!(frame.len() <= 14 + 1000);
            assert_eq!(usize::from(u16::from_be_bytes([frame[20], frame[21]]) & 0x1fff) * 8, data.len());
            data.extend_from_slice(&frame[34..]);
        }
        assert_eq!(data, whole[34..]);
    }
    assert_eq!(lab.sim.outside.live(), 0);
}

#[test]
fn the_last_piece_may_fill_the_link_and_the_others_end_where_one_can_begin() {
    let mut host = Box::default();
    host.interfaces[1].mtu = 707;
    let mut lab = router();
    lab.rehost(&host);
    let mut lens = |data: usize| {
        let frame = udp("10.0.0.2:1", "192.168.1.2:1").data(data).frame();
        lab.sim.wire(ETH0, &[[&mac(ETH0)[..], &frame[6..]].concat()], &Shape::default());
        lab.sim
            .events()
            .into_iter()
            .map(|event| match event {
                engine::sim::Event::Transmit { frame, .. } => frame.len() - 14,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    // What Linux sends of packets with 1380, 1387 and 1388 bytes.
    assert_eq!(lens(1352), [700, 700]);
    assert_eq!(lens(1359), [700, 707]);
    assert_eq!(lens(1360), [700, 700, 28]);
}

#[test]
fn a_sender_that_could_have_gone_straight_is_told() {
    let mut lab = router();
    assert_eq!(
        lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.3:1")),
        [
            "eth0: 10.0.0.1 > 10.0.0.2 icmp 5/1 to 10.0.0.3 [10.0.0.2:1 > 10.0.0.3:1 ttl 63] tos 0xc0",
            "eth0: 10.0.0.2:1 > 10.0.0.3:1 udp ttl 63",
        ]
    );
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "10.0.0.3:1")).len(), 1, "not at once again");
}

#[test]
fn packets_wait_for_their_next_hop() {
    let mut lab = router();
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.9:1")), ["eth1: who has 192.168.1.9?"]);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:2", "192.168.1.9:1")), [""; 0]);
    assert_eq!(lab.advance(500), [""; 0]);
    assert_eq!(lab.advance(600), ["eth1: who has 192.168.1.9?"]);
    let mut host = Box::default();
    host.parts.neighbours.push((ETH1, ip("192.168.1.9"), Neighbour::Known([2, 1, 1, 1, 1, 9])));
    lab.rehost(&host);
    assert_eq!(lab.advance(1), ["eth1: 10.0.0.2:1 > 192.168.1.9:1 udp ttl 63", "eth1: 10.0.0.2:2 > 192.168.1.9:1 udp ttl 63"]);
    assert_eq!((lab.drops(), lab.sim.outside.live()), (vec![], 0));
}

#[test]
fn a_next_hop_that_does_not_answer_is_told_to_the_senders() {
    let mut lab = router();
    lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.9:1"));
    lab.advance(1000);
    lab.advance(1000);
    assert_eq!(lab.advance(1000), ["eth0: 10.0.0.1 > 10.0.0.2 icmp 3/1 [10.0.0.2:1 > 192.168.1.9:1 ttl 63] tos 0xc0"]);
    assert_eq!((lab.drops(), lab.sim.outside.live()), (vec![("NeighbourUnreachable", 1)], 0));
}

#[test]
fn waiting_is_bounded_in_packets_and_in_next_hops() {
    let mut lab = router();
    for port in 1..=10 {
        lab.wire(ETH0, &udp(&format!("10.0.0.2:{port}"), "192.168.1.9:1"));
    }
    assert_eq!(lab.drops(), [("NeighbourQueueFull", 2)]);
    for last in 10..20 {
        lab.wire(ETH0, &udp("10.0.0.2:1", &format!("192.168.1.{last}:1")));
    }
    assert_eq!(lab.drops(), [("NeighbourQueueFull", 2 + 7)]);
}

#[test]
fn an_interface_that_is_down_sends_nothing() {
    let mut host = Box::default();
    host.interfaces[1].up = false;
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1")), [""; 0]);
    assert_eq!(lab.drops(), [("InterfaceDown", 1)]);
}

#[test]
fn a_unicast_packet_in_a_broadcast_frame_is_not_forwarded() {
    let mut lab = router();
    let mut frame = udp("10.0.0.2:1", "192.168.1.2:1").frame();
    frame[..6].copy_from_slice(&[0xff; 6]);
    assert_eq!(lab.wire_frame(ETH0, frame), [""; 0]);
    assert_eq!(lab.drops(), [("LinkBroadcast", 1)]);
}

/// The packet with these options behind its IP header.
pub(crate) fn with_options(packet: &Packet, options: &[u8]) -> Vec<u8> {
    let mut frame = packet.frame();
    frame.splice(34..34, options.iter().copied());
    frame[14] = 0x45 + (options.len() / 4) as u8;
    let len = (frame.len() - 14) as u16;
    frame[16..18].copy_from_slice(&len.to_be_bytes());
    let sum = packet::checksum::ipv4_header(&frame[14..34 + options.len()]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    frame
}

#[test]
fn what_stands_behind_the_last_option_is_wiped_out() {
    let mut lab = router();
    let mut frame = with_options(&ping("10.0.0.2", "192.168.1.2", 1), &[148, 4, 0, 0, 0, 1, 2, 3]);
    frame[..6].copy_from_slice(&mac(ETH0));
    lab.sim.wire(ETH0, &[frame], &Shape::default());
    let [engine::sim::Event::Transmit { port: ETH1, frame }] = &lab.sim.events()[..] else { panic!("one frame by eth1") };
    assert_eq!(&frame[34..42], [148, 4, 0, 0, 0, 0, 0, 0]);
    assert_eq!(crate::lab::frames::describe(frame), "10.0.0.2 > 192.168.1.2 icmp 8/0 id 1 ttl 63");
}

#[test]
fn options_are_checked_and_source_routes_end() {
    let mut lab = router();
    assert_eq!(
        lab.wire_frame(ETH0, with_options(&ping("10.0.0.2", "192.168.1.2", 1), &[148, 4, 0, 0])).len(),
        1,
        "router alert passes"
    );
    assert_eq!(lab.wire_frame(ETH0, with_options(&ping("10.0.0.2", "192.168.1.2", 1), &[131, 7, 4, 8, 8, 8, 8, 0])), [""; 0]);
    assert_eq!(
        lab.wire_frame(ETH0, with_options(&ping("10.0.0.2", "192.168.1.2", 1), &[7, 60, 4, 0])),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 12/0 at 20 [10.0.0.2 > 192.168.1.2 icmp 8/0 id 1 ttl 64] tos 0xc0"]
    );
    assert_eq!(lab.drops(), [("IpOptions", 1), ("SourceRoute", 1)]);
}

#[test]
fn wrong_options_are_told_before_a_route_that_leads_nowhere() {
    let mut host = Box::default();
    host.parts.routes.retain(|route| route.prefix != ip("192.168.1.0"));
    host.parts.routes.retain(|route| route.len != 0);
    let mut lab = router();
    lab.rehost(&host);
    assert_eq!(
        lab.wire_frame(ETH0, with_options(&ping("10.0.0.2", "192.168.1.2", 1), &[255, 255, 255, 255])),
        ["eth0: 10.0.0.1 > 10.0.0.2 icmp 12/0 at 20 [10.0.0.2 > 192.168.1.2 icmp 8/0 id 1 ttl 64] tos 0xc0"]
    );
    assert_eq!(lab.drops(), [("IpOptions", 1)]);
}

#[test]
fn multi_segment_and_jumbo_packets_pass_whole() {
    let mut host = Box::default();
    for interface in &mut host.interfaces {
        interface.mtu = 9000;
    }
    let mut lab = router();
    lab.rehost(&host);
    let packet = udp("10.0.0.2:1", "192.168.1.2:1").data(8972);
    for segments in [vec![], vec![1, 2, 3, 4, 5, 6, 7, 8], vec![14, 20, 8], vec![2048, 2048, 2048]] {
        let shape = Shape { segments, ..Shape::default() };
        assert_eq!(lab.wire_shaped(ETH0, packet.frame(), &shape), ["eth1: 10.0.0.2:1 > 192.168.1.2:1 udp ttl 63"]);
    }
}

#[test]
fn a_shared_buffer_is_copied_before_it_is_changed() {
    let mut lab = router();
    let shape = Shape { shared: true, ..Shape::default() };
    assert_eq!(
        lab.wire_shaped(ETH0, ping("10.0.0.2", "192.168.1.2", 1).frame(), &shape),
        ["eth1: 10.0.0.2 > 192.168.1.2 icmp 8/0 id 1 ttl 63"]
    );
    assert_eq!(lab.sim.outside.live(), 0);
}

#[test]
fn a_partial_checksum_from_a_stack_behind_a_veth_is_completed() {
    let mut lab = Lab::new("*nat\n-A PREROUTING -p udp -j DNAT --to-destination 192.168.1.3\nCOMMIT\n");
    let mut frame = udp("10.0.0.2:4000", "192.168.1.2:53").data(1401).frame();
    frame[14 + 20 + 6..][..2].copy_from_slice(&[0x12, 0x34]);
    let shape = Shape { checksum: RxChecksum::Partial, segments: vec![50, 401], ..Shape::default() };
    assert_eq!(lab.wire_shaped(ETH0, frame, &shape), ["eth1: 10.0.0.2:4000 > 192.168.1.3:53 udp ttl 63"]);
}

#[test]
fn udp_without_a_checksum_stays_without_one() {
    let mut frame = udp("10.0.0.2:4000", "192.168.1.2:53").data(9).frame();
    frame[14 + 20 + 6..][..2].copy_from_slice(&[0, 0]);
    frame[..6].copy_from_slice(&mac(ETH0));
    let mut lab = router();
    lab.sim.wire(ETH0, &[frame.clone()], &Shape { checksum: RxChecksum::Partial, ..Shape::default() });
    let [engine::sim::Event::Transmit { port: ETH1, frame: sent }] = &lab.sim.events()[..] else { panic!("one frame by eth1") };
    assert_eq!(sent[34..], frame[34..]);
}

#[test]
fn errors_are_sent_at_the_kernels_rate() {
    let mut lab = router();
    let told = |lab: &mut Lab| (0..10).filter(|_| !lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:1").ttl(1)).is_empty()).count();
    assert_eq!(told(&mut lab), 6);
    lab.advance(2000);
    assert_eq!(told(&mut lab), 2);
    assert_eq!(lab.drops(), [("TtlExceeded", 20), ("AnswerRate", 12)]);
}

#[test]
fn a_partial_checksum_of_the_box_is_completed() {
    let mut lab = router();
    let mut frame = tcp("203.0.113.1:4000", "8.8.8.8:53", "PA").data(33).frame();
    frame[..6].copy_from_slice(&crate::lab::GATEWAY);
    frame[14 + 20 + 16..][..2].copy_from_slice(&[0x12, 0x34]);
    lab.sim.host(ETH2, &[frame], &Shape { checksum: RxChecksum::Partial, segments: vec![60], ..Shape::default() });
    assert_eq!(lab.lines(), ["eth2: 203.0.113.1:4000 > 8.8.8.8:53 tcp AP"]);
}
