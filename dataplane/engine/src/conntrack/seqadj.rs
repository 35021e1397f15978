//! What a helper's rewriting does to the numbers of a TCP connection (`nf_conntrack_seqadj`): bytes that were added or taken away shift every
//! number behind them, in segments of the rewritten direction and in the acknowledgements of the other.
//!
//! Of each direction the last place of change is remembered, with the shift on both sides of it. That is enough, as in the kernel, because a
//! helper changes the next segment only when the one before has arrived.

use super::window::after;

/// One direction's shifts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SeqAdj {
    /// The first number of the segment that was last changed in length, as its sender counts.
    position: u32,
    /// Shift up to there, and behind it.
    before: i32,
    after: i32,
}

impl SeqAdj {
    /// The segment that begins with `seq` became `delta` bytes longer. A segment that is sent again is changed again, and is not counted twice.
    pub(crate) fn note(&mut self, seq: u32, delta: i32) {
        if delta != 0 && (self.before == self.after || after(seq, self.position)) {
            self.position = seq;
            self.before = self.after;
            self.after = self.after.wrapping_add(delta);
        }
    }

    /// The shift of a number in this direction's own count.
    pub(crate) fn shift(&self, seq: u32) -> i32 {
        if after(seq, self.position) { self.after } else { self.before }
    }

    /// The number, as the sender of this direction counts, that its receiver acknowledges with `ack`.
    pub(crate) fn acknowledged(&self, ack: u32) -> u32 {
        let unshifted = ack.wrapping_sub(self.before as u32);
        if after(unshifted, self.position) { ack.wrapping_sub(self.after as u32) } else { unshifted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_the_change_shifts_and_what_is_before_does_not() {
        let mut adj = SeqAdj::default();
        adj.note(100, 5);
        assert_eq!((adj.shift(100), adj.shift(101)), (0, 5));
        assert_eq!((adj.acknowledged(100), adj.acknowledged(131)), (100, 126));
        adj.note(200, -3);
        assert_eq!((adj.shift(200), adj.shift(201)), (5, 2));
        assert_eq!(adj.acknowledged(252), 250);
    }

    #[test]
    fn a_segment_sent_again_counts_once() {
        let mut adj = SeqAdj::default();
        adj.note(u32::MAX - 2, 7);
        adj.note(u32::MAX - 2, 7);
        assert_eq!(adj.shift(3), 7, "numbers wrap");
        assert_eq!(adj.shift(u32::MAX - 2), 0);
    }
}
