//! A rule's header test as it stands in a leaf: short, and side by side with its neighbours.

use packet::family::Addr;
use packet::{Family, Header};

use super::space::{Point, is_plain};
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
    pub(super) fn protocol(&self) -> Option<u16> {
        (self.protocol != ANY).then_some(self.protocol)
    }

    /// Does the rule's header test hold? `place` says where the rule stands in the table, if it still does.
    #[inline(always)]
    pub(super) fn holds(&self, point: &Point<'_, F>, table: &Table<F>, place: impl Fn(u32) -> Option<RuleIndex>) -> bool {
        self.is_near(point.header, point.ports())
            && place(self.rule)
                .is_some_and(|rule| self.exact && point.is_plain || table.rule_holds(rule, point.header, point.interfaces))
    }

    /// The same of a packet whose place in the space is not known, and the rule.
    #[inline(always)]
    pub(super) fn met(
        &self,
        header: &Header<F>,
        ports: (u16, u16),
        interfaces: Interfaces<'_>,
        table: &Table<F>,
        place: impl Fn(u32) -> Option<RuleIndex>,
    ) -> Option<RuleIndex> {
        let rule = place(self.rule).filter(|_| self.is_near(header, ports))?;
        (self.exact && is_plain(header) || table.rule_holds(rule, header, interfaces)).then_some(rule)
    }

    /// Does all hold that is asked here?
    #[inline(always)]
    fn is_near(&self, header: &Header<F>, (sport, dport): (u16, u16)) -> bool {
        (header.src & self.src_mask == self.src)
            & (header.dst & self.dst_mask == self.dst)
            & (self.protocol == ANY || self.protocol == u16::from(header.protocol))
            & self.sports.contains(sport)
            & self.dports.contains(dport)
    }
}
