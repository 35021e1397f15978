//! The rule sets under which packets go, as `iptables-restore` takes them.

use std::net::Ipv4Addr;

use micro::classes::{self, Class};
use micro::load;
use program::{Program, Root};

/// Every packet of a connection that is known.
const ESTABLISHED: &str = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n";
/// Whatever begins inside.
const FROM_INSIDE: &str = "-A FORWARD -i eth1 -j ACCEPT\n";
const MASQUERADE: &str = "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n";
/// What many put before everything else: six tests of flags, and a line in the log now and then.
const GUARDS: &str = "-A FORWARD -p tcp -m tcp --tcp-flags ALL NONE -j DROP\n\
                      -A FORWARD -p tcp -m tcp --tcp-flags SYN,FIN SYN,FIN -j DROP\n\
                      -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN,RST -j DROP\n\
                      -A FORWARD -p tcp -m tcp --tcp-flags FIN,RST FIN,RST -j DROP\n\
                      -A FORWARD -p tcp -m tcp --tcp-flags ACK,URG URG -j DROP\n\
                      -A FORWARD -p tcp -m tcp --tcp-flags ALL FIN,PSH,URG -j DROP\n\
                      -A FORWARD -m limit --limit 5/min --limit-burst 5 -j LOG\n";

/// No table at all.
pub const NONE: &str = "";

/// What the worker runs of them.
pub fn program(text: &str) -> Program {
    if text == NONE {
        Program { root: Root { generation: 1, ..Root::default() }, ..Program::default() }
    } else {
        load::program(text)
    }
}

/// All tables, and nothing in them.
pub fn empty_tables() -> String {
    ["raw", "mangle", "nat", "filter", "security"].map(|table| format!("*{table}\nCOMMIT\n")).concat()
}

/// A filter table with so many rules that hold for none of the packets, and no more.
pub fn passed_by(count: u32) -> String {
    format!("*filter\n{}COMMIT\n", lists(count))
}

/// A firewall of so many rules for new connections; `before` stands before them.
fn firewall(before: &str, count: u32, behind: &str) -> String {
    format!("*filter\n:FORWARD DROP [0:0]\n{before}{}{behind}{FROM_INSIDE}COMMIT\n", lists(count))
}

/// Known connections are let through first, as most have it.
pub fn stateful(count: u32) -> String {
    firewall(ESTABLISHED, count, "")
}

/// Known connections are let through last, behind all rules.
pub fn stateful_last(count: u32) -> String {
    firewall("", count, ESTABLISHED)
}

/// Everybody behind one address.
pub fn translating(count: u32) -> String {
    MASQUERADE.to_owned() + &stateful(count)
}

/// With the guards in front.
pub fn guarded(count: u32) -> String {
    firewall(&(GUARDS.to_owned() + ESTABLISHED), count, "")
}

/// What tracking finds invalid is dropped first.
pub fn no_invalid(count: u32) -> String {
    firewall(&format!("-A FORWARD -m conntrack --ctstate INVALID -j DROP\n{ESTABLISHED}"), count, "")
}

/// So many sources that are dropped before anything else, and who they are.
pub fn blocklist(count: u32) -> (String, Vec<u32>) {
    let sources: Vec<u32> = classes::text(&classes::rules(Class::Blocklist, count))
        .lines()
        .filter_map(|line| line.split_once(" -s ")?.1.split('/').next()?.parse::<Ipv4Addr>().ok())
        .map(u32::from)
        .collect();
    let rules: String = sources.iter().map(|source| format!("-A PREROUTING -s {}/32 -j DROP\n", Ipv4Addr::from(*source))).collect();
    (format!("*raw\n{rules}COMMIT\n"), sources)
}

/// So many rules of access lists. None holds for the packets: one that names neither source nor destination is left out, and what the
/// others name is elsewhere.
fn lists(count: u32) -> String {
    let text = classes::text(&classes::rules(Class::Acl, count + count / 20 + 8));
    let rules = text.lines().filter(|line| line.contains(" -s ") || line.contains(" -d ")).take(count as usize);
    rules.flat_map(|rule| [rule, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_rules_as_were_wanted() {
        for count in [0, 8, 1000, 10_000] {
            assert_eq!(lists(count).lines().filter(|line| line.starts_with("-A FORWARD ")).count(), count as usize);
        }
        let (text, sources) = blocklist(1000);
        assert_eq!((text.lines().filter(|line| line.starts_with("-A")).count(), sources.len()), (1000, 1000));
    }
}
