//! The cones of a box, as pairs of ends: found from either, and no end in two of them.
//!
//! Two tables that all workers share ([`Slots`]). The outside end is taken first, then it is given to the inside one; of two workers that make a
//! cone of one inside end at the same time the later takes its outside end back and uses the other's.

use packet::family::Addr;
use packet::{Family, Tuple, TupleL4, protocol};

use crate::conntrack::hash::TupleHash;
use crate::conntrack::slots::{Content, Kept, Slots, from_words, to_words};
use crate::time::Time;

/// How long a cone outlives its last flow: the workers' rounds come oftener.
const LIFE: u64 = 60_000_000_000;

/// An address and a UDP port.
pub(crate) type End<F> = (<F as Family>::Addr, u16);

/// One side of a cone: what is looked up, what is found.
#[derive(Clone, Copy, Debug)]
struct Half<F: Family> {
    from: End<F>,
    to: End<F>,
    zone: u16,
    expires: Time,
}

const WORDS: usize = 6;
const EXPIRES: usize = 5;

impl<F: Family> Half<F> {
    fn is_of(&self, from: End<F>, zone: u16) -> bool {
        self.from == from && self.zone == zone
    }
}

impl<F: Family> Content<WORDS> for Half<F> {
    fn encode(&self, _version: u32) -> [u64; WORDS] {
        let ([from_high, from_low], [to_high, to_low]) = (to_words(self.from.0), to_words(self.to.0));
        let rest = u64::from(self.from.1) << 32 | u64::from(self.to.1) << 16 | u64::from(self.zone);
        [from_high, from_low, to_high, to_low, rest, self.expires.0]
    }

    fn decode(words: &[u64; WORDS]) -> Option<Self> {
        let [from_high, from_low, to_high, to_low, rest, expires] = *words;
        Some(Self {
            from: (from_words([from_high, from_low])?, (rest >> 32) as u16),
            to: (from_words([to_high, to_low])?, (rest >> 16) as u16),
            zone: rest as u16,
            expires: Time(expires),
        })
    }

    fn excludes(&self, other: &Self) -> bool {
        self.is_of(other.from, other.zone)
    }

    fn expires(&self) -> Time {
        self.expires
    }
}

/// Both ways.
#[derive(Debug)]
pub(crate) struct Pairs<F: Family, const WINDOW: usize = 16> {
    by_inside: Side<F, WINDOW>,
    by_outside: Side<F, WINDOW>,
}

struct Side<F: Family, const WINDOW: usize> {
    slots: Slots<Half<F>, WORDS, WINDOW>,
    hash: TupleHash,
}

impl<F: Family, const WINDOW: usize> core::fmt::Debug for Side<F, WINDOW> {
    /// Not the key of the hash, which nobody is told.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Side").field("len", &self.slots.len()).finish_non_exhaustive()
    }
}

impl<F: Family, const WINDOW: usize> Side<F, WINDOW> {
    fn new(most: u32, key: [u64; 2]) -> Self {
        Self { slots: Slots::new(most), hash: TupleHash::new(key) }
    }

    fn hash_of(&self, (address, port): End<F>, zone: u16) -> u32 {
        let l4 = TupleL4::Ports { src: port, dst: 0 };
        self.hash.source(&Tuple::<F> { src: address, dst: F::Addr::ZERO, protocol: protocol::UDP, l4 }, zone)
    }

    /// Where `from` leads.
    fn to(&self, from: End<F>, zone: u16, now: Time) -> Option<End<F>> {
        if self.slots.is_empty() {
            return None;
        }
        let lives = |half: &Half<F>| half.is_of(from, zone) && half.expires > now;
        self.slots.find_settled(self.hash_of(from, zone), now, lives).map(|(_, _, half)| half.to)
    }

    fn announce(&self, from: End<F>, to: End<F>, zone: u16, now: Time) -> Result<(), Kept> {
        let half = Half { from, to, zone, expires: end_of_life(now) };
        self.slots.announce(self.hash_of(from, zone), &half, now).map(drop)
    }

    fn withdraw(&self, from: End<F>, to: End<F>, zone: u16) {
        let is_it = |half: &Half<F>| half.is_of(from, zone) && half.to == to;
        if let Some((slot, state, _)) = self.slots.find(self.hash_of(from, zone), is_it) {
            self.slots.free(slot, state);
        }
    }

    fn prolong(&self, from: End<F>, to: End<F>, zone: u16, now: Time) {
        let is_it = |half: &Half<F>| half.is_of(from, zone) && half.to == to && half.expires > now;
        if let Some((slot, state, _)) = self.slots.find(self.hash_of(from, zone), is_it) {
            self.slots.raise(slot, state, EXPIRES, end_of_life(now).0);
        }
    }
}

fn end_of_life(now: Time) -> Time {
    Time(now.0.saturating_add(LIFE))
}

impl<F: Family, const WINDOW: usize> Pairs<F, WINDOW> {
    /// Room for so many.
    pub(crate) fn new(most: u32, keys: [[u64; 2]; 2]) -> Self {
        Self { by_inside: Side::new(most, keys[0]), by_outside: Side::new(most, keys[1]) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_inside.slots.is_empty() && self.by_outside.slots.is_empty()
    }

    /// The inside end that an outside one stands for, for a new flow that comes in.
    pub(crate) fn inside_of(&self, outside: End<F>, zone: u16, now: Time) -> Option<End<F>> {
        let inside = self.by_outside.to(outside, zone, now)?;
        self.prolong_pair(inside, outside, zone, now);
        Some(inside)
    }

    /// The outside end that stands for an inside one, for a new flow that goes out.
    pub(crate) fn outside_of(&self, inside: End<F>, zone: u16, now: Time) -> Option<End<F>> {
        let outside = self.by_inside.to(inside, zone, now)?;
        if self.by_outside.to(outside, zone, now) != Some(inside) {
            // One half ran out of time a moment before the other.
            self.part(inside, outside, zone);
            return None;
        }
        self.prolong_pair(inside, outside, zone, now);
        Some(outside)
    }

    /// Makes a cone of both ends. Says which outside end the inside one has now, which is another if another worker gave it one at the same time;
    /// what keeps this one out, else.
    pub(crate) fn join(&self, inside: End<F>, outside: End<F>, zone: u16, now: Time) -> Result<End<F>, Kept> {
        let kept = match self.by_outside.announce(outside, inside, zone, now) {
            // It is this inside end's already: one half ran out of time before the other, or another worker is about to join the two.
            Err(Kept::Out) if self.by_outside.to(outside, zone, now) == Some(inside) => true,
            announced => announced.map(|()| false)?,
        };
        if self.by_inside.announce(inside, outside, zone, now).is_ok() || self.by_inside.to(inside, zone, now) == Some(outside) {
            return Ok(outside);
        }
        if !kept {
            self.by_outside.withdraw(outside, inside, zone);
        }
        // With none given to it meanwhile there is no room for it: another outside end would help as little.
        self.outside_of(inside, zone, now).ok_or(Kept::Full)
    }

    /// No cone any more.
    pub(crate) fn part(&self, inside: End<F>, outside: End<F>, zone: u16) {
        self.by_inside.withdraw(inside, outside, zone);
        self.by_outside.withdraw(outside, inside, zone);
    }

    /// A flow of the inside end lives.
    pub(crate) fn prolong(&self, inside: End<F>, zone: u16, now: Time) {
        let known = |half: &Half<F>| half.is_of(inside, zone) && half.expires > now;
        if let Some((.., half)) = self.by_inside.slots.find(self.by_inside.hash_of(inside, zone), known) {
            self.prolong_pair(inside, half.to, zone, now);
        }
    }

    fn prolong_pair(&self, inside: End<F>, outside: End<F>, zone: u16, now: Time) {
        self.by_inside.prolong(inside, outside, zone, now);
        self.by_outside.prolong(outside, inside, zone, now);
    }

    /// Forgets what is past its time among the next of both tables; `at` is where to go on.
    pub(crate) fn sweep(&self, at: &mut [usize; 2], now: Time) {
        at[0] = self.by_inside.slots.sweep(at[0], now, |_| {});
        at[1] = self.by_outside.slots.sweep(at[1], now, |_| {});
    }
}
