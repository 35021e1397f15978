//! TFTP (RFC 1350): the server answers a request from another port than it was sent to (`nf_conntrack_tftp`).

use packet::{Family, TupleL4, udp};
use program::Helper;

use crate::burst::Packet;
use crate::conntrack::expect::{Ends, Expectation, Follow, Master};
use crate::conntrack::{Dir, FlowId, Status};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;
use crate::walk::Walk;

/// Opcodes of the two requests.
const READ: [u8; 2] = [0, 1];
const WRITE: [u8; 2] = [0, 2];
/// How long an answer is waited for.
const LIFETIME_MS: u64 = 300_000;
/// Answers that one flow waits for.
const MOST: usize = 1;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// A request announces its answer, whoever sends it.
    pub(super) fn read_tftp(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        self.payload.load(&packet.buf, &packet.header, usize::from(packet.header.l4) + udp::HEADER_LEN);
        if !self.payload.bytes().first_chunk().is_some_and(|opcode| *opcode == READ || *opcode == WRITE) {
            return Step::Continue(());
        }
        let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
        let (original, reply) = (flow.tuple(Dir::Original), flow.tuple(Dir::Reply));
        let (TupleL4::Ports { src: port, .. }, TupleL4::Ports { dst: dport, .. }) = (original.l4, reply.l4) else {
            return Step::Continue(());
        };
        let is_translated = flow.status().has_any(Status::SRC_NAT.with(Status::DST_NAT));
        let answer = Expectation {
            ends: Ends { src: Some(reply.src), sport: None, dst: reply.dst, dport, protocol: packet.header.protocol },
            zone: flow.zone().zone,
            master: Master { worker: self.flows.worker(), flow: id, helper: Helper::Tftp },
            by: original,
            is_told: self.flows.tells_of_ends(id),
            class: 0,
            mark: flow.mark,
            label: self.flows.extra(id).label,
            dir: Dir::Reply,
            follow: is_translated.then_some(Follow {
                source: original.dst,
                only_from: None,
                pairs: false,
                destination: (original.src, port),
            }),
            helper: None,
            stays: false,
            is_open: true,
            expires: self.now.plus_millis(LIFETIME_MS),
        };
        match self.flows.expect(&answer, MOST, false, self.now) {
            Ok(()) => Step::Continue(()),
            Err(_) => Step::Break(DropReason::ExpectationRefused),
        }
    }
}
