//! Targets: what a rule does, one file each. The enum is closed: what is not here cannot be in a rule set.
//!
//! To add one: its file with the type, the option table and how it is read, saved and listed; a variant of [`Target`]; a line in
//! [`EXTENSIONS`] and its place in [`Target::place`]. The compiler asks for the rest.
pub mod connmark;
pub mod connsecmark;
pub mod ct;
mod dnat;
mod hl;
pub mod log;
pub mod mark;
mod masquerade;
pub mod nat;
pub mod netmap;
mod redirect;
pub mod reject;
pub mod secmark;
mod snat;
pub mod synproxy;
pub mod tos;
pub mod ttl;

use crate::error::{KernelError, UsageError};
use crate::options::{Extension, ListStyle};
use crate::table::{HookSet, TableName};
use crate::{ChainName, Family, Hook, ProtocolMatch};
pub use connmark::ConnmarkAction;
pub use connsecmark::Connsecmark;
pub use ct::{Ct, CtEvents, Zone, ZoneDirection, ZoneId};
pub use log::Log;
pub use mark::MarkSet;
pub use nat::NatRange;
pub use netmap::Netmap;
pub use reject::{Reject, RejectWith};
pub use secmark::Secmark;
pub use synproxy::Synproxy;
pub use tos::Tos;
pub use ttl::Ttl;

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
    /// `-j CHAIN`.
    Jump(ChainName),
    /// `-g CHAIN`: as a jump, but its end returns to the caller of this chain.
    Goto(ChainName),
    /// `-j CONNMARK`.
    Connmark(ConnmarkAction),
    /// `-j CONNSECMARK`.
    Connsecmark(Connsecmark),
    /// `-j CT`.
    Ct(Ct),
    /// `-j DNAT`.
    Dnat(NatRange),
    /// `-j LOG`.
    Log(Log),
    /// `-j MARK`.
    Mark(MarkSet),
    /// `-j MASQUERADE`.
    Masquerade(NatRange),
    /// `-j NETMAP`.
    Netmap(Netmap),
    /// `-j NOTRACK`.
    Notrack,
    /// `-j REDIRECT`.
    Redirect(NatRange),
    /// `-j REJECT`.
    Reject(Reject),
    /// `-j SECMARK`.
    Secmark(Secmark),
    /// `-j SNAT`.
    Snat(NatRange),
    /// `-j SYNPROXY`.
    Synproxy(Synproxy),
    /// `-j TOS`.
    Tos(Tos),
    /// `-j TTL`.
    Ttl(Ttl),
    /// `-j HL`.
    Hl(Ttl),
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
static EXTENSIONS: &[&Extension<Target>] = &[
    &connmark::EXTENSION,
    &connsecmark::EXTENSION,
    &ct::EXTENSION,
    &ct::NOTRACK,
    &dnat::TARGET.extension,
    &log::EXTENSION,
    &mark::EXTENSION,
    &masquerade::TARGET.extension,
    &netmap::EXTENSION,
    &redirect::TARGET.extension,
    &reject::EXTENSION,
    &secmark::EXTENSION,
    &snat::TARGET.extension,
    &synproxy::EXTENSION,
    &tos::EXTENSION,
    &ttl::EXTENSION,
    &hl::EXTENSION,
];

/// Targets of iptables 1.8.9 that Rampart does not have: they are refused by name, not as unknown words.
const NOT_SUPPORTED: &[&str] = &[
    "AUDIT",
    "CHECKSUM",
    "CLASSIFY",
    "CLUSTERIP",
    "DNPT",
    "DSCP",
    "ECN",
    "HMARK",
    "IDLETIMER",
    "LED",
    "NFLOG",
    "NFQUEUE",
    "QUEUE",
    "RATEEST",
    "SET",
    "SNPT",
    "TCPMSS",
    "TCPOPTSTRIP",
    "TEE",
    "TPROXY",
    "TRACE",
    "ULOG",
];

/// The built-in verdicts, which have no options.
fn verdict(name: &str) -> Option<Target> {
    match name {
        "ACCEPT" => Some(Target::Accept),
        "DROP" => Some(Target::Drop),
        "RETURN" => Some(Target::Return),
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
        None if NOT_SUPPORTED.contains(&name) => Err(UsageError::TargetNotSupported(name.to_owned())),
        None => Ok(Named::Chain),
    }
}

/// Whether a chain may not have this name because a target has it.
pub(crate) fn is_target_name(name: &str) -> bool {
    name.is_empty()
        || verdict(name).is_some()
        || NOT_SUPPORTED.contains(&name)
        || EXTENSIONS.iter().any(|extension| extension.name == name)
}

impl Target {
    /// The extension that it was made by, if it is one.
    pub(crate) fn extension(&self) -> Option<&'static Extension<Target>> {
        Some(match self {
            Target::None | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Goto(_) => {
                return None;
            }
            Target::Connmark(_) => &connmark::EXTENSION,
            Target::Connsecmark(_) => &connsecmark::EXTENSION,
            Target::Ct(_) => &ct::EXTENSION,
            Target::Dnat(_) => &dnat::TARGET.extension,
            Target::Log(_) => &log::EXTENSION,
            Target::Mark(_) => &mark::EXTENSION,
            Target::Masquerade(_) => &masquerade::TARGET.extension,
            Target::Netmap(_) => &netmap::EXTENSION,
            Target::Notrack => &ct::NOTRACK,
            Target::Redirect(_) => &redirect::TARGET.extension,
            Target::Reject(_) => &reject::EXTENSION,
            Target::Secmark(_) => &secmark::EXTENSION,
            Target::Snat(_) => &snat::TARGET.extension,
            Target::Synproxy(_) => &synproxy::EXTENSION,
            Target::Tos(_) => &tos::EXTENSION,
            Target::Ttl(_) => &ttl::EXTENSION,
            Target::Hl(_) => &hl::EXTENSION,
        })
    }

    /// The name that stands after `-j` or `-g`; empty without target.
    pub fn name(&self) -> &str {
        match self {
            Target::None => "",
            Target::Accept => "ACCEPT",
            Target::Drop => "DROP",
            Target::Return => "RETURN",
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
            Target::Connmark(t) => t.save(out),
            Target::Connsecmark(t) => t.save(out),
            Target::Ct(t) => t.save(out),
            Target::Dnat(t) => dnat::TARGET.save(*t, out),
            Target::Log(t) => t.save(out),
            Target::Mark(t) => t.save(out),
            Target::Masquerade(t) => masquerade::TARGET.save(*t, out),
            Target::Netmap(t) => t.save(out),
            Target::Redirect(t) => redirect::TARGET.save(*t, out),
            Target::Reject(t) => t.save(out),
            Target::Secmark(t) => t.save(out),
            Target::Snat(t) => snat::TARGET.save(*t, out),
            Target::Synproxy(t) => t.save(out),
            Target::Tos(t) => t.save(out),
            Target::Ttl(t) => t.save(out),
            Target::Hl(t) => hl::save(*t, out),
            Target::None | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Goto(_) | Target::Notrack => {
            }
        }
    }

    /// Writes what `-L` shows after the addresses.
    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        match self {
            Target::Connmark(t) => t.list(out),
            Target::Connsecmark(t) => t.list(out),
            Target::Ct(t) => t.list(out),
            Target::Dnat(t) => dnat::TARGET.list(*t, out),
            Target::Log(t) => t.list(style, out),
            Target::Mark(t) => t.list(out),
            Target::Masquerade(t) => masquerade::TARGET.list(*t, out),
            Target::Netmap(t) => t.list(out),
            Target::Notrack => out.push_str(" NOTRACK"),
            Target::Redirect(t) => redirect::TARGET.list(*t, out),
            Target::Reject(t) => t.list(out),
            Target::Secmark(t) => t.list(out),
            Target::Snat(t) => snat::TARGET.list(*t, out),
            Target::Synproxy(t) => t.list(out),
            Target::Tos(t) => t.list(style, out),
            Target::Ttl(t) => t.list(out),
            Target::Hl(t) => hl::list(*t, out),
            Target::None | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Goto(_) => {}
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
        match self {
            Target::Reject(_) => (&[Filter], HookSet::of(&[Hook::Input, Hook::Forward, Hook::Output])),
            Target::Synproxy(_) => (&TableName::ALL, HookSet::of(&[Hook::Input, Hook::Forward])),
            Target::Tos(_) | Target::Ttl(_) | Target::Hl(_) => (&[Mangle], HookSet::ALL),
            Target::Ct(_) | Target::Notrack => (&[Raw], HookSet::ALL),
            Target::Dnat(_) | Target::Redirect(_) => (&[Nat], HookSet::of(&[Hook::Prerouting, Hook::Output])),
            Target::Snat(_) => (&[Nat], HookSet::of(&[Hook::Postrouting, Hook::Input])),
            Target::Masquerade(_) => (&[Nat], HookSet::of(&[Hook::Postrouting])),
            Target::Netmap(_) => (&[Nat], HookSet::of(&[Hook::Prerouting, Hook::Output, Hook::Postrouting, Hook::Input])),
            Target::Secmark(_) | Target::Connsecmark(_) => (&[Mangle, Security], HookSet::ALL),
            Target::None
            | Target::Accept
            | Target::Drop
            | Target::Return
            | Target::Jump(_)
            | Target::Goto(_)
            | Target::Connmark(_)
            | Target::Log(_)
            | Target::Mark(_) => (&TableName::ALL, HookSet::ALL),
        }
    }

    /// What the kernel checks when the rule is loaded: its table, the hooks that reach it, and the rule's `-p`.
    pub(crate) fn check(&self, table: TableName, hooks: HookSet, protocol: ProtocolMatch) -> Result<(), KernelError> {
        let (tables, allowed) = self.place();
        if !tables.contains(&table) || !hooks.is_subset_of(allowed) {
            return Err(KernelError::InvalidArgument);
        }
        match self {
            Target::Reject(Reject { with: RejectWith::TcpReset }) if !protocol.is_exactly(6) => Err(KernelError::InvalidArgument),
            Target::Synproxy(_) if !protocol.is_exactly(6) => Err(KernelError::InvalidArgument),
            Target::Ct(ct) => ct.check(protocol),
            _ => Ok(()),
        }
    }
}
