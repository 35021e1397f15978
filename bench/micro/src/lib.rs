//! What the benchmarks share: the packets that they send, the rules that they load, and how long they measure.
//!
//! Rules are text in the form of `iptables-save` and go through the same stages as those of an operator.
#![forbid(unsafe_code)]

pub mod classes;
pub mod crew;
pub mod frames;
pub mod load;
pub mod rulesets;
pub mod world;

use std::time::Duration;

use criterion::Criterion;

/// Short measurements: all benchmarks together stay below two minutes.
pub fn criterion() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).sample_size(20)
}
