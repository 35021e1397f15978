//! The kernel: a router in a network namespace of its own, with the real iptables.
//!
//! Its interfaces are TAPs whose other ends we hold: to write a frame is to have it arrive, and the kernel has done everything with it when
//! the write returns, so its answers can be read at once. What reaches the box's own stack is taken by a last hook in INPUT, behind
//! the confirmation of connections, so that no socket and no ICMP reply of the box mixes in.

use std::fs;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddrV4, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use net::namespace::Namespace;
use net::process::wait_until;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto};
use tun_rs::{DeviceBuilder, Layer, SyncDevice};

use crate::System;
use crate::case::{Case, Step};
use crate::frame::{self, ETHERTYPES, Ip, View};
use crate::kmsg::Kmsg;
use crate::observed::{Egress, Entry, Half, Line, Observed};
use crate::policies;
use crate::world::{self, GATEWAY, NARROW, Port, UNREACHABLE, in_family};

/// Knobs of the namespace. Everything here is per namespace.
const SYSCTLS: &[(&str, &str)] = &[
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/icmp_ratelimit", "0"),
    ("net/ipv4/icmp_msgs_per_sec", "1000000"),
    ("net/ipv4/icmp_msgs_burst", "1000000"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/eth0/rp_filter", "0"),
    ("net/ipv4/conf/eth1/rp_filter", "0"),
    ("net/ipv4/conf/all/accept_source_route", "0"),
    ("net/netfilter/nf_conntrack_acct", "1"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv6/icmp/ratelimit", "0"),
];

/// What the interfaces are before they come up: no addresses of their own making, so that there is nothing but what [`addresses`] gives.
pub(crate) const QUIET: &[(&str, &str)] = &[
    ("net/ipv6/conf/default/accept_dad", "0"),
    ("net/ipv6/conf/default/accept_ra", "0"),
    ("net/ipv6/conf/default/router_solicitations", "0"),
    ("net/ipv6/conf/default/addr_gen_mode", "1"),
];

/// Longest that the steps of a timed case may take beyond the time that is to pass. A case that is late is run again.
const LATE: Duration = Duration::from_millis(15);
/// Longest until the kernel uses its addresses.
const ADDRESSES: Duration = Duration::from_secs(5);
/// How often a case is run again.
const ATTEMPTS: usize = 50;

/// What is delivered ends here: after every other hook, because it is registered before any of its priority. What came by `lo` is not
/// counted: docs/deviations.md, `loopback`. The kernel's own talk about neighbours and multicast groups is ended before any rule sees it. Behind what
/// IPv6 sends back by the interface by which it came, redirects may have been sent: those packets are counted.
pub(crate) const KEEP: &str = "table ip keep {
    counter delivered { }
    chain input { type filter hook input priority 2147483647; policy accept; iifname lo drop; counter name delivered drop; }
}
table ip6 keep {
    counter delivered { }
    counter back { }
    chain input { type filter hook input priority 2147483647; policy accept; iifname lo drop; counter name delivered drop; }
    chain forward {
        type filter hook forward priority -2147483648; policy accept;
        iifname eth0 oifname eth0 counter name back
        iifname eth1 oifname eth1 counter name back
    }
    chain output { type filter hook output priority -2147483648; policy accept; icmpv6 type { 131, 132, 133, 135, 136, 143 } drop; }
}
";

/// Where LOG does not reach the machine's log.
const NO_LOG: &[(&str, &str)] =
    &[("logs", "LOG writes nothing from a namespace unless the machine's root allows it: tests/kernel/logging COMMAND")];

/// The kernel as a router.
pub struct Linux {
    taps: [SyncDevice; 2],
    room: Vec<u8>,
    /// The program on the box: for IPv4 and IPv6.
    sockets: [OwnedFd; 2],
    /// The machine's log, if LOG reaches it from here.
    log: Option<Kmsg>,
    /// It has the timeout policies.
    has_policies: bool,
    /// Cases that were run again because they took too long.
    pub late: usize,
}

impl Linux {
    /// Makes the router in this process's network namespace.
    ///
    /// # Errors
    /// This is not a namespace that `tests/net/enter` made, or something could not be set.
    pub fn new() -> Result<Self> {
        ensure!(std::env::var_os("RAMPART_ENTERED").is_some(), "the kernel is driven in a namespace only: tests/net/enter COMMAND");
        Self::here(false)
    }

    fn here(redirects: bool) -> Result<Self> {
        set(QUIET)?;
        run("nft", &["-f", "-"], KEEP)?;
        let [eth0, eth1] = Port::ALL.map(|port| tap(port.name(), port.mac()));
        let mut linux = Self {
            taps: [eth0?, eth1?],
            room: vec![0; 70_000],
            sockets: raw_sockets()?,
            log: Kmsg::new().ok(),
            has_policies: false,
            late: 0,
        };
        run("ip", &["-batch", "-"], &(addresses(false) + &addresses(true)))?;
        set(SYSCTLS)?;
        for interface in ["all", "eth0", "eth1"] {
            let value = if redirects { "1" } else { "0" };
            fs::write(format!("/proc/sys/net/ipv4/conf/{interface}/send_redirects"), value).context("setting send_redirects")?;
        }
        wait_for_addresses()?;
        linux.probe_log()?;
        Ok(linux)
    }

    /// Does a line of LOG arrive?
    fn probe_log(&mut self) -> Result<()> {
        let datagram = Ip::udp((Port::Eth0.addresses()[0], 9), (world::GATEWAY, 9), b"").packet();
        let rules = "*filter\n-A OUTPUT -j LOG\n-A OUTPUT -j DROP\nCOMMIT\n".to_owned();
        let case = Case { rules, steps: vec![Step::Local(datagram)], ..Case::default() };
        if self.attempt(&case)?.observed.logs.is_empty() {
            self.log = None;
        }
        Ok(())
    }

    /// Runs a case in a namespace made for it: the kernel remembers for long to whom it has sent redirects, and pieces of IPv6 datagrams.
    fn elsewhere(case: &Case) -> Result<Attempt> {
        let home = Namespace::new("redirects")?;
        let case = case.clone();
        let seen = home.within(move || Self::here(case.redirects)?.attempt(&case));
        run("ip", &["netns", "del", home.name()], "")?;
        seen?
    }

    /// A program on the box sends a packet. Rules may refuse it, and so may routing.
    fn send(&mut self, packet: &[u8], out: &mut [Vec<Egress>; 2]) -> Result<()> {
        send_raw(&self.sockets, packet)?;
        self.drain(out)
    }

    /// One frame arrives; what leaves is added.
    fn receive(&mut self, port: Port, frame: &[u8], out: &mut [Vec<Egress>; 2]) -> Result<()> {
        write(&self.taps[port.index()], frame)?;
        self.drain(out)
    }

    /// Ends the datagrams of which pieces are missing: they would wait for half a minute, and meet the pieces of the next case. A piece that
    /// overlaps another one does it.
    fn forget_fragments(&mut self, case: &Case) -> Result<()> {
        for step in &case.steps {
            let Step::Packets(port, frames) = step else { continue };
            for view in frames.iter().filter_map(|frame| View::of_frame(frame)) {
                if !view.fragment {
                    continue;
                }
                let waiting = fragments()?;
                if waiting == 0 {
                    return Ok(());
                }
                let piece = |fragment, len| Ip {
                    id: view.id() as u16,
                    fragment,
                    ..Ip::new(view.src, view.dst, view.protocol, vec![0; len])
                };
                let mut out = Default::default();
                self.receive(*port, &piece(0x2000, 59_992).frame(*port), &mut out)?;
                if fragments()? > waiting {
                    self.receive(*port, &piece(0x2001, 59_992).frame(*port), &mut out)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the sets of a case away, and the rules that hold them.
    fn forget_sets(&self, case: &Case) -> Result<()> {
        if !case.sets.is_empty() {
            let restore = if case.ipv6 { "ip6tables-legacy-restore" } else { "iptables-legacy-restore" };
            run(restore, &[], &Case::default().all_tables())?;
            // Lists hold what is in them.
            run("ipset", &["flush"], "")?;
            run("ipset", &["destroy"], "")?;
        }
        Ok(())
    }

    fn drain(&mut self, out: &mut [Vec<Egress>; 2]) -> Result<()> {
        for port in Port::ALL {
            while let Some(frame) = read(&self.taps[port.index()], &mut self.room)? {
                if is_ip(frame) {
                    out[port.index()].push((port, frame.to_vec()));
                }
            }
        }
        Ok(())
    }
}

/// A case that was run.
#[derive(Default)]
struct Attempt {
    observed: Observed,
    /// For how long its steps took beyond the time that was to pass.
    late: Duration,
    /// Redirects may have been sent in IPv6, or would have been had there not been so many before.
    redirected: bool,
}

/// Three ticks of a slow kernel's clock, from one packet to the next: the connections that `connlimit` has looked through in a tick it does not look
/// through again, and those that another processor has written down within two it takes for living.
const TICKS: Duration = Duration::from_millis(12);

impl Linux {
    /// Runs a case.
    fn attempt(&mut self, case: &Case) -> Result<Attempt> {
        // Whom the last case looked for in vain: the kernel would give up within this one, and say so to those who wait.
        run("ip", &["neighbour", "flush", "nud", "incomplete"], "")?;
        self.drain(&mut Default::default())?;
        let mut rules = case.all_tables();
        if let Some(log) = self.log.as_mut().filter(|_| case.logs()) {
            rules = log.tagged(&rules);
            log.skip()?;
        }
        if case.names_policies() && !self.has_policies {
            for policy in policies::of_the_kernel() {
                let words: Vec<&str> = policy.iter().map(String::as_str).collect();
                run("nfct", &words, "")?;
            }
            self.has_policies = true;
        }
        let [iptables, nft, listing] =
            if case.ipv6 { ["ip6tables-legacy", "ip6", "ipv6"] } else { ["iptables-legacy", "ip", "ipv4"] };
        if case.names_memories() {
            let nothing = Case::default().all_tables();
            ["iptables-legacy-restore", "ip6tables-legacy-restore"]
                .iter()
                .try_for_each(|name| run(name, &[], &nothing).map(drop))?;
        }
        if !case.sets.is_empty() {
            run("ipset", &["restore"], &case.sets)?;
        }
        if let Err(reason) = run(&format!("{iptables}-restore"), &[], &rules) {
            self.forget_sets(case)?;
            let observed = Observed { refused: Some(format!("{reason:#}")), ..Observed::default() };
            return Ok(Attempt { observed, ..Attempt::default() });
        }
        run("conntrack", &["-F"], "")?;
        run("nft", &["reset", "counters", "table", nft, "keep"], "")?;
        let mut observed = Observed::default();
        let apart = if case.counts_connections() { TICKS } else { Duration::ZERO };
        let begin = Instant::now();
        let mut wanted = Duration::ZERO;
        for (number, step) in case.steps.iter().enumerate() {
            let mut out: [Vec<Egress>; 2] = Default::default();
            match step {
                Step::Packets(port, frames) => {
                    for frame in frames {
                        self.receive(*port, frame, &mut out)?;
                        thread::sleep(apart);
                    }
                }
                Step::Answer { to, with } => {
                    let sent = observed.steps[*to].first().cloned();
                    if let Some((port, frame)) = sent.and_then(|(port, frame)| Some((port, with.to(port, &frame)?))) {
                        self.receive(port, &frame, &mut out)?;
                        thread::sleep(apart);
                    }
                }
                Step::Local(packet) => {
                    self.send(packet, &mut out)?;
                    thread::sleep(apart);
                }
                Step::Ipset(command) => {
                    run("ipset", &["restore"], command)?;
                }
                Step::Advance(millis) => {
                    thread::sleep(Duration::from_millis(*millis));
                    wanted += Duration::from_millis(*millis);
                    self.drain(&mut out)?;
                }
            }
            observed.steps.push(out.concat());
            if let Some(log) = self.log.as_mut().filter(|_| case.logs()) {
                let lines = log.read(&case.rules)?.into_iter();
                observed.logs.extend(lines.map(|(level, text)| Line { step: number, level: Some(level), text }));
            }
        }
        let late = begin.elapsed().saturating_sub(wanted);
        if !case.sets.is_empty() {
            observed.sets = crate::sets::elements(&run("ipset", &["save"], "")?);
        }
        observed.counters = counters(&run(&format!("{iptables}-save"), &["-c"], "")?)?;
        observed.entries = entries(&run("conntrack", &["-L", "-f", listing], "")?, case)?;
        if !case.ipv6 {
            self.forget_fragments(case)?;
        }
        self.forget_sets(case)?;
        let kept = run("nft", &["list", "counters", "table", nft, "keep"], "")?;
        observed.delivered = counter(&kept, "delivered")?;
        let redirected = case.ipv6 && counter(&kept, "back")? > 0;
        Ok(Attempt { observed, late, redirected })
    }
}

impl System for Linux {
    fn run(&mut self, case: &Case) -> Result<Observed> {
        for _ in 0..ATTEMPTS {
            let apart = case.redirects || case.ipv6 && case.has_fragments();
            let mut attempt = if apart { Self::elsewhere(case)? } else { self.attempt(case)? };
            if attempt.redirected && !apart {
                // In IPv6 nothing forbids redirects.
                attempt = Self::elsewhere(case)?;
            }
            if !case.is_timed() || attempt.late <= LATE {
                return Ok(attempt.observed);
            }
            self.late += 1;
        }
        bail!("the machine is too busy: a timed case took too long {ATTEMPTS} times")
    }

    fn cannot_show(&self) -> &'static [(&'static str, &'static str)] {
        if self.log.is_some() { &[] } else { NO_LOG }
    }
}

/// What makes the router of [`crate::world`] of two interfaces, in one family, as `ip -batch` reads it.
pub(crate) fn addresses(ipv6: bool) -> String {
    let (length, more) = if ipv6 { (64, " nodad") } else { (24, "") };
    let mut batch = String::new();
    for port in Port::ALL {
        let name = port.name();
        if !ipv6 {
            batch.push_str(&format!("link set {name} group {}\n", port.group()));
        }
        for address in port.addresses() {
            batch.push_str(&format!("address add {}/{length} dev {name}{more}\n", in_family(ipv6, *address)));
        }
        if ipv6 {
            batch.push_str(&format!("address add {}/64 dev {name} nodad\n", port.link_local()));
        }
        for host in port.neighbours() {
            let mac = port.neighbour_mac(host).map(|byte| format!("{byte:02x}")).join(":");
            batch.push_str(&format!("neighbour replace {} lladdr {mac} dev {name} nud permanent\n", in_family(ipv6, host)));
        }
    }
    let (gateway, (narrow, mtu)) = (in_family(ipv6, GATEWAY), NARROW);
    batch
        + &format!("route add default via {gateway}\n")
        + &format!("route add {}/{length} via {gateway} mtu {mtu}\n", in_family(ipv6, narrow))
        // It is of no interface, and outlives the router before this one.
        + &format!("route replace unreachable {}/{length}\n", in_family(ipv6, UNREACHABLE))
}

/// The kernel takes IPv6 addresses into use in a thread of its own: each, and the anycast address of its network, gets a route of its own.
pub(crate) fn wait_for_addresses() -> Result<()> {
    wait_until("the kernel has taken its IPv6 addresses into use", ADDRESSES, || {
        let routes = fs::read_to_string("/proc/thread-self/net/ipv6_route")?;
        Ok(Port::ALL.iter().all(|port| {
            let own = port.addresses().iter().map(|own| world::ipv6(*own)).chain([port.link_local()]).map(Ipv6Addr::to_bits);
            own.flat_map(|own| [own, own >> 64 << 64]).all(|own| routes.contains(&format!("{own:032x} 80 ")))
        }))
    })
}

pub(crate) fn set(knobs: &[(&str, &str)]) -> Result<()> {
    for (name, value) in knobs {
        fs::write(format!("/proc/sys/{name}"), value).with_context(|| format!("setting {name}"))?;
    }
    Ok(())
}

/// Makes a TAP whose far end we hold.
pub(crate) fn tap(name: &str, mac: [u8; 6]) -> Result<SyncDevice> {
    let device = DeviceBuilder::new()
        .name(name)
        .layer(Layer::L2)
        .packet_information(false)
        .mtu(1500)
        .mac_addr(mac)
        .enable(true)
        .build_sync()
        .with_context(|| format!("making the TAP {name}"))?;
    device.set_nonblocking(true)?;
    Ok(device)
}

/// By which a program sends packets of its own making, of IPv4 and IPv6.
pub(crate) fn raw_sockets() -> Result<[OwnedFd; 2]> {
    let socket = |family| rustix::net::socket(family, SocketType::RAW, Some(ipproto::RAW)).context("a raw socket");
    Ok([socket(AddressFamily::INET)?, socket(AddressFamily::INET6)?])
}

/// A program sends a packet by a raw socket. Rules may refuse it, and so may routing.
pub(crate) fn send_raw(sockets: &[OwnedFd; 2], packet: &[u8]) -> Result<()> {
    let socket = &sockets[usize::from(frame::ethertype(packet) == ETHERTYPES[1])];
    let to = View::of(packet).context("a local packet has an IP header")?.dst;
    let sent = match to {
        IpAddr::V4(to) => rustix::net::sendto(socket, packet, SendFlags::empty(), &SocketAddrV4::new(to, 0)),
        IpAddr::V6(to) => rustix::net::sendto(socket, packet, SendFlags::empty(), &SocketAddrV6::new(to, 0, 0, 0)),
    };
    match sent {
        Ok(_) | Err(Errno::PERM | Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::ACCESS) => {}
        Err(error) => return Err(error).context("a program's packet"),
    }
    Ok(())
}

/// A frame arrives at the interface of a TAP.
pub(crate) fn write(tap: &SyncDevice, frame: &[u8]) -> Result<()> {
    match tap.send(frame) {
        Ok(_) => Ok(()),
        // Shorter than an Ethernet header: no wire brings that.
        Err(e) if e.kind() == ErrorKind::InvalidInput => Ok(()),
        Err(e) => Err(e).context("writing to a TAP"),
    }
}

/// The next frame that left by a TAP, if there is one.
pub(crate) fn read<'a>(tap: &SyncDevice, room: &'a mut [u8]) -> Result<Option<&'a [u8]>> {
    match tap.recv(room) {
        Ok(len) => Ok(Some(&room[..len])),
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(e) => Err(e).context("reading from a TAP"),
    }
}

/// What is compared of all that leaves.
pub(crate) fn is_ip(frame: &[u8]) -> bool {
    ETHERTYPES.iter().any(|of| frame.get(12..14) == Some(of))
}

/// Packets of one of the counters of [`KEEP`], in a listing of them.
pub(crate) fn counter(listing: &str, name: &str) -> Result<u64> {
    let after = listing.split_whitespace().skip_while(|word| *word != name).skip_while(|word| *word != "packets").nth(1);
    Ok(after.context("a counter of nft")?.parse()?)
}

/// Datagrams that wait for pieces.
fn fragments() -> Result<usize> {
    let text = fs::read_to_string("/proc/thread-self/net/sockstat")?;
    let line = text.lines().find_map(|line| line.strip_prefix("FRAG: inuse ")).context("FRAG in sockstat")?;
    Ok(line.split(' ').next().unwrap_or_default().parse()?)
}

fn run(program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = output(command, input)?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command to its end.
pub(crate) fn output(mut command: Command, input: &str) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let mut stdin = child.stdin.take().context("a pipe")?;
    // A program that ends without reading says why by its exit.
    stdin.write_all(input.as_bytes()).ok();
    drop(stdin);
    Ok(child.wait_with_output()?)
}

/// Counters as `iptables-save -c` prints them.
pub(crate) fn counters(save: &str) -> Result<std::collections::BTreeMap<String, (u64, u64)>> {
    let count = |text: &str| -> Result<(u64, u64)> {
        let (packets, bytes) = text.trim_matches(['[', ']']).split_once(':').context("packets:bytes")?;
        Ok((packets.parse()?, bytes.parse()?))
    };
    let mut all = std::collections::BTreeMap::new();
    let mut numbers = std::collections::BTreeMap::<String, usize>::new();
    let mut table = "";
    for line in save.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(name) = line.strip_prefix('*') {
            table = name;
            numbers.clear();
        } else if let (Some(chain), Some(counts)) = (line.strip_prefix(':'), words.last()) {
            let chain = chain.split(' ').next().unwrap_or_default();
            if words[1] != "-" {
                all.insert(format!("{table} {chain} 0"), count(counts)?);
            }
        } else if let ["-A", chain] = words.get(1..3).unwrap_or_default() {
            let number = numbers.entry((*chain).to_owned()).or_default();
            *number += 1;
            all.insert(format!("{table} {chain} {number}"), count(words[0])?);
        }
    }
    Ok(all)
}

/// What `conntrack -L` prints, sorted.
pub(crate) fn entries(listing: &str, case: &Case) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = listing.lines().map(|line| entry(line, case.names_policies())).collect::<Result<_>>()?;
    entries.sort();
    Ok(entries)
}

/// An entry as `conntrack -L` prints it.
fn entry(line: &str, timed: bool) -> Result<Entry> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let protocol: u8 =
        words.get(1).context("a protocol")?.split('/').next().unwrap_or_default().parse().with_context(|| line.to_owned())?;
    let begin = words.iter().position(|word| word.starts_with("src=")).context("a tuple")?;
    let state = words[..begin].iter().find(|word| word.contains(|c: char| c.is_ascii_uppercase())).copied().unwrap_or_default();
    let second = begin + 1 + words[begin + 1..].iter().position(|word| word.starts_with("src=")).context("two tuples")?;
    let half = |words: &[&str]| -> Result<Half> {
        let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        let number = |key| value(key).map_or(Ok(0), str::parse::<u64>);
        let call = |key| value(key).map_or(Ok(0), |digits| u64::from_str_radix(digits.trim_start_matches("0x"), 16));
        let l4 = if matches!(protocol, 1 | 58) {
            (number("type")? * 256 + number("code")?, number("id")?)
        } else {
            (number("sport")? + call("srckey")?, number("dport")? + call("dstkey")?)
        };
        Ok(Half {
            src: value("src").context("src")?.parse()?,
            dst: value("dst").context("dst")?.parse()?,
            l4: (u16::try_from(l4.0)?, u16::try_from(l4.1)?),
            packets: number("packets")?,
            bytes: number("bytes")?,
        })
    };
    Ok(Entry {
        protocol,
        state: if matches!(protocol, 6 | 132) { state.to_owned() } else { String::new() },
        halves: [half(&words[begin..second])?, half(&words[second..])?],
        unreplied: words.contains(&"[UNREPLIED]"),
        assured: words.contains(&"[ASSURED]"),
        mark: words.iter().find_map(|word| word.strip_prefix("mark=")).map_or(Ok(0), str::parse)?,
        timeout: if timed { Some(policies::rounded(words.get(2).context("seconds")?.parse()?)) } else { None },
    })
}
