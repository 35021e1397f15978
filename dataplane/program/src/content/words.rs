//! `-m u32`: arithmetic on the packet's words (`xt_u32.c`).

use core::ops::Range;

use packet::pieces::Pieces;
use serde::{Deserialize, Serialize};

/// The most parts of a test and values of a part; a part has one step less (`XT_U32_MAXSIZE`).
const MOST: usize = 10;

/// Do all parts hold?
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WordsTest {
    /// One to 10.
    pub parts: Vec<WordsPart>,
    /// `!`: also of a packet that has not all the words.
    pub not: bool,
}

/// One word, what is done with it, and what must come of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct WordsPart {
    /// Where the word begins, in bytes from the IP header on.
    pub start: u32,
    /// What is done with it, one after the other; at most 9.
    pub steps: Vec<(WordStep, u32)>,
    /// What comes of it must be in one of these ranges, ends included; at most 10. None is inside one that runs backwards.
    pub values: Vec<(u32, u32)>,
}

/// What is done with a word and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum WordStep {
    /// `&`
    And,
    /// `<<`, by less than 32.
    Left,
    /// `>>`, by less than 32.
    Right,
    /// `@`: all that follows lies so many bytes further on as the word says, and there the next one is taken at the number.
    At,
}

impl WordsTest {
    /// Does it hold of the packet, which is this part of the pieces?
    pub(super) fn holds<'a>(&self, pieces: &Pieces<impl Iterator<Item = &'a [u8]> + Clone>, packet: Range<usize>) -> bool {
        let word = |at: u64| {
            let at = packet.start.checked_add(usize::try_from(at).ok()?)?;
            if at.checked_add(4)? > packet.end {
                return None;
            }
            pieces.word(at)
        };
        self.parts.iter().all(|part| part.result(word).is_some_and(|result| part.is_wanted(result))) != self.not
    }

    /// What is wrong with it.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        let steps = || self.parts.iter().flat_map(|part| &part.steps);
        if !(1..=MOST).contains(&self.parts.len()) {
            return Err("a test of no word, or of more than 10");
        }
        if self.parts.iter().any(|part| part.steps.len() >= MOST || part.values.len() > MOST) {
            return Err("more than 9 steps to a word's value, or more than 10 of those");
        }
        if steps().any(|(step, by)| matches!(step, WordStep::Left | WordStep::Right) && *by >= u32::BITS) {
            return Err("a word that is shifted by more bits than it has");
        }
        Ok(())
    }
}

impl WordsPart {
    /// What comes of its word; `None` where the packet has none at a place that is asked for.
    fn result(&self, word: impl Fn(u64) -> Option<u32>) -> Option<u32> {
        let (mut base, mut value) = (0u32, word(self.start.into())?);
        for (step, number) in &self.steps {
            value = match step {
                WordStep::And => value & number,
                WordStep::Left => value << number,
                WordStep::Right => value >> number,
                WordStep::At => {
                    base = base.checked_add(value)?;
                    word(u64::from(base) + u64::from(*number))?
                }
            };
        }
        Some(value)
    }

    fn is_wanted(&self, value: u32) -> bool {
        self.values.iter().any(|(first, last)| (*first..=*last).contains(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: u32, steps: &[(WordStep, u32)], values: &[(u32, u32)]) -> WordsPart {
        WordsPart { start, steps: steps.to_vec(), values: values.to_vec() }
    }

    fn holds(parts: &[WordsPart], not: bool) -> bool {
        let test = WordsTest { parts: parts.to_vec(), not };
        test.check().unwrap();
        // Two bytes that are not the packet's before it and behind it.
        let bytes = [9, 9, 0, 0, 0, 4, 0, 0, 0, 8, 0x80, 0, 0, 1, 9, 9];
        test.holds(&Pieces::of(bytes.chunks(3)), 2..14)
    }

    #[test]
    fn words_are_read_up_to_the_packets_end() {
        assert!(holds(&[part(8, &[], &[(0x8000_0001, 0x8000_0001)])], false));
        for start in [9, 11, 12, u32::MAX - 3, u32::MAX] {
            let any = part(start, &[], &[(0, u32::MAX)]);
            assert!(!holds(std::slice::from_ref(&any), false));
            assert!(holds(&[part(0, &[], &[(4, 4)]), any], true), "what cannot be read does not hold, and `!` turns that round");
        }
    }

    #[test]
    fn steps_are_of_32_bits_and_further_on_means_from_where_that_led_last() {
        use WordStep::{And, At, Left, Right};
        assert!(holds(&[part(8, &[(Left, 1)], &[(2, 2)])], false), "the highest bit is lost");
        assert!(holds(&[part(8, &[(Right, 31)], &[(1, 1)])], false));
        assert!(holds(&[part(8, &[(And, 0xff)], &[(5, 7), (1, 1)])], false));
        assert!(!holds(&[part(8, &[], &[(u32::MAX, 0)])], false), "a range that runs backwards has none");
        // 4, and there 8: both at once would be 12.
        assert!(holds(&[part(0, &[(At, 0)], &[(8, 8)])], false));
        assert!(!holds(&[part(0, &[(At, 0), (At, 0)], &[(0, u32::MAX)])], false));
        assert!(holds(&[part(0, &[(At, 4), (And, 1), (At, 1)], &[(0x0008_8000, 0x0008_8000)])], false));
        // Beyond all packets, and not round to their beginning.
        assert!(!holds(&[part(8, &[(At, u32::MAX)], &[(0, u32::MAX)])], false));
        assert!(!holds(&[part(8, &[(At, 0x7fff_ffff)], &[(0, u32::MAX)])], false));
    }

    #[test]
    fn an_image_says_nothing_wrong() {
        use WordStep::{And, Left, Right};
        let any = [(0, u32::MAX)];
        for wrong in [
            vec![],
            vec![part(0, &[], &any); 11],
            vec![part(0, &[(And, 0); 10], &any)],
            vec![part(0, &[], &[(0, 0); 11])],
            vec![part(0, &[(Left, 32)], &any)],
            vec![part(0, &[(Right, 32)], &any)],
        ] {
            assert!(WordsTest { parts: wrong, not: false }.check().is_err());
        }
    }
}
