//! The first light: the real process on af_packet, between two namespaces, with a program that accepts everything.
//!
//! Run by `make test` inside `tests/net/enter`, which gives the test network, mount and process namespaces of its own.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use packet::Ipv4;
use program::{Chain, ChainId, CounterSlot, IdRange, Policy, Table, TableKind, image};
use proto::private::{self, Family, Form, Publish, Reply, Request, Role, TableRef, VERSION};
use proto::stats::Stats;
use proto::wire::{self, Socket};

const CONFIG: &str = r#"
[instance]
name = "forward"
run_dir = "RUN"
[dataplane]
huge_pages = "never"
mbufs = 4096
[[dataplane.port]]
name = "eth0"
device = "net_af_packet0,iface=wire0,framesz=2048,framecnt=512,blocksz=65536"
[[dataplane.port]]
name = "eth1"
device = "net_af_packet1,iface=wire1,framesz=2048,framecnt=512,blocksz=65536"
[[dataplane.address]]
address = "10.1.0.1/24"
dev = "eth0"
[[dataplane.address]]
address = "10.2.0.1/24"
dev = "eth1"
[[dataplane.neighbour]]
address = "10.1.0.2"
mac = "02:00:00:00:01:02"
dev = "eth0"
[[dataplane.neighbour]]
address = "10.2.0.2"
mac = "02:00:00:00:02:02"
dev = "eth1"
"#;

/// Two hosts, each at the end of a wire; nothing but Rampart joins the wires. Each host knows the box's Ethernet address by heart.
const WORLD: &str = r#"
set -e
for n in 0 1; do
    host=h$n net=$((n + 1)) other=$((2 - n))
    ip netns add $host
    ip link add wire$n address 02:00:00:00:0$net:01 type veth peer name net0 netns $host address 02:00:00:00:0$net:02
    sysctl -qw net.ipv6.conf.wire$n.disable_ipv6=1
    ip link set wire$n up
    nft add table netdev silence
    nft "add chain netdev silence wire$n { type filter hook ingress device wire$n priority 0; policy drop; }"
    ip netns exec $host sh -ec "
        sysctl -qw net.ipv6.conf.all.disable_ipv6=1
        ethtool -K net0 tx off tso off gso off gro off >/dev/null
        ip addr add 10.$net.0.2/24 dev net0
        ip link set net0 up
        ip neigh replace 10.$net.0.1 lladdr 02:00:00:00:0$net:01 dev net0
        ip route add 10.$other.0.0/24 via 10.$net.0.1"
done
"#;

/// A table of policies that accept. Counter slots follow the hooks' numbers.
fn accept_everything() -> Table<Ipv4> {
    let names = ["INPUT", "FORWARD", "OUTPUT"];
    let chain = |(slot, name): (usize, &&str)| Chain {
        name: (*name).to_owned(),
        rules: IdRange { first: 0, len: 0 },
        policy: Some(Policy { accept: true, counter: CounterSlot(slot as u32) }),
    };
    Table {
        hooks: [None, Some(ChainId(0)), Some(ChainId(1)), Some(ChainId(2)), None],
        chains: names.iter().enumerate().map(chain).collect(),
        ..Table::empty(TableKind::Filter)
    }
}

/// The process, ended with the test.
struct Dataplane(Child);

impl Drop for Dataplane {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn shell(line: &str) -> bool {
    Command::new("sh").args(["-c", line]).stdout(Stdio::null()).status().expect("sh runs").success()
}

/// Pings across the box: 20 packets of this size in both directions; true if all were answered.
fn ping(size: u32) -> bool {
    shell(&format!("ip netns exec h0 ping -q -n -c 20 -i 0.01 -W 1 -s {size} 10.2.0.2 >&2"))
}

fn connect(socket: &Path) -> Socket {
    let socket = Socket::connect(socket).expect("the private socket is there");
    socket.set_timeout(Some(Duration::from_secs(5))).expect("a time limit");
    socket
}

fn stats(socket: &Socket) -> Stats {
    socket.send(&Request::Stats {}, &[]).expect("asked");
    let (reply, fds) = socket.recv::<Reply>().expect("answered");
    assert_eq!(reply, Reply::Stats {});
    serde_json::from_slice(&wire::read_sealed(&fds[0], 1 << 20).expect("sealed")).expect("statistics")
}

#[test]
#[ignore = "needs root and network namespaces; run by make test"]
fn packets_pass_between_two_hosts_once_a_program_accepts_them_and_not_before() {
    assert_eq!(std::env::var("RAMPART_ENTERED").as_deref(), Ok("yes"), "run it through tests/net/enter");
    assert!(shell(WORLD), "the namespaces are made");
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("rampart.toml");
    let run_dir = folder.path().join("run");
    fs::write(&config, CONFIG.replace("RUN", &run_dir.display().to_string())).expect("a file");
    let mut dataplane = Dataplane(
        Command::new(env!("CARGO_BIN_EXE_rampart-dataplane"))
            .arg("--config")
            .arg(&config)
            .spawn()
            .expect("rampart-dataplane starts"),
    );
    let path = run_dir.join("dataplane.sock");
    let begun = Instant::now();
    while Socket::connect(&path).is_err() {
        assert!(dataplane.0.try_wait().expect("a child").is_none(), "it ended at once");
        assert!(begun.elapsed() < Duration::from_secs(20), "it never listened");
        thread::sleep(Duration::from_millis(50));
    }
    let socket = connect(&path);
    socket.send(&Request::Hello { version: VERSION, role: Role::Controller }, &[]).expect("asked");
    let Reply::Hello { generation: 0, interfaces, .. } = socket.recv::<Reply>().expect("answered").0 else {
        panic!("no program runs yet");
    };
    assert_eq!(interfaces.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["eth0", "eth1"]);

    assert!(!shell("ip netns exec h0 ping -q -n -c 2 -i 0.1 -W 1 10.2.0.2 >&2"), "without a program nothing passes");
    assert!(stats(&socket).drops["NoProgram"] >= 2);

    let image = wire::sealed("filter", &image::encode_table(&accept_everything())).expect("a segment");
    let source = wire::sealed("source", b"").expect("a segment");
    let tables = vec![TableRef { family: Family::Ipv4, kind: private::TableKind::Filter, form: Form::Whole }];
    let publish = Request::Publish(Publish {
        based_on: 0,
        labels: vec![String::new()],
        tables,
        source_goes_on: false,
        begins_counters: false,
    });
    socket.send(&publish, &[image.as_fd(), source.as_fd()]).expect("asked");
    assert_eq!(socket.recv::<Reply>().expect("answered").0, Reply::Published { generation: 1 });

    assert!(ping(56), "small packets pass");
    assert!(ping(1472), "packets of the full 1,500 bytes pass");

    socket.send(&Request::Counters {}, &[]).expect("asked");
    let (reply, fds) = socket.recv::<Reply>().expect("answered");
    assert_eq!(reply, Reply::Counters { slots: 3 });
    let cells = wire::read_sealed(&fds[0], 1 << 20).expect("sealed");
    let cell = |n: usize| u64::from_ne_bytes(cells[n * 8..n * 8 + 8].try_into().expect("eight bytes"));
    assert_eq!((cell(2), cell(3)), (80, 40 * 84 + 40 * 1500), "packets and bytes of FORWARD");

    // The box's own stack has the addresses that the configuration names.
    assert!(shell("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1 && ip addr add 10.1.0.1/24 dev eth0"));
    assert!(shell("ip netns exec h0 ping -q -n -c 5 -i 0.1 -W 1 10.1.0.1 >&2"), "the box answers through its TAP");

    assert!(shell(&format!("kill -TERM {}", dataplane.0.id())));
    let status = dataplane.0.wait().expect("it ends");
    assert!(status.success(), "{status}");
    assert!(!shell("ip netns exec h0 ping -q -n -c 2 -i 0.1 -W 1 10.2.0.2 >&2"), "without the firewall nothing answers");
}
