//! One figure, measured slice by slice: on a shared machine the best slice is what the code costs, and the spread says how quiet it was.

use serde::{Deserialize, Serialize};

/// What the slices of one measurement gave, in nanoseconds a packet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slices {
    /// How many there were.
    pub count: usize,
    /// The least.
    pub best: f64,
    /// A quarter was below.
    pub lower: f64,
    /// Half was below.
    pub median: f64,
    /// Three quarters were below.
    pub upper: f64,
    /// The greatest.
    pub worst: f64,
}

impl Slices {
    /// Of these slices.
    ///
    /// # Panics
    /// When there is none: nothing was measured.
    pub fn of(mut slices: Vec<f64>) -> Self {
        slices.sort_by(f64::total_cmp);
        let last = slices.len().checked_sub(1).expect("at least one slice was measured");
        let quarter = |quarters: usize| slices[last * quarters / 4];
        let [best, lower, median, upper, worst] = [0, 1, 2, 3, 4].map(quarter);
        Self { count: slices.len(), best, lower, median, upper, worst }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_put_in_order() {
        let slices = Slices::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(slices, Slices { count: 5, best: 1.0, lower: 2.0, median: 3.0, upper: 4.0, worst: 5.0 });
        assert_eq!(Slices::of(vec![7.0]).worst, 7.0);
    }
}
