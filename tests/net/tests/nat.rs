//! NAT beside what the box itself is: the ports of its programs, the addresses that come and go.

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use net::kernel;
use net::lab::{BOX_INSIDE, BOX_OUTSIDE, Lab, OUTSIDE, Shape};
use net::namespace::Namespace;
use net::path;
use net::process::wait_until;

const MASQUERADE: &str = "*nat\n-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n";
const PATIENCE: Duration = Duration::from_secs(10);

fn socket(host: &Namespace, address: &str) -> Result<UdpSocket> {
    let at = address.to_owned();
    let socket = host.within(move || UdpSocket::bind(at))?.with_context(|| format!("binding {address}"))?;
    socket.set_read_timeout(Some(Duration::from_secs(3)))?;
    Ok(socket)
}

/// The port with which a packet of `client` reaches a server that it has not spoken to yet.
fn port_seen(lab: &Lab, client: &UdpSocket, server: u16) -> Result<u16> {
    let address = format!("{OUTSIDE}:{server}");
    let server = socket(&lab.outside, &address)?;
    client.send_to(b"hello", &address)?;
    let (_, from) = server.recv_from(&mut [0; 16]).context("the packet did not arrive")?;
    ensure!(from.ip().to_string() == BOX_OUTSIDE, "it is masqueraded: {from}");
    Ok(from.port())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn masquerade_keeps_off_the_ports_at_which_programs_of_the_box_listen() -> Result<()> {
    if kernel::lacks("a look at the ports of the box") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(MASQUERADE)?;
    let client = socket(&lab.inside, "192.168.1.2:5060")?;
    ensure!(port_seen(&lab, &client, 9000)? == 5060, "a free port is kept");
    let listener = socket(&lab.rampart, "0.0.0.0:5060")?;
    let mut server = 9000;
    wait_until("the port is left to its program", PATIENCE, || {
        server += 1;
        Ok(port_seen(&lab, &client, server)? != 5060)
    })?;
    drop(listener);
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn traceroute_and_tracepath_see_the_box_and_the_path_mtu_from_behind_masquerading() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(MASQUERADE)?;
    path::is_seen_from_inside(&lab, "-4", BOX_INSIDE, OUTSIDE)
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn masqueraded_flows_end_with_their_address() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(MASQUERADE)?;
    let client = socket(&lab.inside, "192.168.1.2:4000")?;
    let server = socket(&lab.outside, &format!("{OUTSIDE}:9000"))?;
    client.send_to(b"hello", format!("{OUTSIDE}:9000"))?;
    let (_, seen) = server.recv_from(&mut [0; 16])?;
    server.send_to(b"answer", seen)?;
    client.recv_from(&mut [0; 16]).context("the answer comes through")?;
    lab.rampart.run(&format!("ip addr del {BOX_OUTSIDE}/24 dev eth0 && sleep 0.5 && ip addr add {BOX_OUTSIDE}/24 dev eth0"))?;
    wait_until("the box has its address again", PATIENCE, || Ok(lab.outside.attempt(&format!("ping -c 1 -W 1 {BOX_OUTSIDE}"))?.0))?;
    server.send_to(b"late", seen)?;
    ensure!(client.recv_from(&mut [0; 16]).is_err(), "the flow outlived its address");
    Ok(())
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn the_log_names_a_pool_that_ran_out_and_who_uses_it() -> Result<()> {
    if kernel::lacks("a word about exhausted pools") {
        return Ok(());
    }
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore("*nat\n-A POSTROUTING -o eth0 -p udp -j MASQUERADE --to-ports 3000-3001\nCOMMIT\n")?;
    for port in 4000..4005 {
        socket(&lab.inside, &format!("192.168.1.2:{port}"))?.send_to(b"hello", format!("{OUTSIDE}:9000"))?;
    }
    let told = format!("no free port in -p udp -j MASQUERADE with {BOX_OUTSIDE}:3000-3001: ");
    wait_until("the log tells", PATIENCE, || {
        let log = lab.tail("dataplane.log");
        Ok(log.contains(&told) && log.contains("2 in use, most by 192.168.1.2 (at least 2)"))
    })
}

#[test]
#[ignore = "needs namespaces: make test-net"]
fn the_boxs_own_packets_can_be_sent_elsewhere() -> Result<()> {
    let mut lab = Lab::new(Shape::default())?;
    lab.start()?;
    lab.restore(&format!("*nat\n-A OUTPUT -d {OUTSIDE} -p udp --dport 9000 -j DNAT --to-destination 192.168.1.2:9001\nCOMMIT\n"))?;
    let server = socket(&lab.inside, "192.168.1.2:9001")?;
    let own = socket(&lab.rampart, "0.0.0.0:7000")?;
    let asked = format!("{OUTSIDE}:9000");
    own.send_to(b"hello", &asked)?;
    let (_, from) = server.recv_from(&mut [0; 16]).context("the packet goes to the inside")?;
    ensure!(from.to_string() == format!("{BOX_OUTSIDE}:7000"), "the source was chosen before: {from}");
    server.send_to(b"answer", from)?;
    let (_, from) = own.recv_from(&mut [0; 16]).context("the answer comes back")?;
    ensure!(from.to_string() == asked, "from whom the program asked: {from}");
    Ok(())
}
