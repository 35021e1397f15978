//! The iptables language: text to words, words to commands, commands to edits of a [`RuleSet`], and a [`RuleSet`] back to text.
//!
//! PURE: no file, socket, thread, clock or unsafe. What the language needs from the host (names of protocols and services) comes in
//! through the [`names::Names`] trait. The reference for every word, message and exit code is iptables-legacy 1.8.9.
//!
//! Stages, and what each keeps:
//!
//! | stage | type | keeps | loses |
//! |---|---|---|---|
//! | words | `Vec<String>` | what the shell or the restore line quoted | white space, quoting style |
//! | command | [`command::Invocation`] | everything that was asked | spelling (`--jump`, `-j`), order of options |
//! | rule set | [`RuleSet`] | what the kernel would hold | default values that were spelt out |
//! | text | [`save`], listing | everything in the rule set | nothing: parsing it again gives an equal rule set |
#![forbid(unsafe_code)]

pub mod check;
pub mod command;
pub mod error;
pub mod getopt;
pub mod header;
mod help;
mod list;
pub mod matches;
pub mod names;
pub mod number;
mod options;
mod parse;
pub mod restore;
mod resume;
pub mod ruleset;
mod run;
pub mod save;
pub mod sequence;
pub mod sets;
mod spec;
pub mod table;
pub mod targets;
mod words;

pub use error::Error;
pub use help::{Described, extensions};
pub use parse::parse;

pub use header::{AddrMatch, Addresses, FragmentMatch, Header, InterfaceMatch, InterfaceName, ProtocolMatch};
pub use matches::Match;
pub use ruleset::{Chain, ChainName, Counters, Policy, Rule, RuleSet, SlotId, Table};
pub use sequence::{Difference, Rules};
pub use table::{Family, Hook, TableName};
pub use targets::Target;
