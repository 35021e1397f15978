//! How flows are judged anew without a storm, when rules change for many of them at once.
//!
//! A walk costs several times what a packet by its trace costs. If each flow's next packet walked at once, a worker under load would fall behind, and
//! packets would be lost that no rule drops. So for a while some of them may go by what was decided before: when full bursts say
//! that more packets wait, only few of each burst walk, and when one full burst follows the other, because walks take longer than there is time for, hardly any. As soon as hardly a packet needs that, or after a given time at the latest, it is over, and only
//! then has the change been made: whoever made it waits for that ([`crate::Worker::is_settled`]). So each packet meets the old rules or the new ones, each flow changes
//! over once, and behind the change nobody meets the old ones.

use crate::time::Time;

/// Packets of a burst that walk, though they could go by what was decided before: where no more wait behind it, where more do, and where they have for
/// [`BEHIND`] bursts, in one of [`SELDOM`].
const AT_EASE: u32 = 16;
const BUSY: u32 = 1;
const BEHIND: u32 = 16;
const SELDOM: u32 = 8;
/// Nanoseconds for which no packet went by what was decided before, after which none does any more.
const QUIET: u64 = 200_000;

#[derive(Debug)]
pub(super) struct Linger {
    /// Nanoseconds after a change for which packets may go by what was decided before; 0 for never.
    longest: u64,
    is_on: bool,
    until: Time,
    /// When the last packet did, or rules changed.
    used: Time,
    /// Packets of this burst that still walk.
    ration: u32,
    /// Full bursts one after another.
    full: u32,
}

impl Linger {
    pub(super) fn new(longest: u64) -> Self {
        Self { longest, is_on: false, until: Time(0), used: Time(0), ration: 0, full: 0 }
    }

    /// Rules have changed.
    pub(super) fn begin(&mut self, now: Time) {
        self.is_on = self.longest > 0;
        (self.until, self.used) = (Time(now.0 + self.longest), now);
    }

    /// A burst begins, behind which more packets wait if it is full.
    #[inline]
    pub(super) fn burst(&mut self, is_full: bool) {
        self.full = if is_full { self.full.wrapping_add(1) } else { 0 };
        self.ration = match self.full {
            0 => AT_EASE,
            full if full < BEHIND || full % SELDOM == 0 => BUSY,
            _ => 0,
        };
    }

    /// May a packet go by what was decided before?
    pub(super) fn allows(&mut self, now: Time) -> bool {
        if !self.is_on || now >= self.until {
            return false;
        }
        let walks = self.ration > 0;
        if walks {
            self.ration -= 1;
        } else {
            self.used = now;
        }
        !walks
    }

    /// Is it over?
    pub(super) fn look(&mut self, now: Time) {
        self.is_on &= now < self.until && now.0 - self.used.0 < QUIET;
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: u64 = 10 * QUIET;

    fn lingering(is_full: bool) -> Linger {
        let mut linger = Linger::new(LONGEST);
        linger.begin(Time(0));
        linger.burst(is_full);
        linger
    }

    #[test]
    fn the_more_packets_wait_the_fewer_walk() {
        let mut linger = lingering(true);
        let mut walks = |is_full| {
            linger.burst(is_full);
            (0..64).filter(|_| !linger.allows(Time(1))).count()
        };
        assert_eq!([walks(false), walks(true), walks(false)], [16, 1, 16]);
        let full: usize = (0..BEHIND).map(|_| walks(true)).sum();
        let behind: usize = (0..8 * SELDOM).map(|_| walks(true)).sum();
        assert_eq!((full, behind, walks(false)), (16, 8, 16));
    }

    #[test]
    fn it_ends_when_no_packet_needs_it_and_at_its_time_at_the_latest() {
        let mut linger = lingering(false);
        let mut is_on_at = |now: u64| {
            linger.look(Time(now));
            linger.is_on()
        };
        assert_eq!([1, QUIET - 1, QUIET].map(&mut is_on_at), [true, true, false]);

        let mut linger = lingering(true);
        let mut last = 0;
        for now in (0..).map(|step| step * QUIET / 2) {
            linger.look(Time(now));
            if !linger.is_on() {
                break;
            }
            last = now;
            linger.burst(true);
            assert!((0..64).any(|_| linger.allows(Time(now))));
        }
        assert_eq!(last, LONGEST - QUIET / 2);
        assert!(!(0..64).any(|_| linger.allows(Time(LONGEST))));
    }

    #[test]
    fn without_a_time_everything_is_judged_at_once() {
        let mut linger = Linger::new(0);
        linger.begin(Time(0));
        linger.burst(true);
        assert!(!linger.is_on() && !(0..64).any(|_| linger.allows(Time(0))));
    }
}
