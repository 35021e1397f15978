//! `-j CT`: how the packet's connection is tracked. `-j NOTRACK` is the old name of `-j CT --notrack`.
use std::fmt;

use crate::Target;
use crate::error::KernelError;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use crate::{ProtocolMatch, number};

/// Settings for a connection before it is tracked. The packet goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ct {
    /// `--notrack`: the packet is UNTRACKED.
    pub notrack: bool,
    /// `--zone`, `--zone-orig`, `--zone-reply`.
    pub zone: Option<Zone>,
    /// `--helper`: name of a connection helper, at most 15 bytes.
    pub helper: Option<Box<str>>,
    /// `--timeout`: name of a timeout policy, at most 31 bytes.
    pub timeout: Option<Box<str>>,
    /// `--ctevents`: what is told of the connection (`conntrack -E`).
    pub ctevents: Option<CtEvents>,
    /// `--expevents new`: what it announces is told.
    pub expevents: bool,
}

/// What can be told of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CtEvents(u16);

/// By their bits, which are the kernel's numbers.
const EVENTS: [&str; 10] =
    ["new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark"];

impl CtEvents {
    /// The kernel's numbers (`IPCT_*`) as bits.
    pub fn bits(self) -> u16 {
        self.0
    }

    fn read(text: &str) -> Result<CtEvents, UsageError> {
        let bit = |name: &str| EVENTS.iter().position(|known| *known == name).ok_or_else(|| UsageError::EventType(name.to_owned()));
        text.split(',').try_fold(0, |bits, name| Ok(bits | 1 << bit(name)?)).map(CtEvents)
    }
}

impl fmt::Display for CtEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = (0..).zip(EVENTS).filter(|(bit, _)| self.0 >> bit & 1 == 1);
        f.write_str(&named.map(|(_, name)| name).collect::<Vec<_>>().join(","))
    }
}

/// A tracking zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone {
    /// Where the number comes from.
    pub id: ZoneId,
    /// For which direction.
    pub direction: ZoneDirection,
}

/// Where the number of a zone comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneId {
    /// A fixed number.
    Number(u16),
    /// The low 16 bits of the packet's mark.
    FromMark,
}

/// The directions of a connection to which a zone applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneDirection {
    /// Both.
    Both,
    /// As the first packet.
    Original,
    /// Against the first packet.
    Reply,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "CT", family: None, options: OPTIONS, build };

/// `-j NOTRACK`, which has no options.
pub(crate) static NOTRACK: Extension<Target> =
    Extension { name: "NOTRACK", family: None, options: &[], build: |_, _| Ok(Target::Notrack) };

const TEXT: Arg = Arg::Text { min: 0, max: usize::MAX };
const OPTIONS: &[Opt] = &[
    Opt::new("notrack", Arg::None),
    Opt::new("helper", Arg::Name { max: 15 }),
    Opt::new("timeout", Arg::Name { max: 31 }),
    Opt::new("ctevents", TEXT).checked(|reading| CtEvents::read(reading.word).map(drop)),
    Opt::new("expevents", TEXT).checked(|reading| check_expected(reading.word)),
    Opt::new("zone-orig", TEXT).checked(|reading| read_zone(reading.word).map(drop)),
    Opt::new("zone-reply", TEXT).checked(|reading| read_zone(reading.word).map(drop)),
    Opt::new("zone", TEXT).checked(|reading| read_zone(reading.word).map(drop)),
];

/// Connection helpers and the protocols that they read.
const HELPERS: &[(&str, &[u8])] = &[
    ("amanda", &[17]),
    ("ftp", &[6]),
    ("H.245", &[6]),
    ("irc", &[6]),
    ("netbios-ns", &[17]),
    ("pptp", &[6]),
    ("Q.931", &[6]),
    ("RAS", &[17]),
    ("sane", &[6]),
    ("sip", &[6, 17]),
    ("snmp", &[17]),
    ("tftp", &[17]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let mut zone = None;
    let (mut original, mut reply) = (false, false);
    for option in given.order() {
        match option {
            "zone" => {}
            "zone-orig" => original = true,
            "zone-reply" => reply = true,
            _ => continue,
        }
        zone = Some(read_zone(given.text(option).unwrap_or(""))?);
    }
    let ctevents = given.text("ctevents").map(CtEvents::read).transpose()?;
    let direction = match (original, reply) {
        (true, false) => ZoneDirection::Original,
        (false, true) => ZoneDirection::Reply,
        _ => ZoneDirection::Both,
    };
    Ok(Target::Ct(Box::new(Ct {
        notrack: given.has("notrack"),
        // Zone 0 is where every connection is anyway.
        zone: zone.filter(|id| *id != ZoneId::Number(0)).map(|id| Zone { id, direction }),
        helper: given.text("helper").filter(|name| !name.is_empty()).map(Box::from),
        timeout: given.text("timeout").filter(|name| !name.is_empty()).map(Box::from),
        ctevents,
        expevents: given.has("expevents"),
    })))
}

/// There is one event of what is expected.
fn check_expected(text: &str) -> Result<(), UsageError> {
    let other = text.split(',').find(|name| *name != "new");
    other.map_or(Ok(()), |other| Err(UsageError::EventType(other.to_owned())))
}

fn read_zone(text: &str) -> Result<ZoneId, UsageError> {
    if text == "mark" {
        return Ok(ZoneId::FromMark);
    }
    number::short(text).map(ZoneId::Number).ok_or_else(|| UsageError::ZoneId(text.to_owned()))
}

impl Ct {
    /// A helper must exist and read the rule's protocol. A timeout policy is of one protocol, which the rule must name; whether there is one
    /// of that name, only the dataplane knows.
    pub(crate) fn check(&self, protocol: ProtocolMatch) -> Result<(), KernelError> {
        if self.notrack {
            return Ok(());
        }
        if let Some(helper) = self.helper.as_deref() {
            let fits =
                |(name, protocols): &(&str, &[u8])| *name == helper && !protocol.invert && protocols.contains(&protocol.number);
            if !HELPERS.iter().any(fits) {
                return Err(KernelError::NoSuchName);
            }
        }
        if self.timeout.is_some() && (protocol.invert || protocol.number == 0) {
            return Err(KernelError::InvalidArgument);
        }
        Ok(())
    }

    /// Option and value of the zone, as far as it shows.
    fn zone_option(&self) -> Option<(&'static str, String)> {
        let zone = self.zone?;
        let option = match zone.direction {
            ZoneDirection::Both => "zone",
            ZoneDirection::Original => "zone-orig",
            ZoneDirection::Reply => "zone-reply",
        };
        Some(match zone.id {
            ZoneId::Number(number) => (option, number.to_string()),
            ZoneId::FromMark => (option, "mark".to_owned()),
        })
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if self.notrack {
            out.flag("notrack", false);
        }
        if let Some(helper) = &self.helper {
            out.value("helper", false, helper);
        }
        if let Some(timeout) = &self.timeout {
            out.value("timeout", false, timeout);
        }
        if let Some(events) = self.ctevents {
            out.value("ctevents", false, events);
        }
        if self.expevents {
            out.value("expevents", false, "new");
        }
        if let Some((option, value)) = self.zone_option() {
            out.value(option, false, value);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" CT");
        if self.notrack {
            out.push_str(" notrack");
        }
        if let Some(helper) = &self.helper {
            out.push_str(&format!(" helper {helper}"));
        }
        if let Some(timeout) = &self.timeout {
            out.push_str(&format!(" timeout {timeout}"));
        }
        if let Some(events) = self.ctevents {
            out.push_str(&format!(" ctevents {events}"));
        }
        if self.expevents {
            out.push_str(" expevents new");
        }
        if let Some((option, value)) = self.zone_option() {
            out.push_str(&format!(" {option} {value}"));
        }
    }
}
