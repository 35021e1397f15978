//! What a translated SIP flow says of itself, rewritten to what the other side sees (`nf_nat_sip`).

use core::fmt::Write;
use core::net::IpAddr;
use core::ops::Range;

use arrayvec::ArrayString;
use packet::family::Addr;
use packet::{Family, protocol, set};
use program::InterfaceId;

use super::text::{self, Head, Line, Sought, Uri};
use super::{End, Message, Read, Sides, Unfit};
use crate::buffer::Buffer;
use crate::burst::Packet;
use crate::conntrack::expect::{Expectation, Follow};
use crate::conntrack::{Dir, FlowId};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;
use crate::walk::Walk;

/// Longest text of an address and a port.
type Text = ArrayString<64>;

fn address_text(address: IpAddr, bracketed: bool) -> Text {
    let mut text = Text::new();
    // 64 bytes hold every address.
    let _ = match address {
        IpAddr::V4(address) => write!(text, "{address}"),
        IpAddr::V6(address) if bracketed => write!(text, "[{address}]"),
        IpAddr::V6(address) => write!(text, "{address}"),
    };
    text
}

fn end_text<F: Family>(end: End<F>) -> Text {
    let mut text = address_text(end.0.to_ip(), true);
    let _ = write!(text, ":{}", end.1);
    text
}

fn number_text(number: usize) -> Text {
    let mut text = Text::new();
    let _ = write!(text, "{number}");
    text
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Puts text in place of a part of the message.
    fn put(&mut self, message: &mut Message, range: Range<usize>, text: &str) -> Read {
        let whole = message.at + range.start..message.at + range.end;
        let (cut, added) = (range.len(), text.len());
        if range.end > message.len || !self.payload.replace(whole, text.as_bytes()) {
            return Err(Unfit::NoRoom);
        }
        message.len = message.len - cut + added;
        Ok(())
    }

    /// Request line, the topmost Via with its parameters, all Contacts, From and To.
    pub(super) fn rewrite_headers(&mut self, id: FlowId, message: &mut Message, sides: &Sides<F>, transport: u8) -> Read {
        let is_request = !self.text(message).get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case(b"SIP/2.0"));
        if is_request && let Some(uri) = text::request_uri::<F>(self.text(message)) {
            self.map(id, message, sides, &uri)?;
        }
        let via = if transport == protocol::TCP { Head::ViaTcp } else { Head::ViaUdp };
        if let Some(uri) = text::header_uri::<F>(self.text(message), via).found() {
            let end = if is_request { sides.src } else { sides.dst };
            if (uri.address, uri.port) == end {
                let before = message.len;
                self.map(id, message, sides, &uri)?;
                self.rewrite_parameters(message, sides, uri.range.end + message.len - before)?;
            }
        }
        let mut walk = text::Walk::default();
        // As many as there can be: each takes some bytes.
        for _ in 0..message.len {
            let Some(uri) = text::next_uri::<F>(self.text(message), Head::Contact, Some(&mut walk)).found() else { break };
            self.map(id, message, sides, &uri)?;
        }
        for head in [Head::From, Head::To] {
            if let Some(uri) = text::header_uri::<F>(self.text(message), head).found() {
                self.map(id, message, sides, &uri)?;
            }
        }
        Ok(())
    }

    /// An end of the flow is named as the other side knows it; all else stays.
    fn map(&mut self, id: FlowId, message: &mut Message, sides: &Sides<F>, uri: &Uri<F>) -> Read {
        let end = (uri.address, uri.port);
        let new = if end == sides.src {
            sides.other_dst
        } else if end == sides.dst {
            let listens_on = self.dialogue(id)?.listens_on;
            (sides.other_src.0, if listens_on == 0 { sides.other_src.1 } else { listens_on })
        } else {
            return Ok(());
        };
        if new == end { Ok(()) } else { self.put(message, uri.range.clone(), &end_text::<F>(new)) }
    }

    /// What the Via says behind its address: where to answer to, and whence it came.
    fn rewrite_parameters(&mut self, message: &mut Message, sides: &Sides<F>, behind: usize) -> Read {
        if let Some((address, range)) = text::address_parameter::<F>(self.text(message), behind, b"maddr=", true)
            && address == sides.src.0
            && address != sides.other_dst.0
        {
            self.put(message, range, &address_text(sides.other_dst.0.to_ip(), true))?;
        }
        if let Some((address, range)) = text::address_parameter::<F>(self.text(message), behind, b"received=", false)
            && address == sides.dst.0
            && address != sides.other_src.0
        {
            self.put(message, range, &address_text(sides.other_src.0.to_ip(), false))?;
        }
        if let Sought::Found((port, range)) = text::number_parameter(self.text(message), behind, b"rport=")
            && port as u16 == sides.dst.1
            && port as u16 != sides.other_src.1
        {
            self.put(message, range, &number_text(usize::from(sides.other_src.1)))?;
        }
        Ok(())
    }

    /// A line's address becomes this one. A line that is not there is not missed, but for what depends on it.
    fn replace_line(&mut self, message: &mut Message, from: usize, kind: Line, address: F::Addr) -> Read<bool> {
        match text::line::<F>(self.text(message), from, kind, Some(Line::Media)) {
            Some(range) => self.put(message, range, &address_text(address.to_ip(), false)).map(|()| true),
            None => Ok(false),
        }
    }

    pub(super) fn rewrite_line(&mut self, message: &mut Message, from: usize, kind: Line, address: F::Addr) -> Read {
        if !self.replace_line(message, from, kind, address)? {
            return Err(Unfit::Malformed);
        }
        self.rewrite_length(message)
    }

    /// The session's own addresses: who owns it, and where media come from that do not say.
    pub(super) fn rewrite_session(&mut self, message: &mut Message, begin: usize, address: F::Addr) -> Read {
        if !self.replace_line(message, begin, Line::Owner, address)? {
            return Err(Unfit::Malformed);
        }
        self.replace_line(message, begin, Line::Connection, address)?;
        self.rewrite_length(message)
    }

    pub(super) fn rewrite_port(&mut self, message: &mut Message, range: Range<usize>, port: u16) -> Read {
        self.put(message, range, &number_text(usize::from(port)))?;
        self.rewrite_length(message)
    }

    /// The length that the message gives for its description.
    fn rewrite_length(&mut self, message: &mut Message) -> Read {
        let text = self.text(message);
        let begin = text::line::<F>(text, 0, Line::Version, None).ok_or(Unfit::Malformed)?.start - b"v=".len();
        let range = text::header::<F>(text, 0, Head::ContentLength).found().ok_or(Unfit::Malformed)?;
        self.put(message, range, &number_text(message.len - begin))
    }

    /// Announces calls to a registered address, at the end that the registrar is told.
    pub(super) fn announce_calls(
        &mut self,
        id: FlowId,
        message: &mut Message,
        sides: &Sides<F>,
        calls: &mut Expectation<F>,
        contact: Range<usize>,
    ) -> Read {
        let was = (calls.ends.dst, calls.ends.dport);
        if sides.src.0 != sides.other_dst.0 {
            calls.ends.dst = sides.other_dst.0;
        }
        // Where it listens for answers, it is called at the port that its own became.
        let listens_on = self.dialogue(id)?.listens_on;
        if calls.ends.dport == if listens_on == 0 { sides.src.1 } else { listens_on } {
            calls.ends.dport = sides.other_dst.1;
        }
        calls.follow = Some(Self::follow_of(sides, false, was));
        let port = self.announce_at_free_port(calls, super::MOST_SIGNALLING).ok_or(Unfit::NoRoom)?;
        if (calls.ends.dst, port) == was {
            return Ok(());
        }
        self.put(message, contact, &end_text::<F>((calls.ends.dst, port))).inspect_err(|_| self.flows.unexpect(id))
    }

    /// How an announced flow is translated: to the end that was named, and from the master's other end if it comes from there.
    pub(super) fn follow_of(sides: &Sides<F>, pairs: bool, destination: End<F>) -> Follow<F> {
        Follow { source: sides.dst.0, only_from: Some(sides.other_src.0), pairs, destination }
    }

    /// The answer goes to the port on which the caller listens.
    pub(super) fn redirect_answer(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        let Ok(sides) = self.sides(packet, id) else { return Step::Continue(()) };
        let Ok(listens_on) = self.dialogue(id).map(|dialogue| dialogue.listens_on) else { return Step::Continue(()) };
        if packet.connection.dir == Dir::Reply && listens_on != 0 && sides.is_translated {
            return match set::dport(packet.buf.head_mut(), &mut packet.row.header, listens_on) {
                Ok(()) => Step::Continue(()),
                Err(_) => Step::Break(DropReason::BufferLayout),
            };
        }
        Step::Continue(())
    }

    /// Does the way to an address lead out where this packet leaves?
    pub(super) fn leads_to(&self, address: F::Addr, output: InterfaceId) -> bool {
        let key = crate::route::RouteKey { dst: address, src: F::Addr::ZERO, input: InterfaceId::NONE, mark: 0, tos: 0 };
        matches!(self.route_output(&key), Step::Continue(hop) if hop.interface == output)
    }
}
