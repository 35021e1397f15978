//! The bars: what the design promises of speed, each as a bound on figures that the benchmarks give. All of them are here.

use std::fmt;

use crate::{Record, Results};

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// What is promised, in words.
    pub what: &'static str,
    /// What is held against it.
    of: Of,
    at_most: f64,
    unit: &'static str,
}

/// What a bound is put on.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// Nanoseconds a packet on top of receiving and sending.
    Net(&'static str),
    /// Nanoseconds a packet more than under the rules that it is compared to.
    More(&'static str),
    /// How many times as long as under those.
    Times(&'static str),
    /// How many times as long as another one.
    TimesOther(&'static str, &'static str),
    /// By how many instructions in a hundred it differs from another one.
    Instructions(&'static str, &'static str),
    /// By how much a number is greater than another one.
    Difference(&'static str, &'static str),
    /// Numbers together.
    Sum(&'static [&'static str]),
    /// How many times as great as another one a number is.
    Ratio(&'static str, &'static str),
    /// A number by itself.
    Alone(&'static str),
}

/// How a bar stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// The value is within its bound.
    Met(f64),
    /// It is not.
    Missed(f64),
    /// Nothing was measured that it could be held against.
    Unmeasured,
}

const fn bar(what: &'static str, of: Of, at_most: f64, unit: &'static str) -> Bar {
    Bar { what, of, at_most, unit }
}

/// The worst packet's lookup, to the median of all.
macro_rules! worst {
    ($rules:literal) => {
        Of::Ratio(concat!($rules, ", a packet again and again, worst"), concat!($rules, ", a packet again and again, median"))
    };
}

/// The bars, in the order of the pages that ask for them.
pub const BARS: &[Bar] = &[
    bar("a lookup among 10,000 rules, acl", Of::Alone("tree/lookup acl 10000"), 60.0, "ns"),
    bar("a lookup among 10,000 rules, fw", Of::Alone("tree/lookup fw 10000"), 90.0, "ns"),
    bar("a lookup among 10,000 rules, ipc", Of::Alone("tree/lookup ipc 10000"), 60.0, "ns"),
    bar("a lookup among 100,000 rules, acl", Of::Alone("tree/lookup acl 100000"), 100.0, "ns"),
    bar("a lookup among 100,000 rules, fw", Of::Alone("tree/lookup fw 100000"), 150.0, "ns"),
    bar("a lookup among 100,000 rules, ipc", Of::Alone("tree/lookup ipc 100000"), 100.0, "ns"),
    bar(
        "a lookup of IPv6 among 10,000 rules, to IPv4, acl",
        Of::Ratio("tree/lookup of IPv6 acl 10000", "tree/lookup acl 10000"),
        1.5,
        "times",
    ),
    bar(
        "a lookup of IPv6 among 10,000 rules, to IPv4, fw",
        Of::Ratio("tree/lookup of IPv6 fw 10000", "tree/lookup fw 10000"),
        1.5,
        "times",
    ),
    bar(
        "a lookup of IPv6 among 10,000 rules, to IPv4, ipc",
        Of::Ratio("tree/lookup of IPv6 ipc 10000", "tree/lookup ipc 10000"),
        1.5,
        "times",
    ),
    bar("the worst packet among 10,000 rules, to the median, acl", worst!("acl 10000"), 5.0, "times"),
    bar("the worst packet among 10,000 rules, to the median, fw", worst!("fw 10000"), 5.0, "times"),
    bar("the worst packet among 10,000 rules, to the median, ipc", worst!("ipc 10000"), 5.0, "times"),
    bar("the worst packet among 100,000 rules, to the median, acl", worst!("acl 100000"), 5.0, "times"),
    bar("the worst packet among 100,000 rules, to the median, fw", worst!("fw 100000"), 5.0, "times"),
    bar("the worst packet among 100,000 rules, to the median, ipc", worst!("ipc 100000"), 5.0, "times"),
    bar("the tree of 100,000 rules in memory, acl", Of::Alone("acl 100000, bytes a rule"), 200.0, "bytes a rule"),
    bar("the tree of 100,000 rules in memory, fw", Of::Alone("fw 100000, bytes a rule"), 200.0, "bytes a rule"),
    bar("the tree of 100,000 rules in memory, ipc", Of::Alone("ipc 100000, bytes a rule"), 200.0, "bytes a rule"),
    bar(
        "100,000 rules in memory, access lists",
        Of::Alone("acl, 100000 rules, all that the daemon keeps of it"),
        500.0,
        "bytes a rule",
    ),
    bar(
        "100,000 rules in memory, ports alone",
        Of::Alone("ports, 100000 rules, all that the daemon keeps of it"),
        500.0,
        "bytes a rule",
    ),
    bar(
        "100,000 rules in memory, connections and comments",
        Of::Alone("commented, 100000 rules, all that the daemon keeps of it"),
        500.0,
        "bytes a rule",
    ),
    bar(
        "100,000 rules in memory, kube-proxy",
        Of::Alone("kube-proxy, 100000 rules, all that the daemon keeps of it"),
        500.0,
        "bytes a rule",
    ),
    bar("sending 100,000 rules", Of::Alone("100000 rules, send it"), 0.1e9, "ns"),
    bar("parsing and checking 100,000 rules", Of::Alone("100000 rules, parse and check"), 0.25e9, "ns"),
    bar("printing 100,000 rules", Of::Alone("100000 rules, print"), 0.25e9, "ns"),
    bar(
        "compiling 100,000 rules",
        Of::Sum(&["100000 rules, compile", "100000 rules, write the image", "100000 rules, make the trees"]),
        0.35e9,
        "ns",
    ),
    bar("verifying 100,000 rules", Of::Sum(&["100000 rules, read and verify it", "100000 rules, check the trees"]), 0.15e9, "ns"),
    bar("one more than 100,000 rules, from the rule set on", Of::Alone("one more than 100000 rules, all of these"), 2e6, "ns"),
    bar("100,000 rules replaced, from the command to its effect", Of::Alone("rampart: restore, 100000 rules"), 1e9, "ns"),
    bar("one rule added to 100,000, from the command to its effect", Of::Alone("rampart: one rule added, 100000 rules"), 5e6, "ns"),
    bar("five empty tables", Of::More("empty tables, 10000 flows, 0 rules, bursts of 64"), 10.0, "ns"),
    bar("a chain of 8 rules", Of::More("chain, 10000 flows, 8 rules, bursts of 64"), 8.0, "ns"),
    bar("DROP in raw, 100,000 addresses", Of::Net("blocklist, 0 flows, 100000 rules, bursts of 64"), 60.0, "ns"),
    bar("established, 10,000 flows", Of::Net("established, 10000 flows, 10000 rules, bursts of 64"), 40.0, "ns"),
    bar("established, 1,000,000 flows", Of::Net("established, 1000000 flows, 10000 rules, bursts of 64"), 60.0, "ns"),
    bar("established with NAT, 10,000 flows", Of::Net("nat, 10000 flows, 10000 rules, bursts of 64"), 45.0, "ns"),
    bar("established with NAT, 1,000,000 flows", Of::Net("nat, 1000000 flows, 10000 rules, bursts of 64"), 67.0, "ns"),
    bar("tests of flags and a limited LOG", Of::More("guarded, 10000 flows, 10000 rules, bursts of 64"), 20.0, "ns"),
    bar(
        "established at 100,000 rules, to 10: time",
        Of::Times("established, 10000 flows, 100000 rules, bursts of 64"),
        1.1,
        "times",
    ),
    bar(
        "established at 100,000 rules, to 10: instructions",
        Of::Instructions(
            "established, 10000 flows, 100000 rules, bursts of 64",
            "established, 10000 flows, 10 rules, bursts of 64",
        ),
        1.0,
        "%",
    ),
    bar(
        "accepted last at 100,000 rules, to 10: time",
        Of::Times("established last, 10000 flows, 100000 rules, bursts of 64"),
        1.1,
        "times",
    ),
    bar(
        "accepted last at 100,000 rules, to 10: instructions",
        Of::Instructions(
            "established last, 10000 flows, 100000 rules, bursts of 64",
            "established last, 10000 flows, 10 rules, bursts of 64",
        ),
        1.0,
        "%",
    ),
    // Three million a second.
    bar("a new flow, another one ends", Of::Net("new, 1000000 flows, 10000 rules, bursts of 64"), 1000.0 / 3.0, "ns"),
    // One and a half.
    bar("a new flow with NAT, another one ends", Of::Net("new nat, 1000000 flows, 10000 rules, bursts of 64"), 1000.0 / 1.5, "ns"),
    bar("a new flow at 100,000 rules, to 10: time", Of::Times("new, 1000000 flows, 100000 rules, bursts of 64"), 1.5, "times"),
    bar("a flow of IPv4 in memory, index included", Of::Alone("bytes a flow"), 192.0, "bytes"),
    bar(
        "bursts of 8, to 64: established",
        Of::TimesOther("established, 10000 flows, 10000 rules, bursts of 8", "established, 10000 flows, 10000 rules, bursts of 64"),
        2.0,
        "times",
    ),
    bar(
        "bursts of 8, to 64: NAT",
        Of::TimesOther("nat, 10000 flows, 10000 rules, bursts of 8", "nat, 10000 flows, 10000 rules, bursts of 64"),
        2.0,
        "times",
    ),
    bar(
        "bursts of 8, to 64: NAT, 1,000,000 flows",
        Of::TimesOther("nat, 1000000 flows, 10000 rules, bursts of 8", "nat, 1000000 flows, 10000 rules, bursts of 64"),
        2.0,
        "times",
    ),
    bar("a packet that is INVALID", Of::Net("invalid, 10000 flows, 10000 rules, bursts of 64"), 150.0, "ns"),
    // At least 0.9 of what two copies do, so at most this time.
    bar(
        "two workers, to two boxes of one: established",
        Of::Times("two workers, established, 10000 flows, 10000 rules, bursts of 64"),
        1.0 / 0.9,
        "times",
    ),
    bar(
        "two workers, to two boxes of one: established, 1,000,000 flows",
        Of::Times("two workers, established, 1000000 flows, 10000 rules, bursts of 64"),
        1.0 / 0.9,
        "times",
    ),
    bar(
        "two workers, to two boxes of one: NAT",
        Of::Times("two workers, nat, 10000 flows, 10000 rules, bursts of 64"),
        1.0 / 0.9,
        "times",
    ),
    bar(
        "a packet handed over, both sides together, two cores",
        Of::More("handed over, established, 10000 flows, 10000 rules, bursts of 32"),
        100.0,
        "ns",
    ),
    bar("packets lost, 100 restores", Of::Alone("100 restores, 10000 flows, 10000 rules, packets lost"), 0.0, "packets"),
    bar("counts lost, 100 restores", Of::Alone("100 restores, 10000 flows, 10000 rules, counts lost"), 0.0, "packets"),
    bar(
        "packets lost, 100 restores with 10 other lines",
        Of::Alone("100 restores with 10 other lines, 10000 flows, 10000 rules, packets lost"),
        0.0,
        "packets",
    ),
    bar(
        "counts lost, 100 restores with 10 other lines",
        Of::Alone("100 restores with 10 other lines, 10000 flows, 10000 rules, counts lost"),
        0.0,
        "packets",
    ),
    bar(
        "a burst, all but one in a thousand, 100 restores",
        Of::Alone("100 restores, 10000 flows, 10000 rules, a burst, all but one in a thousand"),
        100_000.0,
        "ns",
    ),
    bar("packets lost, 1,000 edits", Of::Alone("1000 edits, 10000 flows, 10000 rules, packets lost"), 0.0, "packets"),
    bar("counts lost, 1,000 edits", Of::Alone("1000 edits, 10000 flows, 10000 rules, counts lost"), 0.0, "packets"),
    bar(
        "a burst, all but one in a thousand, 1,000 edits",
        Of::Alone("1000 edits, 10000 flows, 10000 rules, a burst, all but one in a thousand"),
        100_000.0,
        "ns",
    ),
    // At most a twentieth of what it does without.
    bar("1,000 edits a second, to none", Of::Times("1000 edits a second, 10000 flows, 10000 rules"), 1.0 / 0.95, "times"),
    bar(
        "a packet handed over, the work alone, one core",
        Of::Difference("handoff 10000 flows, by the other worker", "handoff 10000 flows, at their worker"),
        100.0,
        "ns",
    ),
];

impl Bar {
    /// How it stands by these results.
    pub fn standing(&self, results: &[Results]) -> Standing {
        match self.of.value(results) {
            None => Standing::Unmeasured,
            Some(value) if value <= self.at_most => Standing::Met(value),
            Some(value) => Standing::Missed(value),
        }
    }

    /// Its bound with its unit.
    pub fn bound(&self) -> String {
        self.amount(self.at_most)
    }

    /// That much, with its unit.
    pub fn amount(&self, value: f64) -> String {
        for (least, of, unit) in [(1e7, 1e6, "ms"), (1e4, 1e3, "us")] {
            if self.unit == "ns" && self.at_most > least {
                return format!("{:.0} {unit}", value / of);
            }
        }
        if self.unit == "packets" {
            return format!("{value:.0} packets");
        }
        let digits = if self.at_most < 10.0 { 2 } else { 1 };
        format!("{value:.digits$} {}", self.unit)
    }

    /// The line that says that it is not met, if so.
    pub fn missed(&self, results: &[Results]) -> Option<String> {
        match self.standing(results) {
            Standing::Missed(value) => Some(format!("MISSED {}: {}, at most {}", self.what, self.amount(value), self.bound())),
            Standing::Met(_) | Standing::Unmeasured => None,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met(_) => "met",
            Self::Missed(_) => "**missed**",
            Self::Unmeasured => "not measured",
        })
    }
}

impl Of {
    fn value(self, results: &[Results]) -> Option<f64> {
        let record = |name| results.iter().find_map(|results| results.record(name));
        let figure = |name| results.iter().find_map(|results| results.figure(name)).map(|figure| figure.value);
        let base = |record: &Record| Some(record.base?.best);
        match self {
            Self::Net(name) => record(name).map(Record::net),
            Self::More(name) => record(name).and_then(|record| Some(record.whole.best - base(record)?)),
            Self::Times(name) => {
                record(name).and_then(|record| Some(record.net() / (base(record)? - record.whole.best + record.net())))
            }
            Self::TimesOther(name, other) => Some(record(name)?.net() / record(other)?.net()),
            Self::Instructions(name, other) => {
                let (this, other) = (record(name)?.instructions?, record(other)?.instructions?);
                Some((this / other - 1.0).abs() * 100.0)
            }
            Self::Difference(name, other) => Some(figure(name)? - figure(other)?),
            Self::Sum(names) => names.iter().map(|name| figure(name)).sum(),
            Self::Ratio(name, other) => Some(figure(name)? / figure(other)?),
            Self::Alone(name) => figure(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Figure, Machine, Slices};

    fn record(name: &str, whole: f64, base: Option<f64>, instructions: f64) -> Record {
        let slices = |value| Slices::of(vec![value]);
        Record {
            name: name.into(),
            whole: slices(whole),
            io: Some(slices(10.0)),
            base: base.map(slices),
            memory: None,
            instructions: Some(instructions),
        }
    }

    fn results() -> [Results; 1] {
        let records = vec![record("a", 110.0, Some(60.0), 101.5), record("b", 30.0, None, 100.0)];
        let figure = |name: &str, value| Figure { name: name.into(), value, unit: "bytes".into() };
        let figures = vec![figure("c", 7.0), figure("d", 9.0)];
        [Results { machine: Machine::here(), records, figures }]
    }

    #[test]
    fn a_bar_is_held_against_what_it_names() {
        let value = |of: Of| of.value(&results()).map(|value| (value * 1000.0).round() / 1000.0);
        assert_eq!(value(Of::Net("a")), Some(100.0));
        assert_eq!(value(Of::More("a")), Some(50.0));
        assert_eq!(value(Of::Times("a")), Some(2.0));
        assert_eq!(value(Of::TimesOther("a", "b")), Some(5.0));
        assert_eq!(value(Of::Instructions("a", "b")), Some(1.5));
        assert_eq!((value(Of::Alone("c")), value(Of::Difference("d", "c"))), (Some(7.0), Some(2.0)));
        assert_eq!((value(Of::Sum(&["c", "d"])), value(Of::Sum(&["c", "e"]))), (Some(16.0), None));
        assert_eq!(value(Of::Ratio("d", "c")), Some(1.286));
        assert_eq!((value(Of::More("b")), value(Of::Net("c")), value(Of::Alone("a"))), (None, None, None));
    }

    #[test]
    fn only_a_bar_that_is_missed_says_so() {
        let line = |at_most| bar("it", Of::Net("a"), at_most, "ns").missed(&results());
        assert_eq!(line(99.0).as_deref(), Some("MISSED it: 100.0 ns, at most 99.0 ns"));
        assert_eq!(line(100.0), None);
        let unmeasured = bar("it", Of::Net("nothing"), 1.0, "ns");
        assert_eq!((unmeasured.missed(&results()), unmeasured.standing(&results())), (None, Standing::Unmeasured));
        assert_eq!(bar("it", Of::Alone("c"), 0.25e9, "ns").bound(), "250 ms");
        assert_eq!(bar("it", Of::Alone("c"), 1e5, "ns").bound(), "100 us");
        assert_eq!(bar("it", Of::Alone("c"), 0.0, "packets").bound(), "0 packets");
    }
}
