//! Connections, requests, events.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine::Time;
use engine::counters::{Count, Counters};
use engine::drop::DropCounters;
use engine::handoff::HandoffCounters;
use engine::inbox::{Gauges, Inbox};
use engine::nat;
use engine::shared::Shared;
use program::CounterSlot;
use proto::private::{Event, Form, Interface, NAMED_COUNTERS, Reply, Request, Role, VERSION};
use proto::wire::{self, Listener, Socket, WireError};
use proto::{host::Mac, stats};
use rtrb::Consumer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::inquiry::{Answered, Inquiries, Waiting};
use super::watcher::{Watch, Watcher};
use super::{Publication, Refusal};
use crate::groups;
use crate::outside::Unresolved;
use crate::stats::{Traffic, drops, flows, handoffs, tracking};

/// Connections at once. rampartd needs two, and one for each conntrack command that it serves.
const MAX_CLIENTS: usize = 16;
/// Longest wait for a message while events may have to be sent, and otherwise.
const EVENT_WAIT: Duration = Duration::from_millis(2);
/// The same while workers are at a question.
const ANSWER_WAIT: Duration = Duration::from_micros(200);
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// How often links and multicast groups are looked at.
const LINKS_EVERY: Duration = Duration::from_millis(250);
/// How often at most it is said that sets are full.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// The ports, as far as this thread asks them.
pub trait Ports {
    /// What the drivers count.
    fn stats(&self) -> Vec<stats::Port>;
    /// Whether each port has a carrier, by interface id, less 1.
    fn carriers(&self) -> Vec<bool>;
}

/// What the other threads count. They write, this thread reads.
pub struct Telemetry {
    /// Rule counters of each worker.
    pub counters: Vec<Arc<Counters>>,
    /// How full each worker is.
    pub gauges: Vec<Arc<Gauges>>,
    /// Where to ask each worker for its connections.
    pub inboxes: Vec<Arc<Inbox>>,
    /// Drops of every thread that drops.
    pub drops: Vec<Arc<DropCounters>>,
    /// What each worker handed over.
    pub handoffs: Vec<Arc<HandoffCounters>>,
    /// NAT's pools that ran out at each worker.
    pub shortages: Vec<Arc<nat::Reports>>,
    /// By port, then by worker.
    pub traffic: Vec<Vec<Arc<Traffic>>>,
    /// Log lines that were lost in the workers, and where they should have been written.
    pub logs_lost: Vec<Arc<AtomicU64>>,
    /// Connections that there is room for.
    pub flow_capacity: u64,
    /// What the workers share.
    pub shared: Arc<Shared>,
}

/// What a connection may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said Hello.
    New,
    Controller,
    Observer,
    /// It asks about connections.
    Conntrack,
    /// It only receives.
    Subscriber,
}

struct Client {
    socket: Socket,
    stage: Stage,
    /// It has asked about connections, and gets no other answer before this one.
    waiting: Option<Waiting>,
    /// It watches what becomes of connections.
    watcher: Option<Watcher>,
}

/// Whether a connection goes on.
enum Next {
    Keep,
    Close,
}

/// Everything that the control thread works with.
pub struct ControlThread<P> {
    listener: Listener,
    clients: Vec<Client>,
    publication: Publication,
    telemetry: Telemetry,
    ports: P,
    carriers: Vec<bool>,
    unresolved: Vec<Consumer<Unresolved>>,
    inquiries: Inquiries,
    /// The workers' time.
    clock: Box<dyn Fn() -> Time + Send>,
    boot_id: u64,
    stop: Arc<AtomicBool>,
}

impl<P: Ports> ControlThread<P> {
    /// `unresolved` are the workers' rings; `boot_id` names this process, whose time the clock tells.
    ///
    /// # Errors
    /// The system's, when the listener cannot be made non-blocking.
    pub fn new(
        listener: Listener,
        publication: Publication,
        telemetry: Telemetry,
        ports: P,
        unresolved: Vec<Consumer<Unresolved>>,
        (boot_id, clock): (u64, Box<dyn Fn() -> Time + Send>),
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&listener, true)?;
        let carriers = ports.carriers();
        let inquiries = Inquiries::new(telemetry.inboxes.clone(), boot_id);
        let clients = Vec::new();
        Ok(Self { listener, clients, publication, telemetry, ports, carriers, unresolved, inquiries, clock, boot_id, stop })
    }

    /// Runs until stopped.
    pub fn run(mut self) {
        let mut looked = Instant::now();
        let mut warned = looked;
        self.look_at_groups();
        while !self.stop.load(Ordering::Relaxed) {
            let ready = self.wait();
            self.serve(&ready);
            self.accept();
            self.inquire();
            self.publication.follow_packets((self.clock)());
            self.tell_watchers();
            self.tell_unresolved();
            if looked.elapsed() >= LINKS_EVERY {
                looked = Instant::now();
                self.tell_links();
                self.warn_of_shortages();
                self.look_at_groups();
            }
            if warned.elapsed() >= WARN_EVERY {
                warned = Instant::now();
                self.publication.set_shortages().iter().for_each(|shortage| tracing::warn!("{shortage}"));
            }
            self.publication.collect();
        }
    }

    /// The workers write no log: this thread does, a few lines in ten seconds at most.
    fn warn_of_shortages(&self) {
        for shortage in self.telemetry.shortages.iter().filter_map(|reports| reports.take()) {
            tracing::warn!("{shortage}");
        }
    }

    /// Which clients have something to say.
    fn wait(&self) -> Vec<bool> {
        let mut fds = vec![PollFd::new(&self.listener, PollFlags::IN)];
        // One that waits is asked for its end only.
        let wanted = |client: &Client| if client.waiting.is_some() { PollFlags::empty() } else { PollFlags::IN };
        fds.extend(self.clients.iter().map(|client| PollFd::new(&client.socket, wanted(client))));
        let events = self.clients.iter().any(|client| client.stage == Stage::Subscriber || client.watcher.is_some());
        let answers = self.clients.iter().any(|client| client.waiting.is_some());
        let longest = if answers { ANSWER_WAIT } else { IDLE_WAIT };
        let events = events || self.publication.follows_packets();
        let longest = if events { longest.min(EVENT_WAIT) } else { longest };
        let longest = Timespec { tv_sec: 0, tv_nsec: longest.subsec_nanos().into() };
        match poll(&mut fds, Some(&longest)) {
            Ok(_) => fds[1..].iter().map(|fd| !fd.revents().is_empty()).collect(),
            // EINTR: asked again at once.
            Err(_) => vec![false; self.clients.len()],
        }
    }

    fn accept(&mut self) {
        // Whatever is wrong with a connection that is being made concerns nobody else.
        while let Ok(socket) = self.listener.accept() {
            if rustix::io::ioctl_fionbio(&socket, true).is_err() {
                continue;
            }
            let owner = rustix::process::geteuid().as_raw();
            let allowed = socket.peer_uid().is_ok_and(|uid| uid == 0 || uid == owner);
            if !allowed {
                refuse(&socket, "only root and the user of the dataplane may connect");
            } else if self.clients.len() >= MAX_CLIENTS {
                refuse(&socket, "too many connections");
            } else {
                self.clients.push(Client { socket, stage: Stage::New, waiting: None, watcher: None });
            }
        }
    }

    /// One message of each client that has one.
    fn serve(&mut self, ready: &[bool]) {
        let mut clients = std::mem::take(&mut self.clients);
        let mut controlled = clients.iter().any(|client| client.stage == Stage::Controller);
        let mut place = 0;
        clients.retain_mut(|client| {
            let is_ready = ready.get(place).copied().unwrap_or(false);
            place += 1;
            if !is_ready {
                return true;
            }
            if client.waiting.is_some() {
                return false;
            }
            let kept = matches!(self.serve_one(client, controlled), Next::Keep);
            controlled |= kept && client.stage == Stage::Controller;
            kept
        });
        self.clients = clients;
    }

    fn serve_one(&mut self, client: &mut Client, controlled: bool) -> Next {
        let (request, fds) = match client.socket.recv::<Request>() {
            Ok(received) => received,
            Err(WireError::TimedOut) => return Next::Keep,
            Err(WireError::Closed) => return Next::Close,
            Err(error) => {
                refuse(&client.socket, &error.to_string());
                return Next::Close;
            }
        };
        if client.stage == Stage::New {
            return self.greet(client, &request, controlled);
        }
        if client.stage == Stage::Conntrack {
            match (&mut client.watcher, &request) {
                (Some(watcher @ Watcher::Flows(_)), Request::Events { .. })
                | (Some(watcher @ Watcher::Expected(_)), Request::ExpectationEvents {}) => {
                    watcher.ask();
                    return Next::Keep;
                }
                (none @ None, Request::Events { room }) => {
                    *none = Some(Watcher::Flows(Watch::new(*room)));
                    return Next::Keep;
                }
                (none @ None, Request::ExpectationEvents {}) => {
                    *none = Some(Watcher::Expected(Watch::new(None)));
                    return Next::Keep;
                }
                _ => {}
            }
            return match self.inquiries.begin(&request) {
                Ok(waiting) => {
                    client.waiting = Some(waiting);
                    Next::Keep
                }
                Err(reason) if client.socket.send(&refused(&reason), &[]).is_ok() => Next::Keep,
                Err(_) => Next::Close,
            };
        }
        match self.answer(client, &request, &fds) {
            Ok((reply, fd)) => match client.socket.send(&reply, &fd.iter().map(AsFd::as_fd).collect::<Vec<_>>()) {
                Ok(()) => Next::Keep,
                Err(_) => Next::Close,
            },
            Err(next) => next,
        }
    }

    /// The first message.
    fn greet(&self, client: &mut Client, request: &Request, controlled: bool) -> Next {
        let Request::Hello { version, role } = *request else {
            refuse(&client.socket, "the first message must be hello");
            return Next::Close;
        };
        if version != VERSION {
            refuse(&client.socket, &format!("protocol version {version} was asked for, {VERSION} is spoken here"));
            return Next::Close;
        }
        if role == Role::Controller && controlled {
            refuse(&client.socket, "another rampartd controls this dataplane; stop it first");
            return Next::Close;
        }
        client.stage = match role {
            Role::Controller => Stage::Controller,
            Role::Observer => Stage::Observer,
            Role::Conntrack => Stage::Conntrack,
        };
        let interfaces = self.publication.ports().iter().map(|port| Interface {
            id: port.id.0,
            name: port.name.clone(),
            mac: Mac(port.mac),
            mtu: port.mtu.into(),
            tap: port.tap.clone(),
        });
        let hello = Reply::Hello {
            version: VERSION,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            generation: self.publication.generation(),
            interfaces: interfaces.collect(),
            counter_slots: self.publication.counter_slots(),
            boot_id: self.boot_id,
            ipv6: self.publication.walks_ipv6(),
        };
        if client.socket.send(&hello, &[]).is_ok() { Next::Keep } else { Next::Close }
    }

    /// The reply with its descriptor, or what becomes of a connection that gets none.
    fn answer(&mut self, client: &mut Client, request: &Request, fds: &[OwnedFd]) -> Result<(Reply, Option<OwnedFd>), Next> {
        if client.stage == Stage::Subscriber {
            refuse(&client.socket, "a subscriber only receives");
            return Err(Next::Close);
        }
        let controls = client.stage == Stage::Controller;
        let done = |result: Result<Reply, Refusal>| match result {
            Ok(reply) => (reply, None),
            Err(refusal) => {
                tracing::warn!("refused: {refusal}");
                (refused(&refusal.to_string()), None)
            }
        };
        Ok(match request {
            Request::Hello { .. } => (refused("hello was said already"), None),
            Request::Publish(_)
            | Request::Host {}
            | Request::Sets { .. }
            | Request::SetsByPackets { .. }
            | Request::Recent { change: Some(_), .. }
                if !controls =>
            {
                (refused("only a controller may do that"), None)
            }
            Request::Publish(publish) => done(self.publish(publish, fds)),
            Request::Host {} => done(self.publication.set_host(fds).map(|()| Reply::Ok {})),
            Request::Sets { whole } => done(self.publication.set_sets(*whole, fds, (self.clock)()).map(|()| Reply::Ok {})),
            Request::SetCounts { names } if names.len() > NAMED_COUNTERS => {
                (refused(&format!("at most {NAMED_COUNTERS} sets can be named")), None)
            }
            Request::SetCounts { names } => {
                let counts = program::set::encode_counts(&self.publication.set_counts(names));
                with_segment(segment("set-counts", &counts).map(Some), Reply::SetCounts {})
            }
            Request::SetsByPackets { known } => {
                let changes = program::set::encode_by_packets(&self.publication.sets_by_packets(*known, (self.clock)()));
                with_segment(segment("sets-by-packets", &changes).map(Some), Reply::SetsByPackets {})
            }
            Request::RecentLists {} => (Reply::RecentLists { names: self.publication.recent_lists() }, None),
            Request::Recent { list, change } => {
                let (publication, shared) = (&self.publication, &self.telemetry.shared);
                match publication.recent(list, *change, shared, (self.clock)()) {
                    Ok(entries) => {
                        let json = serde_json::to_vec(&entries).map_err(WireError::from);
                        with_segment(json.and_then(|json| segment("recent", &json)).map(Some), Reply::Recent {})
                    }
                    Err(reason) => (refused(&reason), None),
                }
            }
            Request::Source {} => {
                let generation = self.publication.generation();
                let blob = (generation > 0).then(|| segment("source", self.publication.source())).transpose();
                with_segment(blob, Reply::Source { generation })
            }
            Request::Counters {} => {
                let slots = self.publication.used_slots();
                with_segment(segment("counters", &self.counters(0..slots)).map(Some), Reply::Counters { slots })
            }
            Request::CountersOf { slots } => {
                let there = self.publication.counter_slots();
                if slots.len() > NAMED_COUNTERS || slots.iter().any(|slot| *slot >= there) {
                    let reason = format!("at most {NAMED_COUNTERS} counters can be named, each below {there}");
                    return Ok((refused(&reason), None));
                }
                let counters = self.counters(slots.iter().copied());
                // As many as are named: checked above.
                with_segment(segment("counters", &counters).map(Some), Reply::Counters { slots: slots.len() as u32 })
            }
            Request::Stats {} => {
                let json = serde_json::to_vec(&self.stats()).map_err(WireError::from);
                with_segment(json.and_then(|json| segment("stats", &json)).map(Some), Reply::Stats {})
            }
            Request::Flows { .. }
            | Request::EndFlows { .. }
            | Request::ChangeFlows { .. }
            | Request::FlushFlows { .. }
            | Request::Expectations { .. }
            | Request::EndExpectation { .. }
            | Request::FlushExpectations {}
            | Request::ExpectationEvents {}
            | Request::Events { .. } => {
                (refused("ask about connections on a connection of its own, with the role conntrack"), None)
            }
            Request::Subscribe {} if controls => (refused("subscribe on a connection of its own"), None),
            Request::Subscribe {} => {
                client.stage = Stage::Subscriber;
                (Reply::Ok {}, None)
            }
        })
    }

    fn publish(&mut self, request: &proto::private::Publish, fds: &[OwnedFd]) -> Result<Reply, Refusal> {
        let begun = Instant::now();
        let Self { publication, telemetry, .. } = self;
        let generation = publication.publish(request, fds, |slot| counted(&telemetry.counters, slot))?;
        let of_form = |form| request.tables.iter().filter(|table| table.form == form).count();
        let (whole, edited, took) = (of_form(Form::Whole), of_form(Form::Edit), begun.elapsed());
        // Of edits there may be a thousand a second.
        if edited > 0 && whole == 0 {
            tracing::debug!(generation, edited_tables = edited, ?took, "program published");
        } else {
            tracing::info!(generation, changed_tables = whole + edited, ?took, "program published");
        }
        Ok(Reply::Published { generation })
    }

    /// Packets and bytes of each of these slots, summed over the workers.
    fn counters(&self, slots: impl Iterator<Item = u32>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(slots.size_hint().0 * 16);
        for slot in slots.map(CounterSlot) {
            let count = self.publication.since_begun(slot, counted(&self.telemetry.counters, slot));
            bytes.extend_from_slice(&count.packets.to_ne_bytes());
            bytes.extend_from_slice(&count.bytes.to_ne_bytes());
        }
        bytes
    }

    fn stats(&self) -> stats::Stats {
        let names = self.publication.ports().iter().map(|port| port.name.as_str());
        let traffic = names.zip(&self.telemetry.traffic).flat_map(|(name, workers)| {
            workers.iter().enumerate().map(move |(worker, traffic)| traffic.report(name, worker as u32))
        });
        stats::Stats {
            generation: self.publication.generation(),
            ports: self.ports.stats(),
            traffic: traffic.collect(),
            drops: drops(self.telemetry.drops.iter().map(|drops| &**drops)),
            handoffs: handoffs(&self.telemetry.handoffs),
            flows: flows(&self.telemetry.gauges),
            early_drops: self.telemetry.gauges.iter().map(|gauges| gauges.tally().early_drop).sum(),
            retraced: self.telemetry.gauges.iter().map(|gauges| gauges.retraced()).sum(),
            tracking: tracking(&self.telemetry.gauges),
            flow_capacity: self.telemetry.flow_capacity,
            logs_lost: self.telemetry.logs_lost.iter().map(|lost| lost.load(Ordering::Relaxed)).sum(),
        }
    }

    /// Carries questions to the workers and answers back. An answer whose asker is gone has no other.
    fn inquire(&mut self) {
        for waiting in self.clients.iter_mut().filter_map(|client| client.waiting.as_mut()) {
            self.inquiries.put(waiting);
        }
        while let Some(answer) = self.inquiries.answer() {
            let asker = |client: &Client| client.waiting.as_ref().is_some_and(|waiting| waiting.is_for(&answer));
            let Some(at) = self.clients.iter().position(asker) else { continue };
            let Some(waiting) = self.clients[at].waiting.take() else { continue };
            match self.inquiries.take(waiting, &answer, self.publication.running()) {
                Answered::NotYet(waiting) => self.clients[at].waiting = Some(waiting),
                Answered::Done(reply) => {
                    let reply = reply.and_then(|(reply, fd)| {
                        self.clients[at].socket.send(&reply, &fd.iter().map(AsFd::as_fd).collect::<Vec<_>>())
                    });
                    if reply.is_err() {
                        self.clients.swap_remove(at);
                    }
                }
            }
        }
    }

    /// What became of connections, to those who watch. One that does not take its answer is closed.
    fn tell_watchers(&mut self) {
        let watchers = || self.clients.iter().filter_map(|client| client.watcher.as_ref());
        let flows = self.inquiries.happened(watchers().any(|of| matches!(of, Watcher::Flows(_))), self.publication.running());
        let expected = self.inquiries.announced(watchers().any(|of| matches!(of, Watcher::Expected(_))));
        let now = Instant::now();
        self.clients.retain_mut(|client| {
            let Some(watcher) = &mut client.watcher else { return true };
            match watcher.hear(&flows, &expected, now) {
                Some(Ok((reply, fd))) => client.socket.send(&reply, &[fd.as_fd()]).is_ok(),
                Some(Err(_)) => false,
                None => true,
            }
        });
    }

    /// As long as nobody would hear it, what workers ask for stays in their rings: a worker asks again only after a second.
    fn tell_unresolved(&mut self) {
        if !self.clients.iter().any(|client| client.stage == Stage::Subscriber) {
            return;
        }
        let mut rings = std::mem::take(&mut self.unresolved);
        for ring in &mut rings {
            while let Ok((port, address)) = ring.pop() {
                let name = self.publication.ports().iter().find(|p| p.id == port).map(|p| p.name.clone());
                if let Some(interface) = name {
                    self.tell(&Event::Resolve { interface, address });
                }
            }
        }
        self.unresolved = rings;
    }

    fn look_at_groups(&mut self) {
        let groups = groups::joined(self.publication.ports());
        if let Err(error) = self.publication.set_groups(groups) {
            tracing::warn!("multicast groups: {error}");
        }
    }

    fn tell_links(&mut self) {
        let carriers = self.ports.carriers();
        for (index, &up) in carriers.iter().enumerate() {
            if self.carriers.get(index) == Some(&up) {
                continue;
            }
            let Some(port) = self.publication.ports().get(index) else { continue };
            let interface = port.name.clone();
            tracing::info!(port = interface, "{}", if up { "link is up" } else { "link is down" });
            self.tell(&Event::Link { interface, up });
        }
        self.carriers = carriers;
    }

    /// To every subscriber; one that does not read is closed.
    fn tell(&mut self, event: &Event) {
        self.clients.retain(|client| client.stage != Stage::Subscriber || client.socket.send(event, &[]).is_ok());
    }
}

/// What the workers have counted in a slot.
fn counted(workers: &[Arc<Counters>], slot: CounterSlot) -> Count {
    let add = |sum: Count, count: Count| Count { packets: sum.packets + count.packets, bytes: sum.bytes + count.bytes };
    workers.iter().map(|counters| counters.get(slot)).fold(Count::default(), add)
}

fn segment(name: &str, bytes: &[u8]) -> Result<OwnedFd, WireError> {
    wire::sealed(name, bytes)
}

fn with_segment(segment: Result<Option<OwnedFd>, WireError>, reply: Reply) -> (Reply, Option<OwnedFd>) {
    match segment {
        Ok(fd) => (reply, fd),
        Err(error) => (refused(&error.to_string()), None),
    }
}

fn refused(reason: &str) -> Reply {
    Reply::Refused { reason: reason.to_owned() }
}

/// Says why, as far as the other side listens.
fn refuse(socket: &Socket, reason: &str) {
    let _ = socket.send(&refused(reason), &[]);
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
