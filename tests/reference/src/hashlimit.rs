//! `hashlimit`: tables of buckets by name, with the kernel's credits, at 1000 ticks of its clock a second.

use std::collections::HashMap;
use std::net::IpAddr;

use packet::family::Addr;
use packet::{Family, protocol};
use rules::matches::Hashlimit;
use rules::matches::hashlimit::Rate;
use rules::{Match, RuleSet};

use crate::facts::Facts;
use crate::matches::Answer;
use crate::memory::Memory;
use crate::walk::Surroundings;

/// A table: what the first rule says, when it was asked first, and its buckets.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    says: Hashlimit,
    begun: Option<u64>,
    buckets: HashMap<Group, Bucket>,
}

/// Source, destination, and their ports, as far as they count.
type Group = (Option<u128>, Option<u128>, Option<[u8; 2]>, Option<[u8; 2]>);

#[derive(Clone, Debug)]
struct Bucket {
    credit: u64,
    refills: u64,
    came: u64,
    was_over: bool,
    at: u64,
    expires: u64,
}

/// The tables that rules name, all of them empty.
pub(crate) fn tables(rules: &RuleSet) -> HashMap<Box<str>, Table> {
    let mut tables = HashMap::new();
    let all = rules.tables().flat_map(rules::Table::chains).flat_map(|chain| &chain.rules).flat_map(|rule| &rule.matches);
    for test in all {
        if let Match::Hashlimit(test) = test {
            let new = || Table { says: (**test).clone(), begun: None, buckets: HashMap::new() };
            tables.entry(test.name.clone()).or_insert_with(new);
        }
    }
    tables
}

/// Credits of a tick, and the most of bytes.
const TICK: u64 = 1 << 37;
const MICROSECOND: u64 = 1000 * TICK / 1_000_000;
const TICK_BYTES: u64 = 1 << 22;
const MOST_BYTES: u64 = 1000 * TICK_BYTES;

fn group<F: Family>(says: &Hashlimit, facts: &Facts<F>) -> Option<Group> {
    let part = |bit: u8| says.group.parts & bit != 0;
    let prefix = |address: IpAddr, bits: Option<u8>| {
        let (address, all) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let cut = all - bits.map_or(all, u32::from);
        if cut == 128 { 0 } else { address >> cut << cut }
    };
    let header = &facts.header;
    let (mut sport, mut dport) = (None, None);
    if part(2) || part(8) {
        let skipped = match header.protocol {
            protocol::TCP | protocol::UDP | protocol::UDPLITE | protocol::SCTP | protocol::DCCP | protocol::ESP => Some(0),
            protocol::AH => Some(4),
            _ => None,
        };
        let ports = match skipped {
            Some(skipped) => {
                let at = usize::from(header.l4) + skipped;
                let end = facts.bytes.len().min(usize::from(header.l3) + header.len as usize);
                facts.bytes[..end].get(at..at + 4)?.to_vec()
            }
            None => vec![0; 4],
        };
        sport = part(8).then_some([ports[0], ports[1]]);
        dport = part(2).then_some([ports[2], ports[3]]);
    }
    let src = part(4).then(|| prefix(header.src.to_ip(), says.group.src_prefix));
    let dst = part(1).then(|| prefix(header.dst.to_ip(), says.group.dst_prefix));
    Some((src, dst, sport, dport))
}

pub(crate) fn ask<F: Family>(test: &Hashlimit, facts: &Facts<F>, memory: &mut Memory, around: &Surroundings<'_>) -> Answer {
    let now = around.now;
    let table = memory.hashlimit.get_mut(&test.name).expect("there is a table for each name");
    let Some(group) = group(&table.says, facts) else { return Answer::HotDrop };
    let begun = *table.begun.get_or_insert(now);
    // The last time at which old ones were looked for.
    let searched = now - (now - begun) % u64::from(table.says.gc_interval);
    if searched > begun {
        table.buckets.retain(|_, bucket| searched < bucket.expires);
    }
    let (rate, expire) = (table.says.rate, u64::from(table.says.expire));
    let bucket = table.buckets.entry(group).or_insert_with(|| Bucket::new(rate, now));
    bucket.expires = now + expire;
    let within = bucket.take(rate, table.says.interval, facts.header.len.into(), now);
    (within != test.above).into()
}

impl Bucket {
    fn new(rate: Rate, now: u64) -> Self {
        let (credit, refills) = match rate {
            Rate::Packets { period, burst } => (period.wrapping_mul(burst.into()).wrapping_mul(MICROSECOND), 0),
            Rate::Bytes { burst, .. } => (MOST_BYTES, burst.into()),
        };
        Self { credit, refills, came: 0, was_over: false, at: now, expires: 0 }
    }

    fn take(&mut self, rate: Rate, interval: Option<u32>, bytes: u64, now: u64) -> bool {
        let passed = now - self.at;
        if let Some(seconds) = interval {
            let length = u64::from(seconds) * 1000;
            let (each, most, cost) = match rate {
                Rate::Packets { period, burst } => (1_000_000 / period, 1_000_000 / period + u64::from(burst), 1),
                Rate::Bytes { price, burst } => {
                    let each = u64::from(u32::MAX / price - 1) << 4;
                    (each, if burst == 0 { each } else { each * u64::from(burst) }, bytes)
                }
            };
            if passed >= length {
                self.was_over = self.came * length > passed * each;
                (self.came, self.at) = (0, now);
            }
            self.came += cost;
            return !self.was_over && self.came <= most;
        }
        self.at = now;
        let cost = match rate {
            Rate::Packets { period, burst } => {
                let most = period.wrapping_mul(burst.into()).wrapping_mul(MICROSECOND);
                self.credit = (u128::from(self.credit) + u128::from(passed) * u128::from(TICK)).min(most.into()) as u64;
                period.wrapping_mul(MICROSECOND)
            }
            Rate::Bytes { price, .. } => {
                self.credit = (self.credit + passed * TICK_BYTES).min(MOST_BYTES);
                let cost = ((bytes >> 4) + 1) * ((u64::from(price) * MOST_BYTES) >> 32);
                let cost = cost.min(MOST_BYTES);
                if self.credit < cost && self.refills > 0 {
                    self.refills -= 1;
                    self.credit = MOST_BYTES;
                }
                cost
            }
        };
        let fits = self.credit >= cost;
        self.credit -= if fits { cost } else { 0 };
        fits
    }
}
