//! The conntrack command beside the real one: the same connections through the kernel and through Rampart, the same commands, the same words.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use anyhow::{Error, Result, ensure};
use net::conntrack::{Talk, compare, connected, heard, masked, masked_fields, sums};
use net::kernel;
use net::lab::{INSIDE, Lab, OUTSIDE, Shape, System};
use net::labels;
use net::process::wait_until;

const RULES: &str = "*raw\n-A PREROUTING -p udp --dport 7777 -j CT --zone 5\n-A PREROUTING -p udp --dport 7778 -j CT --zone-orig 6\n\
    -A PREROUTING -p udp --dport 7779 -j CT --zone-reply 7\nCOMMIT\n\
    *mangle\n-A FORWARD -p udp --dport 7778 -j CONNMARK --set-mark 0x10\nCOMMIT\n\
    *nat\n-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 192.168.1.2:80\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n\
    *filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";

/// Makes connections of many kinds; they live as long as what is returned.
fn traffic(lab: &Lab) -> Result<Vec<TcpStream>> {
    let one_way = |port: u16| -> Result<()> {
        let socket = lab.inside.within(move || UdpSocket::bind((INSIDE, 5000)))??;
        socket.send_to(b"hello", (OUTSIDE, port))?;
        Ok(())
    };
    [53, 7777, 7778, 7779].into_iter().try_for_each(one_way)?;
    let here = lab.inside.within(|| UdpSocket::bind((INSIDE, 5001)))??;
    let there = lab.outside.within(|| UdpSocket::bind((OUTSIDE, 7)))??;
    for socket in [&here, &there] {
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    }
    here.send_to(b"hello", (OUTSIDE, 7))?;
    let mut bytes = [0; 16];
    let (length, from) = there.recv_from(&mut bytes)?;
    there.send_to(&bytes[..length], from)?;
    here.recv_from(&mut bytes)?;
    lab.inside.run(&format!("ping -c 1 -W 2 -e 4711 {OUTSIDE}"))?;
    let open = connected(lab, (true, "192.168.1.100:6001"), (false, "203.0.113.10:80"), "203.0.113.10:80")?;
    let translated = connected(lab, (false, "203.0.113.10:6002"), (true, "192.168.1.2:80"), "203.0.113.1:8080")?;
    let (mut here, mut there) = connected(lab, (true, "192.168.1.100:6003"), (false, "203.0.113.10:81"), "203.0.113.10:81")?;
    here.write_all(b"bye")?;
    here.shutdown(std::net::Shutdown::Write)?;
    there.read_to_end(&mut Vec::new())?;
    drop(there);
    here.read_to_end(&mut Vec::new())?;
    drop(here);
    wait_until("the closed connection is in TIME_WAIT", Duration::from_secs(5), || {
        Ok(lab.ok("conntrack -L -p tcp --state TIME_WAIT")?.contains("dport=81"))
    })?;
    Ok(vec![open.0, open.1, translated.0, translated.1])
}

const RULES_IPV6: &str = "*mangle\n-A FORWARD -p udp --dport 53 -j CONNMARK --set-mark 0x10\nCOMMIT\n\
    *nat\n-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination [2001:db8:1::2]:80\n\
    -A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n\
    *filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";

/// As [`traffic`], over IPv6.
fn traffic_ipv6(lab: &Lab) -> Result<Vec<TcpStream>> {
    // Neighbours first: a packet that waits for one may be sent twice.
    for host in [&lab.inside, &lab.outside] {
        wait_until("neighbours", Duration::from_secs(10), || Ok(host.attempt("ping -6 -c 1 -W 1 2001:db8:f::1")?.0))?;
    }
    lab.inside.run("ping -6 -c 1 -W 2 2001:db8:f::10")?;
    lab.outside.run("ping -6 -c 1 -W 2 2001:db8:1::2")?;
    lab.ok("conntrack -F")?;
    let here = lab.inside.within(|| UdpSocket::bind("[2001:db8:1::100]:5000"))??;
    here.send_to(b"hello", "[2001:db8:f::10]:53")?;
    lab.inside.run("ping -6 -c 1 -W 2 -e 4711 -I 2001:db8:1::100 2001:db8:f::10")?;
    let http = "[2001:db8:f::10]:80";
    let open = connected(lab, (true, "[2001:db8:1::100]:6001"), (false, http), http)?;
    let listen = (true, "[2001:db8:1::2]:80");
    let translated = connected(lab, (false, "[2001:db8:f::10]:6002"), listen, "[2001:db8:f::1]:8080")?;
    Ok(vec![open.0, open.1, translated.0, translated.1])
}

/// Commands that change nothing.
const LOOKS: &[&str] = &[
    "conntrack -L",
    "conntrack --dump conntrack -o extended,id",
    "conntrack -L -f ipv4",
    "conntrack -L -f ipv6",
    "conntrack -C",
    "conntrack -L -p tcp",
    "conntrack -L -p udp --dport 53",
    "conntrack -L -p udp --orig-port-src 5000 --reply-port-src 7777",
    "conntrack -L -p tcp --state ESTABLISHED",
    "conntrack -L -p tcp --state TIME_WAIT -u ASSURED",
    "conntrack -L -p icmp",
    "conntrack -L -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 4711",
    "conntrack -L -p icmp --icmp-id 4712",
    "conntrack -L -p 17",
    "conntrack -L -s 192.168.1.0/24",
    "conntrack -L -s 192.168.1.99 --mask-src 255.255.255.0",
    "conntrack -L -d 203.0.113.1",
    "conntrack -L -r 192.168.1.2",
    "conntrack -L -q 203.0.113.1",
    "conntrack -L -n",
    "conntrack -L --src-nat 203.0.113.1",
    "conntrack -L -n 203.0.113.1:6001",
    "conntrack -L -n 203.0.113.2",
    "conntrack -L -g",
    "conntrack -L -g 192.168.1.2",
    "conntrack -L -g 192.168.1.2:80",
    "conntrack -L -g 192.168.1.2:81",
    "conntrack -L -j",
    "conntrack -L -j 192.168.1.2",
    "conntrack -L -m 16",
    "conntrack -L -m 0x30/0x10",
    "conntrack -L -m 0",
    "conntrack -L -m 0/0xf",
    "conntrack -L -u SEEN_REPLY",
    "conntrack -L -u ASSURED,SEEN_REPLY",
    "conntrack -L -u EXPECTED",
    "conntrack -L -w 5",
    "conntrack -L -w 6",
    "conntrack -L -w 0 -p udp",
    "conntrack -L --orig-zone 6",
    "conntrack -L --orig-zone 5",
    "conntrack -L --reply-zone 7",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 7",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 8",
    "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5000 --dport 7777",
    "conntrack -G -p icmp -s 192.168.1.100 -d 203.0.113.10 --icmp-type 8 --icmp-code 0 --icmp-id 4711",
    "conntrack -L -o xml",
    "conntrack -L -o xml,extended,id,ktimestamp,timestamp",
    "conntrack -L -o xml -p tcp --dport 4",
    "conntrack -L dying -o xml",
    "conntrack -L -o save",
    "conntrack -L -o save,id",
    "conntrack -L -o xml -o save",
    "conntrack -L -o timestamp,userspace",
    "conntrack -G -o xml -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 7",
    "conntrack -G -o save -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 7",
    "conntrack -G -o xml -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 8",
    "conntrack -V",
    "conntrack -L dying",
    "conntrack -L unconfirmed -p tcp",
    "conntrack -L u",
    // What makes no sense.
    "conntrack -L -F",
    "conntrack -L -L",
    "conntrack -X",
    "conntrack -L --dport 5",
    "conntrack -L -p bla",
    "conntrack -L -p 256",
    "conntrack -L -p udp --state ESTABLISHED",
    "conntrack -L -p tcp --state established",
    "conntrack -L -s bla",
    "conntrack -L -s 1.2.3.4/33",
    "conntrack -L -r 1.2.3.4/8",
    "conntrack -L -s ::1 -d 1.2.3.4",
    "conntrack -L -f ipv6 -s 1.2.3.4",
    "conntrack -L -f bla",
    "conntrack -L --mask-src 255.0.0.0",
    "conntrack -L -u BLA",
    "conntrack -L -o bla",
    "conntrack -L -o id,,extended",
    "conntrack -L -j -g",
    "conntrack -L -s",
    "conntrack -L --src",
    "conntrack -L --sr 1.2.3.4",
    "conntrack -L bla",
    "conntrack -L -t 5",
    "conntrack -L -i 5",
    "conntrack -L -e NEW",
    "conntrack -D -z",
    "conntrack -D -j",
    "conntrack -F -p tcp",
    "conntrack -C -f ipv4",
    "conntrack -U -w 5",
    "conntrack -G -s 1.2.3.4",
    "conntrack -G -p tcp -s 1.2.3.4",
    "conntrack -G -p tcp -r 1.2.3.4",
    "conntrack -G -p tcp -s 1.2.3.4 -d 1.2.3.5",
    "conntrack -G -p udp -s 1.2.3.4 -d 1.2.3.5 --sport 1",
    "conntrack -G -p icmp -s 1.2.3.4 -d 1.2.3.5 --icmp-type 8",
    "conntrack -G -p gre -s 1.2.3.4 -d 1.2.3.5",
    "conntrack -G -p tcp -s 1.2.3.4 -d 1.2.3.5 --sport 1 --dport 2 -w 5",
    "conntrack -s 1.2.3.4",
    "conntrack -C dying",
    "conntrack -F unconfirmed",
    "conntrack -U dying -m 1",
];

/// Commands that do, each followed by a look.
const CHANGES: &[&str] = &[
    "conntrack -U -r 192.168.1.2 -m 0xff",
    "conntrack -U -r 192.168.1.2 -m 0x0f/0xf0",
    "conntrack -U -r 192.168.1.3 -m 1",
    "conntrack -U -r 192.168.1.2 -m 1 -o xml,id,timestamp",
    "conntrack -U -r 192.168.1.2 -m 2 -o save",
    "conntrack -U -r 192.168.1.2 -m 0x0f -o ktimestamp,timestamp",
    "conntrack -U -r 192.168.1.2 -t 3000 | grep -c \" 3000 ESTABLISHED \"",
    "conntrack -U -r 192.168.1.2 -t 99999999 | grep -c \" 8589934 ESTABLISHED \"",
    "conntrack -U -r 192.168.1.2 -u ASSURED,UNSET",
    "conntrack -U -r 192.168.1.2 -u OFFLOAD",
    "conntrack -U -r 192.168.1.2 -u EXPECTED -m 9",
    "conntrack -U -r 192.168.1.2 -u FIXED_TIMEOUT -t 4000 -o save",
    "conntrack -L -u FIXED_TIMEOUT | grep -Ec \" (4000|399[0-9]) ESTABLISHED \"",
    "conntrack -U -r 192.168.1.2 -t 5 -m 9",
    "conntrack -U -r 192.168.1.2 -u EXPECTED -t 5 -o xml",
    "conntrack -U -r 192.168.1.2 -u ASSURED,FIXED_TIMEOUT",
    "conntrack -U -s 192.168.1.100 -p udp --dport 53 -u SEEN_REPLY",
    "conntrack -U -s 192.168.1.100 -p udp --dport 53 -u ASSURED -t 77 -m 7 -o save",
    "conntrack -U -s 192.168.1.100 -p udp --dport 53 -u UNSET -m 0",
    "conntrack -L -z",
    "conntrack -L -z -f ipv4 -o id",
    "conntrack -L -p icmp -z",
    "conntrack -L -z -u ASSURED",
    "conntrack -L -z -m 0",
    "conntrack -D -p udp --dport 53",
    "conntrack -D -p udp --dport 53",
    "conntrack -D -p udp --dport 7 -o xml,ktimestamp",
    "conntrack -D -w 5 -o save",
    "conntrack -D -p icmp -o ktimestamp,timestamp,id",
    "conntrack -D -g",
    "conntrack -D -f ipv4 -p tcp --state TIME_WAIT",
    "conntrack -U -s 192.168.1.100 -p tcp --dport 80 -t 0 -m 5",
    "conntrack -F",
];

/// The same with connections of IPv6.
const LOOKS_IPV6: &[&str] = &[
    "conntrack -L -f ipv6",
    "conntrack -L",
    "conntrack -L -f ipv4",
    "conntrack -L -f ipv6 -o extended,id",
    "conntrack -L -f ipv6 -o xml",
    "conntrack -L -f ipv6 -o save",
    "conntrack -L -f ipv6 -p tcp",
    "conntrack -L -f ipv6 -p udp --dport 53",
    "conntrack -L -f ipv6 -p icmpv6",
    "conntrack -L -f ipv6 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 4711",
    "conntrack -L -s 2001:db8:1::100",
    "conntrack -L -s 2001:db8:1::/64",
    "conntrack -L -d 2001:db8:f::1",
    "conntrack -L -r 2001:db8:1::2",
    "conntrack -L -f ipv6 -n",
    "conntrack -L -f ipv6 -g",
    "conntrack -L -f ipv6 -m 16",
    "conntrack -L -f ipv6 -u ASSURED",
    "conntrack -G -f ipv6 -p udp -s 2001:db8:1::100 -d 2001:db8:f::10 --sport 5000 --dport 53",
    "conntrack -G -f ipv6 -p udp -s 2001:db8:1::100 -d 2001:db8:f::10 --sport 5000 --dport 54",
    "conntrack -C",
];

/// As [`CHANGES`].
const CHANGES_IPV6: &[&str] = &[
    "conntrack -U -r 2001:db8:1::2 -m 0xff",
    "conntrack -D -f ipv6 -p udp --dport 53",
    "conntrack -D -f ipv6 -p udp --dport 53",
    "conntrack -D -f ipv6 -g",
    "conntrack -F",
];

const IPV4: Talk =
    Talk { ipv6: false, rules: RULES, conntrack: &[], traffic, looks: LOOKS, changes: CHANGES, look: "conntrack -L", listed: 9 };

#[test]
#[ignore = "needs namespaces: make test-net"]
fn every_command_says_what_the_real_one_says() -> Result<()> {
    compare(&IPV4)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn connections_of_ipv6_are_shown_and_ended_as_the_real_one_does() -> Result<()> {
    let (looks, changes, look) = (LOOKS_IPV6, CHANGES_IPV6, "conntrack -L -f ipv6");
    compare(&Talk { ipv6: true, rules: RULES_IPV6, conntrack: &[], traffic: traffic_ipv6, looks, changes, look, listed: 4 })
}

/// Helpers for what is announced, and addresses to rewrite in it.
const RULES_HELPERS: &str = "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -p udp --dport 69 -j CT --helper tftp\n\
    -A PREROUTING -p udp --dport 5060 -j CT --helper sip\nCOMMIT\n*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n";

/// Announces connections in every way; those that announce live as long as what is returned.
fn announcements(lab: &Lab) -> Result<Vec<TcpStream>> {
    let register = format!(
        "REGISTER sip:{OUTSIDE} SIP/2.0\r\nVia: SIP/2.0/UDP {INSIDE}:5060;branch=z9hG4bK1\r\nFrom: <sip:a@{OUTSIDE}>;tag=1\r\n\
         To: <sip:a@{OUTSIDE}>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@{INSIDE}:5060>\r\nExpires: 180\r\n\
         Content-Length: 0\r\n\r\n"
    );
    for (port, words) in [(69, "\0\u{1}file\0octet\0"), (5060, register.as_str())] {
        let socket = lab.inside.within(move || UdpSocket::bind((INSIDE, if port == 69 { 6069 } else { 5060 })))??;
        socket.send_to(words.as_bytes(), (OUTSIDE, port))?;
    }
    let (mut active, active_end) = connected(lab, (true, "192.168.1.100:6021"), (false, "203.0.113.10:21"), "203.0.113.10:21")?;
    // A helper of FTP reads what begins a line, as far as it saw the line before end.
    active.write_all(b"USER ftp\r\n")?;
    active.write_all(b"PORT 192,168,1,100,20,162\r\n")?;
    let (passive, mut passive_end) = connected(lab, (true, "192.168.1.100:6022"), (false, "203.0.113.10:21"), "203.0.113.10:21")?;
    passive_end.write_all(b"220 ready\r\n")?;
    passive_end.write_all(b"227 Entering Passive Mode (203,0,113,10,20,163)\r\n")?;
    wait_until("they are announced", Duration::from_secs(5), || Ok(lab.ok("conntrack -C expect")?.trim() == "4"))?;
    Ok(vec![active, active_end, passive, passive_end])
}

const LOOKS_EXPECT: &[&str] = &[
    "conntrack -L expect",
    "conntrack -L expect -o extended,id",
    "conntrack -L expect -o xml",
    "conntrack -L expect -o xml,timestamp,id",
    "conntrack -L expect -o xml -f ipv6",
    "conntrack -L expect -o timestamp,userspace",
    "conntrack -L expect -o save",
    "conntrack -L expect -o save,xml",
    "conntrack -L expect -f ipv4",
    "conntrack -L expect -f ipv6",
    "conntrack -C expect",
    "conntrack --dump exp",
    "conntrack -L expect -p tcp",
    "conntrack -U expect -m 1",
    "conntrack -F expect -f ipv6",
    "conntrack -C expect -f ipv6",
    "conntrack -G expect -p tcp -s 203.0.113.10 -d 203.0.113.1 --sport 0 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G expect -p tcp -s 203.0.113.10 -d 203.0.113.1 --sport 77 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G exp -p udp -s 203.0.113.10 -d 203.0.113.1 -r 1.2.3.4 --sport 9 --dport 6069 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G expect -p tcp -s 203.0.113.11 -d 203.0.113.1 --sport 0 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G expect -p udp -s 203.0.113.10 -d 203.0.113.1 --sport 0 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G expect -p tcp -s ::1 -d ::2 --sport 0 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G expect -p 99 -s 203.0.113.10 -d 203.0.113.1",
    "conntrack -G expect -p icmp -s 203.0.113.10 -d 203.0.113.1",
    "conntrack -G expect -p icmpv6 -s ::1 -d ::2",
    "conntrack -G expect -p icmp -s 203.0.113.10 -d 203.0.113.1 --icmp-type 8",
    "conntrack -G expect -p tcp -s 203.0.113.0/24 -d 203.0.113.1 --sport 0 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -G expect -p tcp -s 203.0.113.10 -d 203.0.113.1 --sport 0 --dport 5282 --reply-port-src 1",
    "conntrack -G expect -p tcp -s 203.0.113.10 -d 203.0.113.1 --dport 5282",
    "conntrack -G expect -p gre -s 203.0.113.10 -d 203.0.113.1 --srckey 1",
    "conntrack -G expect -p tcp",
    "conntrack -G expect -p tcp -s 203.0.113.10",
    "conntrack -G expect -s 203.0.113.10 -d 203.0.113.1",
    "conntrack -G expect -s 203.0.113.10 -d 203.0.113.1 -p 99 -o id",
    "conntrack -D expect",
    "conntrack -D expect -p tcp --tuple-src 203.0.113.10",
    "conntrack -D expect -p 99 -s 203.0.113.10 -d 203.0.113.1",
    "conntrack -D expect -p 99 -s 203.0.113.10 -d 203.0.113.1 -f ipv4",
    "conntrack -E expect -f ipv6",
    "conntrack -E expect -p tcp",
    "conntrack -E expect -e NEW",
    "conntrack -S expect -f ipv4",
    "conntrack -C expect -o id",
];

const CHANGES_EXPECT: &[&str] = &[
    "conntrack -D -p udp --dport 5060",
    "conntrack -D expect -p tcp -s 203.0.113.10 -d 203.0.113.1 --sport 8 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -D expect -p tcp -s 203.0.113.10 -d 203.0.113.1 --sport 8 --dport 5282 --reply-port-src 1 --reply-port-dst 2",
    "conntrack -F expect",
    "conntrack -F expect",
];

#[test]
#[ignore = "needs namespaces: make test-net"]
fn what_is_announced_is_shown_counted_and_forgotten_as_by_the_real_one() -> Result<()> {
    compare(&Talk {
        rules: RULES_HELPERS,
        traffic: announcements,
        looks: LOOKS_EXPECT,
        changes: CHANGES_EXPECT,
        look: "conntrack -L expect",
        listed: 4,
        ..IPV4
    })
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn packets_and_bytes_are_shown_where_they_are_asked_for() -> Result<()> {
    compare(&Talk { conntrack: &[("nf_conntrack_acct", "true")], ..IPV4 })
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn how_long_connections_have_been_there_is_shown_where_it_is_kept() -> Result<()> {
    compare(&Talk {
        conntrack: &[("nf_conntrack_timestamp", "true")],
        looks: &[
            "conntrack -L",
            "conntrack -L -o ktimestamp",
            "conntrack -L -o id,ktimestamp,extended -p tcp",
            "conntrack -L -o xml",
            "conntrack -L -o xml,ktimestamp",
            "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 7 -o xml,ktimestamp",
            "conntrack -G -p udp -s 192.168.1.100 -d 203.0.113.10 --sport 5001 --dport 7 -o ktimestamp",
        ],
        changes: &["conntrack -U -r 192.168.1.2 -m 0xff", "conntrack -D -p udp --dport 53"],
        ..IPV4
    })
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn listing_and_flushing_under_load_breaks_no_transfer() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n")?;
    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1")?;
    let _server = lab.outside.spawn("iperf3 -s -1 >/dev/null")?;
    wait_until("iperf3 listens", Duration::from_secs(5), || Ok(lab.outside.attempt("ss -Hltn 'sport = :5201' | grep -q .")?.0))?;
    let inside = lab.inside.clone();
    let load = std::thread::spawn(move || inside.attempt(&format!("iperf3 -c {OUTSIDE} -t 3 -f m")));
    // A flushed connection is picked up by its next packet, whichever way that goes.
    let mut listed = 0;
    for round in 0..20 {
        std::thread::sleep(Duration::from_millis(100));
        listed += lab.ok("conntrack -L -p tcp")?.lines().filter(|line| line.contains("port=5201")).count();
        if round % 4 == 3 {
            lab.ok("conntrack -F")?;
        }
    }
    let (ok, said) = load.join().expect("the load thread does not panic")?;
    ensure!(ok && said.contains("receiver"), "{said}");
    ensure!(listed >= 10, "the transfer's connections were listed {listed} times");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn a_dataplane_that_died_is_told_and_a_new_one_is_asked() -> Result<()> {
    if kernel::lacks("a dataplane that dies alone") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(RULES)?;
    let _connections = traffic(&lab)?;
    lab.stop_dataplane(false)?;
    for command in ["conntrack -L", "conntrack -C", "conntrack -F"] {
        let (ok, said) = lab.cli(command)?;
        ensure!(!ok && said.contains("Operation failed"), "{command}: {said}");
    }
    lab.start_dataplane()?;
    lab.wait_ready()?;
    let said = lab.ok("conntrack -L")?;
    ensure!(said.contains(" 0 flow entries have been shown"), "a new dataplane begins with an empty table: {said}");
    Ok(())
}

/// What `conntrack -E` shows of the traffic with times kept, in an order that hangs on nothing, without numbers of connections and without who did what.
fn watched(system: System, rules: &str, options: &str) -> Result<Vec<String>> {
    let conntrack = &[("nf_conntrack_acct", "true"), ("nf_conntrack_timestamp", "true")];
    let mut lab = Lab::new(Shape { system, conntrack, ..Shape::default() })?;
    lab.start()?;
    let told = heard(&lab, options, "flow", || {
        // After somebody listens: the kernel takes note of `--ctevents` only then, unless `nf_conntrack_events` is 1.
        lab.restore(rules)?;
        let _connections = traffic(&lab)?;
        for command in [
            "conntrack -U -r 192.168.1.2 -m 0xff",
            "conntrack -U -r 192.168.1.2 -t 300 -u FIXED_TIMEOUT",
            "conntrack -U -r 192.168.1.2 -t 200",
            "conntrack -D -p udp --dport 53",
            "conntrack -F",
        ] {
            lab.ok(command)?;
        }
        Ok(())
    })?;
    let without = |line: &str| {
        line.split(" [USERSPACE]").next().unwrap_or_default().to_owned()
            + if line.contains("[USERSPACE]") { " by hand" } else { "" }
    };
    // Whether an end acknowledges a FIN before it sends its own is its affair.
    let same = |line: &&String| !line.contains("CLOSE_WAIT");
    let mut lines: Vec<String> = told.iter().filter(same).map(|line| masked(&without(line))).collect();
    lines.sort();
    Ok(lines)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn events_are_the_real_ones() -> Result<()> {
    if kernel::lacks("a comparison with itself") {
        return Ok(());
    }
    let muted = RULES.replacen(
        "*raw\n",
        "*raw\n-A PREROUTING -p udp --dport 53 -j CT --ctevents new,destroy\n-A PREROUTING -p udp --dport 7 -j CT --ctevents reply\n\
         -A PREROUTING -p tcp --dport 80 -j CT --ctevents assured,mark\n-A PREROUTING -p tcp --dport 8080 -j CT --ctevents protoinfo\n\
         -A PREROUTING -p tcp --dport 81 -j CT --ctevents destroy,natseqinfo\n-A PREROUTING -p icmp -j CT --expevents new\n\
         -A PREROUTING -p udp --dport 7777 -j CT --zone 5 --ctevents secmark\n",
        1,
    );
    labels::name("0 zero\n3 three\n127 last of all\n")?;
    let labelled = RULES.replacen(
        "*filter\n",
        "*filter\n-A FORWARD -p udp --dport 7 -m connlabel --label zero --set\n-A FORWARD -i eth0 -p udp --sport 7 -m connlabel --label three --set\n\
         -A FORWARD -p tcp --dport 80 --tcp-flags SYN,ACK ACK -m connlabel --label 127 --set\n",
        1,
    );
    for (rules, options, least) in [
        (RULES, "", 20),
        (RULES, "-e NEW,DESTROY -p tcp -o ktimestamp", 6),
        (RULES, "-e UPDATES -j -o extended", 6),
        (RULES, "-o xml", 20),
        (RULES, "-o xml,timestamp,ktimestamp -p udp", 6),
        (RULES, "-o save -b 100000", 20),
        (&muted, "", 12),
        (&labelled, "-o labels", 20),
        (&labelled, "-l zero", 2),
    ] {
        let both = || Ok::<_, Error>((watched(System::Kernel, rules, options)?, watched(System::Rampart, rules, options)?));
        let (mut linux, mut rampart) = both()?;
        if linux != rampart {
            // The ends may answer a FIN with one packet or with two, as their time allows.
            (linux, rampart) = both()?;
        }
        ensure!(linux.len() >= least, "the kernel tells: {linux:#?}");
        ensure!(
            linux == rampart,
            "{options}\n  kernel:  {}\n  rampart: {}",
            linux.join("\n           "),
            rampart.join("\n           ")
        );
    }
    Ok(())
}

/// Sums of `conntrack -S` after two connections that found no port in their pool.
fn counted(system: System) -> Result<String> {
    let mut lab = Lab::new(Shape { system, ..Shape::default() })?;
    lab.start()?;
    lab.restore(
        "*nat\n-A POSTROUTING -o eth0 -p udp --dport 99 -j SNAT --to-source 203.0.113.1:4000\n\
         -A POSTROUTING -o eth0 -p udp --dport 98 -j SNAT --to-source 203.0.113.1:4000-4001\nCOMMIT\n",
    )?;
    lab.inside.run(&format!("ping -c 1 -W 2 {OUTSIDE}"))?;
    let send = |port: u16, to: u16| -> Result<()> {
        let socket = lab.inside.within(move || UdpSocket::bind((INSIDE, port)))??;
        socket.send_to(b"hello", (OUTSIDE, to))?;
        Ok(())
    };
    [(5000, 99), (5001, 99), (5000, 98), (5001, 98), (5002, 98), (5003, 97)]
        .into_iter()
        .try_for_each(|(from, to)| send(from, to))?;
    let sums = || sums(&lab, "conntrack -S", &["invalid", "insert_failed", "drop", "early_drop", "error"]);
    wait_until("both who found no port are counted", Duration::from_secs(5), || Ok(sums()?.contains("insert_failed=2 ")))?;
    sums()
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn statistics_count_what_the_real_ones_count() -> Result<()> {
    if kernel::lacks("a comparison with itself") {
        return Ok(());
    }
    let (linux, rampart) = (counted(System::Kernel)?, counted(System::Rampart)?);
    ensure!(linux == rampart && linux.contains(" drop=2 "), "kernel: {linux}, rampart: {rampart}");
    Ok(())
}

/// What `conntrack -E expect` shows of what is announced, fulfilled and ended by hand, and what `conntrack -S expect` counts of it.
fn expected(system: System, rules: &str, options: &str) -> Result<(Vec<String>, String)> {
    let mut lab = Lab::new(Shape { system, ..Shape::default() })?;
    lab.start()?;
    let told = heard(&lab, &format!("expect {options}"), "expectation", || {
        lab.restore(rules)?;
        let _announced = announcements(&lab)?;
        let _data = connected(&lab, (true, "192.168.1.100:6023"), (false, "203.0.113.10:5283"), "203.0.113.10:5283")?;
        lab.ok("conntrack -D -p udp --dport 5060")?;
        let tuple = "-p udp -s 203.0.113.10 -d 203.0.113.1 --sport 1 --dport 6069 --reply-port-src 1 --reply-port-dst 2";
        let (_, said) = lab.cli(&format!("conntrack -D expect {tuple}"))?;
        ensure!(said.contains("0 expectations have been shown"), "{said}");
        lab.ok("conntrack -F expect").map(drop)
    })?;
    let whole = |line: &String| masked_fields(line).replacen(" 299 ", " 300 ", 1).replacen(" 179 ", " 180 ", 1);
    let mut lines: Vec<String> = told.iter().map(whole).collect();
    lines.sort();
    Ok((lines, sums(&lab, "conntrack -S expect", &["expect_new", "expect_create", "expect_delete"])?))
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn events_and_statistics_of_what_is_announced_are_the_real_ones() -> Result<()> {
    if kernel::lacks("a comparison with itself") {
        return Ok(());
    }
    let with = |options: &str| RULES_HELPERS.replace("--helper ftp", &format!("--helper ftp {options}"));
    for (rules, options, lines) in [
        (RULES_HELPERS, "", 8),
        (&with("--expevents new"), "-o timestamp,id", 6),
        (&with("--ctevents new,destroy"), "-o extended", 4),
        (RULES_HELPERS, "-o xml,timestamp", 8),
        (&with("--ctevents destroy --expevents new"), "", 6),
    ] {
        let ((linux, counts), (rampart, counted)) =
            (expected(System::Kernel, rules, options)?, expected(System::Rampart, rules, options)?);
        ensure!(linux.len() == lines, "the kernel tells: {linux:#?}");
        ensure!(linux == rampart, "kernel:  {}\nrampart: {}", linux.join("\n         "), rampart.join("\n         "));
        ensure!(
            counts == counted && counts == "expect_new=1 expect_create=4 expect_delete=4",
            "kernel: {counts}, rampart: {counted}"
        );
    }
    Ok(())
}
