//! Every option of conntrack(8) with each of its commands, through the real command and through Rampart's: what one takes the other takes, and what one
//! refuses the other refuses with the same words and the same exit code. No connection is there all the while; what is said of connections is compared
//! in `conntrack.rs`.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result, ensure};
use net::kernel;
use net::lab::{Lab, Shape, System};
use net::labels;

/// Each command with each table that it has, and none.
const COMMANDS: &[&str] = &[
    "-L",
    "-L expect",
    "-L dying",
    "-L unconfirmed",
    "-G",
    "-G expect",
    "-D",
    "-D expect",
    "-U",
    "-U expect",
    "-F",
    "-F expect",
    "-C",
    "-C expect",
    "-E",
    "-E expect",
    "-S",
    "-S expect",
    "-V",
    "-h",
    "",
];

/// Options of the manual page with values of each kind, and words round them.
const OPTIONS: &[&str] = &[
    "",
    // Addresses.
    "-s 1.2.3.4",
    "-s 1.2.3.0/24",
    "--src=1.2.3.4",
    "--orig-src ::1",
    "-s 1.2.3",
    "-s 1.2.3.4/33",
    "-s bla",
    "-s",
    "-s=1.2.3.4",
    "-d fe80::/10",
    "--orig-dst 1.2.3.4",
    "-r 1.2.3.4",
    "--reply-src 1.2.3.0/24",
    "-q 1.2.3.4",
    "-s 1.2.3.4 -r ::1",
    "-f ipv6 -s 1.2.3.4",
    "--mask-src 255.0.0.0",
    "-d 1.2.3.4 --mask-dst 255.0.0.0",
    "-{ 255.0.0.0/8",
    "--tuple-src 1.2.3.0/24",
    "-] x",
    "-f ipv4",
    "--fam=ipv6",
    "-f inet",
    // Protocols and what they bring.
    "-p tcp",
    "-p 0x6",
    "-p 256",
    "--pro icmp",
    "-p ipv6-icmp",
    "-p unknown",
    "-p tcp --sport 5",
    "-p tcp --spo=5 --dport 6",
    "-p tcp --orig-port-src 5 --orig-port-dst 6",
    "-p tcp --reply-port-src 5",
    "-p tcp --reply-port 5",
    "-p tcp --mask-port-src 5",
    "-p tcp --tuple-port-dst 5",
    "-p tcp --state LISTEN",
    "-p tcp --state syn_sent",
    "-p udp --state ESTABLISHED",
    "-p udp --dport 5",
    "-p udplite --reply-port-dst 5",
    "-p udplite --mask-port-dst 5",
    "-p sctp --sport 5 --state COOKIE_WAIT",
    "-p sctp --role client",
    "-p dccp --sport 5 --state PARTOPEN",
    "-p dccp --state ESTABLISHED",
    "-p dccp --role client",
    "-p dccp --role x",
    "-p icmp --icmp-type 8 --icmp-code 0 --icmp-id 5",
    "-p icmp --icmpv6-type 8",
    "-p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 5",
    "-p gre --srckey 5 --dstkey 0x6",
    "-p gre --orig-key-src 0xffff --orig-key-dst 010",
    "-p gre --reply-key-src 5 --reply-key-dst 6",
    "-p gre --mask-key-src 5",
    "-p gre --tuple-key-dst 5",
    "-p 99 --sport 5",
    "--sport 5 -p tcp",
    // What a connection is.
    "-t 5",
    "--timeout",
    "-u ASSURED",
    "--status seen_reply,EXP",
    "-u FIXED_TIMEOUT,OFFLOAD,HW_OFFLOAD",
    "-u ASSURED,,EXPECTED",
    "-u CONFIRMED",
    "-m 5",
    "--mark=0x5/0x3",
    "-i 5",
    "-w 5",
    "--orig-zone 5 --reply-zone 6",
    "-( 5",
    "-w 5 -w 6",
    "-l zero",
    "--label=zero,three",
    "-l nobody",
    "-l zero,",
    "--label-add zero",
    "-< nobody",
    "--label-del",
    "->",
    "--label-del zero",
    "--label-add zero --label-del",
    "-n",
    "-n 1.2.3.4:80",
    "--src-nat ::1",
    "-n bla",
    "-g",
    "--dst-nat 1.2.3.4",
    "-j",
    "-j 1.2.3.4",
    "-j -n",
    "-g -j",
    // How it is shown.
    "-z",
    "-z5",
    "--zero=5",
    "-z -f ipv6 -o id",
    "-z -p tcp",
    "-z -l zero",
    "-z -s 1.2.3.4 --mask-src 1.2.3.4",
    "-o xml",
    "-o extended,timestamp,id,ktimestamp,labels,userspace",
    "-o EXT",
    "-o bla",
    "-o xml,",
    "-o save",
    "-o save,id",
    "-o save,userspace",
    "-o labels -o save",
    "-l zero -o save",
    "-e NEW",
    "--event-mask upd,destroy",
    "-e NEW|DESTROY",
    "-b 5",
    "--buffer-size 100000",
    // Words that are none, and two commands.
    "more",
    "-- more",
    "!",
    "-v",
    "--bla",
    "--src",
    "--s 1.2.3.4",
    "--l zero",
    "--ori 1.2.3.4",
    "-L",
    "-V",
];

/// What names one connection, for `-G`.
const TUPLES: &[&str] = &[
    "-p tcp --sport 1 --dport 2",
    "-p tcp --sport 1 --reply-port-src 1",
    "-p tcp --sport 1",
    "-p tcp --reply-port-src 1",
    "-p tcp --sport 1 --dport 2 --mask-port-src 5",
    "-p tcp --sport 1 --dport 2 --state CLOSE -i 5 -l zero -o xml",
    "-p udp",
    "-p sctp --sport 1 --dport 2",
    "-p dccp --sport 1 --dport 2 --role client",
    "-p icmp --icmp-type 8 --icmp-code 0",
    "-p icmp --icmp-type 3 --icmp-code 0 --icmp-id 5",
    "-p icmp --icmp-code 0",
    "-p icmpv6 --icmpv6-type 128",
    "-p gre --srckey 1 --dstkey 2",
    "-p gre --srckey 1",
    "-p 99",
];

/// The addresses beside them.
const ADDRESSES: &[&str] = &[
    "-s 1.2.3.4 -d 1.2.3.5",
    "-r 1.2.3.4 -q 1.2.3.5",
    "-s ::1 -d ::2 -r ::2 -q ::1",
    "-s 1.2.3.4 -q 1.2.3.5",
    "-r 1.2.3.4",
    "-s 1.2.3.4 -d 1.2.3.5 -r 1.2.3.5",
];

/// Forms of commands.
const FORMS: &[&str] = &[
    "-G dying",
    "-D dying -x",
    "-U unconfirmed -p",
    "-F d",
    "-C unconfirmed",
    "-E dying -s bla",
    "-S dying",
    "-V dying",
    "-h u",
    "-L exp -L",
    "-L c",
    "-L bla",
    "-Lexpect -o xml",
    "-Lbla",
    "-Lp tcp",
    "-Lz",
    "-zL",
    "--dump=expect",
    "--dump=conntrack expect",
    "--du",
    "--delete",
    "--get",
    "--update -m 1",
    "--flush",
    "--count",
    "--event",
    "--stats",
    "--stats=expect",
    "--version",
    "--version=5",
    "--help",
    "-Vx",
    "-V bla",
    "-hx",
    "-h bla",
    "-sL 1.2.3.4",
    "-s 1.2.3.4 -L",
    "-p tcp -L --sport 5",
    "-o xml -L expect",
    "-p tcp -p udp -L --sport 5",
    "-L -",
    "-D expect -p tcp -s 1.2.3.4 -d 1.2.3.5 --sport 1 --dport 2 --reply-port-src 1 --reply-port-dst 2",
    "-G expect -p tcp -s 1.2.3.4 -d 1.2.3.5 --sport 1 --dport 2 --reply-port-src 1 --reply-port-dst 2 --state CLOSE",
    "-G expect -p gre -s 1.2.3.4 -d 1.2.3.5 --orig-key-src 0x1 --orig-key-dst 0x2 --reply-key-src 1",
    "-L -u UNSET",
    "-U -u UNSET",
    "-U -t 0",
    "-U -u FIXED_TIMEOUT -t 5 -m 1 --label-add zero",
];

/// What cannot be done here, or cannot be meant, and is refused: the words, what is said, and why not as the reference does.
const NOT_SUPPORTED: &[(&str, &str, &str)] = &[
    (
        "-c 5",
        "`--secmark' with this command is not supported",
        "the reference takes a label's number, which nobody knows, and ignores it",
    ),
    ("-D -t 5", "`--timeout' with this command is not supported", "the reference ignores it, and ends every connection"),
    ("-D -u UNSET", "`--status UNSET' with this command is not supported", "likewise"),
    (
        "-u SRC_NAT",
        "the status `SRC_NAT' (--src-nat, --dst-nat say what is translated) is not supported",
        "it warns, and ignores it",
    ),
    ("-u S", "the status `S' (--src-nat", "it is SRC_NAT"),
    ("-p sctp --orig-vtag 5", "`--orig-vtag' with this command is not supported", "a tag is the two ends' own affair"),
    ("-p sctp --reply-vtag 5", "`--reply-vtag' with this command is not supported", "likewise"),
    ("-a 1.2.3.4", "unknown option `-a'", "deprecated there, and ignored with a warning"),
    ("--nat-range 1.2.3.4", "unknown option `--nat-range'", "likewise"),
    ("-I", "making connections by hand (--create) is not supported", "connections are made by packets alone"),
    ("-I expect", "making connections by hand (--create) is not supported", "and announced by helpers"),
    ("-A", "making connections by hand (--add) is not supported", "connections are made by packets alone"),
    ("-R /dev/null", "loading connections (--load-file) is not supported", "likewise"),
    ("-L -z -n", "Can't use -z with filtering parameters", "the reference zeroes what it does not show"),
    // Numbers that are none, or do not fit: taken as 0, or cut.
    ("-m x", "Invalid mark `x'", "taken as 0"),
    ("-m 5/", "Invalid mark `'", "taken as 0"),
    ("-m -1", "Invalid mark `-1'", "taken as 0xffffffff"),
    ("-w 65536", "Invalid zone `65536'", "taken as 0"),
    ("--orig-zone 5x", "Invalid zone `5x'", "taken as 5"),
    ("-i x", "Invalid id `x'", "taken as 0"),
    ("-t 0x10", "Invalid timeout `0x10'", "taken as 0"),
    ("-b 5x", "Invalid buffer size `5x'", "taken as 5"),
    ("-s 1.2.3.4/", "Invalid netmask", "taken as 0, which is every address"),
    ("-p tcp --sport 0x50", "Invalid port `0x50'", "taken as 0"),
    ("-p tcp --dport 65536", "Invalid port `65536'", "taken as 0"),
    ("-p icmp --icmp-type echo-request", "Invalid ICMP type `echo-request'", "taken as 0"),
    ("-p icmp --icmp-code 256", "Invalid ICMP code `256'", "taken as 0"),
    ("-p icmp --icmp-id x", "Invalid ICMP id `x'", "taken as 0"),
    ("-p gre --srckey 0x10000", "Invalid key `0x10000'", "taken as 0"),
    // Attached to the option, the reference does not look at it: -n1.2.3.4 is -n.
    ("-nbla", "Invalid IP address `bla'", "ignored"),
    ("--any-nat=1.2.3.4:x", "Invalid port `x'", "ignored"),
    // The reference has no answer: it crashes, or says what errno happens to be.
    ("--id", "option `--id' requires an argument", "the reference crashes"),
    ("-p sctp --state bla", "unknown SCTP state `bla'", "the reference crashes"),
    ("-G -p udp -s 1.2.3.4 -d 1.2.3.5 --reply-port-src 1 --reply-port-dst 2", "invalid parameters", "`Operation failed: Success'"),
];

/// What is run.
#[derive(Clone)]
struct Case {
    words: String,
    /// What Rampart may say instead of what the reference says.
    refusal: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let with = |left: &str, right: &str| format!("{left} {right}").trim().to_owned();
    let crossed = |left: &[&str], right: &[&str]| -> Vec<String> {
        left.iter().flat_map(|left| right.iter().map(move |right| with(left, right))).collect()
    };
    let mut equal = crossed(COMMANDS, OPTIONS);
    equal.extend(crossed(TUPLES, ADDRESSES).iter().map(|tuple| with("-G", tuple)));
    equal.extend(FORMS.iter().map(|form| (*form).to_owned()));
    equal.retain(|words| NOT_SUPPORTED.iter().all(|(refused, ..)| refused != words));
    let mut all: Vec<_> = equal.into_iter().map(|words| Case { words, refusal: None }).collect();
    for (words, says, _) in NOT_SUPPORTED {
        let names_command = words.starts_with(['-']) && words[1..].starts_with(|c: char| c.is_uppercase());
        let commands = if names_command { &[""] } else { COMMANDS };
        all.extend(commands.iter().map(|command| Case { words: with(command, words), refusal: Some(*says) }));
    }
    all
}

/// What a system says to each of these, and with which exit code. One who watches is interrupted.
fn answers(system: System, cases: &[&str], watched: f32) -> Result<Vec<String>> {
    let mut lab = Lab::new(Shape { system, ..Shape::default() })?;
    lab.start()?;
    let dir = lab.dir.path().join("said");
    fs::create_dir(&dir)?;
    let mut script = format!("cd {}\n", dir.display());
    let mut watching = 0;
    for (at, case) in cases.iter().enumerate() {
        let words = case.split_whitespace().fold(String::new(), |line, word| line + " '" + word + "'");
        let watches = case.contains("-E") || case.contains("--event");
        let command = if watches { &format!("timeout -s INT --preserve-status {watched} conntrack") } else { "conntrack" };
        let ends = if watches { "&\n" } else { "\n" };
        write!(script, "{{ {command}{words} </dev/null >{at} 2>&1; echo exit code $? >>{at}; }} {ends}")?;
        watching += usize::from(watches);
        // No more than may watch at once.
        if watches && watching % 4 == 0 {
            writeln!(script, "wait")?;
        }
    }
    let path = lab.dir.path().join("script");
    fs::write(&path, script + "wait\n")?;
    lab.ok(&format!("sh {} 2>&1", path.display()))?;
    let read = |(at, case): (usize, &&str)| fs::read_to_string(dir.join(at.to_string())).with_context(|| (*case).to_owned());
    cases.iter().enumerate().map(|case| Ok(without_own(&read(case)?))).collect()
}

/// Without what each system has in its own words or numbers: help, statistics, warnings of what is ignored.
fn without_own(text: &str) -> String {
    let is_help = |line: &&str| line.starts_with("Command line interface") || line.contains("as Rampart has it");
    if text.lines().next().as_ref().is_some_and(is_help) {
        return format!("help\n{}", text.lines().last().unwrap_or_default());
    }
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("WARNING: ignoring "))
        .map(|line| if line.starts_with("cpu=") { "a line for each" } else { line })
        .collect();
    lines.dedup();
    lines.join("\n")
}

/// Where the two differ in what is to be equal, or Rampart takes what it is to refuse; with what they say.
fn differences(cases: &[Case], watched: f32) -> Result<Vec<(Case, String)>> {
    let lines: Vec<&str> = cases.iter().map(|case| case.words.as_str()).collect();
    let (linux, rampart) = (answers(System::Kernel, &lines, watched)?, answers(System::Rampart, &lines, watched)?);
    let mut all = Vec::new();
    for ((case, linux), rampart) in cases.iter().zip(&linux).zip(&rampart) {
        let refuses = |refusal: &str| rampart.contains(refusal) && !rampart.ends_with("exit code 0");
        if linux != rampart && !case.refusal.is_some_and(refuses) {
            let indented = |text: &str| text.replace('\n', "\n           ");
            let said = format!("conntrack {}\n  kernel:  {}\n  rampart: {}\n", case.words, indented(linux), indented(rampart));
            all.push((case.clone(), said));
        }
    }
    Ok(all)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn every_option_is_taken_and_refused_as_the_real_command_does() -> Result<()> {
    if kernel::lacks("a comparison with itself") {
        return Ok(());
    }
    labels::name("0 zero\n3 three\n")?;
    let cases = cases();
    let different = differences(&cases, 0.2)?;
    // On a busy machine one who watches may be interrupted before it watches: what differs is looked at again.
    let again: Vec<_> = different.into_iter().map(|(case, _)| case).collect();
    let different = if again.is_empty() { Vec::new() } else { differences(&again, 1.0)? };
    let text: String = different.iter().map(|(_, text)| text.as_str()).collect();
    ensure!(text.is_empty(), "{} of {}:\n{text}", different.len(), cases.len());
    Ok(())
}
