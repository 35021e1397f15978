//! Every match and every target: what it compiles to.

use packet::Ipv6;

use crate::load::{in_words, in_words_of};

/// Each case: rule, and what it compiles to.
fn check(table: &str, cases: &[(&str, &str)]) {
    for (rule, words) in cases {
        assert_eq!(in_words(table, rule), *words, "-t {table} {rule}");
    }
}

#[test]
fn header_tests() {
    check(
        "filter",
        &[
            ("-A INPUT -j ACCEPT", "any => accept"),
            ("-A INPUT", "any => continue"),
            ("-A INPUT -s 192.168.1.100 -j ACCEPT", "src 192.168.1.100/32 => accept"),
            ("-A FORWARD -s 192.168.1.0/24 ! -d 10.0.0.0/24 -j ACCEPT", "src 192.168.1.0/24, not dst 10.0.0.0/24 => accept"),
            ("-A INPUT -s 10.0.0.1/255.0.0.255 -j DROP", "src 10.0.0.1/255.0.0.255 => drop"),
            ("-A INPUT -i eth0 -j DROP", "in eth0 => drop"),
            ("-A FORWARD ! -i eth+ -o wan0 -j DROP", "not in eth+, out wan0 => drop"),
            ("-A INPUT -i + -j DROP", "any => drop"),
            ("-A INPUT -p tcp -j DROP", "protocol 6 => drop"),
            ("-A INPUT ! -p 47 -j DROP", "not protocol 47 => drop"),
            ("-A INPUT -p all -j DROP", "any => drop"),
            ("-A INPUT -f -j DROP", "later fragment => drop"),
            ("-A INPUT ! -f -j DROP", "not later fragment => drop"),
        ],
    );
}

#[test]
fn transport_matches() {
    check(
        "filter",
        &[
            ("-A INPUT -p tcp -m tcp -j DROP", "protocol 6, tcp => drop"),
            ("-A INPUT -p tcp --dport 80 -j DROP", "protocol 6, tcp dport 80 => drop"),
            ("-A INPUT -p tcp ! --sport 1:1023 --dport ssh -j DROP", "protocol 6, tcp not sport 1:1023 dport 22 => drop"),
            ("-A INPUT -p tcp --syn -j DROP", "protocol 6, tcp flags 0x17/0x02 => drop"),
            ("-A INPUT -p tcp ! --syn -j DROP", "protocol 6, tcp not flags 0x17/0x02 => drop"),
            ("-A INPUT -p tcp --tcp-flags ALL NONE -j DROP", "protocol 6, tcp flags 0x3f/0x00 => drop"),
            ("-A INPUT -p tcp --tcp-option 5 -j DROP", "protocol 6, tcp ? tcp option 5 => drop"),
            ("-A INPUT -p tcp --dport 80 ! --tcp-option 5 -j DROP", "protocol 6, tcp dport 80 ? not tcp option 5 => drop"),
            ("-A INPUT -p udp --dport 53 -j DROP", "protocol 17, udp dport 53 => drop"),
            ("-A INPUT -p udp ! --sport 53 -j DROP", "protocol 17, udp not sport 53 => drop"),
            ("-A INPUT -p icmp -j DROP", "protocol 1 => drop"),
            ("-A INPUT -p icmp --icmp-type any -j DROP", "protocol 1, icmp type 255 => drop"),
            ("-A INPUT -p icmp --icmp-type echo-request -j DROP", "protocol 1, icmp type 8 => drop"),
            ("-A INPUT -p icmp ! --icmp-type 3/1 -j DROP", "protocol 1, not icmp type 3 code 1:1 => drop"),
            (
                "-A INPUT -p tcp -m multiport --dports 80,443,8000:8080 -j DROP",
                "protocol 6, multiport dports 80,443,8000:8080 => drop",
            ),
            ("-A INPUT -p udp -m multiport ! --sports 53 -j DROP", "protocol 17, not multiport sports 53 => drop"),
            ("-A INPUT -p tcp -m multiport --ports 1,2 -j DROP", "protocol 6, multiport ports 1,2 => drop"),
        ],
    );
}

#[test]
fn matches_that_know_more_than_the_header() {
    check(
        "filter",
        &[
            ("-A INPUT -m comment --comment words -j DROP", "any => drop"),
            ("-A INPUT -m comment --comment words", "any => continue"),
            ("-A INPUT -p 47 -m comment --comment words -j DROP", "protocol 47 => drop"),
            ("-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j DROP", "any ? state ESTABLISHED,RELATED => drop"),
            ("-A INPUT -m conntrack ! --ctstate NEW,UNTRACKED -j DROP", "any ? not state NEW,UNTRACKED => drop"),
            ("-A INPUT -m conntrack --ctstate DNAT -j DROP", "any ? state DNAT => drop"),
            ("-A INPUT -m state --state INVALID -j DROP", "any ? state INVALID => drop"),
            (
                "-A INPUT -m conntrack --ctstate NEW --ctproto 6 --ctorigsrc 10.0.0.0/8 ! --ctrepldstport 80 -j DROP",
                "any ? conntrack state NEW protocol 6 origsrc 10.0.0.0/8 not repldstport 80 => drop",
            ),
            (
                "-A INPUT -m conntrack --ctstatus ASSURED,SEEN_REPLY --ctexpire 10:20 --ctdir REPLY -j DROP",
                "any ? conntrack status SEEN_REPLY,ASSURED expire 10:20 dir REPLY => drop",
            ),
            ("-A INPUT -m conntrack ! --ctstatus NONE -j DROP", "any ? conntrack not status NONE => drop"),
            ("-A INPUT -m mark --mark 1 -j DROP", "any ? mark 0x1/0xffffffff => drop"),
            ("-A INPUT -m mark ! --mark 0x10/0xf0 -j DROP", "any ? not mark 0x10/0xf0 => drop"),
            ("-A INPUT -m connmark --mark 7 -j DROP", "any ? connmark 0x7/0xffffffff => drop"),
            ("-A INPUT -m limit --limit 3/sec --limit-burst 7 -j DROP", "any ? limit cost 10665 cap 74659 (state 0) => drop"),
            ("-A INPUT -m limit -j DROP", "any ? limit cost 38400000 cap 192000000 (state 0) => drop"),
            (
                "-A INPUT -m statistic --mode random --probability 0.5 -j DROP",
                "any ? random below 1073741824 of 2147483648 => drop",
            ),
            ("-A INPUT -m statistic --mode nth --every 3 --packet 1 -j DROP", "any ? one of 3 first at 1 (state 0) => drop"),
            ("-A INPUT -m statistic --mode nth ! --every 3 --packet 0 -j DROP", "any ? not one of 3 first at 0 (state 0) => drop"),
        ],
    );
    check(
        "security",
        &[
            (
                "-A INPUT -m selinux --selctx user_u:object_r:httpd_t:s0 -j ACCEPT",
                "any ? label \"user_u:object_r:httpd_t:s0\" => accept",
            ),
            ("-A INPUT -m selinux ! --selctx a:b:c -j ACCEPT", "any ? not label \"a:b:c\" => accept"),
        ],
    );
}

#[test]
fn order_matters_behind_a_match_that_remembers() {
    check(
        "filter",
        &[
            (
                "-A INPUT -p tcp -m limit -m tcp --dport 80 -j DROP",
                "protocol 6 ? limit cost 38400000 cap 192000000 (state 0), tcp dport 80 => drop",
            ),
            (
                "-A INPUT -p tcp -m mark --mark 1 -m tcp --dport 80 -m limit -j DROP",
                "protocol 6, tcp dport 80 ? mark 0x1/0xffffffff, limit cost 38400000 cap 192000000 (state 0) => drop",
            ),
            (
                "-A INPUT -p tcp --tcp-option 5 -m multiport --dports 80 -j DROP",
                "protocol 6, tcp ? tcp option 5, multiport dports 80 => drop",
            ),
        ],
    );
}

#[test]
fn targets_of_every_table() {
    check(
        "filter",
        &[
            ("-A INPUT -j RETURN", "any => return"),
            ("-A INPUT -j NEXT", "any => jump NEXT"),
            ("-A INPUT -g NEXT", "any => goto NEXT"),
            ("-A INPUT -j REJECT", "any => reject with unreachable code 3"),
            ("-A INPUT -j REJECT --reject-with icmp-net-unreachable", "any => reject with unreachable code 0"),
            ("-A INPUT -j REJECT --reject-with icmp-host-unreachable", "any => reject with unreachable code 1"),
            ("-A INPUT -j REJECT --reject-with icmp-proto-unreachable", "any => reject with unreachable code 2"),
            ("-A INPUT -j REJECT --reject-with icmp-net-prohibited", "any => reject with unreachable code 9"),
            ("-A INPUT -j REJECT --reject-with icmp-host-prohibited", "any => reject with unreachable code 10"),
            ("-A INPUT -j REJECT --reject-with icmp-admin-prohibited", "any => reject with unreachable code 13"),
            ("-A INPUT -p tcp -j REJECT --reject-with tcp-reset", "protocol 6 => reject with tcp-reset"),
            ("-A INPUT -j LOG", "any => log \"\" level 4"),
            (
                "-A INPUT -j LOG --log-prefix \"SSH Attempt: \" --log-level info --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid",
                "any => log \"SSH Attempt: \" level 6 tcp-sequence tcp-options ip-options uid",
            ),
            ("-A INPUT -j MARK --set-mark 1", "any => mark 0x1/0xffffffff"),
            ("-A INPUT -j MARK --or-mark 0x10", "any => mark 0x10/0x10"),
            ("-A INPUT -j MARK --and-mark 0xff", "any => mark 0x0/0xffffff00"),
            ("-A INPUT -j MARK --xor-mark 0xff", "any => mark 0xff/0x0"),
            ("-A INPUT -j CONNMARK --set-mark 5", "any => connmark 0x5/0xffffffff"),
            ("-A INPUT -j CONNMARK --save-mark", "any => connmark save nfmask 0xffffffff ctmask 0xffffffff"),
            ("-A INPUT -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff", "any => connmark restore nfmask 0xf ctmask 0xff"),
        ],
    );
    check(
        "mangle",
        &[
            ("-A PREROUTING -j TOS --set-tos 0x10", "any => tos 0x10/0xff"),
            ("-A PREROUTING -j TOS --or-tos 0x10", "any => tos 0x10/0x10"),
            ("-A PREROUTING -j TTL --ttl-set 64", "any => ttl set 64"),
            ("-A PREROUTING -j TTL --ttl-inc 1", "any => ttl inc 1"),
            ("-A PREROUTING -j TTL --ttl-dec 2", "any => ttl dec 2"),
        ],
    );
    check(
        "raw",
        &[
            ("-A PREROUTING -p tcp --dport 80 -j NOTRACK", "protocol 6, tcp dport 80 => notrack"),
            ("-A PREROUTING -j CT --notrack", "any => notrack"),
            ("-A PREROUTING -j CT --zone 5", "any => ct zone 5"),
            ("-A PREROUTING -p tcp -j CT --timeout slow", "protocol 6 => ct zone 0 timeout \"slow\""),
            ("-A PREROUTING -j CT --zone-orig 5", "any => ct zone-orig 5"),
            ("-A PREROUTING -j CT --zone-orig mark", "any => ct zone-orig mark"),
            ("-A PREROUTING -j CT --zone-reply 5", "any => ct zone-reply 5"),
        ],
    );
    check(
        "security",
        &[
            ("-A INPUT -j SECMARK --selctx a:b:c", "any => secmark \"a:b:c\""),
            ("-A INPUT -j CONNSECMARK --save", "any => connsecmark save"),
            ("-A INPUT -j CONNSECMARK --restore", "any => connsecmark restore"),
        ],
    );
}

#[test]
fn nat_targets() {
    check(
        "nat",
        &[
            ("-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.1", "out eth0 => snat to 203.0.113.1"),
            (
                "-A POSTROUTING -p tcp -j SNAT --to-source 203.0.113.1-203.0.113.9:1024-2048 --random --persistent",
                "protocol 6 => snat to 203.0.113.1-203.0.113.9 ports 1024-2048 random persistent",
            ),
            ("-A INPUT -j SNAT --to-source 203.0.113.1 --random-fully", "any => snat to 203.0.113.1 random-fully"),
            ("-A POSTROUTING -j MASQUERADE", "any => masquerade"),
            (
                "-A POSTROUTING -p udp -j MASQUERADE --to-ports 1024-1030 --random",
                "protocol 17 => masquerade ports 1024-1030 random",
            ),
            (
                "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080",
                "protocol 6, tcp dport 80 => dnat to 192.168.1.2 ports 8080",
            ),
            ("-A PREROUTING -p tcp -j DNAT --to-destination :8080", "protocol 6 => dnat ports 8080"),
            (
                "-A PREROUTING -p tcp -j DNAT --to-destination 10.0.0.1:5000-5010/6000",
                "protocol 6 => dnat to 10.0.0.1 ports 5000-5010 base 6000",
            ),
            ("-A OUTPUT -p tcp -j REDIRECT --to-ports 3128", "protocol 6 => redirect ports 3128"),
            ("-A PREROUTING -j REDIRECT", "any => redirect"),
        ],
    );
}

#[test]
fn rules_of_ipv6() {
    let cases = [
        ("filter", "-A INPUT -s 2001:db8::/32 -j ACCEPT", "src 2001:db8::/32 => accept"),
        ("filter", "-A INPUT -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT", "protocol 58, icmp type 2 => accept"),
        ("filter", "-A INPUT -p icmpv6 ! --icmpv6-type 1/4 -j DROP", "protocol 58, not icmp type 1 code 4:4 => drop"),
        ("filter", "-A INPUT -p tcp --dport 22 -j DROP", "protocol 6, tcp dport 22 => drop"),
        ("mangle", "-A PREROUTING -j HL --hl-set 5", "any => ttl set 5"),
        ("mangle", "-A PREROUTING -j HL --hl-inc 1", "any => ttl inc 1"),
        ("mangle", "-A PREROUTING -j HL --hl-dec 2", "any => ttl dec 2"),
    ];
    for (table, rule, words) in cases {
        assert_eq!(in_words_of::<Ipv6>(table, rule), words, "-t {table} {rule}");
    }
}
