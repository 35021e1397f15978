//! Helpers: protocols that name the ends of other connections in their data (`nf_conntrack_ftp` and its like).
//!
//! A rule gives a flow its helper (`CT --helper`), nothing else does. The helper reads the flow's packets where they leave, behind all rules and
//! translations: it announces connections ([`crate::conntrack::expect`]), and where the flow is translated it rewrites what the data says of
//! addresses and ports. When that changes a TCP segment's length, the numbers of all that follows are shifted here as well.
//!
//! - `payload` the data to be read and changed; [`ftp`], [`sip`], `tftp`: one protocol each

pub(crate) mod ftp;
pub(crate) mod payload;
pub(crate) mod sip;
mod tftp;

use packet::tcp::flags;
use packet::{Family, L4, TupleL4, icmp, set};
use program::Helper;

use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::conntrack::expect::{Expectation, Refused};
use crate::conntrack::{CtInfo, Dir, FlowId, Status};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::nat::{self, NatCtx, Range, Side};
use crate::outside::Outside;
use crate::walk::Walk;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Lets the flow's helper read a packet that leaves, and shifts its numbers.
    pub(crate) fn help(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        let shifted = self.flows.get(id).is_some_and(|flow| flow.status().has(Status::SEQ_ADJUST));
        let helper = match self.flows.assist(id) {
            Some(assist) => assist.helper,
            None if shifted => None,
            None => return Step::Continue(()),
        };
        let is_error = matches!(packet.header.transport, L4::Icmp { kind, .. } if icmp::is_error::<F>(kind));
        if is_error || packet.connection.info == CtInfo::Related(Dir::Reply) {
            return Step::Continue(());
        }
        match helper {
            Some(Helper::Ftp) => self.read_ftp(packet, id)?,
            Some(Helper::Tftp) => self.read_tftp(packet, id)?,
            Some(Helper::Sip) => self.read_sip(packet, id)?,
            None => {}
        }
        self.mark_children(id);
        if shifted { self.shift(packet, id) } else { Step::Continue(()) }
    }

    /// What a flow announced inherits its mark as it is now.
    fn mark_children(&self, id: FlowId) {
        let (Some(flow), Some(assist)) = (self.flows.get(id), self.flows.assist(id)) else { return };
        for child in assist.own.iter() {
            self.flows.expectations().relabel(child, flow.mark, self.flows.extra(id).label);
        }
    }

    /// Shifts the numbers of a segment (`nf_ct_seq_adjust`), by what helpers and SYNPROXY have made of them.
    fn shift(&self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        let L4::Tcp { seq, ack, flags: bits, .. } = packet.header.transport else { return Step::Continue(()) };
        let (dir, back) = (packet.connection.dir, packet.connection.dir.opposite());
        let seqs = self.flows.assist(id).map_or_else(Default::default, |assist| assist.seq);
        let (mine, other) = (seqs[dir.index()], seqs[back.index()]);
        let said = packet.connection.said;
        let (proxied, of_other) = (self.flows.proxied_shift(id, dir, said), self.flows.proxied_shift(id, back, said));
        let head = packet.buf.head_mut();
        let mut done = set::tcp_seq(head, &mut packet.row.header, seq.wrapping_add(mine.shift(seq) as u32).wrapping_add(proxied));
        if bits & flags::ACK != 0 {
            let acknowledged = |number: u32| other.acknowledged(number.wrapping_sub(of_other));
            done = done
                .and_then(|()| set::tcp_ack(head, &mut packet.row.header, acknowledged(ack)))
                .and_then(|()| set::tcp_sacks(head, &packet.row.header, acknowledged));
        }
        // The kernel drops a segment whose options cannot be read to their end.
        if done.is_ok() { Step::Continue(()) } else { Step::Break(DropReason::NatFailed) }
    }

    /// Announces a flow at the port that it has, or at another one (`nf_nat_exp_find_port`). Gives the port.
    fn announce_at_free_port(&mut self, new: &mut Expectation<F>, most: usize) -> Option<u16> {
        const TRIES: u32 = 128;
        let wanted = new.ends.dport;
        let above = u32::from(u16::MAX - wanted);
        let mut left = above.min(TRIES);
        loop {
            match self.flows.expect(new, most, false, self.now) {
                // Port 0 counts as none, though it is expected now.
                Ok(()) => return Some(new.ends.dport).filter(|port| *port != 0),
                Err(Refused::Full | Refused::Known) => return None,
                Err(Refused::Busy) => left = left.checked_sub(1)?,
            }
            new.ends.dport = wanted + self.rng.below(above) as u16;
        }
    }

    /// Translates a flow that was just announced as its master is (`nf_nat_follow_master`, `nf_nat_sip_expected`). Where several workers run,
    /// the source is decided when the packet leaves, because another worker may have to be asked.
    pub(crate) fn follow_master(&mut self, id: FlowId) {
        let Some(follow) = self.flows.assist(id).and_then(|assist| assist.follow) else { return };
        let source = self.source_of_master(id);
        let (address, port) = follow.destination;
        let destination = Range { ports: Some((port, port)), ..Range::keep(address) };
        let mut ctx = NatCtx { rng: &mut *self.rng, now: self.now, host: self.host };
        // Without a free port a side stays undecided, and the nat table speaks.
        let mut sides = [(Side::Src, source), (Side::Dst, Some(destination))];
        if follow.only_from.is_some() {
            sides.reverse();
        }
        for (side, range) in sides {
            if let Some(range) = range.filter(|_| side == Side::Dst || !self.home.is_shared()) {
                let _ = nat::setup(self.flows, id, side, &range, &mut ctx);
            }
        }
        if !self.home.is_shared()
            && let Some(assist) = self.flows.assist_mut(id)
        {
            assist.follow = None;
        }
    }

    /// The source that a flow takes over from its master, when it leaves.
    pub(crate) fn source_of_master(&self, id: FlowId) -> Option<Range<F>> {
        let assist = self.flows.assist(id)?;
        let (follow, master) = (assist.follow?, assist.master?);
        let original = self.flows.get(id)?.tuple(Dir::Original);
        if follow.pairs
            && let TupleL4::Ports { src: port, .. } = original.l4
            && let Some((address, port)) = self.flows.expectations().end_before(master, original.protocol, (original.src, port))
        {
            return Some(Range { ports: Some((port, port)), ..Range::keep(address) });
        }
        let comes_from_there = follow.only_from.is_none_or(|only_from| only_from == original.src);
        comes_from_there.then(|| Range::keep(follow.source))
    }
}
