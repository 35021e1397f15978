//! Targets that act: one file per target. Each does what the kernel module of the same name does, and says how the table goes on.

pub(crate) mod connmark;
pub(crate) mod connsecmark;
pub(crate) mod ct;
pub(crate) mod log;
pub(crate) mod nat;
pub(crate) mod reject;
pub(crate) mod synproxy;
pub(crate) mod tos;
pub(crate) mod ttl;
