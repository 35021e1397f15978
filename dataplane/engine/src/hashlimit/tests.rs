//! A table beside an obvious one that counts as the kernel does.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn test(rate: HashlimitRate, expire: u32) -> HashlimitTest {
    let group = HashlimitGroup { src: u128::MAX, dst: 0, sport: false, dport: false };
    HashlimitTest { table: "a".into(), above: false, rate, group, size: 0, max: 0, gc_interval: 700, expire }
}

fn asked(source: u128, bytes: u32, millis: u64) -> Asked {
    let key = Key { src: source, ..Key::default() };
    Asked { key, hash: (source as u32).wrapping_mul(0x9e37_79b1), bytes, now: Time(millis * 1_000_000) }
}

/// Credits as the kernel has them, at 1000 jiffies a second.
struct Obvious {
    credit: u64,
    at: u64,
    refills: u64,
    came: u64,
    was_over: bool,
    expires: u64,
}

const PER_JIFFY: u64 = 1 << 37;
const PER_JIFFY_BYTES: u64 = 1 << 22;

/// What a rule says.
#[derive(Clone, Copy, Debug)]
enum Said {
    Packets(u64, u32),
    Bytes(u32, u32),
    Measured(u64, u32, u32),
}

impl Said {
    fn rate(self) -> HashlimitRate {
        match self {
            Said::Packets(period, burst) => HashlimitRate::packets(period, burst),
            Said::Bytes(price, burst) => HashlimitRate::bytes(price, burst),
            Said::Measured(period, burst, interval) => HashlimitRate::measured_packets(period, burst, interval),
        }
        .expect("a rate")
    }

    /// The kernel's steps, one after the other.
    fn take(self, bucket: &mut Obvious, bytes: u32, now: u64) -> bool {
        let delta = now - bucket.at;
        match self {
            Said::Packets(period, burst) => {
                let scale = 1000 * PER_JIFFY / 1_000_000;
                bucket.credit = (bucket.credit + delta * PER_JIFFY).min(period * u64::from(burst) * scale);
                bucket.at = now;
                let cost = period * scale;
                let fits = bucket.credit >= cost;
                bucket.credit -= if fits { cost } else { 0 };
                fits
            }
            Said::Bytes(price, _) => {
                let most = 1000 * PER_JIFFY_BYTES;
                bucket.credit = (bucket.credit + delta * PER_JIFFY_BYTES).min(most);
                bucket.at = now;
                let cost = (u64::from(bytes >> 4) + 1) * ((u64::from(price) * most) >> 32);
                let cost = cost.min(most);
                if bucket.credit < cost && bucket.refills > 0 {
                    bucket.refills -= 1;
                    bucket.credit = most;
                }
                let fits = bucket.credit >= cost;
                bucket.credit -= if fits { cost } else { 0 };
                fits
            }
            Said::Measured(period, burst, interval) => {
                let (rate, length) = (1_000_000 / period, u64::from(interval) * 1000);
                if delta >= length {
                    bucket.was_over = bucket.came * length > delta * rate;
                    (bucket.came, bucket.at) = (0, now);
                }
                bucket.came += 1;
                !bucket.was_over && bucket.came <= rate + u64::from(burst)
            }
        }
    }

    fn bucket(self, now: u64) -> Obvious {
        let (credit, refills) = match self {
            Said::Packets(period, burst) => (period * u64::from(burst) * (1000 * PER_JIFFY / 1_000_000), 0),
            Said::Bytes(_, burst) => (1000 * PER_JIFFY_BYTES, burst.into()),
            Said::Measured(..) => (0, 0),
        };
        Obvious { credit, at: now, refills, came: 0, was_over: false, expires: 0 }
    }
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        (prop::sample::select(vec![1u64, 1000, 100_000, 333_333, 1_000_000]), 1u32..6)
            .prop_map(|(period, burst)| Said::Packets(period, burst)),
        (prop::sample::select(vec![u32::MAX / 2, u32::MAX / 5, u32::MAX / 33, u32::MAX / 1025]), 0u32..4)
            .prop_map(|(price, burst)| Said::Bytes(price, burst)),
        (prop::sample::select(vec![100_000u64, 333_333, 1_000_000]), 1u32..4, 1u32..3)
            .prop_map(|(period, burst, interval)| Said::Measured(period, burst, interval)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_table_says_what_an_obvious_one_says(
        said in said(),
        expire in prop::sample::select(vec![300u32, 1500, 60_000]),
        packets in vec((0u128..3, prop::sample::select(vec![0u32, 15, 16, 60, 1500]), prop::sample::select(vec![0u64, 0, 1, 99, 100, 333, 700, 1000, 2500])), 1..60),
    ) {
        let table = Buckets::new(&HashlimitTest { size: 16, ..test(said.rate(), expire) });
        let mut obvious: HashMap<u128, Obvious> = HashMap::new();
        let mut now = 5_000;
        let mut searched = now + packets[0].2;
        for (number, (source, bytes, later)) in packets.iter().enumerate() {
            now += later;
            while searched + 700 <= now {
                searched += 700;
                obvious.retain(|_, bucket| searched < bucket.expires);
            }
            let bucket = obvious.entry(*source).or_insert_with(|| said.bucket(now));
            bucket.expires = now + u64::from(expire);
            let wanted = said.take(bucket, *bytes, now);
            prop_assert_eq!(table.ask(&asked(*source, *bytes, now)), Ok(wanted), "packet {}", number);
        }
    }
}

#[test]
fn a_full_table_takes_nobody_until_somebody_is_old() {
    let table = Buckets::with_room(20, &test(Said::Packets(1_000_000, 5).rate(), 2_000));
    (0..20).for_each(|source| assert_eq!(table.ask(&asked(source, 60, 1_000)), Ok(true)));
    assert_eq!(table.ask(&asked(20, 60, 2_000)), Err(Full));
    assert_eq!(table.ask(&asked(3, 60, 2_000)), Ok(true), "who is there stays");
    assert_eq!(table.ask(&asked(20, 60, 3_000)), Err(Full), "nobody has looked for old ones yet");
    assert_eq!(table.ask(&asked(20, 60, 3_200)), Ok(true));
    assert!(table.slots.len() < 20);
}
