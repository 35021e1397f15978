//! `time`, by a calendar that is counted through day by day.

use rules::matches::Time;

const DAY: i64 = 86_400;

/// A day: of which month's it is, and of the week, where Monday is 1.
#[derive(Clone, Copy)]
struct Day {
    of_month: u32,
    of_week: u32,
}

/// Counts from the first day of 1970, a Thursday.
fn day(number: i64) -> Day {
    let mut day = Day { of_month: 1, of_week: 4 };
    let (mut year, mut month) = (1970, 1);
    // The day before it, which only a time zone can ask for.
    if number < 0 {
        return Day { of_month: 31, of_week: 3 };
    }
    for _ in 0..number {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day.of_week = if day.of_week == 7 { 1 } else { day.of_week + 1 };
        day.of_month += 1;
        if day.of_month > last {
            day.of_month = 1;
            (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        }
    }
    day
}

/// Is it time, when a clock in Greenwich shows so many seconds since 1970?
pub(crate) fn ask(test: &Time, clock: i64, minutes_west: i32) -> bool {
    let here = if test.kernel_zone { clock - 60 * i64::from(minutes_west) } else { clock };
    if here < i64::from(test.date_start) || here > i64::from(test.date_stop) {
        return false;
    }
    // No rule begins before 1970.
    let (number, second) = (here / DAY, (here % DAY) as u32);
    let goes_over_midnight = test.day_start >= test.day_stop;
    let in_the_evening = second >= test.day_start;
    let in_the_morning = second <= test.day_stop;
    let is_time = if goes_over_midnight { in_the_evening || in_the_morning } else { in_the_evening && in_the_morning };
    let belongs_to_yesterday = goes_over_midnight && in_the_morning && test.contiguous;
    let day = day(if belongs_to_yesterday { number - 1 } else { number });
    is_time && u32::from(test.week_days) & 1 << day.of_week != 0 && test.month_days & 1 << day.of_month != 0
}
