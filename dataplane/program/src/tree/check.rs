//! Looks a tree through: does it answer as its table's rules do?
//!
//! That no rule is missed is proven: every box of every rule is followed down the tree, and must be listed in each leaf that it reaches into, or
//! in those of a rest on the way; and no part is passed over while it could hold an earlier rule. What leaves list are entries of the rules'
//! boxes and nothing else; that these say what their rules say is tried out with packets on the edges of each rule and just beside them.

use core::ops::ControlFlow;

use packet::family::Addr;
use packet::{Family, Fragment, Header, L4, protocol};
use thiserror::Error;

use super::entry::Entry;
use super::space::{self, Point, Region};
use super::{Kind, NONE, Node, Tree, WAYS};
use crate::header_test::{Interfaces, L4Test, PortSides};
use crate::id::{InterfaceId, PatternId, RuleIndex};
use crate::table::{Table, needs_order};

/// Why a tree may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TreeFault {
    /// It is not one tree for each chain, or its parts do not fit together.
    #[error("node {0} is no part of a tree")]
    Shape(u32),
    /// Packets would be led more ways than a walk can hold.
    #[error("node {0} leads packets too many ways")]
    Ways(u32),
    /// A part with an earlier rule would be passed over.
    #[error("node {0} passes over a rule")]
    PassedOver(u32),
    /// A leaf's rules are out of order.
    #[error("the leaf of node {0} is out of order")]
    Order(u32),
    /// A leaf lists what is of no rule of the chain.
    #[error("the leaf of node {0} lists what is of no rule")]
    Foreign(u32),
    /// A leaf lacks a rule that reaches into it.
    #[error("rule {} is missed", .0.0)]
    Missed(RuleIndex),
    /// What leaves list of a rule does not say what the rule says.
    #[error("rule {} is listed as another", .0.0)]
    Wrong(RuleIndex),
}

impl<F: Family> Tree<F> {
    /// Does the tree answer as the table's rules do?
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check(&self, table: &Table<F>) -> Result<(), TreeFault> {
        if self.chains.len() != table.chains.len() {
            return Err(TreeFault::Shape(0));
        }
        for (chain, roots) in table.chains.iter().zip(&self.chains) {
            let rules = chain.rules.first..chain.rules.first + chain.rules.len;
            let lists = space::has_room_for_lists(table, rules.clone());
            let mut boxes = Vec::new();
            // Where each rule's begin.
            let mut starts = Vec::with_capacity(rules.len() + 1);
            for number in rules.clone() {
                starts.push(boxes.len());
                space::boxes(table, number, &self.names, lists, |region, entry| boxes.push((region, entry)));
            }
            starts.push(boxes.len());
            let of = |rule: u32| {
                let place = rule.checked_sub(rules.start).and_then(|n| starts.get(n as usize..n as usize + 2));
                place.map_or(&[][..], |place| &boxes[place[0]..place[1]])
            };
            let known = |entry: &Entry<F>| of(entry.rule).iter().any(|(_, one)| one == entry);
            let whole = Part { nodes: &self.nodes, listed: &self.entries, rule_of: |entry| entry.rule, known };
            whole.shape(roots.whole, WAYS)?;
            let known = |rule: &RuleIndex| rules.contains(&rule.0);
            let in_order = Part { nodes: &self.nodes, listed: &self.rules, rule_of: |rule| rule.0, known };
            in_order.shape(roots.in_order, WAYS)?;
            for (region, entry) in &boxes {
                if !whole.holds(roots.whole, *region, entry) {
                    return Err(TreeFault::Missed(RuleIndex(entry.rule)));
                }
            }
            for rule in rules.clone().map(RuleIndex) {
                let region = space::in_order_box(table, rule.0, &self.names);
                if !in_order.holds(roots.in_order, region, &rule) {
                    return Err(TreeFault::Missed(rule));
                }
                self.try_out(table, rule, of(rule.0))?;
            }
        }
        Ok(())
    }

    /// Do a rule's entries say what it says, on its edges and beside them?
    fn try_out(&self, table: &Table<F>, rule: RuleIndex, boxes: &[(Region, Entry<F>)]) -> Result<(), TreeFault> {
        let result = probes(table, rule, |header, (input, output)| {
            let interfaces = Interfaces { sets: &table.bound, input, output };
            if needs_order(header) {
                return ControlFlow::Continue(());
            }
            let point = Point::new(header, interfaces, &self.names);
            // Where the rule holds, the packet has to be in the box as well.
            let (mut found, mut is_led) = (false, false);
            for (region, _) in boxes.iter().filter(|(_, entry)| entry.holds(&point, table)) {
                found = true;
                is_led |= point.is_in(region);
            }
            let holds = table.rule_holds(rule, header, interfaces);
            if found == holds && is_led == holds { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if result.is_break() { Err(TreeFault::Wrong(rule)) } else { Ok(()) }
    }
}

/// One of a tree's two halves.
struct Part<'t, T, K: Fn(&T) -> bool> {
    nodes: &'t [Node],
    listed: &'t [T],
    rule_of: fn(&T) -> u32,
    /// Is it of this chain?
    known: K,
}

impl<T: PartialEq, K: Fn(&T) -> bool> Part<'_, T, K> {
    /// Is all below a node where it should be, in order, and not passed over? The answer is the first rule below.
    fn shape(&self, at: u32, ways: usize) -> Result<u32, TreeFault> {
        let node = self.nodes.get(at as usize).ok_or(TreeFault::Shape(at))?;
        if ways == 0 {
            return Err(TreeFault::Ways(at));
        }
        let children = node.bounds.iter().filter(|bound| **bound != NONE).count() as u32 + 1;
        let increasing = node.bounds.windows(2).all(|pair| pair[0] < pair[1] || pair[1] == NONE);
        match node.kind {
            Kind::Branch { dimension, rest_first, rest, second } => {
                let rest = rest.get();
                let below = |child: u32| child > at && (child as usize) < self.nodes.len();
                let fits = below(node.child) && below(node.child + children - 1) && (rest == NONE || below(rest));
                if !(fits && increasing && usize::from(dimension) < space::MOST) {
                    return Err(TreeFault::Shape(at));
                }
                let (of_children, of_rest) = if rest == NONE { (ways, 0) } else { (ways - 1, ways - 1) };
                let mut first = NONE;
                for child in node.child..node.child + children {
                    first = first.min(self.shape(child, of_children)?);
                }
                if rest == NONE {
                    return Ok(first);
                }
                let first_of_rest = self.shape(rest, of_rest)?;
                if second.get() > if rest_first { first } else { first_of_rest } {
                    return Err(TreeFault::PassedOver(at));
                }
                Ok(first.min(first_of_rest))
            }
            Kind::Twig { dimension, ends } => {
                let fits = increasing
                    && children as usize <= ends.len()
                    && usize::from(dimension) < space::MOST
                    && ends[..children as usize].is_sorted();
                if !fits {
                    return Err(TreeFault::Shape(at));
                }
                let mut first = NONE;
                let mut from = 0;
                for &end in &ends[..children as usize] {
                    first = first.min(self.leaf(at, node.child, from, end.into())?);
                    from = end.into();
                }
                Ok(first)
            }
            Kind::Leaf { len } => self.leaf(at, node.child, 0, len.get()),
        }
    }

    fn leaf(&self, at: u32, base: u32, from: u32, end: u32) -> Result<u32, TreeFault> {
        let (first, last) = (u64::from(base) + u64::from(from), u64::from(base) + u64::from(end));
        let listed = self.listed.get(first as usize..last as usize).ok_or(TreeFault::Shape(at))?;
        if !listed.is_sorted_by_key(self.rule_of) {
            return Err(TreeFault::Order(at));
        }
        if !listed.iter().all(&self.known) {
            return Err(TreeFault::Foreign(at));
        }
        Ok(listed.first().map_or(NONE, self.rule_of))
    }

    /// Is this box listed wherever packets of this region are led? Only of a tree with a right shape.
    fn holds(&self, at: u32, region: Region, wanted: &T) -> bool {
        let node = &self.nodes[at as usize];
        match node.kind {
            Kind::Branch { dimension, rest, .. } => {
                let dimension = usize::from(dimension);
                let span = region[dimension];
                let mut children = node.child_of(span.first)..=node.child_of(span.last);
                let in_children = children.all(|child| {
                    let mut part = region;
                    if let Some(bound) = child.checked_sub(1) {
                        part[dimension].first = span.first.max(node.bounds[bound as usize] + 1);
                    }
                    if let Some(bound) = node.bounds.get(child as usize) {
                        part[dimension].last = span.last.min(*bound);
                    }
                    self.holds(node.child + child, part, wanted)
                });
                in_children || rest.get() != NONE && self.holds(rest.get(), region, wanted)
            }
            Kind::Twig { dimension, ends } => {
                let span = region[usize::from(dimension)];
                (node.child_of(span.first)..=node.child_of(span.last)).all(|child| {
                    let first = if child == 0 { 0 } else { ends[child as usize - 1] };
                    self.lists(node.child + u32::from(first), node.child + u32::from(ends[child as usize]), wanted)
                })
            }
            Kind::Leaf { len } => self.lists(node.child, node.child + len.get(), wanted),
        }
    }

    fn lists(&self, first: u32, end: u32, wanted: &T) -> bool {
        let listed = &self.listed[first as usize..end as usize];
        let rule = (self.rule_of)(wanted);
        let from = listed.partition_point(|one| (self.rule_of)(one) < rule);
        listed[from..].iter().take_while(|one| (self.rule_of)(one) == rule).any(|one| one == wanted)
    }
}

/// Packets on the edges of a rule, made from what it says and not from its boxes, and some beside it.
fn probes<F: Family>(
    table: &Table<F>,
    rule: RuleIndex,
    mut ask: impl FnMut(&Header<F>, (InterfaceId, InterfaceId)) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let test = &table.rules[rule.index()].test;
    let number = test.protocol.unwrap_or(protocol::TCP);
    let mut sports = [(0, u16::MAX); 2];
    let mut dports = sports;
    let mut flags = 0;
    let mut icmp = (0, 0);
    for l4 in test.l4.of(&table.l4_tests) {
        match *l4 {
            L4Test::Tcp { sport, dport, set, .. } => {
                (sports[0], dports[0]) = ((sport.first, sport.last), (dport.first, dport.last));
                flags = set;
            }
            L4Test::Udp { sport, dport, .. } => (sports[0], dports[0]) = ((sport.first, sport.last), (dport.first, dport.last)),
            L4Test::Icmp { kind, code_first, .. } => icmp = (kind, code_first),
            L4Test::Multiport { sides, ranges, .. } => {
                let list = ranges.of(&table.port_ranges);
                let ends = [list.first(), list.last()].map(|range| range.map_or((0, u16::MAX), |range| (range.first, range.last)));
                match sides {
                    PortSides::Source => sports = ends,
                    PortSides::Destination | PortSides::Either => dports = ends,
                }
            }
        }
    }
    let transport = |sport, dport, flags| match number {
        protocol::TCP => L4::Tcp { sport, dport, seq: 0, ack: 0, flags, window: 0, header_len: 20 },
        protocol::UDP | protocol::UDPLITE => L4::Udp { sport, dport, len: 8 },
        protocol::SCTP | protocol::DCCP => L4::Ports { sport, dport },
        number if number == F::ICMP => L4::Icmp { kind: icmp.0, code: icmp.1, id: 0, seq: 0 },
        _ => L4::Other,
    };
    let named = |pattern: Option<PatternId>| {
        let set = pattern.and_then(|p| table.bound.get(p.index())).copied().unwrap_or(0);
        InterfaceId(set.checked_ilog2().unwrap_or(0) as u16)
    };
    let interfaces = (named(test.in_interface), named(test.out_interface));
    let (low, high) = ((test.src, test.dst), (test.src | !test.src_mask, test.dst | !test.dst_mask));
    let at = |(src, dst): (F::Addr, F::Addr), sport, dport, flags| Header {
        src,
        dst,
        protocol: number,
        tos: 0,
        ttl: 64,
        l3: 0,
        l4: 0,
        len: 40,
        id: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment: if test.fragment { Fragment::Later(16) } else { Fragment::Whole },
        transport: if test.fragment { L4::Absent } else { transport(sport, dport, flags) },
    };
    let one = F::Addr::ONES ^ F::Addr::prefix_mask(F::Addr::LEN as u8 * 8 - 1);
    let (s, d) = (sports[0], dports[0]);
    let headers = [
        at(low, s.0, d.0, flags),
        at(high, s.1, d.1, flags),
        at((low.0, high.1), sports[1].0, dports[1].1, flags),
        // Beside it.
        at((high.0 ^ one, low.1), s.0.wrapping_sub(1), d.0, flags),
        at((low.0, high.1 ^ one), s.1.wrapping_add(1), d.0, flags),
        at((low.0, low.1), s.0, d.0.wrapping_sub(1), flags),
        at((high.0, high.1), s.0, d.1.wrapping_add(1), flags),
        at((!low.0, low.1), s.0, d.0, flags),
        at((low.0, !low.1), s.0, d.0, flags),
        at(low, s.0, d.0, !flags),
        Header { protocol: number ^ 1, transport: L4::Other, ..at(low, s.0, d.0, flags) },
    ];
    for header in &headers {
        ask(header, interfaces)?;
    }
    ask(&headers[0], (InterfaceId::NONE, InterfaceId::NONE))
}
