//! Packets without rules: reading headers, verifying checksums, rewriting addresses.

use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use micro::frames;
use packet::{Header, Ipv4, Tuple, checksum, parse, set};

const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 10), 40_000);
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 2), 5201);

fn header(frame: &[u8]) -> Header<Ipv4> {
    let l3 = usize::from(parse::ethernet(frame).expect("a whole frame").header_len);
    parse::ip(frame, l3, frame.len() - l3).expect("a right packet")
}

fn reading(c: &mut Criterion) {
    let mut group = c.benchmark_group("packet");
    for (name, frame) in [("udp", frames::udp(CLIENT, SERVER, 18)), ("tcp", frames::tcp(CLIENT, SERVER, 6))] {
        group.bench_function(format!("parse/{name}"), |b| b.iter(|| header(black_box(&frame))));
        let header = header(&frame);
        group.bench_function(format!("tuple/{name}"), |b| b.iter(|| Tuple::of(black_box(&header))));
    }
    group.finish();
}

fn checksums(c: &mut Criterion) {
    let mut group = c.benchmark_group("packet/l4_verify");
    for payload in [18, 1460, 8960] {
        let frame = frames::tcp(CLIENT, SERVER, payload);
        let header = header(&frame);
        assert!(checksum::l4_verify(&header, [frame.as_slice()]), "the checksum is right");
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function(format!("{} bytes", frame.len()), |b| {
            b.iter(|| checksum::l4_verify(black_box(&header), [black_box(frame.as_slice())]))
        });
    }
    group.finish();
}

fn rewriting(c: &mut Criterion) {
    let mut frame = frames::tcp(CLIENT, SERVER, 1460);
    let mut header = header(&frame);
    let mut last = 0u8;
    c.bench_function("packet/set address and port, all checksums", |b| {
        b.iter(|| {
            // A new value each time: setting what is there already does nothing.
            last = last.wrapping_add(1);
            let address = u32::from(Ipv4Addr::new(192, 168, 1, last));
            set::dst(black_box(&mut frame), &mut header, address)
                .and_then(|()| set::dport(&mut frame, &mut header, 1024 + u16::from(last)))
        })
    });
    assert!(checksum::l4_verify(&header, [frame.as_slice()]), "the checksum is still right");
}

criterion_group! { name = benches; config = micro::criterion(); targets = reading, checksums, rewriting }
criterion_main!(benches);
