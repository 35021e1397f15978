//! Why a table cannot be enforced, and which rule is the reason.

use program::verify::Fault;
use rules::{ChainName, TableName};
use thiserror::Error;

/// A table that cannot be enforced.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("table {table}{}: {reason}", place(.chain.as_ref(), *.rule))]
pub struct CompileError {
    /// The table.
    pub table: TableName,
    /// The chain, if one is the reason.
    pub chain: Option<ChainName>,
    /// The rule's number in its chain, counted from 1, if one is the reason.
    pub rule: Option<usize>,
    /// Why.
    pub reason: Reason,
}

fn place(chain: Option<&ChainName>, rule: Option<usize>) -> String {
    match (chain, rule) {
        (Some(chain), Some(rule)) => format!(", chain {chain}, rule {rule}"),
        (Some(chain), None) => format!(", chain {chain}"),
        (None, _) => String::new(),
    }
}

/// Why something cannot be enforced.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// The language knows it; the dataplane does not do it.
    #[error("{0} is not enforced by this dataplane")]
    NotEnforced(&'static str),
    /// It belongs to the other address family.
    #[error("{0} is of the other address family")]
    OtherFamily(&'static str),
    /// The kernel refuses the value.
    #[error("{0}")]
    Value(&'static str),
    /// The chain of a jump is not there.
    #[error("there is no chain {0} to go to")]
    NoChain(ChainName),
    /// The caller gave no counter slot.
    #[error("no counter slot was given")]
    NoSlot,
    /// More entries than a program can number.
    #[error("too many {0} in one table")]
    TooMany(&'static str),
    /// The finished table may not be run.
    #[error(transparent)]
    Fault(Fault),
}
