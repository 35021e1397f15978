//! Rule sets of any size, as `iptables-save` would print them.

use std::fmt::Write as _;

/// A filter table whose FORWARD chain has `rules` rules of the kinds that firewalls are made of: single addresses with a port, networks,
/// interfaces, port lists, flags, connection states.
///
/// None of them holds for a packet from 192.0.2.0/24 to 198.51.100.0/24, so such a packet is compared with every one; then the last
/// rule, `-A FORWARD -j ACCEPT`, lets it pass.
pub fn firewall(rules: u32) -> String {
    let mut text = String::from("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    for i in 0..rules.saturating_sub(1) {
        let (a, b, c) = (i >> 16 & 255, i >> 8 & 255, i & 255);
        let port = 1024 + i % 60_000;
        // Writing to a String cannot fail.
        let _ = match i % 5 {
            0 => writeln!(text, "-A FORWARD -s 10.{a}.{b}.{c}/32 -p tcp -m tcp --dport {port} -j ACCEPT"),
            1 => writeln!(text, "-A FORWARD -d 172.16.{c}.0/24 -i eth0 -p udp -m udp --dport {port} -j DROP"),
            2 => writeln!(text, "-A FORWARD -s 192.168.{c}.0/24 -p tcp -m multiport --dports 80,443,{port}:65000 -j ACCEPT"),
            3 => writeln!(text, "-A FORWARD -d 10.{a}.{b}.{c}/32 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j REJECT"),
            _ => writeln!(text, "-A FORWARD -s 10.{a}.{b}.{c}/32 -m conntrack --ctstate NEW -j ACCEPT"),
        };
    }
    text.push_str("-A FORWARD -j ACCEPT\nCOMMIT\n");
    text
}
