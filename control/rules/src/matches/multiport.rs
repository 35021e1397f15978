//! `-m multiport`: up to 15 ports or ranges.
use super::ports::read_port;
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Value, port_name};

/// Holds when a port of the packet is in the list, turned round by `invert`; needs `-p` tcp, udp, udplite, sctp or dccp.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Multiport {
    /// Which ports of the packet.
    pub side: Side,
    /// The list in the order given; a range counts two of the 15 places.
    pub ports: Box<[PortSpan]>,
    /// `!` was given.
    pub invert: bool,
}

/// Which ports of the packet are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// `--sports`.
    Source,
    /// `--dports`.
    Destination,
    /// `--ports`: either.
    Either,
}

/// A port, or a range with `min < max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortSpan {
    /// Lowest port.
    pub min: u16,
    /// Highest port.
    pub max: u16,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "multiport", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("source-ports", Arg::PortList).aliases(&["sports", "sport"]).invertible().excludes(&["destination-ports", "ports"]),
    Opt::new("destination-ports", Arg::PortList).aliases(&["dports", "dport"]).invertible().excludes(&["source-ports", "ports"]),
    Opt::new("ports", Arg::PortList).invertible().excludes(&["source-ports", "destination-ports"]),
];

/// Places of the list; a range takes two.
const PLACES: usize = 15;

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let sides = [("source-ports", Side::Source), ("destination-ports", Side::Destination), ("ports", Side::Either)];
    for (option, side) in sides {
        if let Some((Value::PortList(ports), invert)) = given.value(option) {
            return Ok(Match::Multiport(Box::new(Multiport { side, ports: ports.as_slice().into(), invert })));
        }
    }
    Err(UsageError::Needs("multiport expection an option"))
}

/// Reads a list of ports and ranges of the rule's protocol, which must have been said before.
pub(crate) fn read_list(text: &str, context: &Context<'_>) -> Result<Vec<PortSpan>, UsageError> {
    let protocol = port_protocol(context)?;
    let mut spans = Vec::new();
    let mut places = 0;
    for word in text.split(',') {
        let span = match word.split_once(':') {
            None => {
                let port = read_port(word, protocol, context)?;
                PortSpan { min: port, max: port }
            }
            Some((min, max)) => {
                let span = PortSpan { min: read_port(min, protocol, context)?, max: read_port(max, protocol, context)? };
                if span.min >= span.max {
                    return Err(UsageError::MultiportRange);
                }
                span
            }
        };
        places += if span.min == span.max { 1 } else { 2 };
        if places > PLACES {
            return Err(UsageError::TooManyPorts);
        }
        spans.push(span);
    }
    Ok(spans)
}

fn port_protocol(context: &Context<'_>) -> Result<&'static str, UsageError> {
    let protocol = context.protocol;
    if protocol.is_any() {
        return Err(UsageError::Needs("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'"));
    }
    match protocol_name(protocol.number) {
        Some(name) if !protocol.invert => Ok(name),
        _ => Err(UsageError::Needs("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP")),
    }
}

fn protocol_name(number: u8) -> Option<&'static str> {
    Some(match number {
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        132 => "sctp",
        136 => "udplite",
        _ => return None,
    })
}

impl Multiport {
    fn option(&self) -> &'static str {
        match self.side {
            Side::Source => "sports",
            Side::Destination => "dports",
            Side::Either => "ports",
        }
    }

    fn text(&self, port: impl Fn(u16) -> String) -> String {
        let span = |span: &PortSpan| {
            if span.min == span.max { port(span.min) } else { format!("{}:{}", port(span.min), port(span.max)) }
        };
        self.ports.iter().map(span).collect::<Vec<_>>().join(",")
    }

    pub(crate) fn save(&self, out: &mut String) {
        let list = self.text(|port| port.to_string());
        OptionWriter::new(OPTIONS, out).value(self.option(), self.invert, list);
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let protocol = protocol_name(style.protocol).unwrap_or("");
        let list = self.text(|port| port_name(port, protocol, style));
        let not = if self.invert { " !" } else { "" };
        out.push_str(&format!(" multiport {} {not}{list}", self.option()));
    }
}
