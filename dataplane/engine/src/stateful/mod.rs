//! Matches that need more than the packet's header: one file per iptables word.
//!
//! What a rule remembers is one 64-bit atomic in [`crate::snapshot::TableState`], shared by all workers. The rest looks at the packet's mark,
//! label, connection and bytes, which the walk knows and a header does not.

pub(crate) mod connbytes;
pub(crate) mod connlimit;
pub(crate) mod connmark;
pub(crate) mod conntrack;
pub(crate) mod limit;
pub(crate) mod nth;
pub(crate) mod random;
pub(crate) mod tcp_option;
