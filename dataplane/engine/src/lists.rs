//! The lists of `-m recent`, looked at and changed from outside: what `/proc/net/xt_recent` is in the kernel (`recent_seq_show` and
//! `recent_mt_proc_write` of `xt_recent.c`).
//!
//! What is done by hand is done as by a packet of that address: workers that note it at the same time do so before or behind it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::named::{NamedHash, Names};
use crate::recent::{Address, Full, List};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::time::Time;

/// An address of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub address: IpAddr,
    /// Of the packet that was noted last; 0 if it was noted by hand.
    pub ttl: u8,
    /// Which of `times` is the last, counted from 1: behind it stands the next one, and after the last place the first again.
    pub last: u32,
    /// When it was noted, in milliseconds of the workers' time, by places.
    pub times: Vec<u64>,
}

/// What is done to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The address is noted now. All its bits count, whatever the rules' mask is.
    Note(IpAddr),
    /// It is forgotten, if it is there.
    Forget(IpAddr),
    /// All are forgotten.
    Clear,
}

/// There is no room for the address, not even that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// One list.
#[derive(Clone, Debug)]
pub struct RecentList(Arc<List>);

impl RecentList {
    /// The names of the lists that rules of this program name, in order.
    pub fn names(snapshot: &Snapshot) -> Vec<String> {
        Names::running(&snapshot.program, &snapshot.states).into_recent().map(|(name, _)| name).collect()
    }

    /// The list of this name; `None` if no rule names it.
    pub fn find(snapshot: &Snapshot, name: &str) -> Option<Self> {
        let mut all = Names::running(&snapshot.program, &snapshot.states).into_recent();
        all.find(|(of, _)| of == name).map(|(_, list)| Self(list))
    }

    /// Its addresses, the one that was noted least lately first.
    pub fn entries(&self, now: Time) -> Vec<Entry> {
        let shown = self.0.shown(now).into_iter();
        shown.map(|(address, ttl, last, times)| Entry { address: ip(address), ttl, last, times }).collect()
    }

    /// Does this to it.
    ///
    /// # Errors
    /// When an address cannot be noted; nothing has changed then.
    pub fn change(&self, change: Change, shared: &Shared, now: Time) -> Result<(), NoRoom> {
        self.work(change, &shared.named, now).map_err(|Full| NoRoom)
    }

    fn work(&self, change: Change, hash: &NamedHash, now: Time) -> Result<(), Full> {
        match change {
            Change::Note(ip) => {
                let address = address(ip);
                self.0.note_by_hand(address, address.hash(hash), now)
            }
            Change::Forget(ip) => {
                let address = address(ip);
                self.0.forget(address, address.hash(hash), now);
                Ok(())
            }
            Change::Clear => {
                self.0.clear();
                Ok(())
            }
        }
    }
}

fn address(ip: IpAddr) -> Address {
    match ip {
        IpAddr::V4(ip) => Address { bits: u128::from(ip.to_bits()) << 96, is_ipv6: false },
        IpAddr::V6(ip) => Address { bits: ip.to_bits(), is_ipv6: true },
    }
}

fn ip(address: Address) -> IpAddr {
    match address.is_ipv6 {
        false => IpAddr::V4(Ipv4Addr::from_bits((address.bits >> 96) as u32)),
        true => IpAddr::V6(Ipv6Addr::from_bits(address.bits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(times: u32) -> (RecentList, NamedHash) {
        (RecentList(Arc::new(List::new(times, u128::MAX))), NamedHash::new([1, 2]))
    }

    fn at(millis: u64) -> Time {
        Time(millis * 1_000_000)
    }

    #[test]
    fn what_is_noted_by_hand_is_shown_as_the_kernel_shows_it() {
        let (list, hash) = list(4);
        let (one, six): (IpAddr, IpAddr) = ("1.2.3.4".parse().unwrap(), "2001:db8::1".parse().unwrap());
        list.work(Change::Note(one), &hash, at(10)).unwrap();
        list.work(Change::Note(six), &hash, at(11)).unwrap();
        list.work(Change::Note(one), &hash, at(12)).unwrap();
        let entry = |address, last, times: &[u64]| Entry { address, ttl: 0, last, times: times.to_vec() };
        assert_eq!(list.entries(at(20)), [entry(six, 1, &[11]), entry(one, 2, &[10, 12])]);
        // As the kernel does with 33 notes of 32: the first place has the last time.
        for millis in 13..16 {
            list.work(Change::Note(one), &hash, at(millis)).unwrap();
        }
        assert_eq!(list.entries(at(20))[1], entry(one, 1, &[15, 12, 13, 14]));
        list.work(Change::Forget(one), &hash, at(20)).unwrap();
        list.work(Change::Forget(one), &hash, at(20)).unwrap();
        assert_eq!(list.entries(at(20)), [entry(six, 1, &[11])]);
        list.work(Change::Clear, &hash, at(20)).unwrap();
        assert_eq!(list.entries(at(20)), []);
        list.work(Change::Note(one), &hash, at(21)).unwrap();
        assert_eq!(list.entries(at(22)), [entry(one, 1, &[21])], "nothing is left of what it was");
    }

    #[test]
    fn a_list_of_one_time_shows_the_last() {
        let (list, hash) = list(1);
        let one = "1.1.1.1".parse().unwrap();
        for millis in [5, 7] {
            list.work(Change::Note(one), &hash, at(millis)).unwrap();
        }
        assert_eq!(list.entries(at(9)), [Entry { address: one, ttl: 0, last: 1, times: vec![7] }]);
    }

    #[test]
    fn of_more_than_a_hundred_the_first_ones_go() {
        let (list, hash) = list(1);
        for (number, millis) in (1..=130).zip(0..) {
            list.work(Change::Note(IpAddr::V4(Ipv4Addr::from_bits(number))), &hash, at(millis)).unwrap();
        }
        let entries = list.entries(at(200));
        assert!(
            entries.len() <= 100 && entries.last().unwrap().address == IpAddr::V4(Ipv4Addr::from_bits(130)),
            "{}",
            entries.len()
        );
    }
}
