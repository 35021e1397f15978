//! `SYNPROXY` (`xt_SYNPROXY.c`, `nf_synproxy_core.c`): a client's SYN is answered with a cookie, and an ACK that brings one back becomes a SYN to
//! the server. Nothing is remembered in between. What comes after is in [`crate::synproxy`].

use packet::options::tcp::{self as options, TcpOptions};
use packet::tcp::flags::{ACK, CWR, ECE, FIN, RST, SYN};
use packet::{Family, L4, reply};
use program::Synproxy;

use crate::buffer::Buffer;
use crate::burst::{Connection, Packet};
use crate::conntrack::Said;
use crate::drop::DropReason;
use crate::outside::Outside;
use crate::synproxy::cookie::Client;
use crate::synproxy::{Hello, answering};
use crate::walk::Walk;

impl<F: Family, O: Outside> Walk<'_, F, O> {
    /// Says how the packet ends here; `None`, and the table goes on, when it neither opens a connection nor acknowledges.
    pub(crate) fn synproxy(&mut self, packet: &Packet<'_, F, O::Buf>, proxy: &Synproxy) -> Option<DropReason> {
        let L4::Tcp { seq, flags, .. } = packet.header.transport else { return Some(DropReason::SynproxyMalformed) };
        let found = options::bytes(packet.buf.head(), &packet.header).map(TcpOptions::read);
        let Some(found) = found.filter(|_| reply::checksum_allows(&packet.header, packet.buf.segments())) else {
            return Some(DropReason::SynproxyMalformed);
        };
        match flags & (SYN | ACK | FIN | RST) {
            SYN => {
                self.greet_client(packet, proxy, found);
                Some(DropReason::SynproxyGreeted)
            }
            ACK => Some(self.greet_server(packet, found, seq)),
            _ => None,
        }
    }

    /// Answers a SYN for the server. Its window is shut: nothing may come before the server has been reached.
    fn greet_client(&mut self, packet: &Packet<'_, F, O::Buf>, proxy: &Synproxy, found: TcpOptions) {
        let L4::Tcp { sport, dport, seq, flags, .. } = packet.header.transport else { return };
        let (from, to) = ((packet.header.src, sport), (packet.header.dst, dport));
        let cookie = self.cookies.make(&Client::<F> { from, to, isn: seq }, found.mss.unwrap_or(0), self.now);
        let asked = Hello {
            options: TcpOptions {
                mss: found.mss.and(proxy.mss),
                window_scale: found.window_scale.filter(|_| proxy.window_scale.is_some()),
                sack_permitted: found.sack_permitted && proxy.sack_permitted,
                timestamps: found.timestamps.filter(|_| proxy.timestamps),
                sack_end: None,
            },
            ecn: proxy.ecn && flags & (ECE | CWR) == ECE | CWR,
        };
        let answer = asked.into_stamp(proxy.window_scale, self.now.millis() as u32);
        let mut room = [0; options::MAX_LEN];
        let len = answer.options.write(&mut room);
        let segment = reply::Segment {
            from: to,
            to: from,
            seq: cookie,
            ack: seq.wrapping_add(1),
            flags: SYN | ACK | if answer.ecn { ECE } else { 0 },
            window: 0,
            options: &room[..len],
            id: 0,
        };
        self.send_segment(packet, &segment, answering(&packet.connection));
    }

    /// Opens the connection to the server if the packet acknowledges a cookie; says how the packet ends. `next` is the number that the client
    /// goes on with.
    pub(crate) fn greet_server(&mut self, packet: &Packet<'_, F, O::Buf>, found: TcpOptions, next: u32) -> DropReason {
        let L4::Tcp { sport, dport, seq, ack, window, .. } = packet.header.transport else { return DropReason::SynproxyMalformed };
        let (from, to) = ((packet.header.src, sport), (packet.header.dst, dport));
        let cookie = ack.wrapping_sub(1);
        let Some(mss) = self.cookies.check(&Client::<F> { from, to, isn: seq.wrapping_sub(1) }, cookie, self.now) else {
            return DropReason::SynproxyCookie;
        };
        let hello = Hello::of_stamp(found, mss);
        let mut room = [0; options::MAX_LEN];
        let len = hello.options.write(&mut room);
        let segment = reply::Segment {
            from,
            to,
            seq: next.wrapping_sub(1),
            // Nobody looks at it but the flow that the SYN begins: it learns the cookie from it.
            ack: cookie,
            flags: SYN | if hello.ecn { ECE | CWR } else { 0 },
            window,
            options: &room[..len],
            id: 0,
        };
        self.send_segment(
            packet,
            &segment,
            Connection { template: Some(Default::default()), said: Said::Open, ..Connection::NONE },
        );
        DropReason::SynproxyProven
    }
}
