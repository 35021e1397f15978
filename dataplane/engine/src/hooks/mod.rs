//! The hooks: a packet before one table, before tracking, before translation, before confirmation.
//!
//! Each step goes on ([`ControlFlow::Continue`]) or ends the packet with a reason.

use core::ops::ControlFlow;

use packet::Family;
use program::eval::{self, Verdict};
use program::{Hook, InterfaceId, RuleIndex, TableKind};

use crate::burst::Packet;
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::walk::Walk;

pub(crate) mod conntrack;
mod env;
mod nat;

/// A step of the walk: on, or over.
pub(crate) type Step<T = ()> = ControlFlow<DropReason, T>;

/// The interfaces that rules of a hook see.
pub(crate) fn interfaces<F: Family, B>(hook: Hook, packet: &Packet<'_, F, B>) -> (InterfaceId, InterfaceId) {
    match hook {
        Hook::Prerouting | Hook::Input => (packet.input, InterfaceId::NONE),
        Hook::Forward | Hook::Postrouting => (packet.input, *packet.output),
        Hook::Output => (InterfaceId::NONE, *packet.output),
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Sends the packet through one table at one hook. A table that was never loaded lets it pass.
    pub(crate) fn judge(&mut self, packet: &mut Packet<'_, F, O::Buf>, kind: TableKind, hook: Hook) -> Step {
        self.judge_from(packet, kind, hook, None)
    }

    /// As [`Walk::judge`], where it may be known already which rule the packet meets first.
    pub(crate) fn judge_from(
        &mut self,
        packet: &mut Packet<'_, F, O::Buf>,
        kind: TableKind,
        hook: Hook,
        first: Option<Option<RuleIndex>>,
    ) -> Step {
        let Some(table) = self.tables.get(kind) else { return Step::Continue(()) };
        let interfaces = interfaces(hook, packet);
        let state = &self.states[kind as usize];
        let mut env = env::PacketEnv {
            walk: self,
            packet,
            hook,
            interfaces,
            state,
            reason: rule_drop(kind),
            hot_reason: DropReason::HotDrop,
        };
        let verdict = eval::run_from(table, hook, &mut env, first);
        match verdict {
            Verdict::Accept => Step::Continue(()),
            Verdict::Drop(_) => Step::Break(env.reason),
            Verdict::PolicyDrop => Step::Break(policy_drop(kind)),
            Verdict::HotDrop => Step::Break(env.hot_reason),
        }
    }
}

fn rule_drop(kind: TableKind) -> DropReason {
    match kind {
        TableKind::Raw => DropReason::RawRule,
        TableKind::Mangle => DropReason::MangleRule,
        TableKind::Nat => DropReason::NatRule,
        TableKind::Filter => DropReason::FilterRule,
        TableKind::Security => DropReason::SecurityRule,
    }
}

fn policy_drop(kind: TableKind) -> DropReason {
    match kind {
        TableKind::Raw => DropReason::RawPolicy,
        TableKind::Mangle => DropReason::ManglePolicy,
        TableKind::Nat => DropReason::NatPolicy,
        TableKind::Filter => DropReason::FilterPolicy,
        TableKind::Security => DropReason::SecurityPolicy,
    }
}
