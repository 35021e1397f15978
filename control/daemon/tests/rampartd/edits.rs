//! Rules in, rules out, counters, and that a change is whole or not at all.
use crate::fake::Fake;
use crate::harness::{Place, Rampartd};

const RULES: &str = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n\
                     -A INPUT -s 10.0.0.0/8 -j own\n-A own -j ACCEPT\nCOMMIT\n";

fn ready(place: &Place) -> (Fake, Rampartd) {
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(&["--no-mirror-host"]);
    let reply = daemon.wait_ready();
    assert_eq!(reply.exit, 0, "{}", reply.stderr);
    (fake, daemon)
}

#[test]
fn what_is_restored_is_what_is_saved_and_what_runs() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    let reply = daemon.restore("", RULES);
    assert_eq!((reply.exit, &*reply.stderr), (0, ""));
    assert_eq!(daemon.saved(""), RULES);
    let kept = fake.lock();
    let table = &kept.tables["filter"];
    assert_eq!(table.rules.len(), 2);
    assert!(table.chains.iter().any(|chain| chain.name == "own"));
}

#[test]
fn one_bad_line_and_nothing_changes() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.restore("", RULES);
    let generation = fake.lock().generation;
    let reply = daemon.restore("", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A INPUT -j NONSENSE\nCOMMIT\n");
    assert_ne!(reply.exit, 0);
    assert!(reply.stderr.contains("iptables-restore") && reply.stderr.contains("line"), "{}", reply.stderr);
    assert_eq!(daemon.saved(""), RULES);
    assert_eq!(fake.lock().generation, generation);
}

#[test]
fn a_refusal_of_the_dataplane_leaves_the_old_rules_and_says_why() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.restore("", RULES);
    fake.lock().refuse = Some("no room for it".into());
    let reply = daemon.iptables("-A INPUT -j ACCEPT");
    assert_eq!(reply.exit, 4);
    assert!(reply.stderr.contains("no room for it"), "{}", reply.stderr);
    assert_eq!(daemon.saved(""), RULES);
    fake.lock().refuse = None;
    daemon.ok("-A INPUT -j ACCEPT");
}

#[test]
fn only_changed_tables_are_sent() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j ACCEPT");
    daemon.ok("-t mangle -A FORWARD -j ACCEPT");
    assert_eq!(fake.lock().changed, ["mangle"]);
    assert_eq!(fake.lock().tables.len(), 2);
    daemon.ok("-A INPUT -j DROP");
    assert_eq!(fake.lock().changed, ["filter"]);
}

#[test]
fn a_listing_loads_its_table_as_in_the_kernel() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    assert_eq!(daemon.saved(""), "");
    assert_eq!(daemon.ok("-S"), "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n");
    assert!(daemon.saved("").starts_with("*filter\n"));
    daemon.ok("-t nat -N own");
    assert_eq!(fake.lock().tables.len(), 2);
}

#[test]
fn counters_show_what_the_dataplane_counted_and_follow_their_rule() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j ACCEPT");
    fake.meet("INPUT", Some(0), 3);
    fake.meet("INPUT", None, 1);
    assert!(daemon.saved("-c").contains("[3:300] -A INPUT -j ACCEPT"));
    assert!(daemon.saved("-c").contains(":INPUT ACCEPT [1:100]"));
    daemon.ok("-I INPUT -s 10.0.0.1 -j DROP");
    fake.meet("INPUT", Some(1), 2);
    fake.meet("OUTPUT", None, 4);
    assert_eq!(
        daemon.saved("-c"),
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [4:400]\n\
         [0:0] -A INPUT -s 10.0.0.1/32 -j DROP\n[5:500] -A INPUT -j ACCEPT\nCOMMIT\n"
    );
}

#[test]
fn zeroing_counts_from_here() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j ACCEPT");
    fake.meet("INPUT", Some(0), 3);
    daemon.ok("-Z");
    assert!(daemon.saved("-c").contains("[0:0] -A INPUT -j ACCEPT"));
    fake.meet("INPUT", Some(0), 1);
    assert!(daemon.saved("-c").contains("[1:100] -A INPUT -j ACCEPT"));
}

#[test]
fn listing_and_zeroing_in_one_command_loses_nothing() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j ACCEPT");
    fake.meet("INPUT", Some(0), 3);
    let listed = daemon.ok("-L INPUT -v -x -n -Z");
    assert!(listed.contains("       3      300 ACCEPT"), "{listed}");
    assert!(daemon.saved("-c").contains("[0:0] -A INPUT -j ACCEPT"));
}

#[test]
fn restore_takes_counters_with_c_and_zeroes_them_without() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    let text = "*filter\n:INPUT ACCEPT [7:700]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n[5:500] -A INPUT -j ACCEPT\nCOMMIT\n";
    assert_eq!(daemon.restore("-c", text).exit, 0);
    fake.meet("INPUT", Some(0), 1);
    assert!(daemon.saved("-c").contains("[6:600] -A INPUT -j ACCEPT"));
    assert!(daemon.saved("-c").contains(":INPUT ACCEPT [7:700]"));
    assert_eq!(daemon.restore("", text).exit, 0);
    assert!(daemon.saved("-c").contains("[0:0] -A INPUT -j ACCEPT"));
}

/// So many rules for INPUT and as many for a chain of its own.
fn many(other: &str) -> String {
    let rules: String = (0..40).map(|n| format!("-A INPUT -s 10.0.0.{n}/32 -j ACCEPT\n")).collect();
    let own: String = (0..40).map(|n| format!("-A own -p tcp -m tcp --dport {n} -j ACCEPT\n")).collect();
    let chains = ":INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n";
    format!("*filter\n{chains}-A INPUT -p tcp -j own\n{rules}{other}{own}COMMIT\n")
}

/// The slots of the rules that run.
fn slots(fake: &Fake) -> Vec<usize> {
    crate::fake::slots_of(&fake.lock().tables["filter"])
}

#[test]
fn a_restore_that_says_the_same_again_is_an_edit_and_counts_from_nothing() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.restore("", &many(""));
    let (first, edits) = (slots(&fake), fake.lock().edits);
    fake.meet("INPUT", Some(3), 7);
    fake.lock().meanwhile = 5;
    assert_eq!(daemon.restore("", &many("")).exit, 0);
    assert_eq!((slots(&fake), fake.lock().edits), (first.clone(), edits + 1));
    assert!(
        !daemon.saved("-c").contains("[5:") && !daemon.saved("-c").contains("[7:"),
        "what met the old rules is not counted by the new"
    );
    // Of ten lines the others are none the wiser.
    fake.lock().meanwhile = 0;
    fake.meet("INPUT", Some(3), 2);
    let other = (0..60).step_by(6).fold(many("-A INPUT -s 10.1.0.1/32 -j DROP\n"), |text, n| {
        text.replace(&format!("-s 10.0.0.{n}/32"), &format!("-s 10.9.0.{n}/32"))
            .replace(&format!("--dport {n} "), &format!("--dport 9{n:03} "))
    });
    assert_eq!(daemon.restore("-c", &other.replace("-A INPUT -s 10.0.0.4/32", "[8:800] -A INPUT -s 10.0.0.4/32")).exit, 0);
    let (then, now) = (slots(&fake), daemon.saved("-c"));
    assert_eq!(fake.lock().edits, edits + 2);
    let kept = then.iter().filter(|slot| first.contains(slot)).count();
    assert_eq!(kept, first.len() - 7 - 7);
    assert!(now.contains("[8:800] -A INPUT -s 10.0.0.4/32") && now.contains("[0:0] -A INPUT -s 10.0.0.2/32"), "{now}");
    fake.meet("INPUT", Some(5), 1);
    assert!(daemon.saved("-c").contains("[9:900] -A INPUT -s 10.0.0.4/32"));
    assert_eq!(daemon.saved(""), other);
}

#[test]
fn zeroing_is_an_edit_that_loses_no_packet_of_the_time_in_between() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.restore("", &many(""));
    let edits = fake.lock().edits;
    fake.meet("INPUT", Some(3), 7);
    fake.lock().meanwhile = 5;
    daemon.ok("-Z");
    assert_eq!(fake.lock().edits, edits + 1);
    assert!(daemon.saved("-c").contains("[5:500] -A INPUT -s 10.0.0.2/32"));
}

/// As kube-proxy does: chains that the text names are emptied and filled, all others stay.
#[test]
fn a_restore_that_keeps_the_rest_is_an_edit() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.restore("", &many(""));
    let (first, edits) = (slots(&fake), fake.lock().edits);
    fake.meet("INPUT", Some(3), 7);
    fake.meet("own", Some(3), 4);
    fake.lock().meanwhile = 5;
    let own: String = (0..41).map(|n| format!("-A own -p tcp -m tcp --dport {n} -j ACCEPT\n")).collect();
    let text = format!("*filter\n:own - [0:0]\n:more - [0:0]\n{own}-A more -j DROP\n-A INPUT -j more\nCOMMIT\n");
    assert_eq!(daemon.restore("--noflush", &text).exit, 0);
    assert_eq!(fake.lock().edits, edits + 1);
    assert!(first.iter().all(|slot| slots(&fake).contains(slot)));
    let saved = daemon.saved("-c");
    assert!(saved.contains("[12:1200] -A INPUT -s 10.0.0.2/32"), "{saved}");
    assert!(saved.contains("[0:0] -A own -p tcp -m tcp --dport 3 "), "{saved}");
    assert!(saved.contains("[0:0] -A INPUT -j more"), "{saved}");
}

#[test]
fn chains_that_come_and_go_and_policies_are_edits() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.restore("", &many(""));
    let first = slots(&fake);
    fake.meet("own", Some(3), 4);
    fake.lock().meanwhile = 1;
    let edits = fake.lock().edits;
    let commands = ["-N new", "-A new -j own", "-E own their", "-P FORWARD DROP", "-F new", "-X new", "-N other", "-X other"];
    for command in commands {
        daemon.ok(command);
    }
    assert_eq!(fake.lock().edits, edits + commands.len());
    assert_eq!(slots(&fake), first);
    let saved = daemon.saved("-c");
    assert!(saved.contains("[12:1200] -A their -p tcp -m tcp --dport 3 ") && saved.contains("-A INPUT -p tcp -j their"), "{saved}");
    assert!(saved.contains(":FORWARD DROP [") && !saved.contains("own"), "{saved}");
    assert_eq!(fake.lock().tables["filter"].chains[3].name, "their");
}

#[test]
fn a_rule_that_goes_frees_its_slot_and_the_next_starts_at_nothing() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    for _ in 0..3 {
        daemon.ok("-A INPUT -j ACCEPT");
        fake.meet("INPUT", Some(0), 3);
        assert!(daemon.saved("-c").contains("[3:300] -A INPUT -j ACCEPT"));
        daemon.ok("-D INPUT 1");
    }
}

#[test]
fn more_rules_than_counter_slots_are_refused_whole() {
    let place = Place::new();
    let (_fake, daemon) = ready(&place);
    let text = |n: usize| format!("*filter\n{}COMMIT\n", "-A INPUT -j ACCEPT\n".repeat(n));
    let reply = daemon.restore("", &text(1000));
    assert_eq!(reply.exit, 4);
    assert!(reply.stderr.contains("all 1000 counter slots are in use"), "{}", reply.stderr);
    assert_eq!(daemon.restore("", &text(997)).exit, 0);
    assert_eq!(daemon.restore("", &text(997)).exit, 0, "slots of the replaced rules are free");
}

#[test]
fn clients_at_once_lose_no_edit() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    std::thread::scope(|scope| {
        for client in 0..16 {
            let daemon = &daemon;
            scope.spawn(move || {
                for n in 0..10 {
                    daemon.ok(&format!("-A INPUT -s 10.0.{client}.{n} -j ACCEPT"));
                }
            });
        }
    });
    let saved = daemon.saved("");
    assert_eq!(saved.matches("-A INPUT").count(), 160);
    for client in 0..16 {
        let places = (0..10).map(|n| saved.find(&format!("-s 10.0.{client}.{n}/32")).expect("no edit is lost"));
        assert!(places.is_sorted(), "each client's edits are in its order");
    }
    assert_eq!(fake.lock().tables["filter"].rules.len(), 160);
}

#[test]
fn without_a_dataplane_changes_are_refused_and_rules_can_be_read() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j ACCEPT");
    fake.stop();
    daemon.wait_not_enforced();
    let reply = daemon.iptables("-A INPUT -j DROP");
    assert_eq!(reply.exit, 4);
    assert!(reply.stderr.contains("nothing was changed, because nothing would enforce it"), "{}", reply.stderr);
    assert_eq!(daemon.ok("-S INPUT"), "-P INPUT ACCEPT\n-A INPUT -j ACCEPT\n");
}

#[test]
fn what_the_dataplane_does_not_enforce_is_refused_by_rule() {
    let place = Place::new();
    let (_fake, daemon) = ready(&place);
    let reply = daemon.iptables("-t raw -A PREROUTING -p tcp --dport 6667 -j CT --helper irc");
    assert_ne!(reply.exit, 0);
    assert!(reply.stderr.contains("raw"), "{}", reply.stderr);
    assert!(!daemon.saved("").contains("CT"));
}

#[test]
fn save_begins_and_ends_as_the_real_one_does() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    daemon.ok("-A INPUT -j ACCEPT");
    let request = proto::public::Request::Save { program: "iptables-save".into(), args: vec![] };
    let text = daemon.ask(&request, &[]).stdout;
    assert!(text.starts_with("# Generated by iptables-save v1.8.9 on "), "{text}");
    assert!(text.lines().last().unwrap().starts_with("# Completed on "), "{text}");
}
