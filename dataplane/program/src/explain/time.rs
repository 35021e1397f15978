//! When a rule holds, in words.

use core::fmt::{Result, Write};

use crate::time_test::TimeTest;

pub(super) fn write(test: &TimeTest, out: &mut String) -> Result {
    let TimeTest { date_start, date_stop, day_start, day_stop, month_days, week_days, contiguous, kernel_zone } = test;
    write!(out, "time {date_start}..={date_stop}, of the day {day_start}..={day_stop}")?;
    write!(out, ", days of the month {month_days:#010x}, of the week {week_days:#04x}")?;
    out.push_str(if *contiguous { ", a night is of the day on which it began" } else { "" });
    out.push_str(if *kernel_zone { ", in the kernel's zone" } else { "" });
    Ok(())
}
