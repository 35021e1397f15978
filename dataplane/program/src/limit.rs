//! The bucket of `-m limit`.

use serde::{Deserialize, Serialize};

/// A token bucket in the kernel's own units (`xt_limit.c`): credit grows by [`LimitSpec::PER_MILLISECOND`] a millisecond up to `cap`; a
/// packet passes and costs `cost` when there is that much, else it does not pass and costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LimitSpec {
    /// Credit that one packet costs; never 0.
    pub cost: u32,
    /// Most credit that can be saved, and what the bucket starts with; at least `cost`.
    pub cap: u32,
}

impl LimitSpec {
    /// Credit earned in a millisecond: the kernel's 32,000 a second, both at 250 and at 1000 jiffies a second.
    pub const PER_MILLISECOND: u32 = 32;

    /// The bucket of `--limit` and `--limit-burst`, or `None` where the kernel refuses it: no burst, or a burst that overflows its units.
    ///
    /// `average` is the time between two packets in 1/10000 s, rounded down, as iptables hands it over (`1/second` is 10000).
    pub fn new(average: u32, burst: u32) -> Option<Self> {
        let cost = Self::credits(average);
        // The product wraps, as it does in the kernel: some overflows slip through there, and give the same bucket here.
        let cap = Self::credits(average.wrapping_mul(burst));
        (burst != 0 && cost != 0 && cap >= cost).then_some(Self { cost, cap })
    }

    /// `user2credits`: the order of multiplication and division decides what is lost.
    fn credits(user: u32) -> u32 {
        const SCALE: u32 = 10_000;
        const PER_SECOND: u32 = LimitSpec::PER_MILLISECOND * 1000;
        if user > u32::MAX / PER_SECOND { (user / SCALE).wrapping_mul(PER_SECOND) } else { user * PER_SECOND / SCALE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u32 = 10_000;
    const DAY: u32 = 24 * 3600 * SECOND;

    #[test]
    fn a_packet_costs_the_time_between_two_packets() {
        assert_eq!(LimitSpec::new(SECOND, 5), Some(LimitSpec { cost: 32_000, cap: 160_000 }));
        assert_eq!(LimitSpec::new(3600 * SECOND / 3, 5), Some(LimitSpec { cost: 38_400_000, cap: 192_000_000 }));
    }

    #[test]
    fn the_fastest_rate_loses_what_the_kernel_loses() {
        assert_eq!(LimitSpec::new(1, 5), Some(LimitSpec { cost: 3, cap: 16 }), "3.2 credits a packet, rounded down");
    }

    #[test]
    fn buckets_that_the_kernel_refuses_are_refused() {
        assert_eq!(LimitSpec::new(SECOND, 0), None);
        assert_eq!(LimitSpec::new(DAY, 5), None, "--limit 1/day with its default burst");
        assert!(LimitSpec::new(DAY / 2, 5).is_some());
        assert!(LimitSpec::new(DAY, 1).is_some());
        assert!(LimitSpec::new(DAY, 3).is_some());
    }
}
