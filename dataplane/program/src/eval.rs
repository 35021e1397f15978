//! Walking a table's chains: jumps, returns, verdicts. Everything else is asked of the [`Env`].

use arrayvec::ArrayVec;
use packet::{Family, Header};

use crate::header_test::{Answer, Interfaces};
use crate::id::{ChainId, CounterSlot, InterfaceId, RuleIndex};
use crate::rule::{Match, Target};
use crate::table::{Hook, Table, needs_order};

/// Most chains that can wait for a return: what the kernel allows is bounded by the number of chains; a program that could go deeper is
/// refused when it is verified.
pub const MAX_DEPTH: usize = 64;

/// Most rules that one packet may be led to in one table, counted as if every jump were taken: a chain that is called twice counts twice. Chains
/// that call others twice, again and again, would otherwise hold a worker for years; the kernel would hold a CPU.
pub const MAX_STEPS: u64 = 1 << 26;

/// How a table ends for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the next table.
    Accept,
    /// Dropped by a rule (REJECT's answer is already on its way).
    Drop(RuleIndex),
    /// Dropped by the chain's policy.
    PolicyDrop,
    /// Dropped by a match that found the transport header lost or cut short; nothing counts it.
    HotDrop,
}

/// What a target that acts on the packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The next rule is asked.
    Continue,
    /// This table is done.
    Accept,
    /// The packet is dropped.
    Drop,
}

/// The packet and all that surrounds it, as a table asks for it.
pub trait Env<F: Family> {
    /// The packet's fields as they are now: targets may have changed them.
    fn header(&self) -> &Header<F>;
    /// Where it came in and goes out ([`InterfaceId::NONE`] where that does not apply at this hook).
    fn interfaces(&self) -> (InterfaceId, InterfaceId);
    /// Asks a match that is not a transport test.
    fn ask(&mut self, table: &Table<F>, test: &Match) -> Answer;
    /// The packet matched this rule, or ended at this policy.
    fn count(&mut self, counter: CounterSlot);
    /// Does what the target says; never called for `Continue`, `Accept`, `Drop`, `Return`, `Jump`, `Goto`.
    fn act(&mut self, table: &Table<F>, rule: RuleIndex, target: &Target) -> Act;
}

/// Sends a packet through the base chain of `hook`. A table without that chain accepts.
///
/// Counters move as in the kernel: a rule counts when all its tests hold, before its target acts; the policy counts the packets that
/// reach it.
#[inline]
pub fn run<F: Family, E: Env<F>>(table: &Table<F>, hook: Hook, env: &mut E) -> Verdict {
    run_from(table, hook, env, None)
}

/// As [`run`], where the caller may know already what [`Table::next`] answers from the beginning of the base chain ([`Table::first_of_many`]).
#[inline]
pub fn run_from<F: Family, E: Env<F>>(table: &Table<F>, hook: Hook, env: &mut E, first: Option<Option<RuleIndex>>) -> Verdict {
    let Some(base) = table.base_chain(hook) else { return Verdict::Accept };
    if table.chains[base.index()].rules.len == 0 {
        return policy(table, base, env);
    }
    walk(table, base, env, first)
}

/// From the first rule of a base chain on.
fn walk<F: Family, E: Env<F>>(table: &Table<F>, base: ChainId, env: &mut E, mut first: Option<Option<RuleIndex>>) -> Verdict {
    let mut callers = ArrayVec::<(ChainId, u32), MAX_DEPTH>::new();
    let (mut chain, mut from) = (base, 0);
    loop {
        let (input, output) = env.interfaces();
        let interfaces = Interfaces { sets: &table.bound, input, output };
        let next = first.take().unwrap_or_else(|| table.next(chain, from, env.header(), interfaces));
        let Some(index) = next else {
            let Some(caller) = callers.pop() else { return policy(table, base, env) };
            (chain, from) = caller;
            continue;
        };
        let rule = &table.rules[index.index()];
        from = index.0 - table.chains[chain.index()].rules.first + 1;
        if rule.test.is_lost(env.header()) {
            return Verdict::HotDrop;
        }
        let asked = if needs_order(env.header()) { rule.ordered } else { rule.residual };
        match ask_all(table, asked.of(&table.matches), env) {
            Answer::Yes => env.count(rule.counter),
            Answer::No => continue,
            Answer::HotDrop => return Verdict::HotDrop,
            Answer::Doomed => {
                env.count(rule.counter);
                act_before_drop(table, index, env);
                return Verdict::HotDrop;
            }
        }
        match rule.target {
            Target::Continue => {}
            Target::Accept => return Verdict::Accept,
            Target::Drop => return Verdict::Drop(index),
            Target::Return => match callers.pop() {
                Some(caller) => (chain, from) = caller,
                None => return policy(table, base, env),
            },
            Target::Jump(to) => {
                callers.push((chain, from));
                (chain, from) = (to, 0);
            }
            Target::Goto(to) => (chain, from) = (to, 0),
            ref other => match env.act(table, index, other) {
                Act::Continue => {}
                Act::Accept => return Verdict::Accept,
                Act::Drop => return Verdict::Drop(index),
            },
        }
    }
}

/// What a rule still does to a packet that is dropped behind it.
#[cold]
fn act_before_drop<F: Family, E: Env<F>>(table: &Table<F>, index: RuleIndex, env: &mut E) {
    match &table.rules[index.index()].target {
        Target::Continue | Target::Accept | Target::Drop | Target::Return | Target::Jump(_) | Target::Goto(_) => {}
        target => {
            env.act(table, index, target);
        }
    }
}

#[inline]
fn ask_all<F: Family, E: Env<F>>(table: &Table<F>, matches: &[Match], env: &mut E) -> Answer {
    let mut held = Answer::Yes;
    for test in matches {
        let answer = match test {
            Match::L4(l4) => l4.ask(env.header(), &table.port_ranges),
            other => env.ask(table, other),
        };
        match answer {
            Answer::Yes => {}
            Answer::Doomed => held = Answer::Doomed,
            // Nothing saves a packet that is doomed.
            Answer::No if held == Answer::Doomed => return Answer::HotDrop,
            Answer::No | Answer::HotDrop => return answer,
        }
    }
    held
}

#[inline]
fn policy<F: Family, E: Env<F>>(table: &Table<F>, base: ChainId, env: &mut E) -> Verdict {
    match table.chains[base.index()].policy {
        Some(policy) => {
            env.count(policy.counter);
            if policy.accept { Verdict::Accept } else { Verdict::PolicyDrop }
        }
        None => Verdict::Accept,
    }
}
