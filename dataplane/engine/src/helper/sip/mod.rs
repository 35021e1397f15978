//! SIP (RFC 3261) over UDP and TCP: registrations announce who will call, session descriptions where audio, video and images will come from
//! (`nf_conntrack_sip`, `nf_nat_sip`).
//!
//! - `text` where things stand in a message; `media` what a session description announces; `rewrite` what a translated flow says of itself

mod media;
mod rewrite;
mod text;

use packet::{Family, L4, TupleL4, tcp, udp};
use program::Helper;

use crate::burst::Packet;
use crate::conntrack::expect::{Ends, Expectation, Master, Refused};
use crate::conntrack::{CtInfo, Dir, FlowId, Status};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;
use crate::walk::Walk;

use text::{Head, Sought};

/// Shorter messages are none.
const SHORTEST: usize = b"SIP/2.0 200".len();
/// How long an announced flow is waited for.
const LIFETIME_MS: u64 = 180_000;
/// The class of expectations of those who call.
const SIGNALLING: u8 = 0;
/// At most so many of them.
const MOST_SIGNALLING: usize = 1;

/// What one SIP flow remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dialogue {
    /// Numbers of the last REGISTER and INVITE that were taken.
    register: u32,
    invite: u32,
    /// The port on which the caller listens, if it is not the one that it sends from; 0 if it is.
    listens_on: u16,
}

/// One message in the data of the packet at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    at: usize,
    len: usize,
}

/// The packet is not to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It cannot be read.
    Malformed,
    /// There is no room, no free port, or no room in the packet.
    NoRoom,
}

type Read<T = ()> = Result<T, Unfit>;

/// An end of a flow.
pub(super) type End<F> = (<F as Family>::Addr, u16);

/// The ends that a flow has in one direction and, behind the translation, in the other.
pub(super) struct Sides<F: Family> {
    pub(super) src: End<F>,
    pub(super) dst: End<F>,
    /// Source and destination of the opposite direction.
    pub(super) other_src: End<F>,
    pub(super) other_dst: End<F>,
    pub(super) is_translated: bool,
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Reads a packet of a SIP flow.
    pub(super) fn read_sip(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        let l4 = usize::from(packet.header.l4);
        let (data_at, over_tcp) = match packet.header.transport {
            L4::Udp { .. } => (l4 + udp::HEADER_LEN, false),
            L4::Tcp { header_len, .. } if matches!(packet.connection.info, CtInfo::Established(_)) => {
                (l4 + usize::from(header_len).max(tcp::HEADER_LEN), true)
            }
            _ => return Step::Continue(()),
        };
        self.payload.load(&packet.buf, &packet.header, data_at);
        let all = self.payload.bytes().len();
        if all == 0 {
            return Step::Continue(());
        }
        let lives = u64::from(self.snap.settings.conntrack.sip_timeout) * 1000;
        let now = self.now;
        self.flows.update(id, now, |flow| flow.expire_at(now.plus_millis(lives)));
        self.cut.melt();
        if all < SHORTEST {
            return Step::Continue(());
        }
        let read = if over_tcp {
            self.read_stream(packet, id, all)
        } else {
            self.read_message(packet, id, &mut Message { at: 0, len: all })
        };
        let grown = self.payload.bytes().len() as i32 - all as i32;
        let stored = read.is_err() || self.payload.store(&mut packet.buf, &mut packet.row.header, self.out);
        match read {
            Ok(()) if stored => {
                if over_tcp {
                    self.note_shift(packet, id, grown);
                    Step::Continue(())
                } else {
                    self.redirect_answer(packet, id)
                }
            }
            Err(Unfit::Malformed) => Step::Break(DropReason::HelperCut),
            Ok(()) | Err(Unfit::NoRoom) => Step::Break(DropReason::ExpectationRefused),
        }
    }

    /// A segment holds whole messages, one behind another; what is no whole message passes unread.
    fn read_stream(&mut self, packet: &Packet<'_, F, O::Buf>, id: FlowId, all: usize) -> Read {
        let (mut at, mut left) = (0, all);
        loop {
            let Some(len) = self.message_len(at, left) else { return Ok(()) };
            let mut message = Message { at, len };
            self.read_message(packet, id, &mut message)?;
            at += message.len;
            left -= len;
        }
    }

    /// The length of the message that begins at `at`, if it ends within the next `left` bytes.
    fn message_len(&self, at: usize, left: usize) -> Option<usize> {
        let text = self.payload.bytes().get(at..at + left)?;
        let range = text::header::<F>(text, 0, Head::ContentLength).found()?;
        let behind = &text[range.end..];
        let end = behind.windows(4).position(|four| four == b"\r\n\r\n")?;
        let len = (range.end + end + 4).checked_add(text::number(text, range.start) as usize)?;
        (len <= left).then_some(len)
    }

    fn text(&self, message: &Message) -> &[u8] {
        self.payload.bytes().get(message.at..message.at + message.len).unwrap_or_default()
    }

    /// The flow's ends, as a packet of the direction at hand sees them.
    fn sides(&self, packet: &Packet<'_, F, O::Buf>, id: FlowId) -> Read<Sides<F>> {
        let flow = self.flows.get(id).ok_or(Unfit::NoRoom)?;
        let dir = packet.connection.dir;
        let (mine, other) = (flow.tuple(dir), flow.tuple(dir.opposite()));
        let ports = |l4| match l4 {
            TupleL4::Ports { src, dst } => (src, dst),
            _ => (0, 0),
        };
        let ((src, dst), (other_src, other_dst)) = (ports(mine.l4), ports(other.l4));
        Ok(Sides {
            src: (mine.src, src),
            dst: (mine.dst, dst),
            other_src: (other.src, other_src),
            other_dst: (other.dst, other_dst),
            is_translated: flow.status().has_any(Status::SRC_NAT.with(Status::DST_NAT)),
        })
    }

    fn dialogue(&mut self, id: FlowId) -> Read<&mut Dialogue> {
        self.flows.assist_mut(id).map(|assist| &mut assist.sip).ok_or(Unfit::NoRoom)
    }

    fn read_message(&mut self, packet: &Packet<'_, F, O::Buf>, id: FlowId, message: &mut Message) -> Read {
        let sides = self.sides(packet, id)?;
        if self.text(message).get(..8).is_some_and(|begin| begin.eq_ignore_ascii_case(b"SIP/2.0 ")) {
            self.read_response(packet, id, message, &sides)?;
        } else {
            self.read_request(packet, id, message, &sides)?;
        }
        if sides.is_translated { self.rewrite_headers(id, message, &sides, packet.header.protocol) } else { Ok(()) }
    }

    /// The number of a request, and where the text goes on behind it.
    fn sequence(&self, message: &Message) -> Read<(u32, usize)> {
        let text = self.text(message);
        let range = text::header::<F>(text, 0, Head::Cseq).found().ok_or(Unfit::Malformed)?;
        Ok((text::number(text, range.start), range.end + 1))
    }

    fn read_request(&mut self, packet: &Packet<'_, F, O::Buf>, id: FlowId, message: &mut Message, sides: &Sides<F>) -> Read {
        if let Some(via) = text::header_uri::<F>(self.text(message), Head::ViaUdp).found()
            && via.port != sides.src.1
            && via.address == sides.src.0
        {
            self.dialogue(id)?.listens_on = via.port;
        }
        let text = self.text(message);
        let is = |method: &[u8]| {
            let next = text.get(method.len()..method.len() + 2);
            text.get(..method.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(method))
                && next.is_some_and(|next| next[0] == b' ' && next[1].is_ascii_alphabetic())
        };
        let (invite, bye, register) = (is(b"INVITE"), is(b"BYE"), is(b"REGISTER"));
        if !(invite || bye || register || is(b"UPDATE") || is(b"ACK") || is(b"PRACK")) {
            return Ok(());
        }
        let (number, _) = self.sequence(message)?;
        if register {
            return self.register(packet, id, message, sides, number);
        }
        if invite || bye {
            self.forget_media(id);
        }
        if bye {
            return Ok(());
        }
        self.read_description(packet, id, message, sides)?;
        if invite {
            self.dialogue(id)?.invite = number;
        }
        Ok(())
    }

    fn read_response(&mut self, packet: &Packet<'_, F, O::Buf>, id: FlowId, message: &mut Message, sides: &Sides<F>) -> Read {
        if message.len < SHORTEST {
            return Ok(());
        }
        let code = text::number(self.text(message), b"SIP/2.0 ".len());
        if code == 0 {
            return Err(Unfit::Malformed);
        }
        let (number, behind) = self.sequence(message)?;
        let rest = self.text(message).get(behind..).unwrap_or_default();
        let is = |method: &[u8]| rest.get(..method.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(method));
        if is(b"INVITE") || is(b"UPDATE") || is(b"PRACK") {
            if (100..=299).contains(&code) {
                return self.read_description(packet, id, message, sides);
            }
            if self.dialogue(id)?.invite == number {
                self.forget_media(id);
            }
        } else if is(b"REGISTER") {
            return self.registered(id, message, sides, packet.header.protocol, (code, number));
        }
        Ok(())
    }

    /// A registration announces calls to the address that it gives. Nobody may call before the registrar has agreed.
    fn register(
        &mut self,
        packet: &Packet<'_, F, O::Buf>,
        id: FlowId,
        message: &mut Message,
        sides: &Sides<F>,
        number: u32,
    ) -> Read {
        let Some(flow) = self.flows.get(id) else { return Ok(()) };
        if flow.status().has(Status::EXPECTED) {
            return Ok(());
        }
        let (zone, mark, dir) = (flow.zone().zone, flow.mark, packet.connection.dir);
        let text = self.text(message);
        let mut expires = text::header::<F>(text, 0, Head::Expires).found().map_or(0, |range| text::number(text, range.start));
        let contact = match text::header_uri::<F>(text, Head::Contact) {
            Sought::Found(contact) => contact,
            Sought::Absent => return Ok(()),
            Sought::Malformed => return Err(Unfit::Malformed),
        };
        // For somebody else, or another transport.
        if contact.address != sides.src.0 || !text::is_transport(text, contact.range.end, packet.header.protocol) {
            return Ok(());
        }
        match text::number_parameter(text, contact.range.end, b"expires=") {
            Sought::Found((seconds, _)) => expires = seconds,
            Sought::Absent => {}
            Sought::Malformed => return Err(Unfit::Malformed),
        }
        if expires != 0 {
            let direct = self.snap.settings.conntrack.sip_direct_signalling;
            let mut calls = Expectation {
                ends: Ends {
                    src: direct.then_some(sides.other_src.0),
                    sport: None,
                    dst: contact.address,
                    dport: contact.port,
                    protocol: packet.header.protocol,
                },
                zone,
                master: Master { worker: self.flows.worker(), flow: id, helper: Helper::Sip },
                by: flow.tuple(Dir::Original),
                is_told: self.flows.tells_of_ends(id),
                class: SIGNALLING,
                mark,
                label: self.flows.extra(id).label,
                dir: dir.opposite(),
                follow: None,
                helper: Some(Helper::Sip),
                stays: true,
                is_open: false,
                expires: self.now.plus_millis(LIFETIME_MS),
            };
            if sides.is_translated {
                self.announce_calls(id, message, sides, &mut calls, contact.range)?;
            } else {
                self.flows.expect(&calls, MOST_SIGNALLING, false, self.now).map_err(|_: Refused| Unfit::NoRoom)?;
            }
        }
        self.dialogue(id)?.register = number;
        Ok(())
    }

    /// The registrar's word: the binding that it confirms may be called now, for as long as it says.
    fn registered(&mut self, id: FlowId, message: &Message, sides: &Sides<F>, transport: u8, (code, number): (u32, u32)) -> Read {
        if self.dialogue(id)?.register != number || (100..=199).contains(&code) {
            return Ok(());
        }
        if (200..=299).contains(&code) {
            let text = self.text(message);
            let usual = text::header::<F>(text, 0, Head::Expires).found().map_or(0, |range| text::number(text, range.start));
            let mut walk = text::Walk::default();
            loop {
                let text = self.text(message);
                let contact = match text::next_uri::<F>(text, Head::Contact, Some(&mut walk)) {
                    Sought::Found(contact) => contact,
                    Sought::Absent => break,
                    Sought::Malformed => return Err(Unfit::Malformed),
                };
                if contact.address != sides.dst.0 || !text::is_transport(text, contact.range.end, transport) {
                    continue;
                }
                let seconds = match text::number_parameter(text, contact.range.end, b"expires=") {
                    Sought::Found((seconds, _)) => seconds,
                    Sought::Absent => usual,
                    Sought::Malformed => return Err(Unfit::Malformed),
                };
                if seconds == 0 {
                    break;
                }
                let ends = (contact.address, contact.port);
                let until = self.now.plus_millis(u64::from(seconds) * 1000);
                if self.flows.reopen(id, until, self.now, |e| {
                    e.class == SIGNALLING && (e.ends.dst, e.ends.dport, e.ends.protocol) == (ends.0, ends.1, transport)
                }) {
                    return Ok(());
                }
            }
        }
        self.flows.forget_expected(id, |class| class == SIGNALLING);
        Ok(())
    }

    fn forget_media(&mut self, id: FlowId) {
        self.flows.forget_expected(id, |class| class != SIGNALLING);
    }
}
