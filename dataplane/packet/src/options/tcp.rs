//! TCP options (RFC 9293 section 3.1, RFC 7323, RFC 2018).

use crate::bytes::read32;
use crate::family::Family;
use crate::header::{Header, L4};
use crate::tcp::HEADER_LEN;

/// Kinds.
pub mod kind {
    /// The list ends here.
    pub const END: u8 = 0;
    /// One byte of padding.
    pub const NOP: u8 = 1;
    /// Maximum segment size.
    pub const MSS: u8 = 2;
    /// Window scale.
    pub const WINDOW_SCALE: u8 = 3;
    /// Selective acknowledgements permitted.
    pub const SACK_PERMITTED: u8 = 4;
    /// Selective acknowledgements.
    pub const SACK: u8 = 5;
    /// Timestamps.
    pub const TIMESTAMPS: u8 = 8;
}

/// Greatest window scale that counts (RFC 7323 section 2.3).
pub const MAX_WINDOW_SCALE: u8 = 14;

/// Length of an MSS option.
pub const MSS_LEN: usize = 4;

/// Longest list of options.
pub const MAX_LEN: usize = crate::tcp::MAX_HEADER_LEN - HEADER_LEN;

/// One option with a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpOption<'a> {
    /// Kind.
    pub kind: u8,
    /// Offset of the kind byte in the options.
    pub at: usize,
    /// What follows kind and length.
    pub data: &'a [u8],
}

/// The options of a TCP packet; `None` for other packets, for a wrong data offset, and where the head ends before the options do.
pub fn bytes<'a, F: Family>(head: &'a [u8], header: &Header<F>) -> Option<&'a [u8]> {
    let L4::Tcp { header_len, .. } = header.transport else { return None };
    if u32::from(header_len) > header.l4_len() {
        return None;
    }
    let l4 = usize::from(header.l4);
    head.get(l4 + HEADER_LEN..l4 + usize::from(header_len))
}

/// Walks the options in order. The walk ends at END, at the last byte, and at an option whose length is below 2 or beyond the list.
pub fn walk(bytes: &[u8]) -> Walk<'_> {
    Walk { bytes, at: 0 }
}

/// See [`walk`].
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = TcpOption<'a>;

    fn next(&mut self) -> Option<TcpOption<'a>> {
        loop {
            let at = self.at;
            match *self.bytes.get(at)? {
                kind::END => return None,
                kind::NOP => self.at += 1,
                kind => {
                    let len = usize::from(*self.bytes.get(at + 1)?);
                    let data = self.bytes.get(at + 2..at + len)?;
                    self.at += len;
                    return Some(TcpOption { kind, at, data });
                }
            }
        }
    }
}

/// What connection tracking and TCPMSS look for, of one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale, at most [`MAX_WINDOW_SCALE`].
    pub window_scale: Option<u8>,
    /// Selective acknowledgements permitted.
    pub sack_permitted: bool,
    /// Timestamps: value and echo.
    pub timestamps: Option<(u32, u32)>,
    /// The greatest right edge of the selective acknowledgements, by sequence arithmetic.
    pub sack_end: Option<u32>,
}

impl TcpOptions {
    /// Reads all options; of one that stands twice the last counts.
    pub fn read(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        for TcpOption { kind, data, .. } in walk(bytes) {
            match (kind, data) {
                (kind::MSS, &[a, b]) => found.mss = Some(u16::from_be_bytes([a, b])),
                (kind::WINDOW_SCALE, &[scale]) => found.window_scale = Some(scale.min(MAX_WINDOW_SCALE)),
                (kind::SACK_PERMITTED, &[]) => found.sack_permitted = true,
                (kind::TIMESTAMPS, data) if data.len() == 8 => found.timestamps = read32(data, 0).zip(read32(data, 4)),
                (kind::SACK, data) => {
                    for (_, right) in sack_blocks(data) {
                        found.sack_end = Some(match found.sack_end {
                            Some(end) if (right.wrapping_sub(end) as i32) <= 0 => end,
                            _ => right,
                        });
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Writes MSS, timestamps, leave for SACK and window scale, in that order and padded as Linux has them, to the front of `out`; gives
    /// their length, whole words of four bytes.
    pub fn write(&self, out: &mut [u8; MAX_LEN]) -> usize {
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            // Four, twelve, four and four bytes at most.
            out[at..at + bytes.len()].copy_from_slice(bytes);
            at += bytes.len();
        };
        if let Some(mss) = self.mss {
            let [high, low] = mss.to_be_bytes();
            put(&[kind::MSS, 4, high, low]);
        }
        if let Some((value, echo)) = self.timestamps {
            put(if self.sack_permitted { &[kind::SACK_PERMITTED, 2] } else { &[kind::NOP; 2] });
            put(&[kind::TIMESTAMPS, 10]);
            put(&value.to_be_bytes());
            put(&echo.to_be_bytes());
        } else if self.sack_permitted {
            put(&[kind::NOP, kind::NOP, kind::SACK_PERMITTED, 2]);
        }
        if let Some(scale) = self.window_scale {
            put(&[kind::NOP, kind::WINDOW_SCALE, 3, scale]);
        }
        at
    }
}

/// The blocks of a SACK option: left and right edge. A list whose length is not a multiple of 8 has none.
pub fn sack_blocks(data: &[u8]) -> impl Iterator<Item = (u32, u32)> + '_ {
    let (blocks, rest) = data.as_chunks::<8>();
    let blocks = if rest.is_empty() { blocks } else { &[] };
    blocks.iter().filter_map(|block| read32(block, 0).zip(read32(block, 4)))
}

/// The options of a list as iptables' own walks see them (`tcp_find_option`, `optlen` of `xt_TCPMSS.c`): where each begins, and its length. They do
/// not stop at END, and step one byte over an option of length 0. The last one may reach beyond the list.
pub fn loose_walk(bytes: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut next = 0;
    core::iter::from_fn(move || {
        let (at, kind) = (next, *bytes.get(next)?);
        let len = match kind {
            kind::END | kind::NOP => 1,
            _ => usize::from(bytes.get(at + 1).copied().unwrap_or(1).max(1)),
        };
        next += len;
        Some((at, len))
    })
}

/// Does the list hold this kind, as iptables' `--tcp-option` looks for it?
pub fn contains(bytes: &[u8], kind: u8) -> bool {
    loose_walk(bytes).any(|(at, _)| bytes[at] == kind)
}

/// Where the MSS option begins, and its value, as `-m tcpmss` and TCPMSS find it. One that stands behind END counts, and one of another length than
/// four bytes, or that is cut short, is none.
pub fn mss(bytes: &[u8]) -> Option<(usize, u16)> {
    loose_walk(bytes).find_map(|(at, len)| match bytes.get(at..at + MSS_LEN)? {
        &[kind::MSS, _, high, low] if len == MSS_LEN => Some((at, u16::from_be_bytes([high, low]))),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: [u8; 20] = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 15];

    #[test]
    fn a_syn_tells_all() {
        let read = TcpOptions::read(&SYN);
        assert_eq!(read.mss, Some(1460));
        assert!(read.sack_permitted);
        assert_eq!(read.timestamps, Some((1, 2)));
        assert_eq!(read.window_scale, Some(14), "15 is taken as 14");
        assert_eq!(mss(&SYN), Some((0, 1460)));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let all =
            TcpOptions { mss: Some(1400), window_scale: Some(7), sack_permitted: true, timestamps: Some((1, 2)), sack_end: None };
        for has in 0..16u8 {
            let options = TcpOptions {
                mss: all.mss.filter(|_| has & 1 != 0),
                window_scale: all.window_scale.filter(|_| has & 2 != 0),
                sack_permitted: has & 4 != 0,
                timestamps: all.timestamps.filter(|_| has & 8 != 0),
                sack_end: None,
            };
            let mut room = [0; MAX_LEN];
            let len = options.write(&mut room);
            assert!(len.is_multiple_of(4));
            assert_eq!(TcpOptions::read(&room[..len]), options);
        }
    }

    #[test]
    fn a_broken_length_ends_the_walk() {
        assert_eq!(walk(&[2, 0, 5, 180]).count(), 0);
        assert_eq!(walk(&[2, 1, 5, 180]).count(), 0);
        assert_eq!(walk(&[1, 1, 2]).count(), 0);
        assert_eq!(walk(&[4, 2, 2, 9, 5, 180]).count(), 1);
        assert_eq!(walk(&[0, 4, 2]).count(), 0);
    }

    #[test]
    fn sack_edges_compare_by_sequence() {
        let mut list = vec![5, 18];
        for edge in [0xffff_ff00u32, 0xffff_fff0, 0x10, 0x20] {
            list.extend(edge.to_be_bytes());
        }
        assert_eq!(TcpOptions::read(&list).sack_end, Some(0x20));
        assert_eq!(sack_blocks(&list[2..17]).count(), 0);
    }

    #[test]
    fn an_mss_is_found_behind_the_end_and_only_whole() {
        assert_eq!(mss(&[0, 2, 4, 5, 180]), Some((1, 1460)));
        assert_eq!(mss(&[9, 0, 2, 4, 5, 180]), Some((2, 1460)));
        assert_eq!(mss(&[2, 5, 5, 180, 0, 2, 4, 1, 0]), Some((5, 256)), "the first has another length");
        assert_eq!(mss(&[1, 2, 4, 5]), None);
        assert_eq!(mss(&[3, 200, 7, 2, 4, 5, 180]), None, "within another option");
        assert_eq!(mss(&[]), None);
    }

    #[test]
    fn the_matchs_own_walk_goes_past_end() {
        assert!(contains(&[0, 4, 2], 4));
        assert!(contains(&[9, 0, 4, 2], 4), "a length of 0 is stepped over as one byte");
        assert!(!contains(&SYN, 5));
        assert!(contains(&SYN, 3));
        assert!(!contains(&[2], 3));
    }
}
