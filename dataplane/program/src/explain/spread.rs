//! SNPT, DNPT and HMARK in words.

use std::fmt::{Result, Write};

use packet::Family;
use packet::family::Addr;
use packet::npt::{Prefixes, Side};

use crate::{HashMark, PrefixChange};

pub(super) fn prefixes(change: &PrefixChange, out: &mut String) -> Result {
    let Prefixes { from, from_len, to, to_len } = change.prefixes;
    let side = if change.side == Side::Src { "source" } else { "destination" };
    write!(out, "{side} from {}/{from_len} to {}/{to_len}", from.to_ip(), to.to_ip())
}

pub(super) fn hash<F: Family>(spec: &HashMark<F>, out: &mut String) -> Result {
    let of = if spec.of_connection { " of the connection" } else { "" };
    write!(out, "mark by hash{of}: source {}, destination {}", spec.src_mask.to_ip(), spec.dst_mask.to_ip())?;
    write!(out, ", ports {:#010x} with {:#010x}, protocol {:#x}", spec.port_mask, spec.port_set, spec.proto_mask)?;
    write!(out, ", seed {:#x}, one of {} from {}", spec.seed, spec.modulus, spec.offset)
}
