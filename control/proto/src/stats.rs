//! Statistics of the dataplane, as it counts them itself. All counts grow for the life of the process.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// The running program.
    pub generation: u64,
    /// What the drivers count, one entry per port.
    pub ports: Vec<Port>,
    /// What the workers count, one entry per port and worker.
    pub traffic: Vec<Traffic>,
    /// Packets dropped, by the name of the reason. Reasons that never occurred may be absent.
    pub drops: BTreeMap<String, u64>,
    /// What the workers handed to each other, one entry per worker.
    #[serde(default)]
    pub handoffs: Vec<Handoffs>,
    /// Tracked connections.
    pub flows: Vec<Flows>,
    /// How many connections there is room for.
    pub flow_capacity: u64,
    /// Connections that were ended before their time because there was no room for another.
    #[serde(default)]
    pub early_drops: u64,
    /// Packets that met no rule, because one like them had met them.
    #[serde(default)]
    pub retraced: u64,
    /// What connection tracking did, one entry per worker.
    #[serde(default)]
    pub tracking: Vec<Tracking>,
    /// LOG lines that no room was left for.
    pub logs_lost: u64,
}

/// A driver's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// The name that rules use.
    pub name: String,
    /// Frames received.
    pub rx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Frames lost because no worker took them in time.
    pub rx_missed: u64,
    /// Frames received with an error.
    pub rx_errors: u64,
    /// Frames that could not be sent.
    pub tx_errors: u64,
    /// Receptions that found no free buffer.
    pub rx_no_buffer: u64,
}

/// What one worker moved through one port.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// The name that rules use.
    pub port: String,
    /// Worker number.
    pub worker: u32,
    /// Frames received.
    pub rx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
}

/// What one worker handed to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoffs {
    /// Worker number.
    pub worker: u32,
    /// Packets whose flow another worker keeps.
    pub packets: u64,
    /// Translated tuples that other workers were asked to keep.
    pub claims: u64,
    /// Those that were refused.
    pub claims_refused: u64,
}

/// What connection tracking did at one worker, by the names of `conntrack -S`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Worker number.
    pub worker: u32,
    /// Tuples that NAT could not choose because a connection has them.
    pub found: u64,
    /// Packets that were INVALID.
    pub invalid: u64,
    /// Connections that could not begin because another has their tuple.
    pub insert_failed: u64,
    /// Packets that were dropped for want of room, or with a connection that could not begin.
    pub drop: u64,
    /// Connections that were ended before their time.
    pub early_drop: u64,
    /// ICMP messages that were INVALID.
    pub error: u64,
    /// Connections that began as others had announced.
    pub expect_new: u64,
    /// Connections that were announced.
    pub expect_create: u64,
    /// Announced connections that are expected no more.
    pub expect_delete: u64,
}

impl Tracking {
    /// Every count with its name.
    pub fn counts(&self) -> [(&'static str, u64); 9] {
        [
            ("found", self.found),
            ("invalid", self.invalid),
            ("insert_failed", self.insert_failed),
            ("drop", self.drop),
            ("early_drop", self.early_drop),
            ("error", self.error),
            ("expect_new", self.expect_new),
            ("expect_create", self.expect_create),
            ("expect_delete", self.expect_delete),
        ]
    }
}

/// Connections of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flows {
    /// `tcp`, `udp`, `icmp`, or a number.
    pub protocol: String,
    /// The protocol's state in conntrack's words; empty where the protocol has none.
    pub state: String,
    /// How many there are now.
    pub count: u64,
}
