//! From wanted rules to a running program: compile, encode, seal, send, and believe it only when the dataplane has acknowledged.
//!
//! Nothing here changes the daemon's state but what is kept of compiled tables. Whoever calls keeps the old [`Wanted`] until this has returned without
//! error, and forgets the compiled tables where it has not.
use std::os::fd::OwnedFd;

use compile::{Changes, CompileError, Context};
use proto::private::{self, Form, Publish, TableKind, TableRef};
use proto::wire::{self, WireError};
use rules::names::Names;
use rules::{Family, RuleSet, SlotId, TableName};

use crate::compiled::{Compiled, Image};
use crate::counters::Live;
use crate::dataplane::{Link, LinkError};
use crate::edit::Edit;
use crate::slots::SlotsFull;
use crate::source::{self, Size};
use crate::text;
use crate::wanted::{Counted, FAMILIES, Wanted};

/// Why new rules do not run. The old ones still do, except after [`ApplyError::Link`] with a broken connection: then the dataplane says
/// which run when it is back.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// No slot for a rule.
    #[error(transparent)]
    Slots(#[from] SlotsFull),
    /// The dataplane does not do what a rule says.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The rules do not print.
    #[error("the rules cannot be written down: {0}")]
    Text(String),
    /// The source blob cannot be written.
    #[error("source blob: {0}")]
    Source(#[from] serde_json::Error),
    /// A segment cannot be made.
    #[error("segment: {0}")]
    Segment(#[from] WireError),
    /// The dataplane refused, or is gone.
    #[error("the dataplane did not take the rules: {0}")]
    Link(LinkError),
}

/// Everything that a publication needs, made without touching the dataplane.
#[derive(Debug)]
pub struct Prepared {
    /// What is wanted from now on.
    pub wanted: Wanted,
    /// The edit that led to it, where there is a record of it.
    pub record: Option<String>,
    /// Slots that count from nothing again.
    anew: Vec<SlotId>,
    /// Of each loaded table; none for one that is unchanged.
    images: Vec<(TableId, Option<Image>)>,
}

/// An edit of so many rules, or of this part of all, may have a record.
const SPARE: usize = 256;
const PART: usize = 4;

/// A table of a family.
pub type TableId = (Family, TableName);

/// Compiles all loaded tables.
pub fn prepare(mut wanted: Wanted, compiled: &mut Compiled) -> Result<Prepared, ApplyError> {
    let images = compile(&mut wanted, |_| Some(None), compiled)?;
    Ok(Prepared { wanted, record: None, anew: Vec::new(), images })
}

/// Prepares an edit of `current`: `ruleset` is what the language made of its rules. The tables in `changed` are compiled, unless there will
/// be no dataplane to run them: then `compiled` is `None`, and everything is taken that the language takes.
pub fn prepare_edit(
    current: &Wanted,
    ruleset: RuleSet,
    changed: &[TableName],
    (live, counted): (&Live, &Counted),
    compiled: Option<&mut Compiled>,
    names: &dyn Names,
) -> Result<Prepared, ApplyError> {
    let family = ruleset.family;
    let mut wanted = current.edited(ruleset, changed, live, counted)?;
    let edit = Edit::between(current, &wanted, family, changed);
    let change = |id: TableId| (id.0 == family && changed.contains(&id.1)).then(|| edit.of(id.1));
    let images = compiled.map(|compiled| compile(&mut wanted, change, compiled)).transpose()?.unwrap_or_default();
    // Of one that says most rules there would be no place for a record.
    let is_told = edit.rule_count() <= SPARE.max(wanted.rules.rule_count() / PART);
    let labels = &wanted.labels[current.labels.len()..];
    let record = if is_told { edit.record(labels, names)? } else { None };
    Ok(Prepared { wanted, record, anew: counted.anew.clone(), images })
}

/// Compiles the tables of which `changes` says something: what changed, where that is known.
fn compile<'a>(
    wanted: &mut Wanted,
    changes: impl Fn(TableId) -> Option<Option<&'a Changes>>,
    compiled: &mut Compiled,
) -> Result<Vec<(TableId, Option<Image>)>, ApplyError> {
    let mut context = Context::with_labels(wanted.slots.capacity(), std::mem::take(&mut wanted.labels));
    let mut images = Vec::new();
    for (family, table) in wanted.rules.iter().flat_map(|set| set.tables().map(|table| (set.family, table))) {
        let id = (family, table.name);
        let image = changes(id).map(|changes| compiled.compile(family, table, changes, &mut context));
        images.push((id, image.transpose()?));
    }
    wanted.labels = context.labels().to_vec();
    Ok(images)
}

/// Sends a prepared publication and waits until every worker runs it. A dataplane that walks no IPv6 gets no table of it. `size` is that of the
/// source blob that the dataplane has, and then of the one that it has got.
pub fn publish(prepared: &Prepared, link: &mut Link, size: &mut Size, names: &dyn Names) -> Result<u64, ApplyError> {
    let mut segments: Vec<OwnedFd> = Vec::new();
    let mut tables = Vec::new();
    for ((family, name), image) in &prepared.images {
        let family = match family {
            Family::Ipv4 => private::Family::Ipv4,
            Family::Ipv6 if link.ipv6 => private::Family::Ipv6,
            Family::Ipv6 => continue,
        };
        let form = match image {
            None => Form::Unchanged,
            Some(Image::Whole(bytes)) => {
                segments.push(wire::sealed(name.as_str(), bytes)?);
                Form::Whole
            }
            Some(Image::Edit(bytes)) => {
                segments.push(wire::sealed(name.as_str(), bytes)?);
                Form::Edit
            }
        };
        tables.push(TableRef { family, kind: kind(*name), form });
    }
    let record = prepared.record.as_ref().filter(|record| size.takes(record));
    let (source, after) = match record {
        Some(record) => (record.as_bytes().to_vec(), Size { edits: size.edits + record.len(), ..*size }),
        None => {
            let blob = whole_source(&prepared.wanted, names)?;
            let after = Size { whole: blob.len(), edits: 0 };
            (blob, after)
        }
    };
    if !prepared.anew.is_empty() {
        let slots: Vec<u8> = prepared.anew.iter().flat_map(|slot| slot.0.to_ne_bytes()).collect();
        segments.push(wire::sealed("rampart-slots", &slots)?);
    }
    segments.push(wire::sealed("rampart-source", &source)?);
    let labels = prepared.wanted.labels.clone();
    let (source_goes_on, begins_counters) = (record.is_some(), !prepared.anew.is_empty());
    let publish = Publish { based_on: link.generation, labels, tables, source_goes_on, begins_counters };
    let generation = link.publish(publish, &segments).map_err(ApplyError::Link)?;
    *size = after;
    Ok(generation)
}

fn whole_source(wanted: &Wanted, names: &dyn Names) -> Result<Vec<u8>, ApplyError> {
    let [ipv4, ipv6] = FAMILIES.map(|family| text::save(wanted.rules.of(family), false, names).map_err(ApplyError::Text));
    Ok(source::encode(wanted, [ipv4?, ipv6?])?)
}

fn kind(name: TableName) -> TableKind {
    match name {
        TableName::Raw => TableKind::Raw,
        TableName::Mangle => TableKind::Mangle,
        TableName::Nat => TableKind::Nat,
        TableName::Filter => TableKind::Filter,
        TableName::Security => TableKind::Security,
    }
}
