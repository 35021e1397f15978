//! Random rule sets: what is saved reads back as the same rule set and saves as the same text.
mod matches;

use proptest::prelude::*;
use rules::command::Host;
use rules::names::Builtin;
use rules::{Family, RuleSet, restore, save};

fn target_words(family: Family) -> impl Strategy<Value = String> {
    let own = match family {
        Family::Ipv4 => targets_of_ipv4().boxed(),
        Family::Ipv6 => any::<u8>().prop_map(|v| format!("-j HL --hl-set {v}")).boxed(),
    };
    prop_oneof![
        own,
        Just(String::new()),
        prop::sample::select(vec!["-j ACCEPT", "-j DROP", "-j RETURN", "-j user", "-g user"]).prop_map(str::to_owned),
        (any::<u32>(), any::<u32>()).prop_map(|(v, m)| format!("-j MARK --set-xmark {v}/{m}")),
        (any::<u32>(), any::<u32>()).prop_map(|(v, m)| format!("-j CONNMARK --save-mark --nfmask {v} --ctmask {m}")),
        (any::<u8>(), any::<u8>()).prop_map(|(v, m)| format!("-j TOS --set-tos {v}/{m}")),
        (any::<u16>(), any::<u16>()).prop_map(|(major, minor)| format!("-j CLASSIFY --set-class {major:x}:{minor:x}")),
        (0u8..64).prop_map(|v| format!("-j DSCP --set-dscp {v}")),
        ("[ -~]{1,63}", any::<u16>(), any::<u32>(), any::<u16>()).prop_map(|(prefix, group, size, threshold)| {
            let prefix = escaped(&prefix);
            format!("-j NFLOG --nflog-prefix \"{prefix}\" --nflog-group {group} --nflog-size {size} --nflog-threshold {threshold}")
        }),
        (0..u16::MAX, 1..=u16::MAX, any::<bool>()).prop_map(|(first, more, bypass)| {
            let last = first.saturating_add(more);
            let bypass = if bypass { " --queue-bypass" } else { "" };
            format!("-j NFQUEUE --queue-balance {}:{last}{bypass}", first.max(1).min(last - 1))
        }),
        (any::<[u32; 4]>(), 0u8..=32, prop::sample::subsequence(vec!["dst", "sport", "proto", "ct"], 1..=4)).prop_map(
            |([rnd, modulus, offset, mask], bits, tuple)| {
                let (modulus, mask, tuple) = (modulus.max(1), mask as u16, tuple.join(","));
                let numbers = format!("--hmark-rnd {rnd} --hmark-mod {modulus} --hmark-offset {offset}");
                format!("-j HMARK --hmark-tuple {tuple} --hmark-src-prefix {bits} --hmark-dport-mask {mask} {numbers}")
            }
        ),
        (1..=8_000_000u64, 2..=200u64).prop_map(|(interval, times)| {
            format!(
                "-j RATEEST --rateest-name {interval}-{times} --rateest-interval {interval}us --rateest-ewmalog {}us",
                interval * times
            )
        }),
        (1..2_147_483u32, any::<bool>()).prop_map(|(timeout, alarm)| format!(
            "-j IDLETIMER --timeout {timeout} --label {}",
            if alarm { "wakes --alarm" } else { "sleeps" }
        )),
        (0..=i32::MAX, "[ !#-\\[\\]-~]{0,16}")
            .prop_map(|(delay, id)| format!("-j LED --led-delay {delay} --led-trigger-id \"{id}\"")),
        (0u8..8, "[ -~]{1,29}")
            .prop_map(|(level, prefix)| { format!("-j LOG --log-level {level} --log-prefix \"{}\" --log-uid", escaped(&prefix)) }),
    ]
}

fn targets_of_ipv4() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u8>().prop_map(|v| format!("-j TTL --ttl-set {v}")),
        (0u8..4).prop_map(|v| format!("-j ECN --ecn-ip-ect {v}")),
        (1..=u32::MAX, "[!#-~&&[^'\\\\]]{0,15}")
            .prop_map(|(gateway, name)| format!("-j TEE --gateway {} --oif \"{name}\"", std::net::Ipv4Addr::from_bits(gateway))),
        (1u8..=32, any::<u32>(), 1u8..=50).prop_map(|(group, range, held)| format!(
            "-j ULOG --ulog-nlgroup {group} --ulog-cprange {range} --ulog-qthreshold {held}"
        )),
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

fn rule_words(family: Family) -> impl Strategy<Value = String> {
    let address = (any::<u128>(), any::<u128>(), any::<bool>(), any::<bool>()).prop_map(move |(addr, mask, prefix, not)| {
        let text = |bits: u128| match family {
            Family::Ipv4 => std::net::Ipv4Addr::from_bits(bits as u32).to_string(),
            Family::Ipv6 => std::net::Ipv6Addr::from_bits(bits).to_string(),
        };
        let length = u128::from(family.address_bits()) + 1;
        let mask = if prefix { (mask % length).to_string() } else { text(mask) };
        format!("{}-s {}/{mask}", bang(not), text(addr))
    });
    let interface = ("[a-z]{1,13}[+]?", any::<bool>()).prop_map(|(name, not)| format!("{}-i {name}", bang(not)));
    let matches = prop::option::of(matches::of(family));
    (prop::option::of(address), prop::option::of(interface), matches, target_words(family)).prop_map(
        |(address, interface, matched, target)| {
            let (protocol, matched) = matched.unwrap_or_default();
            let protocol = if protocol.is_empty() { String::new() } else { format!("-p {protocol}") };
            [address.unwrap_or_default(), interface.unwrap_or_default(), protocol, matched, target].join(" ")
        },
    )
}

fn restored(family: Family, text: &str, host: &Host<'_>) -> RuleSet {
    let options = restore::Options { counters: true, ..Default::default() };
    let outcome = restore::restore(&RuleSet::new(family), text, &options, host);
    let outcome = outcome.unwrap_or_else(|error| panic!("{}\n{text}", error.message("iptables-restore")));
    outcome.ruleset.expect("a table was committed")
}

fn is_a_fixpoint(family: Family, rules: &[(String, u64, u64)], policy: &str) -> Result<(), TestCaseError> {
    let host = Host { names: &Builtin, live: None };
    let mut text = format!("*mangle\n:FORWARD {policy} [5:6]\n:user - [0:0]\n");
    for (rule, packets, bytes) in rules {
        text.push_str(&format!("[{packets}:{bytes}] -A FORWARD {rule}\n"));
    }
    text.push_str("COMMIT\n");
    let first = restored(family, &text, &host);
    let options = save::Options { counters: true, ..Default::default() };
    let saved = save::save(&first, &options, None, &host).expect("saves");
    let second = restored(family, &saved, &host);
    prop_assert_eq!(save::save(&second, &options, None, &host).expect("saves"), saved);
    // What was not said at all is lost, so that the rules themselves may differ from those that were typed; read again they may not.
    let third = restored(family, &save::save(&second, &options, None, &host).expect("saves"), &host);
    prop_assert_eq!(&third, &second);
    prop_assert_eq!(first.rule_count(), rules.len());
    Ok(())
}

proptest! {
    #[test]
    fn saved_text_is_a_fixpoint(
        rules in prop::collection::vec((rule_words(Family::Ipv4), any::<u64>(), any::<u64>()), 0..20),
        policy in prop::sample::select(vec!["ACCEPT", "DROP"]),
    ) {
        is_a_fixpoint(Family::Ipv4, &rules, policy)?;
    }

    #[test]
    fn saved_text_of_ipv6_is_a_fixpoint(
        rules in prop::collection::vec((rule_words(Family::Ipv6), any::<u64>(), any::<u64>()), 0..20),
        policy in prop::sample::select(vec!["ACCEPT", "DROP"]),
    ) {
        is_a_fixpoint(Family::Ipv6, &rules, policy)?;
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}|([*:#\\[\\]A-Za-z0-9 !\"'\\\\/,.-]{0,40}\n){0,8}") {
        let host = Host { names: &Builtin, live: None };
        for family in [Family::Ipv4, Family::Ipv6] {
            let _ = restore::restore(&RuleSet::new(family), &text, &restore::Options::default(), &host);
        }
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let _ = rules::parse(Family::Ipv4, &words, &Builtin);
        let _ = rules::parse(Family::Ipv6, &words, &Builtin);
    }

    #[test]
    fn no_words_panic(words in prop::collection::vec(word(), 0..12)) {
        let host = Host { names: &Builtin, live: None };
        for family in [Family::Ipv4, Family::Ipv6] {
            if let Ok(invocation) = rules::parse(family, &words, &Builtin) {
                let _ = invocation.run(&RuleSet::new(family), &host);
            }
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
         nfacct osf physdev policy quota realm socket srh --genre --physdev-in --physdev-is-out --dir in --pol ipsec --strict --reqid --next \
         --tunnel-src --quota rateest --rateest --rateest-lt --rateest-bps --rateest-delta --realm --srh-psid --srh-hdr-len-gt rt set string u32 --rt-type --rt-0-res --rt-0-addrs ::1,::2 --match-set src --algo bm --string --hex-string |41 --u32 0>>22&0x3C@4=1:2,3 \
         TCPMSS CLASSIFY NFLOG NFQUEUE TPROXY DSCP ECN TEE TRACE TCPOPTSTRIP SET HMARK RATEEST AUDIT CLUSTERIP SNPT --set-mss --set-class \
         --nflog-prefix --queue-balance --on-port --set-dscp-class --gateway --strip-options --add-set --hmark-tuple --hmark-mod \
         --rateest-interval --type --clustermac --src-pfx 2001:db8::/64 src,dst 1:2:3:4:5:6 0.25s \
         addrtype --src-type LOCAL iprange --src-range 1.2.3.4-5 mac --mac-source 1:2:3:4:5:6 hashlimit --hashlimit-upto 5kb/s --hashlimit-burst 5k \
         --hashlimit-name a --hashlimit-mode srcip --hashlimit-rate-match --hashlimit-rate-interval length --length dscp --dscp-class EF ttl \
         hl --ttl-eq --hl-lt ah esp --ahspi --espspi bpf --bytecode 1,6 2,6, cluster --cluster-total-nodes --cluster-local-nodemask \
         --cluster-hash-seed 32 dccp --dccp-types ACK dst hbh --dst-opts 1,2:3 --hbh-len frag --fragid ipv6header --header hop,6 mh --mh-type \
         brr:cot devgroup --src-group 1/2 ipvs --vaddr --vport --vdir REPLY --to-destination --to-source --set-mark --set-tos --ttl-set --zone --log-prefix 1 0 80 1:2 1.2.3.4 1.2.3.4/24 :80 NEW SYN 5/s";
    let known: Vec<&str> = known.split_whitespace().collect();
    prop_oneof![4 => prop::sample::select(known).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}
