//! Tests of a packet's bytes in words.

use core::fmt::{Display, Result, Write};
use core::net::Ipv6Addr;

use super::rule::{not, ports};
use crate::header_test::PortRange;
use crate::packet_test::{ChunkHow, PacketTest, Single, Span};

pub(super) fn write(test: &PacketTest, out: &mut String) -> Result {
    match test {
        PacketTest::Mss(test) => span("mss", test, out),
        PacketTest::Esp(test) => span("esp spi", test, out),
        PacketTest::Ah(test) => span("ah spi", test, out),
        PacketTest::Ipcomp(test) => span("ipcomp cpi", test, out),
        PacketTest::Mobility(test) => span("mobility type", test, out),
        PacketTest::Sctp { ports, chunks } => {
            out.push_str("sctp");
            both(ports, out)?;
            let Some(test) = chunks else { return Ok(()) };
            let how = match test.how {
                ChunkHow::All => "all",
                ChunkHow::Any => "any",
                ChunkHow::Only => "only",
            };
            write!(out, " {}{how} of chunks", not(test.not))?;
            test.types.kinds().try_for_each(|kind| write!(out, " {kind}"))?;
            test.flags.iter().try_for_each(|(kind, mask, set)| write!(out, " {kind} flags {mask:#04x}/{set:#04x}"))
        }
        PacketTest::Dccp { ports, types, option } => {
            out.push_str("dccp");
            both(ports, out)?;
            types.map_or(Ok(()), |types| write!(out, " {}types {:#06x}", not(types.not), types.value))?;
            option.map_or(Ok(()), |option| single(" option", &option, out))
        }
        PacketTest::Ah6 { spi, length, reserved } => {
            span("ah spi", spi, out)?;
            length.map_or(Ok(()), |length| single(" length", &length, out))?;
            flags(&[(*reserved, " reserved 0")], out)
        }
        PacketTest::Routing { kind, segments, length, reserved, addresses, loose } => {
            span("routing segments left", segments, out)?;
            kind.map_or(Ok(()), |kind| single(" type", &kind, out))?;
            length.map_or(Ok(()), |length| single(" length", &length, out))?;
            flags(&[(*reserved, " reserved 0"), (*loose, " among others")], out)?;
            addresses.iter().try_for_each(|address| write!(out, " {}", Ipv6Addr::from(*address)))
        }
        PacketTest::Options { destination, length, options } => {
            out.push_str(if *destination { "destination options" } else { "hop-by-hop options" });
            length.map_or(Ok(()), |length| single(" length", &length, out))?;
            options.iter().try_for_each(|(kind, len)| match len {
                Some(len) => write!(out, " {kind}:{len}"),
                None => write!(out, " {kind}"),
            })
        }
        PacketTest::Fragment { id, reserved, first, more } => {
            span("fragment id", id, out)?;
            let ends = [(*first, " first"), (*more == Some(true), " more"), (*more == Some(false), " last")];
            flags(&[(*reserved, " reserved 0")], out).and_then(|()| flags(&ends, out))
        }
        PacketTest::Segments(test) => {
            out.push_str("segments listed");
            test.next.map_or(Ok(()), |next| single(" next", &next, out))?;
            for (name, spans) in [("length", &test.length), ("left", &test.left), ("last entry", &test.last_entry)] {
                spans.iter().try_for_each(|test| write!(out, " {}{name} {}:{}", not(test.not), test.first, test.last))?;
            }
            test.tag.map_or(Ok(()), |tag| single(" tag", &tag, out))?;
            for (name, segment) in ["before", "behind", "last"].into_iter().zip(&test.segments) {
                let Some(test) = segment else { continue };
                let [address, mask] = [test.address, test.mask].map(Ipv6Addr::from);
                write!(out, " {}{name} {address}/{mask}", not(test.not))?;
            }
            Ok(())
        }
        PacketTest::Eui64 => out.write_str("source made of the frame's"),
        PacketTest::Headers { headers, soft, not: inverted } => {
            write!(out, "{}headers {}{headers:#04x}", not(*inverted), if *soft { "at least " } else { "" })
        }
    }
}

fn span<T: Display>(name: &str, test: &Span<T>, out: &mut String) -> Result {
    write!(out, "{}{name} {}:{}", not(test.not), test.first, test.last)
}

fn single<T: Display>(name: &str, test: &Single<T>, out: &mut String) -> Result {
    write!(out, "{name} {}{}", not(test.not), test.value)
}

fn both(tests: &[Option<(PortRange, bool)>; 2], out: &mut String) -> Result {
    for (name, test) in ["sport", "dport"].into_iter().zip(tests) {
        if let Some((range, inverted)) = test {
            write!(out, " {}{name} {}", not(*inverted), ports(*range))?;
        }
    }
    Ok(())
}

fn flags(flags: &[(bool, &str)], out: &mut String) -> Result {
    flags.iter().filter(|(set, _)| *set).try_for_each(|(_, name)| out.write_str(name))
}
