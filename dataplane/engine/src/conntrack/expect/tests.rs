//! Expectations as their writers and readers use them.

use packet::{Ipv4, Ipv6};
use proptest::prelude::*;

use super::*;
use crate::conntrack::slots::Content;

const NOW: Time = Time(1_000);

fn expectation<F: Family>(dst: F::Addr, dport: u16, slot: u32) -> Expectation<F> {
    Expectation {
        ends: Ends { src: None, sport: None, dst, dport, protocol: 6 },
        zone: 3,
        master: Master { worker: 2, flow: FlowId { slot, generation: 9 }, helper: Helper::Ftp },
        by: Tuple { src: dst, dst, protocol: 6, l4: TupleL4::Ports { src: 5, dst: 21 } },
        is_told: false,
        class: 1,
        mark: 7,
        label: LabelId(5),
        dir: Dir::Reply,
        follow: None,
        helper: None,
        stays: false,
        is_open: true,
        expires: Time(2_000),
    }
}

fn tuple<F: Family>(src: F::Addr, dst: F::Addr, sport: u16, dport: u16) -> Tuple<F> {
    Tuple { src, dst, protocol: 6, l4: TupleL4::Ports { src: sport, dst: dport } }
}

fn table() -> Expectations<Ipv4> {
    Expectations::new(64, [1, 2])
}

#[test]
fn an_expectation_is_taken_once_by_a_flow_that_fits() {
    let (table, mut own) = (table(), Own::default());
    let mut new = expectation::<Ipv4>(10, 2000, 1);
    new.ends.src = Some(20);
    own.expect(&table, &new, 1, false, NOW, |_| {}).expect("there is room");
    for (tuple, zone, now) in [
        (tuple::<Ipv4>(21, 10, 5, 2000), 3, NOW),
        (tuple::<Ipv4>(20, 10, 5, 2001), 3, NOW),
        (tuple::<Ipv4>(20, 10, 5, 2000), 4, NOW),
        (tuple::<Ipv4>(20, 10, 5, 2000), 3, Time(2_000)),
    ] {
        assert_eq!(table.take(&tuple, zone, now), None);
    }
    assert_eq!(table.take(&tuple::<Ipv4>(20, 10, 5, 2000), 3, NOW), Some(new));
    assert_eq!(table.take(&tuple::<Ipv4>(20, 10, 5, 2000), 3, NOW), None);
    assert!(table.is_empty());
}

#[test]
fn the_same_flow_may_expect_the_same_again_and_another_may_not() {
    let (table, mut own, mut other) = (table(), Own::default(), Own::default());
    own.expect(&table, &expectation(10, 2000, 1), 1, false, NOW, |_| {}).expect("there is room");
    own.expect(&table, &expectation(10, 2000, 1), 1, false, NOW, |_| {}).expect("the same again");
    assert_eq!(table.len(), 1);
    assert_eq!(other.expect(&table, &expectation(10, 2000, 2), 1, false, NOW, |_| {}), Err(Refused::Busy));
    let mut from = expectation(10, 2000, 2);
    from.ends.src = Some(5);
    assert_eq!(other.expect(&table, &from, 1, false, NOW, |_| {}), Err(Refused::Busy), "any source holds this one too");
    own.clear(&table, |_| {});
    assert_eq!(other.expect(&table, &from, 1, false, NOW, |_| {}), Ok(()));
}

#[test]
fn the_oldest_of_a_class_gives_way() {
    let (table, mut own) = (table(), Own::default());
    for port in 1..=5 {
        own.expect(&table, &expectation(10, port, 1), 2, false, NOW, |_| {}).expect("there is room");
    }
    let mut ports: Vec<u16> = table.iter().map(|found| found.ends.dport).collect();
    ports.sort_unstable();
    assert_eq!(ports, [4, 5]);
}

#[test]
fn a_full_table_refuses_and_time_makes_room() {
    let table = Expectations::<Ipv4>::new(3, [1, 2]);
    let mut owns: Vec<Own> = (0..4).map(|_| Own::default()).collect();
    for (n, own) in owns.iter_mut().enumerate().take(3) {
        own.expect(&table, &expectation(10, n as u16 + 1, n as u32), 1, false, NOW, |_| {}).expect("there is room");
    }
    assert_eq!(owns[3].expect(&table, &expectation(10, 9, 9), 1, false, NOW, |_| {}), Err(Refused::Full));
    assert_eq!(table.sweep(0, Time(2_000), |_| {}), 0, "the table is as long as a sweep");
    assert!(table.is_empty());
    let mut late = expectation(10, 9, 9);
    late.expires = Time(9_000);
    assert_eq!(owns[3].expect(&table, &late, 1, false, Time(2_000), |_| {}), Ok(()));
}

#[test]
fn what_ran_out_is_in_nobodys_way() {
    let (table, mut own, mut other) = (table(), Own::default(), Own::default());
    own.expect(&table, &expectation(10, 2000, 1), 1, false, NOW, |_| {}).expect("there is room");
    let mut late = expectation(10, 2000, 2);
    late.expires = Time(9_000);
    assert_eq!(other.expect(&table, &late, 1, false, Time(2_000), |_| {}), Ok(()));
}

#[test]
fn a_mark_follows_its_master() {
    let (table, mut own) = (table(), Own::default());
    own.expect(&table, &expectation(10, 2000, 1), 1, false, NOW, |_| {}).expect("there is room");
    own.iter().for_each(|id| table.relabel(id, 99, LabelId(6)));
    let taken = table.take(&tuple::<Ipv4>(20, 10, 5, 2000), 3, NOW).expect("it is there");
    assert_eq!((taken.mark, taken.label), (99, LabelId(6)));
}

proptest! {
    #[test]
    fn content_survives_its_words(
        (src, sport) in any::<(Option<u128>, Option<u16>)>(),
        (dst, dport, protocol) in any::<(u128, u16, u8)>(),
        (zone, worker, slot, generation) in any::<(u16, u16, u32, u32)>(),
        (class, mark, label, expires) in any::<(u8, u32, u32, u64)>(),
        (reply, tftp, stays, is_open, is_told) in any::<(bool, bool, bool, bool, bool)>(),
        (by_src, by_dst, by_protocol, by_sport, by_dport) in any::<(u128, u128, u8, u16, u16)>(),
        follow in any::<Option<(u128, Option<u128>, u128, u16)>>(),
        reader in any::<Option<bool>>(),
    ) {
        let whole = Expectation::<Ipv6> {
            ends: Ends { src, sport, dst, dport, protocol },
            zone,
            master: Master { worker, flow: FlowId { slot, generation }, helper: if tftp { Helper::Tftp } else { Helper::Ftp } },
            by: Tuple { src: by_src, dst: by_dst, protocol: by_protocol, l4: TupleL4::Ports { src: by_sport, dst: by_dport } },
            is_told,
            class,
            mark,
            label: LabelId(label),
            dir: if reply { Dir::Reply } else { Dir::Original },
            follow: follow.map(|(source, only_from, to, port)| Follow { source, only_from, pairs: port % 2 == 0, destination: (to, port) }),
            helper: reader.map(|sip| if sip { Helper::Sip } else { Helper::Ftp }),
            stays,
            is_open,
            expires: Time(expires),
        };
        prop_assert_eq!(Expectation::decode(&whole.encode(5)), Some(whole));
    }
}
