//! What benchmarks have in common when they speak: slices of time, the machine that they ran on, and results in files.
#![forbid(unsafe_code)]

mod bars;
mod machine;
mod results;
mod slices;

pub use bars::{BARS, Bar, Standing};
pub use machine::Machine;
pub use results::{Figure, Record, Results};
pub use slices::Slices;
