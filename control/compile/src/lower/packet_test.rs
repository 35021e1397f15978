//! Matches that read a packet's bytes.

use std::net::IpAddr;

use packet::{Family, FamilyId};
use program::packet_test::{ChunkHow, ChunkTest, SegmentTest, SegmentsTest, Single, Span};
use program::{ByteSet, PacketTest, PortRange};
use rules::AddrMatch;
use rules::matches::frag::LengthTest;
use rules::matches::{Ah, Dccp, Frag, HeaderOptions, Ipv6header, Mh, PortTest, Rt, Sctp, SpiTest, Srh, sctp, srh};

pub(super) fn spi(test: SpiTest) -> Span<u32> {
    Span { first: test.min, last: test.max, not: test.invert }
}

fn ports(tests: [Option<PortTest>; 2]) -> [Option<(PortRange, bool)>; 2] {
    tests.map(|test| test.map(|test| (PortRange { first: test.min, last: test.max }, test.invert)))
}

fn single<T>((value, not): (T, bool)) -> Single<T> {
    Single { value, not }
}

fn length(test: LengthTest) -> Single<u32> {
    Single { value: test.value, not: test.invert }
}

/// In IPv4 it is the rule's protocol.
pub(super) fn ah<F: Family>(test: &Ah) -> PacketTest {
    match F::ID {
        FamilyId::Ipv4 => PacketTest::Ah(spi(test.spi)),
        FamilyId::Ipv6 => PacketTest::Ah6 {
            spi: spi(test.spi),
            length: Some(Single { value: test.length, not: test.invert_length }),
            reserved: test.reserved,
        },
    }
}

pub(super) fn sctp(test: &Sctp) -> PacketTest {
    let chunks = test.chunks.as_ref().map(|test| ChunkTest {
        how: match test.how {
            sctp::ChunkHow::All => ChunkHow::All,
            sctp::ChunkHow::Any => ChunkHow::Any,
            sctp::ChunkHow::Only => ChunkHow::Only,
        },
        types: if test.every { ByteSet::ALL } else { ByteSet::of(test.types.iter().map(|chunk| chunk.kind)) },
        flags: test.types.iter().filter(|chunk| chunk.mask != 0).map(|chunk| (chunk.kind, chunk.mask, chunk.set)).collect(),
        not: test.invert,
    });
    PacketTest::Sctp { ports: ports([test.sport, test.dport]), chunks }
}

pub(super) fn dccp(test: &Dccp) -> PacketTest {
    PacketTest::Dccp {
        ports: ports([test.sport, test.dport]),
        types: test.types.map(|test| Single { value: test.types, not: test.invert }),
        option: test.option.map(|test| Single { value: test.kind, not: test.invert }),
    }
}

/// Hop-by-hop options, or those for the destination.
pub(super) fn options(test: &HeaderOptions, destination: bool) -> PacketTest {
    let options = test.options.iter().map(|option| (option.kind, option.length)).collect();
    PacketTest::Options { destination, length: test.length.map(length), options }
}

/// `--fraglen` is asked of nothing: the header has one length.
pub(super) fn fragment(test: &Frag) -> PacketTest {
    PacketTest::Fragment { id: spi(test.id), reserved: test.reserved, first: test.first, more: test.more }
}

pub(super) fn headers(test: &Ipv6header) -> PacketTest {
    PacketTest::Headers { headers: test.headers, soft: test.soft, not: test.invert }
}

pub(super) fn mobility(test: &Mh) -> PacketTest {
    PacketTest::Mobility(Span { first: test.min, last: test.max, not: test.invert })
}

pub(super) fn routing(test: &Rt) -> PacketTest {
    let (first, last, not) = test.segments.unwrap_or((0, u32::MAX, false));
    PacketTest::Routing {
        kind: test.kind.map(single),
        segments: Span { first, last, not },
        length: test.length.map(single),
        reserved: test.reserved,
        addresses: test.addrs.iter().map(|address| address.to_bits()).collect(),
        loose: test.not_strict,
    }
}

pub(super) fn segments(test: &Srh) -> SegmentsTest {
    let segment = |test: AddrMatch| {
        let bits = |address| match address {
            IpAddr::V6(address) => address.to_bits(),
            IpAddr::V4(_) => 0,
        };
        SegmentTest { address: bits(test.addr), mask: bits(test.mask), not: test.invert }
    };
    SegmentsTest {
        next: test.next_header.map(single),
        length: compared(test.length),
        left: compared(test.segments),
        last_entry: compared(test.last_entry),
        tag: test.tag.map(single),
        segments: test.sids.map(|sid| sid.map(segment)),
    }
}

/// Equal, greater, less: every one that is asked.
fn compared(test: srh::Compared) -> Vec<Span<u16>> {
    let number = u16::from(test.number);
    let below = number.checked_sub(1).map_or((1, 0), |last| (0, last));
    let ways = [(number, number), (number + 1, u16::MAX), below].into_iter().zip(test.ways);
    ways.filter_map(|((first, last), way)| way.map(|not| Span { first, last, not })).collect()
}
