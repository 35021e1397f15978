//! A packet's way through the chains of one table, and through the tables of one hook.

use packet::Family;
use rules::targets::{Log, RejectWith, Synproxy, Target, Tcpmss};
use rules::{Chain, ChainName, Hook, Policy, RuleSet, TableName};

use crate::facts::{ConnectionState, Facts, Tracking};
use crate::matches::{self, Answer};
use crate::memory::Memory;
use crate::sets::Sets;
use crate::targets::{self, Then};

/// A rule of a chain by its number, counted from 1 as `-L --line-numbers` does; 0 is the chain's policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The table.
    pub table: TableName,
    /// The chain.
    pub chain: ChainName,
    /// The rule's number, or 0.
    pub number: usize,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the next table.
    Accept,
    /// Dropped by this rule or policy.
    Drop(Place),
    /// Dropped by a match that found the transport header cut short; no rule or policy counts it.
    HotDrop,
}

/// What the caller has to see done.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// LOG: a line of this kind.
    Logged(Log),
    /// REJECT: this answer, if the packet may be answered.
    Rejected(RejectWith),
    /// SYNPROXY was reached.
    Proxied(Synproxy),
    /// ECN is to change the TCP header: ECE, CWR.
    Congestion(Option<bool>, Option<bool>),
    /// TCPMSS is to look at the packet.
    Mss(Tcpmss),
    /// Options of these kinds are to be taken out.
    Stripped(Vec<u8>),
    /// A nat target was reached.
    Translated(Target),
}

/// Everything that a walk led to. What changed in the packet is in its [`Facts`].
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// The rules and policies that counted the packet, in order.
    pub counted: Vec<Place>,
    /// What has to be done, in order.
    pub done: Vec<Done>,
}

/// What does not come from the packet or the rules.
pub struct Surroundings<'a> {
    /// The time in milliseconds; never less than at the packet before.
    pub now: u64,
    /// What the clock on the wall shows: seconds since 1970, UTC.
    pub clock: u64,
    /// The kernel's time zone, in minutes west of Greenwich.
    pub minutes_west: i32,
    /// The source of 32 random bits.
    pub random: &'a mut dyn FnMut() -> u32,
}

/// A rule set and what its rules remember.
#[derive(Clone, Debug)]
pub struct Model<'r> {
    rules: &'r RuleSet,
    memory: Memory,
}

/// Why a chain was left.
enum Left {
    /// It came to its end, or to a RETURN.
    Returned,
    /// The table is decided.
    Decided(Verdict),
}

impl<'r> Model<'r> {
    /// With everything that rules remember as it is in a freshly loaded table.
    pub fn new(rules: &'r RuleSet) -> Self {
        Self::with_sets(rules, Sets::new())
    }

    /// As [`Model::new`], with these sets.
    pub fn with_sets(rules: &'r RuleSet, sets: Sets) -> Self {
        Self { rules, memory: Memory::of(rules, sets) }
    }

    /// Sends a packet through the tables that this hook asks, in netfilter's order, until one drops it. The nat table is asked only for the
    /// first packet of a connection.
    pub fn hook<F: Family>(&mut self, hook: Hook, facts: &mut Facts<F>, around: &mut Surroundings<'_>) -> Outcome {
        let mut all = Outcome { verdict: Verdict::Accept, counted: Vec::new(), done: Vec::new() };
        for table in order(hook) {
            let first = matches!(&facts.tracking, Tracking::Known(connection) if connection.state == ConnectionState::New);
            if *table == TableName::Nat && !first {
                continue;
            }
            let one = self.table(*table, hook, facts, around);
            all.counted.extend(one.counted);
            all.done.extend(one.done);
            all.verdict = one.verdict;
            if all.verdict != Verdict::Accept {
                break;
            }
        }
        all
    }

    /// Sends a packet through one table at this hook. A table that is not loaded, or has no chain there, accepts.
    pub fn table<F: Family>(
        &mut self,
        table: TableName,
        hook: Hook,
        facts: &mut Facts<F>,
        around: &mut Surroundings<'_>,
    ) -> Outcome {
        let mut outcome = Outcome { verdict: Verdict::Accept, counted: Vec::new(), done: Vec::new() };
        let Some(base) = self.rules.table(table).and_then(|table| table.at_hook(hook)) else { return outcome };
        outcome.verdict = match self.chain(table, base, facts, around, &mut outcome) {
            Left::Decided(verdict) => verdict,
            Left::Returned => {
                let policy = Place { table, chain: base.name.clone(), number: 0 };
                outcome.counted.push(policy.clone());
                match base.policy {
                    Some(Policy::Drop) => Verdict::Drop(policy),
                    Some(Policy::Accept) | None => Verdict::Accept,
                }
            }
        };
        outcome
    }

    fn chain<F: Family>(
        &mut self,
        table: TableName,
        chain: &'r Chain,
        facts: &mut Facts<F>,
        around: &mut Surroundings<'_>,
        outcome: &mut Outcome,
    ) -> Left {
        for (number, rule) in (1..).zip(&chain.rules) {
            let place = Place { table, chain: chain.name.clone(), number };
            match self.holds(rule, &place, facts, around) {
                Answer::Yes => outcome.counted.push(place.clone()),
                Answer::No => continue,
                Answer::HotDrop => return Left::Decided(Verdict::HotDrop),
                Answer::Doomed => {
                    outcome.counted.push(place);
                    targets::act(&rule.target, facts, &mut self.memory.sets, &mut outcome.done);
                    return Left::Decided(Verdict::HotDrop);
                }
            }
            match &rule.target {
                Target::Accept => return Left::Decided(Verdict::Accept),
                Target::Drop => return Left::Decided(Verdict::Drop(place)),
                Target::Return => return Left::Returned,
                Target::Jump(name) => match self.named(table, name, facts, around, outcome) {
                    Left::Returned => {}
                    decided => return decided,
                },
                // Its end is the end of this chain.
                Target::Goto(name) => return self.named(table, name, facts, around, outcome),
                other => match targets::act(other, facts, &mut self.memory.sets, &mut outcome.done) {
                    Then::Continue => {}
                    Then::Accept => return Left::Decided(Verdict::Accept),
                    Then::Drop => return Left::Decided(Verdict::Drop(place)),
                },
            }
        }
        Left::Returned
    }

    fn named<F: Family>(
        &mut self,
        table: TableName,
        name: &str,
        facts: &mut Facts<F>,
        around: &mut Surroundings<'_>,
        outcome: &mut Outcome,
    ) -> Left {
        let chain =
            self.rules.table(table).and_then(|table| table.chain(name)).expect("a checked rule set has every chain that it names");
        self.chain(table, chain, facts, around, outcome)
    }

    fn holds<F: Family>(
        &mut self,
        rule: &rules::Rule,
        place: &Place,
        facts: &mut Facts<F>,
        around: &mut Surroundings<'_>,
    ) -> Answer {
        match matches::header(&rule.header, facts) {
            Answer::Yes => {}
            other => return other,
        }
        let mut doomed = false;
        for (number, test) in rule.matches.iter().enumerate() {
            match matches::ask(test, (place.clone(), number), facts, &mut self.memory, around) {
                Answer::Yes => {}
                Answer::Doomed => doomed = true,
                Answer::No if doomed => return Answer::HotDrop,
                other => return other,
            }
        }
        if doomed { Answer::Doomed } else { Answer::Yes }
    }
}

/// The tables that a hook asks, in netfilter's order of priorities: nat comes before filter where destinations are translated, and last
/// where sources are.
fn order(hook: Hook) -> &'static [TableName] {
    use TableName::{Filter, Mangle, Nat, Raw, Security};
    match hook {
        Hook::Prerouting => &[Raw, Mangle, Nat],
        Hook::Input => &[Mangle, Filter, Security, Nat],
        Hook::Forward => &[Mangle, Filter, Security],
        Hook::Output => &[Raw, Mangle, Nat, Filter, Security],
        Hook::Postrouting => &[Mangle, Nat],
    }
}
