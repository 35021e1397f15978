//! Walking a table's chains: jumps, returns, verdicts. Everything else is asked of the [`Env`].

use arrayvec::ArrayVec;
use packet::{Family, Header};

use crate::header_test::{Answer, Interfaces};
use crate::id::{ChainId, CounterSlot, InterfaceId, RuleIndex};
use crate::rule::{Match, Rule, Target};
use crate::table::{Hook, Policy, Table, needs_order};

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
    /// The next rule is asked, and from now on the packet is told of ([`Env::tell`]).
    Tell,
}

/// What a packet that is told of meets. The kernel calls every rule that every packet passes, and that ends its chain or the table, by what it does
/// to the chain: its own policies and ends of chains are such rules (`get_chainname_rulenum` of `ip_tables.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Met {
    /// A rule.
    Rule,
    /// The end of a user chain, or a rule there that ends everything in it.
    Return,
    /// The policy of a base chain, or a rule there that ends everything in it.
    Policy,
}

impl Met {
    /// The kernel's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Return => "return",
            Self::Policy => "policy",
        }
    }
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
    /// The packet, of which is told, meets this in a chain: rule `number`, counted from 1, or one past the last for what stands at the end. It has been
    /// counted, and nothing is done yet. Who writes no log need not listen.
    fn tell(&mut self, _: &Table<F>, _chain: ChainId, _met: Met, _number: u32) {}
}

/// What a packet meets at a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    Nothing,
    /// This policy, and no rule.
    Policy(Policy),
    /// The rules of this chain.
    Rules(ChainId),
}

impl Base {
    /// The same in a table.
    #[inline]
    pub fn of<F: Family>(table: &Table<F>, hook: Hook) -> Self {
        let Some(base) = table.base_chain(hook) else { return Self::Nothing };
        let chain = &table.chains[base.index()];
        match chain.policy {
            _ if chain.rules.len > 0 => Self::Rules(base),
            Some(policy) => Self::Policy(policy),
            None => Self::Nothing,
        }
    }
}

/// Sends a packet through the base chain of `hook`. A table without that chain accepts.
///
/// Counters move as in the kernel: a rule counts when all its tests hold, before its target acts; the policy counts the packets that
/// reach it.
#[inline]
pub fn run<F: Family, E: Env<F>>(table: &Table<F>, hook: Hook, env: &mut E) -> Verdict {
    match Base::of(table, hook) {
        Base::Nothing => Verdict::Accept,
        Base::Policy(policy) => end(policy, env),
        Base::Rules(chain) => run_from(table, chain, env, None),
    }
}

/// As [`run`], through a base chain with rules. The caller may know already what [`Table::next`] answers from its beginning
/// ([`Table::first_of_many`]).
#[inline]
pub fn run_from<F: Family, E: Env<F>>(table: &Table<F>, base: ChainId, env: &mut E, first: Option<Option<RuleIndex>>) -> Verdict {
    let Some(first) = first.unwrap_or_else(|| next(table, base, 0, env)) else { return policy::<F, E, false>(table, base, env) };
    // What most packets meet needs no more than this.
    let rule = &table.rules[first.index()];
    if asks_no_more(rule, env.header()) {
        let verdict = match rule.target {
            Target::Accept => Some(Verdict::Accept),
            Target::Drop => Some(Verdict::Drop(first)),
            _ => None,
        };
        if let Some(verdict) = verdict {
            env.count(rule.counter);
            return verdict;
        }
    }
    walk::<F, E, false>(table, env, &mut Way::of(base), first)
}

/// Is all asked of this packet with the rule's header test?
#[inline]
fn asks_no_more<F: Family>(rule: &Rule<F>, header: &Header<F>) -> bool {
    rule.residual.len == 0 && !needs_order(header)
}

/// Where a packet is counted that ends with this rule, whose header test holds, as dropped: if the rule asks no more of it and does no more to it.
#[inline]
pub fn drops_at_once<F: Family>(table: &Table<F>, rule: RuleIndex, header: &Header<F>) -> Option<CounterSlot> {
    let rule = &table.rules[rule.index()];
    (asks_no_more(rule, header) && matches!(rule.target, Target::Drop)).then_some(rule.counter)
}

/// As [`run`], through a base chain, for a packet that is told of.
#[cold]
pub fn run_told<F: Family, E: Env<F>>(table: &Table<F>, base: ChainId, env: &mut E) -> Verdict {
    match next(table, base, 0, env) {
        Some(first) => walk::<F, E, true>(table, env, &mut Way::of(base), first),
        None => policy::<F, E, true>(table, base, env),
    }
}

#[inline]
fn next<F: Family, E: Env<F>>(table: &Table<F>, chain: ChainId, from: u32, env: &E) -> Option<RuleIndex> {
    let (input, output) = env.interfaces();
    table.next(chain, from, env.header(), Interfaces { sets: &table.bound, input, output })
}

/// How a packet came to where it is in a table.
struct Way {
    base: ChainId,
    chain: ChainId,
    /// Where it goes on when it returns: the chains, and how far in each.
    callers: ArrayVec<(ChainId, u32), MAX_DEPTH>,
}

impl Way {
    fn of(base: ChainId) -> Self {
        Self { base, chain: base, callers: ArrayVec::new() }
    }
}

/// From this rule of a chain on, whose header test holds. `TOLD`: for a packet that is told of.
#[inline(never)]
fn walk<F: Family, E: Env<F>, const TOLD: bool>(table: &Table<F>, env: &mut E, way: &mut Way, first: RuleIndex) -> Verdict {
    let (mut chain, mut index) = (way.chain, first);
    loop {
        let rule = &table.rules[index.index()];
        let mut from = index.0 - table.chains[chain.index()].rules.first + 1;
        if rule.test.is_lost(env.header()) {
            return Verdict::HotDrop;
        }
        let asked = if needs_order(env.header()) { rule.ordered } else { rule.residual };
        match ask_all(table, asked.of(&table.matches), env) {
            Answer::No => {}
            Answer::HotDrop => return Verdict::HotDrop,
            Answer::Doomed => {
                env.count(rule.counter);
                if TOLD {
                    tell_rule(table, way.base, chain, index, env);
                }
                act_before_drop(table, index, env);
                return Verdict::HotDrop;
            }
            Answer::Yes => {
                env.count(rule.counter);
                if TOLD {
                    tell_rule(table, way.base, chain, index, env);
                }
                match rule.target {
                    Target::Continue => {}
                    Target::Accept => return Verdict::Accept,
                    Target::Drop => return Verdict::Drop(index),
                    Target::Return => match way.callers.pop() {
                        Some(caller) => (chain, from) = caller,
                        None => return policy::<F, E, TOLD>(table, way.base, env),
                    },
                    Target::Jump(to) => {
                        way.callers.push((chain, from));
                        (chain, from) = (to, 0);
                    }
                    Target::Goto(to) => (chain, from) = (to, 0),
                    ref other => match env.act(table, index, other) {
                        Act::Continue => {}
                        Act::Accept => return Verdict::Accept,
                        Act::Drop => return Verdict::Drop(index),
                        Act::Tell if TOLD => {}
                        Act::Tell => {
                            way.chain = chain;
                            return tell_from(table, env, way, from);
                        }
                    },
                }
            }
        }
        index = match onward::<F, E, TOLD>(table, env, way, (chain, from)) {
            Some((at, index)) => {
                chain = at;
                index
            }
            None => return policy::<F, E, TOLD>(table, way.base, env),
        };
    }
}

/// The next rule from this place on whose header test holds, in this chain or in those to which it returns.
#[inline(always)]
fn onward<F: Family, E: Env<F>, const TOLD: bool>(
    table: &Table<F>,
    env: &mut E,
    way: &mut Way,
    (mut chain, mut from): (ChainId, u32),
) -> Option<(ChainId, RuleIndex)> {
    loop {
        if let Some(index) = next(table, chain, from, env) {
            return Some((chain, index));
        }
        if TOLD && chain != way.base {
            env.tell(table, chain, Met::Return, end_of(table, chain));
        }
        (chain, from) = way.callers.pop()?;
    }
}

/// From this position of the way's chain on, for a packet that is told of from here on.
#[cold]
fn tell_from<F: Family, E: Env<F>>(table: &Table<F>, env: &mut E, way: &mut Way, from: u32) -> Verdict {
    match onward::<F, E, true>(table, env, way, (way.chain, from)) {
        Some((chain, index)) => {
            way.chain = chain;
            walk::<F, E, true>(table, env, way, index)
        }
        None => policy::<F, E, true>(table, way.base, env),
    }
}

/// The number of what stands behind the last rule of a chain.
fn end_of<F: Family>(table: &Table<F>, chain: ChainId) -> u32 {
    table.chains[chain.index()].rules.len + 1
}

#[cold]
fn tell_rule<F: Family, E: Env<F>>(table: &Table<F>, base: ChainId, chain: ChainId, index: RuleIndex, env: &mut E) {
    let rule = &table.rules[index.index()];
    let ends_all =
        rule.ordered.len == 0 && rule.test.is_any() && matches!(rule.target, Target::Accept | Target::Drop | Target::Return);
    let met = match ends_all {
        false => Met::Rule,
        true if chain == base => Met::Policy,
        true => Met::Return,
    };
    env.tell(table, chain, met, index.0 - table.chains[chain.index()].rules.first + 1);
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
fn policy<F: Family, E: Env<F>, const TOLD: bool>(table: &Table<F>, base: ChainId, env: &mut E) -> Verdict {
    if TOLD {
        env.tell(table, base, Met::Policy, end_of(table, base));
    }
    table.chains[base.index()].policy.map_or(Verdict::Accept, |policy| end(policy, env))
}

#[inline]
fn end<F: Family, E: Env<F>>(policy: Policy, env: &mut E) -> Verdict {
    env.count(policy.counter);
    if policy.accept { Verdict::Accept } else { Verdict::PolicyDrop }
}
