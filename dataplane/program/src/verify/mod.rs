//! Looks a table through before a worker runs it. A table that passes cannot make [`crate::eval::run`] or [`crate::Table::next`] panic or
//! loop, whatever the packet, and says nothing that the walk would have to ignore.
//!
//! Both ends use it: the compiler as its last step (its errors then name a chain and a rule), the dataplane on its own copy of an image.

mod chains;
mod rule;

use std::collections::TryReserveError;
use std::fmt;

use packet::Family;
use thiserror::Error;

use crate::edit::{Known, Lengths};
use crate::eval::{MAX_DEPTH, MAX_STEPS};
use crate::id::{ChainId, RuleIndex};
use crate::set::MAX_SET_NAME;
use crate::table::{Hook, Table, TableKind};

/// Longest list of matches of one rule, and of its transport tests.
pub const MAX_MATCHES: u32 = 256;
/// Longest list of `multiport`.
pub const MAX_PORTS: u32 = 15;
/// Longest name of a chain, in bytes.
pub const MAX_CHAIN_NAME: usize = 28;
/// Longest name of an interface, in bytes.
pub const MAX_INTERFACE_NAME: usize = 15;
/// Longest prefix of LOG, in bytes.
pub const MAX_LOG_PREFIX: usize = 29;
/// Longest name of a timeout policy, in bytes.
pub const MAX_TIMEOUT_NAME: usize = 31;

/// What there is outside the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Counter slots: every [`crate::CounterSlot`] is below.
    pub counters: u32,
    /// Labels in [`crate::Root::labels`], the empty one included: every [`crate::LabelId`] is below.
    pub labels: u32,
}

impl Default for Limits {
    /// Any slot and any label is taken.
    fn default() -> Self {
        Self { counters: u32::MAX, labels: u32::MAX }
    }
}

/// Where in a table something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The table as a whole.
    Table,
    /// A chain.
    Chain(ChainId),
    /// A rule.
    Rule(RuleIndex),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table => f.write_str("table"),
            Self::Chain(chain) => write!(f, "chain {}", chain.0),
            Self::Rule(rule) => write!(f, "rule {}", rule.0),
        }
    }
}

/// Why a table may not be run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {fault}")]
pub struct VerifyError {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A link leads out of its array.
    #[error("{array}: {index} is past the end ({len})")]
    OutOfRange {
        /// The array.
        array: &'static str,
        /// Where the link leads (for a run of entries, its end).
        index: u64,
        /// Entries that there are.
        len: usize,
    },
    /// Something is longer than it may be.
    #[error("{what}: {found}, at most {most} are allowed")]
    TooMany {
        /// What.
        what: &'static str,
        /// How long it is.
        found: usize,
        /// How long it may be.
        most: usize,
    },
    /// A base chain is missing at a hook of this table.
    #[error("no chain at hook {}", .0.name())]
    HookMissing(Hook),
    /// This table has no such hook.
    #[error("a {} table has no hook {}", .0.name(), .1.name())]
    HookForeign(TableKind, Hook),
    /// Two hooks share a chain, or one has a chain without policy.
    #[error("not a base chain of its own at hook {}", .0.name())]
    HookChain(Hook),
    /// A policy without hook.
    #[error("a policy, but no hook")]
    PolicyWithoutHook,
    /// nat may not drop.
    #[error("the nat table is not for filtering: DROP is not allowed there")]
    NatDrops,
    /// The rules of the chains do not stand one after the other.
    #[error("the chain's rules do not begin where those of the chain before it end")]
    NotInARow,
    /// A chain leads back to itself.
    #[error("the jump closes a loop")]
    Loop,
    /// More chains wait for a return than the walk can hold.
    #[error("jumps more than {MAX_DEPTH} chains deep")]
    TooDeep,
    /// One packet could be led to more rules than a worker has time for.
    #[error("jumps that could lead one packet through more than {MAX_STEPS} rules")]
    TooManySteps,
    /// A jump to a base chain.
    #[error("a jump to a base chain")]
    JumpToBase,
    /// A target outside its tables.
    #[error("{target} is not allowed in table {}", .table.name())]
    TargetTable {
        /// The target.
        target: &'static str,
        /// The table.
        table: TableKind,
    },
    /// A target that can be reached from a hook where it cannot act.
    #[error("{target} can be reached from hook {}, where it is not allowed", .hook.name())]
    TargetHook {
        /// The target.
        target: &'static str,
        /// The hook.
        hook: Hook,
    },
    /// A test or target needs `-p` of its own protocol.
    #[error("{0} without its -p")]
    Protocol(&'static str),
    /// A test or target of the other family.
    #[error("{0} in a table of this address family")]
    ForeignFamily(&'static str),
    /// A value outside its range, a contradiction, or bits that mean nothing.
    #[error("{0}")]
    Value(&'static str),
    /// The rule's lists of matches do not tell the same story.
    #[error("the ordered list of matches is not the header's transport tests and the residual matches in one order")]
    Ordered,
    /// A remembered value belongs to two rules, or starts as something else.
    #[error("state slot {0} is of another kind, has another start, or belongs to another rule")]
    State(u32),
    /// [`Table::needs_tracking`] is not what the rules say.
    #[error("the table's tracking flag is not what its rules need")]
    Tracking,
    /// Not enough memory to look it through.
    #[error("no memory to verify the table")]
    Memory,
}

impl From<TryReserveError> for VerifyError {
    fn from(_: TryReserveError) -> Self {
        Fault::Memory.at(Place::Table)
    }
}

impl Fault {
    fn at(self, place: Place) -> VerifyError {
        VerifyError { place, fault: self }
    }
}

/// Looks the whole table through.
pub fn table<F: Family>(table: &Table<F>, limits: &Limits) -> Result<(), VerifyError> {
    arrays(table)?;
    chains::shape(table, limits)?;
    let mut owners = rule::StateOwners::from(0, table.state.len())?;
    for (index, rule) in table.rules.iter().enumerate() {
        // Array lengths were checked above: the index fits.
        let place = Place::Rule(RuleIndex(index as u32));
        rule::check(table, rule, limits).and_then(|()| owners.claim(table, rule, index as u32)).map_err(|fault| fault.at(place))?;
    }
    chains::ways(table)?;
    if table.needs_tracking != table.rules_need_tracking() {
        return Err(Fault::Tracking.at(Place::Table));
    }
    Ok(())
}

/// Looks through what chains a table has, and how its rules are shared out among them.
pub(crate) fn shape<F: Family>(table: &Table<F>, limits: &Limits) -> Result<(), VerifyError> {
    chains::shape(table, limits)
}

/// Looks a table through from chain to chain, and says what holds of it as a whole. Each of its rules is known to be right.
pub(crate) fn known<F: Family>(table: &Table<F>) -> Result<Known, VerifyError> {
    let (ways, steps) = chains::ways(table)?;
    let tracking = table.rules.iter().filter(|rule| rule.needs_tracking(&table.matches)).count() as u32;
    Ok(Known { tracking, ways, steps })
}

/// Looks the rules of an edit through, which are not in their chains yet; what they name is in the table, behind what was there before. The place of
/// an error is among the new rules.
pub(crate) fn new_rules<F: Family>(
    table: &Table<F>,
    added: &Table<F>,
    follows: Lengths,
    limits: &Limits,
) -> Result<(), VerifyError> {
    // What other rules remember is not theirs.
    let mut owners = rule::StateOwners::from(follows.state(), added.state.len())?;
    for (index, rule) in added.rules.iter().enumerate() {
        let place = Place::Rule(RuleIndex(index as u32));
        rule::check(table, rule, limits).and_then(|()| owners.claim(table, rule, index as u32)).map_err(|fault| fault.at(place))?;
    }
    Ok(())
}

/// Arrays that rules point into: lengths that ids can name. What entries mean is looked at where a rule names them.
pub(crate) fn arrays<F: Family>(table: &Table<F>) -> Result<(), VerifyError> {
    let length = |what, found: usize, most: usize| {
        if found > most { Err(Fault::TooMany { what, found, most }.at(Place::Table)) } else { Ok(()) }
    };
    let ids = u32::MAX as usize;
    length("chains", table.chains.len(), ids)?;
    length("rules", table.rules.len(), ids)?;
    length("transport tests", table.l4_tests.len(), ids)?;
    length("port ranges", table.port_ranges.len(), ids)?;
    length("matches", table.matches.len(), ids)?;
    length("address tests", table.address_tests.len(), ids)?;
    length("packet tests", table.packet_tests.len(), ids)?;
    length("conntrack tests", table.conntrack_tests.len(), ids)?;
    length("connbytes tests", table.connbytes_tests.len(), ids)?;
    length("connlimit tests", table.connlimit_tests.len(), ids)?;
    length("named tests", table.named_tests.len(), ids)?;
    length("tests of sets", table.set_tests.len(), ids)?;
    length("changes of sets", table.set_changes.len(), ids)?;
    for name in table.set_names() {
        length("bytes of a set's name", name.len(), MAX_SET_NAME)?;
    }
    length("time tests", table.time_tests.len(), ids)?;
    length("tests of contents", table.content_tests.len(), ids)?;
    length("nat ranges", table.nats.len(), ids)?;
    length("option sets", table.option_sets.len(), ids)?;
    length("changes of prefixes", table.prefix_changes.len(), ids)?;
    length("marks of hashes", table.hash_marks.len(), ids)?;
    length("copies", table.tees.len(), ids)?;
    length("logs", table.logs.len(), ids)?;
    length("timeout policies", table.timeouts.len(), usize::from(u16::MAX) + 1)?;
    for timeout in &table.timeouts {
        length("bytes of a timeout policy's name", timeout.name.len(), MAX_TIMEOUT_NAME)?;
    }
    length("interface patterns", table.patterns.len(), usize::from(u16::MAX) + 1)?;
    length("state slots", table.state.len(), ids)?;
    for pattern in &table.patterns {
        length("bytes of an interface name", pattern.name.len(), MAX_INTERFACE_NAME)?;
    }
    Ok(())
}
