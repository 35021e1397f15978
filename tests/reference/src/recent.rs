//! `recent`: lists of addresses by name.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use packet::Family;
use packet::family::Addr;
use rules::matches::Recent;
use rules::matches::recent::Action;
use rules::{Match, RuleSet};

use crate::facts::Facts;
use crate::matches::Answer;
use crate::memory::Memory;
use crate::walk::Surroundings;

/// Most addresses of a list.
const ADDRESSES: usize = 100;

/// A list: the address that was noted least lately first.
#[derive(Clone, Debug)]
pub(crate) struct RecentList {
    /// The first rule's.
    mask: IpAddr,
    /// Most times of an address.
    times: usize,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    address: IpAddr,
    ttl: u8,
    /// The last one last.
    times: Vec<u64>,
}

/// The lists that rules name, all of them empty.
pub(crate) fn lists(rules: &RuleSet) -> HashMap<Box<str>, RecentList> {
    let mut lists: HashMap<Box<str>, RecentList> = HashMap::new();
    let all = rules.tables().flat_map(rules::Table::chains).flat_map(|chain| &chain.rules).flat_map(|rule| &rule.matches);
    for test in all {
        let Match::Recent(test) = test else { continue };
        // So many that are a power of two.
        let wanted = if test.hits == 0 { 32 } else { (test.hits as usize).next_power_of_two() };
        let new = RecentList { mask: test.mask, times: 0, entries: Vec::new() };
        let list = lists.entry(test.name.clone()).or_insert(new);
        list.times = list.times.max(wanted);
    }
    lists
}

fn under(address: IpAddr, mask: IpAddr) -> IpAddr {
    match (address, mask) {
        (IpAddr::V4(address), IpAddr::V4(mask)) => Ipv4Addr::from_bits(address.to_bits() & mask.to_bits()).into(),
        (IpAddr::V6(address), IpAddr::V6(mask)) => std::net::Ipv6Addr::from_bits(address.to_bits() & mask.to_bits()).into(),
        (address, _) => address,
    }
}

pub(crate) fn ask<F: Family>(test: &Recent, facts: &Facts<F>, memory: &mut Memory, around: &Surroundings<'_>) -> Answer {
    let list = memory.recent.get_mut(&test.name).expect("there is a list for each name");
    let address = under((if test.destination { facts.header.dst } else { facts.header.src }).to_ip(), list.mask);
    // What goes out has lost a hop.
    let ttl = if facts.output.is_empty() { facts.header.ttl } else { facts.header.ttl.wrapping_add(1) };
    let same_ttl = |entry: &Entry| !test.ttl || ttl == 0 || entry.ttl == 0 || entry.ttl == ttl;
    let at = list.entries.iter().position(|entry| entry.address == address && same_ttl(entry));
    let Some(at) = at else {
        if test.action != Action::Set {
            return test.invert.into();
        }
        if list.entries.len() == ADDRESSES {
            list.entries.remove(0);
        }
        list.entries.push(Entry { address, ttl, times: vec![around.now] });
        return (!test.invert).into();
    };
    let enough = |entry: &Entry| {
        let recent = entry.times.iter().filter(|time| test.seconds == 0 || **time + u64::from(test.seconds) * 1000 >= around.now);
        recent.count() >= test.hits.max(1) as usize
    };
    let holds = match test.action {
        Action::Set | Action::Remove => true,
        Action::Check | Action::Update => enough(&list.entries[at]),
    };
    let answer = holds != test.invert;
    let is_noted = test.action == Action::Set || test.action == Action::Update && answer;
    let mut entry = list.entries[at].clone();
    let oldest = &list.entries[0];
    let is_old = oldest.times.last().is_some_and(|time| time + u64::from(test.seconds) * 1000 < around.now);
    let reaped = test.reap && is_old && !(is_noted && at == 0);
    if is_noted || test.action == Action::Remove {
        list.entries.remove(at);
    }
    if reaped {
        list.entries.remove(0);
    }
    if is_noted {
        entry.ttl = ttl;
        entry.times.push(around.now);
        if entry.times.len() > list.times {
            entry.times.remove(0);
        }
        list.entries.push(entry);
    }
    answer.into()
}
