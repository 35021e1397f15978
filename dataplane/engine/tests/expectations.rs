//! Workers that announce and fulfil at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::Time;
use engine::conntrack::expect::{Ends, Expectation, Expectations, Master, Own};
use engine::conntrack::{Dir, FlowId};
use packet::{Ipv4, Tuple, TupleL4};
use program::{Helper, LabelId};

const NOW: Time = Time(1_000);

fn expectation(dport: u16, worker: u16) -> Expectation<Ipv4> {
    Expectation {
        ends: Ends { src: None, sport: None, dst: 10, dport, protocol: 6 },
        zone: 0,
        master: Master { worker, flow: FlowId { slot: 1, generation: 1 }, helper: Helper::Ftp },
        by: Tuple { src: 1, dst: 2, protocol: 6, l4: TupleL4::Ports { src: 3, dst: 4 } },
        is_told: false,
        class: 0,
        mark: 0,
        label: LabelId(0),
        dir: Dir::Reply,
        follow: None,
        helper: None,
        stays: false,
        is_open: true,
        expires: Time(2_000),
    }
}

#[test]
fn workers_that_race_take_each_expectation_once() {
    const EACH: u16 = 2_000;
    let table = Arc::new(Expectations::<Ipv4>::new(4096, [1, 2]));
    let taken = Arc::new(AtomicUsize::new(0));
    let made: usize = std::thread::scope(|scope| {
        let makers: Vec<_> = (0..2u16)
            .map(|worker| {
                let table = table.clone();
                scope.spawn(move || {
                    let mut made = 0;
                    for port in 1..=EACH {
                        let mut own = Own::default();
                        made += usize::from(own.expect(&table, &expectation(port, worker), 1, false, NOW, |_| {}).is_ok());
                    }
                    made
                })
            })
            .collect();
        for _ in 0..2 {
            let (table, taken) = (table.clone(), taken.clone());
            scope.spawn(move || {
                for port in (1..=EACH).cycle().take(20 * usize::from(EACH)) {
                    let tuple = Tuple { src: 20, dst: 10, protocol: 6, l4: TupleL4::Ports { src: 5, dst: port } };
                    if table.take(&tuple, 0, NOW).is_some() {
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        makers.into_iter().map(|maker| maker.join().expect("no panic")).sum()
    });
    let left = table.iter().count();
    assert_eq!(taken.load(Ordering::Relaxed) + left, made);
    assert_eq!(table.len(), left);
    let mut ports: Vec<u16> = table.iter().map(|found| found.ends.dport).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), left, "no two that a flow could fulfil both");
}
