//! The small world of the demo and of the network tests.
//!
//! ```text
//!   outside                      box                               inside
//!   203.0.113.10 ---- wire0 | eth0 203.0.113.1                     192.168.1.2, .3, .4 (servers), .100 (a client)
//!                           | eth1 192.168.1.1 | wire1 ----------- default via 192.168.1.1
//! ```
//!
//! `wireN` are the devices that DPDK drives (af_packet on a veth, or a net_tap whose far end is the host's own device); `ethN` are the
//! TAPs that Rampart makes, on which the kernel of the box has its addresses. With the kernel under test (see [`kernel`]) the box is a
//! plain Linux router, and the wires are its `ethN`.
//!
//! With IPv6 the outside is 2001:db8:f::10, the inside 2001:db8:1::2 and ::100, and the box is ::1 on either side.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::kernel;
use crate::memif;
use crate::namespace::Namespace;
use crate::process::{Process, run, wait_until};

/// How the wire is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// net_af_packet on one end of a veth pair.
    AfPacket,
    /// net_tap: the device that DPDK makes is moved to the host.
    NetTap,
}

/// What a lab looks like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How the wire is made.
    pub wire: Wire,
    /// Outside is no host but the other end of a memif, which chooses the queue of each frame ([`crate::memif`]).
    pub memif: bool,
    /// MTU of every device.
    pub mtu: u32,
    /// Start the daemons outside of the box, and let them enter its namespace by themselves.
    pub started_elsewhere: bool,
    /// Workers of the dataplane, and queues of each port.
    pub workers: u32,
    /// IPv6 beside IPv4.
    pub ipv6: bool,
    /// What does the box's work.
    pub system: System,
    /// Keys of `[dataplane.conntrack]`, and the kernel's sysctls of the same names.
    pub conntrack: &'static [(&'static str, &'static str)],
}

/// What does the box's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Rampart.
    Rampart,
    /// The Linux kernel, with the real commands.
    Kernel,
}

impl System {
    /// As the environment says ([`kernel::under_test`]).
    pub fn under_test() -> System {
        if kernel::under_test() { System::Kernel } else { System::Rampart }
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            wire: Wire::AfPacket,
            memif: false,
            mtu: 1500,
            started_elsewhere: false,
            workers: 1,
            ipv6: false,
            system: System::under_test(),
            conntrack: &[],
        }
    }
}

/// The world: three namespaces, and what runs in them.
pub struct Lab {
    /// The host beyond `eth0`.
    pub outside: Namespace,
    /// The host beyond `eth1`.
    pub inside: Namespace,
    /// Where Rampart runs.
    pub rampart: Namespace,
    /// Files of this lab.
    pub dir: TempDir,
    shape: Shape,
    bin: PathBuf,
    dataplane: Option<Process>,
    control: Option<Process>,
}

/// Address of the host outside.
pub const OUTSIDE: &str = "203.0.113.10";
/// The box as the outside sees it.
pub const BOX_OUTSIDE: &str = "203.0.113.1";
/// The box as the inside sees it.
pub const BOX_INSIDE: &str = "192.168.1.1";
/// Address of the client inside.
pub const INSIDE: &str = "192.168.1.100";

impl Lab {
    /// Makes namespaces, wires and addresses; starts nothing.
    pub fn new(shape: Shape) -> Result<Self> {
        ensure!(
            std::env::var_os("RAMPART_ENTERED").is_some_and(|v| v == "yes"),
            "this needs namespaces of its own: run it through tests/net/enter (make demo and make test do)"
        );
        let dir = tempfile::tempdir()?;
        let bin = if shape.system == System::Kernel { kernel::commands(dir.path())? } else { binaries()? };
        let lab = Self {
            outside: Namespace::new("outside")?,
            inside: Namespace::new("inside")?,
            rampart: Namespace::new("box")?,
            dir,
            shape,
            bin,
            dataplane: None,
            control: None,
        };
        if shape.wire == Wire::AfPacket {
            if !shape.memif {
                lab.veth("wire0", &lab.outside)?;
            }
            lab.veth("wire1", &lab.inside)?;
            lab.address_hosts()?;
        }
        fs::write(lab.config(), lab.toml())?;
        Ok(lab)
    }

    /// The TOML of both daemons.
    pub fn config(&self) -> PathBuf {
        self.dir.path().join("rampart.toml")
    }

    /// Where the sockets are.
    pub fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    /// The file to which LOG lines go.
    pub fn log_file(&self) -> PathBuf {
        self.dir.path().join("kernel.log")
    }

    /// The socket of the memif.
    pub fn memif(&self) -> PathBuf {
        self.dir.path().join("memif.sock")
    }

    fn veth(&self, wire: &str, host: &Namespace) -> Result<()> {
        let mtu = self.shape.mtu;
        self.rampart.run(&format!(
            "ip link add {wire} mtu {mtu} type veth peer name net0 netns {host} mtu {mtu} && \
             sysctl -qw net.ipv6.conf.{wire}.disable_ipv6=1 && ip link set {wire} up && \
             ethtool -K {wire} tx off tso off gso off gro off rxvlan off txvlan off >/dev/null",
            host = host.name()
        ))?;
        // Packet sockets see frames before this hook; the kernel's own stack does not see them at all.
        self.rampart.run(&format!(
            "nft add table netdev silence && \
             nft 'add chain netdev silence {wire} {{ type filter hook ingress device {wire} priority 0; policy drop; }}'"
        ))?;
        host.run("ethtool -K net0 tx off tso off gso off gro off rxvlan off txvlan off >/dev/null")?;
        Ok(())
    }

    fn address_hosts(&self) -> Result<()> {
        let hosts: [(&Namespace, &[&str], &str); 2] = [
            (&self.outside, &["203.0.113.10/24", "203.0.113.11/24"], BOX_OUTSIDE),
            (&self.inside, &["192.168.1.100/24", "192.168.1.2/24", "192.168.1.3/24", "192.168.1.4/24"], BOX_INSIDE),
        ];
        // Beyond a memif there is no host.
        for (host, addresses, gateway) in hosts.into_iter().skip(usize::from(self.shape.memif)) {
            if !self.shape.ipv6 {
                host.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")?;
            }
            for address in addresses {
                host.run(&format!("ip addr add {address} dev net0"))?;
            }
            host.run(&format!("ip link set net0 up && ip route add default via {gateway}"))?;
        }
        if self.shape.ipv6 {
            self.outside.run("ip addr add 2001:db8:f::10/64 dev net0 nodad && ip route add default via 2001:db8:f::1")?;
            self.inside.run(
                "ip addr add 2001:db8:1::100/64 dev net0 nodad && ip addr add 2001:db8:1::2/64 dev net0 nodad && \
                 ip route add default via 2001:db8:1::1",
            )?;
        }
        Ok(())
    }

    fn toml(&self) -> String {
        let mut text = format!(
            "[instance]\nname = \"lab{pid}\"\nrun_dir = \"{run}\"\n\n\
             [dataplane]\nworkers = {workers}\nipv6 = {ipv6}\nidle = \"sleep\"\nhuge_pages = \"never\"\nmemory_mb = 256\nmbufs = {mbufs}\n\
             log = {{ target = \"file\", path = \"{log}\" }}\n\n",
            workers = self.shape.workers,
            ipv6 = self.shape.ipv6,
            pid = std::process::id(),
            mbufs = if self.shape.mtu > 1500 { 8192 } else { 16384 },
            run = self.run_dir().display(),
            log = self.log_file().display(),
        );
        for (i, port) in ["eth0", "eth1"].iter().enumerate() {
            let device = match self.shape.wire {
                _ if self.shape.memif && i == 0 => format!("{},role=server,mac={}", memif::device(&self.memif()), memif::BOX),
                // A frame longer than its slot is cut by the driver; the slots of all ports stay below the 8 MiB that a user may lock.
                Wire::AfPacket => {
                    let (slot, slots) = if self.shape.mtu > 1500 { (16384, 64) } else { (2048, 512) };
                    let (queues, slots) = (self.shape.workers, slots / self.shape.workers);
                    format!("net_af_packet{i},iface=wire{i},qpairs={queues},framesz={slot},framecnt={slots},blocksz=65536")
                }
                Wire::NetTap => format!("net_tap{i},iface=host{i}"),
            };
            // Writing to a String cannot fail.
            let _ = write!(text, "[[dataplane.port]]\nname = \"{port}\"\ndevice = \"{device}\"\nmtu = {}\n\n", self.shape.mtu);
        }
        let _ = writeln!(text, "[dataplane.conntrack]");
        for (name, value) in self.shape.conntrack {
            let _ = writeln!(text, "{name} = {value}");
        }
        let _ = write!(
            text,
            "\n[control]\nstate_dir = \"{}\"\nmetrics = \"127.0.0.1:9478\"\n",
            self.dir.path().join("state").display()
        );
        text
    }

    /// Starts the dataplane and gives its TAPs their addresses.
    pub fn start_dataplane(&mut self) -> Result<()> {
        if self.shape.system == System::Kernel {
            kernel::start(&self.rampart, self.shape.conntrack)?;
            return self.address_box();
        }
        let log = fs::File::create(self.dir.path().join("dataplane.log"))?;
        let mut command = self.daemon("rampart-dataplane");
        command.arg("--config").arg(self.config()).stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        let mut process = Process::spawn(&mut command, "rampart-dataplane")?;
        let started = wait_until("the dataplane makes its TAPs", Duration::from_secs(30), || {
            process.check_running()?;
            Ok(self.rampart.attempt("ip link show eth0 && ip link show eth1")?.0 && self.run_dir().join("dataplane.sock").exists())
        });
        started.with_context(|| self.tail("dataplane.log"))?;
        self.dataplane = Some(process);
        if self.shape.wire == Wire::NetTap {
            for (i, host) in [&self.outside, &self.inside].iter().enumerate() {
                self.rampart.run(&format!("ip link set host{i} netns {} name net0", host.name()))?;
                // The device that DPDK made has its port's own address, of which both ends would make one and the same link-local one.
                host.run(&format!("ip link set net0 address 02:00:00:00:01:0{i} mtu {} up", self.shape.mtu))?;
            }
            self.address_hosts()?;
        }
        self.address_box()
    }

    /// A daemon, in the box or sent there by its environment.
    fn daemon(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        if self.shape.started_elsewhere {
            let mut command = Command::new(program);
            command.env("RAMPART_NETNS", self.rampart.name());
            command
        } else {
            self.rampart.command(program)
        }
    }

    fn address_box(&self) -> Result<()> {
        let ipv6 = match self.shape.ipv6 {
            true => {
                "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth1.disable_ipv6=0 && \
                 ip addr replace 2001:db8:f::1/64 dev eth0 nodad && ip addr replace 2001:db8:1::1/64 dev eth1 nodad"
            }
            false => "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 net.ipv6.conf.eth1.disable_ipv6=1",
        };
        self.rampart.run(&format!(
            "{ipv6} && ip addr replace 203.0.113.1/24 dev eth0 && ip addr replace 192.168.1.1/24 dev eth1 && \
             ip link set eth0 up && ip link set eth1 up"
        ))?;
        Ok(())
    }

    /// Starts the control daemon.
    pub fn start_control(&mut self) -> Result<()> {
        if self.shape.system == System::Kernel {
            return Ok(());
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.dir.path().join("rampartd.log"))?;
        let mut command = self.daemon("rampartd");
        command.arg("--config").arg(self.config()).stdout(Stdio::from(log.try_clone()?)).stderr(Stdio::from(log));
        self.control = Some(Process::spawn(&mut command, "rampartd")?);
        Ok(())
    }

    /// Starts both daemons and returns when rules are enforced and the box knows its addresses.
    pub fn start(&mut self) -> Result<()> {
        self.start_dataplane()?;
        self.start_control()?;
        self.wait_ready()
    }

    /// `rampart wait-ready`.
    pub fn wait_ready(&mut self) -> Result<()> {
        if self.shape.system == System::Kernel {
            return Ok(());
        }
        let (ok, said) = self.cli("rampart wait-ready --timeout 20")?;
        if !ok {
            bail!("rampart wait-ready: {said}\n{}\n{}", self.tail("dataplane.log"), self.tail("rampartd.log"));
        }
        Ok(())
    }

    /// Ends the dataplane; `gently` with SIGTERM, else as a crash would.
    pub fn stop_dataplane(&mut self, gently: bool) -> Result<()> {
        end(self.dataplane.take(), gently).with_context(|| self.tail("dataplane.log"))
    }

    /// Ends the control daemon; `gently` with SIGTERM, else as a crash would.
    pub fn stop_control(&mut self, gently: bool) -> Result<()> {
        end(self.control.take(), gently).with_context(|| self.tail("rampartd.log"))
    }

    /// Runs one of Rampart's commands on the box (`iptables -A ...`, `rampart status`), through a shell, and says whether it succeeded.
    pub fn cli(&self, line: &str) -> Result<(bool, String)> {
        self.rampart.attempt(&format!(
            "PATH={}:$PATH RAMPART_SOCKET={} {line}",
            self.bin.display(),
            self.run_dir().join("control.sock").display()
        ))
    }

    /// As [`Lab::cli`]; failure is an error.
    pub fn ok(&self, line: &str) -> Result<String> {
        let (ok, said) = self.cli(line)?;
        ensure!(ok, "{line}: {said}");
        Ok(said)
    }

    /// Tells the host outside the way to the network inside, so that its packets come as they are.
    pub fn route_inward(&self) -> Result<()> {
        self.outside.run(&format!("ip route replace 192.168.1.0/24 via {BOX_OUTSIDE}"))?;
        Ok(())
    }

    /// Pings a host inside from outside, once, with a packet of so many bytes: is it answered within a second?
    pub fn ping_inward(&self, bytes: usize) -> Result<bool> {
        const HEADERS: usize = 28;
        let data = bytes.checked_sub(HEADERS).context("a ping has headers of 28 bytes")?;
        Ok(self.outside.attempt(&format!("ping -c 1 -W 1 -s {data} 192.168.1.2"))?.0)
    }

    /// Loads a ruleset, in the form of iptables-save.
    pub fn restore(&self, rules: &str) -> Result<()> {
        self.restore_by("iptables-restore", rules)
    }

    /// Loads a ruleset of IPv6, in the form of ip6tables-save.
    pub fn restore_ipv6(&self, rules: &str) -> Result<()> {
        self.restore_by("ip6tables-restore", rules)
    }

    fn restore_by(&self, program: &str, rules: &str) -> Result<()> {
        let path = self.dir.path().join("rules");
        fs::write(&path, rules)?;
        self.ok(&format!("{program} {}", path.display())).map(drop)
    }

    /// Packets and bytes of the rule whose saved form contains `text`, out of `iptables-save -c`.
    pub fn counters(&self, text: &str) -> Result<(u64, u64)> {
        self.counters_by("iptables-save -c", text)
    }

    /// As [`Lab::counters`], of IPv6.
    pub fn counters_ipv6(&self, text: &str) -> Result<(u64, u64)> {
        self.counters_by("ip6tables-save -c", text)
    }

    fn counters_by(&self, command: &str, text: &str) -> Result<(u64, u64)> {
        let saved = self.ok(command)?;
        let line =
            saved.lines().find(|l| l.starts_with('[') && l.contains(text)).with_context(|| format!("no rule {text}:\n{saved}"))?;
        let pair = line.trim_start_matches('[').split(']').next().and_then(|c| c.split_once(':')).context("no counters")?;
        Ok((pair.0.parse()?, pair.1.parse()?))
    }

    /// The last lines that a daemon wrote, for error messages.
    pub fn tail(&self, file: &str) -> String {
        let text = fs::read_to_string(self.dir.path().join(file)).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("{file}:\n{}", lines[lines.len().saturating_sub(15)..].join("\n"))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The daemons first: they hold devices in the namespaces.
        drop(self.control.take());
        drop(self.dataplane.take());
        for namespace in [&self.outside, &self.inside, &self.rampart] {
            if let Err(error) = run(Command::new("ip").args(["netns", "del", namespace.name()])) {
                eprintln!("{error:#}");
            }
        }
    }
}

fn end(process: Option<Process>, gently: bool) -> Result<()> {
    let process = process.context("it does not run")?;
    if gently { process.stop(Duration::from_secs(10)) } else { process.kill() }
}

/// Where the programs are: `RAMPART_BIN`, or the build folder that holds this one.
pub fn binaries() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("RAMPART_BIN") {
        return Ok(PathBuf::from(dir));
    }
    let me = std::env::current_exe()?;
    me.ancestors()
        .skip(1)
        .find(|dir| Path::join(dir, "rampart-dataplane").exists() && Path::join(dir, "iptables-save").exists())
        .map(Path::to_owned)
        .context("rampart-dataplane is not beside this program: run make build, or set RAMPART_BIN")
}

/// Is a tool on the machine?
pub fn have(tool: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {tool}")]).stdout(Stdio::null()).status().is_ok_and(|s| s.success())
}
