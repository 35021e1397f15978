//! SET (`xt_set.c`, `ip_set_*.c`): what the packet says comes into a set, or goes.

use packet::{Family, FamilyId, protocol};
use program::{SetChange, SetId, SetPart, SetSides, SetSpec};

use crate::sets::{Coming, Directory, Key, View};
use crate::stateful::set::{Asked, KeyOf};

/// Does what a rule says. The next rule and the next packet find it done.
pub(crate) fn change<F: Family>(sets: &Directory, change: &SetChange, [add, del]: [SetId; 2], asked: &Asked<'_, F>) {
    if let Some(sides) = &change.add
        && let Some((view, key, prefixes)) = element(sets, add, sides, asked)
    {
        // Where elements have no time, that of the rule is not looked at.
        let seconds = view.spec.taking.seconds.map_or(0, |own| change.seconds.unwrap_or(own));
        let expires = if seconds == 0 { 0 } else { asked.now.millis() + 1000 * u64::from(seconds) };
        let coming = Coming { expires, renews: change.renews, bytes: asked.header.len.into() };
        view.add(&key, prefixes, coming, asked.now);
    }
    if let Some(sides) = &change.del
        && let Some((view, key, prefixes)) = element(sets, del, sides, asked)
    {
        view.remove(&key, prefixes, asked.now);
    }
}

/// The element that the packet says, in a set that may have it.
fn element<'s, F: Family>(
    sets: &'s Directory,
    id: SetId,
    sides: &SetSides,
    asked: &Asked<'_, F>,
) -> Option<(View<'s>, Key, [Option<u8>; 2])> {
    let view = sets.view(id)?;
    if sides.dimensions < view.spec.dimensions || view.spec.family.is_some_and(|family| family != F::ID) {
        return None;
    }
    // What `ipset restore` could not read back does not come in: ICMP of the other family.
    let other = if F::ID == FamilyId::Ipv4 { protocol::ICMPV6 } else { protocol::ICMP };
    if view.spec.parts.contains(&SetPart::ProtocolPort) && asked.header.protocol == other {
        return None;
    }
    let mut key = KeyOf::new(view.spec, sides.sources, asked)?;
    let (key, prefixes) = key.changed(view);
    is_in_range(view.spec, &key).then_some((view, key, prefixes))
}

/// A bitmap has what it was made for, and nothing else.
fn is_in_range(spec: &SetSpec, key: &Key) -> bool {
    let Some((first, last)) = spec.taking.range else { return true };
    let [a, b, c, d, ..] = key[0].to_le_bytes();
    let number = match spec.parts.first() {
        Some(SetPart::Port) => u16::from_be_bytes([a, b]).into(),
        _ => u32::from_be_bytes([a, b, c, d]),
    };
    (first..=last).contains(&number)
}
