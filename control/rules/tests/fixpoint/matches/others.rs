//! Random words of the matches from nfacct to u32 that the dataplane does not enforce.
use super::{Words, one};
use crate::{bang, escaped};
use proptest::prelude::*;
use rules::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Words of one match of the family.
pub(crate) fn of(family: Family) -> BoxedStrategy<Words> {
    let own = match family {
        Family::Ipv4 => prop_oneof![recent(family), policy(family), realm(), osf()].boxed(),
        Family::Ipv6 => prop_oneof![recent(family), policy(family), rt(), srh()].boxed(),
    };
    prop_oneof![1 => own, 2 => of_header(), 2 => of_content(), 1 => time()].boxed()
}

/// An address of the family.
fn address(family: Family) -> impl Strategy<Value = IpAddr> {
    (any::<u128>(), 0..128u32).prop_map(move |(bits, zeros)| match family {
        Family::Ipv4 => IpAddr::V4(Ipv4Addr::from_bits((bits >> zeros) as u32)),
        Family::Ipv6 => IpAddr::V6(Ipv6Addr::from_bits(bits >> zeros)),
    })
}

fn recent(family: Family) -> impl Strategy<Value = Words> {
    let name = "[a-zA-Z0-9_.:-]{3,199}";
    (1..=i32::MAX, 0..=65_535, address(family), name, any::<bool>()).prop_map(|(seconds, hits, mask, name, not)| {
        let limits = format!("--update --seconds {seconds} --reap --hitcount {hits} --rttl");
        ("", format!("-m recent {}{limits} --name {name} --rdest --mask {mask}", bang(not)))
    })
}

fn rt() -> impl Strategy<Value = Words> {
    let addrs = prop::collection::vec(address(Family::Ipv6), 1..=16);
    (any::<[u32; 3]>(), addrs, any::<bool>()).prop_map(|([least, most, length], addrs, not)| {
        let addrs = addrs.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",");
        let rest = format!("{}--rt-segsleft {least}:{most} {}--rt-len {length}", bang(not), bang(!not));
        ("", format!("-m rt --rt-type 0 --rt-0-res --rt-0-addrs {addrs} --rt-0-not-strict {rest}"))
    })
}

fn realm() -> impl Strategy<Value = Words> {
    (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(v, m, not)| ("", format!("-m realm {}--realm {v}/{m:#x}", bang(not))))
}

fn osf() -> impl Strategy<Value = Words> {
    ("[!#-~&&[^'\\\\]]{1,31}", 0..=2u8, any::<bool>())
        .prop_map(|(genre, level, not)| ("tcp", format!("-m osf {}--genre \"{genre}\" --ttl {level} --log {level}", bang(not))))
}

fn srh() -> impl Strategy<Value = Words> {
    (any::<[u8; 4]>(), any::<u16>(), address(Family::Ipv6), 0..=128u8, any::<bool>()).prop_map(|(bytes, tag, sid, bits, not)| {
        let [next, length, more, left] = bytes;
        let lengths = format!("--srh-hdr-len-gt {length} ! --srh-hdr-len-lt {more} --srh-segs-left-eq {left}");
        let rest = format!("{}--srh-tag {tag} {}--srh-nsid {sid}/{bits} --srh-lsid {sid}", bang(not), bang(!not));
        ("", format!("-m srh ! --srh-next-hdr {next} {lengths} ! --srh-last-entry-lt {left} {rest}"))
    })
}

fn policy(family: Family) -> impl Strategy<Value = Words> {
    let element =
        (any::<u32>(), any::<u32>(), address(family), 0..=32u8, any::<bool>()).prop_map(|(request, spi, addr, bits, not)| {
            let tunnel = format!("{}--tunnel-src {addr}/{bits} {}--tunnel-dst {addr}", bang(not), bang(!not));
            format!("--reqid {request} ! --spi {spi} {}--proto esp --mode tunnel {tunnel}", bang(not))
        });
    (prop::collection::vec(element, 1..=4), one(&["in", "out"]))
        .prop_map(|(elements, dir)| ("", format!("-m policy --dir {dir} --pol ipsec --strict {}", elements.join(" --next "))))
}

fn time() -> impl Strategy<Value = Words> {
    let second = 0..86_400u32;
    let clock = |second: u32| format!("{}:{}:{}", second / 3_600, second / 60 % 60, second % 60);
    (second.clone(), second, 0..i32::MAX, 1..127u8, any::<bool>()).prop_map(move |(start, stop, day, days, not)| {
        let week: Vec<String> = (0..7).filter(|place| days >> place & 1 == 1).map(|place| (place + 1).to_string()).collect();
        let date = format!("{}-{}-{}T{}", 1971 + day % 67, day % 12 + 1, day % 31 + 1, clock(stop));
        let days = format!("{}--weekdays {} --monthdays {}", bang(not), week.join(","), day % 31 + 1);
        ("", format!("-m time --timestart {} --timestop {} {days} --datestart {date}", clock(start), clock(stop)))
    })
}

const CHUNKS: [&str; 8] = ["DATA:Ube", "INIT", "I_DATA", "ABORT:t", "SHUTDOWN_COMPLETE:T", "ASCONF_ACK", "PAD", "I_FORWARD_TSN"];

/// Of the headers and the interfaces.
fn of_header() -> impl Strategy<Value = Words> {
    let chunks = prop::sample::subsequence(CHUNKS.to_vec(), 0..=CHUNKS.len());
    prop_oneof![
        one(&["unicast", "broadcast", "multicast", "otherhost"]).prop_map(|kind| ("", format!("-m pkttype ! --pkt-type {kind}"))),
        ("[a-z]{1,13}[+]?", any::<bool>(), any::<bool>()).prop_map(|(name, a, b)| {
            let flags = format!("{}--physdev-is-in {}--physdev-is-bridged", bang(a), bang(b));
            ("", format!("-m physdev {}--physdev-in {name} --physdev-out {name} {flags}", bang(b)))
        }),
        (any::<u32>(), any::<u32>(), any::<bool>()).prop_map(|(a, b, not)| {
            let rest = format!("{}--rateest-lt --rateest-delta --rateest-pps1 {a} --rateest-pps2 {b}", bang(not));
            ("", format!("-m rateest --rateest1 a --rateest2 b {rest}"))
        }),
        (0..120_000_000u32, any::<bool>())
            .prop_map(|(rate, not)| ("", format!("-m rateest --rateest a {}--rateest-eq --rateest-bps {rate}bps", bang(not)))),
        (any::<u64>(), any::<bool>()).prop_map(|(bytes, not)| ("", format!("-m quota {}--quota {bytes}", bang(not)))),
        "[ -~]{1,31}".prop_map(|name| ("", format!("-m nfacct --nfacct-name \"{}\"", escaped(&name)))),
        (any::<u16>(), any::<u16>(), any::<bool>())
            .prop_map(|(a, b, not)| ("tcp", format!("-m tcpmss {}--mss {}:{}", bang(not), a.min(b), a.max(b)))),
        (any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(v, m, not)| ("", format!("-m tos {}--tos {v}/{m}", bang(not)))),
        (any::<u16>(), one(&["all", "any", "only"]), chunks).prop_map(|(port, how, chunks)| {
            let chunks = chunks.join(",");
            ("sctp", format!("-m sctp --sport {port}: ! --chunk-types {how} {chunks},{chunks}"))
        }),
    ]
}

/// Of what is behind them.
fn of_content() -> impl Strategy<Value = Words> {
    prop_oneof![
        (any::<[u32; 6]>(), 0..32u32, one(&["&", "@"]), any::<bool>()).prop_map(|(numbers, shift, operator, not)| {
            let [start, step, a, b, c, other] = numbers;
            let tests = format!("{start}>>{shift}{operator}{step} = {a} : {b},{c} && {other}<<{shift}=0x{c:x}");
            ("", format!("-m u32 {}--u32 \"{tests}\"", bang(not)))
        }),
        (any::<u16>(), any::<u16>(), "[ -~é]{1,64}", any::<bool>()).prop_map(|(a, b, text, not)| {
            let text = escaped(&text);
            ("", format!("-m string {}--string \"{text}\" --algo bm --from {} --to {} --icase", bang(not), a.min(b), a.max(b)))
        }),
        prop::collection::vec(any::<u8>(), 1..128).prop_map(|bytes| {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            ("", format!("-m string --hex-string \"|{hex}|\" --algo kmp"))
        }),
    ]
}
