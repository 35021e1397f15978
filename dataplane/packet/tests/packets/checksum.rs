//! The sum is the same however it is cut, and an update is what a new sum would be.

use packet::checksum::{fold, over, partial, update_addr, update16, update32};
use proptest::prelude::*;

/// RFC 1071, word by word.
fn plain(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

proptest! {
    #[test]
    fn the_sum_is_the_plain_one(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(fold(partial(&bytes, 0)), plain(&bytes));
    }

    #[test]
    fn segments_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 1..300), cuts in proptest::collection::vec(0usize..300, 0..6), skip in 0usize..300, len in 0usize..300) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let segments = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]);
        let expected = bytes.get(skip..skip + len).map(plain);
        let got = over(segments, skip, len).map(fold);
        if len == 0 {
            prop_assert_eq!(got, Some(0xffff));
        } else {
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn updates_are_what_is_computed_anew(mut bytes in proptest::collection::vec(any::<u8>(), 8..64), at in 0usize..30, new: u32) {
        // Not all zero: a header never is, and RFC 1624's update cannot tell the two zeros apart there.
        bytes[0] |= 1;
        let at = (at * 2).min((bytes.len() - 4) & !1).max(2);
        let check = plain(&bytes);
        let old = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(&new.to_be_bytes());
        let anew = plain(&bytes);
        prop_assert_eq!(update32(check, old, new), anew);
        prop_assert_eq!(update_addr(check, old, new), anew);
        prop_assert_eq!(update16(update16(check, (old >> 16) as u16, (new >> 16) as u16), old as u16, new as u16), anew);
    }
}

#[test]
fn rfc_1624s_own_example() {
    assert_eq!(update16(0xdd2f, 0x5555, 0x3285), 0x0000);
}
