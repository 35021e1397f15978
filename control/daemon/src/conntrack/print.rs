//! One connection as a line.
use std::fmt::{self, Display, Formatter};

use proto::flow::{Flow, Half, L4};

use super::filter::SEEN_REPLY;

const ASSURED: u32 = 1 << 2;

/// What a line shows beside the ordinary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    /// `-o extended`
    pub(super) extended: bool,
    /// `-o id`
    pub(super) id: bool,
}

/// A connection to print, without the end of the line.
pub(super) struct Line<'a> {
    pub(super) flow: &'a Flow,
    pub(super) output: Output,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Line { flow, output } = self;
        if output.extended {
            let (name, number) = if flow.original.src.is_ipv4() { ("ipv4", 2) } else { ("ipv6", 10) };
            write!(f, "{name:<8} {number} ")?;
        }
        write!(f, "{:<8} {} {} ", protocol(flow.protocol), flow.protocol, flow.timeout)?;
        if !flow.state.is_empty() {
            write!(f, "{} ", flow.state)?;
        }
        let zone = flow.zone;
        let both = zone.original && zone.reply;
        half(f, &flow.original)?;
        if zone.id != 0 && zone.original && !both {
            write!(f, "zone-orig={} ", zone.id)?;
        }
        counts(f, &flow.original)?;
        if flow.status & SEEN_REPLY == 0 {
            f.write_str("[UNREPLIED] ")?;
        }
        half(f, &flow.reply)?;
        if zone.id != 0 && zone.reply && !both {
            write!(f, "zone-reply={} ", zone.id)?;
        }
        counts(f, &flow.reply)?;
        if flow.status & ASSURED != 0 {
            f.write_str("[ASSURED] ")?;
        }
        write!(f, "mark={} ", flow.mark)?;
        if !flow.label.is_empty() {
            write!(f, "secctx={} ", flow.label)?;
        }
        if zone.id != 0 && both {
            write!(f, "zone={} ", zone.id)?;
        }
        if !flow.helper.is_empty() {
            write!(f, "helper={} ", flow.helper)?;
        }
        // The kernel's own holders of an entry; here it has one, the table.
        f.write_str("use=1")?;
        if output.id {
            write!(f, " id={}", flow.id)?;
        }
        Ok(())
    }
}

fn half(f: &mut Formatter<'_>, half: &Half) -> fmt::Result {
    write!(f, "src={} dst={} ", half.src, half.dst)?;
    match half.l4 {
        L4::Ports(src, dst) => write!(f, "sport={src} dport={dst} "),
        L4::Icmp { kind, code, id } => write!(f, "type={kind} code={code} id={id} "),
        L4::Keys(src, dst) => write!(f, "srckey={src:#x} dstkey={dst:#x} "),
        L4::None => Ok(()),
    }
}

fn counts(f: &mut Formatter<'_>, half: &Half) -> fmt::Result {
    half.counts.map_or(Ok(()), |(packets, bytes)| write!(f, "packets={packets} bytes={bytes} "))
}

fn protocol(number: u8) -> &'static str {
    match number {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        33 => "dccp",
        47 => "gre",
        58 => "icmpv6",
        132 => "sctp",
        136 => "udplite",
        _ => "unknown",
    }
}
