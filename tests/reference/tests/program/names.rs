//! What has a name, as an evaluator keeps it.

use std::collections::{HashMap, VecDeque};

use packet::{Ipv4, protocol};
use program::header_test::Answer;
use program::{HashlimitRate, HashlimitTest, NamedTest, RecentAction, RecentTest, Table};
use reference::Facts;
use reference::sets::Sets;

/// All of it.
#[derive(Default)]
pub(crate) struct Names {
    recent: HashMap<String, List>,
    buckets: HashMap<String, Buckets>,
    pub(crate) sets: Sets,
}

/// Buckets of `hashlimit`: the first rule that names them, when they were asked first, and for each group its words and its end.
struct Buckets {
    test: HashlimitTest,
    begun: Option<u64>,
    all: HashMap<Group, ([u64; 3], u64)>,
}

/// Source, destination, and their ports, as far as they count.
type Group = (u32, u32, [u8; 4]);

/// Addresses of `recent`, by number of the last time: TTL, and times with the last one in front.
struct List {
    mask: u32,
    most: usize,
    next: u64,
    entries: HashMap<u32, (u64, u8, VecDeque<u64>)>,
}

impl Names {
    pub(crate) fn of(table: &Table<Ipv4>, sets: Sets) -> Self {
        let mut names = Self { sets, ..Self::default() };
        for test in &table.named_tests {
            match test {
                NamedTest::Hashlimit(test) => {
                    let new = || Buckets { test: test.clone(), begun: None, all: HashMap::new() };
                    names.buckets.entry(test.table.clone()).or_insert_with(new);
                }
                NamedTest::Recent(test) => {
                    let new = List { mask: (test.mask >> 96) as u32, most: 0, next: 0, entries: HashMap::new() };
                    let list = names.recent.entry(test.list.clone()).or_insert(new);
                    list.most = list.most.max(test.times() as usize);
                }
            }
        }
        names
    }

    pub(crate) fn ask(&mut self, test: &NamedTest, facts: &Facts<Ipv4>, now: u64) -> Answer {
        match test {
            NamedTest::Hashlimit(test) => {
                let within = self.buckets.get_mut(&test.table).expect("buckets").ask(facts, now);
                within.map_or(Answer::HotDrop, |within| (within != test.above).into())
            }
            NamedTest::Recent(test) => self.recent.get_mut(&test.list).expect("a list").ask(test, facts, now).into(),
        }
    }
}

impl List {
    fn ask(&mut self, test: &RecentTest, facts: &Facts<Ipv4>, now: u64) -> bool {
        let address = (if test.destination { facts.header.dst } else { facts.header.src }) & self.mask;
        let ttl = facts.header.ttl.wrapping_add(u8::from(!facts.output.is_empty()));
        let since = now.checked_sub(u64::from(test.seconds) * 1000);
        let fits = |other: u8| !test.ttl || [ttl, other].contains(&0) || ttl == other;
        let oldest = self.entries.iter().min_by_key(|(_, (order, ..))| *order).map(|(address, _)| *address);
        let Some((_, _, times)) = self.entries.get(&address).filter(|(_, ttl, _)| fits(*ttl)) else {
            if test.action == RecentAction::Set {
                self.note(address, ttl, now);
            }
            return (test.action == RecentAction::Set) != test.not;
        };
        let count = times.iter().filter(|time| test.seconds == 0 || since.is_none_or(|since| **time >= since)).count();
        let found = !matches!(test.action, RecentAction::Check | RecentAction::Update) || count >= test.hits.max(1) as usize;
        let answer = found != test.not;
        let noted = test.action == RecentAction::Set || test.action == RecentAction::Update && answer;
        if let Some(oldest) = oldest.filter(|oldest| test.reap && !(noted && *oldest == address))
            && since.is_some_and(|since| self.entries[&oldest].2[0] < since)
        {
            self.entries.remove(&oldest);
        }
        if noted {
            self.note(address, ttl, now);
        }
        if test.action == RecentAction::Remove {
            self.entries.remove(&address);
        }
        answer
    }

    fn note(&mut self, address: u32, ttl: u8, now: u64) {
        self.next += 1;
        let entry = self.entries.entry(address).or_default();
        (entry.0, entry.1) = (self.next, ttl);
        entry.2.push_front(now);
        entry.2.truncate(self.most);
    }
}

impl Buckets {
    /// `None` where ports are asked for and are not there.
    fn ask(&mut self, facts: &Facts<Ipv4>, now: u64) -> Option<bool> {
        let (header, group) = (&facts.header, self.test.group);
        let mut ports = [0; 4];
        let skipped = if header.protocol == protocol::AH { 4 } else { 0 };
        let has_ports = [6, 17, 33, 50, 51, 132, 136].contains(&header.protocol);
        if (group.sport || group.dport) && has_ports {
            let (at, end) = (usize::from(header.l4) + skipped, usize::from(header.l3) + header.len as usize);
            ports.copy_from_slice(facts.bytes.get(..end.min(facts.bytes.len()))?.get(at..at + 4)?);
            ports[..2].iter_mut().for_each(|byte| *byte &= if group.sport { 0xff } else { 0 });
            ports[2..].iter_mut().for_each(|byte| *byte &= if group.dport { 0xff } else { 0 });
        }
        let begun = *self.begun.get_or_insert(now);
        let searches = (now - begun) / u64::from(self.test.gc_interval);
        let searched = begun + searches * u64::from(self.test.gc_interval);
        let key = (header.src & (group.src >> 96) as u32, header.dst & (group.dst >> 96) as u32, ports);
        let is_old = self.all.get(&key).is_some_and(|(_, end)| searches > 0 && *end <= searched);
        if is_old {
            self.all.remove(&key);
        }
        let start = match self.test.rate {
            HashlimitRate::Packets { cap, .. } => [cap, 0, now],
            HashlimitRate::Bytes { refills, .. } => [HashlimitRate::SECOND, refills.into(), now],
            HashlimitRate::Measured { .. } => [0, 0, now],
        };
        let (words, end) = self.all.entry(key).or_insert((start, 0));
        *end = now + u64::from(self.test.expire);
        Some(take(self.test.rate, words, u64::from(header.len), now))
    }
}

/// What there is, what else is kept, and since when.
fn take(rate: HashlimitRate, [has, kept, at]: &mut [u64; 3], bytes: u64, now: u64) -> bool {
    let passed = now - *at;
    let (cost, most) = match rate {
        HashlimitRate::Measured { rate, burst, interval, bytes: of_bytes } => {
            let length = u64::from(interval) * 1000;
            if passed >= length {
                (*has, *kept, *at) = (0, u64::from(*has * length > passed * rate), now);
            }
            *has += if of_bytes { bytes } else { 1 };
            return *kept == 0 && *has <= burst;
        }
        HashlimitRate::Packets { cost, cap } => {
            *has = has.saturating_add(passed * 1_000_000 * HashlimitRate::PARTS).min(cap);
            (cost, cap)
        }
        HashlimitRate::Bytes { cost, .. } => {
            *has = (*has + passed * (HashlimitRate::SECOND / 1000)).min(HashlimitRate::SECOND);
            ((u64::from(cost) * (bytes / 16 + 1)).min(HashlimitRate::SECOND), HashlimitRate::SECOND)
        }
    };
    *at = now;
    if *has < cost && *kept > 0 {
        (*has, *kept) = (most, *kept - 1);
    }
    let fits = *has >= cost;
    *has -= if fits { cost } else { 0 };
    fits
}
