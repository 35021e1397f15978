//! Two Linux routers in namespaces, each between two wires whose far ends are here: one that has rules, and one that has none.
//!
//! ```text
//!   inside0 ---- eth1 [box0] eth0 ---- outside0        under the rules
//!   inside1 ---- eth1 [box1] eth0 ---- outside1        forwards, and that is all
//! ```
//!
//! The near ends have no address and take nothing in (an nftables ingress drop): what arrives there was forwarded, and costs no more.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use net::namespace::Namespace;
use net::process::run;

/// Which iptables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Iptables {
    Legacy,
    Nft,
}

impl Iptables {
    /// As commands have it in their names.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Nft => "nft",
        }
    }
}

/// The wire's near end towards the clients of the box of that number, and towards its servers.
pub(crate) fn inside(number: usize) -> String {
    format!("inside{number}")
}

pub(crate) fn outside(number: usize) -> String {
    format!("outside{number}")
}

/// Nothing of this machine's own is touched.
///
/// # Errors
/// Where that is not so.
pub(crate) fn entered() -> Result<()> {
    ensure!(
        std::env::var_os("RAMPART_ENTERED").is_some_and(|entered| entered == "yes"),
        "this needs namespaces of its own: run it through tests/net/enter"
    );
    Ok(())
}

/// Makes both boxes.
pub(crate) fn make() -> Result<[Namespace; 2]> {
    let boxes = [router(0)?, router(1)?];
    let near = [0, 1].map(|number| [inside(number), outside(number)]).concat();
    let drops: String = near
        .iter()
        .map(|wire| format!("chain {wire} {{ type filter hook ingress device {wire} priority 0; policy drop; }}\n"))
        .collect();
    feed(Command::new("nft").args(["-f", "-"]), &format!("table netdev silence {{\n{drops}}}\n"))?;
    Ok(boxes)
}

fn router(number: usize) -> Result<Namespace> {
    let name = format!("box{number}");
    let router = Namespace::new(&name)?;
    for (near, far, mac) in [(inside(number), "eth1", "02:00:00:00:00:01"), (outside(number), "eth0", "02:00:00:00:00:01")] {
        let line = format!(
            "ip link add {near} type veth peer name {far} netns {name} && ip -n {name} link set {far} address {mac} up && \
             sysctl -qw net.ipv6.conf.{near}.disable_ipv6=1 && ip link set {near} address 02:00:00:00:00:0a up"
        );
        run(Command::new("sh").args(["-c", &line]))?;
    }
    router.run(
        "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0 && \
         ip addr add 198.51.100.1/24 dev eth0 && ip addr add 192.0.2.1/24 dev eth1 && \
         ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:0a dev eth0 && ip neigh add 192.0.2.10 lladdr 02:00:00:00:00:0a dev eth1 && \
         ip route add 198.18.0.0/15 via 198.51.100.2 && ip route add 100.64.0.0/10 via 192.0.2.10",
    )?;
    Ok(router)
}

/// Puts these rules into a box that has none.
pub(crate) fn load(router: &Namespace, iptables: Iptables, rules: &str) -> Result<()> {
    feed(&mut router.command(format!("iptables-{}-restore", iptables.name())), rules)
}

fn feed(command: &mut Command, text: &str) -> Result<()> {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().with_context(|| format!("running {command:?}"))?;
    child.stdin.take().context("its standard input")?.write_all(text.as_bytes())?;
    let out = child.wait_with_output()?;
    ensure!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

/// Takes both boxes down.
pub(crate) fn unmake() -> Result<()> {
    run(Command::new("sh").args([
        "-c",
        "ip netns del box0; ip netns del box1; nft delete table netdev silence; \
        ip link del inside0; ip link del outside0; ip link del inside1; ip link del outside1; true",
    ]))?;
    Ok(())
}
