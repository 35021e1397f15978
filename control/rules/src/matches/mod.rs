//! Matches: the tests behind `-m`, one file each. The enum is closed: what is not here cannot be in a rule set.
//!
//! To add one: its file with the type, the option table and how it is read, saved and listed; a variant of [`Match`]; a line in
//! [`EXTENSIONS`]. The compiler asks for the rest.
pub mod comment;
pub mod connbytes;
pub mod connlabel;
pub mod connlimit;
mod connmark;
pub mod conntrack;
pub mod helper;
pub mod icmp;
pub mod icmp6;
pub mod iprange;
pub mod limit;
pub mod mark;
pub mod multiport;
pub mod owner;
pub mod pkttype;
pub mod ports;
pub mod recent;
pub mod rpfilter;
pub mod sctp;
pub mod selinux;
pub mod state;
pub mod statistic;
pub mod tcp;
pub mod tcpmss;
pub mod time;
pub mod tos;
pub mod udp;

use crate::error::{KernelError, UsageError};
use crate::names::Names;
use crate::options::{Extension, ListStyle};
use crate::table::{HookSet, TableName};
use crate::{Family, Hook, ProtocolMatch};

pub use comment::Comment;
pub use connbytes::Connbytes;
pub use connlabel::Connlabel;
pub use connlimit::Connlimit;
pub use conntrack::Conntrack;
pub use helper::HelperTest;
pub use icmp::Icmp;
pub use icmp6::Icmp6;
pub use iprange::Iprange;
pub use limit::Limit;
pub use mark::MarkTest;
pub use multiport::Multiport;
pub use owner::Owner;
pub use pkttype::Pkttype;
pub use ports::PortTest;
pub use recent::Recent;
pub use rpfilter::Rpfilter;
pub use sctp::Sctp;
pub use selinux::Selinux;
pub use state::{State, StateSet};
pub use statistic::Statistic;
pub use tcp::Tcp;
pub use tcpmss::Tcpmss;
pub use time::Time;
pub use tos::TosTest;
pub use udp::Udp;

/// One test of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Match {
    /// `-m comment`.
    Comment(Comment),
    /// `-m connbytes`.
    Connbytes(Connbytes),
    /// `-m connlabel`.
    Connlabel(Connlabel),
    /// `-m connlimit`.
    Connlimit(Connlimit),
    /// `-m connmark`: the mark of the packet's connection; no connection, no match (inverted or not).
    Connmark(MarkTest),
    /// `-m conntrack`.
    Conntrack(Box<Conntrack>),
    /// `-m helper`.
    Helper(HelperTest),
    /// `-m icmp`.
    Icmp(Icmp),
    /// `-m icmp6`.
    Icmp6(Icmp6),
    /// `-m iprange`.
    Iprange(Iprange),
    /// `-m limit`.
    Limit(Limit),
    /// `-m mark`.
    Mark(MarkTest),
    /// `-m multiport`.
    Multiport(Multiport),
    /// `-m owner`.
    Owner(Box<Owner>),
    /// `-m pkttype`.
    Pkttype(Pkttype),
    /// `-m recent`.
    Recent(Box<Recent>),
    /// `-m rpfilter`.
    Rpfilter(Rpfilter),
    /// `-m sctp`.
    Sctp(Box<Sctp>),
    /// `-m selinux`.
    Selinux(Selinux),
    /// `-m state`.
    State(State),
    /// `-m statistic`.
    Statistic(Statistic),
    /// `-m tcp`.
    Tcp(Tcp),
    /// `-m tcpmss`.
    Tcpmss(Tcpmss),
    /// `-m time`.
    Time(Box<Time>),
    /// `-m tos`.
    Tos(TosTest),
    /// `-m udp`.
    Udp(Udp),
}

/// Every match of the language.
static EXTENSIONS: &[&Extension<Match>] = &[
    &comment::EXTENSION,
    &connbytes::EXTENSION,
    &connlabel::EXTENSION,
    &connlimit::EXTENSION,
    &connmark::EXTENSION,
    &conntrack::EXTENSION,
    &helper::EXTENSION,
    &icmp::EXTENSION,
    &icmp6::EXTENSION,
    &iprange::EXTENSION,
    &limit::EXTENSION,
    &mark::EXTENSION,
    &multiport::EXTENSION,
    &owner::EXTENSION,
    &pkttype::EXTENSION,
    &recent::EXTENSION,
    &rpfilter::EXTENSION,
    &sctp::EXTENSION,
    &selinux::EXTENSION,
    &state::EXTENSION,
    &statistic::EXTENSION,
    &tcp::EXTENSION,
    &tcpmss::EXTENSION,
    &time::EXTENSION,
    &tos::EXTENSION,
    &udp::EXTENSION,
];

/// Matches of iptables 1.8.9 that Rampart does not have: they are refused by name, not as unknown words.
const NOT_SUPPORTED: &[&str] = &[
    "addrtype",
    "ah",
    "bpf",
    "cgroup",
    "cluster",
    "cpu",
    "dccp",
    "devgroup",
    "dscp",
    "dst",
    "ecn",
    "esp",
    "eui64",
    "frag",
    "hashlimit",
    "hbh",
    "hl",
    "ipcomp",
    "ipv6header",
    "ipvs",
    "length",
    "mac",
    "mh",
    "nfacct",
    "osf",
    "physdev",
    "policy",
    "quota",
    "rateest",
    "realm",
    "rt",
    "set",
    "socket",
    "srh",
    "string",
    "ttl",
    "u32",
];

/// The match of this name, or the refusal that iptables (or we) have for it.
pub(crate) fn find(name: &str, family: Family) -> Result<&'static Extension<Match>, UsageError> {
    let of_family = |e: &&&Extension<Match>| e.name == name && e.family.is_none_or(|f| f == family);
    match EXTENSIONS.iter().find(of_family) {
        Some(extension) => Ok(extension),
        None if NOT_SUPPORTED.contains(&name) => Err(UsageError::MatchNotSupported(name.to_owned())),
        None => Err(UsageError::NoMatch(name.to_owned())),
    }
}

/// The match that `-p` brings in when one of its options is met: tcp for `-p tcp --dport 80`.
pub(crate) fn of_protocol(number: u8, family: Family) -> Option<Result<&'static Extension<Match>, UsageError>> {
    let name = match (number, family) {
        (1, Family::Ipv4) => "icmp",
        (6, _) => "tcp",
        (17, _) => "udp",
        (33, _) => "dccp",
        (50, _) => "esp",
        (51, _) => "ah",
        (58, Family::Ipv6) => "icmp6",
        (132, _) => "sctp",
        (135, Family::Ipv6) => "mh",
        _ => return None,
    };
    Some(find(name, family))
}

impl Match {
    /// The extension that it was made by.
    pub(crate) fn extension(&self) -> &'static Extension<Match> {
        match self {
            Match::Comment(_) => &comment::EXTENSION,
            Match::Connbytes(_) => &connbytes::EXTENSION,
            Match::Connlabel(_) => &connlabel::EXTENSION,
            Match::Connlimit(_) => &connlimit::EXTENSION,
            Match::Connmark(_) => &connmark::EXTENSION,
            Match::Conntrack(_) => &conntrack::EXTENSION,
            Match::Helper(_) => &helper::EXTENSION,
            Match::Icmp(_) => &icmp::EXTENSION,
            Match::Icmp6(_) => &icmp6::EXTENSION,
            Match::Iprange(_) => &iprange::EXTENSION,
            Match::Limit(_) => &limit::EXTENSION,
            Match::Mark(_) => &mark::EXTENSION,
            Match::Multiport(_) => &multiport::EXTENSION,
            Match::Owner(_) => &owner::EXTENSION,
            Match::Pkttype(_) => &pkttype::EXTENSION,
            Match::Recent(_) => &recent::EXTENSION,
            Match::Rpfilter(_) => &rpfilter::EXTENSION,
            Match::Sctp(_) => &sctp::EXTENSION,
            Match::Selinux(_) => &selinux::EXTENSION,
            Match::State(_) => &state::EXTENSION,
            Match::Statistic(_) => &statistic::EXTENSION,
            Match::Tcp(_) => &tcp::EXTENSION,
            Match::Tcpmss(_) => &tcpmss::EXTENSION,
            Match::Time(_) => &time::EXTENSION,
            Match::Tos(_) => &tos::EXTENSION,
            Match::Udp(_) => &udp::EXTENSION,
        }
    }

    /// Writes ` -m name` and its options.
    pub(crate) fn save(&self, names: &dyn Names, out: &mut String) {
        out.push_str(" -m ");
        out.push_str(self.extension().name);
        match self {
            Match::Comment(m) => m.save(out),
            Match::Connbytes(m) => m.save(out),
            Match::Connlabel(m) => m.save(names, out),
            Match::Connlimit(m) => m.save(out),
            Match::Connmark(m) => connmark::save(m, out),
            Match::Conntrack(m) => m.save(out),
            Match::Helper(m) => m.save(out),
            Match::Icmp(m) => m.save(out),
            Match::Icmp6(m) => m.save(out),
            Match::Iprange(m) => m.save(out),
            Match::Limit(m) => m.save(out),
            Match::Mark(m) => m.save(out),
            Match::Multiport(m) => m.save(out),
            Match::Owner(m) => m.save(out),
            Match::Pkttype(m) => m.save(out),
            Match::Recent(m) => m.save(out),
            Match::Rpfilter(m) => m.save(out),
            Match::Sctp(m) => m.save(out),
            Match::Selinux(m) => m.save(out),
            Match::State(m) => m.save(out),
            Match::Statistic(m) => m.save(out),
            Match::Tcp(m) => m.save(out),
            Match::Tcpmss(m) => m.save(out),
            Match::Time(m) => m.save(out),
            Match::Tos(m) => m.save(out),
            Match::Udp(m) => m.save(out),
        }
    }

    /// Writes what `-L` shows of it.
    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        match self {
            Match::Comment(m) => m.list(out),
            Match::Connbytes(m) => m.list(out),
            Match::Connlabel(m) => m.list(style, out),
            Match::Connlimit(m) => m.list(out),
            Match::Connmark(m) => connmark::list(m, out),
            Match::Conntrack(m) => m.list(style, out),
            Match::Helper(m) => m.list(out),
            Match::Icmp(m) => m.list(style, out),
            Match::Icmp6(m) => m.list(style, out),
            Match::Iprange(m) => m.list(out),
            Match::Limit(m) => m.list(out),
            Match::Mark(m) => m.list(out),
            Match::Multiport(m) => m.list(style, out),
            Match::Owner(m) => m.list(style, out),
            Match::Pkttype(m) => m.list(out),
            Match::Recent(m) => m.list(out),
            Match::Rpfilter(m) => m.list(out),
            Match::Sctp(m) => m.list(style, out),
            Match::Selinux(m) => m.list(out),
            Match::State(m) => m.list(out),
            Match::Statistic(m) => m.list(out),
            Match::Tcp(m) => m.list(style, out),
            Match::Tcpmss(m) => m.list(out),
            Match::Time(m) => m.list(out),
            Match::Tos(m) => m.list(style, out),
            Match::Udp(m) => m.list(style, out),
        }
    }

    /// The tables and hooks from which the kernel lets the test be reached.
    fn allowed(&self) -> (&'static [TableName], HookSet) {
        match self {
            Match::Owner(_) => (&TableName::ALL, HookSet::of(&[Hook::Output, Hook::Postrouting])),
            Match::Rpfilter(_) => (&[TableName::Mangle, TableName::Raw], HookSet::of(&[Hook::Prerouting])),
            _ => (&TableName::ALL, HookSet::ALL),
        }
    }

    /// The protocol that the rule must be of, if it must be of one.
    fn protocol(&self) -> Option<u8> {
        match self {
            Match::Icmp(_) => Some(1),
            Match::Icmp6(_) => Some(58),
            Match::Sctp(_) => Some(132),
            Match::Tcp(_) | Match::Tcpmss(_) => Some(6),
            Match::Udp(_) => Some(17),
            _ => None,
        }
    }

    /// What the kernel checks when the rule is loaded.
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        let (tables, hooks) = self.allowed();
        place.require(tables.contains(&place.table) && place.hooks.is_subset_of(hooks))?;
        place.require(self.protocol().is_none_or(|needed| place.protocol.is_exactly(needed)))?;
        match self {
            Match::Connlabel(label) => label.check(),
            Match::Limit(limit) => limit.check(),
            Match::Owner(owner) => owner.check(),
            Match::Recent(recent) => recent.check(),
            _ => Ok(()),
        }
    }
}

/// Where a rule stands, as far as a match may care.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The table.
    pub(crate) table: TableName,
    /// The hooks from which packets come to the rule.
    pub(crate) hooks: HookSet,
    /// The rule's `-p`.
    pub(crate) protocol: ProtocolMatch,
}

impl Place {
    /// The kernel's refusal of a match where it may not be.
    pub(crate) fn require(self, holds: bool) -> Result<(), KernelError> {
        if holds { Ok(()) } else { Err(KernelError::InvalidArgument) }
    }
}
