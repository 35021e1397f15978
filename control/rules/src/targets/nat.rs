//! What the four NAT targets share: the range of addresses and ports to choose from.
use crate::error::UsageError;
use crate::header::Shown;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};
use crate::{Family, Target, number};
use std::net::IpAddr;

/// A range to translate into. `SNAT` and `DNAT` may have all of it, `MASQUERADE` and `REDIRECT` no addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NatRange {
    /// First and last address; `None` leaves the address (or lets the target choose it).
    pub addrs: Option<(IpAddr, IpAddr)>,
    /// First and last port, not 0; `None` keeps the port where it is free.
    pub ports: Option<(u16, u16)>,
    /// DNAT only: `first-last/base` maps port `base + n` to `first + n`.
    pub base_port: Option<u16>,
    /// `--random`: the port is hashed.
    pub random: bool,
    /// `--random-fully`: the port is drawn.
    pub random_fully: bool,
    /// `--persistent`: a client keeps its address of the range.
    pub persistent: bool,
    /// `--fullcone`, of UDP's SNAT and MASQUERADE: one outside port for an inside one, towards everybody.
    pub full_cone: bool,
}

/// One of the four: what its options are called, and how a listing introduces what they say.
pub(crate) struct NatTarget {
    pub(crate) extension: Extension<Target>,
    /// The option with the range.
    pub(crate) to: &'static str,
    /// Ports alone have no colon before them: the target chooses the address itself.
    pub(crate) ports_only: bool,
    /// What stands before the range in a listing.
    pub(crate) listed: &'static str,
}

pub(crate) const RANDOM: Opt = Opt::new("random", Arg::None);
pub(crate) const RANDOM_FULLY: Opt = Opt::new("random-fully", Arg::None);
pub(crate) const PERSISTENT: Opt = Opt::new("persistent", Arg::None);
pub(crate) const FULL_CONE: Opt = Opt::new("fullcone", Arg::None);

/// The range with its flags, as given.
pub(crate) fn read(given: &Given, target: &NatTarget) -> NatRange {
    let range = match given.value(target.to) {
        Some((Value::Nat(range), _)) => *range,
        _ => NatRange::default(),
    };
    NatRange {
        random: given.has(RANDOM.name),
        random_fully: given.has(RANDOM_FULLY.name),
        persistent: given.has(PERSISTENT.name),
        full_cone: given.has(FULL_CONE.name),
        ..range
    }
}

impl NatTarget {
    pub(crate) fn save(&self, range: NatRange, out: &mut String) {
        let mut out = OptionWriter::new(self.extension.options, out);
        if let Some(to) = range.to_text(self.ports_only) {
            out.value(self.to, false, to);
        }
        range.flags().for_each(|option| out.flag(option, false));
    }

    pub(crate) fn list(&self, range: NatRange, out: &mut String) {
        if let Some(to) = range.to_text(self.ports_only) {
            out.push_str(self.listed);
            out.push_str(&to);
        }
        for option in range.flags() {
            out.push(' ');
            out.push_str(option);
        }
    }
}

impl NatRange {
    /// Refuses `--fullcone` for what is not UDP alone: nothing else has cones.
    pub(crate) fn with_cone(self, context: &Context<'_>) -> Result<NatRange, UsageError> {
        match self.full_cone && !context.protocol.is_exactly(17) {
            true => Err(UsageError::Needs("--fullcone needs -p udp")),
            false => Ok(self),
        }
    }

    /// Addresses and ports as text; `None` where neither is said.
    fn to_text(self, ports_only: bool) -> Option<String> {
        let addrs =
            self.addrs.map(
                |(first, last)| if first == last { Shown(first).to_string() } else { format!("{}-{}", Shown(first), Shown(last)) },
            );
        match (addrs, self.ports_text()) {
            (None, None) => None,
            (Some(addrs), None) => Some(addrs),
            (Some(addrs), Some(ports)) if self.addrs.is_some_and(|(first, _)| first.is_ipv6()) => {
                Some(format!("[{addrs}]:{ports}"))
            }
            (Some(addrs), Some(ports)) => Some(format!("{addrs}:{ports}")),
            (None, Some(ports)) if ports_only => Some(ports),
            (None, Some(ports)) => Some(format!(":{ports}")),
        }
    }

    /// `first[-last[/base]]`.
    fn ports_text(self) -> Option<String> {
        let (first, last) = self.ports?;
        let mut text = if first == last { first.to_string() } else { format!("{first}-{last}") };
        if let Some(base) = self.base_port {
            text.push_str(&format!("/{base}"));
        }
        Some(text)
    }

    /// The flags, each with the option that it is.
    fn flags(self) -> impl Iterator<Item = &'static str> {
        let all =
            [(RANDOM, self.random), (RANDOM_FULLY, self.random_fully), (PERSISTENT, self.persistent), (FULL_CONE, self.full_cone)];
        all.into_iter().filter(|(_, set)| *set).map(|(option, _)| option.name)
    }
}

/// Reads `[address[-address]][:port[-port[/base]]]`; IPv6 addresses before ports stand in brackets.
pub(crate) fn read_to(text: &str, context: &Context<'_>) -> Result<NatRange, UsageError> {
    let (addrs, ports) = match context.family {
        Family::Ipv4 => match text.rsplit_once(':') {
            Some((addrs, _)) if addrs.contains(':') => return Err(UsageError::BadAddress(text.to_owned())),
            Some((addrs, ports)) => (addrs, Some(ports)),
            None => (text, None),
        },
        Family::Ipv6 => match text.strip_prefix('[') {
            Some(rest) => {
                let (addrs, rest) = rest.split_once(']').ok_or(UsageError::Needs("Invalid address format"))?;
                match rest.split_once(':') {
                    Some((_, ports)) => (addrs, Some(ports)),
                    None => (addrs, None),
                }
            }
            None => match text.strip_prefix(':').filter(|rest| !rest.contains(':')) {
                Some(ports) => ("", Some(ports)),
                None => (text, None),
            },
        },
    };
    let range = match ports {
        Some(ports) => read_ports(ports, context)?,
        None => NatRange::default(),
    };
    if addrs.is_empty() && ports.is_some() {
        return Ok(range);
    }
    let address = |text: &str| {
        let addr = match context.family {
            Family::Ipv4 => text.parse().map(IpAddr::V4).ok(),
            Family::Ipv6 => text.parse().map(IpAddr::V6).ok(),
        };
        addr.ok_or_else(|| UsageError::BadAddress(text.to_owned()))
    };
    let addrs = match addrs.split_once('-') {
        None => {
            let addr = address(addrs)?;
            (addr, addr)
        }
        Some((first, last)) => (address(first)?, address(last)?),
    };
    Ok(NatRange { addrs: Some(addrs), ..range })
}

/// Reads `port[-port]` for a target that chooses the address itself.
pub(crate) fn read_ports_only(text: &str, context: &Context<'_>) -> Result<NatRange, UsageError> {
    read_ports(text, context)?.without_base()
}

impl NatRange {
    /// Refuses `first-last/base` where the target cannot shift ports.
    pub(crate) fn without_base(self) -> Result<NatRange, UsageError> {
        match self.base_port {
            Some(_) => Err(UsageError::Needs("Shifted portmap ranges not supported with this kernel")),
            None => Ok(self),
        }
    }
}

/// Protocols in front of which a port makes sense to iptables: ICMP's id, TCP, UDP, DCCP, SCTP. Not ICMPv6, whose id ip6tables takes no range for.
const WITH_PORTS: [u8; 5] = [1, 6, 17, 33, 132];

fn read_ports(text: &str, context: &Context<'_>) -> Result<NatRange, UsageError> {
    if !WITH_PORTS.contains(&context.protocol.number) {
        return Err(UsageError::Needs("Need TCP, UDP, SCTP or DCCP with port specification"));
    }
    let bad = |text: &str| UsageError::NatPort(text.to_owned());
    let numeric = number::prefix(text).filter(|(port, _)| *port <= u64::from(u16::MAX));
    let (first, rest) = match numeric {
        Some((port, rest)) => (port as u16, rest),
        None => {
            let (name, rest) = text.split_at(text.find('-').unwrap_or(text.len()));
            (context.names.any_service_port(name).ok_or_else(|| bad(text))?, rest)
        }
    };
    let Some(second) = rest.strip_prefix('-') else {
        return match rest.chars().next() {
            None => Ok(NatRange { ports: Some((first, first)), ..NatRange::default() }),
            Some(':') => Err(UsageError::Needs("Invalid port:port syntax - use dash")),
            Some(_) => Err(UsageError::NatPortGarbage(rest.to_owned())),
        };
    };
    let (last, rest) = number::prefix(second).filter(|(port, _)| *port <= u64::from(u16::MAX)).ok_or_else(|| bad(second))?;
    let last = last as u16;
    let base_port = match rest.strip_prefix('/') {
        Some(base) => Some(number::short(base).filter(|port| *port != 0).ok_or_else(|| bad(base))?),
        None if rest.is_empty() => None,
        None => return Err(UsageError::NatPortGarbage(rest.to_owned())),
    };
    if last < first {
        return Err(UsageError::NatPortRange(second.to_owned()));
    }
    Ok(NatRange { ports: Some((first, last)), base_port, ..NatRange::default() })
}
