//! The rule language once more, slow and obvious: what a packet meets when the rules are read one by one as they stand.
//!
//! PURE, and for tests only. It reads the meaning of a rule set ([`rules::RuleSet`]) and knows nothing of the form to which `compile` lowers
//! it, of ids, slots or images: where the two disagree, one of them is wrong. Speed does not matter here, and no cleverness is wanted: a
//! jump is a call, a goto is a call in the place of a return, and what rules remember stands in maps by their place.
//!
//! The source of every answer is the kernel's behaviour (`ip_tables.c` and the module of each match and target), as iptables-legacy 1.8.9
//! sets it up.
//!
//! What it does not do: it makes no connection and translates nothing. What connection tracking knows of a packet is given with it
//! ([`Tracking`]), and a nat target is told to the caller ([`Done::Translated`]).
#![forbid(unsafe_code)]

pub mod cluster;
mod content;
mod facts;
mod hashlimit;
pub mod hmark;
mod matches;
mod memory;
mod recent;
pub mod sets;
mod targets;
mod time;
mod walk;

pub use facts::{Around, Connection, ConnectionState, Facts, Tracking, WayBack};
pub use memory::Memory;
pub use walk::{Done, Model, Outcome, Place, Surroundings, Verdict};
