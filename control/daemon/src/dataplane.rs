//! One connection to the dataplane: its requests, each with its reply.
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use program::{SetEdit, set};
use proto::expectation::{self, Expectation};
use proto::flow::{self, Change, Flow, Name};
use proto::private::{self, Family, Interface, Place, Publish, RecentChange, RecentEntry, Reply, Request, Role};
use proto::wire::{self, Socket, WireError};
use proto::{host, stats};
use serde::de::DeserializeOwned;

use crate::counters::Live;

/// How long one message may take. A publication of many rules is the longest: the dataplane copies and verifies before it answers.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Why a request was not answered as it should be.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The connection is of no more use.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The dataplane said no, and nothing changed.
    #[error("{0}")]
    Refused(String),
    /// A reply of another kind than the request has.
    #[error("unexpected answer of the dataplane to {0}")]
    Unexpected(&'static str),
    /// Another version of the protocol.
    #[error(
        "the dataplane speaks version {found} of the private protocol, this rampartd {}: install both from one release",
        private::VERSION
    )]
    Version {
        /// That of the dataplane.
        found: u32,
    },
    /// Connections that cannot be read.
    #[error("malformed connections: {0}")]
    Flows(flow::Malformed),
    /// Statistics, or a list, that cannot be read.
    #[error("malformed answer: {0}")]
    Json(#[from] serde_json::Error),
}

impl LinkError {
    /// Whether the connection may be used further.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, LinkError::Refused(_))
    }
}

/// A connected and greeted dataplane.
#[derive(Debug)]
pub struct Link {
    socket: Socket,
    /// Version of its program.
    pub software: String,
    /// The running program.
    pub generation: u64,
    /// Its ports.
    pub interfaces: Vec<Interface>,
    /// Counter slots there are.
    pub counter_slots: u32,
    /// Drawn at its start.
    pub boot_id: u64,
    /// It walks IPv6 packets; else it drops them all and takes no rules for them.
    pub ipv6: bool,
}

impl Link {
    /// Connects and greets.
    pub fn connect(path: &Path, role: Role) -> Result<Link, LinkError> {
        let socket = Socket::connect(path)?;
        socket.set_timeout(Some(TIMEOUT))?;
        socket.send(&Request::Hello { version: private::VERSION, role }, &[])?;
        match socket.recv::<Reply>()?.0 {
            Reply::Hello { version, .. } if version != private::VERSION => Err(LinkError::Version { found: version }),
            Reply::Hello { software, generation, interfaces, counter_slots, boot_id, ipv6, .. } => {
                Ok(Link { socket, software, generation, interfaces, counter_slots, boot_id, ipv6 })
            }
            Reply::Refused { reason } => Err(LinkError::Refused(reason)),
            _ => Err(LinkError::Unexpected("hello")),
        }
    }

    /// Publishes; the new generation.
    pub fn publish(&mut self, publish: Publish, segments: &[OwnedFd]) -> Result<u64, LinkError> {
        let fds: Vec<BorrowedFd<'_>> = segments.iter().map(AsFd::as_fd).collect();
        match self.ask(&Request::Publish(publish), &fds)? {
            (Reply::Published { generation }, _) => {
                self.generation = generation;
                Ok(generation)
            }
            _ => Err(LinkError::Unexpected("publish")),
        }
    }

    /// The source blob of the running program; `None` before the first.
    pub fn source(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        match self.ask(&Request::Source {}, &[])? {
            (Reply::Source { generation: 0 }, _) => Ok(None),
            (Reply::Source { generation }, fds) => {
                self.generation = generation;
                let fd = fds.first().ok_or(LinkError::Unexpected("source"))?;
                Ok(Some(wire::read_sealed(fd, wire::MAX_SEGMENT)?))
            }
            _ => Err(LinkError::Unexpected("source")),
        }
    }

    /// All counters.
    pub fn counters(&mut self) -> Result<Live, LinkError> {
        match self.ask(&Request::Counters {}, &[])? {
            (Reply::Counters { .. }, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("counters"))?;
                Ok(Live::from_bytes(&wire::read_sealed(fd, wire::MAX_SEGMENT)?))
            }
            _ => Err(LinkError::Unexpected("counters")),
        }
    }

    /// Some counters: at most [`private::NAMED_COUNTERS`].
    pub fn counters_of(&mut self, slots: Vec<u32>) -> Result<Live, LinkError> {
        match self.ask(&Request::CountersOf { slots }, &[])? {
            (Reply::Counters { .. }, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("counters_of"))?;
                Ok(Live::from_bytes(&wire::read_sealed(fd, wire::MAX_SEGMENT)?))
            }
            _ => Err(LinkError::Unexpected("counters_of")),
        }
    }

    /// Tells what changes of sets; all of them, where `whole` says so.
    pub fn sets(&mut self, whole: bool, edits: &[SetEdit]) -> Result<(), LinkError> {
        let segment = wire::sealed("rampart-sets", &set::encode(edits))?;
        match self.ask(&Request::Sets { whole }, &[segment.as_fd()])? {
            (Reply::Ok {}, _) => Ok(()),
            _ => Err(LinkError::Unexpected("sets")),
        }
    }

    /// What elements of these sets have counted.
    pub fn set_counts(&mut self, names: &[String]) -> Result<set::Counts, LinkError> {
        let mut all = Vec::new();
        for names in names.chunks(private::NAMED_COUNTERS) {
            match self.ask(&Request::SetCounts { names: names.to_vec() }, &[])? {
                (Reply::SetCounts {}, fds) => {
                    let fd = fds.first().ok_or(LinkError::Unexpected("set_counts"))?;
                    let counts = set::decode_counts(&wire::read_sealed(fd, wire::MAX_SEGMENT)?);
                    all.extend(counts.map_err(|_| LinkError::Unexpected("set_counts"))?);
                }
                _ => return Err(LinkError::Unexpected("set_counts")),
            }
        }
        Ok(all)
    }

    /// What packets have changed of sets, but for what is known until this number.
    pub fn sets_by_packets(&mut self, known: u64) -> Result<set::ByPackets, LinkError> {
        match self.ask(&Request::SetsByPackets { known }, &[])? {
            (Reply::SetsByPackets {}, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("sets_by_packets"))?;
                let changes = set::decode_by_packets(&wire::read_sealed(fd, wire::MAX_SEGMENT)?);
                changes.map_err(|_| LinkError::Unexpected("sets_by_packets"))
            }
            _ => Err(LinkError::Unexpected("sets_by_packets")),
        }
    }

    /// The names of the lists of `recent`.
    pub fn recent_lists(&mut self) -> Result<Vec<String>, LinkError> {
        match self.ask(&Request::RecentLists {}, &[])? {
            (Reply::RecentLists { names }, _) => Ok(names),
            _ => Err(LinkError::Unexpected("recent_lists")),
        }
    }

    /// A list of `recent`, after something was done to it.
    pub fn recent(&mut self, list: &str, change: Option<RecentChange>) -> Result<Vec<RecentEntry>, LinkError> {
        match self.ask(&Request::Recent { list: list.to_owned(), change }, &[])? {
            (Reply::Recent {}, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("recent"))?;
                Ok(serde_json::from_slice(&wire::read_sealed(fd, wire::MAX_SEGMENT)?)?)
            }
            _ => Err(LinkError::Unexpected("recent")),
        }
    }

    /// The statistics.
    pub fn stats(&mut self) -> Result<stats::Stats, LinkError> {
        match self.ask(&Request::Stats {}, &[])? {
            (Reply::Stats {}, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("stats"))?;
                Ok(serde_json::from_slice(&wire::read_sealed(fd, wire::MAX_SEGMENT)?)?)
            }
            _ => Err(LinkError::Unexpected("stats")),
        }
    }

    /// Connections from a place on, and where the next ones of that family begin.
    pub fn flows(&mut self, from: Place, zero: bool) -> Result<(Vec<Flow>, Option<Place>), LinkError> {
        self.ask_for_flows(&Request::Flows { from, zero })
    }

    /// Ends the named connections of one table; those that it ended.
    pub fn end_flows(&mut self, table: Place, flows: Vec<Name>) -> Result<Vec<Flow>, LinkError> {
        Ok(self.ask_for_flows(&Request::EndFlows { table, flows })?.0)
    }

    /// Changes the named connections of one table; those that were there, as they are then.
    pub fn change_flows(&mut self, table: Place, flows: Vec<Name>, change: Change) -> Result<Vec<Flow>, LinkError> {
        Ok(self.ask_for_flows(&Request::ChangeFlows { table, flows, change })?.0)
    }

    /// Ends all connections, or those of one family.
    pub fn flush_flows(&mut self, family: Option<Family>) -> Result<(), LinkError> {
        match self.ask(&Request::FlushFlows { family }, &[])? {
            (Reply::Ok {}, _) => Ok(()),
            _ => Err(LinkError::Unexpected("flush_flows")),
        }
    }

    /// What became of connections since this was asked last (the first time, from now on), and how many events were lost. Waits a moment for
    /// one. The first time it is said how many may wait, where that is not left to the dataplane.
    pub fn events(&mut self, room: Option<u32>) -> Result<(Vec<flow::Event>, u64), LinkError> {
        self.ask_for_events(&Request::Events { room })
    }

    /// Likewise, of what is expected.
    pub fn expectation_events(&mut self) -> Result<(Vec<expectation::Event>, u64), LinkError> {
        self.ask_for_events(&Request::ExpectationEvents {})
    }

    fn ask_for_events<E: DeserializeOwned>(&mut self, request: &Request) -> Result<(Vec<E>, u64), LinkError> {
        match self.ask(request, &[])? {
            (Reply::Events { lost }, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("events"))?;
                Ok((flow::decode(&wire::read_sealed(fd, wire::MAX_SEGMENT)?).map_err(LinkError::Flows)?, lost))
            }
            _ => Err(LinkError::Unexpected("events")),
        }
    }

    /// Expectations from a place on, and where the next ones of that family begin.
    pub fn expectations(&mut self, from: Place) -> Result<(Vec<Expectation>, Option<Place>), LinkError> {
        self.ask_for_expectations(&Request::Expectations { from })
    }

    /// Forgets an expectation by its name; gives it, if it was there still.
    pub fn end_expectation(&mut self, family: Family, name: Name) -> Result<Option<Expectation>, LinkError> {
        Ok(self.ask_for_expectations(&Request::EndExpectation { family, name })?.0.pop())
    }

    fn ask_for_expectations(&mut self, request: &Request) -> Result<(Vec<Expectation>, Option<Place>), LinkError> {
        match self.ask(request, &[])? {
            (Reply::Expectations { next }, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("expectations"))?;
                Ok((flow::decode(&wire::read_sealed(fd, wire::MAX_SEGMENT)?).map_err(LinkError::Flows)?, next))
            }
            _ => Err(LinkError::Unexpected("expectations")),
        }
    }

    /// Forgets all expectations.
    pub fn flush_expectations(&mut self) -> Result<(), LinkError> {
        match self.ask(&Request::FlushExpectations {}, &[])? {
            (Reply::Ok {}, _) => Ok(()),
            _ => Err(LinkError::Unexpected("flush_expectations")),
        }
    }

    fn ask_for_flows(&mut self, request: &Request) -> Result<(Vec<Flow>, Option<Place>), LinkError> {
        match self.ask(request, &[])? {
            (Reply::Flows { next }, fds) => {
                let fd = fds.first().ok_or(LinkError::Unexpected("flows"))?;
                Ok((flow::decode(&wire::read_sealed(fd, wire::MAX_SEGMENT)?).map_err(LinkError::Flows)?, next))
            }
            _ => Err(LinkError::Unexpected("flows")),
        }
    }

    /// Sends the mirror of the host.
    pub fn host(&mut self, snapshot: &host::Snapshot) -> Result<(), LinkError> {
        let segment = wire::sealed("rampart-host", &serde_json::to_vec(snapshot)?)?;
        match self.ask(&Request::Host {}, &[segment.as_fd()])? {
            (Reply::Ok {}, _) => Ok(()),
            _ => Err(LinkError::Unexpected("host")),
        }
    }

    /// Turns this connection into a stream of events. `patience` is how long one wait for an event lasts.
    pub fn subscribe(mut self, patience: Duration) -> Result<Socket, LinkError> {
        match self.ask(&Request::Subscribe {}, &[])? {
            (Reply::Ok {}, _) => {
                self.socket.set_timeout(Some(patience))?;
                Ok(self.socket)
            }
            _ => Err(LinkError::Unexpected("subscribe")),
        }
    }

    /// Whether the other end has hung up, waiting at most `patience` for it to.
    pub fn hung_up(socket: impl AsFd, patience: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let limit = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
        let mut fds = [PollFd::new(&socket, PollFlags::RDHUP)];
        match poll(&mut fds, Some(&limit)) {
            Ok(0) => false,
            Ok(_) => fds[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL),
            Err(_) => false,
        }
    }

    /// A second descriptor of the connection, to watch for its end.
    pub fn watch(&self) -> Result<OwnedFd, LinkError> {
        self.socket.as_fd().try_clone_to_owned().map_err(|source| LinkError::Wire(WireError::Os { call: "dup", source }))
    }

    fn ask(&mut self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(Reply, Vec<OwnedFd>), LinkError> {
        self.socket.send(request, fds)?;
        match self.socket.recv::<Reply>()? {
            (Reply::Refused { reason }, _) => Err(LinkError::Refused(reason)),
            answer => Ok(answer),
        }
    }
}
