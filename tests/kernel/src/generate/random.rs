//! The generators' own random numbers: splitmix64, the same on every machine and for all time, so that a seed names a case.

use std::net::{IpAddr, Ipv4Addr};

use super::PORTS;
use crate::world;

pub(super) struct Random {
    state: u64,
    /// Packets are to be IPv6.
    pub(super) ipv6: bool,
}

impl Random {
    pub(super) fn new(seed: u64, ipv6: bool) -> Self {
        Self { state: seed, ipv6 }
    }

    /// An address of the router's world, in the family of the packets.
    pub(super) fn address(&self, a: u8, b: u8, c: u8, d: u8) -> IpAddr {
        world::in_family(self.ipv6, Ipv4Addr::new(a, b, c, d))
    }

    /// One of several addresses that are wrong in their place, or one that is as wrong in IPv6.
    pub(super) fn wrong(&mut self, addresses: &[Ipv4Addr]) -> IpAddr {
        if !self.ipv6 {
            return (*self.pick(addresses)).into();
        }
        let wrong =
            *self.pick(&["::", "::1", "ff02::1", "ff05::5", "fe80::5", "fec0::1", "::ffff:10.0.0.2", "2001:db8:a00::", "fd00::1"]);
        let own = self.address(10, 0, 0, 1);
        wrong.parse().unwrap_or(own)
    }

    /// One of several such addresses.
    pub(super) fn one_of(&mut self, addresses: &[Ipv4Addr]) -> IpAddr {
        let address = *self.pick(addresses);
        world::in_family(self.ipv6, address)
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// `! ` now and then.
    pub(super) fn not(&mut self) -> &'static str {
        if self.chance(20) { "! " } else { "" }
    }

    /// One of [`PORTS`].
    pub(super) fn port(&mut self) -> u16 {
        *self.pick(&PORTS)
    }

    /// A port or a range as a rule has it, each end from [`PORTS`].
    pub(super) fn ports(&mut self) -> String {
        let (a, b) = (self.port(), self.port());
        match self.below(3) {
            0 => format!("{}:{}", a.min(b), a.max(b)),
            _ => a.to_string(),
        }
    }
}
