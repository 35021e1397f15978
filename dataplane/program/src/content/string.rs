//! `-m string`: bytes that are somewhere in the packet (`xt_string.c`).
//!
//! Both of the kernel's ways to search, `bm` and `kmp`, find the same where a packet lies in one piece. The one here is Knuth's, Morris's and Pratt's:
//! it looks at each byte once, whatever the bytes are and in however many pieces they lie, and jumps to where the first one may be. Boyer's and Moore's is
//! faster for most packets, and with the wrong ones looks at each byte as often as the pattern is long.

use core::ops::Range;

use memchr::memchr2;
use packet::pieces::Pieces;
use serde::{Deserialize, Serialize};

/// The most bytes that are looked for (`XT_STRING_MAX_PATTERN_SIZE`).
const MOST: usize = 128;

/// Are these bytes in the packet?
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StringTest {
    /// The bytes: 1 to 128.
    pattern: Vec<u8>,
    /// Of each beginning of the pattern, how long a beginning of it its end is.
    again: Vec<u8>,
    /// Where they may begin at the earliest, in bytes from the IP header on.
    from: u16,
    /// Where they must have ended: no byte from here on is looked at.
    to: u16,
    /// Letters are alike in both cases: those of Latin-1, as the kernel has them.
    ignore_case: bool,
    /// `!`
    not: bool,
}

impl StringTest {
    /// Of this pattern, between two places.
    pub fn new(pattern: &[u8], (from, to): (u16, u16), ignore_case: bool, not: bool) -> Self {
        Self { pattern: pattern.to_vec(), again: again(pattern, ignore_case), from, to, ignore_case, not }
    }

    /// What is looked for: the bytes, from where and up to where, in both cases, `!`.
    pub fn parts(&self) -> (&[u8], (u16, u16), bool, bool) {
        (&self.pattern, (self.from, self.to), self.ignore_case, self.not)
    }

    /// Does it hold of the packet, which is this part of the pieces?
    pub(super) fn holds<'a>(&self, pieces: &Pieces<impl Iterator<Item = &'a [u8]> + Clone>, packet: Range<usize>) -> bool {
        let from = packet.start + usize::from(self.from);
        let to = packet.end.min(packet.start + usize::from(self.to));
        self.is_in(pieces.between(from, to)) != self.not
    }

    fn is_in<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> bool {
        let fold = |byte: u8| if self.ignore_case { fold(byte) } else { byte };
        let first = fold(self.pattern[0]);
        // No three bytes are alike.
        let lower = first.wrapping_add(CASE);
        let starts = match [first, lower].map(|byte| fold(byte) == first) {
            [true, true] => [first, lower],
            [true, false] => [first; 2],
            [false, _] => [lower; 2],
        };
        let mut found = 0;
        for piece in pieces {
            let mut at = 0;
            while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
                if found == 0 {
                    let Some(ahead) = memchr2(starts[0], starts[1], rest) else { break };
                    at += ahead;
                }
                let byte = fold(piece[at]);
                while found > 0 && fold(self.pattern[found]) != byte {
                    found = usize::from(self.again[found - 1]);
                }
                found += usize::from(fold(self.pattern[found]) == byte);
                if found == self.pattern.len() {
                    return true;
                }
                at += 1;
            }
        }
        false
    }

    /// What is wrong with it.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !(1..=MOST).contains(&self.pattern.len()) {
            return Err("a string of no bytes, or of more than 128");
        }
        if self.from > self.to {
            return Err("a search that ends before it begins");
        }
        if self.again != again(&self.pattern, self.ignore_case) {
            return Err("a string whose beginnings do not come again as it says");
        }
        Ok(())
    }
}

/// How far a small letter is from the large one.
const CASE: u8 = 0x20;

/// The byte in upper case, as the kernel has it (`toupper`): its small letters are ASCII's and those of Latin-1, among them two that have no large one and get
/// what stands in its place.
fn fold(byte: u8) -> u8 {
    if byte.is_ascii_lowercase() || matches!(byte, 0xdf..=0xf6 | 0xf8..=0xff) { byte - CASE } else { byte }
}

/// Of each beginning of the pattern, the longest shorter one with which it ends. One longer than can be counted here is no pattern.
fn again(pattern: &[u8], ignore_case: bool) -> Vec<u8> {
    let fold = |byte: u8| if ignore_case { fold(byte) } else { byte };
    let mut again = vec![0u8; pattern.len().min(MOST)];
    let mut length = 0usize;
    for at in 1..again.len() {
        while length > 0 && fold(pattern[length]) != fold(pattern[at]) {
            length = usize::from(again[length - 1]);
        }
        length += usize::from(fold(pattern[length]) == fold(pattern[at]));
        again[at] = length as u8;
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn holds(test: &StringTest, packet: &[u8], cuts: usize) -> bool {
        test.check().unwrap();
        let pieces = packet.chunks(cuts.max(1));
        test.holds(&Pieces::of(pieces), 0..packet.len())
    }

    /// By looking everywhere.
    fn by_hand(pattern: &[u8], (from, to): (u16, u16), packet: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
        let to = packet.len().min(to.into());
        packet.get(from.into()..to).is_some_and(|looked_at| {
            looked_at.windows(pattern.len()).any(|window| window.iter().zip(pattern).all(|(a, b)| same(*a, *b)))
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_is_there(pattern in vec(b'a'..=b'c', 1..9), packet in vec(b'a'..=b'c', 0..60), from in 0u16..40, len in 0u16..60, cuts in 1usize..20, not: bool) {
            let test = StringTest::new(&pattern, (from, from + len), false, not);
            let expected = by_hand(&pattern, (from, from + len), &packet, |a, b| a == b) != not;
            prop_assert_eq!(holds(&test, &packet, cuts), expected);
        }

        #[test]
        fn it_finds_either_case(pattern in vec(prop::sample::select(&b"aAbB\xe4\xc4\xdf\xbf\xff@`"[..]), 1..5), packet in vec(prop::sample::select(&b"aAbB\xe4\xc4\xdf\xbf\xff@`"[..]), 0..40), cuts in 1usize..20) {
            let test = StringTest::new(&pattern, (0, 65_535), true, false);
            prop_assert_eq!(holds(&test, &packet, cuts), by_hand(&pattern, (0, 65_535), &packet, |a, b| fold(a) == fold(b)));
        }
    }

    #[test]
    fn small_letters_are_latin_1s() {
        assert_eq!(b"az{`\xdf\xe0\xf6\xf7\xf8\xff\xde".map(fold), *b"AZ{`\xbf\xc0\xd6\xf7\xd8\xdf\xde");
        let mut alike = [0; 256];
        (0..=255).for_each(|byte| alike[usize::from(fold(byte))] += 1);
        assert!(alike.iter().all(|bytes| *bytes <= 2), "two places to begin at are enough");
    }

    #[test]
    fn an_image_says_nothing_wrong() {
        let right = StringTest::new(b"abab", (0, 9), false, false);
        assert_eq!(right.check(), Ok(()));
        assert_eq!(right.again, [0, 0, 1, 2]);
        for wrong in [
            StringTest::new(b"", (0, 9), false, false),
            StringTest::new(&[0; 129], (0, 9), false, false),
            StringTest::new(b"a", (10, 9), false, false),
            StringTest { again: vec![0, 0, 1, 3], ..right.clone() },
            StringTest { again: vec![], ..right },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
