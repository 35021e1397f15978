//! Turns: a change of the rules, and as much time without one, at the same pace.

use anyhow::Result;

use super::arrivals::Arrivals;
use super::offered::{Counted, Offered};

/// Share of what it can do that the worker is offered.
const OFFERED: f64 = 0.8;
/// How much more a packet may need behind a turn than before it. What the worker can do is measured at both ends, for on a machine that others use it is not
/// the same for long: in a turn in which it became less more was offered than was said.
const STEADY: f64 = 1.1;

/// What happened to packets.
#[derive(Default)]
pub(crate) struct Tally {
    /// Packets that found the ring full.
    pub(crate) lost: u64,
    /// Most that ever waited.
    pub(crate) most: u64,
    /// The bursts.
    pub(crate) counted: Counted,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.most = self.most.max(other.most);
        self.counted.add(other.counted);
    }
}

/// A turn that goes on.
pub(crate) struct Turn {
    /// Nanoseconds that a packet needed before.
    needed: f64,
    began: f64,
    pub(crate) arrivals: Arrivals,
}

/// One that is over: with the change, without one; if it counts.
pub(crate) struct Ended(Option<[Tally; 2]>);

impl Turn {
    pub(crate) fn new(offered: &mut Offered<'_>) -> Result<Self> {
        let needed = offered.nanoseconds()?;
        offered.take_counted();
        Ok(Self { needed, began: offered.passed, arrivals: Arrivals::new(needed / OFFERED) })
    }

    /// The change is over; has as much time pass without one.
    pub(crate) fn end(self, offered: &mut Offered<'_>) -> Result<Ended> {
        let with = Tally { lost: self.arrivals.lost, most: self.arrivals.most, counted: offered.take_counted() };
        let mut quiet = Arrivals::new(self.needed / OFFERED);
        let until = 2.0 * offered.passed - self.began;
        while offered.passed < until {
            offered.round(&mut quiet)?;
        }
        let without = Tally { lost: quiet.lost, most: quiet.most, counted: offered.take_counted() };
        let is_steady = offered.nanoseconds()? < STEADY * self.needed;
        Ok(Ended(is_steady.then_some([with, without])))
    }
}

/// All of them.
#[derive(Default)]
pub(crate) struct Turns {
    pub(crate) count: u32,
    /// Those that did not count.
    pub(crate) refused: u32,
    pub(crate) with: Tally,
    pub(crate) without: Tally,
}

impl Turns {
    pub(crate) fn take(&mut self, ended: Ended) {
        match ended.0 {
            None => self.refused += 1,
            Some([with, without]) => {
                self.count += 1;
                self.with.add(with);
                self.without.add(without);
            }
        }
    }
}
