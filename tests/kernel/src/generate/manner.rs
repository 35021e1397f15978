//! Rulesets as people and programs write them, with every kind of packet.

use crate::answer::Answer;
use crate::case::Step;

use super::random::Random;
use super::{Made, Rules, any_packet, packet};

pub(super) fn case(random: &mut Random) -> Made {
    let mut rules = Rules::default();
    match random.below(5) {
        0 => ufw(&mut rules),
        1 => docker(&mut rules),
        2 => kube_proxy(&mut rules),
        3 => shorewall(&mut rules),
        _ => guide(&mut rules),
    }
    let mut steps = Vec::new();
    for _ in 0..random.between(8, 40) {
        if random.chance(35) && !steps.is_empty() {
            let to = random.below(steps.len() as u64) as usize;
            let with = match random.below(5) {
                0 | 1 => Answer::Tcp { flags: *random.pick(&[0x12, 0x10, 0x14]), seq: 1, ack: 1, data: 0 },
                2 => Answer::Udp { data: 9 },
                3 => Answer::Echo,
                _ => Answer::Error { kind: 3, code: 3, quote: 48 },
            };
            steps.push(Step::Answer { to, with });
        } else {
            let (port, ip) = any_packet(random);
            steps.push(packet(port, &ip));
        }
    }
    (rules, steps)
}

fn ufw(rules: &mut Rules) {
    for (chain, policy) in [("INPUT", "DROP"), ("FORWARD", "DROP"), ("OUTPUT", "ACCEPT")] {
        rules.policy("filter", chain, policy);
    }
    rules.script(
        "filter",
        "-N ufw-before-input
        -N ufw-before-forward
        -N ufw-user-input
        -N ufw-user-forward
        -N ufw-not-local
        -N ufw-reject-input
        -A INPUT -j ufw-before-input
        -A INPUT -j ufw-reject-input
        -A FORWARD -j ufw-before-forward
        -A ufw-before-input -i lo -j ACCEPT
        -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A ufw-before-input -m conntrack --ctstate INVALID -j DROP
        -A ufw-before-input -p icmp -m icmp --icmp-type 3 -j ACCEPT
        -A ufw-before-input -p icmp -m icmp --icmp-type 8 -j ACCEPT
        -A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT
        -A ufw-before-input -j ufw-not-local
        -A ufw-before-input -j ufw-user-input
        -A ufw-not-local -d 10.0.0.1 -j RETURN
        -A ufw-not-local -m limit --limit 3/hour --limit-burst 10
        -A ufw-not-local -j DROP
        -A ufw-user-input -p tcp -m tcp --dport 22 -j ACCEPT
        -A ufw-user-input -p tcp -m multiport --dports 80,443 -j ACCEPT
        -A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A ufw-before-forward -p icmp -m icmp --icmp-type 8 -j ACCEPT
        -A ufw-before-forward -j ufw-user-forward
        -A ufw-user-forward -i eth0 -o eth1 -j ACCEPT
        -A ufw-reject-input -p tcp -j REJECT --reject-with tcp-reset
        -A ufw-reject-input -j REJECT --reject-with icmp-port-unreachable",
    );
}

fn docker(rules: &mut Rules) {
    rules.policy("filter", "FORWARD", "DROP");
    rules.script(
        "filter",
        "-N DOCKER
        -N DOCKER-USER
        -N DOCKER-ISOLATION-STAGE-1
        -N DOCKER-ISOLATION-STAGE-2
        -A FORWARD -j DOCKER-USER
        -A FORWARD -j DOCKER-ISOLATION-STAGE-1
        -A FORWARD -o eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A FORWARD -o eth0 -j DOCKER
        -A FORWARD -i eth0 ! -o eth0 -j ACCEPT
        -A FORWARD -i eth0 -o eth0 -j ACCEPT
        -A DOCKER -d 10.0.0.2/32 ! -i eth0 -o eth0 -p tcp -m tcp --dport 80 -j ACCEPT
        -A DOCKER-ISOLATION-STAGE-1 -i eth0 ! -o eth0 -j DOCKER-ISOLATION-STAGE-2
        -A DOCKER-ISOLATION-STAGE-1 -j RETURN
        -A DOCKER-ISOLATION-STAGE-2 -o docker1 -j DROP
        -A DOCKER-ISOLATION-STAGE-2 -j RETURN
        -A DOCKER-USER -j RETURN",
    );
    rules.script(
        "nat",
        "-N DOCKER
        -A PREROUTING -d 10.0.1.1/32 -j DOCKER
        -A POSTROUTING -s 10.0.0.0/24 ! -o eth0 -j MASQUERADE
        -A POSTROUTING -s 10.0.0.2/32 -d 10.0.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
        -A DOCKER -i eth0 -j RETURN
        -A DOCKER ! -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80",
    );
}

fn kube_proxy(rules: &mut Rules) {
    rules.script(
        "nat",
        "-N KUBE-SERVICES
        -N KUBE-POSTROUTING
        -N KUBE-MARK-MASQ
        -N KUBE-SVC-A
        -N KUBE-SEP-1
        -N KUBE-SEP-2
        -N KUBE-SEP-3
        -A PREROUTING -j KUBE-SERVICES
        -A POSTROUTING -j KUBE-POSTROUTING
        -A KUBE-SERVICES -d 203.0.113.1/32 -p tcp -m comment --comment \"default/web\" -m tcp --dport 80 -j KUBE-SVC-A
        -A KUBE-SERVICES -d 203.0.113.2/32 -p udp -m udp --dport 53 -j KUBE-SVC-A
        -A KUBE-SVC-A ! -s 10.0.0.2/32 -j KUBE-MARK-MASQ
        -A KUBE-SVC-A -m statistic --mode nth --every 3 --packet 0 -j KUBE-SEP-1
        -A KUBE-SVC-A -m statistic --mode nth --every 2 --packet 0 -j KUBE-SEP-2
        -A KUBE-SVC-A -j KUBE-SEP-3
        -A KUBE-SEP-1 -s 10.0.1.2/32 -j KUBE-MARK-MASQ
        -A KUBE-SEP-1 -p tcp -j DNAT --to-destination 10.0.1.2:8080
        -A KUBE-SEP-2 -p tcp -j DNAT --to-destination 10.0.1.3:8080
        -A KUBE-SEP-3 -p tcp -j DNAT --to-destination 10.0.1.4:8080
        -A KUBE-SEP-3 -p udp -j DNAT --to-destination 10.0.1.4:53
        -A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
        -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
        -A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
        -A KUBE-POSTROUTING -j MASQUERADE",
    );
    rules.script(
        "filter",
        "-N KUBE-FORWARD
        -A FORWARD -j KUBE-FORWARD
        -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
        -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
        -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A FORWARD -d 203.0.113.3/32 -p tcp -m tcp --dport 443 -j REJECT --reject-with icmp-port-unreachable",
    );
}

fn shorewall(rules: &mut Rules) {
    rules.policy("filter", "INPUT", "DROP");
    rules.policy("filter", "FORWARD", "DROP");
    rules.script(
        "filter",
        "-N net-fw
        -N net-loc
        -N loc-net
        -N loc-fw
        -N dynamic
        -N smurfs
        -N tcpflags
        -A INPUT -i eth1 -j net-fw
        -A INPUT -i eth0 -j loc-fw
        -A FORWARD -i eth1 -o eth0 -j net-loc
        -A FORWARD -i eth0 -o eth1 -j loc-net
        -A FORWARD -g dynamic
        -A net-fw -m conntrack --ctstate NEW,INVALID,UNTRACKED -j smurfs
        -A net-fw -p tcp -j tcpflags
        -A net-fw -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A net-fw -j DROP
        -A net-loc -p tcp -j tcpflags
        -A net-loc -m conntrack --ctstate ESTABLISHED -j ACCEPT
        -A net-loc -m conntrack --ctstate RELATED -j ACCEPT
        -A net-loc -p tcp -m conntrack --ctorigdst 10.0.1.1 -m tcp --dport 80 -j ACCEPT
        -A net-loc -j DROP
        -A loc-net -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A loc-net -m conntrack --ctstate INVALID -j DROP
        -A loc-net -j ACCEPT
        -A loc-fw -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        -A loc-fw -p icmp -j ACCEPT
        -A loc-fw -j REJECT
        -A dynamic -j DROP
        -A smurfs -s 0.0.0.0/32 -j RETURN
        -A smurfs -s 10.0.1.255/32 -g dynamic
        -A smurfs -s 224.0.0.0/4 -g dynamic
        -A tcpflags -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG FIN,PSH,URG -g dynamic
        -A tcpflags -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -g dynamic
        -A tcpflags -p tcp -m tcp --tcp-flags SYN,RST SYN,RST -g dynamic
        -A tcpflags -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -g dynamic
        -A tcpflags -p tcp -m tcp --sport 0 --tcp-flags FIN,SYN,RST,ACK SYN -g dynamic",
    );
    rules.script(
        "nat",
        "-A PREROUTING -i eth1 -d 10.0.1.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2
        -A POSTROUTING -s 10.0.0.0/24 -o eth1 -j SNAT --to-source 10.0.1.100",
    );
}

fn guide(rules: &mut Rules) {
    rules.policy("filter", "INPUT", "DROP");
    rules.policy("filter", "FORWARD", "DROP");
    rules.script(
        "filter",
        "-N SCAN
        -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
        -A INPUT -p tcp --dport 22 -m state --state NEW -m limit --limit 2/hour --limit-burst 3 -j ACCEPT
        -A INPUT -p icmp --icmp-type echo-request -m limit --limit 1/hour --limit-burst 2 -j ACCEPT
        -A INPUT -p tcp --tcp-flags ALL NONE -j SCAN
        -A FORWARD -p tcp --tcp-flags ALL FIN,PSH,URG -j SCAN
        -A FORWARD -p tcp ! --syn -m state --state NEW -j DROP
        -A FORWARD -m state --state INVALID -j DROP
        -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
        -A FORWARD -i eth0 -o eth1 -p tcp -m multiport --dports 22,53,80,443,8080 -j ACCEPT
        -A FORWARD -i eth0 -p udp --dport 53 -j ACCEPT
        -A FORWARD -i eth0 -p icmp -j ACCEPT
        -A FORWARD -i eth1 -p tcp -d 10.0.0.3 --dport 8080 -j ACCEPT
        -A FORWARD -i eth0 -j REJECT --reject-with icmp-admin-prohibited
        -A SCAN -m limit --limit 1/hour
        -A SCAN -j DROP",
    );
    rules.script(
        "nat",
        "-A PREROUTING -i eth1 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.3:8080
        -A PREROUTING -i eth0 -p udp --dport 53 -d 10.0.0.1 -j DNAT --to-destination 10.0.1.9
        -A POSTROUTING -o eth1 -j MASQUERADE",
    );
    rules.script(
        "mangle",
        "-A PREROUTING -p tcp --dport 22 -j TOS --set-tos 0x10
        -A FORWARD -p tcp --sport 80 -j MARK --set-mark 2
        -A POSTROUTING -o eth1 -j TTL --ttl-set 64",
    );
}
