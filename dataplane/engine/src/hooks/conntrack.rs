//! Tracking at PREROUTING and OUTPUT, confirmation at the end of INPUT and POSTROUTING.

use packet::{Family, protocol};
use program::Hook;

use super::Step;
use crate::buffer::{Buffer, RxChecksum};
use crate::burst::Packet;
use crate::conntrack::{self, CtInfo, Dir, Flow};
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::targets;
use crate::walk::Walk;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Finds or makes the packet's flow. Packets that a rule made UNTRACKED, and the box's answers, which belong to the flow of their cause, are
    /// left as they are.
    pub(crate) fn track(&mut self, packet: &mut Packet<'_, F, O::Buf>, hook: Hook) -> Step {
        if !self.tracking || packet.connection.flow.is_some() || packet.connection.info == CtInfo::Untracked {
            return Step::Continue(());
        }
        let mark = packet.mark;
        targets::ct::settle_zone(&mut packet.connection, mark);
        self.steer(packet)?;
        if packet.header.protocol == protocol::SCTP {
            // Its chunks are read to the last. A packet that one buffer cannot hold is read as far as the first one goes.
            let _ = packet.buf.pull_up(usize::from(packet.header.l3) + packet.header.len as usize);
            if hook == Hook::Prerouting && self.snap.settings.conntrack.checksum {
                // Where its checksum is looked at the kernel wants the common header in one piece.
                self.cut.melt_below(packet::sctp::HEADER_LEN);
            }
        }
        let Packet { buf, row } = packet;
        let connection = &mut row.connection;
        let settings = &self.snap.settings.conntrack;
        let seen = conntrack::Packet {
            header: &row.header,
            head: buf.head(),
            checksum_ok: hook != Hook::Prerouting || !settings.checksum || checksum_is_right(&row.header, buf),
            zone: connection.template.unwrap_or_default(),
            timeouts: connection.timeouts,
            said: connection.said,
            now: self.now,
        };
        match self.flows.track(&seen, settings) {
            Ok(tracked) => connection.found(tracked),
            Err(conntrack::TrackError::Table(_)) => return Step::Break(DropReason::ConntrackFull),
            Err(conntrack::TrackError::Extras(_)) => return Step::Break(DropReason::ConntrackExtrasFull),
        }
        if let (CtInfo::Related(Dir::Original), Some(id)) = (connection.info, connection.flow) {
            self.follow_master(id);
        }
        Step::Continue(())
    }

    /// The packet got through: helpers read it, and the flow that it began enters the table (`nf_confirm`).
    pub(crate) fn confirm(&mut self, packet: &mut Packet<'_, F, O::Buf>) -> Step {
        let Some(id) = packet.connection.flow else { return Step::Continue(()) };
        self.help(packet, id)?;
        let may_begin = matches!(packet.connection.info, CtInfo::New | CtInfo::Related(Dir::Original));
        if !may_begin || self.flows.get(id).is_none_or(Flow::is_confirmed) {
            self.flows.tell_changes(id);
            return Step::Continue(());
        }
        if self.home.is_shared() && self.flows.is_homeless(id, self.home) {
            // Rules changed between its two translations: its replies would find no flow.
            return Step::Break(DropReason::ConntrackClash);
        }
        match self.flows.confirm(id, self.now) {
            Ok(()) => Step::Continue(()),
            Err(conntrack::Clash) => Step::Break(DropReason::ConntrackClash),
        }
    }
}

/// The NIC's word is taken; where it has none, the sum is computed.
#[inline(always)]
pub(crate) fn checksum_is_right<F: Family, B: Buffer>(header: &packet::Header<F>, buf: &B) -> bool {
    let state = buf.l4_checksum();
    matches!(state, RxChecksum::Good | RxChecksum::Partial)
        || (state == RxChecksum::Unknown && packet::checksum::l4_verify(header, buf.segments()))
}
