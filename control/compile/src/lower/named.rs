//! Matches whose memory has a name.

use std::net::IpAddr;

use packet::Family;
use program::{Match, NamedTest, RecentAction, RecentTest};
use rules::matches::{Recent, recent};

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
