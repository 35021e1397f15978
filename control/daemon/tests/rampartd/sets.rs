//! What the dataplane is told of sets.
use program::set::{Beside, ByPackets, Count, ElementEdit};
use program::{SetEdit, SetId, SetSides};
use proto::public::{Reply, Request};

use crate::fake::Fake;
use crate::harness::{Place, Rampartd, words};

const FLAGS: &[&str] = &["--no-mirror-host"];

fn ipset(daemon: &Rampartd, line: &str, text: &str) -> Reply {
    let request = Request::Ipset { args: words(line), length: text.len() as u64, interactive: false };
    daemon.ask(&request, text.as_bytes())
}

fn address(last: u8) -> Vec<u8> {
    vec![10, 0, 0, last]
}

#[test]
fn each_command_is_told_and_a_new_connection_gets_all() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    assert!(matches!(&fake.lock().sets[..], [(true, edits)] if edits.is_empty()));
    for line in
        ["create a hash:ip timeout 100", "add a 10.0.0.1-10.0.0.2", "del a 10.0.0.2", "create b hash:ip", "swap a b", "rename a c"]
    {
        let reply = ipset(&daemon, line, "");
        assert_eq!((reply.exit, reply.stderr.as_str()), (0, ""), "{line}");
    }
    let told = std::mem::take(&mut fake.lock().sets);
    let [_, (false, created), (false, added), (false, gone), (false, _), (false, swapped), (false, renamed)] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(matches!(&created[..], [SetEdit::Create { name, spec }] if name == "a" && spec.key_len() == 4));
    let [SetEdit::Elements { edits, .. }] = &added[..] else { panic!("{added:?}") };
    assert_eq!(edits.iter().map(|edit| edit.key.clone()).collect::<Vec<_>>(), [address(1), address(2)]);
    assert!(edits.iter().all(|edit| edit.beside.is_some_and(|beside| (99_000..=100_000).contains(&beside.expires_in))));
    let no_more = ElementEdit { key: address(2), beside: None };
    assert_eq!(gone[..], [SetEdit::Elements { name: "a".into(), edits: vec![no_more] }]);
    assert_eq!(swapped[..], [SetEdit::Swap { one: "a".into(), other: "b".into() }]);
    assert_eq!(renamed[..], [SetEdit::Rename { from: "a".into(), to: "c".into() }]);
    daemon.kill();
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    let told = std::mem::take(&mut fake.lock().sets);
    let [(true, all)] = &told[..] else { panic!("{told:?}") };
    let names = |edit: &SetEdit| match edit {
        SetEdit::Create { name, .. } => Some(name.clone()),
        _ => None,
    };
    let mut named: Vec<String> = all.iter().filter_map(names).collect();
    named.sort();
    assert_eq!(named, ["b", "c"]);
    let elements: usize = all.iter().map(|edit| if let SetEdit::Elements { edits, .. } = edit { edits.len() } else { 0 }).sum();
    assert_eq!(elements, 1);
}

#[test]
fn what_packets_have_counted_is_listed_and_kept_by_what_is_added_again() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    let text = "create a hash:ip counters\ncreate m bitmap:ip,mac range 10.0.0.0/24\nadd a 10.0.0.1\nadd m 10.0.0.2\n";
    assert_eq!(ipset(&daemon, "restore", text).exit, 0);
    let count = |key: Vec<u8>, packets, mac| Count { key, packets, bytes: 10 * packets, mac };
    fake.lock().set_counts = vec![
        ("a".into(), vec![count(address(1), 7, None), count(address(9), 1, None)]),
        ("m".into(), vec![count(address(2), 0, Some([2, 0, 0, 0, 0, 5]))]),
    ];
    let saved = ipset(&daemon, "save", "").stdout;
    assert!(saved.contains("add a 10.0.0.1 packets 7 bytes 70\n"), "{saved}");
    assert!(saved.contains("add m 10.0.0.2,02:00:00:00:00:05\n") && !saved.contains("10.0.0.9"), "{saved}");
    fake.lock().sets.clear();
    assert_eq!(ipset(&daemon, "-exist add a 10.0.0.1", "").exit, 0);
    assert_eq!(ipset(&daemon, "-exist add a 10.0.0.1 packets 3", "").exit, 0);
    let counters: Vec<_> = fake
        .lock()
        .sets
        .iter()
        .flat_map(|(_, edits)| edits)
        .map(|edit| match edit {
            SetEdit::Elements { edits, .. } => edits[0].beside.unwrap().counters,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counters, [None, Some((3, 70))]);
}

#[test]
fn rules_find_their_sets_where_the_dataplane_runs_them() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    assert_eq!(ipset(&daemon, "create a hash:ip,port", "").exit, 0);
    daemon.ok("-A INPUT -m set ! --match-set a src,dst --return-nomatch -j DROP");
    {
        let kept = fake.lock();
        let table = &kept.tables["filter"];
        let (test, set) = table.set_test(0);
        assert_eq!((test.name.as_str(), test.sources, test.dimensions, test.not, test.exceptions), ("a", 1, 2, true, true));
        assert_eq!(set, SetId::NONE, "the dataplane says which it is");
    }
    daemon.ok("-A INPUT -j SET --add-set a src,dst --exist --timeout 4294967294 --del-set a dst,src");
    {
        let kept = fake.lock();
        let (change, _) = kept.tables["filter"].set_change(0);
        let sides = |sources| Some(SetSides { name: "a".into(), sources, dimensions: 2 });
        // As long as an element may stay.
        assert_eq!((&change.add, change.renews, change.seconds, &change.del), (&sides(1), true, Some(2_147_483), &sides(2)));
    }
    assert_eq!(ipset(&daemon, "destroy a", "").exit, 1, "a rule changes it");
    for (made, kind) in [("bitmap:ip,mac range 10.0.0.0/24", "bitmap:ip,mac"), ("hash:net,iface", ""), ("list:set", "")] {
        let kind = if kind.is_empty() { made } else { kind };
        assert_eq!(ipset(&daemon, &format!("create other {made}"), "").exit, 0);
        let refused = daemon.iptables("-A INPUT -j SET --add-set other src,dst");
        assert!(
            refused.stderr.contains(&format!("Set other is a {kind}, which packets cannot change here.")),
            "{}",
            refused.stderr
        );
        assert_eq!(ipset(&daemon, "destroy other", "").exit, 0);
    }
    let refused = daemon.iptables("-t mangle -A INPUT -j SET --map-set a src,dst --map-mark");
    assert!(refused.stderr.contains("-j SET --map-set"), "{}", refused.stderr);
    // Who takes over what runs has its sets.
    daemon.kill();
    let daemon = place.start(FLAGS);
    assert_eq!(daemon.wait_ready().exit, 0);
    assert!(daemon.saved("").contains("--match-set a src,dst --return-nomatch"), "{}", daemon.saved(""));
    assert_eq!(ipset(&daemon, "destroy a", "").exit, 1);
}

/// What packets have changed is there for each command, once; and for the daemon behind this one, whether the dataplane tells it again or not.
#[test]
fn what_packets_have_changed_is_listed_stored_and_known() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    let text = "create a hash:ip timeout 100\nadd a 10.0.0.1 timeout 0\nadd a 10.0.0.2 timeout 0\n";
    assert_eq!(ipset(&daemon, "restore", text).exit, 0);
    let edit = |last, expires_in: Option<u64>| ElementEdit {
        key: address(last),
        beside: expires_in.map(|expires_in| Beside { expires_in, ..Beside::default() }),
    };
    let edits = vec![edit(2, None), edit(3, Some(0)), edit(4, Some(60_000))];
    fake.lock().by_packets = ByPackets { until: 7, sets: vec![("a".into(), edits)] };
    let known = |fake: &Fake| std::mem::take(&mut fake.lock().known);
    known(&fake);
    assert_eq!(ipset(&daemon, "test a 10.0.0.3", "").exit, 0);
    assert_eq!(ipset(&daemon, "test a 10.0.0.2", "").exit, 1);
    assert_eq!(ipset(&daemon, "add a 10.0.0.3", "").exit, 1, "it is there");
    assert_eq!(known(&fake), [0, 7, 7]);
    fake.lock().by_packets = ByPackets { until: 7, sets: Vec::new() };
    let told = fake.lock().sets.len();
    assert_eq!(ipset(&daemon, "del a 10.0.0.1", "").exit, 0);
    assert_eq!(fake.lock().sets.len(), told + 1, "the dataplane is told what commands change, and no more");
    daemon.kill();
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    let saved = ipset(&daemon, "save", "").stdout;
    assert!(saved.contains("add a 10.0.0.3 timeout 0\n") && saved.contains("add a 10.0.0.4 timeout 5"), "{saved}");
    assert!(!saved.contains("10.0.0.1") && !saved.contains("10.0.0.2"), "{saved}");
    assert_eq!(known(&fake)[..2], [7, 0], "a new daemon knows nothing, of a dataplane that goes on");
    let Some((true, all)) = fake.lock().sets.last().cloned() else { panic!("it is told all sets") };
    let elements: usize = all.iter().map(|edit| if let SetEdit::Elements { edits, .. } = edit { edits.len() } else { 0 }).sum();
    assert_eq!(elements, 2);
}
