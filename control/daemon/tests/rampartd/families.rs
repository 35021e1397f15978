//! iptables and ip6tables beside each other: one program, two rule sets.
use crate::fake::{Fake, Kept};
use crate::harness::{Place, Rampartd, words};
use proto::public::{Reply, Request};

const FLAGS: &[&str] = &["--no-mirror-host"];

fn ready(place: &Place) -> (Fake, Rampartd) {
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(FLAGS);
    assert_eq!(daemon.wait_ready().exit, 0);
    (fake, daemon)
}

fn ok6(daemon: &Rampartd, line: &str) -> String {
    let reply = daemon.program("ip6tables", line);
    assert_eq!((reply.ok, reply.exit, &*reply.stderr), (true, 0, ""), "{line}");
    reply.stdout
}

fn saved6(daemon: &Rampartd, args: &str) -> String {
    let reply = daemon.ask(&Request::Save { program: "ip6tables-save".into(), args: words(args) }, &[]);
    assert_eq!((reply.exit, &*reply.stderr), (0, ""));
    reply.stdout.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect()
}

fn restore6(daemon: &Rampartd, text: &str) -> Reply {
    let request = Request::Restore { program: "ip6tables-restore".into(), args: vec![], length: text.len() as u64 };
    daemon.ask(&request, text.as_bytes())
}

#[test]
fn an_edit_of_one_family_publishes_its_table_and_keeps_the_other_familys() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    assert_eq!(fake.lock().changed, ["filter"]);
    ok6(&daemon, "-A INPUT -s 2001:db8::/32 -p tcp --dport 22 -j ACCEPT");
    assert_eq!(fake.lock().changed, ["6filter"]);
    daemon.ok("-A INPUT -j DROP");
    assert_eq!(fake.lock().changed, ["filter"]);
    let kept = fake.lock();
    assert_eq!(kept.tables["filter"].rules.len(), 2);
    assert_eq!(kept.tables_ipv6["filter"].rules.len(), 1);
    let net = "2001:db8::".parse::<std::net::Ipv6Addr>().unwrap().to_bits();
    assert_eq!(kept.tables_ipv6["filter"].rules[0].test.src, net);
    drop(kept);
    assert_eq!(ok6(&daemon, "-S INPUT"), "-P INPUT ACCEPT\n-A INPUT -s 2001:db8::/32 -p tcp -m tcp --dport 22 -j ACCEPT\n");
    assert_eq!(daemon.ok("-S INPUT"), "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.1/32 -j ACCEPT\n-A INPUT -j DROP\n");
}

#[test]
fn each_family_counts_and_is_zeroed_for_itself() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j DROP");
    ok6(&daemon, "-A INPUT -j DROP");
    ok6(&daemon, "-P FORWARD DROP");
    fake.meet("INPUT", Some(0), 5);
    fake.meet_ipv6("INPUT", Some(0), 7);
    fake.meet_ipv6("FORWARD", None, 2);
    assert!(daemon.saved("-c").contains("[5:500] -A INPUT -j DROP"), "{}", daemon.saved("-c"));
    let saved = saved6(&daemon, "-c");
    assert!(saved.contains("[7:700] -A INPUT -j DROP") && saved.contains(":FORWARD DROP [2:200]"), "{saved}");
    ok6(&daemon, "-Z");
    assert!(saved6(&daemon, "-c").contains("[0:0] -A INPUT -j DROP"));
    assert!(daemon.saved("-c").contains("[5:500] -A INPUT -j DROP"), "the other family's stay");
}

#[test]
fn both_families_outlive_a_killed_daemon_with_their_counters() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    ok6(&daemon, "-t mangle -A PREROUTING -s fe80::/10 -j MARK --set-mark 7");
    ok6(&daemon, "-A FORWARD -j DROP");
    fake.meet_ipv6("FORWARD", Some(0), 3);
    let before = (daemon.saved("-c"), saved6(&daemon, "-c"));
    assert!(before.1.contains("[3:300] -A FORWARD -j DROP"), "{}", before.1);
    daemon.kill();
    for file in ["rules.v4", "rules.v6"] {
        let _ = std::fs::remove_file(place.path("state").join(file));
    }
    let generation = fake.lock().generation;
    let daemon = place.start(FLAGS);
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!((daemon.saved("-c"), saved6(&daemon, "-c")), before);
    assert_eq!(fake.lock().generation, generation, "taking over publishes nothing");
    let (code, _) = daemon.stop();
    assert_eq!(code, Some(0));
    let stored = std::fs::read_to_string(place.path("state/rules.v6")).unwrap();
    assert!(stored.contains("-A FORWARD -j DROP"), "stored again: {stored}");
}

#[test]
fn a_new_dataplane_gets_the_rules_of_both() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    ok6(&daemon, "-A INPUT -s ::1 -j DROP");
    fake.stop();
    daemon.wait_not_enforced();
    let fake = Fake::start(&place.path("dataplane.sock"));
    assert_eq!(daemon.wait_ready().exit, 0);
    let kept = fake.lock();
    assert_eq!((kept.generation, kept.tables["filter"].rules.len(), kept.tables_ipv6["filter"].rules.len()), (1, 1, 1));
}

#[test]
fn a_restore_of_ipv6_is_all_or_nothing() {
    let place = Place::new();
    let (fake, daemon) = ready(&place);
    daemon.ok("-A INPUT -j DROP");
    let text = "*filter\n:INPUT DROP [3:4]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n-A INPUT -j own\n\
                -A own -p ipv6-icmp -j ACCEPT\nCOMMIT\n*nat\n-A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n";
    assert_eq!(restore6(&daemon, text).exit, 0);
    let (saved, saved4, generation) = (saved6(&daemon, ""), daemon.saved(""), fake.lock().generation);
    assert!(saved.contains("-A own -p ipv6-icmp -j ACCEPT") && saved.contains("-j MASQUERADE"), "{saved}");
    let refused = restore6(&daemon, "*filter\n-F\n-A INPUT -s 10.0.0.1 -j DROP\nCOMMIT\n");
    assert_ne!(refused.exit, 0);
    assert!(refused.stderr.contains("ip6tables-restore"), "{}", refused.stderr);
    assert_eq!((saved6(&daemon, ""), daemon.saved(""), fake.lock().generation), (saved, saved4, generation));
}

#[test]
fn what_the_dataplane_cannot_do_for_ipv6_is_refused_by_rule() {
    let place = Place::new();
    let (_fake, daemon) = ready(&place);
    let reply = daemon.program("ip6tables", "-A FORWARD -m policy --dir in --pol none -j DROP");
    assert_ne!(reply.exit, 0);
    assert!(reply.stderr.contains("policy"), "{}", reply.stderr);
    assert!(!saved6(&daemon, "").contains("DROP"));
}

#[test]
fn a_dataplane_that_drops_ipv6_is_given_no_rules_for_it() {
    let place = Place::new();
    let fake = Fake::start_with(&place.path("dataplane.sock"), Kept { no_ipv6: true, ..Kept::default() });
    let daemon = place.start(FLAGS);
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!(ok6(&daemon, "-S"), "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n");
    assert_eq!(fake.lock().generation, 1, "a listing publishes nothing");
    ok6(&daemon, "-P INPUT ACCEPT");
    ok6(&daemon, "-F");
    for line in ["-A INPUT -s fe80::/10 -j ACCEPT", "-P INPUT DROP", "-N own"] {
        let reply = daemon.program("ip6tables", line);
        assert_eq!(reply.exit, 1);
        assert!(reply.stderr.starts_with("ip6tables: IPv6 rules are not enforced, so they are refused"), "{}", reply.stderr);
    }
    let status = daemon.ask(&Request::Status {}, &[]);
    assert!(status.stdout.contains("every packet is dropped; ip6tables refuses rules"), "{}", status.stdout);
    daemon.ok("-A INPUT -j DROP");
}

#[test]
fn stored_rules_of_ipv6_wait_for_a_dataplane_that_walks_it() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("state")).unwrap();
    let rules = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n-A FORWARD -s 2001:db8::1/128 -j ACCEPT\nCOMMIT\n";
    std::fs::write(place.path("state/rules.v6"), rules).unwrap();
    let fake = Fake::start_with(&place.path("dataplane.sock"), Kept { no_ipv6: true, ..Kept::default() });
    let daemon = place.start(FLAGS);
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!(saved6(&daemon, ""), rules);
    daemon.ok("-A INPUT -j DROP");
    fake.stop();
    daemon.wait_not_enforced();
    let fake = Fake::start(&place.path("dataplane.sock"));
    assert_eq!(daemon.wait_ready().exit, 0);
    assert_eq!(fake.lock().tables_ipv6["filter"].rules.len(), 1);
    let (_, said) = daemon.stop();
    assert!(said.contains("the IPv6 rules are not enforced"), "{said}");
}

#[test]
fn standalone_stores_and_prints_rules_of_both() {
    let place = Place::new();
    let daemon = place.start(&["--standalone"]);
    daemon.ok("-A INPUT -j DROP");
    ok6(&daemon, "-A INPUT -s fe80::/10 -j ACCEPT");
    daemon.stop();
    let daemon = place.start(&["--standalone"]);
    assert!(saved6(&daemon, "").contains("-A INPUT -s fe80::/10 -j ACCEPT"));
    assert!(daemon.saved("").contains("-A INPUT -j DROP"));
    let status = daemon.ask(&Request::Status {}, &[]).status.unwrap();
    let tables: Vec<(&str, &str, u64)> = status.tables.iter().map(|t| (&*t.family, &*t.name, t.rules)).collect();
    assert_eq!(tables, [("ipv4", "filter", 1), ("ipv6", "filter", 1)]);
}
