//! Random rule sets: what is saved reads back as the same rule set and saves as the same text.
use proptest::prelude::*;
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, restore, save};

/// Words of one match, and the protocol that it needs (empty: any).
fn match_words() -> impl Strategy<Value = (&'static str, String)> {
    prop_oneof![enforced_words(), stored_words()]
}

/// Of the matches that the dataplane does not enforce.
fn stored_words() -> impl Strategy<Value = (&'static str, String)> {
    let second = 0..86_400u32;
    let clock = |second: u32| format!("{}:{}:{}", second / 3_600, second / 60 % 60, second % 60);
    prop_oneof![
        prop::sample::select(vec!["unicast", "broadcast", "multicast", "otherhost"])
            .prop_map(|kind| ("", format!("-m pkttype ! --pkt-type {kind}"))),
        (1..=i32::MAX, 0..=65_535, any::<[u8; 4]>(), "[a-zA-Z0-9_.:'-]{3,199}", any::<bool>()).prop_map(
            |(seconds, hits, mask, name, not)| {
                let mask = std::net::Ipv4Addr::from(mask);
                let words =
                    format!("--update --seconds {seconds} --reap --hitcount {hits} --rttl --name {name} --rdest --mask {mask}");
                ("", format!("-m recent {}{words}", bang(not)))
            }
        ),
        (second.clone(), second, 1..=i32::MAX, 1..128u8, any::<bool>()).prop_map(move |(start, stop, day, days, not)| {
            let week: Vec<String> = (0..7).filter(|place| days >> place & 1 == 1).map(|place| (place + 1).to_string()).collect();
            let week = if days == 127 { String::new() } else { format!("{}--weekdays {}", bang(not), week.join(",")) };
            let date = format!("{}-{}-{}", 1971 + day % 67, day % 12 + 1, day % 31 + 1);
            let (start, stop) = (clock(start), clock(stop));
            ("", format!("-m time --timestart {start} --timestop {stop} {week} --datestart {date} --monthdays {}", day % 31 + 1))
        }),
        (any::<u16>(), any::<u16>(), any::<bool>())
            .prop_map(|(a, b, not)| ("tcp", format!("-m tcpmss {}--mss {}:{}", bang(not), a.min(b), a.max(b)))),
        (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(v, m, not)| ("", format!("-m tos {}--tos {v}/{m}", bang(not)))),
        (
            any::<u16>(),
            prop::sample::select(vec!["all", "any", "only"]),
            prop::sample::subsequence(CHUNKS.to_vec(), 0..=CHUNKS.len())
        )
            .prop_map(|(port, how, chunks)| {
                ("sctp", format!("-m sctp --sport {port}: ! --chunk-types {how} {},{}", chunks.join(","), chunks.join(",")))
            }),
    ]
}

const CHUNKS: [&str; 8] = ["DATA:Ube", "INIT", "I_DATA", "ABORT:t", "SHUTDOWN_COMPLETE:T", "ASCONF_ACK", "PAD", "I_FORWARD_TSN"];

/// Of the matches that the dataplane enforces.
fn enforced_words() -> impl Strategy<Value = (&'static str, String)> {
    let port = 0..=u16::MAX;
    let mark = (any::<u32>(), any::<u32>());
    prop_oneof![
        (port.clone(), port.clone(), any::<bool>())
            .prop_map(|(a, b, not)| { ("tcp", format!("-m tcp {}--dport {}:{}", bang(not), a.min(b), a.max(b))) }),
        (0u8..64, 0u8..64, any::<bool>())
            .prop_map(|(mask, comp, not)| { ("tcp", format!("-m tcp {}--tcp-flags {} {}", bang(not), flags(mask), flags(comp))) }),
        (port.clone(), any::<bool>()).prop_map(|(a, not)| ("udp", format!("-m udp {}--sport {a}", bang(not)))),
        (any::<u8>(), any::<u8>(), any::<bool>())
            .prop_map(|(kind, code, not)| ("icmp", format!("-m icmp {}--icmp-type {kind}/{code}", bang(not)))),
        (mark, any::<bool>()).prop_map(|((v, m), not)| ("", format!("-m mark {}--mark {v:#x}/{m}", bang(not)))),
        (any::<u32>(), any::<bool>()).prop_map(|(v, not)| ("", format!("-m connmark {}--mark {v}", bang(not)))),
        (1..=u32::MAX, any::<prop::sample::Index>()).prop_map(|(every, packet)| {
            let packet = packet.index(every as usize);
            ("", format!("-m statistic --mode nth --every {every} --packet {packet}"))
        }),
        (0.0..=1.0f64).prop_map(|p| ("", format!("-m statistic --mode random --probability {p:.9}"))),
        "[ -~é]{0,100}".prop_map(|text| ("", format!("-m comment --comment \"{}\"", escaped(&text)))),
        (1..=10_000u32, prop::sample::select(vec!["sec", "min", "hour", "day"]))
            .prop_map(|(n, time)| ("", format!("-m limit --limit {n}/{time}"))),
        prop::collection::vec(port, 1..=15).prop_map(|ports| {
            let list = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            ("tcp", format!("-m multiport --ports {list}"))
        }),
        prop::sample::subsequence(vec!["INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT"], 1..7)
            .prop_map(|states| ("", format!("-m conntrack --ctstate {}", states.join(",")))),
    ]
}

fn target_words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        prop::sample::select(vec!["-j ACCEPT", "-j DROP", "-j RETURN", "-j user", "-g user"]).prop_map(str::to_owned),
        (any::<u32>(), any::<u32>()).prop_map(|(v, m)| format!("-j MARK --set-xmark {v}/{m}")),
        (any::<u32>(), any::<u32>()).prop_map(|(v, m)| format!("-j CONNMARK --save-mark --nfmask {v} --ctmask {m}")),
        (any::<u8>(), any::<u8>()).prop_map(|(v, m)| format!("-j TOS --set-tos {v}/{m}")),
        any::<u8>().prop_map(|v| format!("-j TTL --ttl-set {v}")),
        (any::<u16>(), any::<u16>()).prop_map(|(major, minor)| format!("-j CLASSIFY --set-class {major:x}:{minor:x}")),
        (0u8..64).prop_map(|v| format!("-j DSCP --set-dscp {v}")),
        (0u8..4).prop_map(|v| format!("-j ECN --ecn-ip-ect {v}")),
        ("[ -~]{1,63}", any::<u16>(), any::<u32>(), any::<u16>()).prop_map(|(prefix, group, size, threshold)| {
            let prefix = escaped(&prefix);
            format!("-j NFLOG --nflog-prefix \"{prefix}\" --nflog-group {group} --nflog-size {size} --nflog-threshold {threshold}")
        }),
        (0..u16::MAX, 1..=u16::MAX, any::<bool>()).prop_map(|(first, more, bypass)| {
            let last = first.saturating_add(more);
            let bypass = if bypass { " --queue-bypass" } else { "" };
            format!("-j NFQUEUE --queue-balance {}:{last}{bypass}", first.max(1).min(last - 1))
        }),
        (1..=u32::MAX, "[!#-~&&[^'\\\\]]{0,15}")
            .prop_map(|(gateway, name)| format!("-j TEE --gateway {} --oif \"{name}\"", std::net::Ipv4Addr::from_bits(gateway))),
        (any::<[u32; 4]>(), 0u8..=32, prop::sample::subsequence(vec!["dst", "sport", "proto", "ct"], 1..=4)).prop_map(
            |([rnd, modulus, offset, mask], bits, tuple)| {
                let (modulus, mask, tuple) = (modulus.max(1), mask as u16, tuple.join(","));
                let numbers = format!("--hmark-rnd {rnd} --hmark-mod {modulus} --hmark-offset {offset}");
                format!("-j HMARK --hmark-tuple {tuple} --hmark-src-prefix {bits} --hmark-dport-mask {mask} {numbers}")
            }
        ),
        (1..=8_000_000u64, 2..=200u64).prop_map(|(interval, times)| {
            format!("-j RATEEST --rateest-name n --rateest-interval {interval}us --rateest-ewmalog {}us", interval * times)
        }),
        (1..2_147_483u32, any::<bool>()).prop_map(|(timeout, alarm)| format!(
            "-j IDLETIMER --label l --timeout {timeout}{}",
            if alarm { " --alarm" } else { "" }
        )),
        (0..=i32::MAX, "[ !#-\\[\\]-~]{0,16}")
            .prop_map(|(delay, id)| format!("-j LED --led-delay {delay} --led-trigger-id \"{id}\"")),
        (1u8..=32, any::<u32>(), 1u8..=50).prop_map(|(group, range, held)| format!(
            "-j ULOG --ulog-nlgroup {group} --ulog-cprange {range} --ulog-qthreshold {held}"
        )),
        (0u8..8, "[ -~]{1,29}")
            .prop_map(|(level, prefix)| { format!("-j LOG --log-level {level} --log-prefix \"{}\" --log-uid", escaped(&prefix)) }),
    ]
}

fn bang(not: bool) -> &'static str {
    if not { "! " } else { "" }
}

fn flags(bits: u8) -> String {
    let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];
    let set: Vec<&str> = (0..6).filter(|bit| bits >> bit & 1 == 1).map(|bit| names[bit]).collect();
    if set.is_empty() { "NONE".to_owned() } else { set.join(",") }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn rule_words() -> impl Strategy<Value = String> {
    let address = (any::<[u8; 4]>(), any::<u32>(), any::<bool>(), any::<bool>()).prop_map(|(addr, mask, prefix, not)| {
        let addr = std::net::Ipv4Addr::from(addr);
        let mask = if prefix { (mask % 33).to_string() } else { std::net::Ipv4Addr::from_bits(mask).to_string() };
        format!("{}-s {addr}/{mask}", bang(not))
    });
    let interface = ("[a-z]{1,13}[+]?", any::<bool>()).prop_map(|(name, not)| format!("{}-i {name}", bang(not)));
    let matches = prop::option::of(match_words());
    (prop::option::of(address), prop::option::of(interface), matches, target_words()).prop_map(
        |(address, interface, matched, target)| {
            let (protocol, matched) = matched.unwrap_or_default();
            let protocol = if protocol.is_empty() { String::new() } else { format!("-p {protocol}") };
            [address.unwrap_or_default(), interface.unwrap_or_default(), protocol, matched, target].join(" ")
        },
    )
}

fn restored(text: &str, host: &Host<'_>) -> RuleSet {
    let options = restore::Options { counters: true, ..Default::default() };
    let outcome = restore::restore(&RuleSet::new(Family::Ipv4), text, &options, host);
    let outcome = outcome.unwrap_or_else(|error| panic!("{}\n{text}", error.message("iptables-restore")));
    outcome.ruleset.expect("a table was committed")
}

proptest! {
    #[test]
    fn saved_text_is_a_fixpoint(
        rules in prop::collection::vec((rule_words(), any::<u64>(), any::<u64>()), 0..20),
        policy in prop::sample::select(vec!["ACCEPT", "DROP"]),
    ) {
        let host = Host { names: &Builtin, live: None };
        let mut text = format!("*mangle\n:FORWARD {policy} [5:6]\n:user - [0:0]\n");
        for (rule, packets, bytes) in &rules {
            text.push_str(&format!("[{packets}:{bytes}] -A FORWARD {rule}\n"));
        }
        text.push_str("COMMIT\n");
        let first = restored(&text, &host);
        let options = save::Options { counters: true, ..Default::default() };
        let saved = save::save(&first, &options, None, &host).expect("saves");
        let second = restored(&saved, &host);
        prop_assert_eq!(save::save(&second, &options, None, &host).expect("saves"), saved);
        prop_assert_eq!(first.rule_count(), rules.len());
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}|([*:#\\[\\]A-Za-z0-9 !\"'\\\\/,.-]{0,40}\n){0,8}") {
        let host = Host { names: &Builtin, live: None };
        let _ = restore::restore(&RuleSet::new(Family::Ipv4), &text, &restore::Options::default(), &host);
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let _ = rules::parse(Family::Ipv4, &words, &Builtin);
        let _ = rules::parse(Family::Ipv6, &words, &Builtin);
    }

    #[test]
    fn no_words_panic(words in prop::collection::vec(word(), 0..12)) {
        let host = Host { names: &Builtin, live: None };
        let set = RuleSet::new(Family::Ipv4);
        if let Ok(invocation) = rules::parse(Family::Ipv4, &words, &Builtin) {
            let _ = invocation.run(&set, &host);
        }
    }
}

/// A word that commands are made of, or nearly so.
fn word() -> impl Strategy<Value = String> {
    let known = "-A -I -D -R -C -L -S -F -N -X -P -Z -E -t -p -s -d -i -o -j -g -m -c -n -v -x -f -w -h ! -- INPUT FORWARD nat mangle raw \
         tcp udp icmp conntrack state mark limit multiport statistic comment ACCEPT DROP MARK CT LOG DNAT SNAT REJECT TOS TTL \
         --dport --sport --syn --tcp-flags --icmp-type --ctstate --ctorigsrc --mark --limit --dports --mode nth --every --packet \
         owner pkttype recent rpfilter sctp tcpmss time tos --uid-owner --suppl-groups --pkt-type --set --rcheck --seconds --reap --hitcount \
         --name --mask --rdest --chunk-types any INIT DATA:UB --mss --tos --datestart 2020-01-01 --timestart 8:00 --weekdays Mon --monthdays \
         TCPMSS CLASSIFY NFLOG NFQUEUE TPROXY DSCP ECN TEE TRACE TCPOPTSTRIP SET HMARK RATEEST AUDIT CLUSTERIP SNPT --set-mss --set-class \
         --nflog-prefix --queue-balance --on-port --set-dscp-class --gateway --strip-options --add-set --hmark-tuple --hmark-mod \
         --rateest-interval --type --clustermac --src-pfx 2001:db8::/64 src,dst 1:2:3:4:5:6 0.25s \
         --to-destination --to-source --set-mark --set-tos --ttl-set --zone --log-prefix 1 0 80 1:2 1.2.3.4 1.2.3.4/24 :80 NEW SYN 5/s";
    let known: Vec<&str> = known.split(' ').collect();
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}
