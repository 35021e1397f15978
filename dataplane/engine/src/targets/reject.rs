//! `REJECT` (`ipt_REJECT.c`, `nf_reject_ipv4.c`): drops the packet and answers it, where an answer is due.

use packet::{Family, reply};
use program::RejectWith;

use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::outside::Outside;
use crate::walk::Walk;
use crate::walk::answer::Message;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Sends the answer. The packet itself is dropped by the caller.
    pub(crate) fn reject(&mut self, packet: &Packet<'_, F, O::Buf>, with: RejectWith) {
        if !reply::checksum_allows(&packet.header, packet.buf.segments()) {
            return;
        }
        match with {
            RejectWith::Unreachable(code) => self.answer(packet, Message::Unreachable(code)),
            RejectWith::TcpReset => self.reset(packet),
        }
    }
}
