//! What a listener is told of expectations (`conntrack -E expect`), and what is counted of them (`conntrack -S expect`): seen beside the kernel.

use engine::conntrack::expect::SlotId;

use engine::inbox::{Page, Wish};
use packet::TupleL4;
use packet::family::{Addr, Either};

use crate::inquiry::ask;
use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, udp};
use crate::lab::{ETH0, ETH2, Lab};

/// Rules that let TFTP's requests be read, with these options beside.
fn tftp(options: &str) -> String {
    format!("*raw\n-A PREROUTING -p udp --dport 69 -j CT --helper tftp {options}\nCOMMIT\n")
}

/// Listens to what is expected alone.
fn listening(rules: &str) -> Lab {
    let lab = Lab::new(rules);
    lab.sim.worker.inbox().events().expected.listen(true);
    lab
}

fn request() -> Packet {
    udp("10.0.0.2:5000", "8.8.8.8:69").bytes(b"\0\x01file\0octet\0")
}

/// What, seconds left, where to, and the first packet of whoever announced it.
fn describe(event: Either<engine::events::AnnouncedOfAny>) -> String {
    let Either::Ipv4(event) = event else { panic!("no packet of IPv6 was sent") };
    let (of, by) = (event.expectation, event.expectation.by);
    let TupleL4::Ports { src, dst } = by.l4 else { panic!("helpers read UDP and TCP") };
    let seconds = of.expires.seconds_from(event.now);
    format!("{:?} {seconds} {} by {}:{src}>{}:{dst}", event.kind, of.ends.dport, by.src.to_ip(), by.dst.to_ip())
}

fn told(lab: &Lab) -> Vec<String> {
    core::iter::from_fn(|| lab.sim.worker.inbox().events().expected.next()).map(describe).collect()
}

/// Begun as announced, announced, expected no more.
fn counted(lab: &mut Lab) -> [u64; 3] {
    lab.advance(0);
    let tally = lab.sim.worker.gauges().tally();
    [tally.expect_new, tally.expect_create, tally.expect_delete]
}

const BY: &str = "by 10.0.0.2:5000>8.8.8.8:69";

#[test]
fn what_is_announced_is_told_and_counted_when_it_is_made_and_when_it_is_fulfilled() {
    let mut lab = listening(&tftp(""));
    lab.wire(ETH0, &request());
    assert_eq!(told(&lab), [format!("New 300 5000 {BY}")]);
    assert_eq!(counted(&mut lab), [0, 1, 0]);
    lab.advance(1_500);
    lab.wire(ETH2, &udp("8.8.8.8:6000", "10.0.0.2:5000"));
    assert_eq!(told(&lab), [format!("Destroy 298 5000 {BY}")]);
    assert_eq!(counted(&mut lab), [1, 1, 1]);
    let flows = &lab.sim.worker.inbox().events().flows;
    assert!(flows.next().is_none() && flows.take_lost() == 0, "nobody listens to flows");
}

#[test]
fn what_is_announced_again_ended_by_hand_or_by_time_or_with_its_master_is_told_and_counted_once() {
    let mut lab = listening(&tftp(""));
    (0..2).for_each(|_| drop(lab.wire(ETH0, &request())));
    let [new, end] = ["New", "Destroy"].map(|kind| format!("{kind} 300 5000 {BY}"));
    assert_eq!(told(&lab), [new.clone(), end.clone(), new.clone()], "the same again begins anew");
    let (page, _) = ask(&mut lab, Wish::ListExpected, Page::of_expected(0, 9));
    let [id] = page.expected.iter().map(|found| found.id).collect::<Vec<SlotId>>()[..] else { panic!("one is expected") };
    let ended = [(); 2].map(|()| ask(&mut lab, Wish::EndExpected(id), Page::of_expected(0, 1)).0.expected.len());
    assert_eq!(ended, [1, 0], "it can be ended once");
    assert_eq!(told(&lab), core::slice::from_ref(&end));

    lab.wire(ETH0, &request());
    ask(&mut lab, Wish::FlushExpected, Page::from(0, 0));
    assert_eq!(told(&lab), [new.clone(), end.clone()]);

    lab.wire(ETH0, &request());
    let flows = lab.sim.worker.flows().iter().map(|(id, _)| id).collect();
    ask(&mut lab, Wish::End, Page::of(flows));
    assert_eq!(told(&lab), [new.clone(), end.clone()], "its master ended");

    lab.wire(ETH0, &request());
    for _ in 0..30 {
        lab.advance(10_000);
        lab.wire(ETH0, &udp("10.0.0.2:5000", "8.8.8.8:69"));
    }
    (0..300).for_each(|_| drop(lab.advance(1)));
    assert_eq!(told(&lab), [new, format!("Destroy 0 5000 {BY}")]);
    assert_eq!(counted(&mut lab), [0, 5, 5]);
    assert!(lab.sim.worker.flows().expectations().is_empty());
}

/// Letters of what is told of one that is announced and fulfilled.
fn heard(options: &str) -> String {
    let mut lab = listening(&tftp(options));
    lab.wire(ETH0, &request());
    lab.wire(ETH2, &udp("8.8.8.8:6000", "10.0.0.2:5000"));
    assert_eq!(counted(&mut lab), [1, 1, 1], "what is not told is counted");
    told(&lab).iter().map(|line| &line[..1]).collect()
}

#[test]
fn a_rule_says_what_of_it_is_told() {
    for (options, letters) in
        [("", "ND"), ("--expevents new", "N"), ("--ctevents new,destroy", ""), ("--ctevents destroy --expevents new", "N")]
    {
        assert_eq!(heard(options), letters, "{options}");
    }
}

#[test]
fn connections_from_before_anybody_listened_tell_nothing_of_what_they_expect() {
    let mut lab = Lab::new(&tftp(""));
    lab.wire(ETH0, &udp("10.0.0.2:5000", "8.8.8.8:69"));
    lab.sim.worker.inbox().events().expected.listen(true);
    lab.wire(ETH0, &request());
    assert_eq!((told(&lab), counted(&mut lab)), (Vec::new(), [0, 1, 0]));
}

#[test]
fn the_worker_that_fulfils_it_tells_who_announced_it() {
    let mut lab = CrewLab::new(&tftp(""), 3);
    (0..3).for_each(|worker| lab.crew.workers[worker].inbox().events().expected.listen(true));
    let told = |lab: &CrewLab| -> Vec<Vec<String>> {
        let of = |worker: usize| lab.crew.workers[worker].inbox().events();
        (0..3).map(|worker| core::iter::from_fn(|| of(worker).expected.next()).map(describe).collect()).collect()
    };
    let mut elsewhere = 0;
    for port in 6000..6016 {
        lab.wire(0, ETH0, &request());
        let made: Vec<usize> = told(&lab).iter().map(Vec::len).collect();
        lab.wire(0, ETH2, &udp(&format!("8.8.8.8:{port}"), "10.0.0.2:5000"));
        let ended = told(&lab);
        assert_eq!(made.iter().sum::<usize>(), 1);
        assert_eq!(ended.concat(), [format!("Destroy 300 5000 {BY}")]);
        elsewhere += usize::from(made.iter().position(|n| *n > 0) != ended.iter().position(|lines| !lines.is_empty()));
    }
    assert!(elsewhere > 0, "other workers fulfil what one announces");
}

#[test]
fn media_that_a_call_gives_up_are_told_to_end() {
    let rules = "*raw\n-A PREROUTING -p udp --dport 5060 -j CT --helper sip\nCOMMIT\n";
    let mut lab = listening(rules);
    let body = "v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n";
    let invite = format!(
        "INVITE sip:b@8.8.8.8:5060 SIP/2.0\r\nCSeq: 1 INVITE\r\nContact: <sip:a@10.0.0.2:5060>\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    lab.wire(ETH0, &udp("10.0.0.2:5060", "8.8.8.8:5060").bytes(invite.as_bytes()));
    let kinds =
        |lab: &Lab| told(lab).iter().map(|line| line.split(" by ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds(&lab), ["New 180 7000", "New 180 7001"]);
    let busy = "SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\n\r\n";
    lab.wire(ETH2, &udp("8.8.8.8:5060", "10.0.0.2:5060").bytes(busy.as_bytes()));
    assert_eq!(kinds(&lab), ["Destroy 180 7000", "Destroy 180 7001"]);
}

#[test]
fn a_registration_that_is_agreed_to_stays_the_same_expectation() {
    let rules = "*raw\n-A PREROUTING -p udp --dport 5060 -j CT --helper sip\nCOMMIT\n";
    let mut lab = listening(rules);
    let register = "REGISTER sip:8.8.8.8:5060 SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@10.0.0.2:5090>;expires=60\r\n\r\n";
    lab.wire(ETH0, &udp("10.0.0.2:5060", "8.8.8.8:5060").bytes(register.as_bytes()));
    let agreed = "SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@10.0.0.2:5090>;expires=60\r\n\r\n";
    lab.wire(ETH2, &udp("8.8.8.8:5060", "10.0.0.2:5060").bytes(agreed.as_bytes()));
    assert_eq!(told(&lab), ["New 180 5090 by 10.0.0.2:5060>8.8.8.8:5060"]);
    // A call fulfils it and leaves it there.
    lab.wire(ETH2, &udp("8.8.8.8:5061", "10.0.0.2:5090"));
    assert_eq!((told(&lab), counted(&mut lab)), (Vec::new(), [1, 1, 0]));
}
