//! `limit` refilled while time passes. No packet comes within 30 ms of the moment at which a rule would decide otherwise, so that it does not
//! matter that the kernel's clock runs on.

use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, packet, server};

/// Milliseconds that a packet keeps away from a turn.
const AWAY: u64 = 30;

/// A bucket, in milliseconds of its rate.
struct Bucket {
    each: u64,
    most: u64,
    has: u64,
}

impl Bucket {
    fn is_clear(&self) -> bool {
        self.has.abs_diff(self.each) >= AWAY
    }

    fn take(&mut self) {
        if self.has >= self.each {
            self.has -= self.each;
        }
    }
}

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    let mut buckets = Vec::new();
    for _ in 0..random.between(1, 3) {
        let rate = *random.pick(&[2, 4, 5, 10]);
        let burst = random.between(1, 4);
        let each = 1000 / rate;
        buckets.push(Bucket { each, most: each * burst, has: each * burst });
        // Every packet meets every limit: none of the rules ends its way.
        rules.add("filter", "FORWARD", &format!("-m limit --limit {rate}/second --limit-burst {burst}"));
    }
    let (from, to) = (client(random), server(random));
    let mut steps = Vec::new();
    let mut passed = 0;
    while steps.len() < 24 && passed < 900 {
        if random.chance(40) {
            let millis = *random.pick(&[40, 70, 110, 170, 260]);
            steps.push(Step::Advance(millis));
            passed += millis;
            buckets.iter_mut().for_each(|bucket| bucket.has = (bucket.has + millis).min(bucket.most));
        } else if buckets.iter().all(Bucket::is_clear) {
            buckets.iter_mut().for_each(Bucket::take);
            steps.push(packet(Port::Eth0, &Ip::udp((from, 1000), (to, 53), &[steps.len() as u8])));
        }
    }
    (rules, steps)
}
