//! What benchmarks send, and under which rules: the same for Rampart and for its peers. And the slice of time in which nobody disturbs them.
#![forbid(unsafe_code)]

mod eal;
pub mod rules;
pub mod scenario;
mod slice;
pub mod traffic;

pub use eal::{eal_arguments, last_cpu, last_two_cpus, run_on};
pub use slice::{Slicer, thread_time};
