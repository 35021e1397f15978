//! `time`: rules that begin and end minutes, hours and days round now. The kernel's clock cannot be set for a namespace, so that rules are drawn round what it
//! shows, and keep away from it.

use super::random::Random;
use super::{Made, Rules, any_packet, send};

/// Seconds of a day.
const DAY: u64 = 86_400;
/// Seconds within which a case is over: no rule decides otherwise within them, before the clock's second or behind it.
const AWAY: u64 = 60;
const WEEK: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

pub(super) fn case(random: &mut Random, clock: u64) -> Made {
    let mut rules = Rules::default();
    for _ in 0..random.between(3, 8) {
        let (table, chain) = *random.pick(&[
            ("raw", "PREROUTING"),
            ("mangle", "PREROUTING"),
            ("mangle", "POSTROUTING"),
            ("filter", "INPUT"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("filter", "FORWARD"),
            ("nat", "PREROUTING"),
        ]);
        let which = *random.pick(&["", "", "", "-p udp ", "-p tcp ", "-p tcp --dport 80 "]);
        let target = match random.below(8) {
            0 | 1 if table != "nat" => "-j DROP",
            2 if table == "filter" => "-j REJECT",
            3 => "-j RETURN",
            4 => "-j ACCEPT",
            _ => "",
        };
        // A transport test may stand behind it as well.
        let behind = if which.is_empty() && random.chance(20) { "-p udp -m udp --dport 53 " } else { "" };
        rules.add(table, chain, &format!("{which}{}{behind}{target}", test(random, clock)));
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(3, 10) {
        let (port, ip) = any_packet(random);
        send(random, &mut steps, port, &ip);
    }
    (rules, steps)
}

/// One test.
fn test(random: &mut Random, clock: u64) -> String {
    let mut words = "-m time ".to_owned();
    let is_timed = random.chance(60) && !is_near_midnight(clock);
    if is_timed {
        let second = clock % DAY;
        let (start, stop) = (random.chance(80).then(|| of_day(random, second)), random.chance(80).then(|| of_day(random, second)));
        // As the real one has it: the whole day is from its first second to its last.
        let goes_on = start.unwrap_or(0) >= stop.unwrap_or(DAY - 1);
        words += &start.map_or_else(String::new, |start| format!("--timestart {} ", time(start)));
        words += &stop.map_or_else(String::new, |stop| format!("--timestop {} ", time(stop)));
        words += if goes_on && random.chance(60) { "--contiguous " } else { "" };
    }
    if random.chance(40) {
        words += &list(random, "weekdays", clock, |day| WEEK[(day % 7) as usize].to_owned());
    }
    if random.chance(40) {
        words += &list(random, "monthdays", clock, |day| date(day).2.to_string());
    }
    for option in ["datestart", "datestop"] {
        if random.chance(25) {
            let (day, second) = date_near(random, clock);
            let (year, month, day) = date(day);
            words += &format!("--{option} {year}-{month:02}-{day:02}T{} ", time(second));
        }
    }
    // The machine's zone is whoever's runs it; nearly always it is none.
    words + *random.pick(&["", "", "", "--utc "])
}

/// A second of the day on one side of now, far or near.
fn of_day(random: &mut Random, now: u64) -> u64 {
    let far = *random.pick(&[AWAY, AWAY + 1, 3600, 7200, DAY / 2]) + random.below(5) * 37;
    let drawn = match random.below(8) {
        0 => 0,
        1 => DAY - 1,
        2..=4 => (now + far) % DAY,
        _ => (now + DAY - far) % DAY,
    };
    if drawn.abs_diff(now) < AWAY { (now + DAY / 2) % DAY } else { drawn }
}

/// A day since 1970 and its second, on one side of now. Dates end with 2037.
fn date_near(random: &mut Random, now: u64) -> (u64, u64) {
    let far = *random.pick(&[AWAY, 3600, DAY, 2 * DAY, 40 * DAY, 400 * DAY]) + random.below(100);
    let drawn = if random.chance(50) { now + far } else { now - far };
    let drawn = drawn.min(2_145_916_799);
    (drawn / DAY, drawn % DAY)
}

/// May today be over before the case is? Then no rule speaks of times of the day, and lists of days have yesterday and tomorrow with today.
fn is_near_midnight(clock: u64) -> bool {
    !(AWAY..DAY - AWAY).contains(&(clock % DAY))
}

/// Days round today, today among them or not.
fn list(random: &mut Random, option: &str, clock: u64, name: impl Fn(u64) -> String) -> String {
    let today = clock / DAY;
    let mut days: Vec<String> = if is_near_midnight(clock) {
        (0..3).map(|more| name(today - 1 + more)).collect()
    } else {
        (0..random.between(1, 3)).map(|_| name(today - 2 + random.below(4))).collect()
    };
    days.sort();
    days.dedup();
    format!("{}--{option} {} ", random.not(), days.join(","))
}

fn time(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a day since 1970.
fn date(day: u64) -> (u64, u64, u64) {
    let (mut year, mut month, mut left) = (1970, 1, day);
    loop {
        let days = match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if left < days {
            return (year, month, left + 1);
        }
        left -= days;
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_keep_away_from_now() {
        let mut random = Random::new(1, false);
        for now in [60, 61, 43_200, 86_339] {
            assert!(!is_near_midnight(now));
            for _ in 0..200 {
                assert!(of_day(&mut random, now).abs_diff(now) >= AWAY);
            }
        }
        assert_eq!([date(0), date(59), date(20_785)], [(1970, 1, 1), (1970, 3, 1), (2026, 11, 28)]);
    }
}
