//! What a session description announces: a pair of ports, for RTP and RTCP, of each medium.

use core::ops::Range;

use packet::{Family, protocol};
use program::Helper;

use super::text::{self, Line};
use super::{LIFETIME_MS, Message, Read, Sides, Unfit};
use crate::burst::Packet;
use crate::conntrack::expect::{Ends, Expectation, Master, Refused};
use crate::conntrack::{Dir, FlowId};
use crate::outside::Outside;
use crate::walk::Walk;

/// Media by the word that names them, with their class and how many expectations of it one flow may have.
const MEDIA: [(&[u8], u8, usize); 3] = [(b"audio ", 1, 4), (b"video ", 2, 4), (b"image ", 3, 2)];
/// Pairs of ports that are tried for a translated medium.
const TRIES: usize = 128;

/// One medium, as its line has it.
struct Medium {
    class: u8,
    most: usize,
    /// The bytes of the port.
    port: Range<usize>,
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Announces the media of a session description, if the message carries one.
    pub(super) fn read_description(
        &mut self,
        packet: &Packet<'_, F, O::Buf>,
        id: FlowId,
        message: &mut Message,
        sides: &Sides<F>,
    ) -> Read {
        let text = self.text(message);
        let Some(begin) = text::line::<F>(text, 0, Line::Version, None).map(|range| range.start) else { return Ok(()) };
        let of_session = text::line_address::<F>(text, begin, Line::Connection, Some(Line::Media)).map(|(address, _)| address);
        let mut at = begin;
        let mut last = of_session;
        let mut taken = 0;
        while taken < MEDIA.len() {
            let text = self.text(message);
            let Some(range) = text::line::<F>(text, at, Line::Media, None) else { break };
            let known = MEDIA.iter().find(|(word, ..)| text[range.clone()].starts_with(word));
            let Some((word, class, most)) = known else {
                at = range.end;
                continue;
            };
            let medium = Medium { class: *class, most: *most, port: range.start + word.len()..range.end };
            at = medium.port.start;
            let port = match text::number(text, at) {
                // Not in use.
                0 => continue,
                port => u16::try_from(port).ok().filter(|port| *port >= 1024).ok_or(Unfit::Malformed)?,
            };
            let own = text::line_address::<F>(text, at, Line::Connection, Some(Line::Media)).map(|(address, _)| address);
            let mut address = own.or(of_session).ok_or(Unfit::Malformed)?;
            self.announce_medium(packet, id, message, sides, &medium, &mut address, port)?;
            if own.is_some() && sides.is_translated {
                self.rewrite_line(message, at, Line::Connection, address)?;
            }
            last = Some(address);
            taken += 1;
        }
        match last {
            Some(address) if sides.is_translated => self.rewrite_session(message, begin, address),
            _ => Ok(()),
        }
    }

    /// `address` becomes what the other side is told.
    #[expect(clippy::too_many_arguments, reason = "what the message says, and of what")]
    fn announce_medium(
        &mut self,
        packet: &Packet<'_, F, O::Buf>,
        id: FlowId,
        message: &mut Message,
        sides: &Sides<F>,
        medium: &Medium,
        address: &mut F::Addr,
        port: u16,
    ) -> Read {
        let settings = &self.snap.settings.conntrack;
        let mut from = None;
        if settings.sip_direct_media {
            // To somebody else than who speaks: it does not pass here, or is announced there.
            if *address != sides.src.0 {
                return Ok(());
            }
            from = Some(sides.other_src.0);
        } else if settings.sip_external_media && self.leads_to(*address, packet.output) {
            return Ok(());
        }
        let Some(flow) = self.flows.get(id) else { return Ok(()) };
        let master = Master { worker: self.flows.worker(), flow: id, helper: Helper::Sip };
        let mut rtp = Expectation {
            ends: Ends { src: from, sport: None, dst: *address, dport: port, protocol: protocol::UDP },
            zone: flow.zone().zone,
            master,
            by: flow.tuple(Dir::Original),
            is_told: self.flows.tells_of_ends(id),
            class: medium.class,
            mark: flow.mark,
            label: self.flows.extra(id).label,
            dir: packet.connection.dir.opposite(),
            follow: None,
            helper: None,
            stays: false,
            is_open: true,
            expires: self.now.plus_millis(LIFETIME_MS),
        };
        let known = self.known_elsewhere(&mut rtp, sides);
        let (is_direct, is_known) = (known.is_direct, known.is_known);
        *address = rtp.ends.dst;
        rtp.ends.dport &= !1;
        if is_direct {
            self.rewrite_port(message, medium.port.clone(), rtp.ends.dport)?;
        }
        if is_known {
            return Ok(());
        }
        let mut rtcp = rtp;
        rtcp.ends.dport = rtp.ends.dport + 1;
        if sides.is_translated && !is_direct {
            return self.announce_translated(id, message, sides, medium, (rtp, rtcp), address);
        }
        // The same on another connection, or of another kind, is as good as announced.
        let first = match self.flows.expect(&rtp, medium.most, true, self.now) {
            Ok(()) => true,
            Err(Refused::Known) => false,
            Err(Refused::Busy | Refused::Full) => return Err(Unfit::NoRoom),
        };
        match self.flows.expect(&rtcp, medium.most, true, self.now) {
            Ok(()) | Err(Refused::Known) => Ok(()),
            Err(Refused::Busy | Refused::Full) => {
                if first {
                    self.flows.unexpect(id);
                }
                Err(Unfit::NoRoom)
            }
        }
    }

    /// The same medium may have been announced on another connection, when both ends of a call are known here. If that one and this one are
    /// translated both, the ends can reach each other directly: `rtp` then goes to where the other one is behind its translation.
    fn known_elsewhere(&self, rtp: &mut Expectation<F>, sides: &Sides<F>) -> Known {
        let mut known = Known::default();
        // The kernel looks on while it finds other ones; no honest call has two.
        for _ in 0..4 {
            let found = self.flows.expectations().find(&rtp.ends, rtp.zone, self.now);
            let Some(other) =
                found.filter(|other| other.master != rtp.master && other.class == rtp.class && other.master.helper == Helper::Sip)
            else {
                break;
            };
            let saved = other.follow.map_or_else(Default::default, |follow| follow.destination);
            if !known.is_direct && saved != (other.ends.dst, other.ends.dport) && sides.is_translated {
                (rtp.ends.dst, rtp.ends.dport) = saved;
                known.is_direct = true;
            } else {
                known.is_known = true;
                break;
            }
        }
        known
    }
}

#[derive(Clone, Copy, Default)]
struct Known {
    is_direct: bool,
    is_known: bool,
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Announces a medium at a pair of ports that is free on this side of the translation, and says so.
    fn announce_translated(
        &mut self,
        id: FlowId,
        message: &mut Message,
        sides: &Sides<F>,
        medium: &Medium,
        (mut rtp, mut rtcp): (Expectation<F>, Expectation<F>),
        address: &mut F::Addr,
    ) -> Read {
        let (was, wanted) = (rtp.ends.dst, rtp.ends.dport);
        if sides.src.0 != sides.other_dst.0 {
            *address = sides.other_dst.0;
        }
        for (one, port) in [(&mut rtp, wanted), (&mut rtcp, wanted + 1)] {
            one.ends.dst = *address;
            one.follow = Some(Self::follow_of(sides, true, (was, port)));
        }
        let mut port = wanted;
        for _ in 0..TRIES {
            (rtp.ends.dport, rtcp.ends.dport) = (port, port + 1);
            let found = match self.flows.expect(&rtp, medium.most, true, self.now) {
                Ok(()) => match self.flows.expect(&rtcp, medium.most, true, self.now) {
                    Ok(()) => true,
                    Err(refused) => {
                        self.flows.unexpect(id);
                        if refused != Refused::Busy {
                            return Err(Unfit::NoRoom);
                        }
                        false
                    }
                },
                Err(Refused::Busy) => false,
                Err(Refused::Known | Refused::Full) => return Err(Unfit::NoRoom),
            };
            if found {
                if port == wanted {
                    return Ok(());
                }
                return self.rewrite_port(message, medium.port.clone(), port).inspect_err(|_| {
                    self.flows.unexpect(id);
                    self.flows.unexpect(id);
                });
            }
            port = port.checked_add(2).ok_or(Unfit::NoRoom)?;
        }
        Err(Unfit::NoRoom)
    }
}
