//! Matches: the tests behind `-m`, one file each. The enum is closed: what is not here cannot be in a rule set.
//!
//! To add one: its file with the type, the option table and how it is read, saved and listed; a variant of [`Match`]; a line in
//! [`EXTENSIONS`]. The compiler asks for the rest.
pub mod addrtype;
pub mod ah;
pub mod bpf;
pub mod cgroup;
pub mod cluster;
pub mod comment;
pub mod connbytes;
pub mod connlabel;
pub mod connlimit;
mod connmark;
pub mod conntrack;
pub mod cpu;
pub mod dccp;
pub mod devgroup;
pub mod dscp;
pub mod dst;
pub mod ecn;
mod esp;
mod eui64;
pub mod frag;
pub mod hashlimit;
mod hbh;
pub mod helper;
mod hl;
pub mod icmp;
pub mod icmp6;
pub mod ipcomp;
pub mod iprange;
pub mod ipv6header;
pub mod ipvs;
pub mod length;
pub mod limit;
pub mod mac;
pub mod mark;
pub mod mh;
pub mod multiport;
mod named_bits;
pub mod nfacct;
pub mod osf;
pub mod owner;
pub mod physdev;
pub mod pkttype;
pub mod policy;
pub mod ports;
pub mod quota;
mod rate;
pub mod rateest;
pub mod realm;
pub mod recent;
pub mod rpfilter;
pub mod rt;
pub mod sctp;
pub mod selinux;
pub mod set;
pub mod socket;
pub mod spi;
pub mod srh;
pub mod state;
pub mod statistic;
pub mod string;
pub mod tcp;
pub mod tcpmss;
pub mod time;
pub mod tos;
pub mod ttl;
pub mod u32;
pub mod udp;

use crate::error::{KernelError, UsageError};
use crate::names::Names;
use crate::options::{Extension, ListStyle};
use crate::table::{HookSet, TableName};
use crate::{Family, Hook, ProtocolMatch};

pub use addrtype::Addrtype;
pub use ah::Ah;
pub use bpf::Bpf;
pub use cgroup::Cgroup;
pub use cluster::Cluster;
pub use comment::Comment;
pub use connbytes::Connbytes;
pub use connlabel::Connlabel;
pub use connlimit::Connlimit;
pub use conntrack::Conntrack;
pub use cpu::Cpu;
pub use dccp::Dccp;
pub use devgroup::Devgroup;
pub use dscp::Dscp;
pub use dst::HeaderOptions;
pub use ecn::Ecn;
pub use frag::Frag;
pub use hashlimit::Hashlimit;
pub use helper::HelperTest;
pub use icmp::Icmp;
pub use icmp6::Icmp6;
pub use ipcomp::Ipcomp;
pub use iprange::Iprange;
pub use ipv6header::Ipv6header;
pub use ipvs::Ipvs;
pub use length::Length;
pub use limit::Limit;
pub use mac::Mac;
pub use mark::MarkTest;
pub use mh::Mh;
pub use multiport::Multiport;
pub use nfacct::Nfacct;
pub use osf::Osf;
pub use owner::Owner;
pub use physdev::Physdev;
pub use pkttype::Pkttype;
pub use policy::Policy;
pub use ports::PortTest;
pub use quota::Quota;
pub use rateest::RateestTest;
pub use realm::Realm;
pub use recent::Recent;
pub use rpfilter::Rpfilter;
pub use rt::Rt;
pub use sctp::Sctp;
pub use selinux::Selinux;
pub use set::SetTest;
pub use socket::Socket;
pub use spi::SpiTest;
pub use srh::Srh;
pub use state::{State, StateSet};
pub use statistic::Statistic;
pub use string::StringTest;
pub use tcp::Tcp;
pub use tcpmss::Tcpmss;
pub use time::Time;
pub use tos::TosTest;
pub use ttl::TtlTest;
pub use u32::U32;
pub use udp::Udp;

/// One test of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Match {
    /// `-m addrtype`.
    Addrtype(Addrtype),
    /// `-m ah`.
    Ah(Ah),
    /// `-m bpf`.
    Bpf(Bpf),
    /// `-m cgroup`.
    Cgroup(Box<Cgroup>),
    /// `-m cluster`.
    Cluster(Cluster),
    /// `-m comment`.
    Comment(Comment),
    /// `-m connbytes`.
    Connbytes(Box<Connbytes>),
    /// `-m connlabel`.
    Connlabel(Connlabel),
    /// `-m connlimit`.
    Connlimit(Connlimit),
    /// `-m connmark`: the mark of the packet's connection; no connection, no match (inverted or not).
    Connmark(MarkTest),
    /// `-m conntrack`.
    Conntrack(Box<Conntrack>),
    /// `-m cpu`.
    Cpu(Cpu),
    /// `-m dccp`.
    Dccp(Dccp),
    /// `-m devgroup`.
    Devgroup(Box<Devgroup>),
    /// `-m dscp`.
    Dscp(Dscp),
    /// `-m dst`.
    Dst(Box<HeaderOptions>),
    /// `-m ecn`.
    Ecn(Ecn),
    /// `-m esp`.
    Esp(SpiTest),
    /// `-m eui64`.
    Eui64,
    /// `-m frag`.
    Frag(Box<Frag>),
    /// `-m hashlimit`.
    Hashlimit(Box<Hashlimit>),
    /// `-m hbh`.
    Hbh(Box<HeaderOptions>),
    /// `-m helper`.
    Helper(Box<HelperTest>),
    /// `-m hl`.
    Hl(TtlTest),
    /// `-m icmp`.
    Icmp(Icmp),
    /// `-m icmp6`.
    Icmp6(Icmp6),
    /// `-m ipcomp`.
    Ipcomp(Ipcomp),
    /// `-m iprange`.
    Iprange(Box<Iprange>),
    /// `-m ipv6header`.
    Ipv6header(Ipv6header),
    /// `-m ipvs`.
    Ipvs(Box<Ipvs>),
    /// `-m length`.
    Length(Length),
    /// `-m limit`.
    Limit(Limit),
    /// `-m mac`.
    Mac(Mac),
    /// `-m mark`.
    Mark(MarkTest),
    /// `-m mh`.
    Mh(Mh),
    /// `-m multiport`.
    Multiport(Box<Multiport>),
    /// `-m nfacct`.
    Nfacct(Nfacct),
    /// `-m osf`.
    Osf(Box<Osf>),
    /// `-m owner`.
    Owner(Box<Owner>),
    /// `-m physdev`.
    Physdev(Box<Physdev>),
    /// `-m pkttype`.
    Pkttype(Pkttype),
    /// `-m policy`.
    Policy(Box<Policy>),
    /// `-m quota`.
    Quota(Quota),
    /// `-m rateest`.
    Rateest(Box<RateestTest>),
    /// `-m realm`.
    Realm(Realm),
    /// `-m recent`.
    Recent(Box<Recent>),
    /// `-m rpfilter`.
    Rpfilter(Rpfilter),
    /// `-m rt`.
    Rt(Box<Rt>),
    /// `-m sctp`.
    Sctp(Box<Sctp>),
    /// `-m selinux`.
    Selinux(Box<Selinux>),
    /// `-m set`.
    Set(Box<SetTest>),
    /// `-m socket`.
    Socket(Socket),
    /// `-m srh`.
    Srh(Box<Srh>),
    /// `-m state`.
    State(State),
    /// `-m statistic`.
    Statistic(Statistic),
    /// `-m string`.
    String(Box<StringTest>),
    /// `-m tcp`.
    Tcp(Tcp),
    /// `-m tcpmss`.
    Tcpmss(Tcpmss),
    /// `-m time`.
    Time(Box<Time>),
    /// `-m tos`.
    Tos(TosTest),
    /// `-m ttl`.
    Ttl(TtlTest),
    /// `-m u32`.
    U32(Box<U32>),
    /// `-m udp`.
    Udp(Udp),
}

/// Every match of the language.
pub(crate) static EXTENSIONS: &[&Extension<Match>] = &[
    &addrtype::EXTENSION,
    &ah::EXTENSION,
    &ah::EXTENSION6,
    &bpf::EXTENSION,
    &cgroup::EXTENSION,
    &cluster::EXTENSION,
    &comment::EXTENSION,
    &connbytes::EXTENSION,
    &connlabel::EXTENSION,
    &connlimit::EXTENSION,
    &connmark::EXTENSION,
    &conntrack::EXTENSION,
    &cpu::EXTENSION,
    &dccp::EXTENSION,
    &devgroup::EXTENSION,
    &dscp::EXTENSION,
    &dst::EXTENSION,
    &ecn::EXTENSION,
    &esp::EXTENSION,
    &eui64::EXTENSION,
    &frag::EXTENSION,
    &hashlimit::EXTENSION,
    &hbh::EXTENSION,
    &helper::EXTENSION,
    &hl::EXTENSION,
    &icmp::EXTENSION,
    &icmp6::EXTENSION,
    &ipcomp::EXTENSION,
    &iprange::EXTENSION,
    &ipv6header::EXTENSION,
    &ipvs::EXTENSION,
    &length::EXTENSION,
    &limit::EXTENSION,
    &mac::EXTENSION,
    &mark::EXTENSION,
    &mh::EXTENSION,
    &multiport::EXTENSION,
    &nfacct::EXTENSION,
    &osf::EXTENSION,
    &owner::EXTENSION,
    &physdev::EXTENSION,
    &pkttype::EXTENSION,
    &policy::EXTENSION,
    &quota::EXTENSION,
    &rateest::EXTENSION,
    &realm::EXTENSION,
    &recent::EXTENSION,
    &rpfilter::EXTENSION,
    &rt::EXTENSION,
    &sctp::EXTENSION,
    &selinux::EXTENSION,
    &set::EXTENSION,
    &socket::EXTENSION,
    &srh::EXTENSION,
    &state::EXTENSION,
    &statistic::EXTENSION,
    &string::EXTENSION,
    &tcp::EXTENSION,
    &tcpmss::EXTENSION,
    &time::EXTENSION,
    &tos::EXTENSION,
    &ttl::EXTENSION,
    &u32::EXTENSION,
    &udp::EXTENSION,
];

/// The match of this name, or the refusal that iptables has for it.
pub(crate) fn find(name: &str, family: Family) -> Result<&'static Extension<Match>, UsageError> {
    let of_family = |e: &&&Extension<Match>| e.name == name && e.family.is_none_or(|f| f == family);
    match EXTENSIONS.iter().find(of_family) {
        Some(extension) => Ok(extension),
        None => Err(UsageError::NoMatch(name.to_owned())),
    }
}

/// The match that `-p` brings in when one of its options is met: tcp for `-p tcp --dport 80`. `word` is what was typed behind `-p`.
pub(crate) fn of_protocol(number: u8, word: &str, family: Family) -> Option<Result<&'static Extension<Match>, UsageError>> {
    let name = match (number, family) {
        (1, Family::Ipv4) => "icmp",
        (6, _) => "tcp",
        (17, _) => "udp",
        (33, _) => "dccp",
        (50, _) => "esp",
        (51, _) => "ah",
        (58, Family::Ipv6) => "icmp6",
        (108, _) => "ipcomp",
        (132, _) => "sctp",
        // Its number and its other names stand for `mobility-header`, of which there is no match.
        (135, Family::Ipv6) if word == "mh" => "mh",
        _ => return None,
    };
    Some(find(name, family))
}

impl Match {
    /// The extension that it was made by.
    pub(crate) fn extension(&self) -> &'static Extension<Match> {
        match self {
            Match::Addrtype(_) => &addrtype::EXTENSION,
            Match::Ah(_) => &ah::EXTENSION,
            Match::Bpf(_) => &bpf::EXTENSION,
            Match::Cgroup(_) => &cgroup::EXTENSION,
            Match::Cluster(_) => &cluster::EXTENSION,
            Match::Comment(_) => &comment::EXTENSION,
            Match::Connbytes(_) => &connbytes::EXTENSION,
            Match::Connlabel(_) => &connlabel::EXTENSION,
            Match::Connlimit(_) => &connlimit::EXTENSION,
            Match::Connmark(_) => &connmark::EXTENSION,
            Match::Conntrack(_) => &conntrack::EXTENSION,
            Match::Cpu(_) => &cpu::EXTENSION,
            Match::Dccp(_) => &dccp::EXTENSION,
            Match::Devgroup(_) => &devgroup::EXTENSION,
            Match::Dscp(_) => &dscp::EXTENSION,
            Match::Dst(_) => &dst::EXTENSION,
            Match::Ecn(_) => &ecn::EXTENSION,
            Match::Esp(_) => &esp::EXTENSION,
            Match::Eui64 => &eui64::EXTENSION,
            Match::Frag(_) => &frag::EXTENSION,
            Match::Hashlimit(_) => &hashlimit::EXTENSION,
            Match::Hbh(_) => &hbh::EXTENSION,
            Match::Helper(_) => &helper::EXTENSION,
            Match::Hl(_) => &hl::EXTENSION,
            Match::Icmp(_) => &icmp::EXTENSION,
            Match::Icmp6(_) => &icmp6::EXTENSION,
            Match::Ipcomp(_) => &ipcomp::EXTENSION,
            Match::Iprange(_) => &iprange::EXTENSION,
            Match::Ipv6header(_) => &ipv6header::EXTENSION,
            Match::Ipvs(_) => &ipvs::EXTENSION,
            Match::Length(_) => &length::EXTENSION,
            Match::Limit(_) => &limit::EXTENSION,
            Match::Mac(_) => &mac::EXTENSION,
            Match::Mark(_) => &mark::EXTENSION,
            Match::Mh(_) => &mh::EXTENSION,
            Match::Multiport(_) => &multiport::EXTENSION,
            Match::Nfacct(_) => &nfacct::EXTENSION,
            Match::Osf(_) => &osf::EXTENSION,
            Match::Owner(_) => &owner::EXTENSION,
            Match::Physdev(_) => &physdev::EXTENSION,
            Match::Pkttype(_) => &pkttype::EXTENSION,
            Match::Policy(_) => &policy::EXTENSION,
            Match::Quota(_) => &quota::EXTENSION,
            Match::Rateest(_) => &rateest::EXTENSION,
            Match::Realm(_) => &realm::EXTENSION,
            Match::Recent(_) => &recent::EXTENSION,
            Match::Rpfilter(_) => &rpfilter::EXTENSION,
            Match::Rt(_) => &rt::EXTENSION,
            Match::Sctp(_) => &sctp::EXTENSION,
            Match::Selinux(_) => &selinux::EXTENSION,
            Match::Set(_) => &set::EXTENSION,
            Match::Socket(_) => &socket::EXTENSION,
            Match::Srh(_) => &srh::EXTENSION,
            Match::State(_) => &state::EXTENSION,
            Match::Statistic(_) => &statistic::EXTENSION,
            Match::String(_) => &string::EXTENSION,
            Match::Tcp(_) => &tcp::EXTENSION,
            Match::Tcpmss(_) => &tcpmss::EXTENSION,
            Match::Time(_) => &time::EXTENSION,
            Match::Tos(_) => &tos::EXTENSION,
            Match::Ttl(_) => &ttl::EXTENSION,
            Match::U32(_) => &u32::EXTENSION,
            Match::Udp(_) => &udp::EXTENSION,
        }
    }

    /// Writes ` -m name` and its options.
    pub(crate) fn save(&self, names: &dyn Names, out: &mut String) {
        out.push_str(" -m ");
        out.push_str(self.extension().name);
        match self {
            Match::Addrtype(m) => m.save(out),
            Match::Ah(m) => m.save(out),
            Match::Bpf(m) => m.save(out),
            Match::Cgroup(m) => m.save(out),
            Match::Cluster(m) => m.save(out),
            Match::Comment(m) => m.save(out),
            Match::Connbytes(m) => m.save(out),
            Match::Connlabel(m) => m.save(names, out),
            Match::Connlimit(m) => m.save(out),
            Match::Connmark(m) => connmark::save(m, out),
            Match::Conntrack(m) => m.save(out),
            Match::Cpu(m) => m.save(out),
            Match::Dccp(m) => m.save(out),
            Match::Devgroup(m) => m.save(names, out),
            Match::Dscp(m) => m.save(out),
            Match::Dst(m) => dst::save(m, out),
            Match::Ecn(m) => m.save(out),
            Match::Esp(m) => esp::save(*m, out),
            Match::Eui64 => {}
            Match::Frag(m) => m.save(out),
            Match::Hashlimit(m) => m.save(out),
            Match::Hbh(m) => hbh::save(m, out),
            Match::Helper(m) => m.save(out),
            Match::Hl(m) => hl::save(*m, out),
            Match::Icmp(m) => m.save(out),
            Match::Icmp6(m) => m.save(out),
            Match::Ipcomp(m) => m.save(out),
            Match::Iprange(m) => m.save(out),
            Match::Ipv6header(m) => m.save(out),
            Match::Ipvs(m) => m.save(out),
            Match::Length(m) => m.save(out),
            Match::Limit(m) => m.save(out),
            Match::Mac(m) => m.save(out),
            Match::Mark(m) => m.save(out),
            Match::Mh(m) => m.save(out),
            Match::Multiport(m) => m.save(out),
            Match::Nfacct(m) => m.save(out),
            Match::Osf(m) => m.save(out),
            Match::Owner(m) => m.save(out),
            Match::Physdev(m) => m.save(out),
            Match::Pkttype(m) => m.save(out),
            Match::Policy(m) => m.save(out),
            Match::Quota(m) => m.save(out),
            Match::Rateest(m) => m.save(out),
            Match::Realm(m) => m.save(names, out),
            Match::Recent(m) => m.save(out),
            Match::Rpfilter(m) => m.save(out),
            Match::Rt(m) => m.save(out),
            Match::Sctp(m) => m.save(out),
            Match::Selinux(m) => m.save(out),
            Match::Set(m) => m.save(out),
            Match::Socket(m) => m.save(out),
            Match::Srh(m) => m.save(out),
            Match::State(m) => m.save(out),
            Match::Statistic(m) => m.save(out),
            Match::String(m) => m.save(out),
            Match::Tcp(m) => m.save(out),
            Match::Tcpmss(m) => m.save(out),
            Match::Time(m) => m.save(out),
            Match::Tos(m) => m.save(out),
            Match::Ttl(m) => ttl::save(*m, out),
            Match::U32(m) => m.save(out),
            Match::Udp(m) => m.save(out),
        }
    }

    /// Writes what `-L` shows of it.
    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        match self {
            Match::Addrtype(m) => m.list(out),
            Match::Ah(m) => m.list(out),
            Match::Bpf(m) => m.list(out),
            Match::Cgroup(m) => m.list(out),
            Match::Cluster(m) => m.list(out),
            Match::Comment(m) => m.list(out),
            Match::Connbytes(m) => m.list(out),
            Match::Connlabel(m) => m.list(style, out),
            Match::Connlimit(m) => m.list(out),
            Match::Connmark(m) => connmark::list(m, out),
            Match::Conntrack(m) => m.list(style, out),
            Match::Cpu(m) => m.list(out),
            Match::Dccp(m) => m.list(style, out),
            Match::Devgroup(m) => m.list(style, out),
            Match::Dscp(m) => m.list(out),
            Match::Dst(m) => dst::list(m, out),
            Match::Ecn(m) => m.list(out),
            Match::Esp(m) => esp::list(*m, out),
            Match::Eui64 => eui64::list(out),
            Match::Frag(m) => m.list(out),
            Match::Hashlimit(m) => m.list(out),
            Match::Hbh(m) => hbh::list(m, out),
            Match::Helper(m) => m.list(out),
            Match::Hl(m) => hl::list(*m, out),
            Match::Icmp(m) => m.list(style, out),
            Match::Icmp6(m) => m.list(style, out),
            Match::Ipcomp(m) => m.list(out),
            Match::Iprange(m) => m.list(out),
            Match::Ipv6header(m) => m.list(style, out),
            Match::Ipvs(m) => m.list(style, out),
            Match::Length(m) => m.list(out),
            Match::Limit(m) => m.list(out),
            Match::Mac(m) => m.list(out),
            Match::Mark(m) => m.list(out),
            Match::Mh(m) => m.list(style, out),
            Match::Multiport(m) => m.list(style, out),
            Match::Nfacct(m) => m.list(out),
            Match::Osf(m) => m.list(out),
            Match::Owner(m) => m.list(style, out),
            Match::Physdev(m) => m.list(out),
            Match::Pkttype(m) => m.list(out),
            Match::Policy(m) => m.list(style, out),
            Match::Quota(m) => m.list(out),
            Match::Rateest(m) => m.list(style, out),
            Match::Realm(m) => m.list(style, out),
            Match::Recent(m) => m.list(out),
            Match::Rpfilter(m) => m.list(out),
            Match::Rt(m) => m.list(out),
            Match::Sctp(m) => m.list(style, out),
            Match::Selinux(m) => m.list(out),
            Match::Set(m) => m.list(out),
            Match::Socket(m) => m.list(out),
            Match::Srh(m) => m.list(out),
            Match::State(m) => m.list(out),
            Match::Statistic(m) => m.list(out),
            Match::String(m) => m.list(out),
            Match::Tcp(m) => m.list(style, out),
            Match::Tcpmss(m) => m.list(out),
            Match::Time(m) => m.list(out),
            Match::Tos(m) => m.list(style, out),
            Match::Ttl(m) => ttl::list(*m, out),
            Match::U32(m) => m.list(out),
            Match::Udp(m) => m.list(style, out),
        }
    }

    /// The tables and hooks from which the kernel lets the test be reached.
    fn allowed(&self) -> (&'static [TableName], HookSet) {
        let anywhere = |hooks| (TableName::ALL.as_slice(), hooks);
        match self {
            Match::Addrtype(test) => anywhere(test.hooks()),
            Match::Cgroup(_) => anywhere(HookSet::of(&[Hook::Input, Hook::Output, Hook::Postrouting])),
            Match::Devgroup(test) => anywhere(test.hooks()),
            Match::Eui64 | Match::Mac(_) => anywhere(HookSet::of(&[Hook::Prerouting, Hook::Input, Hook::Forward])),
            Match::Owner(_) => anywhere(HookSet::of(&[Hook::Output, Hook::Postrouting])),
            Match::Osf(_) => anywhere(HookSet::of(&[Hook::Prerouting, Hook::Input, Hook::Forward])),
            Match::Realm(_) => anywhere(HookSet::of(&[Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting])),
            Match::Socket(_) => anywhere(HookSet::of(&[Hook::Prerouting, Hook::Input])),
            Match::Rpfilter(_) => (&[TableName::Mangle, TableName::Raw], HookSet::of(&[Hook::Prerouting])),
            _ => anywhere(HookSet::ALL),
        }
    }

    /// The protocol that the rule must be of, if it must be of one.
    fn protocol(&self, family: Family) -> Option<u8> {
        match self {
            Match::Ah(_) if family == Family::Ipv4 => Some(51),
            Match::Dccp(_) => Some(33),
            Match::Esp(_) => Some(50),
            Match::Icmp(_) => Some(1),
            Match::Icmp6(_) => Some(58),
            Match::Ipcomp(_) => Some(108),
            Match::Mh(_) => Some(135),
            Match::Sctp(_) => Some(132),
            Match::Osf(_) | Match::Tcp(_) | Match::Tcpmss(_) => Some(6),
            Match::Udp(_) => Some(17),
            _ => None,
        }
    }

    /// What the kernel checks when the rule is loaded.
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        let (tables, hooks) = self.allowed();
        place.require(tables.contains(&place.table) && place.hooks.is_subset_of(hooks))?;
        place.require(self.protocol(place.family).is_none_or(|needed| place.protocol.is_exactly(needed)))?;
        match self {
            Match::Addrtype(test) => test.check(place),
            Match::Bpf(test) => test.check(place),
            Match::Cgroup(test) => test.check(place),
            Match::Connlabel(label) => label.check(),
            Match::Ecn(test) => test.check(place),
            Match::Hashlimit(test) => test.check(place),
            Match::Limit(limit) => limit.check(),
            Match::Owner(owner) => owner.check(),
            Match::Physdev(test) => test.check(place),
            Match::Policy(policy) => policy.check(place),
            Match::Rateest(test) => test.check(),
            Match::Recent(recent) => recent.check(),
            Match::String(string) => string.check(),
            Match::U32(test) => test.check(),
            _ => Ok(()),
        }
    }
}

/// Where a rule stands, as far as a match may care.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// The family of the rule set.
    pub(crate) family: Family,
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
