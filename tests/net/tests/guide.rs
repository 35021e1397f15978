//! The rules that people learn iptables from, each typed as it stands, printed as iptables prints it, and seen at work on packets.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use net::capture::Capture;
use net::http::{self, Site};
use net::kernel;
use net::lab::{BOX_OUTSIDE, INSIDE, Lab, OUTSIDE, Shape};
use net::process::{Process, wait_until};
use net::ssh::Sshd;
use rustix::net::ipproto;

const SERVERS: [Site; 6] = [
    Site { listen: "192.168.1.2:80", name: "two" },
    Site { listen: "192.168.1.3:80", name: "three" },
    Site { listen: "192.168.1.4:80", name: "four" },
    Site { listen: "192.168.1.2:8080", name: "two-8080" },
    Site { listen: "192.168.1.2:30080", name: "node" },
    Site { listen: "192.168.1.3:22", name: "ssh-stand-in" },
];

/// How curl begins when the connection was refused; a timeout is number 28.
const REFUSED: &str = "curl: (7)";

/// A lab with web servers everywhere and the outside knowing the way in.
fn lab() -> Result<(Lab, Vec<Process>)> {
    let mut lab = Lab::new(Shape::default())?;
    let web = vec![
        http::serve(&lab.inside, lab.dir.path(), &SERVERS)?,
        http::serve(&lab.outside, lab.dir.path(), &[Site { listen: "203.0.113.10:80", name: "outer" }])?,
    ];
    lab.start()?;
    lab.outside.run("ip route replace 192.168.1.0/24 via 203.0.113.1")?;
    Ok((lab, web))
}

/// Types a rule as users paste it (`sudo iptables ...`) and checks how `iptables -S` prints it.
fn typed(lab: &Lab, table: &str, rule: &str, prints: &str) -> Result<()> {
    lab.ok(&format!("iptables -t {table} {rule}"))?;
    let saved = lab.ok(&format!("iptables -t {table} -S"))?;
    let wanted = if prints == "=" { rule } else { prints };
    ensure!(saved.lines().any(|l| l == wanted), "{rule} prints as {wanted}, not among:\n{saved}");
    Ok(())
}

fn get(lab: &Lab, from_outside: bool, url: &str) -> Result<(bool, String)> {
    let host = if from_outside { &lab.outside } else { &lab.inside };
    let (ok, said) = host.attempt(&format!("curl -sS -m 2 http://{url}/"))?;
    Ok((ok, said.trim().to_owned()))
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn input_rules_decide_who_reaches_the_box() -> Result<()> {
    let (lab, _web) = lab()?;
    let _box_web = http::serve(&lab.rampart, lab.dir.path(), &[Site { listen: "0.0.0.0:80", name: "box" }])?;
    let sshd = Sshd::start(&lab.rampart, lab.dir.path())?;

    typed(&lab, "filter", "-A INPUT -s 192.168.1.100 -j ACCEPT", "-A INPUT -s 192.168.1.100/32 -j ACCEPT")?;
    lab.inside.run("ip route replace 192.168.1.1 dev net0 src 192.168.1.100")?;
    lab.inside.run("ping -c 2 -i 0.2 -W 2 192.168.1.1")?;
    ensure!(lab.counters("-A INPUT -s 192.168.1.100/32 -j ACCEPT")? == (2, 168), "two pings of 84 bytes count");
    lab.ok("iptables -F INPUT")?;
    typed(&lab, "filter", "-A INPUT -s 192.168.1.100 -j DROP", "-A INPUT -s 192.168.1.100/32 -j DROP")?;
    ensure!(!lab.inside.attempt("ping -c 1 -W 1 192.168.1.1")?.0, "dropped in silence");
    ensure!(lab.counters("-A INPUT -s 192.168.1.100/32 -j DROP")? == (1, 84), "the drop counts");
    lab.ok("iptables -F INPUT")?;

    lab.ok("iptables -P INPUT DROP")?;
    typed(&lab, "filter", "-A INPUT -p tcp --dport 80 -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT")?;
    ensure!(get(&lab, true, BOX_OUTSIDE)?.1 == "box saw 203.0.113.10", "the box's own web server");
    ensure!(!sshd.login(&lab.outside, BOX_OUTSIDE, "true")?.0, "ssh is not let in yet");
    typed(&lab, "filter", "-A INPUT -p tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT")?;
    let (ok, said) = sshd.login(&lab.outside, BOX_OUTSIDE, "echo in")?;
    ensure!(ok && said.trim() == "in", "ssh to the box: {said}");
    ensure!(!lab.outside.attempt("ping -c 1 -W 1 203.0.113.1")?.0, "ping is not let in yet");
    typed(&lab, "filter", "-A INPUT -p icmp -j ACCEPT", "=")?;
    lab.outside.run("ping -c 1 -W 2 203.0.113.1")?;
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn replies_are_let_in_and_strays_are_not() -> Result<()> {
    let (lab, _web) = lab()?;
    lab.ok("iptables -P INPUT DROP")?;
    ensure!(!lab.rampart.attempt("curl -s -m 1 http://203.0.113.10/")?.0, "without the rule no reply comes in");
    typed(
        &lab,
        "filter",
        "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    )?;
    lab.rampart.run("curl -s -m 3 http://203.0.113.10/")?;
    lab.rampart.run("ping -c 1 -W 2 203.0.113.10")?;
    // An ICMP error about what the box began is RELATED: its program learns of it at once.
    let asked = lab.rampart.within(|| {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        socket.connect((OUTSIDE, 9999))?;
        socket.send(b"is anybody there?")?;
        socket.recv(&mut [0; 64])
    })?;
    let Err(refused) = asked else { bail!("somebody answered") };
    ensure!(refused.kind() == ErrorKind::ConnectionRefused, "a closed UDP port is known at once: {refused}");
    // An answer that nobody asked for: a SYN to a closed door is dropped in silence.
    let (ok, said) = get(&lab, true, BOX_OUTSIDE)?;
    ensure!(!ok && said.contains("timed out"), "{said}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn reject_answers_with_icmp_and_the_sender_knows_at_once() -> Result<()> {
    let (lab, _web) = lab()?;
    typed(
        &lab,
        "filter",
        "-A INPUT -p tcp --dport 80 -j REJECT",
        "-A INPUT -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable",
    )?;
    let capture = Capture::start(&lab.outside, ipproto::ICMP)?;
    let started = Instant::now();
    let (ok, said) = get(&lab, true, BOX_OUTSIDE)?;
    ensure!(!ok && said.starts_with(REFUSED) && started.elapsed() < Duration::from_secs(1), "at once: {said}");
    let error = capture.next(|_| true)?;
    ensure!(
        error[12..20] == [203, 0, 113, 1, 203, 0, 113, 10] && error[20..22] == [3, 3],
        "port unreachable, from the box: {error:?}"
    );
    ensure!(
        error[28..][12..20] == [203, 0, 113, 10, 203, 0, 113, 1] && error[48..][2..4] == [0, 80],
        "and what it is about: {error:?}"
    );
    ensure!(lab.counters("--reject-with icmp-port-unreachable")?.0 >= 1, "REJECT counts");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn log_prints_the_kernels_line_and_the_packet_goes_on() -> Result<()> {
    let (lab, _web) = lab()?;
    let sshd = Sshd::start(&lab.rampart, lab.dir.path())?;
    typed(
        &lab,
        "filter",
        "-A INPUT -p tcp --dport 22 -j LOG --log-prefix \"SSH Attempt: \"",
        "-A INPUT -p tcp -m tcp --dport 22 -j LOG --log-prefix \"SSH Attempt: \"",
    )?;
    ensure!(sshd.login(&lab.outside, BOX_OUTSIDE, "true")?.0, "the packets go on");
    let logged = lab.counters("--log-prefix")?.0;
    if kernel::lacks("log lines of a network namespace") {
        return Ok(());
    }
    let mut lines = Vec::new();
    wait_until("one line for each packet", Duration::from_secs(3), || {
        let text = std::fs::read_to_string(lab.log_file()).unwrap_or_default();
        lines = text.lines().map(str::to_owned).collect();
        Ok(lines.len() as u64 >= logged)
    })?;
    let first = &lines[0];
    // ssh asks for low delay: TOS 0x10.
    for part in [
        "SSH Attempt: IN=eth0 OUT= MAC=",
        " SRC=203.0.113.10 DST=203.0.113.1 LEN=60 TOS=0x10 PREC=0x00 TTL=64 ID=",
        " DF PROTO=TCP SPT=",
        " DPT=22 WINDOW=",
        " RES=0x00 SYN URGP=0",
    ] {
        ensure!(first.contains(part), "{part:?} in {first}");
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn output_and_forward_rules_count_what_they_see() -> Result<()> {
    let (lab, _web) = lab()?;
    typed(&lab, "filter", "-A OUTPUT -p tcp --dport 80 -j ACCEPT", "-A OUTPUT -p tcp -m tcp --dport 80 -j ACCEPT")?;
    lab.rampart.run("curl -s -m 3 http://203.0.113.10/")?;
    ensure!(lab.counters("-A OUTPUT -p tcp -m tcp --dport 80")?.0 >= 4, "the box's own packets");
    lab.outside.run("ip addr add 10.0.0.9/32 dev lo")?;
    lab.rampart.run("ip route add 10.0.0.0/24 via 203.0.113.10")?;
    wait_until("the route is known", Duration::from_secs(5), || Ok(lab.inside.attempt("ping -c 1 -W 1 10.0.0.9")?.0))?;
    typed(&lab, "filter", "-A FORWARD -s 192.168.1.0/24 -d 10.0.0.0/24 -j ACCEPT", "=")?;
    lab.ok("iptables -Z FORWARD")?;
    lab.inside.run("ping -c 3 -i 0.2 -W 2 10.0.0.9")?;
    ensure!(lab.counters("-s 192.168.1.0/24 -d 10.0.0.0/24")? == (3, 252), "one direction, three packets");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn dnat_forwards_ports_both_ways() -> Result<()> {
    let (lab, _web) = lab()?;
    typed(
        &lab,
        "nat",
        "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.2:8080",
    )?;
    ensure!(get(&lab, true, BOX_OUTSIDE)?.1 == "two-8080 saw 203.0.113.10", "the port is forwarded");
    ensure!(lab.counters("--to-destination 192.168.1.2:8080")? == (1, 60), "nat sees the first packet alone");
    typed(
        &lab,
        "nat",
        "-A PREROUTING -p tcp --dport 22 -j DNAT --to-destination 192.168.1.3:22",
        "-A PREROUTING -p tcp -m tcp --dport 22 -j DNAT --to-destination 192.168.1.3:22",
    )?;
    ensure!(get(&lab, true, "203.0.113.1:22")?.1 == "ssh-stand-in saw 203.0.113.10", "and another one");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn snat_and_masquerade_share_one_address() -> Result<()> {
    let (lab, _web) = lab()?;
    lab.outside.run("ip route del 192.168.1.0/24")?;
    typed(&lab, "nat", "-A POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.1", "=")?;
    ensure!(get(&lab, false, OUTSIDE)?.1 == "outer saw 203.0.113.1", "SNAT");
    // Two clients with one source port to one server: the second is moved.
    for client in ["192.168.1.2", "192.168.1.3", "192.168.1.4"] {
        let (ok, said) = lab.inside.attempt(&format!("curl -sS -m 2 --interface {client} --local-port 41000 http://{OUTSIDE}/"))?;
        ensure!(ok && said.trim() == "outer saw 203.0.113.1", "{client}: {said}");
    }
    lab.ok("iptables -t nat -F POSTROUTING")?;
    typed(&lab, "nat", "-A POSTROUTING -o eth0 -j MASQUERADE", "=")?;
    ensure!(get(&lab, false, OUTSIDE)?.1 == "outer saw 203.0.113.1", "MASQUERADE");
    lab.inside.run(&format!("ping -c 2 -i 0.2 -W 2 {OUTSIDE}"))?;
    lab.rampart.run(
        "ip addr add 203.0.113.2/24 dev eth0 && ip addr del 203.0.113.1/24 dev eth0 && ip addr add 203.0.113.2/24 dev eth0 || true",
    )?;
    wait_until("MASQUERADE follows the new address", Duration::from_secs(5), || {
        Ok(get(&lab, false, OUTSIDE)?.1 == "outer saw 203.0.113.2")
    })?;
    for server in ["2", "3", "4"] {
        typed(
            &lab,
            "nat",
            &format!("-A POSTROUTING -p tcp --sport 80 -d 192.168.1.{server} -j SNAT --to-source 203.0.113.1"),
            &format!("-A POSTROUTING -d 192.168.1.{server}/32 -p tcp -m tcp --sport 80 -j SNAT --to-source 203.0.113.1"),
        )?;
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn mangle_sets_tos_and_ttl() -> Result<()> {
    let (lab, _web) = lab()?;
    typed(
        &lab,
        "mangle",
        "-A PREROUTING -p tcp --dport 80 -j TOS --set-tos 0x10",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j TOS --set-tos 0x10/0xff",
    )?;
    typed(&lab, "mangle", "-A POSTROUTING -d 192.168.1.2/32 -j TTL --ttl-set 42", "=")?;
    let capture = Capture::start(&lab.inside, ipproto::TCP)?;
    ensure!(get(&lab, true, "192.168.1.2")?.0, "the connection works with what was changed: checksums are right");
    let packet = capture.next(|packet| packet[16..20] == [192, 168, 1, 2])?;
    ensure!(packet[1] == 0x10 && packet[8] == 42, "TOS and TTL: {packet:?}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn nth_marks_spread_connections_over_three_servers() -> Result<()> {
    let (lab, _web) = lab()?;
    for (packet, mark, server) in [(0, 1, 2), (1, 2, 3), (2, 3, 4)] {
        typed(
            &lab,
            "mangle",
            &format!(
                "-A PREROUTING -p tcp --dport 80 -m statistic --mode nth --every 3 --packet {packet} -j MARK --set-mark {mark}"
            ),
            &format!(
                "-A PREROUTING -p tcp -m tcp --dport 80 -m statistic --mode nth --every 3 --packet {packet} -j MARK --set-xmark 0x{mark:x}/0xffffffff"
            ),
        )?;
        typed(
            &lab,
            "nat",
            &format!("-A PREROUTING -p tcp --dport 80 -m mark --mark {mark} -j DNAT --to-destination 192.168.1.{server}:80"),
            &format!(
                "-A PREROUTING -p tcp -m tcp --dport 80 -m mark --mark 0x{mark:x} -j DNAT --to-destination 192.168.1.{server}:80"
            ),
        )?;
    }
    let mut seen = BTreeMap::new();
    for _ in 0..12 {
        let (ok, said) = get(&lab, true, BOX_OUTSIDE)?;
        ensure!(ok, "each connection stays with its server: {said}");
        *seen.entry(said).or_insert(0) += 1;
    }
    // Which server a connection meets depends on how many packets came before it; every packet got one of the marks.
    let marked: Vec<u64> = (0..3).map(|p| lab.counters(&format!("--packet {p} -j MARK")).map(|c| c.0)).collect::<Result<_>>()?;
    ensure!(marked[0] - marked[2] <= 1 && marked[0] >= marked[1] && marked[1] >= marked[2], "packets in turn: {marked:?}");
    ensure!(seen.values().sum::<i32>() == 12 && seen.keys().all(|k| k.ends_with("saw 203.0.113.10")), "{seen:?}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn notrack_leaves_no_entry_and_no_translation() -> Result<()> {
    let (lab, _web) = lab()?;
    typed(&lab, "raw", "-A PREROUTING -p tcp --dport 80 -j NOTRACK", "-A PREROUTING -p tcp -m tcp --dport 80 -j NOTRACK")?;
    lab.ok("iptables -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.1.3:80")?;
    lab.ok("iptables -A FORWARD -m conntrack --ctstate UNTRACKED")?;
    ensure!(get(&lab, true, "192.168.1.2")?.1 == "two saw 203.0.113.10", "not translated");
    ensure!(lab.counters("--ctstate UNTRACKED")?.0 >= 3, "seen as UNTRACKED");
    ensure!(lab.counters("--to-destination 192.168.1.3:80")? == (0, 0), "nat is not asked");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn labels_of_the_security_table_are_set_kept_and_matched() -> Result<()> {
    if kernel::lacks("labels without a loaded policy") {
        return Ok(());
    }
    let (lab, _web) = lab()?;
    let context = "user_u:object_r:httpd_t:s0";
    lab.ok(&format!("iptables -t mangle -A PREROUTING -s {OUTSIDE} -j SECMARK --selctx {context}"))?;
    typed(&lab, "security", &format!("-A INPUT -m selinux --selctx {context} -j ACCEPT"), "=")?;
    lab.ok("iptables -t security -A INPUT -p icmp -j DROP")?;
    lab.outside.run("ping -c 2 -i 0.2 -W 2 203.0.113.1")?;
    ensure!(lab.counters(&format!("--selctx {context} -j ACCEPT"))?.0 == 2, "labelled packets match");
    ensure!(!lab.inside.attempt("ping -c 1 -W 1 192.168.1.1")?.0, "others do not");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn kube_proxy_chains_balance_and_masquerade() -> Result<()> {
    let (lab, _web) = lab()?;
    lab.restore(
        "*nat\n:KUBE-SERVICES - [0:0]\n:KUBE-NODEPORTS - [0:0]\n:KUBE-SVC-XYZ123 - [0:0]\n:KUBE-SEP-A - [0:0]\n:KUBE-SEP-B - [0:0]\n\
         :KUBE-MARK-MASQ - [0:0]\n:KUBE-POSTROUTING - [0:0]\n\
         -A PREROUTING -j KUBE-SERVICES\n-A POSTROUTING -j KUBE-POSTROUTING\n\
         -A KUBE-SERVICES -d 10.0.0.1/32 -p tcp --dport 80 -j KUBE-SVC-XYZ123\n\
         -A KUBE-SERVICES -d 35.186.238.101/32 -p tcp --dport 80 -j KUBE-MARK-MASQ\n\
         -A KUBE-SERVICES -d 35.186.238.101/32 -p tcp --dport 80 -j DNAT --to-destination 192.168.1.2:30080\n\
         -A KUBE-SERVICES -j KUBE-NODEPORTS\n\
         -A KUBE-NODEPORTS -p tcp --dport 30080 -j DNAT --to-destination 192.168.1.4:80\n\
         -A KUBE-SVC-XYZ123 -m statistic --mode random --probability 0.5 -j KUBE-SEP-A\n-A KUBE-SVC-XYZ123 -j KUBE-SEP-B\n\
         -A KUBE-SEP-A -p tcp -j DNAT --to-destination 192.168.1.2:80\n-A KUBE-SEP-B -p tcp -j DNAT --to-destination 192.168.1.3:80\n\
         -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n\
         -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n\
         -A KUBE-POSTROUTING -j MASQUERADE --random-fully\nCOMMIT\n",
    )?;
    let saved = lab.ok("iptables -t nat -S")?;
    for line in [
        "-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j DNAT --to-destination 192.168.1.4:80",
        "-A KUBE-SERVICES -d 10.0.0.1/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-XYZ123",
        "-A KUBE-SERVICES -d 35.186.238.101/32 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ",
        "-A KUBE-SVC-XYZ123 -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-A",
    ] {
        ensure!(saved.lines().any(|l| l == line), "{line} among:\n{saved}");
    }
    lab.outside.run("ip route add 10.0.0.1 via 203.0.113.1 && ip route add 35.186.238.101 via 203.0.113.1")?;
    let mut seen = BTreeMap::new();
    for _ in 0..30 {
        let (ok, said) = get(&lab, true, "10.0.0.1")?;
        ensure!(ok, "{said}");
        *seen.entry(said).or_insert(0u32) += 1;
    }
    ensure!(seen.len() == 2, "both pods get connections: {seen:?}");
    ensure!(get(&lab, true, "203.0.113.1:30080")?.1 == "four saw 203.0.113.10", "NodePort");
    ensure!(get(&lab, true, "35.186.238.101")?.1 == format!("node saw {}", net::lab::BOX_INSIDE), "LoadBalancer, masqueraded");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn redirect_sends_connections_to_the_box() -> Result<()> {
    let (lab, _web) = lab()?;
    let _proxy = http::serve(&lab.rampart, lab.dir.path(), &[Site { listen: "192.168.1.1:3128", name: "proxy" }])?;
    lab.ok("iptables -t nat -A PREROUTING -i eth1 -p tcp --dport 80 -j REDIRECT --to-ports 3128")?;
    let (ok, said) = lab.inside.attempt(&format!("curl -sS -m 2 --interface {INSIDE} http://{OUTSIDE}/"))?;
    ensure!(ok && said.trim() == "proxy saw 192.168.1.100", "{said}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn limit_and_connmark_do_what_they_say() -> Result<()> {
    let (lab, _web) = lab()?;
    lab.ok("iptables -A INPUT -p icmp -m limit --limit 1/minute --limit-burst 3 -j ACCEPT")?;
    lab.ok("iptables -A INPUT -p icmp -j DROP")?;
    let said = lab.outside.attempt("ping -c 6 -i 0.2 -W 1 203.0.113.1 | grep received")?.1;
    ensure!(said.contains(" 3 received"), "three of six: {said}");
    lab.ok("iptables -t mangle -A PREROUTING -i eth0 -m conntrack --ctstate NEW -j CONNMARK --set-mark 7")?;
    lab.ok("iptables -t mangle -A PREROUTING -j CONNMARK --restore-mark")?;
    lab.ok("iptables -t mangle -A POSTROUTING -o eth0 -m mark --mark 7")?;
    ensure!(get(&lab, true, "192.168.1.2")?.0, "the connection works");
    ensure!(lab.counters("POSTROUTING -o eth0 -m mark --mark 0x7")?.0 >= 3, "the reply carries the connection's mark");
    Ok(())
}
