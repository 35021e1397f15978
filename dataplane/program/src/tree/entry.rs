//! A rule's header test as it stands in a leaf: short, and side by side with its neighbours.

use packet::family::Addr;
use packet::{Family, Header};

use super::space::{Point, is_plain, words};
use crate::header_test::{Interfaces, PortRange};
use crate::id::RuleIndex;
use crate::table::Table;

/// Any protocol.
const ANY: u16 = u16::MAX;

/// Tests of one box of a rule. All that an entry asks, the rule asks; an *exact* one asks all that the rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<F: Family> {
    pub(super) src: F::Addr,
    pub(super) src_mask: F::Addr,
    pub(super) dst: F::Addr,
    pub(super) dst_mask: F::Addr,
    /// Of TCP and UDP alone.
    pub(super) sports: PortRange,
    pub(super) dports: PortRange,
    /// The rule's number in the list of which the tree is.
    pub(super) rule: u32,
    pub(super) protocol: u16,
    pub(super) exact: bool,
}

impl<F: Family> Entry<F> {
    /// One that asks nothing, of the first rule.
    pub(super) fn any() -> Self {
        Self {
            src: F::Addr::ZERO,
            src_mask: F::Addr::ZERO,
            dst: F::Addr::ZERO,
            dst_mask: F::Addr::ZERO,
            sports: PortRange::ANY,
            dports: PortRange::ANY,
            rule: 0,
            protocol: ANY,
            exact: false,
        }
    }

    /// The protocol, if it asks for one.
    pub(super) fn protocol(&self) -> Option<u8> {
        u8::try_from(self.protocol).ok()
    }
}

/// Ports and protocol side by side in one number, each with a bit free above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports(u64);

const DPORT_AT: u32 = 17;
const PROTOCOL_AT: u32 = 34;
/// The bits that are free. Set before something is taken away from a number, each says whether it was as large.
const FREE: u64 = 1 << 16 | 1 << 33 | 1 << 42;
/// What else an entry has to say is above them.
const ABOVE: u32 = 43;
/// Bits of a rule's number that are said in the first place; the others are in the second, and above them whether the entry is exact.
const RULE_BITS: u32 = u64::BITS - ABOVE;
const EXACT: u64 = 1 << (u64::BITS - 1);

impl Ports {
    #[inline]
    pub(super) fn new((sport, dport): (u16, u16), protocol: u8) -> Self {
        Self(u64::from(sport) | u64::from(dport) << DPORT_AT | u64::from(protocol) << PROTOCOL_AT)
    }

    fn parts(self) -> ((u16, u16), u8) {
        ((self.0 as u16, (self.0 >> DPORT_AT) as u16), (self.0 >> PROTOCOL_AT) as u8)
    }
}

/// An entry as it lies in memory: what a packet is compared with first stands together, and all is compared without a jump, because which part
/// of it differs cannot be foretold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Line<F: Family> {
    /// The source's and the destination's.
    values: [F::Addr; 2],
    masks: [F::Addr; 2],
    /// The lowest ports and protocol; above them the last bits of the rule's number.
    lowest: u64,
    /// The highest ones, with the free bits set; above them the first bits of the rule's number.
    highest: u64,
}

impl<F: Family> From<Entry<F>> for Line<F> {
    fn from(entry: Entry<F>) -> Self {
        let (first, last) = entry.protocol().map_or((0, u8::MAX), |protocol| (protocol, protocol));
        let Ports(lowest) = Ports::new((entry.sports.first, entry.dports.first), first);
        let Ports(highest) = Ports::new((entry.sports.last, entry.dports.last), last);
        let rule = u64::from(entry.rule);
        Self {
            values: [entry.src, entry.dst],
            masks: [entry.src_mask, entry.dst_mask],
            lowest: lowest | rule << ABOVE,
            highest: highest | FREE | rule >> RULE_BITS << ABOVE | if entry.exact { EXACT } else { 0 },
        }
    }
}

impl<F: Family> Line<F> {
    /// The rule's number.
    #[inline]
    pub(super) fn rule(&self) -> u32 {
        (self.lowest >> ABOVE) as u32 | (((self.highest & !EXACT) >> ABOVE) as u32) << RULE_BITS
    }

    #[inline]
    fn is_exact(&self) -> bool {
        self.highest & EXACT != 0
    }

    /// The entry.
    pub(super) fn entry(&self) -> Entry<F> {
        let ((sport, dport), protocol) = Ports(self.lowest).parts();
        let ((last_sport, last_dport), last_protocol) = Ports(self.highest).parts();
        Entry {
            src: self.values[0],
            src_mask: self.masks[0],
            dst: self.values[1],
            dst_mask: self.masks[1],
            sports: PortRange { first: sport, last: last_sport },
            dports: PortRange { first: dport, last: last_dport },
            rule: self.rule(),
            protocol: if protocol == last_protocol { protocol.into() } else { ANY },
            exact: self.is_exact(),
        }
    }

    /// Does nothing of the entry speak against the packet?
    #[inline(always)]
    pub(super) fn is_near(&self, header: &Header<F>, Ports(ports): Ports) -> bool {
        let mut differs = 0;
        for n in 0..words::<F>() {
            let [src, dst] = [(0, header.src), (1, header.dst)]
                .map(|(side, address)| (address.word(n) & self.masks[side].word(n)) ^ self.values[side].word(n));
            differs |= src | dst;
        }
        let within = (ports | FREE).wrapping_sub(self.lowest) & self.highest.wrapping_sub(ports);
        u64::from(differs) | (!within & FREE) == 0
    }

    /// Does the rule's header test hold for a packet to which the entry is near? `place` says where the rule stands in the table, if it still does.
    #[inline(always)]
    pub(super) fn near_holds(&self, point: &Point<'_, F>, table: &Table<F>, place: impl Fn(u32) -> Option<RuleIndex>) -> bool {
        self.near_met(point.header, point.interfaces, table, place).is_some()
    }

    /// Does the rule's header test hold?
    pub(super) fn holds(&self, point: &Point<'_, F>, table: &Table<F>, place: impl Fn(u32) -> Option<RuleIndex>) -> bool {
        self.is_near(point.header, point.ports) && self.near_holds(point, table, place)
    }

    /// The rule, if it holds for a packet whose place in the space is not known.
    #[inline(always)]
    pub(super) fn met(
        &self,
        (header, ports): (&Header<F>, Ports),
        interfaces: Interfaces<'_>,
        table: &Table<F>,
        place: impl Fn(u32) -> Option<RuleIndex>,
    ) -> Option<RuleIndex> {
        if self.is_near(header, ports) { self.near_met(header, interfaces, table, place) } else { None }
    }

    #[inline(always)]
    fn near_met(
        &self,
        header: &Header<F>,
        interfaces: Interfaces<'_>,
        table: &Table<F>,
        place: impl Fn(u32) -> Option<RuleIndex>,
    ) -> Option<RuleIndex> {
        place(self.rule()).filter(|rule| self.is_exact() && is_plain(header) || table.rule_holds(*rule, header, interfaces))
    }
}
