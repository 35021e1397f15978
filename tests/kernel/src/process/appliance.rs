//! An appliance: a namespace with both daemons in it, which live through many cases.

use std::collections::BTreeMap;
use std::fs;
use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use net::lab::Wire;
use net::namespace::Namespace;
use net::process::{Process, run, wait_until};
use tempfile::TempDir;

use super::far::Far;
use crate::case::Case;
use crate::frame::Ip;
use crate::linux::{self, KEEP};
use crate::observed::{Egress, Entry};
use crate::policies;
use crate::world::{GATEWAY, Port, in_family};

/// Longest that a daemon may take to start, and until it knows every neighbour.
const START: Duration = Duration::from_secs(20);
/// Longest that a line of the log may take.
const LOG: Duration = Duration::from_secs(1);
/// Exit code of the commands when no daemon serves them.
const UNAVAILABLE: i32 = 4;

/// What became of rules.
pub(crate) enum Loaded {
    /// They are enforced.
    Yes,
    /// They are wrong.
    Refused(String),
}

/// Both daemons, their namespace, and the far ends of their wires. Daemons end first: they hold devices of the namespace.
pub(crate) struct Appliance {
    control: Option<Process>,
    dataplane: Option<Process>,
    far: Far,
    /// A program on the box: for IPv4 and IPv6.
    programs: [OwnedFd; 2],
    wire: Wire,
    bin: PathBuf,
    dir: TempDir,
    /// Something of the last case is left in the dataplane that no command takes away.
    tainted: bool,
    /// What its cases cost so far.
    pub(crate) effort: Effort,
    home: Home,
}

/// What cases cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Effort {
    /// Frames that came in from the wire.
    pub(crate) frames: usize,
    /// Time from their coming until everything had come to rest.
    pub(crate) time: Duration,
    /// Dataplanes started anew.
    pub(crate) restarts: usize,
}

/// The namespace, which ends with the appliance.
struct Home(Namespace);

impl Drop for Home {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("ip").args(["netns", "del", self.0.name()])) {
            eprintln!("{error:#}");
        }
    }
}

impl Appliance {
    /// Makes the world and starts both daemons in it.
    pub(crate) fn new(wire: Wire, bin: &Path) -> Result<Self> {
        let mut appliance = Self::unstarted(wire, bin)?;
        appliance.start().with_context(|| appliance.last_words())?;
        Ok(appliance)
    }

    /// Makes the world.
    pub(crate) fn unstarted(wire: Wire, bin: &Path) -> Result<Self> {
        let home = Home(Namespace::new(name(wire))?);
        // No IPv6 but on the box's own interfaces: nobody solicits neighbours or routers on the wires. A router's groups are the kernel's to join,
        // and what is delivered ends as it does beside the other kernel.
        home.0
            .run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0")?;
        home.0.within(|| linux::set(linux::QUIET))??;
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("keep.nft"), KEEP)?;
        home.0.run(&format!("nft -f {}", dir.path().join("keep.nft").display()))?;
        let far = match wire {
            Wire::AfPacket => Far::new(&home.0, "wire", Port::ALL.map(Port::mac))?,
            Wire::NetTap => Far::new(&home.0, "far", [[2, 2, 0, 0, 0, 1], [2, 2, 0, 0, 0, 2]])?,
        };
        let programs = home.0.within(linux::raw_sockets)??;
        let appliance = Self {
            control: None,
            dataplane: None,
            far,
            programs,
            wire,
            bin: bin.to_owned(),
            dir,
            tainted: false,
            effort: Effort::default(),
            home,
        };
        fs::write(appliance.file("rampart.toml"), appliance.toml())?;
        Ok(appliance)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn toml(&self) -> String {
        let mut text = format!(
            "[instance]\nname = \"{name}-{pid}\"\nrun_dir = \"{run}\"\nnetns = \"{name}\"\n\n\
             [dataplane]\nipv6 = true\nidle = \"sleep\"\nhuge_pages = \"never\"\nmemory_mb = 64\nmbufs = 4096\nicmp_ratelimit = 0\nicmpv6_ratelimit = 0\n\
             log = {{ target = \"file\", path = \"{log}\" }}\n\n\
             [dataplane.conntrack]\nnf_conntrack_max = 4096\nnf_conntrack_acct = true\n\n\
             [control]\nstate_dir = \"{state}\"\n\n",
            name = name(self.wire),
            pid = std::process::id(),
            run = self.file("run").display(),
            log = self.file("kernel.log").display(),
            state = self.file("state").display(),
        );
        text.push_str(&policies::of_the_configuration());
        for port in Port::ALL {
            let (name, n, mac) = (port.name(), port.index(), port.mac().map(|byte| format!("{byte:02x}")).join(":"));
            let device = match self.wire {
                Wire::AfPacket => format!("net_af_packet{n},iface=wire{n},qpairs=1,framesz=2048,framecnt=512,blocksz=65536"),
                Wire::NetTap => format!("net_tap{n},iface=wire{n},mac={mac}"),
            };
            text.push_str(&format!("[[dataplane.port]]\nname = \"{name}\"\ndevice = \"{device}\"\n"));
            text.push_str(&format!("[dataplane.interface.{name}]\nsend_redirects = false\n\n"));
        }
        text
    }

    /// Starts both daemons; returns when they forward to every neighbour.
    fn start(&mut self) -> Result<()> {
        self.start_dataplane()?;
        let process = self.spawn("rampartd")?;
        self.control = Some(process);
        self.ready()
    }

    fn start_dataplane(&mut self) -> Result<()> {
        let mut process = self.spawn("rampart-dataplane")?;
        wait_until("the dataplane makes its TAPs", START, || {
            process.check_running()?;
            Ok(self.home.0.attempt("ip link show eth1")?.0)
        })?;
        self.dataplane = Some(process);
        fs::write(self.file("addresses"), linux::addresses(false) + &linux::addresses(true))?;
        // The kernel behind the wires stays silent: it sees nothing of what they bring.
        let silence: String = Port::ALL
            .map(|port| match (self.wire, port.index()) {
                (Wire::AfPacket, n) => hook(&format!("wire{n}"), "drop"),
                (Wire::NetTap, n) => {
                    hook(&format!("wire{n}"), &format!("fwd to far{n}")) + &hook(&format!("far{n}"), &format!("fwd to wire{n}"))
                }
            })
            .concat();
        fs::write(
            self.file("silence.nft"),
            format!("table netdev silence\ndelete table netdev silence\ntable netdev silence {{\n{silence}}}\n"),
        )?;
        self.home.0.run(&format!(
            "nft -f {} && for n in 0 1; do sysctl -qw net.ipv6.conf.eth$n.disable_ipv6=0; ip link set wire$n up; done && ip -batch {}",
            self.file("silence.nft").display(),
            self.file("addresses").display()
        ))?;
        self.home.0.within(linux::wait_for_addresses)?
    }

    fn spawn(&self, program: &str) -> Result<Process> {
        let log = OpenOptions::new().create(true).append(true).open(self.file(&format!("{program}.log")))?;
        let mut command = Command::new(self.bin.join(program));
        command.arg("--config").arg(self.file("rampart.toml")).stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        Process::spawn(&mut command, program)
    }

    /// Waits until rules are enforced and every neighbour is known: a datagram to each has to arrive there.
    fn ready(&mut self) -> Result<()> {
        let waited = self.command("rampart", &["wait-ready", "--timeout", "20"], "")?;
        ensure!(waited.status.success(), "rampart wait-ready: {}", said(&waited));
        for ipv6 in [false, true] {
            if let Loaded::Refused(reason) = self.load(&Case { ipv6, ..Case::default() })? {
                bail!("empty rules are refused: {reason}");
            }
        }
        let deadline = Instant::now() + START;
        while !(self.forwards(false)? && self.forwards(true)?) {
            self.check_running()?;
            ensure!(Instant::now() < deadline, "not every neighbour is known within {START:?}");
        }
        Ok(())
    }

    fn forwards(&mut self, ipv6: bool) -> Result<bool> {
        let mut out: [Vec<Egress>; 2] = Default::default();
        let mut wanted = [Vec::new(), Vec::new()];
        let (beyond, of) = (Ipv4Addr::new(203, 0, 113, 1), |host| in_family(ipv6, host));
        for (from, to) in [(Port::Eth0, Port::Eth1), (Port::Eth1, Port::Eth0)] {
            let Some(source) = from.neighbours().next() else { continue };
            let hosts = to.neighbours().map(|host| (host, host)).chain((to == Port::Eth1).then_some((beyond, GATEWAY)));
            let frames: Vec<_> = hosts
                .map(|(host, next)| {
                    wanted[to.index()].push(to.neighbour_mac(next));
                    Ip::udp((of(source), 9), (of(host), 9), b"ready").frame(from)
                })
                .collect();
            self.far.send(from, &frames)?;
            if !self.far.until_rest(from, &mut out, Duration::from_millis(100))? {
                return Ok(false);
            }
        }
        Ok(Port::ALL.iter().all(|port| {
            let arrived: Vec<_> = out[port.index()].iter().map(|(_, frame)| &frame[..6]).collect();
            wanted[port.index()].iter().all(|mac| arrived.contains(&&mac[..]))
        }))
    }

    /// Is there still somebody to talk to?
    pub(crate) fn check_running(&mut self) -> Result<()> {
        for process in [&mut self.dataplane, &mut self.control] {
            process.as_mut().context("a daemon is not started")?.check_running()?;
        }
        Ok(())
    }

    /// How a daemon ended, if one does so now.
    pub(crate) fn ended_within(&mut self, patience: Duration) -> Option<anyhow::Error> {
        let deadline = Instant::now() + patience;
        loop {
            match self.check_running() {
                Err(ended) => return Some(ended),
                Ok(()) if Instant::now() >= deadline => return None,
                Ok(()) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Makes sure that nothing is left of the case before: no connection, no datagram that waits for pieces, no neighbour that is looked for in vain.
    pub(crate) fn clean(&mut self) -> Result<()> {
        self.check_running()?;
        if self.tainted {
            self.stop_dataplane()?;
            self.effort.restarts += 1;
            self.tainted = false;
            self.start_dataplane()?;
            self.ready()?;
        }
        self.home.0.run("ip neighbour flush nud incomplete")?;
        self.flush()
    }

    /// Something will be left that no command takes away.
    pub(crate) fn taint(&mut self) {
        self.tainted = true;
    }

    /// Ends the dataplane as its supervisor would.
    pub(crate) fn stop_dataplane(&mut self) -> Result<()> {
        self.dataplane.take().context("the dataplane does not run")?.stop(Duration::from_secs(10))
    }

    /// `conntrack -L`
    pub(crate) fn entries(&self, case: &Case) -> Result<Vec<Entry>> {
        let output = self.command("conntrack", &["-L", "-f", if case.ipv6 { "ipv6" } else { "ipv4" }], "")?;
        ensure!(output.status.success(), "conntrack -L: {}", said(&output));
        linux::entries(&String::from_utf8_lossy(&output.stdout), case)
    }

    /// `conntrack -F`, of each family.
    fn flush(&self) -> Result<()> {
        ["ipv4", "ipv6"].iter().try_for_each(|family| {
            let output = self.command("conntrack", &["-F", "-f", family], "")?;
            ensure!(output.status.success(), "conntrack -F: {}", said(&output));
            Ok(())
        })
    }

    /// Frames come in by a port; what left by both until all is at rest.
    pub(crate) fn inject(&mut self, port: Port, frames: &[Vec<u8>]) -> Result<Vec<Egress>> {
        let mut out: [Vec<Egress>; 2] = Default::default();
        let begin = Instant::now();
        self.far.send(port, frames)?;
        if let Err(error) = self.far.come_to_rest(port, &mut out) {
            self.check_running()?;
            return Err(error);
        }
        self.effort.frames += frames.len();
        self.effort.time += begin.elapsed();
        Ok(out.concat())
    }

    /// A program on the box sends a packet; what left until all is at rest. The packet may wait in the other TAP when the first marker's answer
    /// passes, and go out behind that of the second.
    pub(crate) fn send(&mut self, packet: &[u8]) -> Result<Vec<Egress>> {
        linux::send_raw(&self.programs, packet)?;
        let mut out = self.inject(Port::Eth0, &[])?;
        out.extend(self.inject(Port::Eth1, &[])?);
        out.sort_by_key(|(port, _)| *port);
        Ok(out)
    }

    /// Where the log ends now.
    pub(crate) fn log_end(&self) -> Result<u64> {
        Ok(fs::metadata(self.file("kernel.log"))?.len())
    }

    /// The lines of LOG rules in the log from `begin` on, when there are as many as the rules have counted packets. The log has its own thread: a
    /// line that is not there in a second is lost.
    pub(crate) fn log_lines(&self, begin: u64, ipv6: bool) -> Result<Vec<String>> {
        let wanted = self.logged(ipv6)?;
        let deadline = Instant::now() + LOG;
        loop {
            let log = fs::read(self.file("kernel.log"))?;
            let text = String::from_utf8_lossy(log.get(begin as usize..).context("the log has become shorter")?).into_owned();
            let complete = text.matches('\n').count() as u64;
            if complete >= wanted || Instant::now() >= deadline {
                // Behind the date and the host's name (docs/config.md, `dataplane.log`).
                let line =
                    |line: &str| line.split_once(" kernel: ").map(|(_, text)| text.to_owned()).with_context(|| line.to_owned());
                return text.lines().map(line).collect();
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Packets that rules have logged.
    fn logged(&self, ipv6: bool) -> Result<u64> {
        let saved = self.save(ipv6)?;
        let count = |line: &str| -> Result<u64> {
            let packets = line.strip_prefix('[').and_then(|line| line.split(':').next()).context("a rule without counters")?;
            Ok(packets.parse()?)
        };
        saved.lines().filter(|line| line.contains("-j LOG")).map(count).sum()
    }

    /// `iptables-restore`, or `ip6tables-restore`.
    pub(crate) fn load(&self, case: &Case) -> Result<Loaded> {
        if case.names_memories() {
            let nothing = Case::default().all_tables();
            ["iptables-restore", "ip6tables-restore"].iter().try_for_each(|name| self.command(name, &[], &nothing).map(drop))?;
        }
        let program = if case.ipv6 { "ip6tables-restore" } else { "iptables-restore" };
        let output = self.command(program, &[], &case.all_tables())?;
        match output.status.code() {
            Some(0) => Ok(Loaded::Yes),
            None | Some(UNAVAILABLE) => bail!("{program}: {}", said(&output)),
            Some(_) => Ok(Loaded::Refused(said(&output))),
        }
    }

    /// Runs commands as `ipset restore` reads them.
    pub(crate) fn ipset(&self, text: &str) -> Result<()> {
        let output = self.command("ipset", &["restore"], text)?;
        ensure!(output.status.success(), "ipset restore: {}", said(&output));
        Ok(())
    }

    /// Elements of all sets.
    pub(crate) fn elements(&self) -> Result<Vec<String>> {
        let output = self.command("ipset", &["save"], "")?;
        ensure!(output.status.success(), "ipset save: {}", said(&output));
        Ok(crate::sets::elements(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Takes the sets of a case away, and the rules that hold them.
    pub(crate) fn forget_sets(&self, case: &Case) -> Result<()> {
        if !case.sets.is_empty() {
            self.load(&Case { ipv6: case.ipv6, ..Case::default() })?;
            // Lists hold what is in them.
            for command in ["flush", "destroy"] {
                let output = self.command("ipset", &[command], "")?;
                ensure!(output.status.success(), "ipset {command}: {}", said(&output));
            }
        }
        Ok(())
    }

    /// Packets and bytes of every rule.
    pub(crate) fn counters(&self, ipv6: bool) -> Result<BTreeMap<String, (u64, u64)>> {
        linux::counters(&self.save(ipv6)?)
    }

    /// `iptables-save -c`, or `ip6tables-save -c`.
    fn save(&self, ipv6: bool) -> Result<String> {
        let program = if ipv6 { "ip6tables-save" } else { "iptables-save" };
        let output = self.command(program, &["-c"], "")?;
        ensure!(output.status.success(), "{program}: {}", said(&output));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Packets that the box's own stack has got by now.
    pub(crate) fn delivered(&self, ipv6: bool) -> Result<u64> {
        let table = if ipv6 { "ip6" } else { "ip" };
        linux::counter(&self.home.0.run(&format!("nft list counters table {table} keep"))?, "delivered")
    }

    fn command(&self, program: &str, arguments: &[&str], input: &str) -> Result<Output> {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).env("RAMPART_SOCKET", self.file("run").join("control.sock"));
        linux::output(command, input)
    }

    /// The last lines of both daemons.
    pub(crate) fn last_words(&self) -> String {
        let tail = |program: &str| {
            let text = fs::read_to_string(self.file(&format!("{program}.log"))).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{program}:\n{}", lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        format!("{}\n{}", tail("rampart-dataplane"), tail("rampartd"))
    }
}

#[cfg(test)]
impl Appliance {
    /// Sends frames and then markers; what came back, and whether the markers did within `patience`.
    pub(crate) fn try_inject(&mut self, port: Port, frames: &[Vec<u8>], patience: Duration) -> Result<(bool, Vec<Egress>)> {
        let mut out: [Vec<Egress>; 2] = Default::default();
        self.far.send(port, frames)?;
        Ok((self.far.until_rest(port, &mut out, patience)?, out.concat()))
    }

    /// Ends a daemon as a crash does.
    pub(crate) fn crash(&self, control: bool) {
        let process = if control { &self.control } else { &self.dataplane };
        process.as_ref().expect("it runs").signal(rustix::process::Signal::KILL);
    }
}

fn name(wire: Wire) -> &'static str {
    match wire {
        Wire::AfPacket => "box-af-packet",
        Wire::NetTap => "box-net-tap",
    }
}

fn hook(device: &str, verdict: &str) -> String {
    format!("chain {device} {{ type filter hook ingress device {device} priority 0; {verdict}; }}\n")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
