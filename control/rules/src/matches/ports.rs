//! Ports as tcp, udp and multiport test them.
use crate::error::UsageError;
use crate::number;
use crate::options::{Context, Given, ListStyle, OptionWriter, Reading, Value, port_name};

/// Holds when `(min <= port <= max) != invert`. `-m udp` and `-m conntrack` take a `min` above
/// `max`, as iptables does: then no port is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortTest {
    /// Lowest port inside.
    pub min: u16,
    /// Highest port inside.
    pub max: u16,
    /// `!` was given.
    pub invert: bool,
}

impl PortTest {
    /// The test that every port passes.
    pub const ANY: PortTest = PortTest { min: 0, max: u16::MAX, invert: false };

    /// Whether every port is inside (none passes if it is inverted).
    pub fn is_full(self) -> bool {
        self.min == 0 && self.max == u16::MAX
    }

    /// Whether this port passes.
    pub fn holds(self, port: u16) -> bool {
        (self.min <= port && port <= self.max) != self.invert
    }
}

impl PortTest {
    /// What the option of tcp or sctp said; every port without it.
    pub(crate) fn given(option: &str, given: &Given) -> PortTest {
        match given.value(option) {
            Some((&Value::Ports(min, max), invert)) => PortTest { min, max, invert },
            _ => PortTest::ANY,
        }
    }

    /// Writes `[ !] --name min[:max]`, or nothing when every port is inside (even if inverted, as iptables 1.8.9 does).
    pub(crate) fn save(self, name: &str, out: &mut OptionWriter<'_>) {
        if !self.is_full() {
            self.save_all(name, out);
        }
    }

    /// Writes `[ !] --name min[:max]`, of every port as well.
    pub(crate) fn save_all(self, name: &str, out: &mut OptionWriter<'_>) {
        if self.min == self.max {
            out.value(name, self.invert, self.min);
        } else {
            out.value(name, self.invert, format_args!("{}:{}", self.min, self.max));
        }
    }

    /// Writes ` dpt:80`, ` dpts:!1:5`, for the listing of tcp and udp.
    pub(crate) fn list(self, name: &str, protocol: &str, style: ListStyle<'_>, out: &mut String) {
        if self.is_full() && !self.invert {
            return;
        }
        let min = port_name(self.min, protocol, style);
        let not = if self.invert { "!" } else { "" };
        if self.min == self.max {
            out.push_str(&format!(" {name}:{not}{min}"));
        } else {
            let max = port_name(self.max, protocol, style);
            out.push_str(&format!(" {name}s:{not}{min}:{max}"));
        }
    }
}

/// `port[:port]` of tcp or sctp, where one of two may be left out.
pub(crate) fn read_ports(reading: &Reading<'_>, protocol: &str) -> Result<Value, UsageError> {
    let port = |text: &str| read_port(text, protocol, reading.context);
    let (min, max) = match reading.word.split_once(':') {
        None => (port(reading.word)?, port(reading.word)?),
        Some((min, max)) => (if min.is_empty() { 0 } else { port(min)? }, if max.is_empty() { u16::MAX } else { port(max)? }),
    };
    if min > max { Err(UsageError::PortRangeBackwards) } else { Ok(Value::Ports(min, max)) }
}

/// A port by number or by the name of a service over `protocol`.
pub(crate) fn read_port(text: &str, protocol: &str, context: &Context<'_>) -> Result<u16, UsageError> {
    number::short(text)
        .or_else(|| context.names.service_port(text, protocol))
        .ok_or_else(|| UsageError::InvalidPort(text.to_owned()))
}
