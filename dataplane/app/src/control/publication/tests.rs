use std::path::Path;

use program::edit::Lengths;
use program::{Chain, ChainEdit, ChainId, CounterSlot, HeaderTest, IdRange, Policy, Rule, Target};
use proto::private::TableRef;

use super::*;

fn publication() -> Publication {
    configured("")
}

fn configured(more: &str) -> Publication {
    let text = format!("[dataplane.limits]\ncounters = 1024\n[[dataplane.port]]\nname = \"eth0\"\ndevice = \"net_null0\"\n{more}");
    let config = Config::parse(Path::new("t.toml"), &text).unwrap();
    let settings = crate::settings::of(&config.dataplane);
    let port = PortIdentity { id: program::InterfaceId(1), name: "eth0".into(), mac: [2; 6], mtu: 1500, tap: "eth0".into() };
    Publication::new(vec![port], Arc::new(config), settings, Sets::new([1, 2])).unwrap()
}

/// A filter table of nothing but policies.
pub(in crate::control) fn filter(counter: u32) -> Table<Ipv4> {
    filter_of(counter)
}

fn filter_of<F: packet::Family>(counter: u32) -> Table<F> {
    let policy = Policy { accept: true, counter: CounterSlot(counter) };
    let chain = |name: &str| Chain { name: name.into(), rules: IdRange { first: 0, len: 0 }, policy: Some(policy) };
    Table {
        hooks: [None, Some(ChainId(0)), Some(ChainId(1)), Some(ChainId(2)), None],
        chains: ["INPUT", "FORWARD", "OUTPUT"].map(chain).into(),
        ..Table::empty(program::TableKind::Filter)
    }
}

fn form(unchanged: bool) -> Form {
    if unchanged { Form::Unchanged } else { Form::Whole }
}

fn request(based_on: u64, tables: &[(TableKind, bool)]) -> Publish {
    let table = |&(kind, unchanged)| TableRef { family: Family::Ipv4, kind, form: form(unchanged) };
    Publish {
        based_on,
        labels: vec![String::new()],
        tables: tables.iter().map(table).collect(),
        source_goes_on: false,
        begins_counters: false,
    }
}

/// Published while nothing is counted.
fn published(p: &mut Publication, request: &Publish, fds: &[OwnedFd]) -> Result<u64, Refusal> {
    p.publish(request, fds, |_| Count::default())
}

fn sealed(bytes: &[u8]) -> OwnedFd {
    wire::sealed("t", bytes).unwrap()
}

fn image(counter: u32) -> OwnedFd {
    sealed(&image::encode_table(&filter(counter)))
}

const CHANGED: &[(TableKind, bool)] = &[(TableKind::Filter, false)];
const KEPT: &[(TableKind, bool)] = &[(TableKind::Filter, true)];

#[test]
fn before_the_first_program_there_is_none() {
    let p = publication();
    assert_eq!((p.generation(), p.used_slots(), p.source()), (0, 0, &b""[..]));
}

#[test]
fn a_program_is_published_with_its_source() {
    let mut p = publication();
    assert_eq!(published(&mut p, &request(0, CHANGED), &[image(6), sealed(b"*filter")]).unwrap(), 1);
    assert_eq!((p.generation(), p.used_slots(), p.source()), (1, 7, &b"*filter"[..]));
}

#[test]
fn slots_that_begin_anew_count_from_the_publication_on() {
    let mut p = publication();
    let begin = |slots: &[u32]| sealed(&slots.iter().flat_map(|slot| slot.to_ne_bytes()).collect::<Vec<_>>());
    let count = |packets| Count { packets, bytes: 60 * packets };
    let with = |generation| Publish { begins_counters: true, ..request(generation, CHANGED) };
    let shown = |p: &Publication, counted| [3, 4, 5, 9].map(|slot| p.since_begun(CounterSlot(slot), count(counted)).packets);
    p.publish(&with(0), &[image(0), begin(&[3, 5]), sealed(b"1")], |slot| count(u64::from(slot.0))).unwrap();
    assert_eq!(shown(&p, 10), [7, 10, 5, 10]);
    p.publish(&with(1), &[image(0), begin(&[5]), sealed(b"2")], |_| count(11)).unwrap();
    assert_eq!(shown(&p, 20), [17, 20, 9, 20]);
    for (fds, wanted) in [
        (vec![image(0), begin(&[1024]), sealed(b"3")], "of which there are 1024"),
        (vec![image(0), sealed(b"abc"), sealed(b"3")], "of which there are 1024"),
        (vec![image(0), sealed(b"3")], "2 descriptors came with the message, 3 were announced"),
    ] {
        let message = p.publish(&with(2), &fds, |_| count(99)).unwrap_err().to_string();
        assert!(message.contains(wanted), "{message}");
    }
    assert_eq!((p.generation(), shown(&p, 20)), (2, [17, 20, 9, 20]), "nothing has changed");
}

#[test]
fn an_unchanged_table_stays_the_same_object_with_its_state() {
    let mut p = publication();
    let mut reader = p.reader();
    // Takes every program up, as a worker does; else `publish` would wait.
    let (stop, told) = std::sync::mpsc::channel::<()>();
    let worker = thread::spawn(move || {
        let mut tables = Vec::new();
        while told.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            let snapshot = reader.read();
            let pair = (snapshot.program.ipv4.get(program::TableKind::Filter).cloned(), snapshot.states.ipv4[3].clone());
            if pair.0.is_some() && !tables.iter().any(|(table, _): &(Option<Arc<_>>, Arc<_>)| same(table, &pair.0)) {
                tables.push(pair);
            }
            reader.settle();
            thread::yield_now();
        }
        tables.len()
    });
    published(&mut p, &request(0, CHANGED), &[image(0), sealed(b"1")]).unwrap();
    let state = p.publisher.current().states.ipv4[3].clone();
    assert_eq!(published(&mut p, &request(1, KEPT), &[sealed(b"2")]).unwrap(), 2);
    assert!(Arc::ptr_eq(&state, &p.publisher.current().states.ipv4[3]));
    published(&mut p, &request(2, CHANGED), &[image(0), sealed(b"3")]).unwrap();
    assert!(!Arc::ptr_eq(&state, &p.publisher.current().states.ipv4[3]));
    stop.send(()).unwrap();
    assert_eq!(worker.join().unwrap(), 2, "two tables were ever seen");
}

/// What a chain of 100,000 rules costs to make anew must not be paid for each rule that is added to it.
#[test]
fn a_chain_that_is_added_to_keeps_its_tree() {
    let with = |rules: u32| {
        let test = |n| HeaderTest { src: n, src_mask: u32::MAX, ..HeaderTest::any() };
        let rule = |n| Rule {
            test: test(n),
            residual: IdRange::default(),
            ordered: IdRange::default(),
            target: Target::Accept,
            counter: CounterSlot(n + 3),
        };
        let mut table = filter(0);
        table.rules = (0..rules).map(rule).collect();
        table.chains[1].rules.len = rules;
        table.chains[2].rules.first = rules;
        sealed(&image::encode_table(&table))
    };
    let mut p = publication();
    published(&mut p, &request(0, CHANGED), &[with(500), sealed(b"")]).unwrap();
    let before = p.running().program.ipv4.get(program::TableKind::Filter).unwrap().clone();
    published(&mut p, &request(1, CHANGED), &[with(501), sealed(b"")]).unwrap();
    let after = p.running().program.ipv4.get(program::TableKind::Filter).unwrap();
    assert_eq!(after.rules.len(), 501);
    assert_eq!(after.tree.kept_of(&before.tree), 1);
}

const EDITED: &[TableRef] = &[TableRef { family: Family::Ipv4, kind: TableKind::Filter, form: Form::Edit }];

/// A rule that accepts one source.
fn accept(source: u32) -> Rule<Ipv4> {
    Rule {
        test: HeaderTest { src: source, src_mask: u32::MAX, ..HeaderTest::any() },
        residual: IdRange::default(),
        ordered: IdRange::default(),
        target: Target::Accept,
        counter: CounterSlot(source % 1000),
    }
}

/// A publication that puts a rule into FORWARD at this position, taking so many out, of a table that has so many.
fn edit_of(rules: u32, at: u32, removed: u32, rule: Rule<Ipv4>) -> OwnedFd {
    let mut follows = filter(0);
    follows.rules = (0..rules).map(accept).collect();
    let chains = vec![ChainEdit { chain: ChainId(1), at, removed, added: 1 }];
    let added = Table { rules: vec![rule], ..Table::empty(program::TableKind::Filter) };
    sealed(&image::encode_edit(&TableEdit { follows: Lengths::of(&follows), listing: None, chains, added }))
}

fn edit_request(based_on: u64) -> Publish {
    Publish { based_on, labels: vec![String::new()], tables: EDITED.to_vec(), source_goes_on: true, begins_counters: false }
}

/// A filter table with so many rules in FORWARD.
fn forward(rules: u32) -> OwnedFd {
    let mut table = filter(0);
    table.rules = (0..rules).map(accept).collect();
    table.chains[1].rules.len = rules;
    table.chains[2].rules.first = rules;
    sealed(&image::encode_table(&table))
}

#[test]
fn edits_are_made_in_turns_in_two_tables() {
    let mut p = publication();
    published(&mut p, &request(0, CHANGED), &[forward(500), sealed(b"all")]).unwrap();
    let mut places = Vec::new();
    let mut wanted: Vec<Rule<Ipv4>> = (0..500).map(accept).collect();
    for n in 0..8u32 {
        let (at, removed, rule) = (n * 50, n % 2, accept(10_000 + n));
        let edit = edit_of(wanted.len() as u32, at, removed, rule);
        wanted.splice(at as usize..(at + removed) as usize, [rule]);
        assert_eq!(published(&mut p, &edit_request(u64::from(n) + 1), &[edit, sealed(b"+")]).unwrap(), u64::from(n) + 2);
        let running = p.running().program.ipv4.get(program::TableKind::Filter).unwrap();
        assert_eq!(running.rules, wanted);
        places.push(running.rules.as_ptr());
        let rows: Vec<_> = running.chains.iter().map(|chain| (chain.rules.first, chain.rules.len)).collect();
        assert_eq!(rows, [(0, 0), (0, wanted.len() as u32), (wanted.len() as u32, 0)]);
    }
    assert!(places[4..].iter().zip(&places[2..]).all(|(now, two_before)| now == two_before), "no rule is copied");
    assert_eq!(p.source(), b"all++++++++");
    assert_eq!(p.used_slots(), 500);
    // A whole table again, and an edit of it.
    published(&mut p, &request(9, CHANGED), &[forward(10), sealed(b"new")]).unwrap();
    published(&mut p, &edit_request(10), &[edit_of(10, 10, 0, accept(900)), sealed(b"!")]).unwrap();
    assert_eq!(p.running().program.ipv4.get(program::TableKind::Filter).unwrap().rules.len(), 11);
    assert_eq!((p.source(), p.used_slots()), (&b"new!"[..], 901));
}

#[test]
fn an_edit_that_cannot_be_made_changes_nothing() {
    let mut p = publication();
    let none = published(&mut p, &edit_request(0), &[edit_of(0, 0, 0, accept(1)), sealed(b"")]).unwrap_err();
    assert!(matches!(none, Refusal::NotLoaded(TableKind::Filter)), "{none}");
    published(&mut p, &request(0, CHANGED), &[forward(100), sealed(b"all")]).unwrap();
    let before = p.publisher.current().clone();
    let mut refused = |request: &Publish, edit: OwnedFd, words: &str| {
        let message = published(&mut p, request, &[edit, sealed(b"+")]).unwrap_err().to_string();
        assert!(message.contains(words), "{words:?} in {message:?}");
        assert!(Arc::ptr_eq(&before, p.publisher.current()));
        assert_eq!(p.source(), b"all");
    };
    refused(&edit_request(0), edit_of(100, 0, 0, accept(1)), "generation 1 is running");
    refused(&edit_request(1), edit_of(99, 0, 0, accept(1)), "of another table");
    refused(&edit_request(1), edit_of(100, 101, 0, accept(1)), "does not fit");
    refused(&edit_request(1), edit_of(100, 0, 0, Rule { counter: CounterSlot(1024), ..accept(1) }), "counter slots");
    refused(&edit_request(1), edit_of(100, 0, 0, Rule { target: Target::Jump(ChainId(7)), ..accept(1) }), "chains");
    refused(&edit_request(1), forward(100), "RMPE");
    refused(&edit_request(1), sealed(b"RMPE"), "cut short");
    published(&mut p, &edit_request(1), &[edit_of(100, 0, 0, accept(1)), sealed(b"+")]).unwrap();
}

fn same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if Arc::ptr_eq(a, b))
}

fn ipv4_group(port: program::InterfaceId, group: u32) -> Groups {
    Groups { ipv4: vec![(port, group)], ..Groups::default() }
}

#[track_caller]
fn refused(request: &Publish, fds: &[OwnedFd], words: &str) {
    let mut p = publication();
    published(&mut p, &self::request(0, CHANGED), &[image(3), sealed(b"old")]).unwrap();
    let before = p.publisher.current().clone();
    let message = published(&mut p, request, fds).unwrap_err().to_string();
    assert!(message.contains(words), "{words:?} in {message:?}");
    assert!(Arc::ptr_eq(&before, p.publisher.current()), "nothing changed");
    assert_eq!(p.source(), b"old");
}

#[test]
fn a_publication_on_another_base_is_refused() {
    refused(&request(0, CHANGED), &[image(0), sealed(b"")], "generation 1 is running");
}

#[test]
fn a_segment_that_is_not_sealed_is_refused() {
    let open = rustix_memfd(&image::encode_table(&filter(0)));
    refused(&request(1, CHANGED), &[open, sealed(b"")], "not a memfd sealed");
}

/// A memfd without seals.
fn rustix_memfd(bytes: &[u8]) -> OwnedFd {
    let fd = rustix::fs::memfd_create("t", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    assert_eq!(rustix::io::write(&fd, bytes).unwrap(), bytes.len());
    fd
}

#[test]
fn an_image_of_a_newer_format_is_refused() {
    let mut bytes = image::encode_table(&filter(0));
    bytes[4..6].copy_from_slice(&(image::FORMAT + 1).to_le_bytes());
    refused(&request(1, CHANGED), &[sealed(&bytes), sealed(b"")], "format");
}

#[test]
fn a_damaged_image_is_refused() {
    let mut bytes = image::encode_table(&filter(0));
    *bytes.last_mut().unwrap() ^= 1;
    refused(&request(1, CHANGED), &[sealed(&bytes), sealed(b"")], "damaged");
    refused(&request(1, CHANGED), &[sealed(b"RM"), sealed(b"")], "image");
}

#[test]
fn a_counter_slot_beyond_the_last_is_refused() {
    refused(&request(1, CHANGED), &[image(1024), sealed(b"")], "1024");
}

#[test]
fn the_descriptors_must_be_those_that_were_announced() {
    refused(&request(1, CHANGED), &[image(0)], "1 descriptors");
    refused(&request(1, KEPT), &[image(0), sealed(b"")], "2 descriptors");
    refused(&request(1, KEPT), &[], "0 descriptors");
}

#[test]
fn a_table_stands_once_and_is_what_it_was_announced_as() {
    let twice = [(TableKind::Filter, false), (TableKind::Filter, true)];
    refused(&request(1, &twice), &[image(0), sealed(b"")], "twice");
    refused(&request(1, &[(TableKind::Nat, false)]), &[image(0), sealed(b"")], "announced as table Nat");
    refused(&request(1, &[(TableKind::Nat, true)]), &[sealed(b"")], "not loaded");
}

#[test]
fn ipv6_tables_are_refused_with_the_reason() {
    let mut request = request(1, CHANGED);
    request.tables[0].family = Family::Ipv6;
    refused(&request, &[image(0), sealed(b"")], "every IPv6 packet is dropped");
}

#[test]
fn each_family_keeps_what_the_other_one_changes() {
    let mut p = configured("[dataplane]\nipv6 = true");
    let both = |based_on, unchanged: [bool; 2]| {
        let table = |family, unchanged| TableRef { family, kind: TableKind::Filter, form: form(unchanged) };
        let tables = vec![table(Family::Ipv4, unchanged[0]), table(Family::Ipv6, unchanged[1])];
        Publish { based_on, labels: vec![String::new()], tables, source_goes_on: false, begins_counters: false }
    };
    let image6 = |counter| sealed(&image::encode_table(&filter_of::<Ipv6>(counter)));
    published(&mut p, &both(0, [false, false]), &[image(3), image6(8), sealed(b"1")]).unwrap();
    assert_eq!(p.used_slots(), 9, "slots of both families are read");
    let before = p.publisher.current().clone();
    published(&mut p, &both(1, [true, false]), &[image6(4), sealed(b"2")]).unwrap();
    let after = p.publisher.current().clone();
    let filter = program::TableKind::Filter;
    assert!(Arc::ptr_eq(before.program.ipv4.get(filter).unwrap(), after.program.ipv4.get(filter).unwrap()));
    assert!(Arc::ptr_eq(&before.states.ipv4[3], &after.states.ipv4[3]));
    assert!(!Arc::ptr_eq(before.program.ipv6.get(filter).unwrap(), after.program.ipv6.get(filter).unwrap()));
    // A table announced as the other family's is refused, and nothing changes.
    let error = published(&mut p, &both(2, [true, false]), &[image(4), sealed(b"3")]).unwrap_err().to_string();
    assert!(error.contains("address family"), "{error}");
    assert_eq!((p.generation(), p.source()), (2, &b"2"[..]));
}

#[test]
fn a_label_keeps_its_id() {
    let mut other = request(1, KEPT);
    other.labels = vec!["user_u:object_r:httpd_t:s0".into()];
    refused(&other, &[sealed(b"")], "label 0");
    other.labels.clear();
    refused(&other, &[sealed(b"")], "label 0");
}

#[test]
fn a_mirror_of_the_host_changes_the_host_and_not_the_program() {
    let mut p = publication();
    published(&mut p, &request(0, CHANGED), &[image(0), sealed(b"")]).unwrap();
    let link = mirror::Link { name: "eth0".into(), index: 2, mac: None, mtu: 1300, group: 0, up: true };
    let mirror = mirror::Snapshot { links: vec![link], ..Default::default() };
    p.set_host(&[sealed(&serde_json::to_vec(&mirror).unwrap())]).unwrap();
    let now = p.publisher.current();
    assert_eq!(now.host.interface(program::InterfaceId(1)).map(|i| i.mtu), Some(1300));
    assert_eq!(now.program.root.generation, 1);
}

#[test]
fn a_mirror_that_makes_no_sense_changes_nothing() {
    let mut p = publication();
    let before = p.publisher.current().clone();
    for (fds, words) in [(vec![], "0 descriptors"), (vec![sealed(b"{")], "cannot be read"), (vec![rustix_memfd(b"{}")], "sealed")] {
        let message = p.set_host(&fds).unwrap_err().to_string();
        assert!(message.contains(words), "{words:?} in {message:?}");
    }
    assert!(Arc::ptr_eq(&before, p.publisher.current()));
}

#[test]
fn groups_and_mirror_do_not_undo_each_other() {
    let mut p = publication();
    let port = program::InterfaceId(1);
    p.set_groups(ipv4_group(port, 0xe000_0005)).unwrap();
    let link = mirror::Link { name: "eth0".into(), index: 2, mac: None, mtu: 1300, group: 0, up: true };
    let mirror = mirror::Snapshot { links: vec![link], ..Default::default() };
    p.set_host(&[sealed(&serde_json::to_vec(&mirror).unwrap())]).unwrap();
    assert!(p.publisher.current().host.ipv4.joined(port, 0xe000_0005));
    p.set_groups(ipv4_group(port, 0xe000_0012)).unwrap();
    let now = p.publisher.current().clone();
    assert!(now.host.ipv4.joined(port, 0xe000_0012) && !now.host.ipv4.joined(port, 0xe000_0005));
    assert_eq!(now.host.interface(port).map(|i| i.mtu), Some(1300));
    p.set_groups(ipv4_group(port, 0xe000_0012)).unwrap();
    assert!(Arc::ptr_eq(&now, p.publisher.current()), "the same groups publish nothing");
}

/// A raw table with one rule: `-p PROTOCOL -j CT --timeout NAME` in PREROUTING.
fn raw(name: &str, protocol: u8) -> OwnedFd {
    use program::{CtAction, HeaderTest, Rule, Target, TimeoutPlace};
    let policy = Some(Policy { accept: true, counter: CounterSlot(0) });
    let chain = |name: &str, first, len| Chain { name: name.into(), rules: IdRange { first, len }, policy };
    let table = Table {
        kind: program::TableKind::Raw,
        hooks: [Some(ChainId(0)), None, None, Some(ChainId(1)), None],
        chains: vec![chain("PREROUTING", 0, 1), chain("OUTPUT", 1, 0)],
        rules: vec![Rule {
            test: HeaderTest { protocol: Some(protocol), ..HeaderTest::any() },
            residual: IdRange::default(),
            ordered: IdRange::default(),
            target: Target::Ct(CtAction { timeout: TimeoutPlace::of(0), ..CtAction::default() }),
            counter: CounterSlot(1),
        }],
        timeouts: vec![TimeoutName { name: name.into(), protocol }],
        needs_tracking: true,
        ..filter(0)
    };
    sealed(&image::encode_table(&table))
}

#[test]
fn a_timeout_policy_is_named_as_it_is_configured_or_the_known_ones_are_listed() {
    const RAW: &[(TableKind, bool)] = &[(TableKind::Raw, false)];
    let policies = "[dataplane.conntrack.timeout.slow]\nprotocol = \"tcp\"\nestablished = 9\n\
                    [dataplane.conntrack.timeout.six]\nfamily = \"inet6\"\nprotocol = \"udp\"\nreplied = 9\n";
    let mut p = configured(policies);
    for (name, protocol, words) in [
        ("fast", 6, "CT --timeout fast: no timeout policy of that name is configured; there are six (inet6 udp), slow (inet tcp)"),
        ("slow", 17, "CT --timeout slow: the policy is for inet tcp, the rule for inet protocol 17"),
        ("six", 17, "CT --timeout six: the policy is for inet6 udp, the rule for inet protocol 17"),
    ] {
        let error = published(&mut p, &request(0, RAW), &[raw(name, protocol), sealed(b"")]).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    assert_eq!(p.generation(), 0);
    published(&mut p, &request(0, RAW), &[raw("slow", 6), sealed(b"")]).unwrap();
    let running = p.running();
    let table = running.program.ipv4.get(program::TableKind::Raw).unwrap();
    assert_eq!(table.bound_timeouts, [TimeoutId(2)]);
    assert_eq!(running.settings.conntrack.policies[1].timeouts.tcp_established, 9);
    let none = published(&mut configured(""), &request(0, RAW), &[raw("slow", 6), sealed(b"")]).unwrap_err().to_string();
    assert!(none.contains("no timeout policy is configured"), "{none}");
}

#[test]
fn rules_go_by_places_of_sets_and_only_by_those_that_are_there() {
    use program::set::{Beside, ElementEdit, SetEdit, SetPart, SetSpec};
    let mut publication = publication();
    let mut reader = publication.reader();
    let tell = |publication: &mut Publication, whole: bool, edits: &[SetEdit]| {
        publication.set_sets(whole, &[wire::sealed("t", &set::encode(edits)).unwrap()], Time(5))
    };
    let publish = |publication: &mut Publication| {
        let mut table = filter(5);
        table.set_tests.push(program::SetTest {
            name: "a".into(),
            sources: 1,
            dimensions: 1,
            not: false,
            exceptions: false,
            keep_counters: false,
            keep_sub_counters: false,
            packets: None,
            bytes: None,
        });
        let request = Publish {
            based_on: publication.generation(),
            labels: vec![String::new()],
            tables: vec![TableRef { family: Family::Ipv4, kind: TableKind::Filter, form: Form::Whole }],
            ..Publish::default()
        };
        let image = wire::sealed("t", &image::encode_table(&table)).unwrap();
        let source = wire::sealed("t", b"").unwrap();
        publication.publish(&request, &[image, source], |_| Count::default())
    };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let stopped = &stop;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
                reader.read();
                reader.settle();
            }
        });
        assert!(matches!(publish(&mut publication), Err(Refusal::NoSet(name)) if name == "a"));
        let spec = SetSpec {
            family: Some(FamilyId::Ipv4),
            parts: vec![SetPart::Address],
            dimensions: 1,
            mask: u128::MAX,
            mark_mask: 0,
            nothing_is_none: true,
            has_mac: false,
            counters: true,
            taking: Default::default(),
        };
        let create = |name: &str| SetEdit::Create { name: name.into(), spec: spec.clone() };
        tell(&mut publication, false, &[create("b"), create("a")]).unwrap();
        assert_eq!(publish(&mut publication).unwrap(), 1);
        let place =
            |publication: &Publication| publication.running().program.ipv4.get(program::TableKind::Filter).unwrap().bound_sets[0];
        assert_eq!(place(&publication), SetId(1));
        let sets = publication.running().sets.clone();
        let put = ElementEdit { key: vec![10, 0, 0, 1], beside: Some(Beside { counters: Some((2, 3)), ..Beside::default() }) };
        tell(&mut publication, false, &[SetEdit::Elements { name: "a".into(), edits: vec![put] }]).unwrap();
        assert!(Arc::ptr_eq(&sets, &publication.running().sets), "the workers read on");
        let counts = publication.set_counts(&["a".into(), "nobody".into()]);
        assert!(matches!(&counts[..], [(name, all)] if name == "a" && (all[0].packets, all[0].bytes) == (2, 3)));
        // Rules go on asking that place, whatever comes and goes.
        tell(&mut publication, true, &[create("c"), create("d")]).unwrap();
        tell(&mut publication, false, &[create("a")]).unwrap();
        assert_eq!(publish(&mut publication).unwrap(), 2);
        assert_eq!(place(&publication), SetId(1));
        assert!(tell(&mut publication, false, &[create("a")]).is_err());
        assert!(matches!(publication.set_sets(false, &[wire::sealed("t", b"\xff").unwrap()], Time(5)), Err(Refusal::SetEdits(_))));
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
