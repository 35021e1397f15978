//! A daemon or a dataplane that goes and comes back.
use crate::fake::{Fake, Kept};
use crate::harness::{Place, wait_until};

const FLAGS: &[&str] = &["--no-mirror-host"];

#[test]
fn a_killed_daemon_takes_over_what_runs_with_its_counters() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    daemon.ok("-A INPUT -j DROP");
    fake.meet("INPUT", Some(0), 5);
    daemon.ok("-Z INPUT 1");
    fake.meet("INPUT", Some(0), 2);
    fake.meet("INPUT", Some(1), 1);
    let before = daemon.saved("-c");
    assert!(before.contains("[2:200] -A INPUT -s 10.0.0.1/32 -j ACCEPT"), "{before}");
    daemon.kill();
    // What is on disk is older or gone: what runs counts.
    let _ = std::fs::remove_file(place.path("state/rules.v4"));
    let generation = fake.lock().generation;
    let daemon = place.start(FLAGS);
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!(daemon.saved("-c"), before);
    assert_eq!(fake.lock().generation, generation, "taking over publishes nothing");
    fake.meet("INPUT", Some(1), 1);
    daemon.ok("-I INPUT -s 10.0.0.2 -j ACCEPT");
    assert!(daemon.saved("-c").contains("[2:200] -A INPUT -j DROP"), "{}", daemon.saved("-c"));
}

#[test]
fn a_new_dataplane_gets_the_wanted_rules() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    let saved = daemon.saved("");
    fake.stop();
    daemon.wait_not_enforced();
    let fake = Fake::start(&place.path("dataplane.sock"));
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!(daemon.saved(""), saved);
    assert_eq!(fake.lock().generation, 1);
    assert_eq!(fake.lock().tables["filter"].rules.len(), 1);
}

#[test]
fn an_empty_rule_set_is_published_too() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    assert_eq!(fake.lock().generation, 1);
    assert!(fake.lock().tables.is_empty());
}

#[test]
fn stored_rules_survive_both_processes() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    let saved = daemon.saved("");
    assert_eq!(daemon.stop().0, Some(0));
    fake.stop();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    assert_eq!(daemon.saved(""), saved);
    assert_eq!(fake.lock().tables["filter"].rules.len(), 1);
}

#[test]
fn standalone_rules_survive_a_kill_with_their_counters() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    let text = "*filter\n:INPUT DROP [1:2]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[3:4] -A INPUT -j ACCEPT\nCOMMIT\n";
    assert_eq!(daemon.restore("-c", text).exit, 0);
    daemon.kill();
    assert_eq!(place.start(&["--standalone"]).saved("-c"), text);
}

#[test]
fn a_publication_whose_answer_was_lost_is_taken_over_not_forgotten() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    daemon.wait_ready();
    fake.lock().die_after_publish = true;
    let reply = daemon.iptables("-A INPUT -j DROP");
    assert_eq!(reply.exit, 4);
    assert!(reply.stderr.contains("did not take the rules"), "{}", reply.stderr);
    fake.lock().die_after_publish = false;
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!(daemon.ok("-S INPUT"), "-P INPUT ACCEPT\n-A INPUT -j DROP\n");
    daemon.ok("-A INPUT -j ACCEPT");
}

#[test]
fn a_source_that_is_not_sealed_or_not_ours_is_refused_and_left_running() {
    let place = Place::new();
    let source = Some(b"rampart-source 1 00\n{}".to_vec());
    let fake = Fake::start_with(&place.path("dataplane.sock"), Kept { generation: 4, source, unsealed: true, ..Kept::default() });
    let daemon = place.start(FLAGS);
    let reply = daemon.iptables("-A INPUT -j DROP");
    assert_eq!(reply.exit, 4);
    assert!(reply.stderr.contains("not a memfd sealed"), "{}", reply.stderr);
    fake.lock().unsealed = false;
    wait_until("the hash is not checked", || {
        daemon.iptables("-A INPUT -j DROP").stderr.contains("its hash is not that of its content")
    });
    assert_eq!(fake.lock().generation, 4);
}

#[test]
fn a_dataplane_of_another_release_is_refused_by_version() {
    let place = Place::new();
    let other = proto::private::VERSION + 1;
    let _fake = Fake::start_with(&place.path("dataplane.sock"), Kept { version: Some(other), ..Kept::default() });
    let daemon = place.start(FLAGS);
    let reply = daemon.iptables("-A INPUT -j DROP");
    assert!(reply.stderr.contains(&format!("the dataplane speaks version {other}")), "{}", reply.stderr);
}
