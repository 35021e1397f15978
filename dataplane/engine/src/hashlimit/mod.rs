//! The tables of `-m hashlimit` (`xt_hashlimit.c`): buckets, each for the packets that have something in common.
//!
//! A bucket that time fills is one word: when it would be full, which is moved on by what is taken out. A measured rate is two: when the interval
//! began, and what came in it, each with the number of the interval. So a packet takes what it costs by one exchange, and nobody waits for anybody.
//!
//! A bucket that nobody asks for is old after a while, and goes when the kernel would next look for old ones. Nobody looks for them here: who
//! finds one begins it anew, and who puts a new one in takes out what is old among the next places of the table.
//!
//! Written and read by all workers, by atomic operations alone. Memory is set aside when the table is made.

#[cfg(test)]
mod tests;

use program::{HashlimitGroup, HashlimitRate, HashlimitTest};

use crate::atomic::{AtomicU64, Ordering};
use crate::conntrack::slots::{Content, Kept, Slots, State};
use crate::time::Time;

/// How often a packet that meets others' changes is judged again.
const TRIES: usize = 64;
/// How often as much is looked through for old buckets where there is no room.
const SWEEPS: usize = 64;

/// What the packets of a bucket have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) src: u128,
    pub(crate) dst: u128,
    /// Source and destination port.
    pub(crate) ports: (u16, u16),
}

/// A packet, as a table sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) key: Key,
    /// Its hash by a key that nobody is told.
    pub(crate) hash: u32,
    /// Length of the IP packet.
    pub(crate) bytes: u32,
    pub(crate) now: Time,
}

/// There are as many buckets as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What a slot holds.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    key: Key,
    /// When it is old.
    expires: Time,
    /// As the table's rate has them.
    words: [u64; 2],
}

const WORDS: usize = 8;
const EXPIRES: usize = 5;
const FIRST: usize = 6;
const SECOND: usize = 7;

impl Content<WORDS> for Bucket {
    fn encode(&self, _version: u32) -> [u64; WORDS] {
        let Key { src, dst, ports: (sport, dport) } = self.key;
        let ports = u64::from(sport) << 16 | u64::from(dport);
        let [first, second] = self.words;
        [(src >> 64) as u64, src as u64, (dst >> 64) as u64, dst as u64, ports, self.expires.0, first, second]
    }

    fn decode(words: &[u64; WORDS]) -> Option<Self> {
        let [src_high, src_low, dst_high, dst_low, ports, expires, first, second] = *words;
        let address = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let key =
            Key { src: address(src_high, src_low), dst: address(dst_high, dst_low), ports: ((ports >> 16) as u16, ports as u16) };
        Some(Self { key, expires: Time(expires), words: [first, second] })
    }

    fn excludes(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// What is old goes by [`Buckets::is_gone`] alone.
    fn expires(&self) -> Time {
        Time(u64::MAX)
    }
}

/// A bucket where it stands.
#[derive(Clone, Copy)]
struct Found {
    slot: usize,
    state: State,
    bucket: Bucket,
}

/// A table of buckets.
pub(crate) struct Buckets {
    slots: Slots<Bucket, WORDS>,
    rate: HashlimitRate,
    group: HashlimitGroup,
    /// Nanoseconds.
    expire: u64,
    gc_interval: u64,
    /// When it was asked first; 0: never. From then on old buckets go in intervals.
    begun: AtomicU64,
    /// Where old ones are looked for next.
    sweep: AtomicU64,
}

impl core::fmt::Debug for Buckets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Buckets").field("buckets", &self.slots.len()).field("rate", &self.rate).finish_non_exhaustive()
    }
}

/// The beginning of an interval, whether there were too many in the one before, and its number.
mod interval {
    const OVER: u64 = 1 << 48;
    const NUMBER_AT: u32 = 49;
    /// Numbers go round.
    pub(super) const NUMBERS: u64 = (1 << 15) - 1;
    /// Below the number of an interval in which it came.
    pub(super) const CAME: u64 = (1 << NUMBER_AT) - 1;

    pub(super) fn word(millis: u64, over: bool, number: u64) -> u64 {
        (number & NUMBERS) << NUMBER_AT | if over { OVER } else { 0 } | millis & (OVER - 1)
    }

    pub(super) fn millis(word: u64) -> u64 {
        word & (OVER - 1)
    }

    pub(super) fn was_over(word: u64) -> bool {
        word & OVER != 0
    }

    pub(super) fn number(word: u64) -> u64 {
        word >> NUMBER_AT
    }

    /// So much came in the interval of this number.
    pub(super) fn came(number: u64, came: u64) -> u64 {
        (number & NUMBERS) << NUMBER_AT | came.min(CAME)
    }
}

impl Buckets {
    /// A table as the first rule that names it says.
    pub(crate) fn new(test: &HashlimitTest) -> Self {
        Self::with_room(test.buckets(), test)
    }

    fn with_room(buckets: u32, test: &HashlimitTest) -> Self {
        let nanoseconds = |millis: u32| u64::from(millis) * 1_000_000;
        Self {
            slots: Slots::new(buckets),
            rate: test.rate,
            group: test.group,
            expire: nanoseconds(test.expire),
            gc_interval: nanoseconds(test.gc_interval),
            begun: AtomicU64::new(0),
            sweep: AtomicU64::new(0),
        }
    }

    /// What packets of one bucket have in common.
    pub(crate) fn group(&self) -> &HashlimitGroup {
        &self.group
    }

    /// Is the packet within the rate of its bucket? Then it takes what it costs.
    pub(crate) fn ask(&self, asked: &Asked) -> Result<bool, Full> {
        self.begun.compare_exchange(0, asked.now.0.max(1), Ordering::Relaxed, Ordering::Relaxed).ok();
        let expires = asked.now.0.saturating_add(self.expire);
        for _ in 0..TRIES {
            if let Some(found) = self.slots.find_settled(asked.hash, asked.now, |bucket| bucket.key == asked.key) {
                let (slot, state, bucket) = found;
                if self.is_gone(&bucket, asked.now) {
                    self.slots.free(slot, state);
                    continue;
                }
                self.slots.raise(slot, state, EXPIRES, expires);
                return Ok(self.take(Found { slot, state, bucket }, asked));
            }
            self.sweep(asked.now);
            let bucket = Bucket { key: asked.key, expires: Time(expires), words: self.start(asked.now) };
            match self.slots.announce(asked.hash, &bucket, asked.now) {
                // Whoever finds it before takes from it first.
                Ok(_) | Err(Kept::Out) => {}
                Err(Kept::Full) => self.make_room(asked)?,
            }
        }
        Err(Full)
    }

    /// The words of a new bucket.
    fn start(&self, now: Time) -> [u64; 2] {
        match self.rate {
            HashlimitRate::Packets { .. } => [now.0.saturating_mul(HashlimitRate::PARTS), 0],
            HashlimitRate::Bytes { refills, .. } => [credits(now), refills.into()],
            HashlimitRate::Measured { .. } => [interval::word(now.millis(), false, 0), interval::came(0, 0)],
        }
    }

    /// Is it old, and has the kernel looked for old ones since?
    fn is_gone(&self, bucket: &Bucket, now: Time) -> bool {
        let begun = self.begun.load(Ordering::Relaxed);
        if now.0 < bucket.expires.0 {
            return false;
        }
        let rounds = bucket.expires.0.saturating_sub(begun).div_ceil(self.gc_interval.max(1)).max(1);
        begun.saturating_add(rounds.saturating_mul(self.gc_interval)) <= now.0
    }

    /// Takes out what is gone among the next places.
    fn sweep(&self, now: Time) {
        const PLACES: u64 = 64;
        let places = self.slots.places();
        let from = self.sweep.fetch_add(PLACES, Ordering::Relaxed) as usize;
        for step in 0..places.min(PLACES as usize) {
            let slot = (from + step) & (places - 1);
            if let Some((state, bucket)) = self.slots.read(slot)
                && self.is_gone(&bucket, now)
            {
                self.slots.free(slot, state);
            }
        }
    }

    /// Looks for old buckets further on. Where it is only the place that is crowded, the one that will be old first goes.
    fn make_room(&self, asked: &Asked) -> Result<(), Full> {
        if self.slots.len() < self.slots.most() {
            let there = self.slots.window(asked.hash).filter_map(|slot| Some((slot, self.slots.read(slot)?)));
            if let Some((slot, (state, _))) = there.min_by_key(|(_, (_, bucket))| bucket.expires) {
                self.slots.free(slot, state);
            }
            return Ok(());
        }
        for _ in 0..SWEEPS {
            self.sweep(asked.now);
            if self.slots.len() < self.slots.most() {
                return Ok(());
            }
        }
        Err(Full)
    }

    fn take(&self, found: Found, asked: &Asked) -> bool {
        match self.rate {
            HashlimitRate::Packets { cost, cap } => {
                self.take_packet(&found, asked.now.0.saturating_mul(HashlimitRate::PARTS), (cost, cap))
            }
            HashlimitRate::Bytes { cost, .. } => self.take_bytes(&found, asked, cost),
            HashlimitRate::Measured { rate, burst, interval, bytes } => {
                let cost = if bytes { asked.bytes.into() } else { 1 };
                self.measure(&found, asked.now, cost, (rate, burst, interval))
            }
        }
    }

    /// A bucket that would be full at the time of its word.
    fn take_packet(&self, found: &Found, now: u64, (cost, cap): (u64, u64)) -> bool {
        let mut full_at = found.bucket.words[0];
        for _ in 0..TRIES {
            let missing = full_at.saturating_sub(now);
            if cap.saturating_sub(missing) < cost {
                return false;
            }
            let then = full_at.max(now).saturating_add(cost);
            if self.slots.rewrite(found.slot, FIRST, full_at, then) {
                return true;
            }
            match self.again(found) {
                Some(words) => full_at = words[0],
                None => return true,
            }
        }
        false
    }

    /// The same in credits, with what may be filled in at once.
    fn take_bytes(&self, found: &Found, asked: &Asked, cost: u32) -> bool {
        let now = credits(asked.now);
        let chunks = u64::from(asked.bytes >> 4) + 1;
        let cost = chunks.saturating_mul(cost.into()).min(HashlimitRate::SECOND);
        let mut words = found.bucket.words;
        for _ in 0..TRIES {
            let [full_at, refills] = words;
            let has = HashlimitRate::SECOND.saturating_sub(full_at.saturating_sub(now));
            let is_refilled = has < cost && refills > 0;
            if has < cost && !is_refilled {
                return false;
            }
            let before = if is_refilled { now } else { full_at.max(now) };
            if self.slots.rewrite(found.slot, FIRST, full_at, before.saturating_add(cost)) {
                if is_refilled {
                    self.use_refill(found);
                }
                return true;
            }
            match self.again(found) {
                Some(now) => words = now,
                None => return true,
            }
        }
        false
    }

    fn use_refill(&self, found: &Found) {
        for _ in 0..TRIES {
            match self.again(found) {
                Some([_, refills]) if refills > 0 && !self.slots.rewrite(found.slot, SECOND, refills, refills - 1) => {}
                _ => return,
            }
        }
    }

    /// Counts the packet in its interval. It is within the rate if there were not too many in the one before, nor are there now.
    fn measure(&self, found: &Found, now: Time, cost: u64, (rate, burst, seconds): (u64, u64, u32)) -> bool {
        let (now, length) = (now.millis(), u64::from(seconds) * 1_000);
        let mut words = found.bucket.words;
        for _ in 0..TRIES {
            let [began, came] = words;
            let number = interval::number(began);
            let came_now = if interval::number(came) == number { came & interval::CAME } else { 0 };
            let passed = now.saturating_sub(interval::millis(began));
            if passed >= length {
                let was_over = u128::from(came_now) * u128::from(length) > u128::from(passed) * u128::from(rate);
                // Others may have been first.
                self.slots.rewrite(found.slot, FIRST, began, interval::word(now, was_over, number + 1));
            } else if self.slots.rewrite(found.slot, SECOND, came, interval::came(number, came_now.saturating_add(cost))) {
                return !interval::was_over(began) && came_now.saturating_add(cost) <= burst;
            }
            match self.again(found) {
                Some(now) => words = now,
                None => return true,
            }
        }
        false
    }

    /// The words of a bucket that has changed; `None` when it has gone meanwhile.
    fn again(&self, found: &Found) -> Option<[u64; 2]> {
        let (state, bucket) = self.slots.read(found.slot)?;
        (state == found.state).then_some(bucket.words)
    }
}

/// The time in credits of bytes.
fn credits(now: Time) -> u64 {
    (u128::from(now.0) * u128::from(HashlimitRate::SECOND) / 1_000_000_000) as u64
}
