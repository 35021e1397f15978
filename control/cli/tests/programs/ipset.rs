//! ipset, alone and with rules that name its sets. What it says of elements is proven by the conversations of `control/sets`.
use crate::harness::{Box, rules, text};

/// Runs commands that all go well; what the last one prints.
fn all_ok(b: &Box, lines: &[&str]) -> String {
    lines.iter().fold(String::new(), |_, line| {
        let (program, args) = line.split_once(' ').unwrap();
        b.ok(program, &args.split(' ').collect::<Vec<_>>(), "")
    })
}

/// Runs a command that does not; its exit code and what it says.
fn refused(b: &Box, line: &str) -> (Option<i32>, String) {
    let (program, args) = line.split_once(' ').unwrap();
    let output = b.run(program, &args.split(' ').collect::<Vec<_>>(), "");
    (output.status.code(), text(&output.stderr))
}

#[test]
fn a_set_is_made_filled_and_listed() {
    let b = Box::new();
    let listed = all_ok(
        &b,
        &["ipset create a hash:ip initval 0x5", "ipset add a 10.0.0.0/31", "/usr/sbin/ipset -exist add a 10.0.0.1", "ipset save"],
    );
    let created = "create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x00000005\n";
    assert_eq!(listed, format!("{created}add a 10.0.0.0\nadd a 10.0.0.1\n"));
    let (code, said) = refused(&b, "ipset add a 10.0.0.1");
    assert_eq!((code, said.as_str()), (Some(1), "ipset v7.17: Element cannot be added to the set: it's already added\n"));
    assert_eq!(all_ok(&b, &["rampart ipset -n list"]), "a\n");
}

#[test]
fn rules_hold_the_sets_that_they_name() {
    let b = Box::new();
    all_ok(
        &b,
        &[
            "ipset create a hash:ip",
            "ipset create b hash:ip",
            "iptables -A INPUT -m set --match-set a src -j DROP",
            "iptables -t mangle -A FORWARD -j SET --add-set a src --del-set b src",
        ],
    );
    assert!(all_ok(&b, &["ipset -t list a"]).contains("\nReferences: 2\n"));
    for (line, said) in [
        ("ipset destroy a", "Set cannot be destroyed: it is in use by a kernel component"),
        ("ipset destroy", "Set cannot be destroyed: it is in use by a kernel component"),
        ("ipset rename a c", "Set cannot be renamed: it is in use by another system"),
    ] {
        assert_eq!(refused(&b, line), (Some(1), format!("ipset v7.17: {said}\n")), "{line}");
    }
    // The name stays with the rules, and what it holds changes.
    all_ok(&b, &["ipset add b 1.1.1.1", "ipset swap a b", "ipset test -q a 1.1.1.1", "ipset flush a"]);
    all_ok(&b, &["iptables -F INPUT", "iptables -t mangle -F", "ipset destroy a", "ipset destroy"]);
}

#[test]
fn rules_that_name_no_set_or_one_of_the_other_family_are_refused() {
    let b = Box::new();
    all_ok(&b, &["ipset create six hash:ip family inet6", "ipset create any bitmap:port range 1-9"]);
    let (code, said) = refused(&b, "iptables -A INPUT -m set --match-set nosuch src");
    assert_eq!(code, Some(2));
    assert!(said.contains("Set nosuch doesn't exist.\n"), "{said}");
    let (code, said) = refused(&b, "iptables -A INPUT -m set --match-set six src");
    assert_eq!(code, Some(2));
    assert!(said.contains("The protocol family of set six is IPv6, which is not applicable.\n"), "{said}");
    all_ok(&b, &["ip6tables -A INPUT -m set --match-set six src", "iptables -A INPUT -m set --match-set any dst"]);
}

#[test]
fn sets_and_the_rules_that_name_them_are_there_after_a_restart() {
    let mut b = Box::new();
    let before = all_ok(
        &b,
        &[
            "ipset create a hash:net comment",
            "ipset add a 10.0.0.0/8 comment x",
            "iptables -A INPUT -m set --match-set a src",
            "iptables-save -t filter",
        ],
    );
    let sets = all_ok(&b, &["ipset save"]);
    b.restart();
    assert_eq!(all_ok(&b, &["ipset save"]), sets);
    assert_eq!(rules(&all_ok(&b, &["iptables-save -t filter"])), rules(&before));
    assert_eq!(refused(&b, "ipset destroy a").0, Some(1));
}

#[test]
fn texts_come_from_standard_input_or_a_file_and_listings_go_into_one() {
    let b = Box::new();
    let lines = "create a hash:ip\nadd a 1.1.1.1\n";
    b.ok("ipset", &["restore"], lines);
    let file = b.file("lines");
    std::fs::write(&file, lines).unwrap();
    b.ok("ipset", &["-exist", "restore", "-file", file.to_str().unwrap()], "");
    let copy = b.file("copy");
    assert_eq!(b.ok("ipset", &["list", "-n", "-f", copy.to_str().unwrap()], ""), "");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "a\n");
    let output = b.run("ipset", &["restore"], "add a 1.1.1.2\nadd a 1.1.1.1\n");
    let said = "ipset v7.17: Error in line 2: Element cannot be added to the set: it's already added\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), said));
    for (args, said) in [
        (
            &["restore", "-f", "/nonexistent/x"][..],
            "ipset v7.17: Cannot open /nonexistent/x for reading: No such file or directory\n",
        ),
        (&["save", "-f", "/nonexistent/x"], "ipset v7.17: Cannot open /nonexistent/x for writing: No such file or directory\n"),
    ] {
        let output = b.run("ipset", args, "");
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), said));
    }
}

#[test]
fn commands_may_be_typed_one_by_one() {
    let b = Box::new();
    let output = b.run("ipset", &["-"], "create a hash:ip\n\nadd b 1.1.1.1\nlist -n\nrestore\nquit\nlist -n\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "ipset> ipset> No command specified\nipset> ipset> a\nipset> ipset> ");
    let said = "ipset v7.17: The set with the given name does not exist\n\
                ipset v7.17: Restore command is not supported in interactive mode\nTry `ipset help' for more information.\n";
    assert_eq!(text(&output.stderr), said);
}

#[test]
fn help_is_there_for_every_type() {
    let b = Box::new();
    let help = b.ok("ipset", &["help"], "");
    for kind in sets::types::TYPES {
        assert!(help.contains(kind.name));
        let of_type = b.ok("ipset", &["help", kind.name], "");
        assert!(of_type.contains(&format!("create SET {}", kind.name)), "{of_type}");
    }
    assert_eq!(b.run("ipset", &["help", "nosuch"], "").status.code(), Some(2));
}

/// What sets and rules say of each other: one command a line.
const TOGETHER: &str = "ipset create a hash:ip
ipset create b hash:ip
ipset create l list:set
ipset create n hash:net
iptables-legacy -A INPUT -m set --match-set a src -j DROP
iptables-legacy -t mangle -A FORWARD -j SET --add-set a src --del-set b src
ipset -t list l
ipset destroy a
ipset destroy
ipset rename a c
ipset swap a b
ipset swap a n
ipset add l a
iptables-legacy -A INPUT -m set --match-set l src
iptables-legacy -S INPUT
ipset destroy l
ipset flush l
iptables-legacy -A INPUT -m set --match-set nosuch src
iptables-legacy -A INPUT -j SET --add-set nosuch src
iptables-legacy -A INPUT -j SET --map-set a src --map-mark
iptables-legacy -D INPUT -m set --match-set l src
iptables-legacy -F INPUT
ipset destroy a
iptables-legacy -t mangle -F
ipset destroy a
ipset destroy
ipset list
";

#[test]
#[ignore = "needs the real ipset and iptables, and the right to make namespaces; run by make test"]
fn sets_and_rules_hold_each_other_as_in_the_kernel() {
    let script: String = TOGETHER.lines().map(|line| format!("echo '$ {line}'; {line} 2>&1; echo \"= $?\"\n")).collect();
    let shell = |command: &mut std::process::Command| {
        let output = command.args(["sh", "-c", &script]).output().unwrap();
        text(&output.stdout)
    };
    let real = shell(std::process::Command::new("unshare").args(["-rn"]));
    let b = Box::new();
    let programs = b.file("programs");
    std::fs::create_dir(&programs).unwrap();
    for name in ["ipset", "iptables-legacy"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rampart"), programs.join(name)).unwrap();
    }
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let ours = shell(std::process::Command::new("env").env("PATH", path).env("RAMPART_SOCKET", b.file("control.sock")));
    assert_eq!(ours, real);
    assert_eq!(ours.matches("= ").count(), TOGETHER.lines().count());
}
