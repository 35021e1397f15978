//! From wanted rules to a running program: compile, encode, seal, send, and believe it only when the dataplane has acknowledged.
//!
//! Nothing here changes the daemon's state. Whoever calls keeps the old [`Wanted`] until this has returned without error.
use std::os::fd::OwnedFd;

use compile::{CompileError, Context};
use packet::Ipv4;
use proto::private::{Family, Publish, TableKind, TableRef};
use proto::wire::{self, WireError};
use rules::names::Names;
use rules::{RuleSet, TableName};

use crate::counters::Live;
use crate::dataplane::{Link, LinkError};
use crate::slots::SlotsFull;
use crate::source;
use crate::text;
use crate::wanted::Wanted;

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
    /// Its text without counters.
    pub text: String,
    images: Vec<(TableName, Option<Vec<u8>>)>,
}

/// Compiles the tables in `changed`; the others are said to be unchanged.
pub fn prepare(mut wanted: Wanted, changed: &[TableName], names: &dyn Names) -> Result<Prepared, ApplyError> {
    let mut context = Context::with_labels(wanted.slots.capacity(), std::mem::take(&mut wanted.labels));
    let mut images = Vec::new();
    for table in wanted.ruleset.tables() {
        let image = match changed.contains(&table.name) {
            true => Some(program::image::encode_table(&compile::table::<Ipv4>(table, &mut context)?)),
            false => None,
        };
        images.push((table.name, image));
    }
    wanted.labels = context.labels().to_vec();
    let text = text::save(&wanted.ruleset, false, names).map_err(ApplyError::Text)?;
    Ok(Prepared { wanted, text, images })
}

/// Prepares an edit of `current`: `ruleset` is what the language made of [`Wanted::with_counters`] at `live`.
pub fn prepare_edit(
    current: &Wanted,
    ruleset: RuleSet,
    changed: &[TableName],
    live: &Live,
    names: &dyn Names,
) -> Result<Prepared, ApplyError> {
    prepare(current.edited(ruleset, changed, live)?, changed, names)
}

/// All loaded tables: a dataplane that runs none of them yet gets all.
pub fn loaded(ruleset: &RuleSet) -> Vec<TableName> {
    ruleset.tables().map(|table| table.name).collect()
}

/// Sends a prepared publication and waits until every worker runs it.
pub fn publish(prepared: &Prepared, link: &mut Link) -> Result<u64, ApplyError> {
    let mut segments: Vec<OwnedFd> = Vec::new();
    let mut tables = Vec::new();
    for (name, image) in &prepared.images {
        if let Some(image) = image {
            segments.push(wire::sealed(name.as_str(), image)?);
        }
        tables.push(TableRef { family: Family::Ipv4, kind: kind(*name), unchanged: image.is_none() });
    }
    segments.push(wire::sealed("rampart-source", &source::encode(&prepared.wanted, &prepared.text)?)?);
    let publish = Publish { based_on: link.generation, labels: prepared.wanted.labels.clone(), tables };
    link.publish(publish, &segments).map_err(ApplyError::Link)
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
