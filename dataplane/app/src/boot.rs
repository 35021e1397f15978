//! From the configuration to threads that are ready to run. Everything that the packet path will ever use is allocated here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dpdk::clock::Clock;
use dpdk::eal::{Eal, Handle};
use dpdk::hugepages::Hugepages;
use dpdk::mbuf::HEADROOM;
use dpdk::mempool::Mempool;
use dpdk::port::{Port, PortConfig, Rss};
use dpdk::queue::{RxQueue, TxQueue};
use engine::drop::DropCounters;
use engine::keys::Keys;
use engine::log::LogRecord;
use engine::owner::{Home, Owners, rss_key};
use engine::rng::Rng;
use engine::sets::Sets;
use engine::shared::Shared;
use engine::{Worker, WorkerConfig};
use program::InterfaceId;
use proto::wire::Listener;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::config::{Config, Dataplane};
use crate::control::{ControlThread, Ports, Publication, Telemetry};
use crate::device::Device;
use crate::eal::{Memory, arguments, memory};
use crate::exception::ExceptionThread;
use crate::host::PortIdentity;
use crate::lock::Lock;
use crate::log::LogThread;
use crate::outside::{Exit, HostPacket, Rings, Unresolved, World};
use crate::stats::Traffic;
use crate::tap::Tap;
use crate::wall::Wall;
use crate::ways::{self, Outlet};
use crate::worker::{Bursts, Entrance, LINGER, Nanoseconds, WorkerThread};
use crate::{preflight, settings, stats};

/// Buffers that each thread keeps aside; a multiple of the burst.
const POOL_CACHE: u32 = 256;
/// Unresolved next hops between a worker and the control thread.
const UNRESOLVED: usize = 1024;
/// Buffers that are in no queue: bursts in work, waiting packets, the threads' caches.
const BUFFERS_IN_WORK: u32 = 2048;

/// Everything that runs, before it runs.
pub struct Booted {
    /// DPDK, on the thread that started it.
    pub eal: Eal,
    /// The workers.
    pub workers: Vec<WorkerThread>,
    /// The TAPs.
    pub exception: ExceptionThread,
    /// The lines of LOG rules.
    pub log: LogThread,
    /// The private socket.
    pub control: ControlThread<PortKeeper>,
    /// What clocks on the wall show, for rules that ask.
    pub wall: Wall,
    /// Set once, at the end: workers and TAPs.
    pub stop: Arc<AtomicBool>,
    /// Set after the workers have ended, so that no line of theirs is left behind.
    pub stop_log: Arc<AtomicBool>,
}

/// The ports' devices, for what the control thread asks of them.
pub struct PortKeeper {
    ports: Vec<(String, Port)>,
}

impl Ports for PortKeeper {
    fn stats(&self) -> Vec<proto::stats::Port> {
        // A driver without counters is reported with zeroes; what the workers count is reported beside it.
        self.ports.iter().map(|(name, port)| stats::port(name, &port.stats().unwrap_or_default())).collect()
    }

    fn carriers(&self) -> Vec<bool> {
        // A driver that cannot say has a link that is always there.
        self.ports.iter().map(|(_, port)| port.link().is_ok_and(|link| link.up)).collect()
    }
}

/// A port that has its queues.
struct Started {
    identity: PortIdentity,
    port: Port,
    rx: Vec<RxQueue>,
    tx: Vec<TxQueue>,
}

/// Boots. Packets reach the queues from here on, but nobody takes them before the threads run.
///
/// # Errors
/// What is missing or refused, with what mends it.
pub fn boot(config: Config, lock: &Lock) -> Result<Booted> {
    let config = Arc::new(config);
    let d = &config.dataplane;
    let devices = devices(&config)?;
    let eal = start_eal(&config, &devices)?;
    let handle = eal.handle();
    let room = d.mbuf_size() + HEADROOM;
    let pool = Mempool::new(handle, "packets", *d.mbufs.get_ref(), POOL_CACHE, room, None).context("packet buffers")?;

    let (started, taps) = ports(&config, &devices, handle, &pool)?;
    let identities: Vec<PortIdentity> = started.iter().map(|port| port.identity.clone()).collect();
    let mut keys = Keys::new(random()?);
    let mut publication = Publication::new(identities.clone(), config.clone(), settings::of(d), Sets::new(keys.draw()))?;

    let [seed, boot_id] = random()?;
    let count = *d.workers.get_ref() as u16;
    let owners = Owners::new(count);
    let mut seeds = Rng::new(seed);
    let (flows, expectations) = (*d.conntrack.nf_conntrack_max.get_ref(), *d.conntrack.nf_conntrack_expect_max.get_ref());
    let shared = Arc::new(Shared::new(count, flows, expectations, &mut keys));
    let worker_config = WorkerConfig {
        counters: *d.limits.counters.get_ref() as usize,
        flows: share(*d.conntrack.nf_conntrack_max.get_ref(), count),
        flow_extras: *d.limits.flow_extras.get_ref(),
        timestamps: d.conntrack.nf_conntrack_timestamp,
        neighbours: *d.limits.neighbours_pending.get_ref() as usize,
        datagrams: *d.limits.datagrams.get_ref() as usize,
        traces: *d.limits.traces.get_ref() as usize,
        linger: LINGER,
        seed: 0,
        secret: [0; 2],
        ipv6: d.ipv6,
        home: Home::alone(),
        shared: shared.clone(),
    };
    let engines: Vec<Worker<World>> = (0..count)
        .map(|me| {
            let (seed, secret, home) = (seeds.next_u64(), keys.draw(), Home::new(owners.clone(), me));
            worker(me, &WorkerConfig { seed, secret, home, ..worker_config.clone() })
        })
        .collect::<Result<_>>()?;
    let sink_lost = Arc::new(AtomicU64::new(0));
    let (stop, stop_log) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let tap_drops = Arc::new(DropCounters::default());
    let lost: Vec<Arc<AtomicU64>> = engines.iter().map(|_| Arc::default()).collect();
    let traffic: Vec<Vec<Arc<Traffic>>> = started.iter().map(|_| engines.iter().map(|_| Arc::default()).collect()).collect();

    let telemetry = Telemetry {
        counters: engines.iter().map(|worker| worker.counters().clone()).collect(),
        gauges: engines.iter().map(|worker| worker.gauges().clone()).collect(),
        inboxes: engines.iter().map(|worker| worker.inbox().clone()).collect(),
        drops: engines.iter().map(|worker| worker.drops().clone()).chain([tap_drops.clone()]).collect(),
        handoffs: engines.iter().map(|worker| worker.handoffs().clone()).collect(),
        shortages: engines.iter().map(|worker| worker.shortages().clone()).collect(),
        traffic: traffic.clone(),
        logs_lost: lost.iter().chain([&sink_lost]).cloned().collect(),
        flow_capacity: u64::from(*d.conntrack.nf_conntrack_max.get_ref()),
        shared: shared.clone(),
    };
    let names = [String::new()].into_iter().chain(identities.iter().map(|port| port.name.clone())).collect();
    let (mut keeper, mut doors) = (Vec::new(), engines.iter().map(|_| Doors::default()).collect::<Vec<_>>());
    for (port, traffic) in started.into_iter().zip(traffic) {
        // A port may have fewer receive queues than there are workers, never fewer transmit queues.
        for ((queue, doors), traffic) in port.rx.into_iter().zip(&mut doors).zip(&traffic) {
            doors.entrances.push(Entrance { id: port.identity.id, queue, traffic: traffic.clone() });
        }
        for ((queue, doors), traffic) in port.tx.into_iter().zip(&mut doors).zip(&traffic) {
            doors.exits.push(Exit::new(queue, traffic.clone()));
        }
        keeper.push((port.identity.name, port.port));
    }
    let clock = Nanoseconds::new(Clock::new(handle));
    let wall = Wall::new(shared, clock);
    wall.look();
    let (mut workers, mut ends) = (Vec::new(), Ends::default());
    let ways = ways::between(engines.len(), *d.limits.handoff_queue.get_ref() as usize);
    for ((((number, worker), doors), ways), lost) in engines.into_iter().enumerate().zip(doors).zip(ways).zip(lost) {
        let (rings, from_host) = ends.rings(d, ways.out);
        let world = World::new(pool.clone(), doors.exits, rings, worker.drops().clone(), lost);
        workers.push(WorkerThread {
            number,
            cpu: config.cpus().and_then(|cpus| cpus.get(number).copied()),
            worker,
            world,
            inlets: ways.into,
            entrances: doors.entrances,
            from_host,
            reader: publication.reader(),
            idle: (d.idle, Duration::from_micros(u64::from(*d.idle_sleep_us.get_ref()))),
            clock,
            stop: stop.clone(),
            eal: handle.clone(),
            bursts: Bursts::default(),
        });
    }
    let log = LogThread::new(&d.log, names, ends.records, sink_lost, stop_log.clone())?;
    let exception = ExceptionThread::new(taps, (ends.from_workers, ends.to_workers), pool, tap_drops, stop.clone());
    let listener = listen(lock)?;
    let keeper = PortKeeper { ports: keeper };
    let this = (boot_id, Box::new(move || clock.now()) as _);
    let control = ControlThread::new(listener, publication, telemetry, keeper, ends.unresolved, this, stop.clone())?;
    Ok(Booted { eal, workers, exception, log, control, wall, stop, stop_log })
}

/// The queues of one worker.
#[derive(Default)]
struct Doors {
    entrances: Vec<Entrance>,
    exits: Vec<Exit>,
}

/// The other ends of the workers' rings, one of each for every worker.
#[derive(Default)]
struct Ends {
    from_workers: Vec<Consumer<HostPacket>>,
    to_workers: Vec<Producer<HostPacket>>,
    records: Vec<Consumer<LogRecord>>,
    unresolved: Vec<Consumer<Unresolved>>,
}

impl Ends {
    /// The rings of one more worker.
    fn rings(&mut self, d: &Dataplane, ways: Vec<Option<Outlet>>) -> (Rings, Consumer<HostPacket>) {
        let queue = *d.limits.exception_queue.get_ref() as usize;
        let (to_host, from_worker) = RingBuffer::new(queue);
        let (to_worker, from_host) = RingBuffer::new(queue);
        let (records, records_out) = RingBuffer::new(*d.log.queue.get_ref() as usize);
        let (unresolved, unresolved_out) = RingBuffer::new(UNRESOLVED);
        self.from_workers.push(from_worker);
        self.to_workers.push(to_worker);
        self.records.push(records_out);
        self.unresolved.push(unresolved_out);
        (Rings { to_host, records, unresolved, ways }, from_host)
    }
}

/// Connections that one of several workers has room for: twice its share, for the hash does not deal evenly.
fn share(flows: u32, workers: u16) -> u32 {
    flows.min(2 * flows.div_ceil(u32::from(workers)))
}

/// A worker whose tables of connections are there from the start: nothing runs short later, and no packet waits for a page.
fn worker(number: u16, config: &WorkerConfig) -> Result<Worker<World>> {
    let (flows, bytes) = (config.flows, config.flow_bytes());
    let what = || format!("room for {flows} connections (dataplane.conntrack.nf_conntrack_max)");
    memory::check(bytes).with_context(what)?;
    let mut worker = Worker::new(config);
    worker.set_aside().with_context(what)?;
    let pages =
        if memory::transparent_huge_pages() { "huge where the kernel has them" } else { "small: transparent huge pages are off" };
    tracing::info!(worker = number, "{flows} connections: {} MiB of memory, pages {pages}", bytes >> 20);
    Ok(worker)
}

fn devices(config: &Config) -> Result<Vec<Device>> {
    let ports = config.dataplane.ports.iter().map(|port| port.get_ref());
    ports
        .map(|port| {
            // Checked with the configuration; asked again here only for its parts.
            let device = Device::parse(port.device.get_ref()).map_err(anyhow::Error::msg)?;
            preflight::check(port.name.get_ref(), &device)?;
            Ok(device)
        })
        .collect()
}

fn start_eal(config: &Config, devices: &[Device]) -> Result<Eal> {
    let machine = Hugepages::now();
    let memory = memory(config, &machine)?;
    let Memory { mb, huge } = memory;
    if huge {
        tracing::info!("{}: {mb} MiB of huge pages", dpdk::eal::version());
    } else {
        let free = machine.free_bytes >> 20;
        tracing::info!("{}: {mb} MiB of ordinary pages (--no-huge; {free} MiB of huge pages are free)", dpdk::eal::version());
    }
    let allowed = rustix::thread::sched_getaffinity(None).context("asking for the CPUs of this process")?;
    let cpus: Vec<usize> = (0..rustix::thread::CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect();
    let arguments = arguments(config, devices, memory, &cpus);
    tracing::debug!("EAL: {}", arguments.join(" "));
    Eal::init(&arguments).with_context(|| format!("starting DPDK with {}", arguments.join(" ")))
}

/// Finds, configures and starts the ports, and makes their TAPs.
fn ports(config: &Config, devices: &[Device], eal: &Handle, pool: &Mempool) -> Result<(Vec<Started>, Vec<Tap>)> {
    let d = &config.dataplane;
    let descriptors = *d.descriptors.get_ref();
    let workers = *d.workers.get_ref();
    let needed = workers * (devices.len() as u32 * 2 * u32::from(descriptors) + BUFFERS_IN_WORK);
    ensure!(
        *d.mbufs.get_ref() >= needed,
        "dataplane.mbufs is {}, but {} ports with {descriptors} descriptors need at least {needed} with {workers} workers",
        d.mbufs.get_ref(),
        devices.len()
    );
    let (mut started, mut taps) = (Vec::new(), Vec::new());
    for (index, (entry, device)) in d.ports.iter().zip(devices).enumerate() {
        let entry = entry.get_ref();
        let name = entry.name.get_ref();
        let (port, identity) = start_port(config, index, device, eal, pool).with_context(|| format!("port {name:?}"))?;
        taps.push(Tap::open(&identity.tap, identity.mac, identity.mtu)?);
        let (port, rx, tx) = port;
        started.push(Started { identity, port, rx, tx });
    }
    Ok((started, taps))
}

type PortWithQueues = (Port, Vec<RxQueue>, Vec<TxQueue>);

fn start_port(
    config: &Config,
    index: usize,
    device: &Device,
    eal: &Handle,
    pool: &Mempool,
) -> Result<(PortWithQueues, PortIdentity)> {
    let d = &config.dataplane;
    let entry = d.ports[index].get_ref();
    let (descriptors, mtu) = (*d.descriptors.get_ref(), *entry.mtu.get_ref());
    let mut port = Port::by_name(eal, &device.name).context("its device was not probed; EAL has said why above")?;
    let workers = *d.workers.get_ref() as u16;
    let could = port.info()?;
    ensure!(
        could.max_tx_queues >= workers,
        "it has {} transmit queues and each of the {workers} workers needs one{}",
        could.max_tx_queues,
        if device.name.starts_with("net_af_packet") { format!(": add qpairs={workers} to its device") } else { String::new() }
    );
    // A NIC that spreads by our key sends most packets to their flow's worker at once; the workers see for themselves, so that nothing hangs
    // on its doing so.
    let key = (workers > 1 && could.rss).then(|| rss_key(if could.rss_key_len == 0 { 40 } else { could.rss_key_len.into() }));
    let wish = PortConfig {
        rx_queues: workers.min(could.max_rx_queues),
        tx_queues: workers,
        rx_descriptors: descriptors,
        tx_descriptors: descriptors,
        mtu,
        rx_checksum: true,
        rss: key.map(|key| Rss { key: Some(key) }),
    };
    let got = port.configure(&wish, std::slice::from_ref(pool))?.clone();
    let info = port.info()?;
    let (rx, tx) = port.start()?;
    let steered = got.rss && spread(&mut port, workers, info.redirection_slots);
    tracing::info!(
        port = entry.name.get_ref(),
        device = device.name,
        driver = info.driver,
        mtu,
        rx_checksum = got.rx_checksum,
        chains = got.rx_chains,
        rx_queues = rx.len(),
        steered,
        "port started"
    );
    let identity = PortIdentity {
        id: InterfaceId(index as u16 + 1),
        name: entry.name.get_ref().clone(),
        mac: info.mac,
        mtu,
        tap: entry.tap_name().to_owned(),
    };
    Ok(((port, rx, tx), identity))
}

/// Gives the NIC the table by which flows have their workers; says whether it spreads by it. A NIC that does not costs a handover for most
/// packets.
fn spread(port: &mut Port, workers: u16, slots: u16) -> bool {
    let Some(table) = Owners::new(workers).redirection(slots) else { return false };
    port.set_redirection(&table).is_ok()
}

fn listen(lock: &Lock) -> Result<Listener> {
    let listener = Listener::bind(lock.socket()).with_context(|| format!("listening on {}", lock.socket().display()))?;
    fs::set_permissions(lock.socket(), fs::Permissions::from_mode(0o600)).context("closing the private socket to others")?;
    Ok(listener)
}

fn random() -> Result<[u64; 2]> {
    let mut bytes = [0; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).context("asking for random numbers")?;
    ensure!(filled == bytes.len(), "the system gave {filled} of {} random bytes", bytes.len());
    let (a, b) = bytes.split_at(8);
    let number = |half: &[u8]| half.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    Ok([number(a), number(b)])
}
