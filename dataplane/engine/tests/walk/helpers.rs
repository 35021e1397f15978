//! Connections that announce others: what helpers read, rewrite and refuse.

use engine::WorkerConfig;
use engine::inbox::{Page, Wish};
use engine::sim::{Event, Shape};
use packet::family::Addr;
use program::InterfaceId;
use proptest::prelude::*;
use rules::TableName::Filter;

use crate::inquiry::ask;
use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, said, tcp, udp};
use crate::lab::{Box, ETH0, ETH2, Lab, mac};

const CT: &str =
    "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -p udp --dport 69 -j CT --helper tftp\nCOMMIT\n";
const MASQUERADE: &str = "*nat\n-A POSTROUTING -o eth2 -j MASQUERADE\nCOMMIT\n";
const ASK: &str = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m helper --helper ftp\n-A FORWARD -m conntrack --ctstatus EXPECTED\n\
                   -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -i eth0 -j ACCEPT\nCOMMIT\n";

const CLIENT: &str = "10.0.0.2:4000";
const SERVER: &str = "8.8.8.8:21";
const BOX: &str = "203.0.113.1:4000";

fn from_client(seq: u32, ack: u32, text: &str) -> Packet {
    tcp(CLIENT, SERVER, "AP").numbers(seq, ack).bytes(text.as_bytes())
}

fn from_server(seq: u32, ack: u32, text: &str) -> Packet {
    tcp(SERVER, BOX, "AP").numbers(seq, ack).bytes(text.as_bytes())
}

/// One packet from the wire; what came out of it carries.
fn pass(lab: &mut Lab, port: InterfaceId, packet: &Packet) -> Vec<String> {
    pass_shaped(lab, port, packet, &Shape::default())
}

fn pass_shaped(lab: &mut Lab, port: InterfaceId, packet: &Packet, shape: &Shape) -> Vec<String> {
    let mut frame = packet.frame();
    frame[..6].copy_from_slice(&mac(port));
    lab.sim.wire(port, &[frame], shape);
    let events = lab.sim.events();
    events
        .iter()
        .map(|event| match event {
            Event::Transmit { frame, .. } | Event::Deliver { frame, .. } => said(frame),
            other => crate::lab::describe(other),
        })
        .collect()
}

/// A control connection through MASQUERADE whose greetings are done: the client is at 1008, the server at 5011.
fn logged_in(rules: &str) -> Lab {
    let mut lab = Lab::new(&format!("{CT}{MASQUERADE}{rules}"));
    assert_eq!(lab.wire(ETH0, &tcp(CLIENT, SERVER, "S").numbers(999, 0)).len(), 1);
    assert_eq!(lab.wire(ETH2, &tcp(SERVER, BOX, "SA").numbers(4999, 1000)).len(), 1);
    lab.wire(ETH0, &tcp(CLIENT, SERVER, "A").numbers(1000, 5000));
    assert_eq!(pass(&mut lab, ETH2, &from_server(5000, 1000, "220 hello\r\n")), ["5000 1000 220 hello"]);
    assert_eq!(pass(&mut lab, ETH0, &from_client(1000, 5011, "USER a\r\n")), ["1000 5011 USER a"]);
    lab
}

#[test]
fn an_active_connection_is_announced_with_the_address_of_the_box_and_numbers_shift_both_ways() {
    let mut lab = logged_in(ASK);
    let port = "PORT 10,0,0,2,7,208\r\n";
    assert_eq!(pass(&mut lab, ETH0, &from_client(1008, 5011, port)), ["1008 5011 PORT 203,0,113,1,7,208"]);
    // Sent again it says the same; what follows is shifted by its three bytes more, and so are acknowledgements.
    assert_eq!(pass(&mut lab, ETH0, &from_client(1008, 5011, port)), ["1008 5011 PORT 203,0,113,1,7,208"]);
    assert_eq!(pass(&mut lab, ETH2, &from_server(5011, 1032, "200 ok\r\n")), ["5011 1029 200 ok"]);
    assert_eq!(pass(&mut lab, ETH0, &from_client(1029, 5019, "LIST\r\n")), ["1032 5019 LIST"]);
    assert_eq!(lab.wire(ETH2, &tcp("8.8.8.8:20", "203.0.113.1:2000", "S")), ["eth0: 8.8.8.8:20 > 10.0.0.2:2000 tcp S ttl 63"]);
    assert_eq!(
        lab.wire(ETH0, &tcp("10.0.0.2:2000", "8.8.8.8:20", "SA").numbers(9, 1001)),
        ["eth2: 203.0.113.1:2000 > 8.8.8.8:20 tcp SA ttl 63"]
    );
    assert_eq!((lab.count(Filter, "FORWARD", 1).0, lab.count(Filter, "FORWARD", 2).0), (2, 2), "known by helper and status");
    assert_eq!(lab.wire(ETH2, &tcp("8.8.8.8:20", "203.0.113.1:2001", "S")), ["tap eth2: 8.8.8.8:20 > 203.0.113.1:2001 tcp S"]);
}

#[test]
fn a_passive_connection_needs_no_rewriting_of_a_server_that_is_not_translated() {
    let mut lab = logged_in(ASK);
    let reply = "227 Entering Passive Mode (8,8,8,8,11,184).\r\n";
    assert_eq!(pass(&mut lab, ETH2, &from_server(5011, 1008, reply)), [format!("5011 1008 {}", reply.trim_end())]);
    lab.wire(ETH0, &tcp("10.0.0.2:4444", "8.8.8.8:3000", "S"));
    assert_eq!(lab.count(Filter, "FORWARD", 2).0, 1, "announced");
    assert_eq!(lab.sim.worker.flows().expectations().len(), 0, "and taken");
}

#[test]
fn a_page_in_a_browser_punches_no_hole() {
    let mut lab = logged_in(ASK);
    // It sends a command inside of a segment, and then one where no line begins.
    let post = "POST / HTTP/1.1\r\nPORT 10,0,0,2,0,22\r\nno end";
    assert_eq!(pass(&mut lab, ETH0, &from_client(1008, 5011, post)).len(), 1);
    let next = 1008 + post.len() as u32;
    assert_eq!(
        pass(&mut lab, ETH0, &from_client(next, 5011, "PORT 10,0,0,2,0,22\r\n")),
        [format!("{next} 5011 PORT 10,0,0,2,0,22")]
    );
    // Nor can it open a way to somebody else.
    let next = next + 20;
    assert_eq!(
        pass(&mut lab, ETH0, &from_client(next, 5011, "PORT 10,0,0,3,0,22\r\n")),
        [format!("{next} 5011 PORT 10,0,0,3,0,22")]
    );
    assert_eq!(lab.sim.worker.flows().expectations().len(), 0);
}

#[test]
fn a_command_that_is_cut_waits_for_the_rest() {
    let mut lab = logged_in("");
    assert_eq!(pass(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7")), [""; 0]);
    assert_eq!(lab.drops(), [("HelperCut", 1)]);
    assert_eq!(pass(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,208\r\n")).len(), 1);
}

#[test]
fn nothing_is_read_without_a_rule() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m conntrack --ctstate RELATED\nCOMMIT\n");
    lab.wire(ETH0, &tcp(CLIENT, SERVER, "S").numbers(999, 0));
    lab.wire(ETH2, &tcp(SERVER, CLIENT, "SA").numbers(4999, 1000));
    for seq in [1000, 1006] {
        lab.wire(ETH0, &from_client(seq, 5000, "A\r\n"));
        lab.wire(ETH0, &from_client(seq + 3, 5000, "PORT 10,0,0,2,7,208\r\n"));
    }
    assert_eq!(lab.sim.worker.flows().expectations().len(), 0);
    assert_eq!(lab.sim.worker.flows().assisted(), 0);
}

#[test]
fn what_grows_beyond_the_mtu_is_cut() {
    let mut lab = logged_in("");
    let mut host = Box::default();
    host.interfaces[2].mtu = 60;
    lab.rehost(&host);
    let lines = lab.wire(ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,8\r\n"));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].ends_with("fragment 40"), "{lines:?}");
}

#[test]
fn every_shape_of_buffer_is_rewritten_alike() {
    for segments in [vec![], vec![54], vec![60, 3, 1, 1], vec![14, 20, 20, 10, 10]] {
        let mut lab = logged_in("");
        let shape = Shape { segments, ..Shape::default() };
        let lines = pass_shaped(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,208\r\n"), &shape);
        assert_eq!(lines, ["1008 5011 PORT 203,0,113,1,7,208"]);
        assert_eq!(lab.sim.outside.live(), 0);
    }
}

#[test]
fn expectations_end_with_their_master() {
    let mut lab = logged_in("");
    pass(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,208\r\n"));
    assert_eq!(lab.sim.worker.flows().expectations().len(), 1);
    // Refused in the window: the connection closes, and is forgotten ten seconds later.
    lab.wire(ETH2, &tcp(SERVER, BOX, "R").numbers(5011, 0));
    lab.advance(11_000);
    assert_eq!((lab.sim.worker.flows().expectations().len(), lab.sim.worker.flows().assisted(), lab.flows()), (0, 0, 0));
}

/// What the worker's flows expect, a page of one at a time.
fn listed(lab: &mut Lab) -> Vec<(u16, String)> {
    let (mut from, mut all) = (0, Vec::new());
    loop {
        let (page, _) = ask(lab, Wish::ListExpected, Page::of_expected(from, 1));
        all.extend(page.expected.iter().map(|found| (found.expectation.ends.dport, found.expectation.by.src.to_ip().to_string())));
        from = page.from;
        if page.last {
            return all;
        }
    }
}

#[test]
fn what_is_expected_is_listed_with_its_master_until_its_time_is_up_or_it_is_forgotten() {
    let mut lab = logged_in("");
    assert_eq!(listed(&mut lab), []);
    pass(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,208\r\n"));
    assert_eq!(listed(&mut lab), [(2000, "10.0.0.2".to_owned())]);
    ask(&mut lab, Wish::FlushExpected, Page::from(0, 0));
    assert_eq!((listed(&mut lab), lab.sim.worker.flows().expectations().len()), (Vec::new(), 0));
    // Announced again: its master does not take it for there still.
    pass(&mut lab, ETH0, &from_client(1029, 5011, "PORT 10,0,0,2,7,209\r\n"));
    assert_eq!(listed(&mut lab), [(2001, "10.0.0.2".to_owned())]);
    lab.advance(301_000);
    assert_eq!(listed(&mut lab), []);
}

#[test]
fn a_child_has_the_mark_that_its_master_has_when_it_begins() {
    let mut lab =
        logged_in("*mangle\n-A PREROUTING -p tcp --dport 21 -m conntrack --ctstate ESTABLISHED -j CONNMARK --set-mark 7\nCOMMIT\n");
    pass(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,208\r\n"));
    lab.wire(ETH2, &tcp("8.8.8.8:20", "203.0.113.1:2000", "S"));
    let marks: Vec<u32> = lab.sim.worker.flows().iter().map(|(_, flow)| flow.mark).collect();
    assert_eq!(marks, [7, 7]);
}

#[test]
fn a_port_that_another_client_announced_is_not_given_twice() {
    let mut lab = logged_in("");
    pass(&mut lab, ETH0, &from_client(1008, 5011, "PORT 10,0,0,2,7,208\r\n"));
    let (other, seen) = ("10.0.0.3:4001", "203.0.113.1:4001");
    lab.wire(ETH0, &tcp(other, SERVER, "S").numbers(999, 0));
    lab.wire(ETH2, &tcp(SERVER, seen, "SA").numbers(4999, 1000));
    pass(&mut lab, ETH0, &tcp(other, SERVER, "AP").numbers(1000, 5000).bytes(b"A\r\n"));
    let said = pass(&mut lab, ETH0, &tcp(other, SERVER, "AP").numbers(1003, 5000).bytes(b"PORT 10,0,0,3,7,208\r\n"));
    assert!(said[0].starts_with("1003 5000 PORT 203,0,113,1,") && !said[0].ends_with(",7,208"), "{said:?}");
}

#[test]
fn an_answer_from_another_port_belongs_to_its_tftp_request() {
    let mut lab = Lab::new(&format!("{CT}{MASQUERADE}{ASK}"));
    let request = udp("10.0.0.2:5000", "8.8.8.8:69").bytes(b"\0\x01file\0octet\0");
    assert_eq!(lab.wire(ETH0, &request), ["eth2: 203.0.113.1:5000 > 8.8.8.8:69 udp ttl 63"]);
    let answer = udp("8.8.8.8:6000", "203.0.113.1:5000");
    assert_eq!(lab.wire(ETH2, &answer), ["eth0: 8.8.8.8:6000 > 10.0.0.2:5000 udp ttl 63"]);
    assert_eq!(lab.wire(ETH0, &udp("10.0.0.2:5000", "8.8.8.8:6000")), ["eth2: 203.0.113.1:5000 > 8.8.8.8:6000 udp ttl 63"]);
    let second = udp("8.8.8.8:6001", "203.0.113.1:5000");
    assert_eq!(lab.wire(ETH2, &second), ["tap eth2: 8.8.8.8:6001 > 203.0.113.1:5000 udp"], "one answer was announced");
}

#[test]
fn an_expectation_ends_after_five_minutes() {
    let mut lab = Lab::new(&format!("{CT}{ASK}"));
    lab.wire(ETH0, &udp("10.0.0.2:5000", "8.8.8.8:69").bytes(b"\0\x02f\0octet\0"));
    for _ in 0..29 {
        lab.advance(10_000);
        // The master lives on.
        lab.wire(ETH0, &udp("10.0.0.2:5000", "8.8.8.8:69"));
    }
    assert_eq!(lab.sim.worker.flows().expectations().len(), 1);
    lab.advance(10_001);
    (0..300).for_each(|_| drop(lab.advance(1)));
    assert_eq!(lab.sim.worker.flows().expectations().len(), 0);
}

const SIP: &str =
    "*raw\n-A PREROUTING -p udp --dport 5060 -j CT --helper sip\n-A PREROUTING -p tcp --dport 5060 -j CT --helper sip\nCOMMIT\n";

fn invite(length: usize) -> String {
    let body = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n";
    let length = if length == 0 { body.len() } else { length };
    format!(
        "INVITE sip:b@8.8.8.8:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;rport\r\nFrom: <sip:a@10.0.0.2:5060>\r\nTo: <sip:b@8.8.8.8>\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:a@10.0.0.2:5060>\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn a_sip_call_names_the_box_in_every_place_and_its_media_come_through() {
    let mut lab = Lab::new(&format!("{SIP}{MASQUERADE}{ASK}"));
    let out = pass(&mut lab, ETH0, &udp("10.0.0.2:5060", "8.8.8.8:5060").bytes(invite(0).as_bytes()));
    let wanted = invite(invite(0).split("\r\n\r\n").last().map_or(0, str::len) + 6).replace("10.0.0.2", "203.0.113.1");
    assert_eq!(out, [wanted]);
    let rtp = udp("8.8.8.8:8000", "203.0.113.1:7000");
    assert_eq!(lab.wire(ETH2, &rtp), ["eth0: 8.8.8.8:8000 > 10.0.0.2:7000 udp ttl 63"]);
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:8001", "203.0.113.1:7001")), ["eth0: 8.8.8.8:8001 > 10.0.0.2:7001 udp ttl 63"]);
    assert_eq!(lab.wire(ETH2, &udp("8.8.4.4:8001", "203.0.113.1:7001")), ["tap eth2: 8.8.4.4:8001 > 203.0.113.1:7001 udp"]);
}

#[test]
fn a_registered_address_is_called_once_the_registrar_agreed_and_no_longer_than_it_said() {
    let mut lab = Lab::new(&format!("{SIP}{MASQUERADE}{ASK}"));
    let register = "REGISTER sip:8.8.8.8:5060 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@10.0.0.2:5090>;expires=60\r\n\r\n";
    let out = pass(&mut lab, ETH0, &udp("10.0.0.2:5060", "8.8.8.8:5060").bytes(register.as_bytes()));
    assert_eq!(out, [register.replace("10.0.0.2", "203.0.113.1")]);
    let call = udp("8.8.8.8:5061", "203.0.113.1:5090");
    assert_eq!(lab.wire(ETH2, &call), ["tap eth2: 8.8.8.8:5061 > 203.0.113.1:5090 udp"], "not yet");
    let agreed = "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@203.0.113.1:5090>;expires=60\r\n\r\n";
    pass(&mut lab, ETH2, &udp("8.8.8.8:5060", "203.0.113.1:5060").bytes(agreed.as_bytes()));
    for port in 5062..5065 {
        let lines = lab.wire(ETH2, &udp(&format!("8.8.8.8:{port}"), "203.0.113.1:5090"));
        assert_eq!(lines, [format!("eth0: 8.8.8.8:{port} > 10.0.0.2:5090 udp ttl 63")], "more than once");
        // Its flow ends, and makes room for the next one's.
        lab.advance(15_000);
        lab.advance(1);
    }
    lab.advance(16_000);
    assert_eq!(lab.wire(ETH2, &udp("8.8.8.8:5070", "203.0.113.1:5090")), ["tap eth2: 8.8.8.8:5070 > 203.0.113.1:5090 udp"]);
}

/// Every worker may get any packet: what one's flow announces another's fulfils.
#[test]
fn workers_announce_to_each_other() {
    for worker in 0..3 {
        let mut lab = CrewLab::new(&format!("{CT}{MASQUERADE}{ASK}"), 3);
        let request = udp("10.0.0.2:5000", "8.8.8.8:69").bytes(b"\0\x01file\0octet\0");
        let out = lab.wire(worker, ETH0, &request);
        let seen = out[0].split(' ').nth(1).expect("a source").to_owned();
        for port in 6000..6008 {
            // Each request announces one answer; which worker's it is depends on the port.
            lab.wire(worker, ETH0, &request);
            let from = format!("8.8.8.8:{port}");
            assert_eq!(lab.wire((worker + 1) % 3, ETH2, &udp(&from, &seen)), [format!("eth0: {from} > 10.0.0.2:5000 udp ttl 63")]);
            let back = lab.wire((worker + 2) % 3, ETH0, &udp("10.0.0.2:5000", &from));
            assert_eq!(back, [format!("eth2: {seen} > {from} udp ttl 63")]);
        }
        assert!(lab.flows().iter().filter(|n| **n > 0).count() > 1, "several workers have children: {:?}", lab.flows());
    }
}

/// A control connection and its data connections may each be another worker's.
#[test]
fn ftp_through_several_workers_in_both_ways() {
    let rules = format!("{CT}*nat\n-A POSTROUTING -o eth2 -j SNAT --to-source 203.0.113.1\nCOMMIT\n{ASK}");
    for start in 0..3 {
        let mut lab = CrewLab::new(&rules, 3);
        let mut queue = (start..).map(|n| n % 3);
        let mut wire = |lab: &mut CrewLab, port, packet: &Packet| lab.wire(queue.next().expect("endless"), port, packet);
        let out = wire(&mut lab, ETH0, &tcp(CLIENT, SERVER, "S").numbers(999, 0));
        let seen = out[0].split(' ').nth(1).expect("a source").to_owned();
        wire(&mut lab, ETH2, &tcp(SERVER, &seen, "SA").numbers(4999, 1000));
        wire(&mut lab, ETH0, &tcp(CLIENT, SERVER, "A").numbers(1000, 5000));
        let mut next = [1000u32, 5000, 0];
        wire(&mut lab, ETH2, &tcp(SERVER, &seen, "AP").numbers(5000, 1000).bytes(b"220 hello\r\n"));
        next[1] += 11;
        wire(&mut lab, ETH0, &from_client(next[0], next[1], "A\r\n"));
        next[0] += 3;
        for data in 2000..2006u16 {
            let text = format!("PORT 10,0,0,2,{},{}\r\n", data >> 8, data & 255);
            wire(&mut lab, ETH0, &from_client(next[0], next[1], &text));
            (next[0], next[2]) = (next[0] + text.len() as u32, next[2] + 3);
            let back = wire(&mut lab, ETH2, &tcp("8.8.8.8:20", &format!("203.0.113.1:{data}"), "S"));
            assert_eq!(back, [format!("eth0: 8.8.8.8:20 > 10.0.0.2:{data} tcp S ttl 63")]);
            let answer = wire(&mut lab, ETH0, &tcp(&format!("10.0.0.2:{data}"), "8.8.8.8:20", "SA").numbers(9, 1001));
            assert_eq!(answer, [format!("eth2: 203.0.113.1:{data} > 8.8.8.8:20 tcp SA ttl 63")]);
            let reply = tcp(SERVER, &seen, "AP").numbers(next[1], next[0] + next[2]).bytes(b"200 ok\r\n");
            assert_eq!(wire(&mut lab, ETH2, &reply), [format!("eth0: {SERVER} > {CLIENT} tcp AP ttl 63")]);
            next[1] += 8;
        }
        for data in 3000..3006u16 {
            let text = format!("227 ok (8,8,8,8,{},{})\r\n", data >> 8, data & 255);
            wire(&mut lab, ETH2, &tcp(SERVER, &seen, "AP").numbers(next[1], next[0] + next[2]).bytes(text.as_bytes()));
            next[1] += text.len() as u32;
            let (inside, server) = ("10.0.0.2:4444", format!("8.8.8.8:{data}"));
            let out = wire(&mut lab, ETH0, &tcp(inside, &server, "S"));
            let outside = out[0].split(' ').nth(1).expect("a source").to_owned();
            let back = wire(&mut lab, ETH2, &tcp(&server, &outside, "SA").numbers(9, 1001));
            assert_eq!(back, [format!("eth0: {server} > {inside} tcp SA ttl 63")]);
        }
        assert_eq!(lab.count(Filter, "FORWARD", 1).0, 24, "all of it was announced");
        assert!(lab.flows().iter().all(|n| *n > 0), "every worker has some of it: {:?}", lab.flows());
        assert_eq!(lab.drops(), []);
    }
}

#[test]
fn packets_of_one_burst_do_not_share_what_one_announces() {
    let mut lab = Lab::new(&format!("{CT}{MASQUERADE}{ASK}"));
    let frame = |packet: Packet| {
        let mut frame = packet.frame();
        frame[..6].copy_from_slice(&mac(ETH0));
        frame
    };
    let request = |port: u16| frame(udp(&format!("10.0.0.2:{port}"), "8.8.8.8:69").bytes(b"\0\x01f\0octet\0"));
    // The flow that is announced, and one that would be if its packet came the other way.
    let other = frame(udp("10.0.0.2:5001", "8.8.8.8:6000"));
    lab.sim.wire(ETH0, &[request(5001), other], &Shape::default());
    assert_eq!(lab.lines().len(), 2);
    assert_eq!(lab.sim.worker.flows().expectations().len(), 1);
    let lines = lab.wire(ETH2, &udp("8.8.8.8:6001", "203.0.113.1:5001"));
    assert_eq!((lines, lab.drops()), (vec!["eth0: 8.8.8.8:6001 > 10.0.0.2:5001 udp ttl 63".to_owned()], vec![]));
}

#[test]
fn without_room_for_a_helper_the_connection_is_refused_by_name() {
    let rules = Lab::new(CT);
    let config =
        WorkerConfig { counters: 1024, flows: 64, flow_extras: 4, neighbours: 4, datagrams: 4, seed: 1, ..WorkerConfig::default() };
    let mut sim = engine::sim::Sim::new(rules.sim.snapshot.clone(), &config);
    for port in 1..=3 {
        let mut frame = tcp(&format!("10.0.0.2:{port}"), SERVER, "S").frame();
        frame[..6].copy_from_slice(&mac(ETH0));
        sim.wire(ETH0, &[frame], &Shape::default());
    }
    let drops: Vec<_> = sim.worker.drops().occurred().map(|(reason, n)| (reason.name(), n)).collect();
    assert_eq!((drops, sim.worker.flows().len()), (vec![("ConntrackExtrasFull", 2)], 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The same for SIP, whose messages are longer and are rewritten in many places.
    #[test]
    fn any_message_passes_or_ends_by_name(
        lines in proptest::collection::vec("(INVITE sip:|SIP/2.0 200|Via: SIP/2.0/UDP |m: |Contact: |CSeq: 1 INVITE|l: 9|v=0|c=IN IP4 |o=- IN IP4 |m=audio )?(<sip:a@)?(10.0.0.2|203.0.113.1|8.8.8.8)?(:5060)?[;, a-z=0-9]{0,12}", 0..14),
        client in any::<bool>(),
        mut prefix in "(INVITE|REGISTER|SIP/2.0 200|BYE) sip:b@8.8.8.8 SIP/2.0\r\nCSeq: 1 (INVITE|REGISTER)\r\n",
    ) {
        let mut lab = Lab::new(&format!("{SIP}{MASQUERADE}"));
        pass(&mut lab, ETH0, &udp("10.0.0.2:5060", "8.8.8.8:5060").bytes(b"x"));
        prefix.push_str(&lines.join("\r\n"));
        let packet = if client { udp("10.0.0.2:5060", "8.8.8.8:5060") } else { udp("8.8.8.8:5060", "203.0.113.1:5060") };
        for said in pass(&mut lab, if client { ETH0 } else { ETH2 }, &packet.bytes(prefix.as_bytes())) {
            prop_assert!(!said.contains("BAD"), "{said}");
        }
        prop_assert_eq!(lab.sim.outside.live(), 0);
    }

    /// Whatever the ends say, nothing panics, no buffer is lost, and every checksum that leaves is right.
    #[test]
    fn any_text_passes_or_ends_by_name(lines in proptest::collection::vec((any::<bool>(), "(PORT |EPRT |227 |229 )?[|,.()0-9a-z]{0,40}(\r\n)?", any::<bool>()), 1..8)) {
        let mut lab = logged_in("");
        let mut next = [1008u32, 5011];
        for (client, text, again) in lines {
            let side = usize::from(!client);
            let packet = if client { from_client(next[0], next[1], &text) } else { from_server(next[1], next[0], &text) };
            let port = if client { ETH0 } else { ETH2 };
            for _ in 0..=usize::from(again) {
                for said in pass(&mut lab, port, &packet) {
                    prop_assert!(!said.contains("BAD"), "{said}");
                }
            }
            next[side] = next[side].wrapping_add(text.len() as u32);
        }
        prop_assert_eq!(lab.sim.outside.live(), 0);
    }
}
