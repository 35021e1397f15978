//! Pools without a free tuple: which, how often, and who uses them.
//!
//! The walk writes down no more than the pool and a count ([`Shortages::note`]). Between bursts the worker goes through its flows, so many
//! slots a round, counts those that hold a tuple of the pool by their inside address, and leaves a [`Shortage`] for whoever writes the log.
//! At most one every [`EVERY`], however many packets are refused.
//!
//! One writer: the worker. The reports are a bounded queue without locks.

use core::fmt;
use core::net::IpAddr;
use std::sync::Arc;

use arrayvec::ArrayVec;
use crossbeam::queue::ArrayQueue;
use packet::family::Addr;
use packet::{Family, protocol};
use program::NatKind;

use super::Side;
use super::range::{Range, port_within};
use crate::conntrack::{Dir, Flow, FlowTable, Next, Status};
use crate::time::Time;

/// Time from one report of a worker to its next.
const EVERY: u64 = 10_000_000_000;
/// Pools of which refusals are counted at a time.
const POOLS: usize = 4;
/// Inside addresses whose flows are counted at a time.
const COUNTED: usize = 16;
/// Users that a report names.
const NAMED: usize = 3;
/// Slots looked at in one round of housekeeping.
const STEPS: usize = 2048;
const FLOWS: usize = 512;
/// Reports that can wait.
const REPORTS: usize = 8;

/// What a flow could have had for a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pool<F: Family> {
    /// The target; `None` where no rule speaks, or it is known no more: another worker was asked.
    pub(crate) kind: Option<NatKind>,
    pub(crate) protocol: u8,
    pub(crate) addresses: Option<(F::Addr, F::Addr)>,
    pub(crate) ports: Option<(u16, u16)>,
}

impl<F: Family> Pool<F> {
    pub(crate) fn new(kind: Option<NatKind>, protocol: u8, range: &Range<F>) -> Self {
        Self { kind, protocol, addresses: range.addresses, ports: range.ports }
    }

    /// Does the flow hold a tuple of the pool?
    fn has(&self, flow: &Flow<F>) -> bool {
        let Some(outside) = flow.tuple(Dir::Reply).invert() else { return false };
        let holds = |(first, last)| (first..=last).contains(&outside.src);
        outside.protocol == self.protocol
            && flow.status().has(Status::SRC_NAT)
            && self.addresses.is_none_or(holds)
            && self.ports.is_none_or(|ports| port_within(&outside, Side::Src, ports))
    }
}

/// A report: flows were refused because a pool had no free tuple.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    kind: Option<NatKind>,
    protocol: u8,
    addresses: Option<(IpAddr, IpAddr)>,
    ports: Option<(u16, u16)>,
    refused: u64,
    held: u32,
    users: ArrayVec<(IpAddr, u32), NAMED>,
}

/// As an operator reads it: the pool as the rule's target has it, and who uses most of it.
impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no free port in ")?;
        match self.protocol {
            protocol::TCP => f.write_str("-p tcp ")?,
            protocol::UDP => f.write_str("-p udp ")?,
            protocol::ICMP => f.write_str("-p icmp ")?,
            other => write!(f, "-p {other} ")?,
        }
        f.write_str(match self.kind {
            Some(NatKind::Source) => "-j SNAT --to-source ",
            Some(NatKind::Map) => "-j NETMAP to ",
            Some(NatKind::Masquerade) => "-j MASQUERADE with ",
            Some(NatKind::Destination | NatKind::Redirect) | None => "source ",
        })?;
        if let Some((first, last)) = self.addresses {
            write!(f, "{first}")?;
            if first != last {
                write!(f, "-{last}")?;
            }
        }
        if let Some((first, last)) = self.ports {
            write!(f, ":{first}-{last}")?;
        }
        write!(f, ": {} refused, {} in use", self.refused, self.held)?;
        for (i, (user, flows)) in self.users.iter().enumerate() {
            f.write_str(if i == 0 { ", most by " } else { ", " })?;
            write!(f, "{user} (at least {flows})")?;
        }
        Ok(())
    }
}

/// Reports of one worker. Written by it, read by anyone; the oldest makes room.
#[derive(Debug)]
pub struct Reports(ArrayQueue<Shortage>);

impl Default for Reports {
    fn default() -> Self {
        Self(ArrayQueue::new(REPORTS))
    }
}

impl Reports {
    /// The next one.
    pub fn take(&self) -> Option<Shortage> {
        self.0.pop()
    }
}

/// Who holds how many flows of a pool, as far as is known (Misra and Gries: whoever holds more than a seventeenth of them is in it).
struct Survey<F: Family> {
    at: u32,
    held: u32,
    users: ArrayVec<(F::Addr, u32), COUNTED>,
}

impl<F: Family> Survey<F> {
    fn count(&mut self, user: F::Addr) {
        self.held += 1;
        if let Some((_, flows)) = self.users.iter_mut().find(|(known, _)| *known == user) {
            *flows += 1;
        } else if self.users.try_push((user, 1)).is_err() {
            self.users.iter_mut().for_each(|(_, flows)| *flows -= 1);
            self.users.retain(|(_, flows)| *flows > 0);
        }
    }
}

/// What a worker knows of its pools that are short.
pub(crate) struct Shortages<F: Family> {
    /// With the packets refused.
    pools: ArrayVec<(Pool<F>, u64), POOLS>,
    /// Of the first pool.
    survey: Option<Survey<F>>,
    next: Time,
    reports: Arc<Reports>,
}

impl<F: Family> Shortages<F> {
    /// None is short.
    pub(crate) fn new(reports: Arc<Reports>) -> Self {
        Self { pools: ArrayVec::new(), survey: None, next: Time(0), reports }
    }

    /// A packet was refused. With too many short pools at once the last ones go unnamed; their drops are counted all the same.
    pub(crate) fn note(&mut self, pool: Pool<F>) {
        match self.pools.iter_mut().find(|(known, _)| *known == pool) {
            Some((_, refused)) => *refused += 1,
            None => drop(self.pools.try_push((pool, 1))),
        }
    }

    /// Goes on with what there is to find out.
    pub(crate) fn look(&mut self, flows: &FlowTable<F>, now: Time) {
        let Some(&(pool, refused)) = self.pools.first() else { return };
        if self.survey.is_none() && now < self.next {
            return;
        }
        let survey = self.survey.get_or_insert_with(|| Survey { at: 0, held: 0, users: ArrayVec::new() });
        let mut steps = STEPS;
        for _ in 0..FLOWS {
            match flows.next_from(survey.at, &mut steps) {
                Next::Flow(id) => {
                    if let Some(flow) = flows.get(id).filter(|flow| pool.has(flow)) {
                        survey.count(flow.tuple(Dir::Original).src);
                    }
                    survey.at = id.slot + 1;
                }
                Next::Paused(at) => {
                    survey.at = at;
                    return;
                }
                Next::End => {
                    survey.users.sort_unstable_by_key(|(user, flows)| (core::cmp::Reverse(*flows), *user));
                    let report = Shortage {
                        kind: pool.kind,
                        protocol: pool.protocol,
                        addresses: pool.addresses.map(|(first, last)| (first.to_ip(), last.to_ip())),
                        ports: pool.ports,
                        refused,
                        held: survey.held,
                        users: survey.users.iter().map(|(user, flows)| (user.to_ip(), *flows)).take(NAMED).collect(),
                    };
                    self.reports.0.force_push(report);
                    self.pools.remove(0);
                    (self.survey, self.next) = (None, Time(now.0.saturating_add(EVERY)));
                    return;
                }
            }
        }
    }
}
