//! What all workers write: few things, each of fixed size, each changed by atomic operations alone. Allocated at boot.

use std::sync::Arc;

use packet::Ipv4;

use crate::conntrack::expect::Expectations;
use crate::credits::Credits;
use crate::nat::cone::Cones;
use crate::rng::Rng;
use crate::walk::pace::Pace;

/// `nf_conntrack_expect_max`: what the kernel has with its default table.
const EXPECTATIONS: u32 = 4096;

/// What the workers of one box share. One object for all of them.
#[derive(Debug)]
pub struct Shared {
    /// How often the box answers.
    pub(crate) pace: Pace,
    /// How many flows there may be.
    pub(crate) credits: Credits,
    /// Connections that others announced.
    pub(crate) expectations: Arc<Expectations<Ipv4>>,
    /// Outside ends that are one inside end's towards everybody.
    pub(crate) cones: Cones<Ipv4>,
}

impl Shared {
    /// For so many workers with so many flows among them. The seed keys its tables.
    pub fn new(workers: u16, flows: u32, seed: u64) -> Self {
        let mut keys = Rng::new(seed);
        let expectations = Arc::new(Expectations::new(EXPECTATIONS, [keys.next_u64(), keys.next_u64()]));
        let cones = Cones::new(flows, core::array::from_fn(|_| [keys.next_u64(), keys.next_u64()]));
        Self { cones, pace: Pace::new(seed), credits: Credits::new(flows, workers), expectations }
    }
}
