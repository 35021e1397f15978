//! The private socket: rampartd asks, rampart-dataplane answers.
//!
//! The dataplane listens and answers each request with exactly one reply, in order. One connection may control ([`Request::Hello`] with
//! [`Role::Controller`]); a second is refused while the first lives. A connection that says [`Role::Observer`] may [`Request::Subscribe`]
//! and then only receives [`Event`]s; it may also ask [`Request::Counters`] and [`Request::Stats`]. One that says [`Role::Conntrack`] may list,
//! end, mark and watch connections: these requests are the workers' to answer, so such a connection waits, and no other one does.
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::flow::{Change, Name};
use crate::host::Mac;

/// The version of this protocol. Either side refuses another one, naming both.
pub const VERSION: u32 = 10;
/// Counters that one [`Request::CountersOf`] names, at most.
pub const NAMED_COUNTERS: usize = 1024;

/// The address family of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// The table of netfilter that a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    /// raw
    Raw,
    /// mangle
    Mangle,
    /// nat
    Nat,
    /// filter
    Filter,
    /// security
    Security,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May publish and send the host's state. One at a time.
    Controller,
    /// Reads counters and events.
    Observer,
    /// Lists, ends and marks connections.
    Conntrack,
}

/// From rampartd to the dataplane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// First message of every connection.
    Hello {
        /// [`VERSION`] of the sender.
        version: u32,
        /// What it wants to be.
        role: Role,
    },
    /// A new program. Descriptors: the image of each table that is not unchanged, in the order of `tables`, then where `begins_counters` says so the
    /// numbers of slots, and at last the source blob.
    Publish(Publish),
    /// Asks for the source blob of the running program.
    Source {},
    /// The host's links, addresses, routes and neighbours. Descriptor: a [`crate::host::Snapshot`] as JSON.
    Host {},
    /// What changes of sets. Descriptor: edits of sets, as the dataplane's program image has them.
    Sets {
        /// They make all sets there are of nothing; those of before are gone.
        whole: bool,
    },
    /// Asks what elements of these sets have counted.
    SetCounts {
        /// At most [`NAMED_COUNTERS`].
        names: Vec<String>,
    },
    /// Asks what packets have changed of sets.
    SetsByPackets {
        /// Until this number the sender knows it; what it is told beyond may be told again.
        known: u64,
    },
    /// Asks for the names of the lists of `recent` that there are.
    RecentLists {},
    /// Asks for a list of `recent`, after something was done to it.
    Recent {
        /// Its name.
        list: String,
        /// What is done; nothing when missing.
        change: Option<RecentChange>,
    },
    /// Asks for all counters.
    Counters {},
    /// Asks for some. Answered as if there were no others, in this order.
    CountersOf {
        /// At most [`NAMED_COUNTERS`].
        slots: Vec<u32>,
    },
    /// Asks for the statistics of ports, workers, drops and flows.
    Stats {},
    /// From now on this connection only receives [`Event`]s.
    Subscribe {},
    /// The next connections, from a place on.
    Flows {
        /// Where to begin.
        from: Place,
        /// Their counts begin anew.
        zero: bool,
    },
    /// Ends the named connections of one table. Answered with those that it ended, as they were.
    EndFlows {
        /// Which table; the slot says nothing.
        table: Place,
        /// Which connections: at most [`crate::flow::NAMES`].
        flows: Vec<Name>,
    },
    /// Changes marks and labels of the named connections. Answered with those that were there, as they are then: one for whose labels there is no
    /// room has none.
    ChangeFlows {
        /// Which table; the slot says nothing.
        table: Place,
        /// Which connections: at most [`crate::flow::NAMES`].
        flows: Vec<Name>,
        /// What of them.
        change: Change,
    },
    /// What became of connections since this was asked last; the first time, from now on. Answered when there is something, and at the latest
    /// after a moment.
    Events {
        /// Asked for the first time: how many may wait to be asked for. As many as the dataplane finds right when missing, and no more than it has
        /// room for.
        room: Option<u32>,
    },
    /// Ends all connections, or all of one family.
    FlushFlows {
        /// Of which family; both when missing.
        family: Option<Family>,
    },
    /// The next expectations, from a place on. The workers have one table of them, which is all that the first one's place names.
    Expectations {
        /// Where to begin.
        from: Place,
    },
    /// Forgets the named expectation. Answered with it as it was, if it was there still.
    EndExpectation {
        /// Of which family.
        family: Family,
        /// Which.
        name: Name,
    },
    /// Forgets all expectations of both families.
    FlushExpectations {},
    /// What became of expectations, as [`Request::Events`] of connections. A connection asks for one of the two.
    ExpectationEvents {},
}

/// What is done to a list of `recent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecentChange {
    /// The address is noted now.
    Note(IpAddr),
    /// The address is forgotten, if it is there.
    Forget(IpAddr),
    /// All addresses are forgotten.
    Clear,
}

/// An address of a list of `recent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentEntry {
    /// Which.
    pub address: IpAddr,
    /// Of the packet that was noted last; 0 if it was noted by hand.
    pub ttl: u8,
    /// Which of `times` is the last, from 1. The next one comes behind it, and after the last place in the first.
    pub last: u32,
    /// When it was noted, in milliseconds since the dataplane's start or another moment before, by places.
    pub times: Vec<u64>,
}

/// A place among all connections: a family, a worker's table of it, a slot. They are listed in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Family.
    pub family: Family,
    /// Worker number.
    pub worker: u32,
    /// Slot of its table.
    pub slot: u32,
}

impl Place {
    /// The first of a family.
    pub fn first(family: Family) -> Place {
        Place { family, worker: 0, slot: 0 }
    }
}

/// What a publication says beside its segments. A table that is not in `tables` is not loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The generation that the sender takes to be running; the dataplane refuses another one, because of another one an edit would make another
    /// table, and an unchanged one would be another.
    pub based_on: u64,
    /// Security labels by id; entry 0 is the empty label. A label keeps its id for the life of the dataplane.
    pub labels: Vec<String>,
    /// The loaded tables.
    pub tables: Vec<TableRef>,
    /// The source is more of the one that the dataplane has, which it keeps in front of this; else it takes its place.
    pub source_goes_on: bool,
    /// Some slots count from nothing again with this program: their numbers, as native-endian `u32`, are in the descriptor before the source.
    pub begins_counters: bool,
}

/// One table of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRef {
    /// Its family.
    pub family: Family,
    /// Which table.
    pub kind: TableKind,
    /// How it comes.
    pub form: Form,
}

/// How a table of a publication comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As an image of all of it.
    Whole,
    /// As an image of what makes it of the running one.
    Edit,
    /// The running one is kept, with what its rules remember. It comes without a descriptor.
    Unchanged,
}

/// From the dataplane to rampartd.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Answer to [`Request::Hello`].
    Hello {
        /// [`VERSION`] of the dataplane.
        version: u32,
        /// The version of its program, for people.
        software: String,
        /// The running program; 0 before the first.
        generation: u64,
        /// The ports.
        interfaces: Vec<Interface>,
        /// How many counter slots there are: slots `0..counter_slots`.
        counter_slots: u32,
        /// Drawn at random when the process started: tells a restart from a lost connection.
        boot_id: u64,
        /// It walks IPv6 packets and takes tables for them; else it drops every one.
        ipv6: bool,
    },
    /// The program runs on every worker.
    Published {
        /// Its generation.
        generation: u64,
    },
    /// The source blob of the running program. Descriptor: the blob; none when `generation` is 0.
    Source {
        /// The running program.
        generation: u64,
    },
    /// Descriptor: for each slot in order, packets and bytes as native-endian `u64`, summed over workers. They only grow, but for those that a
    /// publication has begin anew.
    Counters {
        /// Pairs in the descriptor.
        slots: u32,
    },
    /// Descriptor: what elements have counted, in the form of edits of sets. Sets that are not there are left out.
    SetCounts {},
    /// Descriptor: what packets have changed of sets, in the form of edits of sets, and the number until which that is.
    SetsByPackets {},
    /// The names of the lists of `recent`, in order.
    RecentLists {
        /// They.
        names: Vec<String>,
    },
    /// Descriptor: the list's [`RecentEntry`]s as JSON, the one that was noted least lately first.
    Recent {},
    /// Descriptor: a [`crate::stats::Stats`] as JSON.
    Stats {},
    /// Descriptor: connections, as [`crate::flow::encode`] writes them.
    Flows {
        /// Where the next ones of this family begin; none after the last, and in an answer about named ones.
        next: Option<Place>,
    },
    /// Descriptor: events of connections, or of expectations, as [`crate::flow::encode`] writes them.
    Events {
        /// How many there would have been more, if this connection had asked sooner.
        lost: u64,
    },
    /// Descriptor: [`crate::expectation::Expectation`]s, as [`crate::flow::encode`] writes them.
    Expectations {
        /// Where the next ones of this family begin; none after the last, and in an answer about a named one.
        next: Option<Place>,
    },
    /// Done.
    Ok {},
    /// Not done, and nothing changed.
    Refused {
        /// Why, for people.
        reason: String,
    },
}

/// One port of the dataplane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Its id in program images and events.
    pub id: u16,
    /// The name that rules use.
    pub name: String,
    /// Its Ethernet address.
    pub mac: Mac,
    /// The largest IP packet, in bytes.
    pub mtu: u32,
    /// The name of its TAP on the host.
    pub tap: String,
}

/// Sent to subscribers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Packets wait for the link-layer address of this neighbour.
    Resolve {
        /// The name that rules use.
        interface: String,
        /// The next hop.
        address: IpAddr,
    },
    /// The carrier of a port changed.
    Link {
        /// The name that rules use.
        interface: String,
        /// Whether there is a carrier.
        up: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_back_as_they_were_written() {
        let publish = Request::Publish(Publish {
            based_on: 3,
            labels: vec![String::new(), "system_u:object_r:ssh_t:s0".into()],
            tables: vec![TableRef { family: Family::Ipv4, kind: TableKind::Filter, form: Form::Unchanged }],
            source_goes_on: false,
            begins_counters: true,
        });
        for request in [Request::Hello { version: VERSION, role: Role::Controller }, publish, Request::Stats {}] {
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request, "{text}");
        }
    }

    #[test]
    fn an_unknown_request_or_field_is_an_error() {
        assert!(serde_json::from_str::<Request>(r#"{"type":"reboot"}"#).is_err());
        assert!(serde_json::from_str::<Request>(r#"{"type":"stats","x":1}"#).is_err());
        assert!(
            serde_json::from_str::<Request>(
                r#"{"type":"publish","based_on":0,"labels":[],"tables":[],"source_goes_on":false,"begins_counters":false,"x":1}"#
            )
            .is_err()
        );
    }
}
