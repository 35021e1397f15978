//! When packets come. What the kernel does is in `tests/kernel`, at the one time that its clock shows; here the clock goes on and is set.

use engine::sim::Room;
use rules::TableName::Filter;

use crate::lab::crew::CrewLab;
use crate::lab::frames::{tcp, udp};
use crate::lab::{ETH0, ETH1, Lab};

/// Wednesday, 2024-02-28, 00:00 UTC.
const WEDNESDAY: i64 = 1_709_078_400;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn forward(test: &str) -> String {
    format!("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m time {test} -j ACCEPT\nCOMMIT\n")
}

/// Sets the machine's clock, whose kernel has a zone of so many minutes west.
fn set(lab: &Lab, seconds: i64, minutes_west: i32) {
    lab.sim.worker.wall().set(lab.sim.now, seconds * 1_000_000_000, minutes_west);
}

fn passes(lab: &mut Lab) -> bool {
    lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:53")).len() == 1
}

#[test]
fn an_office_is_open_on_working_days_and_its_clock_goes_on_by_itself() {
    let mut lab = Lab::new(&forward("--timestart 08:00 --timestop 17:59:59 --weekdays Mon,Tue,Wed,Thu,Fri"));
    set(&lab, WEDNESDAY + 8 * HOUR - 1, 0);
    assert!(!passes(&mut lab));
    lab.advance(1000);
    assert!(passes(&mut lab), "eight o'clock");
    lab.advance(36_000_000 - 1);
    assert!(passes(&mut lab), "the last millisecond of the last second");
    lab.advance(1);
    assert!(!passes(&mut lab));
    set(&lab, WEDNESDAY + 3 * DAY + 9 * HOUR, 0);
    assert!(!passes(&mut lab), "Saturday");
}

#[test]
fn a_known_connection_meets_the_rule_with_each_packet() {
    let mut lab = Lab::new(&forward("--timestop 12:00"));
    set(&lab, WEDNESDAY + 12 * HOUR - 5, 0);
    let (client, server) = ("10.0.0.2:1024", "192.168.1.2:80");
    lab.wire(ETH0, &tcp(client, server, "S"));
    lab.wire(ETH1, &tcp(server, client, "SA").numbers(5000, 1001));
    let mut data = |millis| {
        lab.advance(millis);
        lab.wire(ETH0, &tcp(client, server, "A").numbers(1001, 5001)).len()
    };
    assert_eq!([0, 0, 0, 5500, 600].map(&mut data), [1, 1, 1, 1, 0]);
    // Somebody sets the clock back.
    set(&lab, WEDNESDAY, 0);
    assert_eq!(lab.wire(ETH0, &tcp(client, server, "A").numbers(1001, 5001)).len(), 1);
    assert_eq!(lab.count(Filter, "FORWARD", 1).0, 7);
}

#[test]
fn a_clock_that_is_set_is_seen_at_the_next_packet() {
    let mut lab = Lab::new(&forward("--datestart 2024-02-29 --datestop 2024-02-29T23:59:59"));
    let mut at = |seconds| {
        set(&lab, seconds, 0);
        passes(&mut lab)
    };
    let leap = WEDNESDAY + DAY;
    assert_eq!([leap - 1, leap, leap + DAY - 1, leap + DAY, leap, 0].map(&mut at), [false, true, true, false, true, false]);
}

#[test]
fn the_kernels_zone_counts_for_rules_that_ask_for_it() {
    let mut lab = Lab::new(&forward("--kerneltz --weekdays Wed"));
    // Two hours east of Greenwich the day begins two hours earlier.
    let mut at = |(seconds, minutes_west)| {
        set(&lab, seconds, minutes_west);
        passes(&mut lab)
    };
    let times =
        [(WEDNESDAY - 2 * HOUR, 0), (WEDNESDAY - 2 * HOUR, -120), (WEDNESDAY + DAY - 2 * HOUR, -120), (WEDNESDAY + DAY, 60)];
    assert_eq!(times.map(&mut at), [false, true, false, true]);
}

#[test]
fn without_a_clock_it_is_1970() {
    let mut lab = Lab::new(&forward("--datestop 1971"));
    assert!(passes(&mut lab));
}

#[test]
fn several_workers_have_one_clock() {
    let mut lab = CrewLab::with(&forward("--timestart 08:00 --weekdays Wed"), 3, 7, Room::default());
    let mut at = |seconds: i64| {
        lab.crew.workers[1].wall().set(lab.crew.now, seconds * 1_000_000_000, 0);
        (0..3)
            .map(|worker| lab.wire(worker, ETH0, &udp(&format!("10.0.0.2:{}", worker + 1), "192.168.1.2:53")).len())
            .sum::<usize>()
    };
    assert_eq!([WEDNESDAY, WEDNESDAY + 8 * HOUR, WEDNESDAY + DAY + 8 * HOUR].map(&mut at), [0, 3, 0]);
}
