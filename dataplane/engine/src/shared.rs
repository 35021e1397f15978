//! What all workers write: few things, each of fixed size, each changed by atomic operations alone. Allocated at boot.

use std::sync::Arc;

use packet::{Family, Ipv4, Ipv6};

use crate::conntrack::counted::Lists;
use crate::conntrack::expect::Expectations;
use crate::credits::Credits;
use crate::nat::cone::Cones;
use crate::rng::Rng;
use crate::synproxy::cookie::Cookies;
use crate::walk::pace::Pace;

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
    /// For so many workers with so many flows among them, that may announce so many others, of each family. The seed keys its tables.
    pub fn new(workers: u16, flows: u32, expectations: u32, seed: u64) -> Self {
        let mut keys = Rng::new(seed);
        let ipv4 = Arc::new(FamilyShared::new(flows, expectations, &mut keys));
        let ipv6 = Arc::new(FamilyShared::new(flows, expectations, &mut keys));
        let cookies = Cookies::new(core::array::from_fn(|_| [keys.next_u64(), keys.next_u64()]));
        Self { cookies, pace: Pace::new(seed), credits: Credits::new(flows, workers), ipv4, ipv6 }
    }

    /// With these keys for SYNPROXY's cookies, in place of what the seed gives. Strangers see cookies, so a box has their keys from the system.
    #[must_use]
    pub fn with_cookie_keys(self, keys: [[u64; 2]; 2]) -> Self {
        Self { cookies: Cookies::new(keys), ..self }
    }
}

impl<F: Family> FamilyShared<F> {
    fn new(flows: u32, expectations: u32, keys: &mut Rng) -> Self {
        let expectations = Arc::new(Expectations::new(expectations, [keys.next_u64(), keys.next_u64()]));
        let cones = Cones::new(flows, core::array::from_fn(|_| [keys.next_u64(), keys.next_u64()]));
        let lists = Arc::new(Lists::new(flows, [keys.next_u64(), keys.next_u64()]));
        Self { expectations, lists, cones }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_has_room_for_as_many_expectations_as_was_said() {
        let shared = Shared::new(2, 64, 7, 1);
        assert_eq!((shared.ipv4.expectations.most(), shared.ipv6.expectations.most()), (7, 7));
    }
}
