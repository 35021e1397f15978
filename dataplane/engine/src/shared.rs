//! What all workers write: few things, each of fixed size, each changed by atomic operations alone. Allocated at boot.

use std::sync::Arc;

use packet::{Family, Ipv4, Ipv6};

use crate::conntrack::counted::Lists;
use crate::conntrack::expect::Expectations;
use crate::credits::Credits;
use crate::keys::Keys;
use crate::named::NamedHash;
use crate::nat::cone::Cones;
use crate::synproxy::cookie::Cookies;
use crate::walk::pace::Pace;
use crate::wall::WallClock;

/// `nf_conntrack_expect_max`: what the kernel has with its default table.
pub const EXPECTATIONS: u32 = 4096;

/// What the workers of one box share. One object for all of them.
#[derive(Debug)]
pub struct Shared {
    /// How often the box answers.
    pub(crate) pace: Pace,
    /// How many flows there may be.
    pub(crate) credits: Credits,
    /// The keys of SYNPROXY's cookies.
    pub(crate) cookies: Cookies,
    /// By which matches find what has a name.
    pub(crate) named: NamedHash,
    /// What clocks on the wall show.
    pub(crate) wall: WallClock,
    pub(crate) ipv4: Arc<FamilyShared<Ipv4>>,
    pub(crate) ipv6: Arc<FamilyShared<Ipv6>>,
}

/// What they share of one family.
#[derive(Debug)]
pub(crate) struct FamilyShared<F: Family> {
    /// Connections that others announced.
    pub(crate) expectations: Arc<Expectations<F>>,
    /// Connections by address, for `connlimit`.
    pub(crate) lists: Arc<Lists>,
    /// Outside ends that are one inside end's towards everybody.
    pub(crate) cones: Cones<F>,
}

impl Shared {
    /// For so many workers with so many flows among them, that may announce so many others, of each family. Its tables and cookies
    /// have keys of their own.
    pub fn new(workers: u16, flows: u32, expectations: u32, keys: &mut Keys) -> Self {
        let ipv4 = Arc::new(FamilyShared::new(flows, expectations, keys));
        let ipv6 = Arc::new(FamilyShared::new(flows, expectations, keys));
        let cookies = Cookies::new(core::array::from_fn(|_| keys.draw()));
        let pace = Pace::new(keys.draw()[0]);
        let (named, wall) = (NamedHash::new(keys.draw()), WallClock::default());
        Self { cookies, pace, named, wall, credits: Credits::new(flows, workers), ipv4, ipv6 }
    }

    /// The clock that all workers look at. Whoever runs them sets it, and again whenever the machine's is set.
    pub fn wall(&self) -> &WallClock {
        &self.wall
    }
}

impl<F: Family> FamilyShared<F> {
    fn new(flows: u32, expectations: u32, keys: &mut Keys) -> Self {
        let expectations = Arc::new(Expectations::new(expectations, keys.draw()));
        let cones = Cones::new(flows, core::array::from_fn(|_| keys.draw()));
        let lists = Arc::new(Lists::new(flows, keys.draw()));
        Self { expectations, lists, cones }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_room_for_as_many_expectations_as_was_said() {
        let shared = Shared::new(2, 64, 7, &mut Keys::new([1, 2]));
        assert_eq!((shared.ipv4.expectations.most(), shared.ipv6.expectations.most()), (7, 7));
    }
}
