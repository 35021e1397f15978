//! How often the box answers: ICMP errors and redirects at the kernel's rates.
//!
//! Kept per address in tables of a fixed size, in which a newer address may take the place of an older one: somebody may then be answered
//! sooner than the kernel would, never less often, and never above the rate for all together.

use core::hash::BuildHasher;

use foldhash::fast::FixedState;
use packet::family::Addr;

use crate::time::Time;

/// Addresses that are remembered for each purpose.
const REMEMBERED: usize = 1024;

/// A bucket in milliseconds: what has passed is saved up to a cap, an answer costs.
#[derive(Clone, Copy, Default)]
struct Bucket {
    saved: u64,
    last: Time,
}

impl Bucket {
    fn full(cap: u64, now: Time) -> Self {
        Self { saved: cap, last: now }
    }

    fn take(&mut self, cost: u64, cap: u64, now: Time) -> bool {
        self.saved = cap.min(self.saved + now.millis().saturating_sub(self.last.millis()));
        self.last = now;
        let enough = self.saved >= cost;
        if enough {
            self.saved -= cost;
        }
        enough
    }
}

#[derive(Clone, Copy, Default)]
struct Told {
    key: u64,
    count: u32,
    last: Time,
}

/// The rates of one worker. Written and read by it alone; allocated when it is made.
pub(crate) struct Pace {
    errors: Box<[(u64, Bucket)]>,
    all_errors: Option<Bucket>,
    redirects: Box<[Told]>,
    hash: FixedState,
}

impl Pace {
    /// An address gets an error every `icmp_ratelimit` milliseconds on average, six at once.
    const ERRORS_AT_ONCE: u64 = 6;
    /// `icmp_msgs_per_sec`, `icmp_msgs_burst`: everybody together, one a millisecond, fifty at once.
    const ALL_AT_ONCE: u64 = 50;
    /// `redirect_load`, `redirect_number`, `redirect_silence`
    const REDIRECT_MS: u64 = 20;
    const REDIRECTS: u32 = 9;
    const SILENCE_MS: u64 = Self::REDIRECT_MS << (Self::REDIRECTS + 1);

    /// Nobody was told anything. The seed keys the tables.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            errors: vec![(0, Bucket::default()); REMEMBERED].into(),
            all_errors: None,
            redirects: vec![Told::default(); REMEMBERED].into(),
            hash: FixedState::with_seed(seed),
        }
    }

    /// Key and place of an address, or of two.
    fn place<T: core::hash::Hash>(&self, of: T) -> (u64, usize) {
        let key = self.hash.hash_one(of) | 1;
        (key, (key >> 1) as usize % REMEMBERED)
    }

    /// May an ICMP error be sent to this address now (`icmp_global_allow`, `inet_peer_xrlim_allow`)? `ratelimit` is the sysctl `icmp_ratelimit`.
    pub(crate) fn may_send_error<A: Addr>(&mut self, to: A, ratelimit: u32, now: Time) -> bool {
        let mut all = self.all_errors.unwrap_or(Bucket::full(Self::ALL_AT_ONCE, now));
        if !all.take(1, Self::ALL_AT_ONCE, now) {
            return false;
        }
        let (key, at) = self.place(to);
        let cost = u64::from(ratelimit);
        let cap = cost * Self::ERRORS_AT_ONCE;
        let (owner, bucket) = &mut self.errors[at];
        if *owner != key {
            (*owner, *bucket) = (key, Bucket::full(cap, now));
        }
        let may = bucket.take(cost, cap, now);
        if may {
            // What one address may not have does not count against the others.
            self.all_errors = Some(all);
        }
        may
    }

    /// May this sender be told of this gateway now (`ip_rt_send_redirect`)? Ever more rarely, and after nine that were not heeded not before a
    /// silence.
    pub(crate) fn may_redirect<A: Addr>(&mut self, sender: A, gateway: A, now: Time) -> bool {
        let (key, at) = self.place((sender, gateway));
        let told = &mut self.redirects[at];
        if told.key != key || now > told.last.plus_millis(Self::SILENCE_MS) {
            *told = Told { key, ..Told::default() };
        }
        if told.count >= Self::REDIRECTS {
            told.last = now;
            return false;
        }
        let may = told.count == 0 || now > told.last.plus_millis(Self::REDIRECT_MS << told.count);
        if may {
            *told = Told { key, count: told.count + 1, last: now };
        }
        may
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
        let mut pace = Pace::new(0);
        let said: Vec<u64> = (0..60_000).filter(|ms| pace.may_redirect(1u32, 2, at(*ms))).collect();
        assert_eq!(said, [0, 41, 122, 283, 604, 1245, 2526, 5087, 10208]);
        assert!(pace.may_redirect(1u32, 2, at(60_000 + Pace::SILENCE_MS)));
        assert!(pace.may_redirect(3u32, 2, at(60_000)), "another sender is told");
    }

    #[test]
    fn an_address_gets_six_errors_at_once_and_then_one_a_second() {
        let mut pace = Pace::new(0);
        let said: Vec<u64> = (5_000..9_500).filter(|ms| pace.may_send_error(1u32, 1000, at(*ms))).collect();
        assert_eq!(said, [5000, 5001, 5002, 5003, 5004, 5005, 6000, 7000, 8000, 9000]);
        assert!(pace.may_send_error(2u32, 1000, at(9_500)), "another address has a bucket of its own");
    }

    #[test]
    fn all_addresses_together_get_fifty_at_once_and_then_one_a_millisecond() {
        let mut pace = Pace::new(0);
        assert_eq!((0..100u32).filter(|to| pace.may_send_error(*to, 1000, at(7))).count(), 50);
        assert_eq!((100..200u32).filter(|to| pace.may_send_error(*to, 1000, at(17))).count(), 10);
    }
}
