//! The Linux kernel as the oracle: identical rules and packets through netfilter and through Rampart, and what comes out compared.
//!
//! - [`world`] the router that both systems are; [`case`] rules and packets as a text file
//! - [`linux`] the kernel: a network namespace whose interfaces are TAPs that we hold, and [`kmsg`] its log; [`rampart`] the engine in process; [`process`] the
//!   daemons and commands that users run
//! - [`compare`] what must be equal, what may differ and why, and what is not compared
//! - [`generate`] cases from seeds; [`shrink`] a difference made small; [`differential`] all of it in one call
//! - `sources` from which of its addresses the box speaks, beside the kernel
//! - [`records`] what the kernel did with thousands of them
//!
//! The kernel needs the namespace that `tests/net/enter` makes. Its answers are also recorded, in the files under `cases/` with their case and
//! in those under `records/` by generator and seed, so that all of them are replayed by an ordinary test, without privileges.

#![forbid(unsafe_code)]

pub mod answer;
pub mod case;
pub mod compare;
pub mod differential;
pub mod frame;
pub mod generate;
pub mod kmsg;
pub mod linux;
pub mod observed;
pub mod policies;
pub mod process;
pub mod rampart;
pub mod records;
mod sets;
pub mod shrink;
#[cfg(test)]
mod sources;
pub mod world;

use anyhow::Result;

use crate::case::Case;
use crate::observed::Observed;

/// A router under test.
pub trait System {
    /// Runs a case from a clean beginning: no connection, all counters zero.
    ///
    /// # Errors
    /// The system could not be driven. Rules that it refuses are not an error but an observation.
    fn run(&mut self, case: &Case) -> Result<Observed>;

    /// Why this system cannot run the case, if so: it is then left out, and said to be.
    fn cannot_run(&self, _case: &Case) -> Option<&'static str> {
        None
    }

    /// Kinds of [`compare::Difference`] that this system cannot show, and why. They are not compared.
    fn cannot_show(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
}
