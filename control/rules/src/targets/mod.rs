//! Targets: what a rule does, one file each. The enum is closed: what is not here cannot be in a rule set.
//!
//! To add one: its file with the type, the option table and how it is read, saved and listed; a variant of [`Target`]; a line in
//! [`EXTENSIONS`] and its place in [`Target::place`]. The compiler asks for the rest.
pub mod audit;
mod checksum;
pub mod classify;
pub mod clusterip;
pub mod connmark;
pub mod connsecmark;
pub mod ct;
mod dnat;
pub mod dscp;
pub mod ecn;
mod hl;
pub mod hmark;
pub mod idletimer;
pub mod led;
pub mod log;
pub mod mark;
mod masquerade;
pub mod nat;
pub mod netmap;
pub mod nflog;
pub mod nfqueue;
pub mod npt;
pub mod rateest;
mod redirect;
pub mod reject;
pub mod secmark;
pub mod set;
mod snat;
pub mod synproxy;
pub mod tcpmss;
pub mod tcpoptstrip;
pub mod tee;
pub mod tos;
pub mod tproxy;
mod trace;
pub mod ttl;
pub mod ulog;

use crate::error::{KernelError, UsageError};
use crate::options::{Extension, ListStyle};
use crate::table::{HookSet, TableName};
use crate::{ChainName, Family, Hook, Rule};
pub use audit::Audit;
pub use classify::Classify;
pub use clusterip::{Cluster, ClusterHash, Clusterip};
pub use connmark::{ConnmarkAction, Shift};
pub use connsecmark::Connsecmark;
pub use ct::{Ct, CtEvents, Zone, ZoneDirection, ZoneId};
pub use dscp::Dscp;
pub use ecn::Ecn;
pub use hmark::Hmark;
pub use idletimer::Idletimer;
pub use led::{Led, LedDelay};
pub use log::Log;
pub use mark::MarkSet;
pub use nat::NatRange;
pub use netmap::Netmap;
pub use nflog::{Nflog, NflogSize};
pub use nfqueue::Nfqueue;
pub use npt::{Network, Npt};
pub use rateest::Rateest;
pub use reject::{Reject, RejectWith};
pub use secmark::Secmark;
pub use set::Set;
pub use synproxy::Synproxy;
pub use tcpmss::Tcpmss;
pub use tcpoptstrip::Tcpoptstrip;
pub use tee::Tee;
pub use tos::Tos;
pub use tproxy::Tproxy;
pub use ttl::Ttl;
pub use ulog::Ulog;

/// What a rule does with a packet that passed its tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// No `-j`: count and go on.
    None,
    /// `-j ACCEPT`: this table is done with the packet.
    Accept,
    /// `-j DROP`.
    Drop,
    /// `-j RETURN`: back to the caller, or the policy in a built-in chain.
    Return,
    /// `-j QUEUE`: NFQUEUE with queue 0, by its older name.
    Queue,
    /// `-j CHAIN`.
    Jump(ChainName),
    /// `-g CHAIN`: as a jump, but its end returns to the caller of this chain.
    Goto(ChainName),
    /// `-j AUDIT`.
    Audit(Audit),
    /// `-j CHECKSUM`.
    Checksum,
    /// `-j CLASSIFY`.
    Classify(Classify),
    /// `-j CLUSTERIP`.
    Clusterip(Clusterip),
    /// `-j CONNMARK`.
    Connmark(ConnmarkAction),
    /// `-j CONNSECMARK`.
    Connsecmark(Connsecmark),
    /// `-j CT`.
    Ct(Box<Ct>),
    /// `-j DNAT`.
    Dnat(Box<NatRange>),
    /// `-j DNPT`.
    Dnpt(Box<Npt>),
    /// `-j DSCP`.
    Dscp(Dscp),
    /// `-j ECN`.
    Ecn(Ecn),
    /// `-j HL`.
    Hl(Ttl),
    /// `-j HMARK`.
    Hmark(Box<Hmark>),
    /// `-j IDLETIMER`.
    Idletimer(Box<Idletimer>),
    /// `-j LED`.
    Led(Box<Led>),
    /// `-j LOG`.
    Log(Box<Log>),
    /// `-j MARK`.
    Mark(MarkSet),
    /// `-j MASQUERADE`.
    Masquerade(Box<NatRange>),
    /// `-j NETMAP`.
    Netmap(Netmap),
    /// `-j NFLOG`.
    Nflog(Box<Nflog>),
    /// `-j NFQUEUE`.
    Nfqueue(Nfqueue),
    /// `-j NOTRACK`.
    Notrack,
    /// `-j RATEEST`.
    Rateest(Box<Rateest>),
    /// `-j REDIRECT`.
    Redirect(Box<NatRange>),
    /// `-j REJECT`.
    Reject(Reject),
    /// `-j SECMARK`.
    Secmark(Secmark),
    /// `-j SET`.
    Set(Box<Set>),
    /// `-j SNAT`.
    Snat(Box<NatRange>),
    /// `-j SNPT`.
    Snpt(Box<Npt>),
    /// `-j SYNPROXY`.
    Synproxy(Synproxy),
    /// `-j TCPMSS`.
    Tcpmss(Tcpmss),
    /// `-j TCPOPTSTRIP`.
    Tcpoptstrip(Tcpoptstrip),
    /// `-j TEE`.
    Tee(Box<Tee>),
    /// `-j TOS`.
    Tos(Tos),
    /// `-j TPROXY`.
    Tproxy(Box<Tproxy>),
    /// `-j TRACE`.
    Trace,
    /// `-j TTL`.
    Ttl(Ttl),
    /// `-j ULOG`.
    Ulog(Box<Ulog>),
}

impl Target {
    /// The chain that a jump or goto leads to.
    pub fn chain(&self) -> Option<&ChainName> {
        match self {
            Target::Jump(name) | Target::Goto(name) => Some(name),
            _ => None,
        }
    }
}

/// Every target of the language that is an extension.
pub(crate) static EXTENSIONS: &[&Extension<Target>] = &[
    &audit::EXTENSION,
    &checksum::EXTENSION,
    &classify::EXTENSION,
    &clusterip::EXTENSION,
    &connmark::EXTENSION,
    &connsecmark::EXTENSION,
    &ct::EXTENSION,
    &dnat::TARGET.extension,
    &npt::DNPT,
    &dscp::EXTENSION,
    &ecn::EXTENSION,
    &hl::EXTENSION,
    &hmark::EXTENSION,
    &idletimer::EXTENSION,
    &led::EXTENSION,
    &log::EXTENSION,
    &mark::EXTENSION,
    &masquerade::TARGET.extension,
    &netmap::EXTENSION,
    &nflog::EXTENSION,
    &nfqueue::EXTENSION,
    &ct::NOTRACK,
    &rateest::EXTENSION,
    &redirect::TARGET.extension,
    &reject::EXTENSION,
    &secmark::EXTENSION,
    &set::EXTENSION,
    &snat::TARGET.extension,
    &npt::SNPT,
    &synproxy::EXTENSION,
    &tcpmss::EXTENSION,
    &tcpmss::EXTENSION6,
    &tcpoptstrip::EXTENSION,
    &tee::EXTENSION,
    &tos::EXTENSION,
    &tproxy::EXTENSION,
    &trace::EXTENSION,
    &ttl::EXTENSION,
    &ulog::EXTENSION,
];

/// The built-in verdicts, which have no options.
fn verdict(name: &str) -> Option<Target> {
    match name {
        "ACCEPT" => Some(Target::Accept),
        "DROP" => Some(Target::Drop),
        "RETURN" => Some(Target::Return),
        "QUEUE" => Some(Target::Queue),
        _ => None,
    }
}

/// What the word after `-j` stands for.
pub(crate) enum Named {
    /// A verdict.
    Verdict(Target),
    /// A target extension.
    Extension(&'static Extension<Target>),
    /// Neither: the name of a chain, if there is one.
    Chain,
}

/// What this word after `-j` stands for.
pub(crate) fn find(name: &str, family: Family) -> Result<Named, UsageError> {
    if let Some(target) = verdict(name) {
        return Ok(Named::Verdict(target));
    }
    let of_family = |e: &&&Extension<Target>| e.name == name && e.family.is_none_or(|f| f == family);
    match EXTENSIONS.iter().find(of_family) {
        Some(extension) => Ok(Named::Extension(extension)),
        None => Ok(Named::Chain),
    }
}

/// Whether a chain may not have this name because a target has it.
pub(crate) fn is_target_name(name: &str) -> bool {
    name.is_empty() || verdict(name).is_some() || EXTENSIONS.iter().any(|extension| extension.name == name)
}

impl Target {
    /// The extension that it was made by, if it is one.
    pub(crate) fn extension(&self) -> Option<&'static Extension<Target>> {
        Some(match self {
            Target::None | Target::Accept | Target::Drop | Target::Return | Target::Queue | Target::Jump(_) | Target::Goto(_) => {
                return None;
            }
            Target::Audit(_) => &audit::EXTENSION,
            Target::Checksum => &checksum::EXTENSION,
            Target::Classify(_) => &classify::EXTENSION,
            Target::Clusterip(_) => &clusterip::EXTENSION,
            Target::Connmark(_) => &connmark::EXTENSION,
            Target::Connsecmark(_) => &connsecmark::EXTENSION,
            Target::Ct(_) => &ct::EXTENSION,
            Target::Dnat(_) => &dnat::TARGET.extension,
            Target::Dnpt(_) => &npt::DNPT,
            Target::Dscp(_) => &dscp::EXTENSION,
            Target::Ecn(_) => &ecn::EXTENSION,
            Target::Hl(_) => &hl::EXTENSION,
            Target::Hmark(_) => &hmark::EXTENSION,
            Target::Idletimer(_) => &idletimer::EXTENSION,
            Target::Led(_) => &led::EXTENSION,
            Target::Log(_) => &log::EXTENSION,
            Target::Mark(_) => &mark::EXTENSION,
            Target::Masquerade(_) => &masquerade::TARGET.extension,
            Target::Netmap(_) => &netmap::EXTENSION,
            Target::Nflog(_) => &nflog::EXTENSION,
            Target::Nfqueue(_) => &nfqueue::EXTENSION,
            Target::Notrack => &ct::NOTRACK,
            Target::Rateest(_) => &rateest::EXTENSION,
            Target::Redirect(_) => &redirect::TARGET.extension,
            Target::Reject(_) => &reject::EXTENSION,
            Target::Secmark(_) => &secmark::EXTENSION,
            Target::Set(_) => &set::EXTENSION,
            Target::Snat(_) => &snat::TARGET.extension,
            Target::Snpt(_) => &npt::SNPT,
            Target::Synproxy(_) => &synproxy::EXTENSION,
            Target::Tcpmss(_) => &tcpmss::EXTENSION,
            Target::Tcpoptstrip(_) => &tcpoptstrip::EXTENSION,
            Target::Tee(_) => &tee::EXTENSION,
            Target::Tos(_) => &tos::EXTENSION,
            Target::Tproxy(_) => &tproxy::EXTENSION,
            Target::Trace => &trace::EXTENSION,
            Target::Ttl(_) => &ttl::EXTENSION,
            Target::Ulog(_) => &ulog::EXTENSION,
        })
    }

    /// The name that stands after `-j` or `-g`; empty without target.
    pub fn name(&self) -> &str {
        match self {
            Target::None => "",
            Target::Accept => "ACCEPT",
            Target::Drop => "DROP",
            Target::Return => "RETURN",
            Target::Queue => "QUEUE",
            Target::Jump(chain) | Target::Goto(chain) => chain,
            _ => self.extension().map_or("", |extension| extension.name),
        }
    }

    /// Writes ` -j NAME` and the options.
    pub(crate) fn save(&self, out: &mut String) {
        if matches!(self, Target::None) {
            return;
        }
        out.push_str(if matches!(self, Target::Goto(_)) { " -g " } else { " -j " });
        out.push_str(self.name());
        match self {
            Target::Audit(t) => t.save(out),
            Target::Checksum => checksum::save(out),
            Target::Classify(t) => t.save(out),
            Target::Clusterip(t) => t.save(out),
            Target::Connmark(t) => t.save(out),
            Target::Connsecmark(t) => t.save(out),
            Target::Ct(t) => t.save(out),
            Target::Dnat(t) => dnat::TARGET.save(**t, out),
            Target::Dnpt(t) => t.save(out),
            Target::Dscp(t) => t.save(out),
            Target::Ecn(t) => t.save(out),
            Target::Hl(t) => hl::save(*t, out),
            Target::Hmark(t) => t.save(out),
            Target::Idletimer(t) => t.save(out),
            Target::Led(t) => t.save(out),
            Target::Log(t) => t.save(out),
            Target::Mark(t) => t.save(out),
            Target::Masquerade(t) => masquerade::TARGET.save(**t, out),
            Target::Netmap(t) => t.save(out),
            Target::Nflog(t) => t.save(out),
            Target::Nfqueue(t) => t.save(out),
            Target::Rateest(t) => t.save(out),
            Target::Redirect(t) => redirect::TARGET.save(**t, out),
            Target::Reject(t) => t.save(out),
            Target::Secmark(t) => t.save(out),
            Target::Set(t) => t.save(out),
            Target::Snat(t) => snat::TARGET.save(**t, out),
            Target::Snpt(t) => t.save(out),
            Target::Synproxy(t) => t.save(out),
            Target::Tcpmss(t) => t.save(out),
            Target::Tcpoptstrip(t) => t.save(out),
            Target::Tee(t) => t.save(out),
            Target::Tos(t) => t.save(out),
            Target::Tproxy(t) => t.save(out),
            Target::Ttl(t) => t.save(out),
            Target::Ulog(t) => t.save(out),
            Target::None | Target::Accept | Target::Drop | Target::Return | Target::Queue | Target::Jump(_) | Target::Goto(_) => {}
            Target::Notrack | Target::Trace => {}
        }
    }

    /// Writes what `-L` shows after the addresses.
    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        match self {
            Target::Audit(t) => t.list(out),
            Target::Checksum => checksum::list(out),
            Target::Classify(t) => t.list(out),
            Target::Clusterip(t) => t.list(out),
            Target::Connmark(t) => t.list(out),
            Target::Connsecmark(t) => t.list(out),
            Target::Ct(t) => t.list(out),
            Target::Dnat(t) => dnat::TARGET.list(**t, out),
            Target::Dnpt(t) => t.list("DNPT", out),
            Target::Dscp(t) => t.list(out),
            Target::Ecn(t) => t.list(out),
            Target::Hl(t) => hl::list(*t, out),
            Target::Hmark(t) => t.list(style, out),
            Target::Idletimer(t) => t.list(out),
            Target::Led(t) => t.list(out),
            Target::Log(t) => t.list(style, out),
            Target::Mark(t) => t.list(out),
            Target::Masquerade(t) => masquerade::TARGET.list(**t, out),
            Target::Netmap(t) => t.list(out),
            Target::Nflog(t) => t.list(out),
            Target::Nfqueue(t) => t.list(out),
            Target::Notrack => out.push_str(" NOTRACK"),
            Target::Rateest(t) => t.list(out),
            Target::Redirect(t) => redirect::TARGET.list(**t, out),
            Target::Reject(t) => t.list(out),
            Target::Secmark(t) => t.list(out),
            Target::Set(t) => t.list(out),
            Target::Snat(t) => snat::TARGET.list(**t, out),
            Target::Snpt(t) => t.list("SNPT", out),
            Target::Synproxy(t) => t.list(out),
            Target::Tcpmss(t) => t.list(out),
            Target::Tcpoptstrip(t) => t.list(style, out),
            Target::Tee(t) => t.list(out),
            Target::Tos(t) => t.list(style, out),
            Target::Tproxy(t) => t.list(out),
            Target::Trace => {}
            Target::Ttl(t) => t.list(out),
            Target::Ulog(t) => t.list(out),
            Target::None | Target::Accept | Target::Drop | Target::Return | Target::Queue | Target::Jump(_) | Target::Goto(_) => {}
        }
    }

    /// The name in the first column of `-L`: the kernel knows NOTRACK as CT.
    pub(crate) fn list_name(&self) -> &str {
        match self {
            Target::Notrack => "CT",
            _ => self.name(),
        }
    }

    /// The tables and hooks from which the kernel lets the target be reached.
    fn place(&self) -> (&'static [TableName], HookSet) {
        use TableName::*;
        const LEAVING: HookSet = HookSet::of(&[Hook::Forward, Hook::Output, Hook::Postrouting]);
        match self {
            Target::Reject(_) => (&[Filter], HookSet::of(&[Hook::Input, Hook::Forward, Hook::Output])),
            Target::Synproxy(_) => (&TableName::ALL, HookSet::of(&[Hook::Input, Hook::Forward])),
            Target::Checksum
            | Target::Dscp(_)
            | Target::Ecn(_)
            | Target::Hl(_)
            | Target::Tcpoptstrip(_)
            | Target::Tos(_)
            | Target::Ttl(_) => (&[Mangle], HookSet::ALL),
            Target::Set(set) if set.map_prio || set.map_queue => (&[Mangle], LEAVING),
            Target::Set(set) if set.map.is_some() => (&[Mangle], HookSet::ALL),
            Target::Tproxy(_) => (&[Mangle], HookSet::of(&[Hook::Prerouting])),
            Target::Dnpt(_) => (&[Mangle], HookSet::of(&[Hook::Prerouting, Hook::Output])),
            Target::Snpt(_) => (&[Mangle], HookSet::of(&[Hook::Input, Hook::Postrouting])),
            Target::Classify(_) | Target::Tcpmss(Tcpmss::Clamp) => (&TableName::ALL, LEAVING),
            Target::Ct(_) | Target::Notrack | Target::Trace => (&[Raw], HookSet::ALL),
            Target::Dnat(_) | Target::Redirect(_) => (&[Nat], HookSet::of(&[Hook::Prerouting, Hook::Output])),
            Target::Snat(_) => (&[Nat], HookSet::of(&[Hook::Postrouting, Hook::Input])),
            Target::Masquerade(_) => (&[Nat], HookSet::of(&[Hook::Postrouting])),
            Target::Netmap(_) => (&[Nat], HookSet::of(&[Hook::Prerouting, Hook::Output, Hook::Postrouting, Hook::Input])),
            Target::Secmark(_) | Target::Connsecmark(_) => (&[Mangle, Security], HookSet::ALL),
            Target::None
            | Target::Accept
            | Target::Drop
            | Target::Return
            | Target::Queue
            | Target::Jump(_)
            | Target::Goto(_)
            | Target::Audit(_)
            | Target::Clusterip(_)
            | Target::Connmark(_)
            | Target::Hmark(_)
            | Target::Idletimer(_)
            | Target::Led(_)
            | Target::Log(_)
            | Target::Mark(_)
            | Target::Nflog(_)
            | Target::Nfqueue(_)
            | Target::Rateest(_)
            | Target::Set(_)
            | Target::Tcpmss(Tcpmss::Set(_))
            | Target::Tee(_)
            | Target::Ulog(_) => (&TableName::ALL, HookSet::ALL),
        }
    }

    /// The protocols of which the kernel wants the rule to name one, without `!`; empty if it asks for none.
    fn protocols(&self) -> &'static [u8] {
        match self {
            Target::Reject(Reject { with: RejectWith::TcpReset })
            | Target::Synproxy(_)
            | Target::Tcpmss(_)
            | Target::Tcpoptstrip(_) => &[6],
            Target::Ecn(ecn) if ecn.needs_tcp() => &[6],
            Target::Tproxy(_) => &[6, 17],
            _ => &[],
        }
    }

    /// What the kernel checks when the rule whose target it is is loaded into the table; packets come to it from these hooks.
    pub(crate) fn check(&self, table: TableName, hooks: HookSet, rule: &Rule) -> Result<(), KernelError> {
        let (tables, allowed) = self.place();
        if !tables.contains(&table) || !hooks.is_subset_of(allowed) {
            return Err(KernelError::InvalidArgument);
        }
        let (protocols, protocol) = (self.protocols(), rule.header.protocol);
        if !protocols.is_empty() && !protocols.iter().any(|number| protocol.is_exactly(*number)) {
            return Err(KernelError::InvalidArgument);
        }
        match self {
            Target::Connmark(action) => action.check(),
            Target::Ct(ct) => ct.check(protocol),
            Target::Dnpt(npt) | Target::Snpt(npt) => npt.check(),
            Target::Hmark(hmark) => hmark.check(),
            Target::Idletimer(timer) => timer.check(),
            Target::Nfqueue(queue) => queue.check(),
            Target::Tcpmss(_) if !Tcpmss::has_syn(&rule.matches) => Err(KernelError::InvalidArgument),
            Target::Tee(tee) => tee.check(),
            _ => Ok(()),
        }
    }
}
