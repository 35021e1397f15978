//! TRACE: what rules a packet meets, in the log. Each line as Linux 6.18 wrote it.

use rules::TableName::Filter;

use crate::fragments::cut;
use crate::lab::frames::{tcp, udp};
use crate::lab::{ETH0, ETH1, Lab, talk};

/// What a packet was told to meet: the words behind `TRACE: `, and the mark.
fn met(lines: &[String]) -> Vec<String> {
    let told = lines.iter().filter_map(|line| line.strip_prefix("log: TRACE: "));
    told.map(|line| {
        let mark = line.split(' ').find(|word| word.starts_with("MARK=")).map_or(String::new(), |mark| format!(" {mark}"));
        line.split(' ').next().unwrap_or_default().to_owned() + &mark
    })
    .collect()
}

const ALL: &str = "*raw\n-A PREROUTING -p udp -j TRACE\n-A PREROUTING -p udp -j MARK --set-mark 5\nCOMMIT\n*mangle\nCOMMIT\n\
                   *nat\n-A POSTROUTING -o eth1 -j SNAT --to-source 192.168.1.1\nCOMMIT\n\
                   *filter\n:FORWARD DROP\n:a -\n-A FORWARD -p udp -j a\n-A a -p udp --dport 9 -j RETURN\n-A a -j ACCEPT\nCOMMIT\n*security\nCOMMIT\n";

#[test]
fn every_rule_and_policy_is_told_in_the_order_of_the_hooks() {
    let mut lab = Lab::new(ALL);
    let wanted = [
        "raw:PREROUTING:rule:2",
        "raw:PREROUTING:policy:3 MARK=0x5",
        "mangle:PREROUTING:policy:1 MARK=0x5",
        "nat:PREROUTING:policy:1 MARK=0x5",
        "mangle:FORWARD:policy:1 MARK=0x5",
        "filter:FORWARD:rule:1 MARK=0x5",
        "filter:a:return:2 MARK=0x5",
        "security:FORWARD:policy:1 MARK=0x5",
        "mangle:POSTROUTING:policy:1 MARK=0x5",
        "nat:POSTROUTING:rule:1 MARK=0x5",
    ];
    let first = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
    assert_eq!(met(&first), wanted);
    assert_eq!(
        first[0],
        "log: TRACE: raw:PREROUTING:rule:2 IN=eth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:99:08:00 SRC=10.0.0.2 DST=192.168.1.2 \
         LEN=28 TOS=0x00 PREC=0x00 TTL=64 ID=7 PROTO=UDP SPT=1 DPT=7 LEN=8 "
    );
    let second: Vec<String> = met(&lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7")));
    let without_nat: Vec<&str> = wanted.into_iter().filter(|line| !line.starts_with("nat")).collect();
    assert_eq!(second, without_nat, "only the first packet of a connection meets the nat table");
    let answer = met(&lab.wire(ETH1, &udp("192.168.1.2:7", "192.168.1.1:1")));
    assert_eq!(answer[..3], without_nat[..3]);
    let dropped = met(&lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:9")));
    assert_eq!(dropped[5..], ["filter:FORWARD:rule:1 MARK=0x5", "filter:a:rule:1 MARK=0x5", "filter:FORWARD:policy:2 MARK=0x5"]);
    assert_eq!(lab.count(Filter, "FORWARD", 1), (4, 4 * 28), "rules count as ever");
}

#[test]
fn nobody_else_is_told_of() {
    let mut lab = Lab::new(ALL);
    assert_eq!(met(&lab.wire(ETH0, &tcp("10.0.0.2:1", "192.168.1.2:7", "S"))), [""; 0]);
    let mut lab = Lab::new("*raw\n-A PREROUTING -j TRACE\nCOMMIT\n*filter\n-A FORWARD -j REJECT\nCOMMIT\n");
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
    assert_eq!(met(&lines), ["raw:PREROUTING:policy:2", "filter:FORWARD:rule:1"], "the answer is a packet of its own");
    let mut lab = Lab::new("*raw\n-A OUTPUT -j TRACE\nCOMMIT\n*filter\n-A FORWARD -j REJECT\nCOMMIT\n");
    let lines = lab.wire(ETH0, &udp("10.0.0.2:1", "192.168.1.2:7"));
    assert_eq!(met(&lines), ["raw:OUTPUT:policy:2", "filter:OUTPUT:policy:1"]);
}

/// The first fragment's is the datagram's.
#[test]
fn a_datagram_is_told_of_as_its_first_fragment() {
    let pieces = |lab: &mut Lab, first: usize| {
        let pieces = cut(&udp("10.0.0.2:1", "10.0.0.1:9").data(40).frame(), &[24], false);
        [first, 1 - first].map(|piece| met(&lab.wire_frame(ETH0, pieces[piece].clone()))).concat()
    };
    for first in [0, 1] {
        let mut lab = Lab::new("*raw\n-A PREROUTING -f -j TRACE\nCOMMIT\n*filter\nCOMMIT\n");
        assert_eq!(pieces(&mut lab, first), ["raw:PREROUTING:policy:2"]);
        let mut lab = Lab::new("*raw\n-A PREROUTING ! -f -j TRACE\nCOMMIT\n*filter\nCOMMIT\n");
        assert_eq!(pieces(&mut lab, first), ["raw:PREROUTING:policy:2", "filter:INPUT:policy:1"]);
    }
}

/// Packets of a connection that are told of walk, each of them, and leave no way behind for those that are not.
#[test]
fn packets_that_are_told_of_walk_and_the_others_need_not() {
    for (rules, told) in [
        ("-A PREROUTING -p tcp -j TRACE", 6),
        ("-A PREROUTING -j MARK --set-mark 1\n-A PREROUTING -p tcp -j TRACE", 6),
        ("-A PREROUTING -j MARK --set-mark 1\n-A PREROUTING -p tcp --syn -j TRACE", 1),
        ("-A PREROUTING -m limit --limit 1/hour --limit-burst 2 -j TRACE", 2),
        ("-A PREROUTING -j MARK --set-mark 1\n-A PREROUTING -m statistic --mode nth --every 3 --packet 2 -j TRACE", 2),
    ] {
        let text = format!("*raw\n{rules}\nCOMMIT\n*filter\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n");
        let (mut lab, mut walking) = (Lab::new(&text), Lab::walking(&text));
        let mut seen = 0;
        for (port, packet) in talk("10.0.0.2:1024", "192.168.1.2:80", 3) {
            let lines = lab.wire(port, &packet);
            assert_eq!(lines, walking.wire(port, &packet), "{rules}");
            seen += usize::from(
                met(&lines).iter().any(|line| line == "filter:FORWARD:rule:1" || line.starts_with("filter:FORWARD:rule:1 ")),
            );
        }
        assert_eq!(seen, told, "{rules}");
        if told == 6 {
            assert_eq!(lab.sim.worker.retraced(), 0, "{rules}");
        }
        assert_eq!(lab.count(Filter, "FORWARD", 1).0, 6, "{rules}");
    }
}
