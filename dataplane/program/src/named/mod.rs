//! Matches whose memory has a name: rules of one name share it, whatever tables they are in, and it lives as long as a rule names it.

mod hashlimit;
mod recent;

use packet::Family;
use serde::{Deserialize, Serialize};

pub use hashlimit::{HashlimitGroup, HashlimitRate, HashlimitTest, MOST as MOST_BUCKETS};
pub use recent::{RecentAction, RecentTest};

/// A test that asks what stands under a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NamedTest {
    /// `-m hashlimit`
    Hashlimit(HashlimitTest),
    /// `-m recent`
    Recent(RecentTest),
}

impl NamedTest {
    /// What is wrong with it.
    pub(crate) fn check<F: Family>(&self) -> Result<(), &'static str> {
        match self {
            Self::Hashlimit(test) => test.check::<F>(),
            Self::Recent(test) => test.check(),
        }
    }
}
