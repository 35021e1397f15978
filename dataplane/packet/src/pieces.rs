//! A packet's bytes where they lie in several pieces.

/// A packet's bytes from some place on, in the pieces in which they lie.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<I>(I);

impl<'a, I: Iterator<Item = &'a [u8]> + Clone> Pieces<I> {
    /// Of these, in order.
    #[inline]
    pub fn of(pieces: I) -> Self {
        Self(pieces)
    }

    /// The bytes from `from` up to `to`, which is not among them; those that there are, some of the pieces perhaps empty.
    #[inline]
    pub fn between(&self, from: usize, to: usize) -> impl Iterator<Item = &'a [u8]> + use<'a, I> {
        let mut start = 0usize;
        self.0.clone().map(move |piece| {
            let first = from.saturating_sub(start).min(piece.len());
            let end = to.saturating_sub(start).clamp(first, piece.len());
            start += piece.len();
            &piece[first..end]
        })
    }

    /// The 32-bit word at `at`, in network byte order; `None` past the end.
    #[inline]
    pub fn word(&self, at: usize) -> Option<u32> {
        let (mut word, mut found) = (0u32, 0);
        for byte in self.between(at, at.checked_add(4)?).flatten() {
            word = word << 8 | u32::from(*byte);
            found += 1;
        }
        (found == 4).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUTS: [&[u8]; 4] = [&[0, 1, 2], &[], &[3], &[4, 5, 6, 7]];

    #[test]
    fn pieces_do_not_matter() {
        let pieces = Pieces::of(CUTS.into_iter());
        for (from, to) in (0..10).flat_map(|from| (0..10).map(move |to| (from, to))) {
            let bytes: Vec<u8> = pieces.between(from, to).flatten().copied().collect();
            assert_eq!(bytes, (0..8).filter(|at| (from..to).contains(&usize::from(*at))).collect::<Vec<u8>>(), "{from} to {to}");
        }
    }

    #[test]
    fn a_word_ends_with_the_packet_at_the_latest() {
        let pieces = Pieces::of(CUTS.into_iter());
        assert_eq!([0, 1, 4].map(|at| pieces.word(at)), [Some(0x0001_0203), Some(0x0102_0304), Some(0x0405_0607)]);
        assert_eq!([5, 8, 100, usize::MAX - 3, usize::MAX].map(|at| pieces.word(at)), [None; 5]);
    }
}
