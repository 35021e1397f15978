//! `-m time`.

use packet::Family;
use program::{Match, TimeTest};
use rules::matches::Time;

use super::{Lowering, append};
use crate::error::Reason;

impl<F: Family> Lowering<'_, F> {
    pub(super) fn time(&mut self, test: &Time) -> Result<Match, Reason> {
        let Time { date_start, date_stop, day_start, day_stop, month_days, week_days, contiguous, kernel_zone } = *test;
        let test = TimeTest { date_start, date_stop, day_start, day_stop, month_days, week_days, contiguous, kernel_zone };
        append(&mut self.table.time_tests, &[test], "time tests").map(|run| Match::Time(run.first))
    }
}
