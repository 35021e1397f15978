//! Packets on their way.
//!
//! A stage that needs no order among packets (parsing, looking ahead) runs over a whole burst. Everything that creates or remembers runs one packet
//! to its end before the next one: [`Burst::take`] takes a packet out. One that walks is a [`Packet`] of references to its [`Row`].

use core::ops::{Deref, DerefMut, Range};

use packet::{Family, Header};
use program::{CtAction, InterfaceId, LabelId, TimeoutId};

use crate::conntrack::{CtInfo, Dir, FlowId, Said, Tracked};
use crate::worker::BURST;

/// Whom the frame was sent to, on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The interface itself.
    Host,
    /// A group or everybody.
    Group,
}

/// Where a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From the wire.
    Wire(Link),
    /// From the box's own stack, through a TAP; its frame is addressed already.
    Host,
    /// Made by the walk.
    Own,
}

/// What connection tracking knows of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// Its state.
    pub(crate) info: CtInfo,
    /// Its flow, when it has one.
    pub(crate) flow: Option<FlowId>,
    /// Its direction in that flow.
    pub(crate) dir: Dir,
    /// What a CT rule laid down before tracking.
    pub(crate) template: Option<CtAction>,
    /// The timeout policy that it named.
    pub(crate) timeouts: TimeoutId,
    /// Its zone is the mark that the packet has when it is tracked.
    pub(crate) zone_of_mark: bool,
    /// What SYNPROXY says with it.
    pub(crate) said: Said,
}

impl Connection {
    /// Not tracked (yet): what rules before tracking see.
    pub(crate) const NONE: Self = Self {
        info: CtInfo::Invalid,
        flow: None,
        dir: Dir::Original,
        template: None,
        timeouts: TimeoutId::NONE,
        zone_of_mark: false,
        said: Said::Nothing,
    };

    /// What tracking found.
    #[inline]
    pub(crate) fn found(&mut self, tracked: Tracked) {
        (self.info, self.flow, self.dir) = (tracked.info, tracked.flow, tracked.dir);
    }
}

/// One packet, taken out of its burst: its bytes, and what is known of it beside them, which is read as if it were its own. Two pointers, so that it goes from
/// step to step in registers.
pub(crate) struct Packet<'b, F: Family, B> {
    /// Its bytes. The head is contiguous through the transport header.
    pub(crate) buf: B,
    /// Where both parts are written at once it is named.
    pub(crate) row: &'b mut Row<F>,
}

impl<F: Family, B> Deref for Packet<'_, F, B> {
    type Target = Row<F>;

    #[inline(always)]
    fn deref(&self) -> &Row<F> {
        self.row
    }
}

impl<F: Family, B> DerefMut for Packet<'_, F, B> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Row<F> {
        self.row
    }
}

impl<F: Family, B> Packet<'_, F, B> {
    /// Its bytes, and all else that is known of it.
    pub(crate) fn into_parts(self) -> (B, Row<F>) {
        (self.buf, *self.row)
    }
}

/// What is known of a packet beside its bytes.
#[derive(Clone, Copy)]
pub(crate) struct Row<F: Family> {
    /// Its fields, kept true to the bytes.
    pub(crate) header: Header<F>,
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Where it came in; none for the box's own.
    pub(crate) input: InterfaceId,
    /// Where it goes out; none before routing and for local delivery.
    pub(crate) output: InterfaceId,
    /// Who gets it on that link.
    pub(crate) next_hop: F::Addr,
    /// Is its destination a broadcast or multicast address? Known after routing.
    pub(crate) to_many: bool,
    /// Its mark.
    pub(crate) mark: u32,
    /// Its security label.
    pub(crate) label: LabelId,
    /// Is it told in the log what rules it meets (TRACE)?
    pub(crate) told: bool,
    /// Is it a copy that TEE made, or what the box says about one? No copy is made of it.
    pub(crate) copied: bool,
    /// Its connection.
    pub(crate) connection: Connection,
}

impl<F: Family> Row<F> {
    /// A packet before its first rule.
    #[inline]
    pub(crate) fn new(header: Header<F>, origin: Origin, input: InterfaceId) -> Self {
        Self {
            header,
            origin,
            input,
            output: InterfaceId::NONE,
            next_hop: header.dst,
            to_many: false,
            mark: 0,
            label: LabelId(0),
            told: false,
            copied: false,
            connection: Connection::NONE,
        }
    }

    /// A packet that the box's own stack sends by a port.
    pub(crate) fn of_host(header: Header<F>, port: InterfaceId) -> Self {
        Self { output: port, ..Self::new(header, Origin::Host, InterfaceId::NONE) }
    }

    /// The packet, with its bytes.
    #[inline(always)]
    pub(crate) fn packet<B>(&mut self, buf: B) -> Packet<'_, F, B> {
        Packet { buf, row: self }
    }

    /// No rule has changed what is known of it.
    pub(crate) fn is_untouched(&self) -> bool {
        self.connection == Connection::NONE && self.mark == 0 && self.label == LabelId(0)
    }
}

/// What is known of a packet when it arrives.
pub(crate) struct Arrival<F: Family> {
    pub(crate) header: Header<F>,
    pub(crate) origin: Origin,
    /// Sent to this station, and what a router has nothing to say about but by its length.
    pub(crate) is_plain: bool,
}

/// A place in a burst, or behind its end.
pub(crate) struct Place<F: Family, B> {
    /// None behind the last packet, and where one was taken out.
    pub(crate) buf: Option<B>,
    /// Of the packet that stands here, or did.
    pub(crate) arrival: Arrival<F>,
}

/// Packets that came together, in their order.
pub(crate) struct Burst<F: Family, B> {
    places: [Place<F, B>; BURST],
    count: usize,
}

/// Where the next packet of a burst will stand.
pub(crate) struct Vacancy<'b, F: Family, B> {
    /// For what is known of it; nothing to begin with.
    pub(crate) arrival: &'b mut Arrival<F>,
    buf: &'b mut Option<B>,
    count: &'b mut usize,
}

impl<F: Family, B> Vacancy<'_, F, B> {
    /// Adds the packet, of which all is written that is known.
    #[inline(always)]
    pub(crate) fn fill(self, buf: B) {
        let before = self.buf.replace(buf);
        debug_assert!(before.is_none());
        // It is none: there is nothing to drop, which would be asked of each packet.
        core::mem::forget(before);
        *self.count += 1;
    }
}

impl<F: Family, B> Burst<F, B> {
    /// No packets.
    pub(crate) fn new() -> Self {
        let arrival = || Arrival { header: Header::BLANK, origin: Origin::Own, is_plain: false };
        Self { places: core::array::from_fn(|_| Place { buf: None, arrival: arrival() }), count: 0 }
    }

    /// Where the next packet will stand. Nothing is added before it is there.
    ///
    /// # Panics
    /// When there are [`BURST`] packets already: no caller has more.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Vacancy<'_, F, B> {
        let Place { buf, arrival } = &mut self.places[self.count];
        Vacancy { arrival, buf, count: &mut self.count }
    }

    /// The fields of its packets from number `from` on.
    #[inline]
    pub(crate) fn headers(&self, from: usize) -> impl Iterator<Item = &Header<F>> {
        self.places[from..self.count].iter().map(|place| &place.arrival.header)
    }

    /// The fields of packet `i`.
    #[inline]
    pub(crate) fn header(&self, i: usize) -> Option<&Header<F>> {
        self.places[..self.count].get(i).map(|place| &place.arrival.header)
    }

    /// Some of its packets, in their places.
    #[inline(always)]
    pub(crate) fn some(&mut self, numbers: Range<usize>) -> &mut [Place<F, B>] {
        &mut self.places[numbers]
    }

    /// Takes packet `i` out, to walk; `None` when it was taken before.
    #[inline]
    pub(crate) fn take(&mut self, i: usize) -> Option<(B, &mut Arrival<F>)> {
        let Place { buf, arrival } = self.places.get_mut(i)?;
        Some((buf.take()?, arrival))
    }

    /// Begins anew, when all packets were taken out.
    pub(crate) fn clear(&mut self) {
        debug_assert!(self.places.iter().all(|place| place.buf.is_none()));
        self.count = 0;
    }
}
