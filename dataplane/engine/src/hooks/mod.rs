//! The hooks: a packet before one table, before tracking, before translation, before confirmation.
//!
//! Each step goes on ([`ControlFlow::Continue`]) or ends the packet with a reason.

use core::ops::ControlFlow;

use packet::Family;
use program::eval::{self, Verdict};
use program::{ChainId, CounterSlot, Hook, InterfaceId, RuleIndex, TableKind};

use crate::burst::Packet;
use crate::drop::DropReason;
use crate::hooks::doors::Door;
use crate::outside::Outside;
use crate::walk::Walk;

pub(crate) mod conntrack;
pub(crate) mod doors;
mod env;
mod nat;

/// A step of the walk: on, or over.
pub(crate) type Step<T = ()> = ControlFlow<DropReason, T>;

/// The interfaces that rules of a hook see.
pub(crate) fn interfaces<F: Family, B>(hook: Hook, packet: &Packet<'_, F, B>) -> (InterfaceId, InterfaceId) {
    match hook {
        Hook::Prerouting | Hook::Input => (packet.input, InterfaceId::NONE),
        Hook::Forward | Hook::Postrouting => (packet.input, packet.output),
        Hook::Output => (InterfaceId::NONE, packet.output),
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Sends the packet through one table at one hook. A table that was never loaded lets it pass.
    // Always inlined: most tables have no rule at most hooks.
    #[inline(always)]
    pub(crate) fn judge(&mut self, packet: &mut Packet<'_, F, O::Buf>, kind: TableKind, hook: Hook) -> Step {
        self.pass(packet, kind, hook, self.doors.at(kind, hook))
    }

    #[inline(always)]
    fn pass(&mut self, packet: &mut Packet<'_, F, O::Buf>, kind: TableKind, hook: Hook, door: Door) -> Step {
        match door {
            Door::Open => Step::Continue(()),
            Door::Counted(counter) => {
                self.count(packet, counter);
                Step::Continue(())
            }
            Door::Shut(counter) => {
                self.count(packet, counter);
                Step::Break(policy_drop(kind))
            }
            Door::Rules(chain) => self.ask_rules(packet, kind, (hook, chain), None),
            Door::Told(chain) => self.ask_and_tell(packet, kind, (hook, chain)),
        }
    }

    /// As [`Walk::judge`], where it is known already which rule the packet meets first.
    pub(crate) fn judge_from(
        &mut self,
        packet: &mut Packet<'_, F, O::Buf>,
        kind: TableKind,
        hook: Hook,
        first: Option<RuleIndex>,
    ) -> Step {
        match self.doors.at(kind, hook) {
            Door::Rules(chain) => self.ask_rules(packet, kind, (hook, chain), Some(first)),
            _ => self.judge(packet, kind, hook),
        }
    }

    /// The packet moves a counter.
    #[inline]
    fn count(&mut self, packet: &Packet<'_, F, O::Buf>, counter: CounterSlot) {
        self.counters.count(counter, packet.header.len);
        self.traces.note(counter);
    }

    /// As [`Walk::ask_rules`], of a chain that may have no rule, where some packets are told of.
    #[cold]
    fn ask_and_tell(&mut self, packet: &mut Packet<'_, F, O::Buf>, kind: TableKind, (hook, chain): (Hook, ChainId)) -> Step {
        let Some(table) = self.tables.get(kind) else { return Step::Continue(()) };
        if !packet.told {
            return self.pass(packet, kind, hook, Door::of(table, hook));
        }
        let mut env = self.env(packet, kind, hook);
        let verdict = eval::run_told(table, chain, &mut env);
        env.step(kind, verdict)
    }

    #[inline(never)]
    fn ask_rules(
        &mut self,
        packet: &mut Packet<'_, F, O::Buf>,
        kind: TableKind,
        (hook, chain): (Hook, ChainId),
        first: Option<Option<RuleIndex>>,
    ) -> Step {
        let Some(table) = self.tables.get(kind) else { return Step::Continue(()) };
        let mut env = self.env(packet, kind, hook);
        let verdict = eval::run_from(table, chain, &mut env, first);
        env.step(kind, verdict)
    }
}

impl<'w, F: Family, O: Outside> Walk<'w, F, O> {
    #[inline(always)]
    fn env<'e, 'b>(
        &'e mut self,
        packet: &'e mut Packet<'b, F, O::Buf>,
        kind: TableKind,
        hook: Hook,
    ) -> env::PacketEnv<'e, 'w, 'b, F, O> {
        env::PacketEnv {
            interfaces: interfaces(hook, packet),
            state: &self.states[kind as usize],
            walk: self,
            packet,
            hook,
            reason: rule_drop(kind),
            hot_reason: DropReason::HotDrop,
        }
    }
}

impl<F: Family, O: Outside> env::PacketEnv<'_, '_, '_, F, O> {
    #[inline(always)]
    fn step(&self, kind: TableKind, verdict: Verdict) -> Step {
        match verdict {
            Verdict::Accept => Step::Continue(()),
            Verdict::Drop(_) => Step::Break(self.reason),
            Verdict::PolicyDrop => Step::Break(policy_drop(kind)),
            Verdict::HotDrop => Step::Break(self.hot_reason),
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
