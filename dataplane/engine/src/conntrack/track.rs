//! The stage: which flow a packet belongs to, and what it is to it (`nf_conntrack_in`).
//!
//! Stands at PREROUTING and OUTPUT, after raw. Promises: a packet that is INVALID changes nothing but what the kernel lets it change, and
//! leaves no entry; a packet that begins a flow leaves it unconfirmed, for the walk to confirm or to release.

use packet::{Family, Fragment, Header, L4, Tuple, protocol};
use program::{CtAction, TimeoutId};
use thiserror::Error;

use super::assist::Assist;
use super::entry::{CtInfo, Dir, Flow, FlowId, Protocol, Rounds, Status};
use super::expect::Expectation;
use super::extra::ExtrasFull;
use super::sctp::{self, Sctp};
use super::settings::Settings;
use super::table::{FlowTable, TableFull};
use super::tcp::{self, Tcp};
use super::udp::{self, Udp};
use super::{generic, icmp};
use crate::synproxy::Proxied;
use crate::time::Time;

/// A packet as tracking sees it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a, F: Family> {
    /// Its fields.
    pub header: &'a Header<F>,
    /// Its contiguous first bytes, from the Ethernet header on: TCP options and the quote of an ICMP error are read from here.
    pub head: &'a [u8],
    /// The transport checksum is right, or is not to be looked at (packets of the box itself, those whose checksum the NIC fills in).
    pub checksum_ok: bool,
    /// The zone that `CT` gave it.
    pub zone: CtAction,
    /// The timeout policy that `CT` gave it.
    pub timeouts: TimeoutId,
    /// What SYNPROXY says with it.
    pub said: Said,
    /// When it came.
    pub now: Time,
}

/// What SYNPROXY says with a packet that it makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    /// It made none, or one to a client.
    #[default]
    Nothing,
    /// The SYN to a server, whose client has shown a cookie.
    Open,
    /// The ACK to the server: it is sent before the shift of its numbers is known.
    Acknowledged,
}

/// What tracking found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// What rules see.
    pub info: CtInfo,
    /// The flow: its own, or the one that an ICMP error is about.
    pub flow: Option<FlowId>,
    /// Which way the packet goes in that flow.
    pub dir: Dir,
}

/// Why a packet begins no flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TrackError {
    /// No slot is free.
    #[error(transparent)]
    Table(#[from] TableFull),
    /// No room for what a helper remembers.
    #[error(transparent)]
    Extras(#[from] ExtrasFull),
}

/// What a protocol makes of a packet of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is counted, and the flow lives this many seconds from now.
    Refresh(u32),
    /// It passes, and is not counted.
    Pass,
    /// It does not belong.
    Invalid,
    /// It does not belong, and the flow lives at most this many seconds more.
    InvalidShorten(u32),
    /// It is counted, and the flow ends.
    Kill,
    /// The flow is over; the packet begins another.
    Reopen,
}

impl<F: Family> Packet<'_, F> {
    /// Its checksum makes it INVALID.
    #[inline]
    pub(crate) fn has_bad_checksum(&self, settings: &Settings) -> bool {
        settings.checksum && !self.checksum_ok
    }

    #[inline]
    fn ends_in(&self, seconds: u32) -> Time {
        self.now.plus_millis(u64::from(seconds) * 1000)
    }
}

const INVALID: Tracked = Tracked { info: CtInfo::Invalid, flow: None, dir: Dir::Original };

impl<F: Family> FlowTable<F> {
    /// Finds or makes the flow of a packet, takes the packet into its state, timer and counters, and says what the packet is to it.
    ///
    /// [`TrackError`]: the packet would begin a flow, and there is no room. The kernel drops it.
    pub fn track(&mut self, p: &Packet<'_, F>, settings: &Settings) -> Result<Tracked, TrackError> {
        self.judge(p, settings).inspect_err(|_| self.tally.drop += 1)
    }

    fn invalid(&mut self) -> Tracked {
        self.tally.invalid += 1;
        INVALID
    }

    fn judge(&mut self, p: &Packet<'_, F>, settings: &Settings) -> Result<Tracked, TrackError> {
        self.now = p.now;
        if matches!(p.header.fragment, Fragment::Later(_)) {
            return Ok(self.invalid());
        }
        if p.header.protocol == F::ICMP
            && let icmp::Early::Is(info, flow) = icmp::early(self, p, settings)
        {
            if info == CtInfo::Invalid {
                self.tally.error += 1;
            }
            return Ok(Tracked { info, flow, dir: info.dir() });
        }
        let Some(tuple) = Tuple::of(p.header) else { return Ok(self.invalid()) };
        // A second turn comes from a reopened connection alone: the old flow is gone then, and a new one never asks for another.
        for _ in 0..2 {
            let (id, dir) = match self.find(&tuple, p.zone, p.now) {
                Some(found) => found,
                None => match begin(p, tuple) {
                    Some(flow) => (self.begin(flow, p)?, Dir::Original),
                    None => return Ok(self.invalid()),
                },
            };
            let (ack_shift, proxied) = (self.ack_shift(id, dir, p), self.extra(id).proxied.is_some());
            if let Some(tracked) = self.take_in(id, dir, p, ack_shift, proxied, settings) {
                return Ok(tracked);
            }
            self.kill(id);
        }
        Ok(self.invalid())
    }

    /// As [`FlowTable::track`], for a packet whose flow is known and has no rare attributes. `None`, and nothing changed, when the flow is over and the packet
    /// begins another.
    pub(crate) fn track_known(&mut self, id: FlowId, dir: Dir, p: &Packet<'_, F>, settings: &Settings) -> Option<Tracked> {
        self.now = p.now;
        self.take_in(id, dir, p, 0, false, settings)
    }

    /// `None` when the flow is over and the packet begins another.
    #[inline]
    fn take_in(
        &mut self,
        id: FlowId,
        dir: Dir,
        p: &Packet<'_, F>,
        ack_shift: i32,
        proxied: bool,
        settings: &Settings,
    ) -> Option<Tracked> {
        let (outcome, info, rounds) = self.update(id, p.now, |flow| {
            let info = match dir {
                Dir::Reply => CtInfo::Established(Dir::Reply),
                Dir::Original if flow.status.has(Status::SEEN_REPLY) => CtInfo::Established(Dir::Original),
                Dir::Original if flow.status.has(Status::EXPECTED) => CtInfo::Related(Dir::Original),
                Dir::Original => CtInfo::New,
            };
            let before = flow.before();
            let outcome = match flow.protocol {
                Protocol::Tcp(_) => tcp::packet(flow, dir, p, ack_shift, proxied, settings),
                Protocol::Udp(_) => udp::packet(flow, p, settings),
                Protocol::Sctp(_) => sctp::packet(flow, dir, p, settings),
                Protocol::Icmp => icmp::packet(flow, settings),
                Protocol::Gre => generic::gre(flow, settings),
                Protocol::Generic => generic::packet(flow, settings),
            };
            let rounds = match outcome {
                Outcome::Refresh(seconds) => {
                    flow.expire_at(p.ends_in(seconds));
                    flow.account(dir, p.header.len)
                }
                Outcome::Kill => flow.account(dir, p.header.len),
                Outcome::InvalidShorten(seconds) => {
                    flow.expire_at(p.ends_in(seconds));
                    Rounds::default()
                }
                Outcome::Pass | Outcome::Invalid | Outcome::Reopen => Rounds::default(),
            };
            if matches!(outcome, Outcome::Refresh(_) | Outcome::Pass) && dir == Dir::Reply {
                flow.status.set(Status::SEEN_REPLY);
            }
            if let Some(before) = before {
                flow.compare(before);
            }
            (outcome, info, rounds)
        });
        self.carry(id.slot, dir, rounds);
        self.leave_lists_when_over(id);
        match outcome {
            Outcome::Refresh(_) | Outcome::Pass => {}
            Outcome::Kill => {
                self.kill(id);
                if dir == Dir::Reply {
                    self.set_status(id, Status::SEEN_REPLY);
                }
            }
            Outcome::Invalid | Outcome::InvalidShorten(_) => {
                self.release(id);
                return Some(self.invalid());
            }
            Outcome::Reopen => return None,
        }
        Some(Tracked { info, flow: Some(id), dir })
    }

    /// Puts a new flow into the table, with what it inherits if another one announced it, and else with the helper that a rule gave it.
    fn begin(&mut self, mut flow: Flow<F>, p: &Packet<'_, F>) -> Result<FlowId, TrackError> {
        if self.events.is_listening() {
            flow.status.set(Status::WATCHED);
        }
        let tuple = flow.tuple(Dir::Original);
        if !self.sources.is_empty() {
            self.sources.prefetch_first(self.hash.source(&tuple, flow.zone_of(Dir::Original)));
        }
        let id = self.insert(flow, p.now)?;
        self.mute(id, p.zone.muted);
        if p.said == Said::Open {
            match self.extra_mut(id) {
                Ok(Some(extra)) => extra.proxied = Some(Proxied::default()),
                Ok(None) => {}
                Err(full) => {
                    self.release(id);
                    return Err(full.into());
                }
            }
        }
        let expected = self.fulfil(&tuple, p.zone.zone, p.now);
        if let Some(expected) = expected {
            self.inherit(id, &expected).inspect_err(|_| self.release(id))?;
        } else if let Some(helper) = p.zone.helper {
            if let Some(flow) = self.get_mut(id) {
                flow.status.set(Status::HELPER);
            }
            self.attach(id, Assist { helper: Some(helper), ..Assist::default() }).inspect_err(|_| self.release(id))?;
        }
        Ok(id)
    }

    fn inherit(&mut self, id: FlowId, expected: &Expectation<F>) -> Result<(), ExtrasFull> {
        if let Some(flow) = self.get_mut(id) {
            flow.status.set(Status::EXPECTED);
            flow.mark = expected.mark;
        }
        self.attach(
            id,
            Assist {
                helper: expected.helper,
                master: Some(expected.master),
                began_at: Some(expected.by.src),
                follow: expected.follow,
                ..Assist::default()
            },
        )?;
        if let Some(extra) = self.extra_mut(id)? {
            extra.label = expected.label;
        }
        Ok(())
    }

    /// By how much SYNPROXY shifts the numbers of this direction, and what acknowledges them: the server's alone.
    pub(crate) fn proxied_shift(&self, id: FlowId, dir: Dir, said: Said) -> u32 {
        match self.extra(id).proxied.filter(|_| dir == Dir::Reply) {
            Some(proxied) if said == Said::Acknowledged => proxied.before,
            Some(proxied) => proxied.shift,
            None => 0,
        }
    }

    /// By how much the numbers that a segment acknowledges were shifted on their way.
    fn ack_shift(&self, id: FlowId, dir: Dir, p: &Packet<'_, F>) -> i32 {
        let L4::Tcp { ack, .. } = p.header.transport else { return 0 };
        match self.get(id) {
            Some(flow) if flow.status.has(Status::SEQ_ADJUST) => {
                let shift = self.assist(id).map_or(0, |assist| assist.seq[dir.opposite().index()].shift(ack.wrapping_sub(1)));
                shift.wrapping_add(self.proxied_shift(id, dir.opposite(), p.said) as i32)
            }
            _ => 0,
        }
    }
}

/// A new flow for a packet; `None` when its tuple has no answer.
fn begin<F: Family>(p: &Packet<'_, F>, tuple: Tuple<F>) -> Option<Flow<F>> {
    let protocol = match tuple.protocol {
        protocol::TCP => Protocol::Tcp(Tcp::default()),
        protocol::UDP | protocol::UDPLITE => Protocol::Udp(Udp::default()),
        protocol::SCTP => Protocol::Sctp(Sctp::default()),
        protocol::GRE => Protocol::Gre,
        number if number == F::ICMP => Protocol::Icmp,
        _ => Protocol::Generic,
    };
    Flow::new(&tuple, p.zone, p.timeouts, protocol, p.now)
}
