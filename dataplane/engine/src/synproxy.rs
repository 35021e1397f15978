//! SYNPROXY: cookies in place of half-open connections (`nf_synproxy_core.c`, `syncookies.c`).
//!
//! 1. A client's SYN is answered for the server, at once and without a trace: all that has to be known again is in the numbers of the answer
//!    ([`cookie`], and the low bits of its timestamp).
//! 2. An ACK that brings them back shows that the client is there. Now the server gets a SYN, with the cookie as a number that nobody acknowledges;
//!    it begins the flow, which learns from it what the client counts from.
//! 3. The server's SYN/ACK goes no further: it is acknowledged, and the client, whose window was shut, is told of the server's window. From here
//!    on the numbers and timestamps of the server are shifted by what the cookie was off, in both directions.
//!
//! The target does 1 and 2 ([`crate::targets`]), what stands here does 3, before confirmation: only flows that step 2 began come here.

use packet::options::tcp::{self as options, TcpOptions};
use packet::tcp::flags::{ACK, RST, SYN};
use packet::{Family, L4, protocol, reply, set};

use crate::buffer::Buffer;
use crate::burst::{Connection, Packet};
use crate::conntrack::tcp::TcpState;
use crate::conntrack::{CtInfo, Dir, FlowId, Protocol, Said, Status};
use crate::drop::DropReason;
use crate::hooks::Step;
use crate::outside::Outside;
use crate::walk::Walk;

pub(crate) mod cookie;

/// What a flow remembers of the cookie that it began with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxied {
    /// The number that the client counts from, in place of the server's.
    isn: u32,
    /// The timestamp that the client was given with it.
    stamp: u32,
    /// The server's timestamps are ahead of the client's by this.
    stamp_shift: u32,
    /// The client's numbers are ahead of the server's by this.
    pub(crate) shift: u32,
    /// The same before the last handshake with the server, whose acknowledgement goes by it still.
    pub(crate) before: u32,
}

/// Low bits of a cookie's timestamp, which carry what the client asked for. The scale is 15 where none was.
const NO_SCALE: u32 = 0xf;
const SACK: u32 = 1 << 4;
const ECN: u32 = 1 << 5;
const BITS: u32 = 0x3f;

/// A client's side of a handshake.
pub(crate) struct Hello {
    pub(crate) options: TcpOptions,
    pub(crate) ecn: bool,
}

impl Hello {
    /// Puts what the client asked for into the timestamp of the answer; gives the answer's options. `millis` is the clock of timestamps.
    pub(crate) fn into_stamp(mut self, scale: Option<u8>, millis: u32) -> Self {
        let Some((value, _)) = self.options.timestamps else {
            // Nowhere to keep them.
            return Self { options: TcpOptions { window_scale: None, sack_permitted: false, ..self.options }, ecn: false };
        };
        let kept = self.options.window_scale.map_or(NO_SCALE, u32::from)
            | if self.options.sack_permitted { SACK } else { 0 }
            | if self.ecn { ECN } else { 0 };
        self.options.timestamps = Some((millis & !BITS | kept, value));
        self.options.window_scale = self.options.window_scale.and(scale);
        self
    }

    /// What the client had asked for, from the timestamp that it echoes.
    pub(crate) fn of_stamp(options: TcpOptions, mss: u16) -> Self {
        let mut hello = Self { options: TcpOptions { mss: Some(mss), sack_end: None, ..options }, ecn: false };
        if let Some((_, echo)) = options.timestamps {
            if echo & NO_SCALE != NO_SCALE {
                hello.options.window_scale = Some((echo & NO_SCALE) as u8);
            }
            hello.options.sack_permitted |= echo & SACK != 0;
            hello.ecn = echo & ECN != 0;
        }
        hello
    }
}

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Before a packet of a flow that a cookie began is confirmed: the handshake with the server, and the shift of timestamps.
    pub(crate) fn keep_in_step(&mut self, packet: &mut Packet<'_, F, O::Buf>, id: FlowId) -> Step {
        let Some(mut proxied) = self.flows.extra(id).proxied else { return Step::Continue(()) };
        let (protocol::TCP, L4::Tcp { seq, ack, flags, .. }) = (packet.header.protocol, packet.header.transport) else {
            return Step::Continue(());
        };
        let Some(Protocol::Tcp(tcp)) = self.flows.get(id).map(|flow| flow.protocol()) else { return Step::Continue(()) };
        let (state, client_window) = (tcp.state(), tcp.sides[Dir::Original.index()].max_window as u16);
        let dir = packet.connection.dir;
        let read = |head: &[u8], header| options::bytes(head, header).map(TcpOptions::read);
        if state == TcpState::Close && flags & RST != 0 && dir == Dir::Reply {
            // Refused: to the client it has to be the number behind its cookie.
            let shift = proxied.isn.wrapping_sub(seq).wrapping_add(1);
            self.shift_by(id, &mut proxied, shift);
        } else if state == TcpState::SynSent || (state == TcpState::Close && flags & (SYN | ACK) == SYN && dir == Dir::Original) {
            let Some(found) = read(packet.buf.head(), &packet.header) else { return Step::Break(DropReason::SynproxyMalformed) };
            if state == TcpState::Close {
                // The connection opens again.
                proxied.stamp_shift = 0;
            }
            if flags & (SYN | ACK) == ACK && dir == Dir::Original {
                // The SYN to the server, or its answer, was lost: the client's keep-alive, whose number is one too low, has it sent again.
                return Step::Break(self.greet_server(packet, found, seq.wrapping_add(1)));
            }
            proxied.isn = ack;
            if let Some((_, echo)) = found.timestamps {
                proxied.stamp = echo;
            }
            self.remember(id, proxied);
        } else if state == TcpState::SynRecv && flags & (SYN | ACK) == SYN | ACK {
            let Some(found) = read(packet.buf.head(), &packet.header) else { return Step::Break(DropReason::SynproxyMalformed) };
            if let Some((value, _)) = found.timestamps {
                proxied.stamp_shift = value.wrapping_sub(proxied.stamp);
            }
            proxied.before = proxied.shift;
            let shift = proxied.isn.wrapping_sub(seq);
            self.shift_by(id, &mut proxied, shift);
            self.acknowledge(packet, found, client_window);
            return Step::Break(DropReason::SynproxyOpened);
        }
        self.shift_stamps(packet, proxied.stamp_shift)
    }

    fn remember(&mut self, id: FlowId, proxied: Proxied) {
        if let Ok(Some(extra)) = self.flows.extra_mut(id) {
            extra.proxied = Some(proxied);
        }
    }

    /// By nothing changes nothing (`nf_ct_seqadj_init`).
    fn shift_by(&mut self, id: FlowId, proxied: &mut Proxied, shift: u32) {
        if shift != 0 {
            proxied.shift = shift;
            self.flows.set_status(id, Status::SEQ_ADJUST);
        }
        self.remember(id, *proxied);
    }

    fn shift_stamps(&self, packet: &mut Packet<'_, F, O::Buf>, by: u32) -> Step {
        if by == 0 {
            return Step::Continue(());
        }
        let dir = packet.connection.dir;
        let done = set::tcp_timestamps(packet.buf.head_mut(), &packet.row.header, |value, echo| match dir {
            Dir::Original => (value, echo.wrapping_add(by)),
            Dir::Reply => (value.wrapping_sub(by), echo),
        });
        if done.is_ok() { Step::Continue(()) } else { Step::Break(DropReason::BufferLayout) }
    }

    /// The server's SYN/ACK is acknowledged, and the client's window opened.
    fn acknowledge(&mut self, packet: &Packet<'_, F, O::Buf>, found: TcpOptions, client_window: u16) {
        let L4::Tcp { sport, dport, seq, ack: next, window, .. } = packet.header.transport else { return };
        let (server, client) = ((packet.header.src, sport), (packet.header.dst, dport));
        let stamps = found.timestamps;
        let mut room = [0; options::MAX_LEN];
        let len = TcpOptions { timestamps: stamps.map(|(value, echo)| (echo, value)), ..TcpOptions::default() }.write(&mut room);
        let to_server = reply::Segment {
            from: client,
            to: server,
            seq: next,
            ack: seq.wrapping_add(1),
            flags: ACK,
            window: client_window,
            options: &room[..len],
            id: 0,
        };
        self.send_segment(packet, &to_server, Connection { said: Said::Acknowledged, ..Connection::NONE });
        let len = TcpOptions { timestamps: stamps, ..TcpOptions::default() }.write(&mut room);
        let window = window.checked_shr(u32::from(found.window_scale.unwrap_or(0))).unwrap_or(0);
        let to_client = reply::Segment {
            from: server,
            to: client,
            seq: seq.wrapping_add(1),
            ack: next,
            flags: ACK,
            window,
            options: &room[..len],
            id: 0,
        };
        self.send_segment(packet, &to_client, answering(&packet.connection));
    }
}

/// The connection of what is said to a client for its server: that of the packet which it answers, the other way.
pub(crate) fn answering(cause: &Connection) -> Connection {
    match cause.flow {
        Some(_) => Connection { info: CtInfo::Established(Dir::Reply), dir: Dir::Reply, said: Said::Nothing, ..*cause },
        None => Connection::NONE,
    }
}
