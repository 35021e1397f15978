//! Connections that others have announced, as they travel from the dataplane to rampartd.
use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::flow::{Kind, Name};

/// Most of one message.
pub const PAGE: usize = 2048;

/// One announced connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// Its name.
    pub name: Name,
    /// The zone in which it is expected.
    pub zone: u16,
    /// Protocol number.
    pub protocol: u8,
    /// Seconds until it is forgotten.
    pub timeout: u32,
    /// Where it comes from; any.
    pub src: Option<IpAddr>,
    /// From which port; any.
    pub sport: Option<u16>,
    /// Where it goes to.
    pub dst: IpAddr,
    /// To which port.
    pub dport: u16,
    /// Who announced it.
    pub master: Master,
    /// Which of the helper's kinds it is.
    pub class: u8,
    /// The helper that reads the one who announced it.
    pub helper: Cow<'static, str>,
    /// It stays when it was fulfilled.
    pub permanent: bool,
    /// It cannot be fulfilled yet.
    pub inactive: bool,
}

/// The first packet of a connection that announces others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
}

/// Something that happened to an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// It is there, or it ended.
    pub kind: Kind,
    /// What it was then.
    pub expectation: Expectation,
}
