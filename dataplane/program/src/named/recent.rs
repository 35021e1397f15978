//! What `recent` asks of a list of addresses; the lists are the engine's.

use serde::{Deserialize, Serialize};

/// Longest name of a list, in bytes.
const MAX_NAME: usize = 199;
/// Most times of an address that can be asked for.
const MAX_HITS: u32 = 65_535;
/// Times of an address that are kept where no rule asks for so many (`xt_recent.c`).
const TIMES: u32 = 32;

/// `-m recent` (`xt_recent.c`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecentTest {
    /// The name of the list. Rules of both families share it.
    pub list: String,
    /// Bits of an address that count: those of the rule that is the first to name the list hold for all. An IPv4 address is the highest 32 bits.
    pub mask: u128,
    /// What is done with the address.
    pub action: RecentAction,
    /// `!`
    pub not: bool,
    /// `--rdest`: the packet's destination; else its source.
    pub destination: bool,
    /// `--seconds`: only times not longer ago count; 0 is all.
    pub seconds: u32,
    /// `--hitcount`: so many times; 0 is one.
    pub hits: u32,
    /// `--rttl`: only if the last packet that was noted had the same TTL.
    pub ttl: bool,
    /// `--reap`: the address of which was heard least lately is forgotten if its last time is longer ago.
    pub reap: bool,
}

/// What is done with the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RecentAction {
    /// `--set`: the time is noted.
    Set,
    /// `--rcheck`
    Check,
    /// `--update`: as `--rcheck`, and the time is noted if it holds.
    Update,
    /// `--remove`: the address is forgotten.
    Remove,
}

impl RecentTest {
    /// Times of each address that its list must keep at least; a power of two.
    pub fn times(&self) -> u32 {
        if self.hits == 0 { TIMES } else { self.hits.next_power_of_two() }
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let changes = matches!(self.action, RecentAction::Set | RecentAction::Remove);
        if self.list.is_empty() || self.list.len() > MAX_NAME {
            Err("a list of recent addresses without a name, or with one above 199 bytes")
        } else if self.hits > MAX_HITS {
            Err("more than 65535 times of a recent address")
        } else if changes && (self.hits > 0 || self.seconds > 0 || self.ttl || self.reap) {
            Err("a recent address that is noted or forgotten on a condition")
        } else if self.reap && self.seconds == 0 {
            Err("recent addresses that are forgotten after no time")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(hits: u32) -> RecentTest {
        RecentTest {
            list: "a".into(),
            mask: u128::MAX,
            action: RecentAction::Check,
            not: false,
            destination: false,
            seconds: 0,
            hits,
            ttl: false,
            reap: false,
        }
    }

    #[test]
    fn as_many_times_are_kept_as_the_kernel_keeps() {
        let times = [0, 1, 2, 3, 20, 32, 33, 65_535].map(|hits| asking(hits).times());
        assert_eq!(times, [32, 1, 2, 4, 32, 32, 64, 65_536]);
    }

    #[test]
    fn what_the_kernel_refuses_is_refused() {
        assert_eq!(asking(65_535).check(), Ok(()));
        let wrong = [
            RecentTest { list: String::new(), ..asking(0) },
            RecentTest { list: "a".repeat(200), ..asking(0) },
            asking(65_536),
            RecentTest { action: RecentAction::Set, ..asking(1) },
            RecentTest { action: RecentAction::Remove, ttl: true, ..asking(0) },
            RecentTest { reap: true, ..asking(0) },
        ];
        for test in wrong {
            assert!(test.check().is_err(), "{test:?}");
        }
    }
}
