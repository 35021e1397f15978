//! `-j REJECT`: drop, and tell the sender.
use crate::Family;
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// The answer that the sender gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reject {
    /// Which one.
    pub with: RejectWith,
}

/// `--reject-with`. The first group is IPv4's, the second IPv6's, `tcp-reset` is both's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectWith {
    /// ICMP 3/0.
    IcmpNetUnreachable,
    /// ICMP 3/1.
    IcmpHostUnreachable,
    /// ICMP 3/2.
    IcmpProtoUnreachable,
    /// ICMP 3/3, the default.
    IcmpPortUnreachable,
    /// ICMP 3/9.
    IcmpNetProhibited,
    /// ICMP 3/10.
    IcmpHostProhibited,
    /// ICMP 3/13.
    IcmpAdminProhibited,
    /// ICMPv6 1/0.
    Icmp6NoRoute,
    /// ICMPv6 1/1.
    Icmp6AdmProhibited,
    /// ICMPv6 1/3.
    Icmp6AddrUnreachable,
    /// ICMPv6 1/4, the default.
    Icmp6PortUnreachable,
    /// ICMPv6 1/5.
    Icmp6PolicyFail,
    /// ICMPv6 1/6.
    Icmp6RejectRoute,
    /// A TCP RST; needs `-p tcp`.
    TcpReset,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "REJECT", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("reject-with", Arg::Text { min: 0, max: usize::MAX })
    .checked(|reading| find(reading.word, reading.context.family).map(drop))];

use RejectWith::*;

/// Name, other name and meaning, in the order in which a shortened name is looked up.
const IPV4: &[(&str, &str, RejectWith)] = &[
    ("icmp-net-unreachable", "net-unreach", IcmpNetUnreachable),
    ("icmp-host-unreachable", "host-unreach", IcmpHostUnreachable),
    ("icmp-proto-unreachable", "proto-unreach", IcmpProtoUnreachable),
    ("icmp-port-unreachable", "port-unreach", IcmpPortUnreachable),
    ("icmp-net-prohibited", "net-prohib", IcmpNetProhibited),
    ("icmp-host-prohibited", "host-prohib", IcmpHostProhibited),
    ("tcp-reset", "tcp-rst", TcpReset),
    ("icmp-admin-prohibited", "admin-prohib", IcmpAdminProhibited),
];

const IPV6: &[(&str, &str, RejectWith)] = &[
    ("icmp6-no-route", "no-route", Icmp6NoRoute),
    ("icmp6-adm-prohibited", "adm-prohibited", Icmp6AdmProhibited),
    ("icmp6-addr-unreachable", "addr-unreach", Icmp6AddrUnreachable),
    ("icmp6-port-unreachable", "port-unreach", Icmp6PortUnreachable),
    ("tcp-reset", "tcp-reset", TcpReset),
    ("icmp6-policy-fail", "policy-fail", Icmp6PolicyFail),
    ("icmp6-reject-route", "reject-route", Icmp6RejectRoute),
];

fn build(given: &Given, context: &Context<'_>) -> Result<Target, UsageError> {
    let default = if context.family == Family::Ipv4 { IcmpPortUnreachable } else { Icmp6PortUnreachable };
    let with = given.text("reject-with").map_or(Ok(default), |text| find(text, context.family))?;
    Ok(Target::Reject(Reject { with }))
}

fn find(text: &str, family: Family) -> Result<RejectWith, UsageError> {
    let table = if family == Family::Ipv4 { IPV4 } else { IPV6 };
    let begins = |name: &str| name.get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text));
    let found = table.iter().find(|(name, alias, _)| begins(name) || begins(alias));
    found.map(|(.., with)| *with).ok_or_else(|| UsageError::UnknownRejectType(text.to_owned()))
}

impl Reject {
    fn name(&self) -> &'static str {
        let of = |entry: &&(&'static str, &str, RejectWith)| entry.2 == self.with;
        IPV4.iter().chain(IPV6).find(of).map_or("tcp-reset", |(name, ..)| name)
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("reject-with", false, self.name());
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" reject-with ");
        out.push_str(self.name());
    }
}
