//! Rules that no packet meets, because an earlier rule of the chain holds for all of theirs and ends their way through it.
//!
//! What a header test reads of a packet stays as it is while the packet goes through a chain: targets that let it go on change marks, TOS and
//! TTL at most. So where the earlier rule has not held none of the others will.
//!
//! They stand in no tree for packets with a transport header. When the earlier rule goes, or no longer ends the chain, they have to be found
//! again ([`super::reuse`]). Of packets of which only the IP part is asked nothing is left out: what else a rule asks of them decides whether it
//! ends their way.

use std::collections::BTreeMap;

use packet::Family;
use packet::family::Addr;

use crate::header_test::{HeaderTest, L4Test, PortRange};
use crate::id::RuleIndex;
use crate::rule::Target;
use crate::table::Table;

/// Rules that are tried as those that cover others: the ones that ask least.
const WIDE: usize = 32;

/// Rules that one covers, by their numbers in the list of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) by: u32,
    pub(super) rules: Vec<u32>,
}

/// What is covered in a list of rules.
pub(super) fn covered<F: Family>(table: &Table<F>, rules: &[RuleIndex]) -> Vec<Covered> {
    let mut wide: Vec<(u32, u32)> = Vec::new();
    let mut covered = BTreeMap::<u32, Vec<u32>>::new();
    for (number, &rule) in (0..).zip(rules) {
        if let Some((_, by)) = wide.iter().find(|(_, by)| covers(table, rules[*by as usize], rule)) {
            covered.entry(*by).or_default().push(number);
        } else if ends(table, rule) {
            let asked = bits(table, rule);
            if wide.len() < WIDE {
                wide.push((asked, number));
            } else if let Some(most) = wide.iter_mut().max().filter(|most| asked < most.0) {
                *most = (asked, number);
            }
        }
    }
    covered.into_iter().map(|(by, rules)| Covered { by, rules }).collect()
}

/// Does a packet that passes the rule's header test go no further in its chain?
pub(super) fn ends<F: Family>(table: &Table<F>, rule: RuleIndex) -> bool {
    let rule = &table.rules[rule.index()];
    rule.residual.len == 0 && matches!(rule.target, Target::Accept | Target::Drop | Target::Return | Target::Goto(_))
}

/// Does one rule's header test hold for every packet with a transport header for which another's does?
pub(super) fn covers<F: Family>(table: &Table<F>, one: RuleIndex, other: RuleIndex) -> bool {
    let (one, other) = (&table.rules[one.index()].test, &table.rules[other.index()].test);
    let within = |address: F::Addr, mask: F::Addr, in_address: F::Addr, in_mask: F::Addr| {
        mask & in_mask == in_mask && address & in_mask == in_address
    };
    one.invert.is_empty()
        && other.invert.is_empty()
        && within(other.src, other.src_mask, one.src, one.src_mask)
        && within(other.dst, other.dst_mask, one.dst, one.dst_mask)
        && (one.protocol.is_none() || one.protocol == other.protocol)
        && (one.in_interface.is_none() || one.in_interface == other.in_interface)
        && (one.out_interface.is_none() || one.out_interface == other.out_interface)
        && !one.fragment
        && l4_covers(one, other, table)
}

fn l4_covers<F: Family>(one: &HeaderTest<F>, other: &HeaderTest<F>, table: &Table<F>) -> bool {
    let within = |ports: PortRange, of: PortRange| of.first <= ports.first && ports.last <= of.last;
    match (one.l4.of(&table.l4_tests), other.l4.of(&table.l4_tests)) {
        ([], _) => true,
        (
            [L4Test::Tcp { sport, dport, not_sport: false, not_dport: false, mask: 0, set: 0, not_flags: false }],
            [L4Test::Tcp { sport: sports, dport: dports, not_sport: false, not_dport: false, .. }],
        )
        | (
            [L4Test::Udp { sport, dport, not_sport: false, not_dport: false }],
            [L4Test::Udp { sport: sports, dport: dports, not_sport: false, not_dport: false }],
        ) => within(*sports, *sport) && within(*dports, *dport),
        _ => false,
    }
}

/// How many bits of a packet a rule asks, about.
fn bits<F: Family>(table: &Table<F>, rule: RuleIndex) -> u32 {
    let test = &table.rules[rule.index()].test;
    let of = |mask: F::Addr| (0..F::Addr::LEN / 4).map(|n| mask.word(n).count_ones()).sum::<u32>();
    let interfaces = [test.in_interface, test.out_interface].into_iter().flatten().count() as u32;
    of(test.src_mask) + of(test.dst_mask) + 8 * (u32::from(test.protocol.is_some()) + interfaces + test.l4.len)
}
