//! FTP and TFTP with real programs across the box, which lets pass nothing but what the helpers announce.

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use net::ftp::{self, CONTENT};
use net::lab::{BOX_OUTSIDE, INSIDE, Lab, OUTSIDE, Shape};
use net::namespace::Namespace;
use net::process::wait_until;

/// Connections to the outside, and what belongs to them.
const RULES: &str = "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -p udp --dport 69 -j CT --helper tftp\nCOMMIT\n\
    *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
    -A FORWARD -p tcp --dport 21 -j ACCEPT\n-A FORWARD -p udp --dport 69 -j ACCEPT\nCOMMIT\n";

/// Every way to fetch a file: PORT, EPRT, PASV, EPSV.
const WAYS: [&str; 4] = ["--ftp-port - --disable-eprt", "--ftp-port -", "--disable-epsv", ""];

const BOX_OUTSIDE_IPV6: &str = "2001:db8:f::1";
const OUTSIDE_IPV6: &str = "2001:db8:f::10";
const SERVER_IPV6: &str = "2001:db8:1::2";

fn fetch(client: &Namespace, way: &str, url: &str) -> Result<()> {
    // Before curl gives up one way and tries another, this time is over.
    let said = client.run(&format!("curl -sS -m 4 {way} '{url}/file'"))?;
    ensure!(said == CONTENT, "{way} {url}: {said:?}");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn ftp_in_every_way_from_behind_masquerading() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(&format!("{RULES}*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"))?;
    let _server = ftp::serve(&lab.outside, lab.dir.path(), OUTSIDE)?;
    for way in WAYS {
        fetch(&lab.inside, way, &format!("ftp://{OUTSIDE}"))?;
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn ftp_in_every_way_to_a_server_behind_a_forwarded_port() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(&format!("{RULES}*nat\n-A PREROUTING -i eth0 -p tcp --dport 21 -j DNAT --to-destination 192.168.1.2\nCOMMIT\n"))?;
    let _server = ftp::serve(&lab.inside, lab.dir.path(), "192.168.1.2")?;
    for way in WAYS {
        fetch(&lab.outside, way, &format!("ftp://{BOX_OUTSIDE}"))?;
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn without_the_helper_no_data_connection_passes() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    let rules = RULES.split_once("COMMIT\n").map_or("", |(_, rest)| rest);
    lab.restore(&format!("{rules}*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n"))?;
    let _server = ftp::serve(&lab.outside, lab.dir.path(), OUTSIDE)?;
    let _tftp = ftp::serve_tftp(&lab.outside, lab.dir.path(), OUTSIDE)?;
    for way in ["--ftp-port -", ""] {
        ensure!(!lab.inside.attempt(&format!("curl -s -m 2 {way} ftp://{OUTSIDE}/file"))?.0, "{way}: data passed");
    }
    ensure!(!lab.inside.attempt(&format!("curl -s -m 2 tftp://{OUTSIDE}/file"))?.0, "TFTP passed");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn tftp_from_behind_masquerading_and_to_a_forwarded_port() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(&format!(
        "{RULES}*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\n\
         -A PREROUTING -i eth0 -p udp --dport 69 -j DNAT --to-destination 192.168.1.2\nCOMMIT\n"
    ))?;
    let _outside = ftp::serve_tftp(&lab.outside, lab.dir.path(), OUTSIDE)?;
    let _inside = ftp::serve_tftp(&lab.inside, lab.dir.path(), "192.168.1.2")?;
    fetch(&lab.inside, "", &format!("tftp://{OUTSIDE}"))?;
    fetch(&lab.outside, "", &format!("tftp://{BOX_OUTSIDE}"))?;
    Ok(())
}

/// The same over IPv6, where PORT and PASV cannot say an address: EPRT and EPSV, to a server outside from behind NAT66, and to one inside behind
/// a forwarded port.
fn ftp_and_tftp_over_ipv6(workers: u32) -> Result<()> {
    let mut lab = Lab::new(Shape { ipv6: true, workers, ..Shape::default() })?;
    lab.start()?;
    let _outside = ftp::serve(&lab.outside, lab.dir.path(), OUTSIDE_IPV6)?;
    let _inside = ftp::serve(&lab.inside, lab.dir.path(), SERVER_IPV6)?;
    let _tftp = ftp::serve_tftp(&lab.outside, lab.dir.path(), OUTSIDE_IPV6)?;
    wait_until("neighbours are known", Duration::from_secs(10), || {
        Ok(lab.outside.attempt(&format!("ping -6 -c 1 -W 1 {SERVER_IPV6}"))?.0)
    })?;
    lab.restore_ipv6(&format!(
        "{RULES}*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\n\
         -A PREROUTING -i eth0 -p tcp --dport 21 -j DNAT --to-destination {SERVER_IPV6}\nCOMMIT\n"
    ))?;
    for way in ["--ftp-port -", ""] {
        fetch(&lab.inside, way, &format!("ftp://[{OUTSIDE_IPV6}]"))?;
        fetch(&lab.outside, way, &format!("ftp://[{BOX_OUTSIDE_IPV6}]"))?;
    }
    fetch(&lab.inside, "", &format!("tftp://[{OUTSIDE_IPV6}]"))?;
    // Nothing but the helpers has let the data connections pass.
    lab.restore_ipv6("*raw\nCOMMIT\n")?;
    for way in ["--ftp-port -", ""] {
        ensure!(!lab.inside.attempt(&format!("curl -s -m 2 {way} 'ftp://[{OUTSIDE_IPV6}]/file'"))?.0, "{way}: data passed");
    }
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn ftp_and_tftp_over_ipv6_and_its_nat() -> Result<()> {
    ftp_and_tftp_over_ipv6(1)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn ftp_and_tftp_over_ipv6_and_its_nat_by_two_workers() -> Result<()> {
    ftp_and_tftp_over_ipv6(2)
}

const CALLS: &str = "*raw\n-A PREROUTING -p udp --dport 5060 -j CT --helper sip\nCOMMIT\n\
    *nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n\
    *filter\n:FORWARD DROP [0:0]\n-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n\
    -A FORWARD -i eth1 -p udp --dport 5060 -j ACCEPT\nCOMMIT\n";

/// Telephones by SIP, from behind masquerading: the called one sees the box's address everywhere, and what it sends to the port that it was told
/// arrives at the caller.
#[test]
#[ignore = "needs namespaces: make test-net"]
fn sip_calls_from_behind_masquerading_and_their_media_finds_the_caller() -> Result<()> {
    const MEDIA: u16 = 6000;
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(CALLS)?;
    let dir = lab.dir.path().display();
    let sipp = "sipp -nostdin -timeout 20 -trace_msg -trace_err";
    let called = lab.outside.spawn(&format!(
        "sh -c 'cd {dir} && {sipp} -sn uas -i {OUTSIDE} -p 5060 -m 1 -message_file {dir}/called.log >/dev/null 2>&1'"
    ))?;
    wait_until("the called one listens", Duration::from_secs(10), || {
        Ok(lab.outside.attempt("ss -Hlun 'sport = :5060' | grep -q .")?.0)
    })?;
    // The call lasts for three seconds, in which the media comes.
    let caller = lab.inside.spawn(&format!(
        "sh -c 'cd {dir} && {sipp} -sn uac -i {INSIDE} -p 5060 -mp {MEDIA} -rtp_echo -m 1 -d 3000 {OUTSIDE}:5060 -message_file {dir}/caller.log \
         >/dev/null 2>&1'"
    ))?;
    let log = || Ok::<_, anyhow::Error>(std::fs::read_to_string(lab.dir.path().join("called.log")).unwrap_or_default());
    wait_until("the call stands", Duration::from_secs(10), || Ok(log()?.contains("ACK sip:")))?;
    let said = log()?;
    let port = said.lines().find_map(|line| line.trim().strip_prefix("m=audio ")?.split(' ').next()?.parse::<u16>().ok());
    let port = port.with_context(|| format!("an announced port in {said}"))?;
    ensure!(said.contains(&format!("c=IN IP4 {BOX_OUTSIDE}")), "the media's address: {said}");
    let invite = said.split("ACK sip:").next().unwrap_or_default();
    ensure!(!invite.contains(&format!("Via: SIP/2.0/UDP {INSIDE}")), "the sender's address: {said}");

    // The caller says back what it hears.
    let mouth = lab.outside.within(|| UdpSocket::bind((OUTSIDE, 7000)))??;
    mouth.set_read_timeout(Some(Duration::from_secs(5)))?;
    mouth.send_to(b"hello", (BOX_OUTSIDE, port))?;
    let mut heard = [0; 16];
    let (len, from) = mouth.recv_from(&mut heard).context("the media reaches the caller")?;
    ensure!(&heard[..len] == b"hello" && from.to_string() == format!("{BOX_OUTSIDE}:{port}"), "{from}");
    drop((called, caller));
    Ok(())
}
