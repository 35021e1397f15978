//! One who watches what becomes of connections: what waits for it, and when it gets it.
//!
//! It asks again and again, and is answered as soon as there is something. What happens between two questions waits here, up to a bound; what is
//! beyond is lost, and it is told how much. Nobody else is held up by one that does not ask.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use proto::flow;
use proto::private::Reply;
use proto::wire::{self, WireError};
use serde::Serialize;

use super::inquiry::Heard;

/// Events that wait for one watcher that did not say how many.
const ROOM: usize = 65_536;
/// And for one that did, at most.
const MOST: usize = 4 * ROOM;
/// How long a question waits for an event: within it the other end can see that its own client has left.
const PATIENCE: Duration = Duration::from_millis(200);

/// What it watches.
#[derive(Debug)]
pub(super) enum Watcher {
    /// Connections.
    Flows(Watch<flow::Event>),
    /// What is expected.
    Expected(Watch<proto::expectation::Event>),
}

impl Watcher {
    /// It asks again.
    pub(super) fn ask(&mut self) {
        match self {
            Watcher::Flows(watch) => watch.ask(),
            Watcher::Expected(watch) => watch.ask(),
        }
    }

    /// What happened. Gives the answer to its question, if it is time.
    pub(super) fn hear(
        &mut self,
        flows: &Heard<flow::Event>,
        expected: &Heard<proto::expectation::Event>,
        now: Instant,
    ) -> Option<Result<(Reply, OwnedFd), WireError>> {
        match self {
            Watcher::Flows(watch) => {
                watch.hear(flows);
                watch.answer(now)
            }
            Watcher::Expected(watch) => {
                watch.hear(expected);
                watch.answer(now)
            }
        }
    }
}

/// What waits for it.
#[derive(Debug)]
pub(super) struct Watch<E> {
    waiting: VecDeque<E>,
    room: usize,
    lost: u64,
    /// Until when its question may wait.
    asked: Option<Instant>,
}

impl<E: Clone + Serialize> Watch<E> {
    /// It asks for the first time, for so many events that may wait. The answer comes at once: whatever happens from then on is told.
    pub(super) fn new(room: Option<u32>) -> Self {
        let room = room.map_or(ROOM, |room| (room as usize).min(MOST));
        Self { waiting: VecDeque::new(), room, lost: 0, asked: Some(Instant::now()) }
    }

    fn ask(&mut self) {
        self.asked = Some(Instant::now() + PATIENCE);
    }

    fn hear(&mut self, heard: &Heard<E>) {
        self.lost += heard.lost;
        for event in &heard.events {
            if self.waiting.len() < self.room {
                self.waiting.push_back(event.clone());
            } else {
                self.lost += 1;
            }
        }
    }

    fn answer(&mut self, now: Instant) -> Option<Result<(Reply, OwnedFd), WireError>> {
        let until = self.asked?;
        if self.waiting.is_empty() && self.lost == 0 && now < until {
            return None;
        }
        self.asked = None;
        let events: Vec<E> = self.waiting.drain(..self.waiting.len().min(flow::PAGE)).collect();
        let lost = std::mem::take(&mut self.lost);
        Some(wire::sealed("events", &flow::encode(&events)).map(|fd| (Reply::Events { lost }, fd)))
    }
}

#[cfg(test)]
mod tests {
    use proto::flow::{Event, Flow, Half, Kind, L4, Name, Zone};

    use super::*;

    fn event(slot: u32) -> Event {
        let half = Half { src: [10, 0, 0, 1].into(), dst: [10, 0, 0, 2].into(), l4: L4::None, counts: None };
        let flow = Flow {
            name: Name(slot, 1),
            id: slot,
            protocol: 99,
            state: "".into(),
            timeout: 600,
            status: 8,
            mark: 0,
            label: String::new(),
            labels: 0,
            helper: "".into(),
            zone: Zone::default(),
            tags: None,
            started: None,
            original: half,
            reply: half,
        };
        Event {
            kind: Kind::New,
            state_changed: false,
            mark_written: false,
            labels_written: false,
            by_hand: false,
            ended: None,
            flow,
        }
    }

    fn heard(slots: &[u32], lost: u64) -> Heard<Event> {
        Heard { events: slots.iter().map(|slot| event(*slot)).collect(), lost }
    }

    fn taken(watcher: &mut Watch<Event>, now: Instant) -> Option<(u64, Vec<u32>)> {
        let (reply, fd) = watcher.answer(now)?.unwrap();
        let Reply::Events { lost } = reply else { panic!("{reply:?}") };
        let events: Vec<Event> = flow::decode(&wire::read_sealed(&fd, wire::MAX_SEGMENT).unwrap()).unwrap();
        Some((lost, events.iter().map(|event| event.flow.name.0).collect()))
    }

    #[test]
    fn the_first_question_is_answered_at_once_and_later_ones_when_something_happens() {
        let mut watcher = Watch::new(None);
        let now = Instant::now();
        assert_eq!(taken(&mut watcher, now), Some((0, vec![])));
        watcher.hear(&heard(&[1], 0));
        assert_eq!(taken(&mut watcher, now), None, "it has not asked");
        watcher.ask();
        watcher.hear(&heard(&[2], 0));
        assert_eq!(taken(&mut watcher, now), Some((0, vec![1, 2])));
        watcher.ask();
        assert_eq!(taken(&mut watcher, now), None, "nothing happened");
        assert_eq!(taken(&mut watcher, now + 2 * PATIENCE), Some((0, vec![])), "its patience ends");
    }

    #[test]
    fn one_that_does_not_ask_loses_what_it_has_no_room_for_and_is_told_how_much() {
        let mut watcher = Watch::new(None);
        for _ in 0..ROOM + 5 {
            watcher.hear(&heard(&[7], 0));
        }
        watcher.hear(&heard(&[], 2));
        let (lost, events) = taken(&mut watcher, Instant::now()).unwrap();
        assert_eq!((lost, events.len()), (7, flow::PAGE));
        watcher.ask();
        assert_eq!(taken(&mut watcher, Instant::now()).map(|(lost, _)| lost), Some(0), "told once");
    }
    #[test]
    fn one_may_say_how_much_may_wait_for_it_up_to_a_bound() {
        for (room, kept) in [(0, 0), (3, 3), (u32::MAX, MOST)] {
            let mut watcher = Watch::new(Some(room));
            for _ in 0..MOST + 5 {
                watcher.hear(&heard(&[7], 0));
            }
            let lost = taken(&mut watcher, Instant::now()).map(|(lost, _)| lost);
            assert_eq!(lost, Some((MOST + 5 - kept) as u64), "room for {room}");
        }
    }
}
