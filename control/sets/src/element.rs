//! The text of an element: `address[/bits|-address],[protocol:]port,...`, and an element as text.
use std::net::{Ipv4Addr, Ipv6Addr};

use rules::Family;
use rules::names::Names;

use crate::fault::Fault;
use crate::key::{Element, INTERFACE_MAX, bits};
use crate::types::{Dimension, Several, Type};
use crate::words::reads_back;
use crate::{icmp, number};

/// An element as it was written: it may stand for several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// The element, or the first one of a range. Networks have all of their bits still.
    pub(crate) first: Element,
    /// Ends of address ranges.
    pub(crate) ip_to: [Option<u128>; 2],
    /// Prefixes that were written.
    pub(crate) prefix: [Option<u8>; 2],
    /// The end of a range of ports.
    pub(crate) port_to: Option<u16>,
    /// A hardware address was written.
    pub(crate) has_mac: bool,
    /// The name of a set in a list of sets.
    pub(crate) set: Box<str>,
    /// Which other set it stands before (`true`) or after.
    pub(crate) reference: Option<(bool, Box<str>)>,
}

/// For what text is read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) kind: &'static Type,
    pub(crate) family: Option<Family>,
    pub(crate) names: &'a dyn Names,
    /// The command, as refusals name it.
    pub(crate) command: &'static str,
}

/// Protocols whose ports are numbers.
const WITH_PORTS: &[u8] = &[6, 17, 132, 136];
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
/// The longest name of a set.
pub(crate) const NAME_MAX: usize = 31;

impl Reading<'_> {
    /// Reads an element.
    pub(crate) fn element(&self, text: &str) -> Result<Written, Fault> {
        let mut written = Written::default();
        if self.kind.dimensions == [Dimension::Set] {
            self.set_names(text, &mut written)?;
            return Ok(written);
        }
        let parts = self.parts(text)?;
        let mut address = 0;
        for (dimension, part) in self.kind.dimensions.iter().zip(parts) {
            match dimension {
                Dimension::Address(several) => {
                    let several = if self.family == Some(Family::Ipv6) { Several::Never } else { *several };
                    self.addresses(part, several != Several::Never, address, &mut written)?;
                    address += 1;
                }
                Dimension::Net { .. } => {
                    self.network(part, address, &mut written)?;
                    address += 1;
                }
                Dimension::Port => self.plain_port(part, &mut written)?,
                Dimension::ProtocolPort => self.protocol_port(part, &mut written)?,
                Dimension::Mark => written.first.mark = number::between(part, 0, u64::from(u32::MAX))? as u32,
                Dimension::Mac => {
                    written.first.mac = mac(part)?;
                    written.has_mac = true;
                }
                Dimension::Interface => interface(part, &mut written.first)?,
                Dimension::Set => {}
            }
        }
        Ok(written)
    }

    /// What commas part.
    fn parts<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, Fault> {
        let wanted = self.kind.dimensions.len();
        let mut parts = Vec::with_capacity(wanted);
        let mut rest = text;
        while let Some(at) = separator(rest, b',')? {
            parts.push(&rest[..at]);
            rest = &rest[at + 1..];
        }
        parts.push(rest);
        let name = self.kind.name;
        let fault = match (parts.len(), wanted) {
            (found, wanted) if found == wanted => return Ok(parts),
            (1, 2) if self.kind.last_is_optional => return Ok(parts),
            (_, 1) => format!("Elem separator in {text}, but settype {name} supports none."),
            (1, _) => format!("Second element is missing from {text}."),
            (2, _) => format!("Third element is missing from {text}."),
            (_, 2) => format!("Two elem separators in {text}, but settype {name} supports one."),
            _ => format!("Three elem separators in {text}, but settype {name} supports two."),
        };
        Err(Fault::syntax(fault))
    }

    /// One address, or where several may be written a network or range.
    fn addresses(&self, text: &str, may_be_several: bool, at: usize, written: &mut Written) -> Result<(), Fault> {
        // All bits of an address are that one.
        let has_prefix = separator(text, b'/')?.is_some_and(|slash| text[slash + 1..] != bits(self.family).to_string());
        if !may_be_several && (has_prefix || separator(text, b'-')?.is_some()) {
            return Err(Fault::syntax(format_args!("plain IP address must be supplied: {text}")));
        }
        self.any_addresses(text, at, written)
    }

    fn network(&self, text: &str, at: usize, written: &mut Written) -> Result<(), Fault> {
        if self.family == Some(Family::Ipv6) && separator(text, b'-')?.is_some() {
            return Err(Fault::syntax(format_args!("IP address or IP/cidr must be specified: {text}")));
        }
        self.any_addresses(text, at, written)
    }

    fn any_addresses(&self, text: &str, at: usize, written: &mut Written) -> Result<(), Fault> {
        let mut from = text;
        let mut to = None;
        if let Some(slash) = separator(text, b'/')? {
            from = &text[..slash];
            let prefix = number::between(&text[slash + 1..], 0, u64::from(bits(self.family)))?;
            written.prefix[at] = Some(prefix as u8);
        } else if let Some(dash) = separator(text, b'-')? {
            (from, to) = (&text[..dash], Some(&text[dash + 1..]));
        }
        written.first.ip[at] = address(from, self.family)?;
        written.first.prefix[at] = written.prefix[at].unwrap_or(bits(self.family));
        written.ip_to[at] = to.map(|to| address(to, self.family)).transpose()?;
        Ok(())
    }

    /// A port of TCP, or by name of UDP.
    fn plain_port(&self, text: &str, written: &mut Written) -> Result<(), Fault> {
        let Some(colon) = separator(text, b':')? else { return self.ports(text, "tcp", written) };
        let protocol = &text[..colon];
        match self.protocol(protocol)? {
            TCP | UDP => self.ports(&text[colon + 1..], protocol, written),
            _ => Err(Fault::syntax("Only protocols TCP and UDP are valid")),
        }
    }

    fn protocol_port(&self, text: &str, written: &mut Written) -> Result<(), Fault> {
        let Some(colon) = separator(text, b':')? else {
            written.first.protocol = TCP;
            return self.ports(text, "tcp", written);
        };
        let (protocol, rest) = (&text[..colon], &text[colon + 1..]);
        let number = self.protocol(protocol)?;
        written.first.protocol = number;
        let needs = |family: Family, name: &str, word: &str| {
            // The second line is what ipset says in its confusion.
            let first = format!("Syntax error: Protocol {name} can be used with family {word} only");
            let second = (self.command == "add").then(|| "Invalid add command: missing setname".to_owned());
            let lines: Vec<String> = std::iter::once(first).chain(second).collect();
            if self.family == Some(family) { Ok(family) } else { Err(Fault::lines(&lines)) }
        };
        let message = match number {
            number if WITH_PORTS.contains(&number) => return self.ports(rest, protocol, written),
            ICMP => icmp_message(rest, needs(Family::Ipv4, "ICMP", "inet")?)?,
            ICMPV6 => icmp_message(rest, needs(Family::Ipv6, "ICMPv6", "inet6")?)?,
            _ if rest == "0" => 0,
            _ => {
                let fault = format_args!("Protocol {protocol} can be used with pseudo port value 0 only.");
                return Err(Fault::syntax(fault));
            }
        };
        written.first.port = message;
        Ok(())
    }

    fn protocol(&self, text: &str) -> Result<u8, Fault> {
        if let Some(number) = rules::number::whole(text, 0, 255) {
            return Ok(number as u8);
        }
        match self.names.protocol_number(text).filter(|_| text != "all") {
            Some(0) => Err(Fault::syntax(format_args!("Unsupported protocol '{text}'"))),
            Some(number) => Ok(number),
            None => Err(Fault::syntax(format_args!("cannot parse '{text}' as a protocol"))),
        }
    }

    /// A port or a range of them; `protocol` as it was written.
    fn ports(&self, text: &str, protocol: &str, written: &mut Written) -> Result<(), Fault> {
        if text.starts_with('[') {
            let (name, rest) = text.split_at(closing(text)? + 1);
            if !rest.is_empty() && !rest.starts_with('-') {
                return Err(Fault::syntax(format_args!("range separator expected after '{name}'")));
            }
        }
        if let Some(dash) = separator(text, b'-')? {
            written.port_to = Some(self.port(&text[dash + 1..], protocol)?);
            written.first.port = self.port(bare(&text[..dash])?, protocol)?;
        } else {
            written.first.port = self.port(bare(text)?, protocol)?;
        }
        Ok(())
    }

    fn port(&self, text: &str, protocol: &str) -> Result<u16, Fault> {
        let fault = match number::between(text, 0, u64::from(u16::MAX)) {
            Ok(port) => return Ok(port as u16),
            Err(fault) => fault,
        };
        let by_number = rules::number::whole(protocol, 0, 255).and_then(|number| self.names.protocol_name(number as u8));
        if let Some(port) = self.names.service_port(text, by_number.unwrap_or(protocol)) {
            return Ok(port);
        }
        let (Fault::Failed(first) | Fault::Usage(first)) = fault;
        let second = by_number.is_none().then(|| format!("Syntax error: '{protocol}' is invalid as number"));
        let third = format!("cannot parse '{text}' as a {protocol} port");
        Err(Fault::lines(&[Some(first), second, Some(third)].into_iter().flatten().collect::<Vec<_>>()))
    }

    /// `NAME`, or as it was written once `NAME,before|after,NAME`.
    fn set_names(&self, text: &str, written: &mut Written) -> Result<(), Fault> {
        let parts: Vec<&str> = text.split(',').collect();
        let (name, reference) = match parts[..] {
            [name] => (name, None),
            [name, "before", other] => (name, Some((true, other))),
            [name, "after", other] => (name, Some((false, other))),
            _ => return Err(Fault::Failed("you must specify elements as setname,[before|after],setname".into())),
        };
        written.set = set_name(name)?;
        written.reference = reference.map(|(before, other)| set_name(other).map(|other| (before, other))).transpose()?;
        Ok(())
    }
}

/// The name of a set, if it is one.
pub(crate) fn set_name(name: &str) -> Result<Box<str>, Fault> {
    if name.len() > NAME_MAX {
        return Err(Fault::syntax(format_args!("setname '{name}' is longer than {NAME_MAX} characters")));
    }
    Ok(Box::from(name))
}

/// Where something parts the text; not in `[...]`, not at its beginning or end, and not where another one follows.
fn separator(text: &str, wanted: u8) -> Result<Option<usize>, Fault> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'[' {
            at += closing(&text[at..])?;
        } else if bytes[at] == wanted {
            let is_inside = at > 0 && bytes.get(at + 1).is_some_and(|next| *next != wanted);
            return Ok(is_inside.then_some(at));
        }
        at += 1;
    }
    Ok(None)
}

/// The place of the `]` that ends what a `[` begins.
fn closing(text: &str) -> Result<usize, Fault> {
    let missing = || Fault::syntax(format_args!("cannot find closing escape character ']' in {text}"));
    text.find(']').ok_or_else(missing)
}

/// What stands in `[...]`, or all.
fn bare(text: &str) -> Result<&str, Fault> {
    match text.strip_prefix('[') {
        Some(rest) => Ok(&rest[..closing(text)? - 1]),
        None => Ok(text),
    }
}

/// An address. Names are not resolved, but for the one that every host has.
pub(crate) fn address(text: &str, family: Option<Family>) -> Result<u128, Fault> {
    let text = bare(text)?;
    let (found, version) = match family {
        Some(Family::Ipv6) if text == "localhost" => (Some(1), 6),
        Some(Family::Ipv6) => (text.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits), 6),
        _ if text == "localhost" => (Some(u128::from(Ipv4Addr::LOCALHOST.to_bits())), 4),
        _ => {
            let has_only_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            (rules::number::ipv4(text).filter(|_| has_only_digits).map(|ip| u128::from(ip.to_bits())), 4)
        }
    };
    found.ok_or_else(|| Fault::syntax(format_args!("cannot parse {text}: resolving to IPv{version} address failed")))
}

/// `name`, or `type/code`.
fn icmp_message(text: &str, family: Family) -> Result<u16, Fault> {
    if let Some(message) = icmp::by_name(family, text) {
        return Ok(message);
    }
    let Some(slash) = separator(text, b'/')? else {
        let version = if family == Family::Ipv6 { "v6" } else { "" };
        return Err(Fault::Failed(format!("Cannot parse {text} as an ICMP{version} type/code.")));
    };
    let kind = number::between(&text[..slash], 0, 255)?;
    let code = number::between(&text[slash + 1..], 0, 255)?;
    Ok((kind << 8 | code) as u16)
}

fn mac(text: &str) -> Result<[u8; 6], Fault> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    let byte = |part: &str| {
        let is_hex = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(part, 16).ok().filter(|_| is_hex)
    };
    let is_filled = mac.iter_mut().all(|place| parts.next().and_then(byte).map(|byte| *place = byte).is_some());
    if !is_filled || parts.next().is_some() {
        return Err(Fault::syntax(format_args!("cannot parse '{text}' as ethernet address")));
    }
    Ok(mac)
}

fn interface(text: &str, element: &mut Element) -> Result<(), Fault> {
    let bridge_port = text.strip_prefix("physdev:");
    let name = bridge_port.unwrap_or(text);
    if name.len() > INTERFACE_MAX {
        return Err(Fault::syntax(format_args!("interface name '{name}' is longer than {INTERFACE_MAX} characters")));
    }
    if !reads_back(name) {
        return Err(Fault::syntax(format_args!("interface name {name:?} could not be restored")));
    }
    element.is_bridge_port = bridge_port.is_some();
    element.interface[..name.len()].copy_from_slice(name.as_bytes());
    Ok(())
}

/// How an element is printed.
#[derive(Clone, Copy)]
pub(crate) struct Printing<'a> {
    pub(crate) kind: &'static Type,
    pub(crate) family: Option<Family>,
    pub(crate) names: &'a dyn Names,
    /// What `test` says does not say whether the interface is a bridge's port.
    pub(crate) bridge_ports: bool,
}

impl Printing<'_> {
    /// The element; a hardware address that may be left out is not where it is `None`.
    pub(crate) fn push(&self, element: &Element, mac: Option<[u8; 6]>, out: &mut String) {
        let mut address = 0;
        for (at, dimension) in self.kind.dimensions.iter().enumerate() {
            if at > 0 && !(*dimension == Dimension::Mac && mac.is_none()) {
                out.push(',');
            }
            match dimension {
                Dimension::Address(_) | Dimension::Net { .. } => {
                    push_address(element.ip[address], self.family, out);
                    if element.prefix[address] != bits(self.family) {
                        out.push_str(&format!("/{}", element.prefix[address]));
                    }
                    address += 1;
                }
                Dimension::Port => out.push_str(&element.port.to_string()),
                Dimension::ProtocolPort => self.push_protocol_port(element, out),
                Dimension::Mark => out.push_str(&format!("0x{:08x}", element.mark)),
                Dimension::Mac => {
                    if let Some([a, b, c, d, e, f]) = mac {
                        out.push_str(&format!("{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}"));
                    }
                }
                Dimension::Interface => {
                    if element.is_bridge_port && self.bridge_ports {
                        out.push_str("physdev:");
                    }
                    out.push_str(interface_name(&element.interface));
                }
                Dimension::Set => {}
            }
        }
    }

    fn push_protocol_port(&self, element: &Element, out: &mut String) {
        match self.names.protocol_name(element.protocol) {
            Some(name) => out.push_str(name),
            None => out.push_str(&element.protocol.to_string()),
        }
        out.push(':');
        let family = match element.protocol {
            ICMP if self.family == Some(Family::Ipv4) => Family::Ipv4,
            ICMPV6 if self.family == Some(Family::Ipv6) => Family::Ipv6,
            _ => return out.push_str(&element.port.to_string()),
        };
        let [kind, code] = element.port.to_be_bytes();
        match icmp::name(family, element.port) {
            Some(name) => out.push_str(name),
            None => out.push_str(&format!("{kind}/{code}")),
        }
    }
}

/// A name without the zeros behind it.
pub(crate) fn interface_name(name: &[u8; INTERFACE_MAX]) -> &str {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    // It was text when it came in, cut at no place within.
    std::str::from_utf8(&name[..end]).unwrap_or("")
}

/// An address as the C library prints it.
pub(crate) fn push_address(ip: u128, family: Option<Family>, out: &mut String) {
    if family != Some(Family::Ipv6) {
        return out.push_str(&Ipv4Addr::from_bits(ip as u32).to_string());
    }
    if ip >> 32 == 0 && ip >> 16 != 0 {
        // An IPv4 address in 96 zeros.
        return out.push_str(&format!("::{}", Ipv4Addr::from_bits(ip as u32)));
    }
    out.push_str(&Ipv6Addr::from_bits(ip).to_string());
}
