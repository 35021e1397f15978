//! `-m time`: when a packet comes.
mod words;

use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::fmt;
use words::{days_before, read_date, read_month_days, read_time, read_week_days};

/// Every part that is there must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Time {
    /// `--datestart`: seconds since 1970 from which it holds.
    pub date_start: u32,
    /// `--datestop`: seconds since 1970 up to which it holds.
    pub date_stop: u32,
    /// `--timestart`: second of the day.
    pub day_start: u32,
    /// `--timestop`: second of the day; before `day_start` the span goes over midnight.
    pub day_stop: u32,
    /// `--monthdays`: bit n is day n of the month; bit 0 is none.
    pub month_days: u32,
    /// `--weekdays`: bit 1 is Monday, bit 7 Sunday; bit 0 is none.
    pub week_days: u8,
    /// `--contiguous`: a span over midnight belongs to the day on which it began.
    pub contiguous: bool,
    /// `--kerneltz`: days and dates are those of the kernel's time zone, else UTC.
    pub kernel_zone: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "time", family: None, options: OPTIONS, build };

const DATE: Arg = Arg::Own { shape: "YYYY[-MM[-DD[Thh[:mm[:ss]]]]]", read: read_date };
const TIME: Arg = Arg::Own { shape: "HH:MM[:SS]", read: read_time };
const OPTIONS: &[Opt] = &[
    Opt::new("contiguous", Arg::None),
    Opt::new("datestart", DATE),
    Opt::new("datestop", DATE),
    Opt::new("kerneltz", Arg::None),
    Opt::new("localtz", Arg::None).excludes(&["utc"]).warns(LOCAL_ZONE),
    Opt::new("monthdays", Arg::Own { shape: "DAY[,...] (1-31)", read: read_month_days }).invertible(),
    Opt::new("timestart", TIME),
    Opt::new("timestop", TIME),
    Opt::new("utc", Arg::None).excludes(&["kerneltz", "localtz"]),
    Opt::new("weekdays", Arg::Own { shape: "DAY[,...] (Mon-Sun or 1-7)", read: read_week_days }).invertible(),
];

const LOCAL_ZONE: &str = "WARNING: --localtz is being replaced by --kerneltz, since \"local\" is ambiguous. Note the kernel timezone has caveats - see manpage for details.";

/// The last second of a day.
const DAY_END: u32 = 86_399;
/// The default of `--datestop`, which is always printed and never listed.
const DATE_END: u32 = i32::MAX as u32;
const MONTH_DAYS: u32 = 0xffff_fffe;
const WEEK_DAYS: u8 = 0xfe;
const WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let number = |option, default: u32| given.number(option).map_or(default, |number| number as u32);
    let time = Time {
        date_start: number("datestart", 0),
        date_stop: number("datestop", DATE_END),
        day_start: number("timestart", 0),
        day_stop: number("timestop", DAY_END),
        month_days: number("monthdays", MONTH_DAYS),
        week_days: number("weekdays", WEEK_DAYS.into()) as u8,
        contiguous: given.has("contiguous"),
        kernel_zone: given.has("kerneltz") || given.has("localtz"),
    };
    if time.contiguous && time.day_start < time.day_stop {
        return Err(UsageError::Needs("time: --contiguous only makes sense when stoptime is smaller than starttime"));
    }
    Ok(Match::Time(Box::new(time)))
}

/// A second of the day as `hh:mm:ss`.
struct Clock(u32);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.0 / 3_600, self.0 / 60 % 60, self.0 % 60)
    }
}

/// Seconds since 1970 as `YYYY-MM-DD`.
struct Date(u32);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = i64::from(self.0 / 86_400);
        let year = (1970..=2107).rfind(|year| days_before(*year, 1) <= days).unwrap_or(1970);
        let month = (1..=12).rfind(|month| days_before(year, *month) <= days).unwrap_or(1);
        write!(f, "{year:04}-{month:02}-{:02}", days - days_before(year, month) + 1)
    }
}

impl Time {
    fn has_clock(&self) -> bool {
        self.day_start != 0 || self.day_stop != DAY_END
    }

    fn week_text(&self) -> Option<String> {
        let names = WEEK.iter().enumerate().filter(|(place, _)| self.week_days >> (place + 1) & 1 == 1);
        (self.week_days != WEEK_DAYS).then(|| names.map(|(_, name)| *name).collect::<Vec<_>>().join(","))
    }

    fn month_text(&self, ordinal: bool) -> Option<String> {
        let days = (1..=31).filter(|day| self.month_days >> day & 1 == 1);
        let text = |day: u32| match day % 10 {
            _ if !ordinal => day.to_string(),
            // The 11st, as iptables has it.
            1 => format!("{day}st"),
            2 => format!("{day}nd"),
            3 => format!("{day}rd"),
            _ => format!("{day}th"),
        };
        (self.month_days != MONTH_DAYS).then(|| days.map(text).collect::<Vec<_>>().join(","))
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if self.has_clock() {
            out.value("timestart", false, Clock(self.day_start));
            out.value("timestop", false, Clock(self.day_stop));
        }
        if let Some(days) = self.month_text(false) {
            out.value("monthdays", false, days);
        }
        if let Some(days) = self.week_text() {
            out.value("weekdays", false, days);
        }
        if self.date_start != 0 {
            out.value("datestart", false, format_args!("{}T{}", Date(self.date_start), Clock(self.date_start % 86_400)));
        }
        out.value("datestop", false, format_args!("{}T{}", Date(self.date_stop), Clock(self.date_stop % 86_400)));
        if self.kernel_zone {
            out.flag("kerneltz", false);
        }
        if self.contiguous {
            out.flag("contiguous", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" TIME");
        if self.has_clock() {
            out.push_str(&format!(" from {} to {}", Clock(self.day_start), Clock(self.day_stop)));
        }
        for days in [self.week_text(), self.month_text(true)].into_iter().flatten() {
            out.push_str(&format!(" on {days}"));
        }
        if self.date_start != 0 {
            out.push_str(&format!(" starting from {} {}", Date(self.date_start), Clock(self.date_start % 86_400)));
        }
        if self.date_stop != DATE_END {
            out.push_str(&format!(" until date {} {}", Date(self.date_stop), Clock(self.date_stop % 86_400)));
        }
        if !self.kernel_zone {
            out.push_str(" UTC");
        }
        if self.contiguous {
            out.push_str(" contiguous");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_over_the_ends_of_months_and_leap_years() {
        assert_eq!(Date(0).to_string(), "1970-01-01");
        assert_eq!(Date(951_782_400).to_string(), "2000-02-29");
        assert_eq!(Date(u32::MAX).to_string(), "2106-02-07");
        assert_eq!(days_before(1970, 1), 0);
        assert_eq!(days_before(1970, 0), -31);
        assert_eq!(days_before(2000, 3) - days_before(2000, 2), 29);
        assert_eq!(days_before(2019, 3) - days_before(2019, 2), 28);
    }
}
