//! `-o save`: the words of a command that would make, change or end the connection.
use std::fmt::{self, Formatter};
use std::net::IpAddr;

use proto::flow::{Flow, L4};

use super::{Shown, protocol};

/// Bits of the status that are named, in this order; others are not.
const STATUS: &[(u32, &str)] =
    &[(1, "EXPECTED"), (1 << 1, "SEEN_REPLY"), (1 << 2, "ASSURED"), (1 << 10, "FIXED_TIMEOUT"), (1 << 14, "OFFLOAD")];

/// A connection as a command with this letter.
pub(super) fn flow(f: &mut Formatter<'_>, letter: char, flow: &Flow, shown: &Shown) -> fmt::Result {
    write!(f, "-{letter} ")?;
    if shown.timeout {
        write!(f, "-t {} ", flow.timeout)?;
    }
    let named: Vec<&str> = STATUS.iter().filter(|(bit, _)| flow.status & bit != 0).map(|(_, name)| *name).collect();
    write!(f, "-u {} ", if named.is_empty() { "UNSET".to_owned() } else { named.join(",") })?;
    let zone = flow.zone;
    match (zone.id, zone.original, zone.reply) {
        (0, ..) | (_, false, false) => {}
        (id, true, true) => write!(f, "-w {id} ")?,
        (id, true, false) => write!(f, "--orig-zone {id} ")?,
        (id, false, true) => write!(f, "--reply-zone {id} ")?,
    }
    let (original, reply) = (&flow.original, &flow.reply);
    write!(f, "-s {} -d {} ", original.src, original.dst)?;
    end(f, ('g', 'r'), reply.src, original.dst)?;
    end(f, ('n', 'q'), reply.dst, original.src)?;
    match protocol(flow.protocol) {
        "unknown" => write!(f, "-p {}", flow.protocol)?,
        name => write!(f, "-p {name}")?,
    }
    match (original.l4, reply.l4) {
        (L4::Ports(src, dst), L4::Ports(reply_src, reply_dst)) => {
            write!(f, " --sport {src} --dport {dst} --reply-port-src {reply_src} --reply-port-dst {reply_dst}")?;
        }
        (L4::Keys(src, dst), L4::Keys(reply_src, reply_dst)) => {
            write!(f, " --srckey {src} --dstkey {dst} --reply-key-src {reply_src} --reply-key-dst {reply_dst}")?;
        }
        (L4::Icmp { kind, code, id }, _) => {
            let name = protocol(flow.protocol);
            write!(f, " --{name}-type {kind} --{name}-code {code} --{name}-id {id}")?;
        }
        _ => {}
    }
    if shown.state && !flow.state.is_empty() {
        write!(f, " --state {}", flow.state)?;
    }
    if let Some([original, reply]) = flow.tags.filter(|_| shown.state) {
        // As the reference has them: read as this machine's numbers, which they are not.
        write!(f, " --orig-vtag {} --reply-vtag {}", original.to_be(), reply.to_be())?;
    }
    Ok(())
}

/// One end as the answers have it: by the first letter where it is another address than it was, by the second where not.
fn end(f: &mut Formatter<'_>, (translated, kept): (char, char), now: IpAddr, was: IpAddr) -> fmt::Result {
    write!(f, "-{} {now} ", if now == was { kept } else { translated })
}
