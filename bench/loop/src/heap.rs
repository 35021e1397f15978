//! What rules take of the control daemon's heap: all that it keeps of a rule set once a dataplane runs it, and the rule set alone.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use daemon::apply;
use daemon::compiled::Compiled;
use daemon::counters::Live;
use daemon::wanted::{RuleSets, Wanted};
use micro::classes::{self, Class};
use micro::load;
use report::Figure;

/// The rule sets, by name: access lists, rules of which only ports differ, connections with a comment each, and the chains of kube-proxy.
fn texts(count: u32) -> [(&'static str, String); 4] {
    [
        ("acl", classes::text(&classes::rules(Class::Acl, count))),
        ("ports", ports(count)),
        ("commented", commented(count)),
        ("kube-proxy", kube_proxy(count)),
    ]
}

/// One port each.
fn ports(count: u32) -> String {
    let rule = |at: u32| {
        let protocol = if at.is_multiple_of(2) { "tcp" } else { "udp" };
        format!("-A FORWARD -p {protocol} -m {protocol} --dport {} -j ACCEPT\n", at / 2 % 65536)
    };
    format!("*filter\n{}COMMIT\n", (0..count).map(rule).collect::<String>())
}

/// Connections of a state, and words about each rule.
fn commented(count: u32) -> String {
    let mut text = String::from("*filter\n");
    for at in 0..count {
        let (a, b, c) = (at >> 16 & 255, at >> 8 & 255, at & 255);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "-A FORWARD -s 10.{a}.{b}.{c}/32 -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW,ESTABLISHED \
             -m comment --comment \"customer {at}: web\" -j ACCEPT"
        );
    }
    text + "COMMIT\n"
}

/// Services with two ends each, as kube-proxy writes them: ten rules a service, in chains of its own.
fn kube_proxy(count: u32) -> String {
    let services = count / 10;
    let mut chains = String::from("*nat\n:KUBE-MARK-MASQ - [0:0]\n:KUBE-SERVICES - [0:0]\n");
    let mut rules = String::new();
    for at in 0..services {
        let (b, c) = (at >> 8 & 255, at & 255);
        let service = format!("default/service-{at}:http cluster IP");
        let name = format!("{:016X}", u64::from(at).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let _ = writeln!(chains, ":KUBE-SVC-{name} - [0:0]");
        let _ = writeln!(
            rules,
            "-A KUBE-SERVICES -d 10.96.{b}.{c}/32 -p tcp -m comment --comment \"{service}\" -m tcp --dport 80 -j KUBE-SVC-{name}\n\
             -A KUBE-SERVICES -d 10.96.{b}.{c}/32 -p tcp -m comment --comment \"{service} has a local port\" -m tcp --dport 30080 \
             -m addrtype --dst-type LOCAL -j KUBE-SVC-{name}\n\
             -A KUBE-SVC-{name} ! -s 10.244.0.0/16 -d 10.96.{b}.{c}/32 -p tcp -m comment --comment \"{service}\" -m tcp --dport 80 \
             -j KUBE-MARK-MASQ\n\
             -A KUBE-SVC-{name} -m mark --mark 0x8000/0x8000 -j RETURN"
        );
        for end in 0..2 {
            let name_of_end = format!("KUBE-SEP-{}{end}", &name[..15]);
            let share = if end == 0 { " -m statistic --mode random --probability 0.5" } else { "" };
            let ip = format!("10.244.{b}.{}", c / 2 * 2 + end);
            let _ = writeln!(chains, ":{name_of_end} - [0:0]");
            let _ = writeln!(
                rules,
                "-A KUBE-SVC-{name} -m comment --comment \"{service} -> {ip}:8080\"{share} -j {name_of_end}\n\
                 -A {name_of_end} -s {ip}/32 -m comment --comment \"{service}\" -j KUBE-MARK-MASQ\n\
                 -A {name_of_end} -p tcp -m comment --comment \"{service}\" -m tcp -j DNAT --to-destination {ip}:8080"
            );
        }
    }
    chains + &rules + "COMMIT\n"
}

/// Of so many rules of each kind: bytes a rule.
pub(crate) fn measure(count: u32) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (kind, text) in texts(count) {
        let before = memory::in_use();
        let set = load::parse(&text);
        let of_set = memory::in_use() - before;
        let rules = set.rule_count();
        let mut sets = RuleSets::default();
        sets.put(set);
        let wanted = Wanted::fresh(sets, load::SLOTS).context("there are slots for all rules")?;
        let mut compiled = Compiled::default();
        let wanted = apply::prepare(wanted, &mut compiled).context("the rules can be enforced")?.wanted;
        let live = Live::from_bytes(&vec![0; wanted.slots.used() as usize * 16]);
        let of_all = memory::in_use() - before;
        let figure = |what: &str, bytes: usize| Figure {
            name: format!("{kind}, {count} rules, {what}"),
            value: bytes as f64 / rules as f64,
            unit: "bytes".to_owned(),
        };
        figures.extend([figure("the rule set in memory", of_set), figure("all that the daemon keeps of it", of_all)]);
        drop((wanted, compiled, live));
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_rules_as_were_wanted() {
        for (kind, text) in texts(1000) {
            assert_eq!(load::parse(&text).rule_count(), 1000, "{kind}");
        }
    }
}
