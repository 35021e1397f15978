//! What a flow keeps of its trace: where that stands, and as of which edit of the rules it is known to hold.
//!
//! Edits are counted round and round, so numbers must not grow old: while edits are made flows forget those that are of no use any more, some in each
//! round of housekeeping. Should they not come round in time, no trace is used or recorded until they have.

/// Bits that say where the trace stands. The rest counts edits.
const PLACE_BITS: u32 = 21;
const PLACES: u32 = (1 << PLACE_BITS) - 1;
/// Edits after which counting begins anew.
const ROUND: u32 = 1 << (u32::BITS - PLACE_BITS);
/// Edits after which flows begin to forget old numbers, and before the next of which they have done so.
const SWEEP: u32 = ROUND / 4;

/// So far above all numbers that what is left of one is above every place.
const NOWHERE: u64 = 1 << 63;

/// The number of no trace.
pub(crate) const NONE: u32 = 0;

/// Counts edits.
#[derive(Debug)]
pub(super) struct Numbers {
    /// Of the edits so far, the number in this round.
    stamp: u32,
    /// The number of the first place with that stamp; [`NOWHERE`] while numbers are neither given out nor believed.
    first: u64,
    /// Edits since the last sweep began.
    unswept: u32,
    /// The slot at which the sweep goes on.
    sweep: Option<u32>,
}

/// The number of the first place with this stamp.
fn first(stamp: u32) -> u64 {
    u64::from(stamp << PLACE_BITS | 1)
}

impl Numbers {
    pub(super) fn new() -> Self {
        Self { stamp: 0, first: first(0), unswept: 0, sweep: None }
    }

    /// The number of the trace at this place, as one that holds now.
    #[inline]
    pub(super) fn number(&self, place: u32) -> u32 {
        debug_assert!(place < PLACES);
        (self.stamp << PLACE_BITS) | (place + 1)
    }

    /// Holds such a trace now, for all that is known?
    #[inline]
    pub(super) fn is_current(&self, number: u32) -> bool {
        self.current_place(number) < u64::from(PLACES)
    }

    /// Where it stands.
    #[inline]
    pub(super) fn place(number: u32) -> Option<u32> {
        (number & PLACES).checked_sub(1)
    }

    /// Where a trace stands that holds now, for all that is known; for any other number, something above every place.
    #[inline(always)]
    pub(super) fn current_place(&self, number: u32) -> u64 {
        u64::from(number).wrapping_sub(self.first)
    }

    /// How many edits ago it was known to hold.
    #[inline]
    pub(super) fn age(&self, number: u32) -> u32 {
        self.stamp.wrapping_sub(number >> PLACE_BITS) % ROUND
    }

    /// So many edits were made. Numbers older than that many of the last ones are of no use.
    pub(super) fn advance(&mut self, edits: u32) {
        self.stamp = self.stamp.wrapping_add(edits) % ROUND;
        self.unswept += edits;
        if self.unswept >= SWEEP {
            // The last sweep has not come round.
            self.first = if self.sweep.is_some() { NOWHERE } else { first(self.stamp) };
            (self.sweep, self.unswept) = (Some(0), 0);
        }
        if !self.is_closed() {
            self.first = first(self.stamp);
        }
    }

    /// Are numbers neither given out nor believed?
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.first == NOWHERE
    }

    /// From which slot on flows have to forget what [`Numbers::is_old`] says.
    pub(super) fn sweep(&self) -> Option<u32> {
        self.sweep
    }

    /// They have, up to this slot; `None`: all of them.
    pub(super) fn swept(&mut self, up_to: Option<u32>) {
        self.sweep = up_to;
        if up_to.is_none() {
            self.first = first(self.stamp);
        }
    }

    /// Is it of no use any more, where those before the last so many edits are not?
    #[inline]
    pub(super) fn is_old(&self, number: u32, useful: u32) -> bool {
        self.is_closed() || self.age(number) > useful
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_where_and_since_when() {
        let mut numbers = Numbers::new();
        let (one, last) = (numbers.number(0), numbers.number(PLACES - 2));
        numbers.advance(3);
        assert_eq!([one, last].map(Numbers::place), [Some(0), Some(PLACES - 2)]);
        assert_eq!([one, last].map(|number| numbers.age(number)), [3; 2]);
        assert!(!numbers.is_current(one) && numbers.is_current(numbers.number(0)));
        assert_eq!(Numbers::place(NONE), None);
        // Every other number leads beyond all places.
        let now = numbers.number(PLACES - 1);
        assert_eq!([now, numbers.number(0)].map(|number| numbers.current_place(number)), [u64::from(PLACES - 1), 0]);
        assert!([one, last, NONE, now + 1, now + 2].iter().all(|number| numbers.current_place(*number) >= u64::from(PLACES)));
    }

    #[test]
    fn old_numbers_are_swept_before_counting_begins_anew() {
        let mut numbers = Numbers::new();
        let mut slots = [NONE; 4];
        let (mut sweeps, mut idle) = (0, 0);
        for edit in 0..5 * ROUND {
            slots[edit as usize % 3] = numbers.number(7);
            // The last slot's flow says nothing for two rounds.
            if edit % (2 * ROUND) == 0 {
                (slots[3], idle) = (numbers.number(7), 0);
            }
            numbers.advance(1);
            idle += 1;
            assert!(slots[..3].iter().all(|number| *number == NONE || numbers.age(*number) <= 3));
            assert!(slots[3] == NONE || numbers.age(slots[3]) == idle, "{edit}");
            if let Some(from) = numbers.sweep() {
                sweeps += u32::from(from == 0);
                let slot = &mut slots[from as usize];
                if numbers.is_old(*slot, 5) {
                    *slot = NONE;
                }
                numbers.swept((from < 3).then_some(from + 1));
            }
            assert!(!numbers.is_closed());
        }
        assert_eq!(sweeps, 5 * 4);
    }

    #[test]
    fn a_sweep_that_comes_too_late_closes_until_all_is_forgotten() {
        let mut numbers = Numbers::new();
        let old = numbers.number(7);
        numbers.advance(SWEEP);
        assert_eq!((numbers.sweep(), numbers.is_closed(), numbers.is_old(old, SWEEP)), (Some(0), false, false));
        numbers.swept(Some(1));
        numbers.advance(SWEEP);
        assert_eq!((numbers.sweep(), numbers.is_closed(), numbers.is_old(old, ROUND)), (Some(0), true, true));
        for _ in 0..3 * ROUND {
            numbers.advance(1);
            for number in [old, numbers.number(7)] {
                assert!(!numbers.is_current(number) && numbers.current_place(number) >= u64::from(PLACES));
            }
        }
        numbers.swept(None);
        assert!(!numbers.is_closed() && numbers.is_current(numbers.number(7)));
    }
}
