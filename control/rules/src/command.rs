//! Commands: what one call of `iptables`, or one line of a restore text, asks for.
use crate::names::Names;
use crate::{ChainName, Counters, Family, Rule, RuleSet, SlotId, TableName};

/// One call of `iptables` or `ip6tables`, read but not yet run.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// Which of the two.
    pub family: Family,
    /// `-t`, filter by default.
    pub table: TableName,
    /// What to do.
    pub command: Command,
    /// How often `-v` was given.
    pub verbose: u8,
    /// Warnings for standard error, each with its line feed.
    pub warnings: String,
}

/// What to do with a table. Rule numbers count from 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `-A`: the rules (several, if lists of addresses were given) at the end of the chain.
    Append {
        /// The chain.
        chain: ChainName,
        /// The rules in order.
        rules: Vec<Rule>,
    },
    /// `-I`: each of the rules at this number, one after the other.
    Insert {
        /// The chain.
        chain: ChainName,
        /// The number that the rule will have.
        number: u32,
        /// The rules in order.
        rules: Vec<Rule>,
    },
    /// `-R`.
    Replace {
        /// The chain.
        chain: ChainName,
        /// The number of the rule.
        number: u32,
        /// What stands there afterwards.
        rule: Box<Rule>,
    },
    /// `-D` by what the rule says: the first such rule, for each of the rules.
    Delete {
        /// The chain.
        chain: ChainName,
        /// The rules.
        rules: Vec<Rule>,
    },
    /// `-D` by number.
    DeleteNumber {
        /// The chain.
        chain: ChainName,
        /// The number of the rule.
        number: u32,
    },
    /// `-C`: whether the rules are there.
    Check {
        /// The chain.
        chain: ChainName,
        /// The rules.
        rules: Vec<Rule>,
    },
    /// `-L`, `-S`, either with or without `-Z`, and `-Z` alone.
    Show(Show),
    /// `-F`.
    Flush {
        /// The chain; all if none.
        chain: Option<ChainName>,
    },
    /// `-N`.
    NewChain {
        /// The chain.
        chain: ChainName,
    },
    /// `-X`.
    DeleteChain {
        /// The chain; all user chains if none.
        chain: Option<ChainName>,
    },
    /// `-E`.
    RenameChain {
        /// The chain.
        old: ChainName,
        /// Its new name.
        new: ChainName,
    },
    /// `-P`.
    Policy {
        /// The chain.
        chain: ChainName,
        /// The policy as written; only ACCEPT and DROP are taken.
        policy: String,
        /// `-c`; zero if not given, as a change of policy restarts its counters.
        counters: Counters,
    },
    /// `-h` and `-V`: this text, and nothing else.
    Print(String),
    /// A restore line for the other family (`-4`, `-6`).
    Nothing,
}

impl Command {
    /// May the command change its table? Whether it does depends on what is there.
    pub(crate) fn changes(&self) -> bool {
        match self {
            Command::Check { .. } | Command::Print(_) | Command::Nothing => false,
            Command::Show(show) => show.zero.is_some(),
            _ => true,
        }
    }
}

/// What to list and what to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Show {
    /// The chain; all if none.
    pub chain: Option<ChainName>,
    /// One rule of it, to list or, with [`Zero::Rule`], to set to zero.
    pub number: Option<u32>,
    /// The form of the listing, if there is one.
    pub form: Option<ShowForm>,
    /// `-Z`: which counters to set to zero afterwards.
    pub zero: Option<Zero>,
}

/// Which counters `-Z` sets to zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zero {
    /// Those of the chain, or of all if none is named.
    Chain,
    /// Those of the one rule: the number stood behind `-Z`.
    Rule,
}

/// The form of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShowForm {
    /// `-L`.
    List {
        /// `-n`.
        numeric: bool,
        /// `-x`.
        exact: bool,
        /// `--line-numbers`.
        line_numbers: bool,
    },
    /// `-S`.
    Rules,
}

/// What running a command borrows from its surroundings.
#[derive(Clone, Copy)]
pub struct Host<'a> {
    /// Names of protocols and services.
    pub names: &'a dyn Names,
    /// Live counters by slot. Without it, and for what has no slot, the counters of the rule set are printed.
    pub live: Option<&'a dyn Fn(SlotId) -> Counters>,
}

impl Host<'_> {
    /// The counters to print for something with these stored counters and this slot.
    pub(crate) fn counters(&self, stored: Counters, slot: Option<SlotId>) -> Counters {
        match (self.live, slot) {
            (Some(live), Some(slot)) => live(slot),
            _ => stored,
        }
    }
}

/// What came of a command or a restore.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The rule set afterwards; `None` if it is as it was.
    pub ruleset: Option<RuleSet>,
    /// Tables that a change touched (their limit and nth states restart), in order, each once. A table that was only loaded by being
    /// listed is not among them.
    pub changed: Vec<TableName>,
    /// Text for standard output.
    pub stdout: String,
    /// Text for standard error (warnings).
    pub stderr: String,
}
