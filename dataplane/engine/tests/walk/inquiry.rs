//! What a worker is asked about its flows, and how it answers beside its packets.

use engine::conntrack::{Dir, FlowId, Labels, Status};
use engine::events::Kind;
use engine::inbox::{Change, Page, Question, Wish};
use packet::family::Either;
use packet::{Ipv4, TupleL4};

use crate::lab::frames::udp;
use crate::lab::{ETH0, ETH2, FLOW_EXTRAS, Lab};

const OUTWARD: &str = "*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";

/// Asks, and lets rounds of housekeeping go by until the answer is there; how many it took.
pub(crate) fn ask(lab: &mut Lab, wish: Wish, page: Page<Ipv4>) -> (Page<Ipv4>, usize) {
    let inbox = lab.sim.worker.inbox().clone();
    assert!(inbox.ask(Question { ticket: 7, wish, page: Either::Ipv4(page) }).is_ok());
    for round in 1..1000 {
        lab.advance(0);
        if let Some(Question { ticket: 7, page: Either::Ipv4(page), .. }) = inbox.answer() {
            return (page, round);
        }
    }
    panic!("no answer");
}

fn list(lab: &mut Lab, most: usize, zero: bool) -> (Vec<(FlowId, u16, u64)>, usize) {
    let (mut from, mut flows, mut rounds) = (0, Vec::new(), 0);
    loop {
        let (page, took) = ask(lab, Wish::List { zero }, Page::from(from, most));
        rounds += took;
        flows.extend(page.flows.iter().map(|listed| {
            let TupleL4::Ports { src, .. } = listed.flow.tuple(Dir::Original).l4 else { panic!("udp") };
            (listed.id, src, listed.counts[0].packets)
        }));
        from = page.from;
        if page.last {
            return (flows, rounds);
        }
    }
}

fn with_flows(count: u32) -> Lab {
    let mut lab = Lab::new(OUTWARD);
    for port in 1..=count {
        lab.wire(ETH0, &udp(&format!("10.0.0.2:{port}"), "8.8.8.8:53"));
    }
    lab
}

fn ports(flows: &[(FlowId, u16, u64)]) -> Vec<u16> {
    flows.iter().map(|(_, port, _)| *port).collect()
}

#[test]
fn every_flow_is_listed_once_whatever_the_page() {
    for most in [1, 2, 5, 6] {
        assert_eq!(ports(&list(&mut with_flows(5), most, false).0), [1, 2, 3, 4, 5]);
    }
}

#[test]
fn when_a_flow_began_is_known_where_it_is_kept() {
    let began = |lab: &mut Lab| {
        let (page, _) = ask(lab, Wish::List { zero: false }, Page::from(0, 9));
        page.flows.iter().map(|listed| listed.started).collect::<Vec<_>>()
    };
    assert_eq!(began(&mut with_flows(2)), [None, None], "it is not, unless it is asked for");
    let mut lab = Lab::timed(OUTWARD);
    lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:53"));
    let first = lab.sim.now;
    lab.advance(20_000);
    lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:53"));
    lab.wire(ETH0, &udp("10.0.0.2:2", "8.8.8.8:53"));
    let second = lab.sim.now;
    assert!(second > first);
    assert_eq!(began(&mut lab), [Some(first), Some(second)]);
    // A later tenant of the slot has its own beginning, and a flow that is told to end has it still.
    lab.sim.worker.inbox().events().flows.listen(true);
    let all = list(&mut lab, 9, false).0.iter().map(|flow| flow.0).collect();
    ask(&mut lab, Wish::End, Page::of(all));
    lab.advance(1000);
    lab.wire(ETH0, &udp("10.0.0.2:3", "8.8.8.8:53"));
    let third = lab.sim.now;
    assert_eq!(began(&mut lab), [Some(third)]);
    lab.advance(40_000);
    let told = core::iter::from_fn(|| lab.sim.worker.inbox().events().flows.next());
    let last = told.filter_map(|event| match event {
        Either::Ipv4(event) if event.kind == Kind::Destroy => Some(event.listed.started),
        _ => None,
    });
    assert_eq!(last.last(), Some(Some(third)));
}

#[test]
fn counts_begin_anew_when_a_listing_asks_for_it() {
    let mut lab = with_flows(2);
    for (zero, packets) in [(false, 1), (true, 1), (false, 0)] {
        assert!(list(&mut lab, 9, zero).0.iter().all(|flow| flow.2 == packets), "{zero}");
    }
}

#[test]
fn named_flows_end_and_no_later_tenant_of_their_slots() {
    let mut lab = with_flows(3);
    let flows = list(&mut lab, 9, false).0;
    let named = || vec![flows[0].0, flows[2].0];
    let (page, _) = ask(&mut lab, Wish::End, Page::of(named()));
    assert_eq!(page.flows.iter().map(|listed| listed.id).collect::<Vec<_>>(), named());
    assert_eq!(ports(&list(&mut lab, 9, false).0), [2]);
    lab.wire(ETH0, &udp("10.0.0.2:9", "8.8.8.8:53"));
    assert!(ask(&mut lab, Wish::End, Page::of(named())).0.flows.is_empty());
    assert_eq!(lab.flows(), 2);
}

/// Flips and clears bits of marks.
pub(crate) fn marked(value: u32, mask: u32) -> Wish {
    Wish::Change(Change { value, mask, ..Change::default() })
}

/// Takes labels off, and puts labels on.
fn labelled(off: u128, on: u128) -> Wish {
    Wish::Change(Change { off: Labels::of_bits(off), on: Labels::of_bits(on), ..Change::default() })
}

#[test]
fn labels_are_taken_off_before_others_are_put_on_and_marks_stay() {
    let mut lab = with_flows(2);
    let ids: Vec<_> = list(&mut lab, 9, false).0.iter().map(|flow| flow.0).collect();
    ask(&mut lab, marked(7, 0), Page::of(ids.clone()));
    for (off, on, labels) in [(0, 1 << 127 | 3, 1 << 127 | 3), (2, 4, 1 << 127 | 5), (1, 1, 1 << 127 | 5), (u128::MAX, 0, 0)] {
        let (page, _) = ask(&mut lab, labelled(off, on), Page::of(vec![ids[1]]));
        assert_eq!((page.flows[0].extra.labels.bits(), { page.flows[0].flow.mark }), (labels, 7));
    }
    assert_eq!(lab.sim.worker.flows().labels(ids[0]), Labels::NONE);
}

#[test]
fn a_flow_for_whose_labels_there_is_no_room_is_shown_without_and_its_mark_is_changed() {
    let mut lab = with_flows(FLOW_EXTRAS + 1);
    let ids: Vec<_> = list(&mut lab, FLOW_EXTRAS as usize + 9, false).0.iter().map(|flow| flow.0).collect();
    let wish = Wish::Change(Change { value: 5, on: Labels::one(9), ..Change::default() });
    let (page, _) = ask(&mut lab, wish, Page::of(ids));
    let with = |labels| page.flows.iter().filter(|listed| listed.extra.labels == labels && { listed.flow.mark } == 5).count();
    assert_eq!((with(Labels::one(9)), with(Labels::NONE)), (FLOW_EXTRAS as usize, 1));
}

/// Whatever way packets of the flow went before.
#[test]
fn the_next_packet_meets_rules_with_the_labels_that_the_flow_has_then() {
    let mut lab =
        Lab::new("*filter\n-A FORWARD -m connlabel --label 9 -j DROP\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED\nCOMMIT\n");
    let (query, answer) = (udp("10.0.0.2:4000", "8.8.8.8:53"), udp("8.8.8.8:53", "10.0.0.2:4000"));
    lab.wire(ETH0, &query);
    (0..3).for_each(|_| assert_eq!(lab.wire(ETH2, &answer).len(), 1));
    let id = list(&mut lab, 9, false).0[0].0;
    assert!(lab.sim.worker.retraced() > 0);
    for (wish, passes) in [(labelled(0, 1 << 9), 0), (labelled(1 << 9, 1 << 8), 1), (labelled(0, 1 << 9), 0)] {
        ask(&mut lab, wish, Page::of(vec![id]));
        (0..2).for_each(|_| assert_eq!(lab.wire(ETH2, &answer).len(), passes));
    }
}

#[test]
fn marks_lose_the_masks_bits_and_flip_the_values() {
    let mut lab = with_flows(1);
    let id = list(&mut lab, 9, false).0[0].0;
    for (value, mask, mark) in [(0xff, !0, 0xff), (0x0f, 0xf0, 0x00), (0x12, 0, 0x12), (0x12, 0, 0)] {
        let (page, _) = ask(&mut lab, marked(value, mask), Page::of(vec![id]));
        assert_eq!({ page.flows[0].flow.mark }, mark);
    }
}

/// What a change makes of the one flow there: seconds left and status, unless it is over then.
fn changed(lab: &mut Lab, id: FlowId, change: Change) -> Option<(u32, Status)> {
    let (page, _) = ask(lab, Wish::Change(change), Page::of(vec![id]));
    page.flows.first().map(|listed| (listed.flow.remaining_seconds(page.now), listed.flow.status()))
}

fn lasting(seconds: u32) -> Change {
    Change { seconds: Some(seconds), ..Change::default() }
}

#[test]
fn a_timeout_by_hand_holds_until_the_next_packet_and_a_fixed_one_for_good() {
    let mut lab = with_flows(1);
    let id = list(&mut lab, 9, false).0[0].0;
    let left = |change: Option<(u32, Status)>| change.map(|(seconds, _)| seconds);
    let packet = |lab: &mut Lab| {
        lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:53"));
        lab.sim.worker.flows().get(id).map(|flow| flow.remaining_seconds(lab.sim.now))
    };
    assert_eq!(left(changed(&mut lab, id, lasting(500))), Some(500));
    assert_eq!(packet(&mut lab), Some(30));
    assert_eq!(left(changed(&mut lab, id, lasting(u32::MAX))), Some(8_589_934), "as many of the kernel's ticks as it counts");
    let fixed = changed(&mut lab, id, Change { status: Status::settable(1 << 10), ..lasting(500) });
    assert_eq!(fixed.map(|(seconds, status)| (seconds, status.bits() & 1 << 10)), Some((500, 1 << 10)));
    assert_eq!(packet(&mut lab), Some(500), "packets say nothing any more");
    let (page, _) = ask(&mut lab, Wish::Change(Change { value: 5, ..lasting(7) }), Page::of(vec![id]));
    let shown = page.flows[0];
    assert_eq!(
        (shown.flow.remaining_seconds(page.now), { shown.flow.mark }),
        (500, 0),
        "nor does an operator, and nothing is done"
    );
    lab.advance(499_000);
    assert_eq!(lab.flows(), 1);
    lab.advance(3_000);
    assert_eq!(lab.flows(), 0);
}

#[test]
fn a_shorter_timeout_by_hand_is_kept_and_none_ends_the_flow() {
    let mut lab = with_flows(2);
    let ids: Vec<_> = list(&mut lab, 9, false).0.iter().map(|flow| flow.0).collect();
    assert!(changed(&mut lab, ids[0], lasting(5)).is_some());
    assert_eq!(changed(&mut lab, ids[1], lasting(0)), None);
    assert_eq!(ports(&list(&mut lab, 9, false).0), [1]);
    lab.advance(7_000);
    assert_eq!(lab.flows(), 0);
}

#[test]
fn a_status_by_hand_is_what_the_next_packet_meets() {
    let mut lab = Lab::new(
        "*filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -m conntrack ! --ctstatus ASSURED -j DROP\n\
         -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n",
    );
    let passes = |lab: &mut Lab| lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:53")).len();
    (0..3).for_each(|_| assert_eq!(passes(&mut lab), 1));
    let id = list(&mut lab, 9, false).0[0].0;
    let set = |status| Change { status, ..Change::default() };
    let bits = |change: Option<(u32, Status)>| change.map(|(_, status)| status.bits() & 0x0f);
    assert_eq!(bits(changed(&mut lab, id, set(Status::SEEN_REPLY))), Some(0b1010));
    (0..3).for_each(|_| assert_eq!(passes(&mut lab), 0, "it is established now"));
    assert_eq!(bits(changed(&mut lab, id, Change { expected: true, value: 1, ..set(Status::ASSURED) })), Some(0b1010));
    assert_eq!({ lab.sim.worker.flows().get(id).expect("it lives").mark }, 0, "nobody announced it, and nothing is done");
    assert_eq!(bits(changed(&mut lab, id, set(Status::ASSURED))), Some(0b1110));
    (0..3).for_each(|_| assert_eq!(passes(&mut lab), 1));
}

#[test]
fn a_status_by_hand_is_met_by_who_went_the_short_way_before() {
    let mut lab = Lab::new("*filter\n-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP\nCOMMIT\n");
    let passes = |lab: &mut Lab| lab.wire(ETH0, &udp("10.0.0.2:4000", "8.8.8.8:53")).len();
    (0..4).for_each(|_| assert_eq!(passes(&mut lab), 1));
    assert!(lab.sim.worker.retraced() > 0);
    let id = list(&mut lab, 9, false).0[0].0;
    assert!(changed(&mut lab, id, Change { status: Status::SEEN_REPLY, ..Change::default() }).is_some());
    (0..2).for_each(|_| assert_eq!(passes(&mut lab), 0));
}

#[test]
fn a_flow_past_its_time_is_not_shown_though_its_timer_is_late() {
    let mut lab = with_flows(2);
    lab.advance(30_000);
    assert_eq!(lab.flows(), 2);
    let (page, _) = ask(&mut lab, Wish::List { zero: false }, Page::from(0, 9));
    assert!(page.flows.is_empty() && page.last);
}

/// A table of many slots and few flows: each round looks at so many slots and no more, and the rest is for the next.
#[test]
fn a_thin_table_is_listed_and_flushed_in_short_rounds() {
    let mut lab = with_flows(4096);
    // The first flow and the last outlive those between them.
    for _ in 0..25 {
        lab.advance(1000);
        lab.wire(ETH0, &udp("10.0.0.2:1", "8.8.8.8:53"));
        lab.wire(ETH0, &udp("10.0.0.2:4096", "8.8.8.8:53"));
    }
    (0..40).for_each(|_| drop(lab.advance(500)));
    assert_eq!(lab.flows(), 2);
    let (flows, rounds) = list(&mut lab, 64, false);
    assert_eq!((ports(&flows), rounds), (vec![1, 4096], 64), "64 slots a round");
    let inbox = lab.sim.worker.inbox().clone();
    assert!(inbox.ask(Question { ticket: 1, wish: Wish::Flush, page: Either::Ipv4(Page::from(0, 0)) }).is_ok());
    (0..60).for_each(|_| drop(lab.advance(0)));
    assert_eq!(lab.flows(), 1, "the other end of the table is not reached yet");
    assert!(inbox.answer().is_none());
    (0..5).for_each(|_| drop(lab.advance(0)));
    assert_eq!(lab.flows(), 0);
    assert_eq!(inbox.answer().map(|answer| answer.ticket), Some(1));
}

#[test]
fn nobody_who_reads_no_answers_can_stop_the_worker() {
    let mut lab = with_flows(3);
    let inbox = lab.sim.worker.inbox().clone();
    let question = |ticket| Question { ticket, wish: Wish::List { zero: false }, page: Either::Ipv4(Page::from(0, 9)) };
    let asked = (0..100).filter(|ticket| {
        lab.advance(0);
        inbox.ask(question(*ticket)).is_ok()
    });
    let asked = asked.count();
    assert!((17..=33).contains(&asked), "{asked}: questions and answers that wait, and no more");
    assert_eq!(std::iter::from_fn(|| inbox.answer()).count(), 16);
}
