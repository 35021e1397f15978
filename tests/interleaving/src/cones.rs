//! Full cone: ends that are paired by two workers at once.

use loom::sync::Arc;
use packet::Ipv4;

use crate::announced::check;
use crate::both;
use crate::conntrack::slots::Kept;
use crate::pairs::Pairs;
use crate::time::Time;

/// A window of two slots.
type Cones = Pairs<Ipv4, 2>;
const KEYS: [[u64; 2]; 2] = [[1, 2], [3, 4]];
const NOW: Time = Time(1);
const A_MINUTE_LATER: Time = Time(60_000_000_001);
const IN: [(u32, u16); 2] = [(1, 1000), (2, 1000)];
const OUT: [(u32, u16); 2] = [(9, 4000), (9, 4001)];

/// Each end leads to the other one.
fn assert_is_pair(cones: &Cones, inside: (u32, u16), outside: (u32, u16)) {
    assert_eq!(cones.outside_of(inside, 0, NOW), Some(outside));
    assert_eq!(cones.inside_of(outside, 0, NOW), Some(inside));
}

/// As its name says.
pub fn an_inside_end_that_two_workers_see_first_has_one_outside_end() {
    check(|| {
        let cones = Arc::new(Cones::new(2, KEYS));
        let has = both(&cones, |cones, worker| cones.join(IN[0], OUT[worker as usize], 0, NOW));
        assert_eq!(has[0], has[1], "both workers give it the same");
        let outside = has[0].expect("there is room");
        assert_is_pair(&cones, IN[0], outside);
        let other = if outside == OUT[0] { OUT[1] } else { OUT[0] };
        assert_eq!(cones.inside_of(other, 0, NOW), None, "the other one was given back");
        assert_eq!(cones.join(IN[1], other, 0, NOW), Ok(other));
    });
}

/// As its name says.
pub fn an_outside_end_that_two_workers_want_is_one_inside_ends() {
    check(|| {
        let cones = Arc::new(Cones::new(2, KEYS));
        let has = both(&cones, |cones, worker| cones.join(IN[worker as usize], OUT[0], 0, NOW));
        let winner = usize::from(has[0].is_err());
        assert_eq!((has[winner], has[1 - winner]), (Ok(OUT[0]), Err(Kept::Out)));
        assert_is_pair(&cones, IN[winner], OUT[0]);
        assert_eq!(cones.outside_of(IN[1 - winner], 0, NOW), None);
    });
}

/// As its name says.
pub fn a_cone_that_is_swept_while_a_flow_prolongs_it_can_be_had_again() {
    check(|| {
        let cones = Arc::new(Cones::new(2, KEYS));
        cones.join(IN[0], OUT[0], 0, NOW).expect("there is room");
        // The second worker's clock is ahead: to it the cone has ended.
        both(&cones, |cones, worker| match worker {
            0 => drop(cones.outside_of(IN[0], 0, Time(2))),
            _ => cones.sweep(&mut [0, 0], A_MINUTE_LATER),
        });
        if cones.outside_of(IN[0], 0, Time(3)).is_none() {
            assert_eq!(cones.join(IN[0], OUT[0], 0, Time(3)), Ok(OUT[0]), "whichever half is left");
        }
        assert_is_pair(&cones, IN[0], OUT[0]);
    });
}

/// As its name says.
pub fn two_workers_that_join_the_same_ends_make_one_cone() {
    check(|| {
        let cones = Arc::new(Cones::new(2, KEYS));
        assert_eq!(both(&cones, |cones, _| cones.join(IN[0], OUT[0], 0, NOW)), [Ok(OUT[0]); 2]);
        assert_is_pair(&cones, IN[0], OUT[0]);
    });
}
