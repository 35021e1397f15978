//! Edits one after the other, with kills between them: nothing is lost, and what runs is what all rules together compile to.
use compile::Context;
use packet::Ipv4;
use program::explain;
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, SlotId, TableName, restore};

use crate::fake::Fake;
use crate::harness::{Place, Rampartd};

/// Numbers that are the same each time.
struct Draw(u32);

impl Draw {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % end
    }
}

/// Some rule for a chain of the filter table.
fn rule(draw: &mut Draw) -> String {
    let number = draw.below(250);
    match draw.below(7) {
        0 => format!("-p tcp --dport {number} -j ACCEPT"),
        1 => format!("-s 10.0.{number}.0/24 -m limit --limit 5/sec -j ACCEPT"),
        2 => format!("-p udp -m multiport --dports {number},1000:2000 -j DROP"),
        3 => format!("-m conntrack --ctstate ESTABLISHED -c {number} 7 -j ACCEPT"),
        4 => format!("-i eth{number} -j RETURN"),
        5 => "-j own".to_owned(),
        _ => format!("-s 10.1.0.{number},10.2.0.{number} -j LOG --log-prefix {number}"),
    }
}

/// A command that may fail, as one for a rule that is not there does.
fn command(draw: &mut Draw) -> String {
    let chain = ["INPUT", "FORWARD", "other"][draw.below(3) as usize];
    let number = 1 + draw.below(6);
    match draw.below(12) {
        0 | 1 => format!("-D {chain} {number}"),
        2 | 3 => format!("-R {chain} {number} -s 192.0.2.{number} -j DROP"),
        4 => format!("-P FORWARD {}", ["ACCEPT", "DROP"][draw.below(2) as usize]),
        5 => ["-N more", "-X more", "-Z FORWARD", "-F other"][draw.below(4) as usize].to_owned(),
        6..8 => format!("-A {chain} {}", rule(draw)),
        _ => format!("-I {chain} {}", rule(draw)),
    }
}

/// A text like the one that was saved, and what is saved when it was restored, with counters.
fn restored(draw: &mut Draw, counted: &str, options: &str) -> (String, String) {
    let mut lines: Vec<String> = counted.lines().map(str::to_owned).collect();
    for _ in 0..draw.below(5) {
        // Behind the chains and before COMMIT.
        let first = lines.iter().rposition(|line| line.starts_with(':')).unwrap() + 1;
        let at = first + draw.below((lines.len() - first) as u32) as usize;
        let new = || format!("[{}:4000] -A INPUT -s 10.3.0.{} -j DROP", 1 + at, at);
        match draw.below(4) {
            0 if at + 1 < lines.len() => drop(lines.remove(at)),
            1 if at + 1 < lines.len() => lines[at] = new(),
            2 if at + 2 < lines.len() => lines.swap(at, at + 1),
            _ => lines.insert(at, new()),
        }
    }
    let policy = ["ACCEPT", "DROP"][draw.below(2) as usize];
    let text: String = lines.iter().map(|line| line.clone() + "\n").collect();
    let text = text.replace(":OUTPUT ACCEPT", &format!(":OUTPUT {policy}")).replace(":OUTPUT DROP", &format!(":OUTPUT {policy}"));
    let words: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
    let options = restore::Options::parse(Family::Ipv4, &words).unwrap();
    let host = Host { names: &Builtin, live: None };
    let set = restore::restore(&RuleSet::new(Family::Ipv4), &text, &options, &host).unwrap().ruleset.unwrap();
    let wanted = rules::save::save(&set, &rules::save::Options::parse(&["-c".to_owned()]).unwrap(), None, &host).unwrap();
    (text, wanted)
}

fn begin(daemon: &Rampartd) {
    let rules = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:other - [0:0]\n:own - [0:0]\n-A own -j DROP\nCOMMIT\n";
    assert_eq!(daemon.restore("", rules).exit, 0);
}

/// What a table says, without the numbers of counters and of what rules remember.
fn in_words(table: &program::Table<Ipv4>) -> String {
    let text = explain::table(table, &[]);
    text.lines()
        .map(|line| {
            line.split([' ', '(']).filter(|word| !word.starts_with(|c: char| c.is_ascii_digit())).collect::<String>() + "\n"
        })
        .collect()
}

/// The filter table of these rules, compiled as a whole.
fn compiled(text: &str) -> program::Table<Ipv4> {
    let options = restore::Options::parse(Family::Ipv4, &[]).unwrap();
    let outcome = restore::restore(&RuleSet::new(Family::Ipv4), text, &options, &Host { names: &Builtin, live: None });
    let mut set = outcome.unwrap().ruleset.unwrap();
    for chain in set.tables_mut().flat_map(|table| table.chains_mut()) {
        chain.slot = Some(SlotId(0));
        chain.rules.iter_mut().for_each(|rule| rule.slot = Some(SlotId(0)));
    }
    compile::table(set.table(TableName::Filter).unwrap(), &mut Context::new(1)).unwrap()
}

#[test]
fn a_killed_daemon_goes_on_after_any_edit() {
    let place = Place::new();
    let flags = &["--no-mirror-host"];
    let fake = Fake::start(&place.path("dataplane.sock"));
    let mut daemon = place.start(flags);
    assert_eq!(daemon.wait_ready().exit, 0);
    begin(&daemon);
    let mut draw = Draw(1);
    let mut done = 0;
    for n in 1..250 {
        if n % 3 == 0 {
            let options = ["", "-c"][draw.below(2) as usize];
            let (text, wanted) = restored(&mut draw, &daemon.saved("-c"), options);
            fake.lock().meanwhile = u64::from(draw.below(3));
            let reply = daemon.restore(options, &text);
            assert_eq!(reply.exit, 0, "{}", reply.stderr);
            assert_eq!(daemon.saved("-c"), wanted);
            done += 1;
        } else {
            done += usize::from(daemon.iptables(&command(&mut draw)).exit == 0);
        }
        let has_rule = fake.lock().tables["filter"].chains.iter().any(|chain| chain.name == "INPUT" && chain.rules.len > 0);
        fake.meet("INPUT", has_rule.then_some(0), 3);
        if n % 10 == 0 {
            let (saved, counted) = (daemon.saved(""), daemon.saved("-c"));
            daemon.kill();
            daemon = place.start(flags);
            assert_eq!(daemon.wait_ready().exit, 0);
            assert_eq!((daemon.saved(""), daemon.saved("-c")), (saved, counted));
        }
        let runs = in_words(&fake.lock().tables["filter"]);
        assert_eq!(runs, in_words(&compiled(&daemon.saved(""))));
    }
    let edits = fake.lock().edits;
    // All but the first after each start.
    assert!(done > 150 && edits + 25 >= done, "{edits} of {done} were sent as edits");
    // And on disk is what runs.
    let saved = daemon.saved("");
    daemon.stop();
    assert_eq!(std::fs::read_to_string(place.path("state/rules.v4")).unwrap(), saved);
}

#[test]
fn standalone_every_edit_is_on_disk() {
    let place = Place::new();
    let flags = &["--standalone"];
    let mut daemon = place.start(flags);
    begin(&daemon);
    let mut draw = Draw(2);
    for _ in 1..40 {
        daemon.iptables(&command(&mut draw));
        let counted = daemon.saved("-c");
        daemon.kill();
        daemon = place.start(flags);
        assert_eq!(daemon.saved("-c"), counted);
        daemon.iptables(&command(&mut draw));
        daemon.iptables(&command(&mut draw));
    }
}

#[test]
fn an_edit_says_what_it_changes_and_nothing_else() {
    let place = Place::new();
    let fake = Fake::start(&place.path("dataplane.sock"));
    let daemon = place.start(&["--no-mirror-host"]);
    daemon.wait_ready();
    begin(&daemon);
    daemon.ok("-A INPUT -s 10.0.0.1 -j ACCEPT");
    let length = |fake: &Fake| fake.lock().source.as_ref().map(Vec::len).unwrap();
    let before = length(&fake);
    daemon.ok("-A INPUT -s 10.0.0.2 -j ACCEPT");
    assert_eq!(fake.lock().edits, 2);
    assert!((1..500).contains(&(length(&fake) - before)), "the source goes on");
    // An edit that the dataplane did not take is not what the next one builds on.
    fake.lock().refuse = Some("not now".into());
    assert_eq!(daemon.iptables("-A INPUT -s 10.0.0.3 -j ACCEPT").exit, 4);
    fake.lock().refuse = None;
    daemon.ok("-A INPUT -s 10.0.0.4 -j ACCEPT");
    assert_eq!(fake.lock().edits, 2, "it comes as a whole table");
    daemon.ok("-D INPUT 1");
    assert_eq!(fake.lock().edits, 3);
    assert_eq!(daemon.ok("-S INPUT"), "-P INPUT ACCEPT\n-A INPUT -s 10.0.0.2/32 -j ACCEPT\n-A INPUT -s 10.0.0.4/32 -j ACCEPT\n");
}
