//! SNPT and DNPT, HMARK.

use packet::family::Addr;
use packet::npt::{Prefixes, Side};
use packet::{Family, FamilyId};
use program::{HashMark, PrefixChange, Target};
use rules::targets::{Hmark, Npt};

use super::{Lowering, append};
use crate::error::Reason;

impl<F: Family> Lowering<'_, F> {
    pub(super) fn prefixes(&mut self, side: Side, npt: &Npt) -> Result<Target, Reason> {
        if F::ID != FamilyId::Ipv6 {
            return Err(Reason::OtherFamily(if side == Side::Src { "-j SNPT" } else { "-j DNPT" }));
        }
        let prefixes = Prefixes {
            from: npt.from.addr.to_bits(),
            from_len: npt.from.prefix_len,
            to: npt.to.addr.to_bits(),
            to_len: npt.to.prefix_len,
        };
        let change = PrefixChange { side, prefixes };
        append(&mut self.table.prefix_changes, &[change], "changes of prefixes").map(|run| Target::Npt(run.first))
    }

    /// What is not named counts for nothing. Ports and an index have the same place.
    pub(super) fn hash_mark(&mut self, hmark: &Hmark) -> Result<Target, Reason> {
        let mask = |len: Option<u8>| F::Addr::prefix_mask(len.unwrap_or(0));
        let word = |ports: [Option<u16>; 2], index: Option<u32>| {
            let [src, dst] = ports.map(|port| u32::from(port.unwrap_or(0)));
            src << 16 | dst | index.unwrap_or(0)
        };
        let spec = HashMark {
            src_mask: mask(hmark.src_prefix),
            dst_mask: mask(hmark.dst_prefix),
            port_mask: word([hmark.sport_mask, hmark.dport_mask], hmark.spi_mask),
            port_set: word([hmark.sport, hmark.dport], hmark.spi),
            proto_mask: hmark.proto_mask.unwrap_or(0),
            seed: hmark.rnd,
            modulus: hmark.modulus,
            offset: hmark.offset.unwrap_or(0),
            of_connection: hmark.ct,
        };
        append(&mut self.table.hash_marks, &[spec], "marks of hashes").map(|run| Target::Hmark(run.first))
    }
}
