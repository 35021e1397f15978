//! What tracking did with packets, by the names of `conntrack -S`.

/// Counts that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tuples that NAT could not choose because a flow has them.
    pub found: u64,
    /// Packets that belong to no flow and may begin none.
    pub invalid: u64,
    /// Flows that could not be confirmed because another has their tuple.
    pub insert_failed: u64,
    /// Packets that were dropped: no room for their flow, or it could not be confirmed.
    pub drop: u64,
    /// Flows that were ended before their time to make way for others.
    pub early_drop: u64,
    /// ICMP messages that belong to no flow and are no queries.
    pub error: u64,
}

impl Tally {
    /// Both families, or several workers.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            found: self.found + other.found,
            invalid: self.invalid + other.invalid,
            insert_failed: self.insert_failed + other.insert_failed,
            drop: self.drop + other.drop,
            early_drop: self.early_drop + other.early_drop,
            error: self.error + other.error,
        }
    }

    pub(crate) fn cells(&self) -> [u64; 6] {
        [self.found, self.invalid, self.insert_failed, self.drop, self.early_drop, self.error]
    }

    pub(crate) fn of_cells([found, invalid, insert_failed, drop, early_drop, error]: [u64; 6]) -> Self {
        Self { found, invalid, insert_failed, drop, early_drop, error }
    }
}
