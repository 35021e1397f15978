//! ICMP redirects: hosts whose packets leave by the wire that they came by, told so as often as the kernel tells them.
//!
//! After the nth redirect to a host, the next one waits for 20 ms * 2^n. The pauses here stay 20 ms away from all of these. In IPv6 six are sent at
//! once, and then one a second; so do these pauses, however they add up. There no ICMP error is caused: the kernel counts those together with
//! redirects, and where errors have no limit, as here, what is left for redirects hangs on which other hosts it has heard of.

use crate::case::Step;
use crate::frame::Ip;
use crate::world::Port;

use super::random::Random;
use super::{Made, Rules, client, packet, server};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    if random.chance(50) {
        rules.add("filter", "OUTPUT", "-p icmp --icmp-type redirect");
        rules.add("filter", "OUTPUT", "-m conntrack --ctstate RELATED");
        rules.add("mangle", "POSTROUTING", "-p icmp --icmp-type 5/1");
    }
    match random.below(8) {
        0 => rules.add("filter", "OUTPUT", "-p icmp -d 10.0.0.3 -j DROP"),
        1 => rules.add("filter", "FORWARD", "-p udp -j DROP"),
        2 => rules.add("nat", "PREROUTING", "-i eth0 -d 10.0.1.2 -j DNAT --to-destination 10.0.0.9"),
        3 => rules.add("nat", "POSTROUTING", "-o eth0 -j MASQUERADE"),
        4 if random.ipv6 => rules.add("filter", "OUTPUT", "-m conntrack --ctstate INVALID -j DROP"),
        4 => rules.add("mangle", "PREROUTING", "-j TTL --ttl-set 1"),
        5 if random.ipv6 => rules.add("filter", "FORWARD", "-p tcp -j REJECT --reject-with tcp-reset"),
        5 => rules.add("filter", "FORWARD", "-p tcp -j REJECT"),
        6 => rules.add("mangle", "PREROUTING", "-j TOS --set-tos 0x10"),
        _ => {}
    }
    let mut steps = Vec::new();
    let mut last = None;
    for _ in 0..random.between(3, 9) {
        if random.chance(35) {
            steps.push(Step::Advance(*random.pick(&[60, 60, 120, 180])));
        }
        let (port, ip) = match last.take().filter(|_| random.chance(60)) {
            Some(again) => again,
            None => to_its_own_wire(random),
        };
        let times = if random.chance(15) { 3 } else { 1 };
        steps.push(if times == 1 { packet(port, &ip) } else { Step::Packets(port, vec![ip.frame(port); times]) });
        last = Some((port, ip));
    }
    (rules, steps)
}

fn to_its_own_wire(random: &mut Random) -> (Port, Ip) {
    let (port, src, dst) = match random.below(6) {
        0 => (Port::Eth1, server(random), random.address(203, 0, 113, 9)),
        1 => (Port::Eth1, server(random), random.address(10, 0, 1, 6)),
        // By the other one after all, or translated to this one.
        2 => (Port::Eth0, client(random), random.address(10, 0, 1, 2)),
        _ => {
            let src = client(random);
            let host = random.between(6, 8) as u8;
            (Port::Eth0, src, random.address(10, 0, 0, host))
        }
    };
    let mut ip = match random.below(4) {
        0 => Ip::tcp((src, 2000), (dst, 80), 2, 1, 0, &[], &[]),
        1 => Ip::icmp(src, dst, *random.pick(&[8, 3, 5]), 0, [0; 4], &[0x45; 28]),
        _ => Ip::udp((src, 2000), (dst, 53), &vec![b'r'; *random.pick(&[4, 1000])]),
    };
    ip.ttl = match *random.pick(&[64, 64, 64, 2, 1]) {
        1 if random.ipv6 => 255,
        ttl => ttl,
    };
    ip.fragment = *random.pick(&[0, 0, 0, 0x4000, 0x2000, 8]);
    if random.chance(10) {
        ip.options = if random.ipv6 { vec![5, 2, 0, 0] } else { vec![0x94, 4, 0, 0] };
    }
    (port, ip)
}
