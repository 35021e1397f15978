//! Matches whose memory has a name.

use std::net::IpAddr;

use packet::{Family, FamilyId};
use program::{HashlimitGroup, HashlimitRate, HashlimitTest, Match, NamedTest, RecentAction, RecentTest};
use rules::matches::hashlimit::Rate;
use rules::matches::{Hashlimit, Recent, recent};

use super::{Lowering, append};
use crate::error::Reason;

impl<F: Family> Lowering<'_, F> {
    pub(super) fn named(&mut self, test: NamedTest) -> Result<Match, Reason> {
        append(&mut self.table.named_tests, &[test], "tests of what has a name").map(|run| Match::Named(run.first))
    }
}

/// As 128 bits, of which those of IPv4 are the highest.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

pub(super) fn recent(test: &Recent) -> NamedTest {
    let action = match test.action {
        recent::Action::Set => RecentAction::Set,
        recent::Action::Check => RecentAction::Check,
        recent::Action::Update => RecentAction::Update,
        recent::Action::Remove => RecentAction::Remove,
    };
    // iptables says all bits of any address where nothing is said.
    let is_all = matches!(test.mask, IpAddr::V4(mask) if mask.to_bits() == u32::MAX);
    NamedTest::Recent(RecentTest {
        list: test.name.to_string(),
        mask: if is_all { u128::MAX } else { bits(test.mask) },
        action,
        not: test.invert,
        destination: test.destination,
        seconds: test.seconds,
        hits: test.hits,
        ttl: test.ttl,
        reap: test.reap,
    })
}

/// Bits of `Hashlimit::group`.
const DST: u8 = 1;
const DPORT: u8 = 2;
const SRC: u8 = 4;
const SPORT: u8 = 8;

pub(super) fn hashlimit<F: Family>(test: &Hashlimit) -> Result<NamedTest, Reason> {
    let rate = match (test.rate, test.interval) {
        (Rate::Packets { period, burst }, None) => HashlimitRate::packets(period, burst),
        (Rate::Packets { period, burst }, Some(interval)) => HashlimitRate::measured_packets(period, burst, interval),
        (Rate::Bytes { price, burst }, None) => HashlimitRate::bytes(price, burst),
        (Rate::Bytes { price, burst }, Some(interval)) => HashlimitRate::measured_bytes(price, burst, interval),
    };
    let group = &test.group;
    let all = if F::ID == FamilyId::Ipv4 { 32 } else { 128 };
    let mask = |part: u8, prefix: Option<u8>| match prefix.unwrap_or(all).min(all) {
        _ if group.parts & part == 0 => 0,
        0 => 0,
        bits => u128::MAX << (128 - u32::from(bits)),
    };
    Ok(NamedTest::Hashlimit(HashlimitTest {
        table: test.name.to_string(),
        above: test.above,
        rate: rate.ok_or(Reason::Value("the rate's burst is 0, or so long at this rate that it cannot be counted"))?,
        group: HashlimitGroup {
            src: mask(SRC, group.src_prefix),
            dst: mask(DST, group.dst_prefix),
            sport: group.parts & SPORT != 0,
            dport: group.parts & DPORT != 0,
        },
        size: test.size,
        max: test.max,
        gc_interval: test.gc_interval,
        expire: test.expire,
    }))
}
