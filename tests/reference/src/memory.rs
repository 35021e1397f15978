//! What rules remember from one packet to the next, by their place.

use std::collections::{HashMap, HashSet};

use rules::RuleSet;
use rules::matches::Limit;

use crate::hashlimit;
use crate::recent::{self, RecentList};
use crate::sets::Sets;
use crate::walk::Place;

/// The place of a match: its rule's, and its number in the rule counted from 0.
pub(crate) type MatchPlace = (Place, usize);

/// A list of `connlimit`: its match, and the leading bits of the address that it is for.
type ListPlace = (MatchPlace, u128);

/// Every `limit` bucket, every `nth` count, what is left of every `quota`, every list of `connlimit` and of `recent`, every table of `hashlimit`; and sets, which have counters. New ones begin as a freshly loaded table's do.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    buckets: HashMap<MatchPlace, Bucket>,
    seen: HashMap<MatchPlace, u64>,
    lists: HashMap<ListPlace, HashSet<String>>,
    left: HashMap<MatchPlace, u64>,
    pub(crate) recent: HashMap<Box<str>, RecentList>,
    pub(crate) hashlimit: HashMap<Box<str>, hashlimit::Table>,
    pub(crate) sets: Sets,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    credit: u64,
    filled_at: u64,
}

/// Credit earned in one millisecond (`xt_limit.c`: 32,000 a second).
const EARNED: u64 = 32;

/// What `user` ten-thousandths of a second earn. The kernel counts in 32 bits: where the product would not fit, it divides first.
fn credits(user: u32) -> u64 {
    let product = u64::from(user) * EARNED * 1000;
    if product <= u64::from(u32::MAX) { product / 10_000 } else { u64::from((user / 10_000).wrapping_mul(EARNED as u32 * 1000)) }
}

impl Memory {
    /// As it is in freshly loaded tables.
    pub(crate) fn of(rules: &RuleSet, sets: Sets) -> Self {
        Self { sets, recent: recent::lists(rules), hashlimit: hashlimit::tables(rules), ..Self::default() }
    }

    /// Takes one packet out of a bucket at this time in milliseconds, if there is enough in it.
    pub(crate) fn take(&mut self, place: MatchPlace, limit: &Limit, now: u64) -> bool {
        let cost = credits(limit.average);
        let full = credits(limit.average.wrapping_mul(limit.burst));
        let bucket = self.buckets.entry(place).or_insert(Bucket { credit: full, filled_at: now });
        bucket.credit = full.min(bucket.credit + (now - bucket.filled_at) * EARNED);
        bucket.filled_at = now;
        let enough = bucket.credit >= cost;
        if enough {
            bucket.credit -= cost;
        }
        enough
    }

    /// Puts a connection on a list of `connlimit`, unless it has begun before and there is a list already; says how many are on it. Every connection
    /// lives for ever here.
    pub(crate) fn connect(&mut self, list: ListPlace, connection: String, has_begun: bool) -> usize {
        let is_new = !self.lists.contains_key(&list);
        let list = self.lists.entry(list).or_default();
        if is_new || !has_begun {
            list.insert(connection);
        }
        list.len()
    }

    /// Takes a packet's bytes off what is left of so many; behind the first that is too long nothing is.
    pub(crate) fn use_up(&mut self, place: MatchPlace, quota: u64, bytes: u64) -> bool {
        let left = self.left.entry(place).or_insert(quota);
        let fits = bytes <= *left;
        *left = if fits { *left - bytes } else { 0 };
        fits
    }

    /// Counts a packet; the answer is how many were counted before it.
    pub(crate) fn count(&mut self, place: MatchPlace) -> u64 {
        let seen = self.seen.entry(place).or_insert(0);
        *seen += 1;
        *seen - 1
    }
}
