//! `-m conntrack`: what connection tracking knows about the packet's connection.
use super::ports::PortTest;
use super::state::StateSet;
use crate::AddrMatch;
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Value, masked_address};

/// The conntrack test. Every part that is there must hold; a packet without a connection passes only the state part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conntrack {
    /// `--ctstate`.
    pub state: Option<StateTest>,
    /// `--ctproto`.
    pub proto: Option<ProtoTest>,
    /// What is asked of its addresses and ports; `None` is nothing. (Few rules do, and it is larger than all else.)
    pub tuple: Option<Box<TupleTest>>,
    /// `--ctstatus`.
    pub status: Option<StatusTest>,
    /// `--ctexpire`, in seconds.
    pub expire: Option<ExpireTest>,
    /// `--ctdir`.
    pub direction: Option<Direction>,
}

/// What is asked of both directions of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TupleTest {
    /// `--ctorigsrc`.
    pub orig_src: Option<AddrMatch>,
    /// `--ctorigdst`.
    pub orig_dst: Option<AddrMatch>,
    /// `--ctreplsrc`.
    pub repl_src: Option<AddrMatch>,
    /// `--ctrepldst`.
    pub repl_dst: Option<AddrMatch>,
    /// `--ctorigsrcport`.
    pub orig_src_port: Option<PortTest>,
    /// `--ctorigdstport`.
    pub orig_dst_port: Option<PortTest>,
    /// `--ctreplsrcport`.
    pub repl_src_port: Option<PortTest>,
    /// `--ctrepldstport`.
    pub repl_dst_port: Option<PortTest>,
}

impl TupleTest {
    /// As [`Conntrack::tuple`] has it.
    pub fn boxed(self) -> Option<Box<TupleTest>> {
        (self != TupleTest::default()).then(|| Box::new(self))
    }
}

/// Holds when the packet's states meet the set, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateTest {
    /// The wanted states.
    pub states: StateSet,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when the connection's protocol is `number`, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtoTest {
    /// IP protocol number.
    pub number: u8,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when one of these is true of the connection, turned round by `invert`. No field set is `NONE`: nothing is true of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatusTest {
    /// `EXPECTED`: it was announced by another connection.
    pub expected: bool,
    /// `SEEN_REPLY`: packets came back.
    pub seen_reply: bool,
    /// `ASSURED`: never thrown out early.
    pub assured: bool,
    /// `CONFIRMED`: its first packet left the machine.
    pub confirmed: bool,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when `(min <= seconds left <= max) != invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExpireTest {
    /// Least seconds left.
    pub min: u32,
    /// Most seconds left.
    pub max: u32,
    /// `!` was given.
    pub invert: bool,
}

/// The direction in which a packet flows through its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// As the first packet.
    Original,
    /// Against the first packet.
    Reply,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "conntrack", family: None, options: OPTIONS, build };

const TEXT: Arg = Arg::Text { min: 0, max: usize::MAX };
const OPTIONS: &[Opt] = &[
    Opt::new("ctstate", TEXT).invertible().checked(|reading| StateSet::parse(reading.word, "ctstate", true).map(drop)),
    Opt::new("ctproto", Arg::Protocol).invertible(),
    Opt::new("ctorigsrc", Arg::Address).invertible(),
    Opt::new("ctorigdst", Arg::Address).invertible(),
    Opt::new("ctreplsrc", Arg::Address).invertible(),
    Opt::new("ctrepldst", Arg::Address).invertible(),
    Opt::new("ctstatus", TEXT).invertible().checked(|reading| read_status(reading.word).map(drop)),
    Opt::new("ctexpire", Arg::Seconds).invertible(),
    Opt::new("ctorigsrcport", Arg::Ports).invertible(),
    Opt::new("ctorigdstport", Arg::Ports).invertible(),
    Opt::new("ctreplsrcport", Arg::Ports).invertible(),
    Opt::new("ctrepldstport", Arg::Ports).invertible(),
    Opt::new("ctdir", TEXT).checked(|reading| read_direction(reading.word).map(drop)),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    if given.order().next().is_none() {
        return Err(UsageError::Needs("conntrack: At least one option is required"));
    }
    let address = |option| match given.value(option) {
        Some((Value::Address(test), invert)) => Some(AddrMatch { invert, ..*test }),
        _ => None,
    };
    let ports = |option| match given.value(option) {
        Some((Value::Ports(min, max), invert)) => Some(PortTest { min: *min, max: *max, invert }),
        _ => None,
    };
    let tuple = TupleTest {
        orig_src: address("ctorigsrc"),
        orig_dst: address("ctorigdst"),
        repl_src: address("ctreplsrc"),
        repl_dst: address("ctrepldst"),
        orig_src_port: ports("ctorigsrcport"),
        orig_dst_port: ports("ctorigdstport"),
        repl_src_port: ports("ctreplsrcport"),
        repl_dst_port: ports("ctrepldstport"),
    };
    let state = given.text("ctstate").map(|text| StateSet::parse(text, "ctstate", true)).transpose()?;
    let status = given.text("ctstatus").map(read_status).transpose()?;
    Ok(Match::Conntrack(Box::new(Conntrack {
        state: state.map(|states| StateTest { states, invert: given.is_inverted("ctstate") }),
        proto: match given.value("ctproto") {
            Some((Value::Protocol(number), invert)) => Some(ProtoTest { number: *number, invert }),
            _ => None,
        },
        tuple: tuple.boxed(),
        status: status.map(|status| StatusTest { invert: given.is_inverted("ctstatus"), ..status }),
        expire: match given.value("ctexpire") {
            Some((Value::Seconds(min, max), invert)) => Some(ExpireTest { min: *min, max: *max, invert }),
            _ => None,
        },
        direction: given.text("ctdir").map(read_direction).transpose()?,
    })))
}

fn read_status(text: &str) -> Result<StatusTest, UsageError> {
    let mut status = StatusTest::default();
    for word in text.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "NONE" => {}
            "EXPECTED" => status.expected = true,
            "SEEN_REPLY" => status.seen_reply = true,
            "ASSURED" => status.assured = true,
            "CONFIRMED" => status.confirmed = true,
            _ => return Err(UsageError::BadWord { kind: "ctstatus", value: word.to_owned() }),
        }
    }
    Ok(status)
}

fn read_direction(text: &str) -> Result<Direction, UsageError> {
    match text.to_ascii_uppercase().as_str() {
        "ORIGINAL" => Ok(Direction::Original),
        "REPLY" => Ok(Direction::Reply),
        _ => Err(UsageError::BadValue { extension: "conntrack", option: "ctdir", value: text.to_owned() }),
    }
}

impl StatusTest {
    fn names(&self) -> String {
        let all = [
            (self.expected, "EXPECTED"),
            (self.seen_reply, "SEEN_REPLY"),
            (self.assured, "ASSURED"),
            (self.confirmed, "CONFIRMED"),
        ];
        let names: Vec<&str> = all.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        if names.is_empty() { "NONE".to_owned() } else { names.join(",") }
    }
}

fn span<T: PartialEq + std::fmt::Display>(min: T, max: T) -> String {
    if min == max { min.to_string() } else { format!("{min}:{max}") }
}

impl Conntrack {
    /// What is asked of its addresses and ports.
    pub fn tuple(&self) -> TupleTest {
        self.tuple.as_deref().copied().unwrap_or_default()
    }

    /// Every part that is there, in the order in which it is printed: option, inversion, value.
    fn parts(&self, anywhere: bool) -> Vec<(&'static str, bool, String)> {
        let mut parts = Vec::new();
        if let Some(test) = &self.state {
            parts.push(("ctstate", test.invert, test.states.names()));
        }
        if let Some(test) = &self.proto {
            parts.push(("ctproto", test.invert, test.number.to_string()));
        }
        let tuple = self.tuple();
        let addresses = [
            ("ctorigsrc", &tuple.orig_src),
            ("ctorigdst", &tuple.orig_dst),
            ("ctreplsrc", &tuple.repl_src),
            ("ctrepldst", &tuple.repl_dst),
        ];
        for (option, test) in addresses {
            if let Some(test) = test {
                let any = anywhere && test.is_unmasked();
                parts.push((option, test.invert, if any { "anywhere".to_owned() } else { masked_address(test) }));
            }
        }
        let ports = [
            ("ctorigsrcport", tuple.orig_src_port),
            ("ctorigdstport", tuple.orig_dst_port),
            ("ctreplsrcport", tuple.repl_src_port),
            ("ctrepldstport", tuple.repl_dst_port),
        ];
        for (option, test) in ports {
            if let Some(test) = test {
                parts.push((option, test.invert, span(test.min, test.max)));
            }
        }
        if let Some(test) = &self.status {
            parts.push(("ctstatus", test.invert, test.names()));
        }
        if let Some(test) = &self.expire {
            parts.push(("ctexpire", test.invert, span(test.min, test.max)));
        }
        if let Some(direction) = self.direction {
            let name = match direction {
                Direction::Original => "ORIGINAL",
                Direction::Reply => "REPLY",
            };
            parts.push(("ctdir", false, name.to_owned()));
        }
        parts
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, invert, value) in self.parts(false) {
            out.value(option, invert, value);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        for (option, invert, value) in self.parts(!style.numeric) {
            out.push_str(&format!(" {}{option} {value}", if invert { "! " } else { "" }));
        }
    }
}
