//! Names of protocols, services, labels, users and more, which the language borrows from the host (`/etc/protocols`, `/etc/services`,
//! `/etc/xtables/connlabel.conf`, and those of [`Kind`]).
//!
//! This crate reads no file: whoever runs it passes the text in, or [`Builtin`] for the names that every system has.
mod files;
mod labels;

use std::collections::HashMap;

pub use files::{Kind, WithFiles};
pub use labels::{Labels, WithLabels};

/// What the language asks of the host.
pub trait Names {
    /// Who is asked for names that these do not know of; nobody as a rule.
    fn behind(&self) -> Option<&dyn Names> {
        None
    }

    /// The number of the protocol of this (lower-case) name.
    fn protocol_number(&self, name: &str) -> Option<u8> {
        self.behind()?.protocol_number(name)
    }
    /// The name under which a protocol is printed.
    fn protocol_name(&self, number: u8) -> Option<&str> {
        self.behind()?.protocol_name(number)
    }
    /// The port of a service over `protocol` (`tcp`, `udp`...).
    fn service_port(&self, name: &str, protocol: &str) -> Option<u16> {
        self.behind()?.service_port(name, protocol)
    }
    /// The name under which a port is listed without `-n`.
    fn service_name(&self, port: u16, protocol: &str) -> Option<&str> {
        self.behind()?.service_name(port, protocol)
    }

    /// The number of the label of connections of this name.
    fn label_number(&self, name: &str) -> Option<u16> {
        self.behind()?.label_number(name)
    }
    /// The name under which a label is printed.
    fn label_name(&self, number: u16) -> Option<&str> {
        self.behind()?.label_name(number)
    }

    /// The family of the addresses in the `ipset` of this name; `None` if there is none.
    fn set_family(&self, name: &str) -> Option<SetFamily> {
        self.behind()?.set_family(name)
    }

    /// The type of the `ipset` of this name, where it is one that packets cannot change here.
    fn set_refuses_packets(&self, name: &str) -> Option<&'static str> {
        self.behind()?.set_refuses_packets(name)
    }

    /// The number of this name of a kind.
    fn number_of(&self, kind: Kind, name: &str) -> Option<u32> {
        self.behind()?.number_of(kind, name)
    }
    /// The name of this number of a kind.
    fn name_of(&self, kind: Kind, number: u32) -> Option<&str> {
        self.behind()?.name_of(kind, number)
    }

    /// The port of a service over whichever protocol has it.
    fn any_service_port(&self, name: &str) -> Option<u16> {
        ["tcp", "udp", "dccp", "sctp"].into_iter().find_map(|protocol| self.service_port(name, protocol))
    }
}

/// The family of the addresses that an `ipset` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetFamily {
    /// It holds none, but marks, ports or hardware addresses.
    Any,
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// Protocols as Debian names them; the first name of a number is the one that is printed.
const PROTOCOLS: &[(&str, u8)] = &[
    ("ip", 0),
    ("hopopt", 0),
    ("all", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ggp", 3),
    ("ipencap", 4),
    ("st", 5),
    ("tcp", 6),
    ("egp", 8),
    ("igp", 9),
    ("pup", 12),
    ("udp", 17),
    ("hmp", 20),
    ("xns-idp", 22),
    ("rdp", 27),
    ("iso-tp4", 29),
    ("dccp", 33),
    ("xtp", 36),
    ("ddp", 37),
    ("idpr-cmtp", 38),
    ("ipv6", 41),
    ("ipv6-route", 43),
    ("ipv6-frag", 44),
    ("idrp", 45),
    ("rsvp", 46),
    ("gre", 47),
    ("esp", 50),
    ("ipsec-esp", 50),
    ("ah", 51),
    ("ipsec-ah", 51),
    ("skip", 57),
    ("ipv6-icmp", 58),
    ("icmpv6", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("rspf", 73),
    ("vmtp", 81),
    ("eigrp", 88),
    ("ospf", 89),
    ("ax.25", 93),
    ("ipip", 94),
    ("etherip", 97),
    ("encap", 98),
    ("pim", 103),
    ("ipcomp", 108),
    ("vrrp", 112),
    ("l2tp", 115),
    ("isis", 124),
    ("sctp", 132),
    ("fc", 133),
    ("mobility-header", 135),
    ("ipv6-mh", 135),
    ("mh", 135),
    ("udplite", 136),
    ("mpls-in-ip", 137),
    ("manet", 138),
    ("hip", 139),
    ("shim6", 140),
    ("wesp", 141),
    ("rohc", 142),
];

/// Protocol names that every system has, and no services.
#[derive(Clone, Copy, Debug, Default)]
pub struct Builtin;

impl Names for Builtin {
    fn protocol_number(&self, name: &str) -> Option<u8> {
        PROTOCOLS.iter().find(|(n, _)| *n == name).map(|(_, number)| *number)
    }

    fn protocol_name(&self, number: u8) -> Option<&str> {
        PROTOCOLS.iter().find(|(_, n)| *n == number).map(|(name, _)| *name)
    }

    fn service_port(&self, _name: &str, _protocol: &str) -> Option<u16> {
        None
    }

    fn service_name(&self, _port: u16, _protocol: &str) -> Option<&str> {
        None
    }
}

/// Names out of the text of `/etc/protocols` and `/etc/services`. [`Builtin`] answers for protocols that the text lacks.
#[derive(Clone, Debug, Default)]
pub struct NameFiles {
    protocol_numbers: HashMap<String, u8>,
    protocol_names: HashMap<u8, String>,
    service_ports: HashMap<String, HashMap<String, u16>>,
    service_names: HashMap<u16, HashMap<String, String>>,
}

impl NameFiles {
    /// Reads both texts. Lines that are not in the format are passed over, as the C library does.
    pub fn parse(protocols: &str, services: &str) -> NameFiles {
        let mut names = NameFiles::default();
        for words in entries(protocols) {
            let [name, number, aliases @ ..] = words.as_slice() else { continue };
            let Ok(number) = number.parse::<u8>() else { continue };
            names.protocol_names.entry(number).or_insert_with(|| (*name).to_owned());
            for name in std::iter::once(name).chain(aliases) {
                names.protocol_numbers.entry((*name).to_owned()).or_insert(number);
            }
        }
        for words in entries(services) {
            let [name, place, aliases @ ..] = words.as_slice() else { continue };
            let Some((port, protocol)) = place.split_once('/') else { continue };
            let Ok(port) = port.parse::<u16>() else { continue };
            let by_port = names.service_names.entry(port).or_default();
            by_port.entry(protocol.to_owned()).or_insert_with(|| (*name).to_owned());
            for name in std::iter::once(name).chain(aliases) {
                let by_name = names.service_ports.entry((*name).to_owned()).or_default();
                by_name.entry(protocol.to_owned()).or_insert(port);
            }
        }
        names
    }
}

fn entries(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split('#').next().unwrap_or("").split_whitespace().collect())
}

impl Names for NameFiles {
    fn protocol_number(&self, name: &str) -> Option<u8> {
        self.protocol_numbers.get(name).copied().or_else(|| Builtin.protocol_number(name))
    }

    fn protocol_name(&self, number: u8) -> Option<&str> {
        match self.protocol_names.get(&number) {
            Some(name) => Some(name),
            None => PROTOCOLS.iter().find(|(_, n)| *n == number).map(|(name, _)| *name),
        }
    }

    fn service_port(&self, name: &str, protocol: &str) -> Option<u16> {
        self.service_ports.get(name)?.get(protocol).copied()
    }

    fn service_name(&self, port: u16, protocol: &str) -> Option<&str> {
        self.service_names.get(&port)?.get(protocol).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_give_names_and_aliases() {
        let names = NameFiles::parse("tcp 6 TCP # transmission\n", "http 80/tcp www # web\ndomain 53/udp\nbroken line\n");
        assert_eq!(names.protocol_number("TCP"), Some(6));
        assert_eq!(names.protocol_name(6), Some("tcp"));
        assert_eq!(names.service_port("www", "tcp"), Some(80));
        assert_eq!(names.service_port("http", "udp"), None);
        assert_eq!(names.any_service_port("domain"), Some(53));
        assert_eq!(names.service_name(53, "udp"), Some("domain"));
        assert_eq!(names.protocol_name(47), Some("gre"));
    }
}
