//! `-m time`: when a packet comes, by the wall clock (`xt_time.c`).

use serde::{Deserialize, Serialize};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Days of the week, bit 1 Monday to bit 7 Sunday.
const WEEK_DAYS: u8 = 0xfe;
/// Days of the month, bit 1 to bit 31.
const MONTH_DAYS: u32 = 0xffff_fffe;

/// When a rule holds. All parts must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeTest {
    /// `--datestart`: seconds since 1970.
    pub date_start: u32,
    /// `--datestop`: the last second since 1970. Never later than the end of 2038, for iptables takes no other date.
    pub date_stop: u32,
    /// `--timestart`: second of the day.
    pub day_start: u32,
    /// `--timestop`: the last second of the day. Not behind `day_start`: the span goes over midnight, and if they are equal it is the whole day.
    pub day_stop: u32,
    /// `--monthdays`: bit n is day n of the month.
    pub month_days: u32,
    /// `--weekdays`: bit 1 is Monday, bit 7 Sunday.
    pub week_days: u8,
    /// `--contiguous`: what is behind midnight belongs to the day before it.
    pub contiguous: bool,
    /// `--kerneltz`: by the kernel's time zone; else UTC.
    pub kernel_zone: bool,
}

/// What a clock on the wall shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WallTime {
    /// Seconds since 1970, UTC.
    pub seconds: i64,
    /// The kernel's time zone: minutes west of Greenwich.
    pub minutes_west: i32,
}

impl TimeTest {
    /// Is it time?
    pub fn holds(&self, now: WallTime) -> bool {
        let seconds = now.seconds - if self.kernel_zone { 60 * i64::from(now.minutes_west) } else { 0 };
        if seconds < i64::from(self.date_start) || seconds > i64::from(self.date_stop) {
            return false;
        }
        let (mut day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY) as u32);
        let (is_begun, is_not_over) = (second >= self.day_start, second <= self.day_stop);
        if self.day_start < self.day_stop {
            if !is_begun || !is_not_over {
                return false;
            }
        } else {
            if !is_begun && !is_not_over {
                return false;
            }
            if self.contiguous && is_not_over {
                day -= 1;
            }
        }
        self.week_days >> week_day(day) & 1 == 1 && (self.month_days == MONTH_DAYS || self.month_days >> month_day(day) & 1 == 1)
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if i64::from(self.day_start) >= DAY || i64::from(self.day_stop) >= DAY {
            return Err("a second that no day has");
        }
        if self.week_days & !WEEK_DAYS != 0 || self.month_days & !MONTH_DAYS != 0 {
            return Err("day 0 of a week or of a month");
        }
        Ok(())
    }
}

/// Monday is 1, Sunday 7. Day 0 was a Thursday.
fn week_day(day: i64) -> u8 {
    ((day + 3).rem_euclid(7) + 1) as u8
}

/// Which day of its month a day since 1970 is, from 1. Years begin in March here, so that a leap day is the last of its year.
fn month_day(day: i64) -> u8 {
    // Days since the first of March of year 0, within their 400 years.
    let day = (day + 719_468).rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    // Months of 31 and of 30 days in turn, from March and again from August and from January: 153 days in five of them.
    let month = (5 * of_year + 2) / 153;
    (of_year - (153 * month + 2) / 5 + 1) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: TimeTest = TimeTest {
        date_start: 0,
        date_stop: i32::MAX as u32,
        day_start: 0,
        day_stop: 86_399,
        month_days: MONTH_DAYS,
        week_days: WEEK_DAYS,
        contiguous: false,
        kernel_zone: false,
    };
    /// Wednesday, 2024-02-28, midnight.
    const LEAP: i64 = 1_709_078_400;

    fn at(seconds: i64) -> WallTime {
        WallTime { seconds, minutes_west: 0 }
    }

    #[test]
    fn every_day_from_1969_to_2105_is_what_counting_says() {
        let (mut month, mut of_month, mut year, mut of_week) = (1, 1, 1969, 3);
        for day in -365..49_000 {
            assert_eq!((week_day(day), month_day(day)), (of_week, of_month), "day {day}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
            of_week = of_week % 7 + 1;
            of_month += 1;
            if of_month > days {
                (month, of_month) = (month % 12 + 1, 1);
                year += i32::from(month == 1);
            }
        }
    }

    #[test]
    fn both_ends_of_each_span_belong_to_it() {
        let day = TimeTest { day_start: 100, day_stop: 200, ..ALWAYS };
        assert_eq!([99, 100, 200, 201].map(|second| day.holds(at(LEAP + second))), [false, true, true, false]);
        let dates = TimeTest { date_start: LEAP as u32, date_stop: LEAP as u32 + 5, ..ALWAYS };
        assert_eq!([-1, 0, 5, 6].map(|second| dates.holds(at(LEAP + second))), [false, true, true, false]);
        let night = TimeTest { day_start: 200, day_stop: 100, ..ALWAYS };
        assert_eq!([100, 101, 199, 200].map(|second| night.holds(at(LEAP + second))), [true, false, false, true]);
    }

    #[test]
    fn a_span_that_begins_when_it_ends_is_the_whole_day() {
        let all = TimeTest { day_start: 200, day_stop: 200, ..ALWAYS };
        assert!([0, 199, 200, 201, 86_399].map(|second| all.holds(at(LEAP + second))) == [true; 5]);
    }

    #[test]
    fn a_night_of_wednesday_ends_on_thursday_if_it_is_contiguous() {
        let (evening, morning) = (LEAP + 80_000, LEAP + DAY + 5);
        let night = TimeTest { day_start: 70_000, day_stop: 10, week_days: 1 << 3, ..ALWAYS };
        assert_eq!([LEAP + 5, evening, morning].map(|time| night.holds(at(time))), [true, true, false]);
        let night = TimeTest { contiguous: true, ..night };
        assert_eq!([LEAP + 5, evening, morning].map(|time| night.holds(at(time))), [false, true, true]);
        // So of days of the month: what is behind midnight of the 29th is of the 29th.
        let night = TimeTest { week_days: WEEK_DAYS, month_days: 1 << 29, ..night };
        assert_eq!(
            [LEAP + DAY + 5, LEAP + 2 * DAY + 5, LEAP + 3 * DAY + 5].map(|time| night.holds(at(time))),
            [false, true, false]
        );
    }

    #[test]
    fn the_kernels_zone_moves_days_and_dates() {
        let zone = |seconds, minutes_west| WallTime { seconds, minutes_west };
        let wednesday = TimeTest { week_days: 1 << 3, kernel_zone: true, ..ALWAYS };
        assert!(!wednesday.holds(zone(LEAP + 60 * 59, 60)) && wednesday.holds(zone(LEAP + 60 * 60, 60)));
        assert!(!wednesday.holds(zone(LEAP - 60 * 60 - 1, -60)) && wednesday.holds(zone(LEAP - 60 * 60, -60)));
        let date = TimeTest { date_start: LEAP as u32, kernel_zone: true, ..ALWAYS };
        assert!(!date.holds(zone(LEAP, 1)) && date.holds(zone(LEAP - 60, -1)));
        let utc = TimeTest { kernel_zone: false, ..date };
        assert!(utc.holds(zone(LEAP, 1)) && !utc.holds(zone(LEAP - 60, -1)), "UTC has no zone");
    }

    #[test]
    fn behind_the_last_date_nothing_holds() {
        assert!(ALWAYS.holds(at(i64::from(i32::MAX))) && !ALWAYS.holds(at(i64::from(i32::MAX) + 1)));
        assert!(![i64::MIN / 2, -1, i64::MAX / 2].iter().any(|time| ALWAYS.holds(at(*time))));
    }

    #[test]
    fn what_no_clock_shows_is_refused() {
        assert!(ALWAYS.check().is_ok());
        let wrong = [
            TimeTest { day_start: 86_400, ..ALWAYS },
            TimeTest { day_stop: u32::MAX, ..ALWAYS },
            TimeTest { week_days: 0xff, ..ALWAYS },
            TimeTest { month_days: 1, ..ALWAYS },
        ];
        assert!(wrong.iter().all(|test| test.check().is_err()));
    }
}
