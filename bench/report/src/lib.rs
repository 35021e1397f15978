//! What benchmarks have in common when they speak: slices of time, the machine that they ran on, and results in files.
#![forbid(unsafe_code)]

mod machine;
mod results;
mod slices;

pub use machine::Machine;
pub use results::{Record, Results};
pub use slices::Slices;
