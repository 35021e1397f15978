//! Rates by address. What the kernel does is in `tests/kernel`; here are reloads, several workers and the bound.

use engine::sim::Room;
use rules::TableName::Filter;

use crate::lab::crew::CrewLab;
use crate::lab::frames::{Packet, udp};
use crate::lab::{ETH0, Lab};

const FIVE_EACH: &str = "*filter\n-A FORWARD -m hashlimit --hashlimit-above 2/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name each -j DROP\nCOMMIT\n";

fn query(client: &str) -> Packet {
    udp(&format!("{client}:1000"), "192.168.1.2:53")
}

fn passed(lab: &mut Lab, client: &str, packets: usize) -> usize {
    (0..packets).map(|_| lab.wire(ETH0, &query(client)).len()).sum()
}

#[test]
fn each_address_has_a_bucket_and_buckets_outlive_their_table() {
    let mut lab = Lab::new(FIVE_EACH);
    assert_eq!((passed(&mut lab, "10.0.0.2", 7), passed(&mut lab, "10.0.0.3", 3)), (5, 3));
    lab.load(FIVE_EACH);
    lab.restore(&FIVE_EACH.replace("COMMIT", "-A INPUT -j DROP\nCOMMIT"));
    assert_eq!((passed(&mut lab, "10.0.0.2", 2), passed(&mut lab, "10.0.0.3", 3)), (0, 2));
    lab.advance(31_000);
    assert_eq!(passed(&mut lab, "10.0.0.2", 3), 1, "half a minute earns one");
    // Whatever a second rule of the name says, the first one's rate holds.
    lab.load(&FIVE_EACH.replace("burst 5", "burst 50"));
    assert_eq!(passed(&mut lab, "10.0.0.3", 3), 1);
    lab.load("*filter\nCOMMIT\n");
    lab.load(FIVE_EACH);
    assert_eq!(passed(&mut lab, "10.0.0.2", 7), 5);
}

#[test]
fn a_full_table_drops_by_name() {
    let mut lab =
        Lab::new(&FIVE_EACH.replace("--hashlimit-name", "--hashlimit-htable-size 2 --hashlimit-htable-max 3 --hashlimit-name"));
    let all: usize = (2..8).map(|client| passed(&mut lab, &format!("10.0.0.{client}"), 1)).sum();
    assert_eq!((all, lab.drops()), (3, vec![("HashlimitFull", 3)]));
    assert_eq!(lab.count(Filter, "FORWARD", 1).0, 0);
}

#[test]
fn several_workers_share_each_bucket() {
    let mut lab = CrewLab::with(FIVE_EACH, 3, 7, Room::default());
    for client in 2..40 {
        let client = format!("10.0.0.{client}");
        let passed: usize = (0..9).map(|number| lab.wire(number % 3, ETH0, &query(&client)).len()).sum();
        assert_eq!(passed, 5, "{client}");
    }
}
