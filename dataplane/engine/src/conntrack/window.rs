//! Which TCP segments can belong to a connection, by their numbers.
//!
//! After Guido van Rooij, "Real Stateful TCP Packet Filtering in IP Filter" (2001), as the kernel has it (`tcp_in_window`). For each side the
//! tracker knows the highest number it sent (`end`), the highest it may send (`max_end`, from the other side's acknowledgements and windows)
//! and the largest window that it offered. A segment is right when
//!
//! 1. it begins at or below what its sender may send,
//! 2. it ends above what lies a whole window below what its sender sent (else it repeats what is long acknowledged),
//! 3. it acknowledges nothing that was not sent, and
//! 4. its acknowledgement is not absurdly old.
//!
//! 1 and 3 broken: INVALID. 2 and 4 broken: let through unbelieved, because late and repeated segments are ordinary.

use packet::options::{self, tcp::kind};
use packet::tcp::flags;

use super::entry::Dir;
use super::settings::Settings;
use super::tcp::{Kind, Tcp, TcpState};

/// The window that an acknowledgement may lag behind at least, in bytes: the largest without scaling.
const ACK_WINDOW: u32 = 66_000;

/// A segment's fields that count here.
pub(crate) struct Segment<'a> {
    pub(crate) kind: Kind,
    pub(crate) bits: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    /// One past the last number that the segment takes.
    pub(crate) end: u32,
    /// As it stands in the header.
    pub(crate) window: u16,
    /// The options' bytes.
    pub(crate) options: &'a [u8],
    /// By how much a helper has shifted the numbers that it acknowledges.
    pub(crate) ack_shift: i32,
}

/// What is known of a side beside its numbers. One byte, because every flow has two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SideFlags(u8);

impl SideFlags {
    /// Its SYN had the window scale option.
    pub(crate) const SCALING: Self = Self(1);
    /// Its SYN permitted SACK.
    pub(crate) const SACK: Self = Self(1 << 1);
    /// Its numbers are not held against it: nobody saw its SYN.
    pub(crate) const LIBERAL: Self = Self(1 << 2);
    /// `max_ack` holds.
    pub(crate) const MAX_ACK_KNOWN: Self = Self(1 << 3);
    /// It sent data that is not acknowledged yet.
    pub(crate) const UNACKNOWLEDGED: Self = Self(1 << 4);
    /// It sent the first FIN.
    pub(crate) const CLOSED_FIRST: Self = Self(1 << 5);

    #[inline]
    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    #[inline]
    pub(crate) fn set(&mut self, flag: Self, to: bool) {
        self.0 = if to { self.0 | flag.0 } else { self.0 & !flag.0 };
    }

    /// Both.
    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This one, if it is set, and no other.
    pub(crate) fn only(self, flag: Self) -> Self {
        Self(self.0 & flag.0)
    }
}

/// One side of a connection. Packed: every flow has two.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, packed(2))]
pub(crate) struct Side {
    /// One past the highest number it sent.
    pub(crate) end: u32,
    /// One past the highest number it may send.
    pub(crate) max_end: u32,
    /// The largest window it offered, scaled; 0 before its first segment.
    pub(crate) max_window: u32,
    /// The highest number it acknowledged.
    pub(crate) max_ack: u32,
    pub(crate) scale: u8,
    pub(crate) flags: SideFlags,
}

/// Both, in the order of [`Dir::index`].
pub(crate) type Sides = [Side; 2];

/// A segment's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They fit, and were taken in.
    Right,
    /// They are old, or a little too far: passes unbelieved.
    Ignore,
    /// They cannot be of this connection.
    Wrong,
}

/// `a` comes before `b` (modulo 2^32).
#[inline]
pub(crate) fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

#[inline]
pub(crate) fn after(a: u32, b: u32) -> bool {
    before(b, a)
}

impl Side {
    /// Takes in the options of a SYN.
    pub(crate) fn read_options(&mut self, segment: &Segment<'_>) {
        self.scale = 0;
        self.flags = self.flags.only(SideFlags::LIBERAL);
        for option in options::tcp::walk(segment.options) {
            match (option.kind, option.data) {
                (kind::SACK_PERMITTED, []) => self.flags.set(SideFlags::SACK, true),
                (kind::WINDOW_SCALE, [scale]) => {
                    self.scale = (*scale).min(options::tcp::MAX_WINDOW_SCALE);
                    self.flags.set(SideFlags::SCALING, true);
                }
                _ => {}
            }
        }
    }
}

/// A side's numbers start anew with its SYN.
fn start(sides: &mut Sides, dir: Dir, segment: &Segment<'_>) {
    let sender = &mut sides[dir.index()];
    sender.end = segment.end;
    sender.max_end = segment.end;
    sender.max_window = u32::from(segment.window).max(1);
    sender.read_options(segment);
    // Scaling needs the option from both sides.
    if dir == Dir::Reply && !sides.iter().all(|side| side.flags.has(SideFlags::SCALING)) {
        sides.iter_mut().for_each(|side| side.scale = 0);
    }
}

/// The highest number that a segment acknowledges, selectively or not.
#[inline]
fn highest_acknowledged(ack: u32, options: &[u8]) -> u32 {
    // What most segments have: nothing, or timestamps alone.
    match *options {
        [] => ack,
        [kind::NOP, kind::NOP, kind::TIMESTAMPS, 10, _, _, _, _, _, _, _, _] => ack,
        _ => highest_of_blocks(ack, options),
    }
}

#[inline(never)]
fn highest_of_blocks(ack: u32, options: &[u8]) -> u32 {
    let mut highest = ack;
    if let Some(sack) = options::tcp::walk(options).find(|option| {
        let len = option.data.len();
        option.kind == kind::SACK && len >= 8 && len.is_multiple_of(8)
    }) {
        for block in sack.data.as_chunks::<8>().0 {
            let right = u32::from_be_bytes([block[4], block[5], block[6], block[7]]);
            if after(right, highest) {
                highest = right;
            }
        }
    }
    highest
}

/// Judges a segment's numbers and, when they are right, takes them in.
pub(crate) fn judge(tcp: &mut Tcp, dir: Dir, segment: &Segment<'_>, settings: &Settings) -> Verdict {
    let set = |bit| segment.bits & bit != 0;
    let state = tcp.state();
    let (me, you) = (dir.index(), dir.opposite().index());
    let Segment { mut seq, mut ack, mut end, .. } = *segment;
    let mut sack = if tcp.sides[you].flags.has(SideFlags::SACK) { highest_acknowledged(ack, segment.options) } else { ack };
    ack = ack.wrapping_sub(segment.ack_shift as u32);
    sack = sack.wrapping_sub(segment.ack_shift as u32);

    if tcp.sides[me].max_window == 0 {
        if set(flags::SYN) {
            start(&mut tcp.sides, dir, segment);
            if !set(flags::ACK) {
                return Verdict::Right;
            }
        } else {
            // Its SYN was not seen: what this segment says has to do.
            let sender = &mut tcp.sides[me];
            sender.end = end;
            sender.max_window = (u32::from(segment.window) << sender.scale).max(1);
            sender.max_end = end.wrapping_add(sender.max_window);
            let receiver = &mut tcp.sides[you];
            if receiver.max_window == 0 {
                receiver.end = sack;
                receiver.max_end = sack;
            } else if sack == receiver.end.wrapping_add(1) {
                // The answer to a keep-alive, whose number is one too low.
                receiver.end = receiver.end.wrapping_add(1);
            }
        }
    } else if set(flags::SYN) && after(end, tcp.sides[me].end) && matches!(state, TcpState::SynSent | TcpState::SynRecv) {
        // The side begins again, with a higher number.
        start(&mut tcp.sides, dir, segment);
        if dir == Dir::Reply && !set(flags::ACK) {
            return Verdict::Right;
        }
    }

    let receiver = tcp.sides[you];
    // No acknowledgement, or the 0 of stacks that set ACK in a RST without meaning it: nothing is held against it.
    if !set(flags::ACK) || (set(flags::RST) && ack == 0) {
        ack = receiver.end;
        sack = receiver.end;
    }
    if set(flags::RST) && seq == 0 && state == TcpState::SynSent {
        // A refusal need not know any number.
        seq = tcp.sides[me].end;
        end = seq;
    }
    let sender = &mut tcp.sides[me];
    let liberal = sender.flags.has(SideFlags::LIBERAL) || settings.tcp_be_liberal;
    let unless_liberal = |verdict| if liberal { Verdict::Right } else { verdict };
    let numbers = Numbers { seq, ack, sack, end };
    if numbers.fit(sender, &receiver) {
        take_in(tcp, dir, segment, numbers);
        return Verdict::Right;
    }
    if !before(seq, sender.max_end.wrapping_add(1)) {
        let overshot = end.wrapping_sub(sender.max_end).wrapping_add(1);
        let near = receiver.max_window != 0
            && after(end, oldest_end(sender, &receiver))
            && after(sack, oldest_ack(sender, &receiver))
            && overshot <= receiver.max_window
            && before(sack, receiver.end.wrapping_add(1));
        if !near {
            return unless_liberal(Verdict::Wrong);
        }
        // More than the window, by less than a window: if it gets through and is acknowledged, that must not look wrong.
        sender.end = end;
        sender.flags.set(SideFlags::UNACKNOWLEDGED, true);
        return unless_liberal(Verdict::Ignore);
    }
    if !before(sack, receiver.end.wrapping_add(1)) {
        return unless_liberal(Verdict::Wrong);
    }
    unless_liberal(Verdict::Ignore)
}

/// Takes in the numbers of a segment that is nothing but an acknowledgement, with data or without, if they are right; `false`, and nothing changed,
/// says that [`judge`] has to look. As there, kind and direction of the last segment are the caller's to note. `options` gives the bytes of the segment's options, where there are some that count.
#[inline(always)]
pub(crate) fn goes_on<'h>(tcp: &mut Tcp, dir: Dir, segment: &Segment<'_>, options: Option<impl FnOnce() -> &'h [u8]>) -> bool {
    let (sender, receiver) = (&tcp.sides[dir.index()], &tcp.sides[dir.opposite().index()]);
    let sack = match options {
        Some(options) if receiver.flags.has(SideFlags::SACK) => highest_acknowledged(segment.ack, options()),
        _ => segment.ack,
    };
    let numbers = Numbers { seq: segment.seq, ack: segment.ack, sack, end: segment.end };
    let fits = sender.max_window != 0 && numbers.fit(sender, receiver);
    if fits {
        take_in(tcp, dir, segment, numbers);
    }
    fits
}

/// What lies further back than this is absurdly old for an acknowledgement.
#[inline]
fn oldest_ack(sender: &Side, receiver: &Side) -> u32 {
    receiver.end.wrapping_sub(sender.max_window.max(ACK_WINDOW)).wrapping_sub(1)
}

/// What ends here or before was acknowledged long ago.
#[inline]
fn oldest_end(sender: &Side, receiver: &Side) -> u32 {
    sender.end.wrapping_sub(receiver.max_window).wrapping_sub(1)
}

/// A segment's numbers, as they count.
struct Numbers {
    seq: u32,
    ack: u32,
    sack: u32,
    end: u32,
}

impl Numbers {
    /// All four rules hold.
    #[inline(always)]
    fn fit(&self, sender: &Side, receiver: &Side) -> bool {
        before(self.seq, sender.max_end.wrapping_add(1))
            && before(self.sack, receiver.end.wrapping_add(1))
            && (receiver.max_window == 0 || after(self.end, oldest_end(sender, receiver)))
            && after(self.sack, oldest_ack(sender, receiver))
    }
}

/// The kind and the direction of the last segment are the caller's to note.
#[inline(always)]
fn take_in(tcp: &mut Tcp, dir: Dir, segment: &Segment<'_>, Numbers { seq, ack, sack, end }: Numbers) {
    let (me, you) = (dir.index(), dir.opposite().index());
    let set = |bit| segment.bits & bit != 0;
    let sender = &mut tcp.sides[me];
    let scale = if set(flags::SYN) { 0 } else { sender.scale };
    let window = u32::from(segment.window) << scale;

    sender.max_window = sender.max_window.max(window.wrapping_add(sack.wrapping_sub(ack)));
    if after(end, sender.end) {
        sender.end = end;
        sender.flags.set(SideFlags::UNACKNOWLEDGED, true);
    }
    if set(flags::ACK) && (!sender.flags.has(SideFlags::MAX_ACK_KNOWN) || after(ack, sender.max_ack)) {
        sender.max_ack = ack;
        sender.flags.set(SideFlags::MAX_ACK_KNOWN, true);
    }
    let max_end = sender.max_end;

    let receiver = &mut tcp.sides[you];
    if receiver.max_window != 0 && after(end, max_end) {
        receiver.max_window = receiver.max_window.wrapping_add(end.wrapping_sub(max_end));
    }
    let allowed = sack.wrapping_add(window);
    if after(allowed, receiver.max_end.wrapping_sub(1)) {
        receiver.max_end = allowed.wrapping_add(u32::from(window == 0));
    }
    if ack == receiver.end {
        receiver.flags.set(SideFlags::UNACKNOWLEDGED, false);
    }

    if segment.kind == Kind::Ack {
        let last = &mut tcp.last;
        let again = last.was(dir) && last.seq == seq && last.ack == ack && last.end == end && last.window == segment.window;
        if again {
            tcp.retransmits = tcp.retransmits.saturating_add(1);
        } else {
            last.seq = seq;
            last.ack = ack;
            last.end = end;
            last.window = segment.window;
            tcp.retransmits = 0;
        }
    }
}
