//! The last segment of a connection that moved the machine or was ignored. Packed: every flow has one.

use super::entry::Dir;
use super::tcp::Kind;
use super::window::{Side, SideFlags};

/// Its numbers, and in two bytes the rest.
#[derive(Clone, Copy, Debug)]
#[repr(C, packed(2))]
pub(crate) struct Last {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) end: u32,
    pub(crate) window: u16,
    /// [`KIND`], [`DIR`], [`CHALLENGE`], [`SIMULTANEOUS`].
    what: u8,
    /// Options of an ignored SYN: the scale, and above it [`SYN_FLAGS`].
    syn: u8,
}

const KIND: u8 = 7;
const DIR_AT: u32 = 3;
const DIR: u8 = 3 << DIR_AT;
const CHALLENGE: u8 = 1 << 5;
const SIMULTANEOUS: u8 = 1 << 6;
const SCALE: u8 = 15;
const FLAGS_AT: u32 = 4;
/// What a SYN can tell.
const SYN_FLAGS: [SideFlags; 3] = [SideFlags::SCALING, SideFlags::SACK, SideFlags::LIBERAL];

impl Default for Last {
    fn default() -> Self {
        Self { seq: 0, ack: 0, end: 0, window: 0, what: Kind::Bare as u8, syn: 0 }
    }
}

impl Last {
    pub(crate) fn kind(&self) -> Kind {
        Kind::ALL.get(usize::from(self.what & KIND)).copied().unwrap_or_default()
    }

    /// `None` before the first.
    pub(crate) fn dir(&self) -> Option<Dir> {
        match (self.what & DIR) >> DIR_AT {
            0 => None,
            1 => Some(Dir::Original),
            _ => Some(Dir::Reply),
        }
    }

    /// It went that way.
    #[inline]
    pub(crate) fn was(&self, dir: Dir) -> bool {
        self.what & DIR == (dir as u8 + 1) << DIR_AT
    }

    #[inline]
    pub(crate) fn set(&mut self, kind: Kind, dir: Dir) {
        self.what = self.what & !(KIND | DIR) | kind as u8 | (dir as u8 + 1) << DIR_AT;
    }

    /// An ignored SYN in LAST_ACK may be answered with a challenge ACK (RFC 5961), which acknowledges no FIN.
    pub(crate) fn expects_challenge(&self) -> bool {
        self.what & CHALLENGE != 0
    }

    pub(crate) fn expect_challenge(&mut self, to: bool) {
        self.put(CHALLENGE, to);
    }

    /// Both ends have sent a SYN.
    pub(crate) fn is_simultaneous(&self) -> bool {
        self.what & SIMULTANEOUS != 0
    }

    pub(crate) fn be_simultaneous(&mut self, to: bool) {
        self.put(SIMULTANEOUS, to);
    }

    fn put(&mut self, bit: u8, to: bool) {
        self.what = if to { self.what | bit } else { self.what & !bit };
    }

    /// Notes the options of an ignored SYN, should its answer show that it was right.
    pub(crate) fn note_options(&mut self, side: &Side) {
        let flags = SYN_FLAGS.into_iter().enumerate().map(|(at, flag)| u8::from(side.flags.has(flag)) << at);
        self.syn = side.scale & SCALE | flags.sum::<u8>() << FLAGS_AT;
    }

    /// Gives them to the side that sent it.
    pub(crate) fn give_options(&self, side: &mut Side) {
        side.scale = self.syn & SCALE;
        side.flags = SideFlags::default();
        for (at, flag) in SYN_FLAGS.into_iter().enumerate() {
            side.flags.set(flag, self.syn >> FLAGS_AT & 1 << at != 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_written_is_read_and_leaves_the_rest() {
        let mut last = Last::default();
        assert_eq!((last.kind(), last.dir()), (Kind::Bare, None));
        for kind in Kind::ALL {
            for dir in [Dir::Original, Dir::Reply] {
                for challenge in [false, true] {
                    last.expect_challenge(challenge);
                    last.set(kind, dir);
                    assert_eq!(
                        (last.kind(), last.dir(), last.expects_challenge(), last.is_simultaneous()),
                        (kind, Some(dir), challenge, false)
                    );
                }
            }
        }
        last.be_simultaneous(true);
        last.set(Kind::Bare, Dir::Original);
        assert_eq!(
            (last.kind(), last.dir(), last.expects_challenge(), last.is_simultaneous()),
            (Kind::Bare, Some(Dir::Original), true, true)
        );
    }

    #[test]
    fn a_syns_options_come_back_whole() {
        for scale in 0..=packet::options::tcp::MAX_WINDOW_SCALE {
            for bits in 0..8 {
                let mut side = Side { scale, ..Side::default() };
                SYN_FLAGS.into_iter().enumerate().for_each(|(at, flag)| side.flags.set(flag, bits >> at & 1 != 0));
                let (mut last, mut other) = (Last::default(), Side { scale: 9, ..Side::default() });
                other.flags.set(SideFlags::UNACKNOWLEDGED, true);
                last.note_options(&side);
                last.give_options(&mut other);
                assert_eq!((other.scale, other.flags), (scale, side.flags));
            }
        }
    }
}
