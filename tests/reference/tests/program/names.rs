//! What has a name, as an evaluator keeps it.

use std::collections::{HashMap, VecDeque};

use packet::Ipv4;
use program::header_test::Answer;
use program::{NamedTest, RecentAction, RecentTest, Table};
use reference::Facts;

/// All of it.
#[derive(Default)]
pub(crate) struct Names {
    recent: HashMap<String, List>,
}

/// Addresses of `recent`, by number of the last time: TTL, and times with the last one in front.
struct List {
    mask: u32,
    most: usize,
    next: u64,
    entries: HashMap<u32, (u64, u8, VecDeque<u64>)>,
}

impl Names {
    pub(crate) fn of(table: &Table<Ipv4>) -> Self {
        let mut names = Self::default();
        for test in &table.named_tests {
            match test {
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
