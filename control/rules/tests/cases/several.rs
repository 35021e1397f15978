//! Lines with two mistakes, and with three: which one iptables names first, we name first.
use crate::beside::{MARK, Ours, in_namespace, names, require_iptables};
use crate::chance::Chance;
use rules::{Family, RuleSet};
use std::fmt::Write as _;

/// Each is a mistake of its own: some are met with the word, some when all words were read, some by the kernel.
const MISTAKES: &[&str] = &[
    "-p nosuch",
    "-s 1.2.3.400",
    "-d 1.2.3.4/33",
    "-s nohost.invalid",
    "-i toolonginterfacename",
    "-o eth0",
    "-m nosuch",
    "-j NOSUCH",
    "-g NOSUCH",
    "--dport 99999",
    "-p tcp --dport x",
    "-m limit --limit 0/s",
    "-m limit --limit-burst x",
    "-m state",
    "-m mark",
    "-m mark --mark x",
    "-j REJECT --reject-with nosuch",
    "-j REJECT --reject-with tcp-reset",
    "-j SNAT",
    "-j LOG --log-level nosuch",
    "-j TCPMSS --set-mss 5",
    "-m conntrack --ctstate FOO",
    "-m conntrack",
    "-m multiport --dports 80",
    "-m comment",
    "-m recent --seconds 5",
    "-m iprange --src-range x",
    "-m iprange",
    "-m icmp --icmp-type nosuch",
    "-m connbytes --connbytes 5 --connbytes-mode x",
    "-m connlabel --label nosuch",
    "-c x y",
    "-c 1",
    "-n",
    "-x",
    "--line-numbers",
    "-L",
    "-F INPUT",
    "-t nosuch",
    "stray",
    "--unknown",
    "-p tcp -m udp --dport 5",
    "! -p all",
    "! -j ACCEPT",
    "-p udp -m tcp",
    "-m string --string x",
    "-m string --algo bm",
    "-m statistic --mode foo",
    "-m length --length x",
    "-m ttl --ttl-eq 300",
    "-m owner",
    "-m hashlimit",
    "-m connlimit --connlimit-mask 40",
    "-f -f",
    "-s 1.1.1.1 -s 2.2.2.2",
    "-j MARK",
    "-j CT --zone 99999",
    "-j CT --ctevents nosuch",
    "-w x",
    "-m tcp --tcp-flags SYN",
    "-m tcp --syn --syn",
    "-m udp --sport",
    "-j DROP --foo",
    "! -s 1.1.1.1,2.2.2.2",
];
const LINES: usize = 400;
/// What iptables says of files that the host does not have, whatever else is wrong.
const NO_LABELS: &str = "Warning: cannot open /etc/xtables/connlabel.conf";

#[test]
#[ignore = "needs root and iptables-legacy; run by make test"]
fn of_several_mistakes_the_same_one_is_named() {
    require_iptables();
    let seed: u64 = std::env::var("LANG_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15 ^ seed);
    let mut one = || MISTAKES[chance.below(MISTAKES.len())];
    let lines: Vec<String> =
        (0..LINES)
            .map(|at| {
                if at % 4 == 0 {
                    format!("-A INPUT {} {} {}", one(), one(), one())
                } else {
                    format!("-A INPUT {} {}", one(), one())
                }
            })
            .collect();
    let mut script = String::new();
    for line in &lines {
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        writeln!(script, "iptables-legacy {} 2>&1; printf '%s{MARK}' $?; iptables-legacy -F", words.join(" ")).expect("a String");
    }
    let (real, _) = in_namespace(&script, &[], "");
    let real: Vec<&str> = real.split_terminator(MARK).collect();
    assert_eq!(real.len(), lines.len(), "an answer to each line");
    let names = names();
    let mut faults = Vec::new();
    for (line, real) in lines.iter().zip(real) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (stdout, stderr, code) = Ours { set: RuleSet::new(Family::Ipv4), names: &names }.run(&words);
        let told: String = real.split_inclusive('\n').filter(|line| !line.starts_with(NO_LABELS)).collect();
        let ours = format!("{stdout}{stderr}{code}");
        if ours != told {
            faults.push(format!("{line}\n--- iptables\n{told}\n--- ours\n{ours}"));
        }
    }
    assert!(faults.is_empty(), "{} of {LINES} lines differ (seed {seed}):\n{}", faults.len(), faults.join("\n"));
}
