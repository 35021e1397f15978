//! Matches that need more than the packet's header: one file per iptables word.
//!
//! What a rule remembers is one 64-bit atomic in [`crate::snapshot::TableState`], shared by all workers.

pub(crate) mod limit;
pub(crate) mod nth;
