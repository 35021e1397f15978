//! What tracking did with packets, by the names of `conntrack -S`.

/// How many there are.
pub(crate) const COUNTS: usize = 9;

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
    /// Flows that began as others had announced.
    pub expect_new: u64,
    /// Flows that were announced.
    pub expect_create: u64,
    /// Announced flows that are expected no more.
    pub expect_delete: u64,
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
            expect_new: self.expect_new + other.expect_new,
            expect_create: self.expect_create + other.expect_create,
            expect_delete: self.expect_delete + other.expect_delete,
        }
    }

    pub(crate) fn cells(&self) -> [u64; COUNTS] {
        let Self { found, invalid, insert_failed, drop, early_drop, error, expect_new, expect_create, expect_delete } = *self;
        [found, invalid, insert_failed, drop, early_drop, error, expect_new, expect_create, expect_delete]
    }

    pub(crate) fn of_cells(cells: [u64; COUNTS]) -> Self {
        let [found, invalid, insert_failed, drop, early_drop, error, expect_new, expect_create, expect_delete] = cells;
        Self { found, invalid, insert_failed, drop, early_drop, error, expect_new, expect_create, expect_delete }
    }
}
