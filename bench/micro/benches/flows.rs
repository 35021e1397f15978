//! The table of connections alone: finding, beginning and ending flows in tables of 10,000, 1,000,000 and 4,000,000, of both families, hits at
//! random.
//!
//! A measured "iteration" is one lookup, one flow. Lookups one by one ask for a tuple in each direction in turn; those of a burst are brought near
//! together first, 64 at a time, as the walk does it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::Time;
use engine::conntrack::{Dir, FlowConfig, FlowTable, Packet, Settings};
use micro::frames;
use packet::{Family, Header, Ipv4, Ipv6, L4, Tuple, parse};
use program::{CtAction, TimeoutId};

/// Packets of a burst.
const BURST: usize = 64;
/// Flows that begin and end while the others stay.
const PASSING: u32 = 4096;

/// A family's packets.
trait Packets: Family {
    const NAME: &'static str;
    /// Any UDP packet, to take the header of.
    fn frame() -> Vec<u8>;
    /// One of so many clients.
    fn client(number: u32) -> Self::Addr;
}

impl Packets for Ipv4 {
    const NAME: &'static str = "IPv4";

    fn frame() -> Vec<u8> {
        frames::udp(([10, 0, 0, 1].into(), 1), ([198, 51, 100, 2].into(), 53), 18)
    }

    fn client(number: u32) -> u32 {
        0x0a00_0000 | number
    }
}

impl Packets for Ipv6 {
    const NAME: &'static str = "IPv6";

    fn frame() -> Vec<u8> {
        frames::udp6(("2001:db8::1".parse().expect("an address"), 1), ("2001:db8:1::2".parse().expect("an address"), 53), 18)
    }

    fn client(number: u32) -> u128 {
        0x2001_0db8 << 96 | u128::from(number)
    }
}

struct Flows<F: Family> {
    table: FlowTable<F>,
    frame: Vec<u8>,
    header: Header<F>,
    now: Time,
    /// State of the chance that picks flows.
    at: u64,
}

impl<F: Packets> Flows<F> {
    /// So many flows that stay.
    fn new(flows: u32) -> Self {
        let frame = F::frame();
        let header = parse::ip(&frame, 14, frame.len() - 14).expect("a sound packet");
        // Never crowded, so that nobody has to make way.
        let mut table = FlowTable::new(FlowConfig { capacity: (flows + PASSING) / 9 * 10, extras: 1, hash_key: [1, 2] });
        table.set_aside().expect("there is memory");
        let mut made = Self { table, frame, header, now: Time(1_000_000_000), at: 1 };
        let settings = staying();
        (0..flows).for_each(|number| made.begin(number, &settings));
        assert_eq!(made.table.len(), flows as usize);
        made
    }

    fn header(&self, number: u32) -> Header<F> {
        let mut header = self.header;
        header.src = F::client(number / 50_000);
        let L4::Udp { dport, len, .. } = header.transport else { panic!("UDP") };
        header.transport = L4::Udp { sport: 1024 + (number % 50_000) as u16, dport, len };
        header
    }

    fn begin(&mut self, number: u32, settings: &Settings) {
        let header = self.header(number);
        let packet = Packet {
            header: &header,
            head: &self.frame,
            checksum_ok: true,
            zone: CtAction::default(),
            timeouts: TimeoutId::NONE,
            said: Default::default(),
            now: self.now,
        };
        let tracked = self.table.track(&packet, settings).expect("there is room");
        self.table.confirm(tracked.flow.expect("it begins a flow"), self.now).expect("nobody has it");
    }

    /// Ends those whose time is up, as housekeeping does it.
    fn end_passing(&mut self, staying: u32) {
        while self.table.len() > staying as usize {
            self.table.expire(self.now, 256);
        }
    }

    /// Any flow's number, below `flows`.
    fn any(&mut self, flows: u32) -> u32 {
        self.at = self.at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (((self.at >> 32) * u64::from(flows)) >> 32) as u32
    }
}

/// Flows that outlive the measurement.
fn staying() -> Settings {
    let mut settings = Settings::default();
    settings.timeouts.udp = 1_000_000_000;
    settings
}

/// The time of the measured part alone, for `wanted` iterations done `step` at a time.
fn measured(wanted: u64, step: usize, mut part: impl FnMut() -> Duration) -> Duration {
    let rounds = wanted.div_ceil(step as u64);
    let spent: Duration = (0..rounds).map(|_| part()).sum();
    spent.mul_f64(wanted as f64 / (rounds * step as u64) as f64)
}

fn timed<R>(work: impl FnOnce() -> R) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn family<F: Packets>(c: &mut Criterion) {
    let mut group = c.benchmark_group(format!("flows/{}", F::NAME));
    group.throughput(Throughput::Elements(1));
    for count in [10_000, 1_000_000, 4_000_000] {
        let mut flows = Flows::<F>::new(count);
        let passing = Settings::default();
        group.bench_function(format!("{count}, lookup, one by one"), |b| {
            b.iter_custom(|wanted| {
                measured(wanted, BURST, || {
                    let tuples: [Tuple<F>; BURST] = std::array::from_fn(|i| {
                        let number = flows.any(count);
                        let tuple = Tuple::of(&flows.header(number)).expect("has ports");
                        if i % 2 == 0 { tuple } else { tuple.invert().expect("has an answer") }
                    });
                    let now = flows.now;
                    timed(|| tuples.iter().filter(|tuple| flows.table.find(tuple, CtAction::default(), now).is_some()).count())
                })
            })
        });
        group.bench_function(format!("{count}, lookup, a burst brought near together"), |b| {
            b.iter_custom(|wanted| {
                measured(wanted, BURST, || {
                    let headers: [Header<F>; BURST] = std::array::from_fn(|_| {
                        let number = flows.any(count);
                        flows.header(number)
                    });
                    let now = flows.now;
                    timed(|| {
                        flows.table.look_ahead_at_once(headers.iter());
                        headers
                            .iter()
                            .filter_map(|header| flows.table.find(&Tuple::of(header)?, CtAction::default(), now))
                            .filter(|found| found.1 == Dir::Original)
                            .count()
                    })
                })
            })
        });
        group.bench_function(format!("{count}, begin: track and confirm"), |b| {
            b.iter_custom(|wanted| {
                measured(wanted, PASSING as usize, || {
                    let spent = timed(|| (count..count + PASSING).for_each(|number| flows.begin(number, &passing)));
                    flows.now = flows.now.plus_millis(31_000);
                    flows.end_passing(count);
                    spent
                })
            })
        });
        group.bench_function(format!("{count}, expire"), |b| {
            b.iter_custom(|wanted| {
                measured(wanted, PASSING as usize, || {
                    (count..count + PASSING).for_each(|number| flows.begin(number, &passing));
                    flows.now = flows.now.plus_millis(31_000);
                    timed(|| flows.end_passing(count))
                })
            })
        });
        assert_eq!(flows.table.len(), count as usize, "the others stayed");
        let bytes = FlowTable::<F>::bytes(count, 0, 0, false) as f64 / f64::from(count);
        println!("flows/{}/{count}: {bytes:.1} bytes a flow, both directions and timers included\n", F::NAME);
    }
    group.finish();
}

/// How long a process of 16 million connections waits for its memory, once.
fn boot() {
    const FLOWS: u32 = 16_000_000;
    let wanted = FlowTable::<Ipv4>::bytes(FLOWS, 1, 0, false);
    let start = Instant::now();
    let table = memory::check(wanted).and_then(|()| {
        let mut table = FlowTable::<Ipv4>::new(FlowConfig { capacity: FLOWS, extras: 1, hash_key: [1, 2] });
        table.set_aside().map(|()| table)
    });
    match table {
        Ok(_) => println!("flows/IPv4/{FLOWS}: {} MiB set aside in {:.2?}\n", wanted >> 20, start.elapsed()),
        Err(short) => println!("flows/IPv4/{FLOWS}: not set aside: {short}\n"),
    }
}

fn both(c: &mut Criterion) {
    boot();
    family::<Ipv4>(c);
    family::<Ipv6>(c);
}

criterion_group! { name = benches; config = micro::criterion(); targets = both }
criterion_main!(benches);
