//! Rules of the IPv4 generators, said in IPv6: addresses as [`world::ipv6`] has them, and the words that ip6tables has for the same thing.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::world;

/// Words of iptables and those of ip6tables.
const WORDS: [(&str, &str); 23] = [
    ("icmp", "icmp6"),
    ("--icmp-type", "--icmpv6-type"),
    ("icmp-net-unreachable", "icmp6-no-route"),
    ("icmp-host-unreachable", "icmp6-addr-unreachable"),
    ("icmp-port-unreachable", "icmp6-port-unreachable"),
    ("icmp-proto-unreachable", "icmp6-policy-fail"),
    ("icmp-net-prohibited", "icmp6-reject-route"),
    ("icmp-host-prohibited", "icmp6-adm-prohibited"),
    ("icmp-admin-prohibited", "icmp6-adm-prohibited"),
    ("8", "128"),
    ("0", "129"),
    ("3", "1"),
    ("3/1", "1/3"),
    ("13", "130"),
    ("5/1", "137/0"),
    ("TTL", "HL"),
    ("--ttl-set", "--hl-set"),
    ("--ttl-inc", "--hl-inc"),
    ("--ttl-dec", "--hl-dec"),
    ("ttl", "hl"),
    ("--ttl-eq", "--hl-eq"),
    ("--ttl-lt", "--hl-lt"),
    ("--ttl-gt", "--hl-gt"),
];

/// The rules, line by line.
pub(super) fn rules(text: &str) -> String {
    text.lines().map(|line| rule(line) + "\n").collect()
}

fn rule(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = line.split(' ').peekable();
    while let Some(word) = rest.next() {
        let last = words.last().map_or("", String::as_str);
        match word {
            // There is no flag of the IP header, and no type that is every type.
            "-f" => {
                words.pop_if(|word| word == "!");
            }
            "icmp" if last == "-m" && line.contains("--icmp-type any") => {
                words.pop();
            }
            "--icmp-type" if rest.peek() == Some(&"any") => {
                rest.next();
            }
            "icmp" if last == "-p" || last == "--ctproto" => words.push("ipv6-icmp".to_owned()),
            _ if last == "--icmpv6-type" => words.push(said(word).unwrap_or(word).to_owned()),
            _ if word.parse::<u8>().is_ok() => words.push(word.to_owned()),
            _ => words.push(said(word).map(str::to_owned).or_else(|| addresses(word)).unwrap_or_else(|| word.to_owned())),
        }
    }
    words.join(" ")
}

fn said(word: &str) -> Option<&'static str> {
    WORDS.iter().find(|(old, _)| *old == word).map(|(_, new)| *new)
}

/// An address, with a length or mask; or a range of them; with ports.
fn addresses(word: &str) -> Option<String> {
    if let Some(ports) = word.strip_prefix(':') {
        return ports.split(['-', '/']).all(|port| port.parse::<u16>().is_ok()).then(|| format!("[]:{ports}"));
    }
    if let Some((hosts, ports)) = word.split_once(':') {
        return Some(format!("[{}]:{ports}", addresses(hosts)?));
    }
    if let Some((from, to)) = word.split_once('-') {
        return Some(format!("{}-{}", addresses(from)?, addresses(to)?));
    }
    if let Some((address, length)) = word.split_once('/') {
        return Some(format!("{}/{}", addresses(address)?, mask(length)?));
    }
    let address = word.parse::<Ipv4Addr>().ok()?;
    Some(if address.is_unspecified() { Ipv6Addr::UNSPECIFIED } else { world::ipv6(address) }.to_string())
}

/// What leaves the same hosts of the world in.
fn mask(length: &str) -> Option<String> {
    if let Ok(mask) = length.parse::<Ipv4Addr>() {
        let [a, b, c, d] = mask.octets();
        let group = |high, low| u16::from_be_bytes([high, low]);
        return Some(
            Ipv6Addr::new(0xffff, 0xffff, group(a, b), group(0xff, c), 0xffff, 0xffff, 0xffff, group(0xff, d)).to_string(),
        );
    }
    let length: u8 = length.parse().ok()?;
    let behind = match length {
        0 => 0,
        1..=16 => 32,
        17..=24 => 40,
        _ => 96,
    };
    Some((length + behind).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_said_with_the_addresses_and_the_words_of_ipv6() {
        for (ipv4, ipv6) in [
            ("-s 10.0.0.2 -d 10.0.1.0/24", "-s 2001:db8:a00::2 -d 2001:db8:a00:1::/64"),
            ("-d 10.0.1.2/255.255.0.255", "-d 2001:db8:a00:1::2/ffff:ffff:ffff:ff00:ffff:ffff:ffff:ffff"),
            ("-s 0.0.0.0/0 -s 10.0.0.4/30", "-s ::/0 -s 2001:db8:a00::4/126"),
            ("-p icmp -m icmp ! --icmp-type 3/1 -j DROP", "-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/3 -j DROP"),
            ("-p icmp -m icmp --icmp-type any -j DROP", "-p ipv6-icmp -j DROP"),
            ("! -f -m mark --mark 8", "-m mark --mark 8"),
            ("DNAT --to-destination 10.0.1.2-10.0.1.5:80-81", "DNAT --to-destination [2001:db8:a00:1::2-2001:db8:a00:1::5]:80-81"),
            ("--to-ports 3000-3001 --ports 1:2", "--to-ports 3000-3001 --ports 1:2"),
            ("-j REJECT --reject-with icmp-host-unreachable", "-j REJECT --reject-with icmp6-addr-unreachable"),
        ] {
            assert_eq!(rule(ipv4), ipv6, "{ipv4}");
        }
    }
}
