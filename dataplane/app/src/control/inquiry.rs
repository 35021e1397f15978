//! Questions about connections: from a client to the workers that have them, and back.
//!
//! The workers answer when they have time for it, so a client that asked waits, and this thread goes on with others meanwhile. A question is about
//! one table of one worker; a flush asks one after the other.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use engine::Snapshot;
use engine::conntrack::expect::SlotId;
use engine::conntrack::{Counts, Dir, FlowId, Labels, Protocol, Settings, Status};
use engine::events::{Announced, Changes, Event, Feed, Kind};
use engine::inbox::{self, Expected, Inbox, Listed, Page, Question, Wish};
use packet::family::{Addr, Either};
use packet::{Tuple, TupleL4};
use program::Directions;
use proto::expectation::{self, Expectation, Master};
use proto::flow::{self, Change, Flow, Half, L4, Name, Zone};
use proto::private::{Family, Place, Reply, Request};
use proto::wire::{self, WireError};

/// Events of one worker that are read before others are served again.
const EVENTS_AT_ONCE: usize = 8192;

/// What a client waits for.
pub(super) struct Waiting {
    ticket: u64,
    /// The table that is asked about.
    place: Place,
    /// Not asked yet: the worker has too much to answer.
    question: Option<Question>,
    /// Tables to flush after this one.
    rest: VecDeque<Place>,
}

/// What became of an answer.
pub(super) enum Answered {
    /// More is to be asked first.
    NotYet(Waiting),
    /// All is there.
    Done(Result<(Reply, Option<OwnedFd>), WireError>),
}

/// What was heard of the workers: events, and how many they lost.
pub(super) struct Heard<E> {
    pub(super) events: Vec<E>,
    pub(super) lost: u64,
}

/// The workers' letter boxes.
pub(super) struct Inquiries {
    inboxes: Vec<Arc<Inbox>>,
    /// Makes numbers of connections differ from those of another run.
    boot_id: u64,
    last_ticket: u64,
}

impl Inquiries {
    pub(super) fn new(inboxes: Vec<Arc<Inbox>>, boot_id: u64) -> Self {
        Self { inboxes, boot_id, last_ticket: 0 }
    }

    /// Takes a client's request, if it is one about connections that can be asked.
    pub(super) fn begin(&mut self, request: &Request) -> Result<Waiting, String> {
        match request {
            Request::Flows { from, zero } => {
                let page = page(from.family, Page::from(from.slot, flow::PAGE), Page::from(from.slot, flow::PAGE));
                self.waiting(*from, Wish::List { zero: *zero }, page)
            }
            Request::EndFlows { table, flows } => self.named(*table, Wish::End, flows),
            Request::ChangeFlows { table, flows, change } => self.named(*table, Wish::Change(wanted(change)), flows),
            Request::FlushFlows { family } => {
                let families = [Family::Ipv4, Family::Ipv6].into_iter().filter(|of| family.is_none_or(|family| family == *of));
                let workers = 0..self.inboxes.len() as u32;
                let tables = families.flat_map(|family| workers.clone().map(move |worker| Place { family, worker, slot: 0 }));
                self.flush_all(Wish::Flush, tables.collect())
            }
            Request::Expectations { from } => {
                let (slot, most) = (from.slot, expectation::PAGE);
                let page = page(from.family, Page::of_expected(slot, most), Page::of_expected(slot, most));
                self.waiting(*from, Wish::ListExpected, page)
            }
            Request::EndExpectation { family, name: Name(slot, version) } => {
                let id = SlotId { slot: *slot, version: *version };
                let page = page(*family, Page::of_expected(0, 1), Page::of_expected(0, 1));
                self.waiting(Place::first(*family), Wish::EndExpected(id), page)
            }
            // The workers have one table of them: one worker can do it for all.
            Request::FlushExpectations {} => {
                self.flush_all(Wish::FlushExpected, [Family::Ipv4, Family::Ipv6].map(Place::first).into())
            }
            _ => Err("that is no question about connections".to_owned()),
        }
    }

    fn named(&mut self, table: Place, wish: Wish, names: &[Name]) -> Result<Waiting, String> {
        if names.len() > flow::NAMES {
            return Err(format!("{} connections were named, {} may be", names.len(), flow::NAMES));
        }
        let ids: Vec<FlowId> = names.iter().map(|Name(slot, generation)| FlowId { slot: *slot, generation: *generation }).collect();
        let page = match table.family {
            Family::Ipv4 => Either::Ipv4(Page::of(ids)),
            Family::Ipv6 => Either::Ipv6(Page::of(ids)),
        };
        self.waiting(table, wish, page)
    }

    fn flush_all(&mut self, wish: Wish, mut tables: VecDeque<Place>) -> Result<Waiting, String> {
        let first = tables.pop_front().ok_or("there is no worker")?;
        let mut waiting = self.flush(wish, first)?;
        waiting.rest = tables;
        Ok(waiting)
    }

    fn flush(&mut self, wish: Wish, place: Place) -> Result<Waiting, String> {
        self.waiting(place, wish, page(place.family, Page::from(0, 0), Page::from(0, 0)))
    }

    fn waiting(&mut self, place: Place, wish: Wish, page: Either<engine::inbox::Pages>) -> Result<Waiting, String> {
        if place.worker as usize >= self.inboxes.len() {
            return Err(format!("there is no worker {}", place.worker));
        }
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        Ok(Waiting { ticket, place, question: Some(Question { ticket, wish, page }), rest: VecDeque::new() })
    }

    /// Puts the question, if it is not put yet and the worker has room for it.
    pub(super) fn put(&self, waiting: &mut Waiting) {
        if let Some(question) = waiting.question.take() {
            waiting.question = self.inboxes[waiting.place.worker as usize].ask(question).err();
        }
    }

    /// The next answer of any worker.
    pub(super) fn answer(&self) -> Option<Question> {
        self.inboxes.iter().find_map(|inbox| inbox.answer())
    }

    /// What became of connections since the last time, and how many events the workers had no room for. While nobody listens, nothing.
    pub(super) fn happened(&self, listening: bool, running: &Snapshot) -> Heard<flow::Event> {
        let write = |worker, event| match event {
            Either::Ipv4(event) => self.scribe(Family::Ipv4, worker, running).event(&event),
            Either::Ipv6(event) => self.scribe(Family::Ipv6, worker, running).event(&event),
        };
        self.hear(listening, |inbox| &inbox.events().flows, write)
    }

    /// Likewise, of what is expected.
    pub(super) fn announced(&self, listening: bool) -> Heard<expectation::Event> {
        let write = |_, event| match event {
            Either::Ipv4(event) => announced(&event),
            Either::Ipv6(event) => announced(&event),
        };
        self.hear(listening, |inbox| &inbox.events().expected, write)
    }

    fn hear<T, E>(&self, listening: bool, feed: impl Fn(&Inbox) -> &Feed<T>, write: impl Fn(u32, T) -> E) -> Heard<E> {
        let mut heard = Heard { events: Vec::new(), lost: 0 };
        for (worker, inbox) in (0..).zip(&self.inboxes) {
            let feed = feed(inbox);
            feed.listen(listening);
            for _ in 0..EVENTS_AT_ONCE {
                let Some(event) = feed.next() else { break };
                if listening {
                    heard.events.push(write(worker, event));
                }
            }
            heard.lost += feed.take_lost();
        }
        heard
    }

    fn scribe<'a>(&self, family: Family, worker: u32, running: &'a Snapshot) -> Scribe<'a> {
        let place = Place { family, worker, slot: 0 };
        let labels = &running.program.root.labels;
        let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Scribe { place, boot_id: self.boot_id, labels, settings: &running.settings.conntrack, today }
    }

    /// What the answer says to the one who waited for it.
    pub(super) fn take(&mut self, waiting: Waiting, answer: &Question, running: &Snapshot) -> Answered {
        let Waiting { place, mut rest, .. } = waiting;
        if let Some(next) = rest.pop_front() {
            return match self.flush(answer.wish, next) {
                Ok(waiting) => Answered::NotYet(Waiting { rest, ..waiting }),
                Err(reason) => Answered::Done(Ok((Reply::Refused { reason }, None))),
            };
        }
        if matches!(answer.wish, Wish::Flush | Wish::FlushExpected) {
            return Answered::Done(Ok((Reply::Ok {}, None)));
        }
        if matches!(answer.wish, Wish::ListExpected | Wish::EndExpected(_)) {
            let (expected, from, last) = match &answer.page {
                Either::Ipv4(page) => (expected(page), page.from, page.last),
                Either::Ipv6(page) => (expected(page), page.from, page.last),
            };
            let goes_on = answer.wish == Wish::ListExpected && !last;
            let next = goes_on.then_some(Place { slot: from, ..place });
            let segment = wire::sealed("expectations", &flow::encode(&expected));
            return Answered::Done(segment.map(|fd| (Reply::Expectations { next }, Some(fd))));
        }
        let scribe = self.scribe(place.family, place.worker, running);
        let (flows, from, last) = match &answer.page {
            Either::Ipv4(page) => (scribe.flows(page), page.from, page.last),
            Either::Ipv6(page) => (scribe.flows(page), page.from, page.last),
        };
        let listing = matches!(answer.wish, Wish::List { .. });
        let next = if listing { self.next(place, from, last) } else { None };
        let segment = wire::sealed("flows", &flow::encode(&flows));
        Answered::Done(segment.map(|fd| (Reply::Flows { next }, Some(fd))))
    }

    /// Where a listing goes on: in this worker's table, or in that of the next worker.
    fn next(&self, place: Place, slot: u32, last: bool) -> Option<Place> {
        let next_worker = Place { worker: place.worker + 1, slot: 0, ..place };
        if !last {
            Some(Place { slot, ..place })
        } else {
            Some(next_worker).filter(|place| (place.worker as usize) < self.inboxes.len())
        }
    }
}

impl Waiting {
    pub(super) fn is_for(&self, answer: &Question) -> bool {
        self.ticket == answer.ticket
    }
}

fn page(family: Family, ipv4: Page<packet::Ipv4>, ipv6: Page<packet::Ipv6>) -> Either<engine::inbox::Pages> {
    match family {
        Family::Ipv4 => Either::Ipv4(ipv4),
        Family::Ipv6 => Either::Ipv6(ipv6),
    }
}

/// What the words of a change mean to a worker.
fn wanted(change: &Change) -> inbox::Change {
    let Change { timeout, status, clear, flip, take_off, put_on } = *change;
    inbox::Change {
        seconds: timeout,
        status: Status::settable(status),
        expected: status & Status::EXPECTED.bits() != 0,
        mask: clear,
        value: flip,
        off: Labels::of_halves(take_off),
        on: Labels::of_halves(put_on),
    }
}

/// Writes down what is expected.
fn expected<F: packet::Family>(page: &Page<F>) -> Vec<Expectation> {
    page.expected.iter().map(|Expected { id, expectation }| written(*id, expectation, page.now)).collect()
}

fn announced<F: packet::Family>(event: &Announced<F>) -> expectation::Event {
    let kind = match event.kind {
        Kind::Destroy => flow::Kind::Destroy,
        Kind::New | Kind::Update => flow::Kind::New,
    };
    // Nobody asks for it by name.
    let id = SlotId { slot: 0, version: 0 };
    expectation::Event { kind, expectation: written(id, &event.expectation, event.now) }
}

fn written<F: packet::Family>(id: SlotId, of: &engine::conntrack::expect::Expectation<F>, now: engine::Time) -> Expectation {
    let (sport, dport) = match of.by.l4 {
        TupleL4::Ports { src, dst } => (src, dst),
        // No helper reads such a flow.
        TupleL4::Icmp { .. } | TupleL4::Calls { .. } | TupleL4::Other => (0, 0),
    };
    Expectation {
        name: Name(id.slot, id.version),
        zone: of.zone,
        protocol: of.ends.protocol,
        timeout: of.expires.seconds_from(now),
        src: of.ends.src.map(|address| address.to_ip()),
        sport: of.ends.sport,
        dst: of.ends.dst.to_ip(),
        dport: of.ends.dport,
        master: Master { src: of.by.src.to_ip(), dst: of.by.dst.to_ip(), sport, dport },
        class: of.class,
        helper: of.master.helper.name().into(),
        permanent: of.stays,
        inactive: !of.is_open,
    }
}

/// Writes a worker's flows down as they travel.
struct Scribe<'a> {
    place: Place,
    boot_id: u64,
    labels: &'a [String],
    settings: &'a Settings,
    /// The time of day, since 1970.
    today: Duration,
}

impl Scribe<'_> {
    fn flows<F: packet::Family>(&self, page: &Page<F>) -> Vec<Flow> {
        page.flows.iter().map(|listed| self.flow(listed, page.now)).collect()
    }

    /// As in the kernel, counts are told at the end alone.
    fn event<F: packet::Family>(&self, event: &Event<F>) -> flow::Event {
        let mut flow = self.flow(&event.listed, event.now);
        let kind = match event.kind {
            Kind::New => flow::Kind::New,
            Kind::Update => flow::Kind::Update,
            Kind::Destroy => flow::Kind::Destroy,
        };
        if kind != flow::Kind::Destroy {
            (flow.original.counts, flow.reply.counts) = (None, None);
        }
        flow::Event {
            kind,
            state_changed: event.changes.has(Changes::STATE),
            mark_written: event.changes.has(Changes::MARK),
            labels_written: event.changes.has(Changes::LABELS),
            by_hand: event.changes.has(Changes::BY_HAND),
            // A timer may be late: the flow ended when its time was up.
            ended: (kind == flow::Kind::Destroy).then(|| self.day(event.now.min(event.listed.flow.expires()), event.now)),
            flow,
        }
    }

    fn flow<F: packet::Family>(&self, listed: &Listed<F>, now: engine::Time) -> Flow {
        let flow = &listed.flow;
        let state = match flow.protocol() {
            Protocol::Tcp(tcp) => tcp.state().name(),
            Protocol::Sctp(sctp) => sctp.state().name(),
            Protocol::Udp(_) | Protocol::Icmp | Protocol::Gre | Protocol::Generic => "",
        };
        let half = |dir: Dir| {
            let Counts { packets, bytes } = listed.counts[dir.index()];
            half_of(&flow.tuple(dir), self.settings.acct.then_some((packets, bytes)))
        };
        let zone = flow.zone();
        Flow {
            name: Name(listed.id.slot, listed.id.generation),
            id: self.id(listed.id),
            protocol: flow.tuple(Dir::Original).protocol,
            state: state.into(),
            timeout: flow.remaining_seconds(now),
            status: flow.status().bits(),
            mark: flow.mark,
            label: self.labels.get(listed.extra.label.0 as usize).cloned().unwrap_or_default(),
            labels: listed.extra.labels.bits(),
            helper: listed.helper.map_or("", |helper| helper.name()).into(),
            zone: Zone {
                id: zone.zone,
                original: zone.directions != Directions::Reply,
                reply: zone.directions != Directions::Original,
            },
            tags: if let Protocol::Sctp(sctp) = flow.protocol() { Some(sctp.tags()) } else { None },
            started: listed.started.map(|started| self.day(started, now)),
            original: half(Dir::Original),
            reply: half(Dir::Reply),
        }
    }

    /// A moment in nanoseconds since 1970. What is written down has just been answered: `now` is today.
    fn day(&self, moment: engine::Time, now: engine::Time) -> u64 {
        u64::try_from(self.today.as_nanos()).unwrap_or(u64::MAX).saturating_sub(now.0.saturating_sub(moment.0))
    }

    /// As in the kernel, a number from which nothing of the flow can be read.
    fn id(&self, id: FlowId) -> u32 {
        let mut hasher = DefaultHasher::new();
        let family = self.place.family == Family::Ipv6;
        (self.boot_id, family, self.place.worker, id.slot, id.generation).hash(&mut hasher);
        hasher.finish() as u32
    }
}

fn half_of<F: packet::Family>(tuple: &Tuple<F>, counts: Option<(u64, u64)>) -> Half {
    let l4 = match tuple.l4 {
        TupleL4::Ports { src, dst } => L4::Ports(src, dst),
        TupleL4::Icmp { kind, code, id } => L4::Icmp { kind, code, id },
        TupleL4::Calls { src, dst } => L4::Keys(src, dst),
        // The kernel keeps keys of GRE in any case, and has none but PPTP's.
        TupleL4::Other if tuple.protocol == packet::protocol::GRE => L4::Keys(0, 0),
        TupleL4::Other => L4::None,
    };
    Half { src: tuple.src.to_ip(), dst: tuple.dst.to_ip(), l4, counts }
}
