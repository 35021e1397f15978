//! What `hashlimit` asks of a table of buckets; the tables are the engine's.

use packet::{Family, FamilyId};
use serde::{Deserialize, Serialize};

/// Longest name of a table, in bytes.
const MAX_NAME: usize = 254;
/// Most buckets of a table. The kernel would have up to eight million.
pub const MOST: u32 = 1 << 18;
/// Lists of buckets that a table has where nothing is said, on a machine with more than 1 GiB of memory; and buckets for each list.
const LISTS: u32 = 8192;
const EACH: u32 = 8;

/// `-m hashlimit` (`xt_hashlimit.c`). All but `above` holds for the table of that name, if the rule is the first to name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashlimitTest {
    /// The name of the table. Each family has its own.
    pub table: String,
    /// Holds above the rate; else up to it.
    pub above: bool,
    /// The rate.
    pub rate: HashlimitRate,
    /// What packets of one bucket have in common.
    pub group: HashlimitGroup,
    /// `--hashlimit-htable-size`; 0 is what the machine is good for.
    pub size: u32,
    /// `--hashlimit-htable-max`; 0 is what suits the size.
    pub max: u32,
    /// `--hashlimit-htable-gcinterval`: milliseconds between searches for old buckets.
    pub gc_interval: u32,
    /// `--hashlimit-htable-expire`: milliseconds until a bucket that nobody asks for is old.
    pub expire: u32,
}

/// How a rate is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HashlimitRate {
    /// A bucket that is filled by time, in sixteenths of nanoseconds.
    Packets {
        /// Time that earns a packet; not 0.
        cost: u64,
        /// Most time that can be saved; at least `cost`.
        cap: u64,
    },
    /// The same in units of which a second earns [`HashlimitRate::SECOND`], and can save no more.
    Bytes {
        /// Price of each 16 bytes, begun ones and one more included; not 0.
        cost: u32,
        /// How often an empty bucket is filled at once before it is so by time alone.
        refills: u32,
    },
    /// `--hashlimit-rate-match`: what came in an interval is counted.
    Measured {
        /// In a second: bytes, or packets.
        rate: u64,
        /// Most within an interval.
        burst: u64,
        /// Seconds; not 0.
        interval: u32,
        /// Of bytes.
        bytes: bool,
    },
}

impl HashlimitRate {
    /// Parts of a nanosecond, in which a rate of packets is kept: rounded down, a packet costs at most one less.
    pub const PARTS: u64 = 16;
    /// What a second earns, in the units of a rate of bytes (HZ times credits per jiffy: the same at 250 and at 1000 jiffies a second).
    pub const SECOND: u64 = 4_194_304_000;
    /// Credit of a microsecond and of a millisecond, of a rate of packets.
    const PER_MICROSECOND: u64 = (1000 << 37) / 1_000_000;
    const PER_MILLISECOND: u128 = 1 << 37;

    /// Of so many packets, each of which is earned in so many microseconds. `None` where the kernel refuses it.
    pub fn packets(period: u64, burst: u32) -> Option<Self> {
        let credits = |time: u64| time.wrapping_mul(Self::PER_MICROSECOND);
        let (cost, cap) = (credits(period), credits(period.wrapping_mul(burst.into())));
        let time = |credits: u64| (u128::from(credits) * 1_000_000 * u128::from(Self::PARTS) / Self::PER_MILLISECOND) as u64;
        (cost != 0 && cap >= cost).then(|| Self::Packets { cost: time(cost), cap: time(cap) })
    }

    /// Of bytes at a price of 16 of them, as iptables hands it over. `None` where the kernel refuses it.
    pub fn bytes(price: u32, burst: u32) -> Option<Self> {
        let cost = ((u64::from(price) * Self::SECOND) >> 32) as u32;
        (cost != 0).then_some(Self::Bytes { cost, refills: burst })
    }

    /// Of packets, measured in intervals of so many seconds.
    pub fn measured_packets(period: u64, burst: u32, interval: u32) -> Option<Self> {
        let rate = 1_000_000u64.checked_div(period)?;
        (interval != 0).then(|| Self::Measured { rate, burst: u64::from(burst) + rate, interval, bytes: false })
    }

    /// Of bytes, measured in intervals of so many seconds.
    pub fn measured_bytes(price: u32, burst: u32, interval: u32) -> Option<Self> {
        let rate = u64::from(u32::MAX.checked_div(price)?.wrapping_sub(1)) << 4;
        (interval != 0).then(|| Self::Measured { rate, burst: rate * u64::from(burst.max(1)), interval, bytes: true })
    }
}

/// What packets of one bucket have in common. An IPv4 address is the highest 32 of 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashlimitGroup {
    /// These bits of the source address.
    pub src: u128,
    /// These bits of the destination address.
    pub dst: u128,
    /// The source port.
    pub sport: bool,
    /// The destination port.
    pub dport: bool,
}

impl HashlimitTest {
    /// Most buckets of its table.
    pub fn buckets(&self) -> u32 {
        let size = if self.size == 0 { LISTS } else { self.size };
        let max = if self.max == 0 { size.saturating_mul(EACH) } else { self.max.max(size) };
        max.min(MOST)
    }

    pub(super) fn check<F: Family>(&self) -> Result<(), &'static str> {
        let is_rate = match self.rate {
            HashlimitRate::Packets { cost, cap } => cost != 0 && cap >= cost,
            HashlimitRate::Bytes { cost, .. } => cost != 0,
            HashlimitRate::Measured { interval, .. } => interval != 0,
        };
        let low = if F::ID == FamilyId::Ipv4 { (1 << 96) - 1 } else { 0 };
        if self.table.is_empty() || self.table.len() > MAX_NAME {
            Err("a table of buckets without a name, or with one above 254 bytes")
        } else if !is_rate {
            Err("buckets that never let a packet pass")
        } else if self.gc_interval == 0 || self.expire == 0 {
            Err("buckets that are old at once")
        } else if (self.group.src | self.group.dst) & low != 0 {
            Err("address bits outside the address")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use packet::{Ipv4, Ipv6};

    use super::*;

    fn of(rate: HashlimitRate) -> HashlimitTest {
        let group = HashlimitGroup { src: u128::MAX << 96, dst: 0, sport: false, dport: false };
        HashlimitTest { table: "a".into(), above: false, rate, group, size: 0, max: 0, gc_interval: 1000, expire: 1000 }
    }

    #[test]
    fn a_packet_costs_the_time_between_two() {
        let packets = |period, burst| HashlimitRate::packets(period, burst).unwrap();
        assert_eq!(packets(1, 5), HashlimitRate::Packets { cost: 15_999, cap: 79_999 }, "rounded as in the kernel's units");
        assert_eq!(packets(200_000, 5), HashlimitRate::Packets { cost: 3_199_999_989, cap: 15_999_999_945 });
        for (period, burst) in [(1, 7), (3, 1000), (333_333, 5), (1_428_571, 13), (60_000_000, 5)] {
            let HashlimitRate::Packets { cost, cap } = packets(period, burst) else { panic!("of packets") };
            assert!(cost * u64::from(burst) <= cap, "the burst passes at once: {period} {burst}");
            assert!(cost * u64::from(burst) + u64::from(burst) > cap);
        }
        assert_eq!(HashlimitRate::packets(1, 0), None);
        assert_eq!(HashlimitRate::packets(86_400_000_000, 5), None, "--hashlimit-upto 1/day with its default burst");
    }

    #[test]
    fn sixteen_bytes_cost_a_part_of_a_second() {
        // 512kb/s.
        let price = u32::MAX / (512 * 1024 / 16 + 1);
        assert_eq!(HashlimitRate::bytes(price, 0), Some(HashlimitRate::Bytes { cost: 127_996, refills: 0 }));
        assert_eq!(HashlimitRate::bytes(1, 0), None);
        let measured = HashlimitRate::measured_bytes(price, 3, 2);
        assert_eq!(measured, Some(HashlimitRate::Measured { rate: 524_288, burst: 1_572_864, interval: 2, bytes: true }));
        let measured = HashlimitRate::measured_packets(100_000, 5, 1);
        assert_eq!(measured, Some(HashlimitRate::Measured { rate: 10, burst: 15, interval: 1, bytes: false }));
    }

    #[test]
    fn a_table_has_the_kernels_room_up_to_a_bound() {
        let rate = HashlimitRate::Packets { cost: 1, cap: 1 };
        let buckets = [(0, 0), (100, 0), (0, 100), (16, 100), (1 << 20, 0)]
            .map(|(size, max)| HashlimitTest { size, max, ..of(rate) }.buckets());
        assert_eq!(buckets, [65_536, 800, 8192, 100, MOST]);
    }

    #[test]
    fn what_makes_no_bucket_is_refused() {
        let good = of(HashlimitRate::Packets { cost: 1, cap: 1 });
        assert_eq!((good.check::<Ipv4>(), good.check::<Ipv6>()), (Ok(()), Ok(())));
        let whole = HashlimitGroup { src: u128::MAX, ..good.group };
        let wrong = [
            HashlimitTest { table: String::new(), ..good.clone() },
            of(HashlimitRate::Packets { cost: 2, cap: 1 }),
            of(HashlimitRate::Bytes { cost: 0, refills: 1 }),
            of(HashlimitRate::Measured { rate: 1, burst: 1, interval: 0, bytes: false }),
            HashlimitTest { expire: 0, ..good.clone() },
            HashlimitTest { group: whole, ..good.clone() },
        ];
        for test in wrong {
            assert!(test.check::<Ipv4>().is_err(), "{test:?}");
        }
    }
}
