//! Labels in the conntrack command beside the real one: by their names, in every format, asked for and changed.

use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use anyhow::Result;
use net::conntrack::{Talk, compare};
use net::lab::{INSIDE, Lab, OUTSIDE};
use net::labels;
use net::process::wait_until;

const LABELS: &str = "0 zero\n3 three\n7 a<b&c\n127 last of all\n200 over\n";

/// One label that has no name.
const RULES_LABELS: &str = "*raw\n-A PREROUTING -m connlabel --label three\nCOMMIT\n\
    *filter\n-A FORWARD -p udp --dport 53 -m connlabel --label three --set\n-A FORWARD -p udp --dport 54 -m connlabel --label 50 --set\n\
    -A FORWARD -p udp --dport 55 -m connlabel ! --label \"last of all\" --set\n-A FORWARD -p udp --dport 55 -m connlabel --label zero --set\nCOMMIT\n";

/// Queries to some ports.
fn traffic_labels(lab: &Lab) -> Result<Vec<TcpStream>> {
    queries(lab, INSIDE, OUTSIDE)
}

fn queries(lab: &Lab, from: &'static str, to: &str) -> Result<Vec<TcpStream>> {
    let socket = lab.inside.within(move || UdpSocket::bind((from, 5000)))??;
    for port in 53..=56 {
        socket.send_to(b"hello", (to, port))?;
    }
    wait_until("they are there", Duration::from_secs(5), || Ok(lab.ok("conntrack -C")?.trim() == "4"))?;
    Ok(Vec::new())
}

const LOOKS_LABELS: &[&str] = &[
    "conntrack -L",
    "conntrack -L -o labels",
    "conntrack -L -o id,labels,extended",
    "conntrack -L -o xml",
    "conntrack -L -o xml,labels",
    "conntrack -L -o labels,xml,extended,id",
    "conntrack -L -o xml -l three",
    "conntrack -L -o save -l three",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 54 -o labels,xml",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 55 -o xml -l zero",
    "conntrack -L -l three",
    "conntrack -L -l zero,three",
    "conntrack -L -l zero -l \"last of all\"",
    "conntrack -L -l zero -p udp --dport 53",
    "conntrack -L -l over",
    "conntrack -L -l nobody",
    "conntrack -L -l 50",
    "conntrack -L -l three,",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 55 -o labels",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 53 -l three",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 53 -l zero",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 57 -l zero",
    "conntrack -L -l zero -z",
    "conntrack -L --label-add zero",
    "conntrack -D --label-del zero",
    "conntrack -C -l zero",
    "conntrack -F -l zero",
    "conntrack -L expect -l zero",
    "conntrack -U --label-add zero --label-del three",
    "conntrack -U --label-add 50",
    "conntrack -U -s 192.168.1.99 --label-add over",
    "conntrack -U -s 192.168.1.100",
];

/// Where several are changed the real command shows some of them.
const CHANGES_LABELS: &[&str] = &[
    "conntrack -U -s 192.168.1.100 -l three -m 5",
    "conntrack -U -s 192.168.1.100 -l three -m 5",
    "conntrack -U -s 192.168.1.100 -l three --label-add zero,three",
    "conntrack -U -s 192.168.1.100 -l three --label-add \"a<b&c\" -o xml",
    "conntrack -L -l three -o xml",
    "conntrack -U -s 192.168.1.100 -l three --label-del \"a<b&c\" -o xml",
    "conntrack -U -s 192.168.1.100 --label-add three >/dev/null",
    "conntrack -U -s 192.168.1.100 -m 5 --label-del zero >/dev/null",
    "conntrack -U -s 192.168.1.100 -l \"last of all\" --label-del",
    "conntrack -U -s 192.168.1.100 --label-del three,over >/dev/null",
    "conntrack -U -s 192.168.1.100 --label-del >/dev/null",
    "conntrack -U -s 192.168.1.100 --label-del >/dev/null",
    "conntrack -U -s 192.168.1.100 --label-add over 2>&1 >/dev/null | tail -n 1",
    "conntrack -U -s 192.168.1.100 --label-add \"last of all\" --label-add zero -m 6 >/dev/null",
    "conntrack -D -p udp --dport 53 -l zero -o labels",
    "conntrack -D -l three",
    "conntrack -D -l \"last of all\"",
];

#[test]
#[ignore = "needs namespaces: make test-net"]
fn labels_are_shown_asked_for_and_changed_as_the_real_one_does() -> Result<()> {
    labels::name(LABELS)?;
    let (looks, changes, look) = (LOOKS_LABELS, CHANGES_LABELS, "conntrack -L -o labels");
    compare(&Talk { ipv6: false, rules: RULES_LABELS, conntrack: &[], traffic: traffic_labels, looks, changes, look, listed: 4 })
}

/// As [`traffic_labels`], over IPv6; what neighbours find each other by has gone.
fn traffic_labels_ipv6(lab: &Lab) -> Result<Vec<TcpStream>> {
    for host in [&lab.inside, &lab.outside] {
        wait_until("neighbours", Duration::from_secs(10), || Ok(host.attempt("ping -6 -c 1 -W 1 2001:db8:f::1")?.0))?;
    }
    lab.inside.run("ping -6 -c 1 -W 2 2001:db8:f::10")?;
    lab.ok("conntrack -F")?;
    queries(lab, "2001:db8:1::100", "2001:db8:f::10")
}

const LOOKS_LABELS_IPV6: &[&str] = &[
    "conntrack -L -f ipv6 -o labels",
    "conntrack -L -o labels",
    "conntrack -L -f ipv6 -o xml,labels",
    "conntrack -L -f ipv6 -l zero,three",
    "conntrack -L -f ipv6 -l zero -o xml,id",
    "conntrack -L -f ipv4 -l zero",
    "conntrack -L -f ipv6 -l over",
    "conntrack -L -f ipv6 -l nobody",
    "conntrack -L -s 2001:db8:1::/64 -l three -o extended",
    "conntrack -G -p udp -s 2001:db8:1::100 -d 2001:db8:f::10 --sport 5000 --dport 55 -o labels",
    "conntrack -G -p udp -s 2001:db8:1::100 -d 2001:db8:f::10 --sport 5000 --dport 53 -o labels,xml",
];

const CHANGES_LABELS_IPV6: &[&str] = &[
    "conntrack -U -s 2001:db8:1::100 -p udp --dport 54 -f ipv6 --label-add zero,three -o xml",
    "conntrack -U -s 2001:db8:1::100 -p udp --dport 54 --label-del three -m 5",
    "conntrack -U -s 2001:db8:1::100 -p udp --dport 54 --label-del -o labels",
    "conntrack -U -s 2001:db8:1::100 -p udp --dport 56 --label-add \"last of all\" -u SEEN_REPLY -t 99",
    "conntrack -D -f ipv6 -l three",
    "conntrack -D -f ipv6 -l \"last of all\" -o xml",
];

#[test]
#[ignore = "needs namespaces: make test-net"]
fn labels_of_ipv6_are_those_of_the_real_one() -> Result<()> {
    labels::name(LABELS)?;
    let (looks, changes, look) = (LOOKS_LABELS_IPV6, CHANGES_LABELS_IPV6, "conntrack -L -f ipv6 -o labels,xml");
    compare(&Talk {
        ipv6: true,
        rules: RULES_LABELS,
        conntrack: &[],
        traffic: traffic_labels_ipv6,
        looks,
        changes,
        look,
        listed: 4,
    })
}
