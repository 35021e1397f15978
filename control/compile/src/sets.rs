//! Sets: what commands changed of them, as the dataplane takes it.

use ::packet::FamilyId;
use program::set::{Beside, ElementEdit, Member, SetEdit, SetPart, SetSpec, Taking};
use sets::Change;
use sets::change::{self, Outline};
use sets::types::{Dimension, Storage};

/// Lowers changes, in their order.
pub fn set_edits(changes: Vec<Change>) -> Vec<SetEdit> {
    changes.into_iter().map(set_edit).collect()
}

fn set_edit(change: Change) -> SetEdit {
    match change {
        Change::Created(name, outline) => SetEdit::Create { name, spec: spec(&outline) },
        Change::Destroyed(name) => SetEdit::Destroy { name },
        Change::Renamed(from, to) => SetEdit::Rename { from, to },
        Change::Swapped(one, other) => SetEdit::Swap { one, other },
        Change::Flushed(name) => SetEdit::Flush { name },
        Change::Elements(name, elements) => {
            let edit = |(key, became): change::Became| ElementEdit { key: key.into(), beside: became.map(beside) };
            SetEdit::Elements { name, edits: elements.into_iter().map(edit).collect() }
        }
        Change::Listed(name, members) => {
            let member = |(name, beside): (String, change::Beside)| Member {
                name,
                expires_in: beside.expires_in,
                counters: beside.counters,
            };
            SetEdit::Members { name, members: members.into_iter().map(member).collect() }
        }
    }
}

/// The other way round: what became of an element that a packet changed.
pub fn set_beside(beside: Beside) -> change::Beside {
    let Beside { expires_in, nomatch, wildcard, mac, counters } = beside;
    change::Beside { expires_in, nomatch, wildcard, mac, counters }
}

fn beside(beside: change::Beside) -> Beside {
    let change::Beside { expires_in, nomatch, wildcard, mac, counters } = beside;
    Beside { expires_in, nomatch, wildcard, mac, counters }
}

fn spec(outline: &Outline) -> SetSpec {
    let Outline { kind, family, mask, mark_mask, nothing_is_none, counters, taking } = *outline;
    let change::Taking { most, makes_room, seconds, range } = taking;
    // What a bit stands for has its hardware address beside it.
    let is_bitmap = kind.storage == Storage::Bitmap;
    let dimensions = if is_bitmap { &kind.dimensions[..1] } else { kind.dimensions };
    let part = |dimension: &Dimension| match dimension {
        Dimension::Address(_) => Some(SetPart::Address),
        Dimension::Net { .. } => Some(SetPart::Net),
        Dimension::Port => Some(SetPart::Port),
        Dimension::ProtocolPort => Some(SetPart::ProtocolPort),
        Dimension::Mark => Some(SetPart::Mark),
        Dimension::Mac => Some(SetPart::Mac),
        Dimension::Interface => Some(SetPart::Interface),
        Dimension::Set => None,
    };
    let family = family.map(|family| match family {
        rules::Family::Ipv4 => FamilyId::Ipv4,
        rules::Family::Ipv6 => FamilyId::Ipv6,
    });
    SetSpec {
        family,
        parts: dimensions.iter().filter_map(part).collect(),
        // No type has more than three.
        dimensions: kind.dimensions.len() as u8,
        mask,
        mark_mask,
        nothing_is_none,
        has_mac: is_bitmap && kind.dimensions.contains(&Dimension::Mac),
        counters,
        taking: Taking { most, makes_room, seconds, range },
    }
}
