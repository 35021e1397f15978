//! net_af_packet on a pair of veths, at an MTU of 1,500 and of 9,000.
//!
//! The outer test starts itself again in namespaces of its own (user, network, mount), so it needs no root and touches nothing
//! outside; it needs `unshare`, `ip` and a kernel that lets users make namespaces.

use std::process::{Command, id};
use std::slice;
use std::time::{Duration, Instant};

use dpdk::burst::Burst;
use dpdk::eal::Eal;
use dpdk::mbuf::Mbuf;
use dpdk::mempool::Mempool;
use dpdk::port::{Port, PortConfig};
use dpdk::vdev::AfPacket;

/// EAL keeps its runtime files in /run when it is root, which it is inside.
const SCRIPT: &str = "mount -t tmpfs none /run && ip link add va type veth peer name vb \
    && ip link set va up && ip link set vb up && exec \"$0\" --ignored --exact \"$1\" --nocapture";

#[test]
fn frames_of_the_whole_mtu_pass_at_1500() {
    inside("at_1500");
}

#[test]
fn frames_of_the_whole_mtu_pass_at_9000() {
    inside("at_9000");
}

fn inside(test: &str) {
    let this = std::env::current_exe().expect("our own path");
    let output = Command::new("unshare").args(["-Urnm", "sh", "-c", SCRIPT]).arg(this).arg(test).output().expect("unshare runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}\n{errors}");
}

#[test]
#[ignore = "runs in the namespaces that the tests above make"]
fn at_1500() {
    exchange(1500);
}

#[test]
#[ignore = "runs in the namespaces that the tests above make"]
fn at_9000() {
    exchange(9000);
}

fn exchange(mtu: u16) {
    let ports = [("va", 0), ("vb", 1)].map(|(interface, number)| AfPacket {
        number,
        interface: interface.into(),
        queue_pairs: 1,
        mtu,
        slots: 64,
    });
    let mut args = ["--no-huge", "-m256", "--no-pci", "--no-shconf", "--no-telemetry"].map(String::from).to_vec();
    args.push(format!("--file-prefix=dpdk-test-{}", id()));
    args.extend(ports.iter().map(|port| port.eal_argument().expect("a slot that fits")));
    let eal = Eal::init(&args).expect("EAL starts without huge pages");
    let room = ports[0].data_room().expect("a buffer that fits");
    let pool = Mempool::new(eal.handle(), "packets", 2047, 64, room, None).expect("a pool");

    let config =
        PortConfig { rx_queues: 1, tx_queues: 1, rx_descriptors: 256, tx_descriptors: 256, mtu, rx_checksum: false, rss: None };
    let mut opened = ports.map(|port| {
        let mut port = Port::by_name(eal.handle(), &port.name()).expect("probed");
        let settings = port.configure(&config, slice::from_ref(&pool)).expect("a port");
        assert_eq!((settings.mtu, settings.rx_chains, settings.tx_chains), (mtu, false, true));
        let (rx, tx) = port.start().expect("configured");
        (port, rx, tx)
    });

    // Each in one buffer and as a chain: the shortest and the longest of the MTU.
    let sizes = [60, usize::from(mtu) + 14];
    let [(_, _, sender), (_, receiver, _)] = &mut opened;
    for size in sizes {
        let frame = frame(size);
        for mut packet in [pool.packet(&frame).expect("one"), chain(&pool, &frame)] {
            packet.clear_offload_flags();
            let mut burst = Burst::from_iter([packet]);
            assert_eq!(sender[0].tx(&mut burst), 1);
            assert_eq!(receive(&mut receiver[0], &mut burst), frame, "{size} bytes");
        }
    }
    drop(opened);
    assert_eq!(pool.in_use(), 0);
    drop(pool);
    eal.shutdown().expect("nothing is held");
}

/// A broadcast of an experimental EtherType, which no kernel sends by itself.
fn frame(len: usize) -> Vec<u8> {
    let header = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5];
    header.into_iter().chain((0..).map(|at| (at % 251) as u8)).take(len).collect()
}

fn chain(pool: &Mempool, bytes: &[u8]) -> Mbuf {
    let (first, second) = bytes.split_at(20);
    let mut packet = pool.packet(first).expect("one");
    packet.chain(pool.packet(second).expect("one")).expect("a short chain");
    packet
}

/// The next frame of our EtherType; the kernel adds its own (IPv6 neighbour discovery).
fn receive(queue: &mut dpdk::queue::RxQueue, burst: &mut Burst) -> Vec<u8> {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        queue.rx(burst);
        for packet in burst.drain(..) {
            let bytes: Vec<u8> = packet.segments().flatten().copied().collect();
            if bytes[12..14] == [0x88, 0xb5] {
                return bytes;
            }
        }
    }
    panic!("no frame came in time");
}
