//! What no record has: types that the kernel of the comparison is built without, and who may do what.
use rules::names::Builtin;
use sets::words::split;
use sets::{Host, Said, Sets};

fn run(sets: &mut Sets, line: &str, may_change: bool, now: u64) -> Said {
    let host = Host { names: &Builtin, now, initval: 0, references: &|_| 0, may_change, is_interactive: false, tells: false };
    sets::run(sets, &split(line), "", &host)
}

/// Runs commands; exit codes, and what `save` prints at the end without what all hashes have.
fn saved(lines: &[&str]) -> (Vec<i32>, String) {
    let mut sets = Sets::default();
    let exits = lines.iter().map(|line| run(&mut sets, line, true, 5).exit).collect();
    let text = run(&mut sets, "save -s", true, 5).stdout;
    (exits, text.replace(" hashsize 1024 maxelem 65536", "").replace(" bucketsize 12 initval 0x00000000", ""))
}

#[test]
fn hash_mac_and_hash_ip_mac_keep_hardware_addresses() {
    let (exits, text) = saved(&[
        "create a hash:mac",
        "add a 0:11:22:33:44:aa",
        "add a 00:00:00:00:00:00",
        "test a 00:11:22:33:44:AA",
        "test a 00:11:22:33:44:AB",
        "create b hash:ip,mac",
        "add b 1.1.1.1,0:0:0:0:0:1",
        "add b 1.1.1.0/31,0:0:0:0:0:1",
        "add b 1.1.1.1",
        "test b 1.1.1.1,0:0:0:0:0:1",
        "test b 1.1.1.2,0:0:0:0:0:1",
        "create a6 hash:mac family inet6",
    ]);
    assert_eq!(exits, [0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 2]);
    let expected =
        "create a hash:mac\nadd a 00:11:22:33:44:AA\ncreate b hash:ip,mac family inet\nadd b 1.1.1.1,00:00:00:00:00:01\n";
    assert_eq!(text, expected);
}

#[test]
fn hash_net_net_finds_a_pair_of_hosts_in_its_smallest_networks() {
    let (exits, text) = saved(&[
        "create a hash:net,net",
        "add a 10.0.0.0/8,0.0.0.0/0",
        "add a 10.1.0.0/16,20.0.0.0/8 nomatch",
        "add a 10.1.1.0-10.1.1.3,20.1.1.1",
        "test a 10.2.0.1,9.9.9.9",
        "test a 10.1.0.1,20.0.0.1",
        "test a 10.1.0.1,20.0.0.1 nomatch",
        "test a 10.1.1.2,20.1.1.1",
        "test a 10.1.0.0/16,20.0.0.1",
        "add a 10.0.0.0/8",
        "create b hash:net,net netmask 16",
        "add b 10.1.2.3,10.3.4.5",
    ]);
    assert_eq!(exits, [0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0]);
    let expected = "create a hash:net,net family inet\nadd a 10.0.0.0/8,0.0.0.0/0\nadd a 10.1.0.0/16,20.0.0.0/8 nomatch\n\
                    add a 10.1.1.0/30,20.1.1.1\ncreate b hash:net,net family inet netmask 16\nadd b 10.1.0.0,10.3.0.0\n";
    assert_eq!(text, expected);
}

#[test]
fn hash_net_port_net_and_hash_ip_mark_keep_three_and_two_parts() {
    let (exits, text) = saved(&[
        "create a hash:net,port,net",
        "add a 10.0.0.0/8,80-81,0.0.0.0/0",
        "add a 10.0.0.0/8,udp:0,11.0.0.0/8",
        "test a 10.0.0.1,81,1.2.3.4",
        "test a 10.0.0.1,82,1.2.3.4",
        "create b hash:ip,mark markmask 0xff",
        "add b 1.1.1.0/31,0x1234",
        "test b 1.1.1.1,0x34",
        "add b 1.1.1.1,x",
        "add b 1.1.1.1,4294967296",
        "create c hash:ip,mark markmask 0",
    ]);
    assert_eq!(exits, [0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1]);
    let expected = "create a hash:net,port,net family inet\nadd a 10.0.0.0/8,udp:0,11.0.0.0/8\nadd a 10.0.0.0/8,tcp:80,0.0.0.0/0\n\
                    add a 10.0.0.0/8,tcp:81,0.0.0.0/0\ncreate b hash:ip,mark family inet markmask 0x000000ff\n\
                    add b 1.1.1.0,0x00000034\nadd b 1.1.1.1,0x00000034\n";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&text), sorted(expected));
}

#[test]
fn elements_go_when_their_time_is_over() {
    let mut sets = Sets::default();
    for line in [
        "create a hash:ip timeout 10 maxelem 2",
        "add a 1.1.1.1",
        "add a 1.1.1.2 timeout 5",
        "create l list:set timeout 3",
        "add l a",
    ] {
        assert_eq!(run(&mut sets, line, true, 1000).exit, 0, "{line}");
    }
    assert_eq!(run(&mut sets, "add a 1.1.1.3", true, 5999).exit, 1, "full");
    assert_eq!(run(&mut sets, "test a 1.1.1.2", true, 5999).exit, 0);
    assert_eq!(run(&mut sets, "test a 1.1.1.2", true, 6000).exit, 1);
    assert_eq!(run(&mut sets, "del a 1.1.1.2", true, 6000).exit, 1);
    assert_eq!(run(&mut sets, "add a 1.1.1.3", true, 6000).exit, 0, "there is room again");
    assert_eq!(run(&mut sets, "test l a", true, 6000).exit, 1);
    assert!(run(&mut sets, "save a", true, 10_500).stdout.ends_with("add a 1.1.1.1 timeout 1\nadd a 1.1.1.3 timeout 5\n"));
    assert_eq!(run(&mut sets, "list a -t", true, 60_000).stdout.lines().last(), Some("Number of entries: 0"));
}

#[test]
fn a_full_set_with_forceadd_takes_a_new_element_for_an_old_one() {
    let (exits, text) = saved(&["create a hash:ip maxelem 2 forceadd", "add a 1.1.1.1", "add a 1.1.1.3", "add a 1.1.1.2"]);
    assert_eq!(exits, [0; 4]);
    assert!(text.contains(" forceadd") && text.contains("add a 1.1.1.2\n") && text.lines().count() == 3, "{text}");
}

#[test]
fn who_may_not_change_sets_may_see_them() {
    let mut sets = Sets::default();
    run(&mut sets, "create a hash:ip", true, 5);
    run(&mut sets, "add a 1.1.1.1", true, 5);
    for line in
        ["create b hash:ip", "add a 1.1.1.2", "del a 1.1.1.1", "flush", "flush a", "destroy", "destroy a", "rename a b", "swap a a"]
    {
        let said = run(&mut sets, line, false, 5);
        assert_eq!(
            (said.exit, said.stderr.as_str()),
            (1, "ipset v7.17: Kernel error received: Operation not permitted\n"),
            "{line}"
        );
        assert_eq!(said.changes, "");
    }
    assert_eq!(run(&mut sets, "test a 1.1.1.1", false, 5).exit, 0);
    assert!(run(&mut sets, "save", false, 5).stdout.ends_with("add a 1.1.1.1\n"));
}

#[test]
fn names_and_comments_that_could_not_be_restored_are_refused() {
    let mut sets = Sets::default();
    let host =
        Host { names: &Builtin, now: 5, initval: 0, references: &|_| 0, may_change: true, is_interactive: false, tells: false };
    let mut refused = |words: &[&str], text: &str| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let said = sets::run(&mut sets, &words, "", &host);
        assert_eq!((said.exit, said.stderr), (1, format!("ipset v7.17: Syntax error: {text}\n")));
    };
    refused(&["create", "a b", "hash:ip"], "setname \"a b\" could not be restored");
    refused(&["create", "", "hash:ip"], "setname \"\" could not be restored");
    refused(&["create", "a\"", "hash:ip"], "setname \"a\\\"\" could not be restored");
    let mut sets = Sets::default();
    run(&mut sets, "create c hash:ip comment", true, 5);
    let words = ["add", "c", "1.1.1.1", "comment", "a\nb"].map(str::to_owned);
    let said = sets::run(&mut sets, &words, "", &host);
    assert_eq!(said.stderr, "ipset v7.17: Syntax error: comment \"a\\nb\" could not be restored\n");
    let words = ["add", "c", "1.1.1.1", "comment", "a\"b"].map(str::to_owned);
    let said = sets::run(&mut sets, &words, "", &host);
    assert_eq!(said.stderr, "ipset v7.17: Syntax error: \" character is not permitted in comments\n");
}

/// A service's name may mean nothing by the time that stored commands are done again.
#[test]
fn what_is_done_again_and_not_understood_is_named() {
    let mut sets = Sets::default();
    run(&mut sets, "create a hash:ip,port", true, 5);
    let lines = ["add a 1.1.1.1,tcp:80", "add a 1.1.1.1,tcp:gone-away", "add a 1.1.1.1,tcp:80", "add b 1.1.1.1"];
    let lost = sets::again(&mut sets, &lines.join("\n"), &Builtin, 5);
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert!(lost[0].starts_with("\"add a 1.1.1.1,tcp:gone-away\": ipset v7.17: Syntax error: "), "{lost:?}");
    assert_eq!(sets::kept(&sets, &Builtin, 5).lines().count(), 2);
}

/// The kernel takes it within a range, and refuses it by itself. What is kept must read back all the same.
#[test]
fn an_address_that_is_nothing_is_kept_where_a_range_brought_it() {
    for (kind, element) in
        [("hash:ip,port", "0.0.0.1/30,tcp:80"), ("hash:ip,port", "0.0.0.3-0.0.0.0,tcp:80"), ("hash:ip", "0.0.0.3-0.0.0.0")]
    {
        let mut sets = Sets::default();
        run(&mut sets, &format!("create a {kind}"), true, 5);
        let said = run(&mut sets, &format!("add a {element}"), true, 5);
        let kept = sets::kept(&sets, &Builtin, 5);
        assert_eq!(said.exit == 0, kept.contains("add a 0.0.0.0"), "{kept}");
        let mut again = Sets::default();
        assert_eq!(sets::load(&mut again, &kept, &Builtin, 5), Ok(()), "{kept}");
        assert_eq!(sets::kept(&again, &Builtin, 5), kept);
    }
    let mut sets = Sets::default();
    run(&mut sets, "create a hash:ip,port", true, 5);
    assert_eq!(run(&mut sets, "add a 0.0.0.0,tcp:80", true, 5).exit, 1);
}

#[test]
fn a_nul_byte_ends_a_line_of_a_restore() {
    let mut sets = Sets::default();
    let host =
        Host { names: &Builtin, now: 5, initval: 0, references: &|_| 0, may_change: true, is_interactive: false, tells: false };
    let text = "create a hash:ip\n\0\nadd a 1.1.1.1\0 timeout x\nadd a 1.1.1.2\n";
    let said = sets::run(&mut sets, &split("restore"), text, &host);
    assert_eq!((said.exit, said.stderr.as_str()), (0, ""));
    assert!(run(&mut sets, "save -s", true, 5).stdout.ends_with("\nadd a 1.1.1.1\nadd a 1.1.1.2\n"));
}

#[test]
fn a_restore_does_not_become_a_conversation() {
    let mut sets = Sets::default();
    let host =
        Host { names: &Builtin, now: 5, initval: 0, references: &|_| 0, may_change: true, is_interactive: false, tells: false };
    let said = sets::run(&mut sets, &split("restore"), "create a hash:ip\n-\nadd a 1.1.1.1\n", &host);
    assert_eq!(said.exit, 2);
    assert!(said.stderr.contains("unknown argument -\n"), "{}", said.stderr);
}
