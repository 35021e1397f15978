//! Everything that needs a running EAL. It can be started once per process, so one test runs all steps in order; the last one
//! shows that nothing leaked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use dpdk::burst::{self, BURST, Burst};
use dpdk::clock::Clock;
use dpdk::eal::{self, Eal, Handle};
use dpdk::lcore::{self, Registration};
use dpdk::mbuf::{HEADROOM, Mbuf, PullUpError, RxChecksum};
use dpdk::mempool::{DATA_ROOM, Mempool, data_room_for};
use dpdk::port::{Port, PortConfig, Rss};
use dpdk::{Error, queue};

const CONFIG: PortConfig =
    PortConfig { rx_queues: 1, tx_queues: 1, rx_descriptors: 256, tx_descriptors: 256, mtu: 1500, rx_checksum: true, rss: None };

#[test]
fn on_one_eal() {
    let files = Files::new();
    let eal = start(&files);
    let handle = eal.handle();
    let pool = Mempool::new(handle, "packets", 4095, 64, DATA_ROOM, None).expect("a small pool");
    assert!(matches!(Eal::init(&[]), Err(Error::EalStartedTwice)));
    assert!(!eal.has_hugepages(), "--no-huge was asked for");
    assert!(eal::version().starts_with("DPDK "));

    a_pool_gives_what_it_has_and_gets_it_back(handle, &pool);
    a_pool_that_cannot_be_made_is_refused_in_words(handle);
    a_chain_reads_as_its_bytes(&pool);
    a_chain_pulls_up_without_losing_a_byte(&pool);
    a_chain_is_trimmed_at_both_ends(&pool);
    a_packet_grows_into_its_headroom_and_tailroom(handle, &pool);
    a_fresh_packet_has_no_flags_and_no_sharer(&pool);
    a_ring_port_returns_the_same_bytes(handle, &pool);
    a_full_transmit_queue_leaves_the_rest_to_the_caller(handle, &pool);
    a_pcap_port_carries_jumbo_frames(handle, &pool, &files);
    a_null_port_spreads_by_the_table_that_it_was_given(handle, &pool);
    a_port_has_one_owner_and_its_name(handle);
    a_port_refuses_what_its_driver_cannot_do(handle, &pool);
    a_registered_thread_is_an_lcore_until_it_lets_go(handle, &pool);
    the_clock_runs_at_its_frequency(handle);

    assert_eq!(pool.in_use(), 0);
    drop(pool);
    eal.shutdown().expect("no handle and no packet is left");
}

fn a_pool_gives_what_it_has_and_gets_it_back(handle: &Handle, pool: &Mempool) {
    let small = Mempool::new(handle, "small", 63, 0, DATA_ROOM, None).expect("a small pool");
    assert_eq!((small.available(), small.in_use()), (63, 0));
    let all: Vec<Mbuf> = std::iter::from_fn(|| small.alloc()).collect();
    assert_eq!((all.len(), small.available(), small.in_use()), (63, 0, 63));
    assert!(small.packet(b"x").is_none(), "an empty pool has no packet");
    drop(all);
    assert_eq!(small.in_use(), 0);

    let mut some = Burst::new();
    assert!(small.alloc_bulk(&mut some, 40));
    assert!(!small.alloc_bulk(&mut some, 40), "a burst has room for 64");
    assert_eq!((some.len(), small.in_use()), (40, 40));
    let mut others = Burst::new();
    assert!(!small.alloc_bulk(&mut others, 40), "all or none");
    assert_eq!((others.len(), small.in_use()), (0, 40));
    burst::free(&mut some);
    assert_eq!((some.len(), small.in_use()), (0, 0));

    // The chain that could not be finished goes back.
    assert!(small.packet(&[0; 63 * 2048 + 1]).is_none());
    assert_eq!(small.in_use(), 0);
    assert_eq!(pool.in_use(), 0, "pools are apart");
}

fn a_pool_that_cannot_be_made_is_refused_in_words(handle: &Handle) {
    let twice = Mempool::new(handle, "packets", 63, 0, DATA_ROOM, None).expect_err("the name is taken").to_string();
    assert!(twice.contains("packets") && twice.contains("another name"), "{twice}");
    let cache = Mempool::new(handle, "cache", 63, 513, DATA_ROOM, None).expect_err("a cache beyond the limit").to_string();
    assert!(cache.contains("cache may be at most"), "{cache}");
    let huge = Mempool::new(handle, "huge", 1 << 20, 0, DATA_ROOM, None).expect_err("2 GB out of 128 MB").to_string();
    assert!(huge.contains("huge pages"), "{huge}");
}

fn a_chain_reads_as_its_bytes(pool: &Mempool) {
    let bytes = pattern(9000);
    let mut packet = pool.packet(&bytes).expect("five buffers");
    assert_eq!((packet.len(), packet.segment_count(), pool.in_use()), (9000, 5, 5));
    assert_eq!(packet.segments().map(<[u8]>::len).collect::<Vec<_>>(), [2048, 2048, 2048, 2048, 808]);
    assert_eq!(all(&packet), bytes);

    let mut middle = [0; 3000];
    assert_eq!(packet.read(2000, &mut middle), 3000);
    assert_eq!(middle[..], bytes[2000..5000]);
    assert_eq!(packet.read(8999, &mut middle), 1);
    assert_eq!(packet.read(9000, &mut middle), 0);
    assert_eq!(packet.read(usize::MAX, &mut middle), 0);

    for segment in packet.segments_mut() {
        segment.iter_mut().for_each(|byte| *byte = !*byte);
    }
    assert!(all(&packet).iter().zip(&bytes).all(|(now, then)| *now == !*then));

    let copy = pool.copy(&packet).expect("five more");
    assert_eq!((all(&copy), pool.in_use()), (all(&packet), 10));
    assert!(pool.copy(&pool.packet(b"").expect("one")).is_some_and(|copy| copy.is_empty()));
}

fn a_chain_pulls_up_without_losing_a_byte(pool: &Mempool) {
    let bytes = pattern(9000);
    // A first segment of 1 byte and a second one of 3, as a hostile sender might arrange it.
    let mut packet = pool.packet(&bytes[..1]).expect("one");
    packet.chain(pool.packet(&bytes[1..4]).expect("one")).expect("short chains");
    packet.chain(pool.packet(&bytes[4..]).expect("five")).expect("short chains");
    assert_eq!((packet.segment_count(), pool.in_use()), (7, 7));

    packet.pull_up(1).expect("contiguous already");
    assert_eq!(packet.segment_count(), 7);
    packet.pull_up(60).expect("room is there");
    assert_eq!(packet.data(), &bytes[..60]);
    assert_eq!((all(&packet), packet.segment_count(), pool.in_use()), (bytes.clone(), 6, 6));

    // Beyond the tailroom: the data moves down into the headroom.
    packet.pull_up(2100).expect("2,176 bytes of buffer");
    assert_eq!((packet.headroom(), packet.data().len()), (76, 2100));
    assert_eq!(all(&packet), bytes);

    assert_eq!(packet.pull_up(2177), Err(PullUpError::NoRoom));
    assert_eq!(packet.pull_up(9001), Err(PullUpError::TooShort));
    assert_eq!(all(&packet), bytes, "a refusal changes nothing");
}

fn a_chain_is_trimmed_at_both_ends(pool: &Mempool) {
    let bytes = pattern(9000);
    let mut packet = pool.packet(&bytes).expect("five");
    assert!(!packet.trim_front(2049), "only the first segment is trimmed");
    assert!(packet.trim_front(14));
    assert_eq!((all(&packet), packet.headroom()), (bytes[14..].to_vec(), usize::from(HEADROOM) + 14));

    packet.truncate(9000);
    assert_eq!(packet.len(), 8986, "a longer length changes nothing");
    packet.truncate(5000);
    assert_eq!((all(&packet), packet.segment_count(), pool.in_use()), (bytes[14..5014].to_vec(), 3, 3));
    packet.truncate(2034);
    assert_eq!((packet.segment_count(), packet.data()), (1, &bytes[14..2048]), "an end between two segments leaves no empty one");
    packet.truncate(0);
    assert_eq!((packet.is_empty(), packet.segment_count(), pool.in_use()), (true, 1, 1));
}

fn a_packet_grows_into_its_headroom_and_tailroom(handle: &Handle, pool: &Mempool) {
    let mut packet = pool.packet(b"payload").expect("one");
    packet.prepend(4).expect("headroom").copy_from_slice(b"head");
    packet.append(4).expect("tailroom").copy_from_slice(b"tail");
    assert_eq!((packet.data(), packet.len()), (&b"headpayloadtail"[..], 15));
    assert!(packet.prepend(packet.headroom() + 1).is_none());
    assert!(packet.append(packet.tailroom() + 1).is_none());
    assert_eq!(packet.data(), b"headpayloadtail", "a refusal changes nothing");
    assert_eq!(packet.prepend(packet.headroom()).expect("all of it").len(), usize::from(HEADROOM) - 4);

    // A frame of 9,000 bytes in one buffer, for drivers without chains.
    let jumbo = Mempool::new(handle, "jumbo", 63, 0, data_room_for(9018).expect("less than 64 KiB"), None).expect("a small pool");
    let packet = jumbo.packet(&pattern(9018)).expect("one");
    assert_eq!((packet.segment_count(), packet.data()), (1, &pattern(9018)[..]));
    assert_eq!(data_room_for(65535), None);
}

fn a_fresh_packet_has_no_flags_and_no_sharer(pool: &Mempool) {
    let mut packet = pool.packet(&pattern(3000)).expect("two");
    packet.set_l4_checksum(RxChecksum::Good);
    assert_eq!((packet.ip_checksum(), packet.l4_checksum()), (RxChecksum::Unknown, RxChecksum::Good));
    packet.clear_offload_flags();
    assert!(!packet.is_shared());
    assert_eq!((packet.ip_checksum(), packet.l4_checksum()), (RxChecksum::Unknown, RxChecksum::Unknown));
    assert_eq!((packet.rss_hash(), packet.stripped_vlan()), (None, None));
}

fn a_ring_port_returns_the_same_bytes(handle: &Handle, pool: &Mempool) {
    let mut port = Port::by_name(handle, "net_ring0").expect("probed");
    assert!(matches!(port.start(), Err(Error::NotConfigured(_))));
    let settings = port.configure(&PortConfig { mtu: 9000, ..CONFIG }, std::slice::from_ref(pool)).expect("a port");
    assert!(settings.rx_chains && settings.tx_chains && !settings.rx_checksum && !settings.rss);
    let (mut rx, mut tx) = port.start().expect("configured");
    assert_eq!((rx.len(), tx.len()), (1, 1));

    let sizes = [60, 1514, 2048, 2049, 9014];
    let mut burst: Burst = sizes.iter().map(|size| pool.packet(&pattern(*size)).expect("a packet")).collect();
    assert_eq!(tx[0].tx(&mut burst), 5);
    assert!(burst.is_empty());
    assert_eq!(rx[0].rx(&mut burst), 5);
    for (packet, size) in burst.iter().zip(sizes) {
        assert_eq!(all(packet), pattern(size));
    }
    assert_eq!(rx[0].rx(&mut burst), 0, "nothing more is there");
    let stats = port.stats().expect("counters");
    assert_eq!((stats.ipackets, stats.opackets), (5, 5));
    assert!(port.link().expect("a state").up);
    burst::free(&mut burst);

    // While a worker holds a queue the port stays as it is.
    assert!(matches!(port.stop(), Err(Error::QueuesInUse(name)) if name == "net_ring0"));
    assert!(matches!(port.configure(&CONFIG, std::slice::from_ref(pool)), Err(Error::QueuesInUse(_))));
    drop((rx, tx));
    port.stop().expect("no queue is left");
    let (rx, _tx) = port.start().expect("it starts again");
    drop(port);
    queue_outlives_its_port(rx.into_iter().next().expect("one queue"));
    assert_eq!(pool.in_use(), 0);
}

fn queue_outlives_its_port(mut rx: queue::RxQueue) {
    assert_eq!(rx.rx(&mut Burst::new()), 0, "still open: the last queue closes the port");
}

fn a_full_transmit_queue_leaves_the_rest_to_the_caller(handle: &Handle, pool: &Mempool) {
    let mut port = Port::by_name(handle, "net_ring1").expect("probed");
    port.configure(&CONFIG, std::slice::from_ref(pool)).expect("a port");
    let (mut rx, mut tx) = port.start().expect("configured");
    let mut number = 0u16;
    let mut burst = Burst::new();
    loop {
        while !burst.is_full() {
            burst.push(pool.packet(&number.to_be_bytes()).expect("the pool is larger than the ring"));
            number += 1;
        }
        if tx[0].tx(&mut burst) < BURST {
            break;
        }
    }
    let left: Vec<u16> = burst.iter().map(number_of).collect();
    assert!(!left.is_empty());
    let sent = number - left.len() as u16;
    assert_eq!(left, (sent..number).collect::<Vec<_>>(), "in order, and the last ones");
    burst::free(&mut burst);

    let mut seen = Vec::new();
    while rx[0].rx(&mut burst) > 0 {
        seen.extend(burst.drain(..).map(|packet| number_of(&packet)));
    }
    assert_eq!(seen, (0..sent).collect::<Vec<_>>());
    assert_eq!(pool.in_use(), 0);
}

fn a_pcap_port_carries_jumbo_frames(handle: &Handle, pool: &Mempool, files: &Files) {
    let mut port = Port::by_name(handle, "net_pcap0").expect("probed");
    port.configure(&PortConfig { mtu: 9000, ..CONFIG }, std::slice::from_ref(pool)).expect("a port");
    let (mut rx, mut tx) = port.start().expect("configured");
    let mut burst = Burst::new();
    while burst.len() < FRAMES.len() {
        assert!(rx[0].rx(&mut burst) > 0, "the file ended early");
    }
    for (packet, size) in burst.iter().zip(FRAMES) {
        assert_eq!((all(packet), packet.port()), (pattern(size), rx[0].port()));
    }
    assert_eq!(tx[0].tx(&mut burst), FRAMES.len());
    drop((rx, tx, port));
    assert_eq!(pcap_frames(&files.output()), FRAMES.map(pattern));
    assert_eq!(pool.in_use(), 0);
}

fn a_null_port_spreads_by_the_table_that_it_was_given(handle: &Handle, pool: &Mempool) {
    let mut port = Port::by_name(handle, "net_null0").expect("probed");
    let rss = Some(Rss { key: Some(vec![0x6d; 40]) });
    let settings = port.configure(&PortConfig { rx_queues: 2, tx_queues: 2, rss, ..CONFIG }, std::slice::from_ref(pool));
    assert!(settings.expect("two queues").rss);
    let (mut rx, mut tx) = port.start().expect("configured");
    let slots = port.info().expect("its abilities").redirection_slots;
    let table: Vec<u16> = (0..slots).map(|slot| slot % 2).collect();
    port.set_redirection(&table).expect("a table of the right size");
    assert!(matches!(port.set_redirection(&table[1..]), Err(Error::Unsupported { .. })));

    // Two threads with a queue pair each, over one pool.
    let pairs: Vec<_> = rx.drain(..).zip(tx.drain(..)).collect();
    std::thread::scope(|scope| {
        for (mut rx, mut tx) in pairs {
            scope.spawn(move || {
                let _registration = Registration::new(handle).expect("a free lcore id");
                let mut burst = Burst::new();
                for _ in 0..1000 {
                    assert_eq!(rx.rx(&mut burst), BURST);
                    assert_eq!(tx.tx(&mut burst), BURST);
                }
            });
        }
    });
    assert_eq!(port.stats().expect("counters").opackets, 2 * 1000 * BURST as u64);
    drop(port);
    assert_eq!(pool.in_use(), 0);
}

fn a_port_has_one_owner_and_its_name(handle: &Handle) {
    let port = Port::by_name(handle, "net_null1").expect("probed");
    assert!(matches!(Port::by_name(handle, "net_null1"), Err(Error::PortTaken(_))));
    let missing = Port::by_name(handle, "eth7").expect_err("no such port").to_string();
    assert!(missing.contains("eth7") && missing.contains("net_null1"), "{missing}");
    assert_eq!(port.name(), "net_null1");
    let info = port.info().expect("its abilities");
    assert_eq!((info.driver.as_str(), info.mac[0] & 1), ("net_null", 0));
}

fn a_port_refuses_what_its_driver_cannot_do(handle: &Handle, pool: &Mempool) {
    let mut port = Port::by_name(handle, "net_pcap1").expect("probed");
    let one = std::slice::from_ref(pool);
    let mut refused = |config: PortConfig, pools: &[Mempool], word: &str| {
        let error = port.configure(&config, pools).expect_err("refused").to_string();
        assert!(error.contains("net_pcap1") && error.contains(word), "{error}");
    };
    refused(PortConfig { rx_queues: 2, ..CONFIG }, one, "2 receive queues are not in 1 to 1");
    refused(PortConfig { tx_queues: 0, ..CONFIG }, one, "0 transmit queues");
    refused(PortConfig { mtu: 20, ..CONFIG }, one, "an MTU of 20");
    refused(CONFIG, &[], "0 pools");
}

fn a_registered_thread_is_an_lcore_until_it_lets_go(handle: &Handle, pool: &Mempool) {
    assert!(lcore::current().is_some(), "the thread that started EAL is one");
    assert!(matches!(Registration::new(handle), Err(Error::Register(_))));
    let in_other_thread = || {
        assert_eq!(lcore::current(), None);
        let packet = pool.packet(b"made without a cache").expect("one");
        let registration = Registration::new(handle).expect("a free lcore id");
        assert_eq!(lcore::current(), Some(registration.lcore()));
        drop(packet);
        drop(registration);
        assert_eq!(lcore::current(), None);
    };
    std::thread::scope(|scope| scope.spawn(in_other_thread).join().expect("it ends well"));

    // A packet may end its life in another thread than its maker's.
    let packet = pool.packet(b"travels").expect("one");
    std::thread::scope(|scope| scope.spawn(move || assert_eq!(packet.data(), b"travels")).join().expect("it ends well"));
    assert_eq!(pool.in_use(), 0);
}

fn the_clock_runs_at_its_frequency(handle: &Handle) {
    let clock = Clock::new(handle);
    let (start, before) = (std::time::Instant::now(), clock.cycles());
    std::thread::sleep(Duration::from_millis(50));
    let (cycles, real) = (clock.cycles() - before, start.elapsed());
    let measured = clock.duration(cycles);
    assert!(measured >= Duration::from_millis(45) && measured <= real * 11 / 10, "{measured:?} for {real:?}");
    assert_eq!(clock.duration(clock.hz()), Duration::from_secs(1));
}

/// Bytes of the frames in the capture that net_pcap0 reads.
const FRAMES: [usize; 4] = [60, 1514, 9014, 2048];

fn start(files: &Files) -> Eal {
    let args = [
        "--no-huge".into(),
        "-m128".into(),
        "--no-pci".into(),
        "--no-shconf".into(),
        "--no-telemetry".into(),
        format!("--file-prefix=dpdk-test-{}", process::id()),
        "--vdev=net_ring0".into(),
        "--vdev=net_ring1".into(),
        "--vdev=net_null0,size=60".into(),
        "--vdev=net_null1".into(),
        format!("--vdev=net_pcap0,rx_pcap={},tx_pcap={}", files.input().display(), files.output().display()),
        format!("--vdev=net_pcap1,rx_pcap={},tx_pcap={}", files.input().display(), files.unused().display()),
    ];
    Eal::init(&args).expect("EAL starts without huge pages")
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8).collect()
}

fn all(packet: &Mbuf) -> Vec<u8> {
    packet.segments().flatten().copied().collect()
}

fn number_of(packet: &Mbuf) -> u16 {
    u16::from_be_bytes(packet.data().try_into().expect("two bytes"))
}

/// Captures in a folder of our own.
struct Files(PathBuf);

impl Files {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("dpdk-test-{}", process::id()));
        fs::create_dir_all(&folder).expect("a folder under the temporary directory");
        let files = Files(folder);
        let mut capture = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];
        for len in FRAMES {
            capture.extend([0; 8]);
            capture.extend((len as u32).to_le_bytes());
            capture.extend((len as u32).to_le_bytes());
            capture.extend(pattern(len));
        }
        fs::write(files.input(), capture).expect("a file there");
        files
    }

    fn input(&self) -> PathBuf {
        self.0.join("in.pcap")
    }

    fn output(&self) -> PathBuf {
        self.0.join("out.pcap")
    }

    fn unused(&self) -> PathBuf {
        self.0.join("unused.pcap")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The frames of a little-endian capture file.
fn pcap_frames(file: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(file).expect("the port wrote it");
    let mut rest = &bytes[24..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[8..12].try_into().expect("four bytes")) as usize;
        frames.push(rest[16..16 + len].to_vec());
        rest = &rest[16 + len..];
    }
    frames
}
