//! FTP (RFC 959): data connections are announced in the control connection (`nf_conntrack_ftp`, `nf_nat_ftp`).
//!
//! Only what begins a line is a command: the helper remembers, for each direction, the numbers behind the last segments that ended in a
//! newline, and looks at segments that begin there alone. So a page that a browser sends to port 21 cannot smuggle a command in. Nor can a
//! client announce a connection to an address that is not its own.

mod command;

use packet::{Family, L4, protocol};
use program::Helper;

use crate::burst::Packet;
use crate::conntrack::expect::{Ends, Expectation, Follow, Master};
use crate::conntrack::window::{after, before};
use crate::conntrack::{CtInfo, Dir, FlowId, Status};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;
use crate::walk::Walk;

use command::{Found, Search};

/// How long a data connection is waited for.
const LIFETIME_MS: u64 = 300_000;
/// Data connections that one control connection waits for.
const MOST: usize = 1;

/// Where the lines of one direction begin: the last two numbers behind a newline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    begins: [u32; 2],
    known: u8,
}

impl Lines {
    fn begins_at(&self, seq: u32) -> bool {
        self.begins[..usize::from(self.known)].contains(&seq)
    }

    fn note(&mut self, seq: u32) {
        if self.begins_at(seq) {
            return;
        }
        if let Some(place) = self.begins.get_mut(usize::from(self.known)) {
            *place = seq;
            self.known += 1;
            return;
        }
        let oldest = usize::from(!before(self.begins[0], self.begins[1]));
        if after(seq, self.begins[oldest]) {
            self.begins[oldest] = seq;
        }
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Reads a segment of a control connection.
    pub(super) fn read_ftp(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        let CtInfo::Established(dir) = packet.connection.info else { return Step::Continue(()) };
        self.cut.melt();
        let L4::Tcp { seq, header_len, .. } = packet.header.transport else { return Step::Continue(()) };
        self.payload.load(&packet.buf, &packet.header, usize::from(packet.header.l4) + usize::from(header_len));
        let data = self.payload.bytes();
        let Some(last) = data.last() else { return Step::Continue(()) };
        let (ends_line, next) = (*last == b'\n', seq.wrapping_add(data.len() as u32));
        let (Some(flow), Some(assist)) = (self.flows.get(id), self.flows.assist(id)) else { return Step::Continue(()) };
        let mut end = Step::Continue(());
        if assist.lines[dir.index()].begins_at(seq) {
            match command::search::<F>(dir, data, flow.tuple(dir).src) {
                Search::Nothing => {}
                Search::Cut => return Step::Break(DropReason::HelperCut),
                Search::Found(found) => end = self.announce_data(packet, id, &found),
            }
        }
        if ends_line && let Some(assist) = self.flows.assist_mut(id) {
            assist.lines[dir.index()].note(next);
        }
        end
    }

    /// Announces a data connection, and names the end that the other side can reach.
    fn announce_data(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId, found: &Found<F>) -> Step {
        let Some(flow) = self.flows.get(id) else { return Step::Continue(()) };
        let dir = packet.connection.dir;
        let (mine, other) = (flow.tuple(dir), flow.tuple(dir.opposite()));
        // To somebody else: `loose` is off.
        if found.address != mine.src {
            return Step::Continue(());
        }
        let is_translated = flow.status().has_any(Status::SRC_NAT.with(Status::DST_NAT));
        let mut data = Expectation {
            ends: Ends { src: Some(other.src), sport: None, dst: other.dst, dport: found.port, protocol: protocol::TCP },
            zone: flow.zone().zone,
            master: Master { worker: self.flows.worker(), flow: id, helper: Helper::Ftp },
            by: flow.tuple(Dir::Original),
            is_told: self.flows.tells_of_ends(id),
            class: 0,
            mark: flow.mark,
            label: self.flows.extra(id).label,
            dir: dir.opposite(),
            follow: None,
            helper: None,
            stays: false,
            is_open: true,
            expires: self.now.plus_millis(LIFETIME_MS),
        };
        const REFUSED: Step = Step::Break(DropReason::ExpectationRefused);
        if !is_translated {
            return if self.flows.expect(&data, MOST, false, self.now).is_ok() { Step::Continue(()) } else { REFUSED };
        }
        data.follow = Some(Follow { source: mine.dst, only_from: None, pairs: false, destination: (mine.src, found.port) });
        let Some(port) = self.announce_at_free_port(&mut data, MOST) else { return REFUSED };
        let text = command::text::<F>(found.form, other.dst, port);
        let rewritten = text.is_some_and(|text| {
            self.payload.replace(found.at..found.at + found.len, text.as_bytes())
                && self.payload.store(&mut packet.buf, &mut packet.row.header, self.out)
                && self.note_shift(packet, id, text.len() as i32 - found.len as i32)
        });
        if rewritten {
            return Step::Continue(());
        }
        self.flows.unexpect(id);
        REFUSED
    }

    /// Notes that a segment's length changed.
    pub(super) fn note_shift(&mut self, packet: &Packet<'_, F, O::Buf>, id: FlowId, delta: i32) -> bool {
        let L4::Tcp { seq, .. } = packet.header.transport else { return false };
        if delta != 0 {
            if let Some(assist) = self.flows.assist_mut(id) {
                assist.seq[packet.connection.dir.index()].note(seq, delta);
            }
            self.flows.set_status(id, Status::SEQ_ADJUST);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_two_lines_are_remembered() {
        let mut lines = Lines::default();
        assert!(!lines.begins_at(0));
        for seq in [10, 20, 20, 30] {
            lines.note(seq);
        }
        assert!(!lines.begins_at(10) && lines.begins_at(20) && lines.begins_at(30));
        lines.note(5);
        assert!(lines.begins_at(20) && lines.begins_at(30), "an old line is no news");
    }
}
