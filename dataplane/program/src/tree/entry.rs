//! A rule's header test as it stands in a leaf: short, and side by side with its neighbours.

use packet::Family;
use packet::family::Addr;

use super::space::Point;
use crate::header_test::PortRange;
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
    /// The rule's place in the table.
    pub(super) rule: u32,
    pub(super) protocol: u16,
    pub(super) exact: bool,
}

impl<F: Family> Entry<F> {
    /// One that asks nothing.
    pub(super) fn any(rule: u32) -> Self {
        Self {
            src: F::Addr::ZERO,
            src_mask: F::Addr::ZERO,
            dst: F::Addr::ZERO,
            dst_mask: F::Addr::ZERO,
            sports: PortRange::ANY,
            dports: PortRange::ANY,
            rule,
            protocol: ANY,
            exact: false,
        }
    }

    /// Does the rule's header test hold?
    #[inline]
    pub(super) fn holds(&self, point: &Point<'_, F>, table: &Table<F>) -> bool {
        let header = point.header;
        let (sport, dport) = point.ports();
        let near = (header.src & self.src_mask == self.src)
            & (header.dst & self.dst_mask == self.dst)
            & (self.protocol == ANY || self.protocol == u16::from(header.protocol))
            & self.sports.contains(sport)
            & self.dports.contains(dport);
        near && (self.exact && point.is_plain || table.rule_holds(RuleIndex(self.rule), point.header, point.interfaces))
    }
}
