//! How often the box answers: ICMP errors and redirects at the kernel's rates, whichever worker they are due at.
//!
//! Kept per address in tables of a fixed size, in which a newer address may take the place of an older one: somebody may then be answered
//! sooner than the kernel would, never less often, and never above the rate for all together. The same holds when two workers write
//! one place at the same moment.

use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use packet::family::Addr;

use crate::atomic::{AtomicU64, Ordering};
use crate::time::Time;

/// Addresses that are remembered for each purpose.
const REMEMBERED: usize = 1024;
/// By how many milliseconds the clocks of two workers may differ.
const SKEW: u32 = 10_000;

/// Milliseconds from `last` to `now`; none when another worker's clock was ahead.
fn elapsed(last: u32, now: u32) -> u32 {
    match now.wrapping_sub(last) {
        skew if skew > u32::MAX - SKEW => 0,
        elapsed => elapsed,
    }
}

/// A number and a time in milliseconds, changed together.
#[derive(Debug, Default)]
struct Cell(AtomicU64);

impl Cell {
    fn new(number: u32, at: u32) -> Self {
        Self(AtomicU64::new(Self::word(number, at)))
    }

    fn word(number: u32, at: u32) -> u64 {
        u64::from(number) << 32 | u64::from(at)
    }

    fn set(&self, number: u32, at: u32) {
        self.0.store(Self::word(number, at), Ordering::Relaxed);
    }

    /// Changes both; `change` says what they become, and what the caller gets.
    fn change<R>(&self, change: impl Fn(u32, u32) -> ((u32, u32), R)) -> R {
        let mut old = self.0.load(Ordering::Relaxed);
        loop {
            let ((number, at), result) = change((old >> 32) as u32, old as u32);
            match self.0.compare_exchange_weak(old, Self::word(number, at), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return result,
                Err(current) => old = current,
            }
        }
    }

    /// A bucket of milliseconds: what has passed is saved up to a cap, an answer costs.
    fn take(&self, cost: u32, cap: u32, now: u32) -> bool {
        self.change(|saved, last| {
            let passed = elapsed(last, now);
            let saved = cap.min(saved.saturating_add(passed));
            let rest = saved.checked_sub(cost);
            ((rest.unwrap_or(saved), last.wrapping_add(passed)), rest.is_some())
        })
    }
}

/// What is remembered of one address.
#[derive(Debug, Default)]
struct Remembered {
    key: AtomicU64,
    cell: Cell,
}

impl Remembered {
    /// What this key was told last, it was told now: an ICMP error makes the next redirect wait (`inet_peer_xrlim_allow`).
    fn touch(&self, key: u64, now: u32) {
        if self.key.load(Ordering::Relaxed) == key {
            self.cell.change(|number, _| ((number, now), ()));
        }
    }

    /// The cell of this key; made anew when the place was another's.
    fn of(&self, key: u64, number: u32, at: u32) -> &Cell {
        if self.key.load(Ordering::Relaxed) != key {
            self.key.store(key, Ordering::Relaxed);
            self.cell.set(number, at);
        }
        &self.cell
    }
}

/// The rates of the box. Written and read by every worker; allocated at boot.
#[derive(Debug)]
pub(crate) struct Pace {
    errors: Box<[Remembered]>,
    all_errors: Cell,
    redirects: Box<[Remembered]>,
    hash: FixedState,
}

impl Pace {
    /// An address gets an error every `icmp_ratelimit` milliseconds on average, six at once.
    const ERRORS_AT_ONCE: u32 = 6;
    /// `icmp_msgs_per_sec`, `icmp_msgs_burst`: everybody together, one a millisecond, fifty at once.
    const ALL_AT_ONCE: u32 = 50;
    /// `redirect_load`, `redirect_number`, `redirect_silence`
    const REDIRECT_MS: u32 = 20;
    const REDIRECTS: u32 = 9;
    const SILENCE_MS: u32 = Self::REDIRECT_MS << (Self::REDIRECTS + 1);

    /// Nobody was told anything. The seed keys the tables.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            errors: (0..REMEMBERED).map(|_| Remembered::default()).collect(),
            all_errors: Cell::new(Self::ALL_AT_ONCE, 0),
            redirects: (0..REMEMBERED).map(|_| Remembered::default()).collect(),
            hash: FixedState::with_seed(seed),
        }
    }

    /// Key and place of an address.
    fn place<A: Addr>(&self, of: A) -> (u64, usize) {
        let key = self.hash.hash_one(of) | 1;
        (key, (key >> 1) as usize % REMEMBERED)
    }

    /// May an ICMP error be sent to this address now (`icmp_global_allow`, `inet_peer_xrlim_allow`)? `ratelimit` is the sysctl
    /// `icmp_ratelimit`, or `icmp/ratelimit` of IPv6.
    pub(crate) fn may_send_error<A: Addr>(&self, to: A, ratelimit: u32, now: Time) -> bool {
        let now = now.millis() as u32;
        if !self.all_errors.take(1, Self::ALL_AT_ONCE, now) {
            return false;
        }
        let (key, at) = self.place(to);
        self.redirects[at].touch(key, now);
        if ratelimit == 0 {
            return true;
        }
        let cap = ratelimit.saturating_mul(Self::ERRORS_AT_ONCE);
        let may = self.errors[at].of(key, cap, now).take(ratelimit, cap, now);
        if !may {
            // What one address may not have does not count against the others.
            self.all_errors.change(|saved, last| (((saved + 1).min(Self::ALL_AT_ONCE), last), ()));
        }
        may
    }

    /// May a redirect be sent in IPv6 that has to do with this address, as the packet's destination or its sender? An error that it was told counts as
    /// well (`inet_peer_xrlim_allow`).
    pub(crate) fn may_redirect_neighbour<A: Addr>(&self, about: A, now: Time) -> bool {
        const EVERY_MS: u32 = 1000;
        let now = now.millis() as u32;
        let (key, at) = self.place(about);
        let cap = EVERY_MS * Self::ERRORS_AT_ONCE;
        self.errors[at].of(key, cap, now).take(EVERY_MS, cap, now)
    }

    /// May this sender be told of a better way now (`ip_rt_send_redirect`)? Ever more rarely, and after nine that were not heeded not before a
    /// silence. Which way does not matter.
    pub(crate) fn may_redirect<A: Addr>(&self, sender: A, now: Time) -> bool {
        let now = now.millis() as u32;
        let (key, at) = self.place(sender);
        self.redirects[at].of(key, 0, now).change(|count, last| {
            let passed = elapsed(last, now);
            let count = if passed > Self::SILENCE_MS { 0 } else { count };
            match count {
                Self::REDIRECTS.. => ((count, now), false),
                _ if count == 0 || passed > Self::REDIRECT_MS << count => ((count + 1, now), true),
                _ => ((count, last), false),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time(0).plus_millis(ms)
    }

    #[test]
    fn redirects_grow_rare_and_cease_until_a_silence() {
        let pace = Pace::new(0);
        let said: Vec<u64> = (0..60_000).filter(|ms| pace.may_redirect(1u32, at(*ms))).collect();
        assert_eq!(said, [0, 41, 122, 283, 604, 1245, 2526, 5087, 10208]);
        assert!(pace.may_redirect(1u32, at(60_000 + u64::from(Pace::SILENCE_MS))));
        assert!(pace.may_redirect(3u32, at(60_000)), "another sender is told");
    }

    #[test]
    fn an_error_makes_the_next_redirect_wait() {
        let pace = Pace::new(0);
        assert!(pace.may_redirect(1u32, at(0)));
        assert!(pace.may_send_error(1u32, 1000, at(60)) && pace.may_send_error(2u32, 1000, at(90)));
        assert!(!pace.may_redirect(1u32, at(100)));
        assert!(pace.may_redirect(1u32, at(101)));
    }

    #[test]
    fn an_address_gets_six_errors_at_once_and_then_one_a_second() {
        let pace = Pace::new(0);
        let said: Vec<u64> = (5_000..9_500).filter(|ms| pace.may_send_error(1u32, 1000, at(*ms))).collect();
        assert_eq!(said, [5000, 5001, 5002, 5003, 5004, 5005, 6000, 7000, 8000, 9000]);
        assert!(pace.may_send_error(2u32, 1000, at(9_500)), "another address has a bucket of its own");
    }

    #[test]
    fn of_ipv6_errors_and_redirects_are_counted_together_unless_errors_have_no_limit() {
        let pace = Pace::new(0);
        for ms in 0..6 {
            assert!(pace.may_send_error(1u128, 1000, at(ms)));
            assert!(pace.may_send_error(2u128, 0, at(ms)));
        }
        assert!(!pace.may_redirect_neighbour(1u128, at(6)) && pace.may_redirect_neighbour(2u128, at(6)));
        assert!(pace.may_redirect_neighbour(1u128, at(1000)));
        assert!(!pace.may_send_error(1u128, 1000, at(1001)));
    }

    #[test]
    fn all_addresses_together_get_fifty_at_once_and_then_one_a_millisecond() {
        let pace = Pace::new(0);
        assert_eq!((0..100u32).filter(|to| pace.may_send_error(*to, 1000, at(7))).count(), 50);
        assert_eq!((100..200u32).filter(|to| pace.may_send_error(*to, 1000, at(17))).count(), 10);
    }
}
