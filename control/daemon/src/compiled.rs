//! The tables as they were compiled last: an edit of the rules compiles what it changed, beside them.
use compile::{Changes, CompileError, Context};
use packet::{Ipv4, Ipv6};
use program::{Table, image};
use rules::TableName;

/// So many rules may always have been taken out of a table by edits before it is compiled anew.
const SPARE: usize = 1024;

/// What was compiled of both families.
#[derive(Debug, Default)]
pub struct Compiled {
    ipv4: OfFamily<Ipv4>,
    ipv6: OfFamily<Ipv6>,
}

/// By number of the table.
type OfFamily<F> = [Option<Kept<F>>; 5];

#[derive(Debug)]
struct Kept<F: packet::Family> {
    table: Table<F>,
    /// Rules that edits took out: what they named is still there.
    gone: usize,
}

/// How a table goes to the dataplane.
#[derive(Debug)]
pub enum Image {
    /// All of it.
    Whole(Vec<u8>),
    /// What makes it of the one that the dataplane has.
    Edit(Vec<u8>),
}

impl Compiled {
    /// Compiles a table. `changes` led to it from the one that was compiled last; none where that is not known.
    pub fn compile(
        &mut self,
        family: rules::Family,
        rules: &rules::Table,
        changes: Option<&Changes>,
        context: &mut Context,
    ) -> Result<Image, CompileError> {
        match family {
            rules::Family::Ipv4 => compile(&mut self.ipv4, rules, changes, context),
            rules::Family::Ipv6 => compile(&mut self.ipv6, rules, changes, context),
        }
    }
}

fn compile<F: packet::Family>(
    kept: &mut OfFamily<F>,
    rules: &rules::Table,
    changes: Option<&Changes>,
    context: &mut Context,
) -> Result<Image, CompileError> {
    let kept = &mut kept[place(rules.name)];
    if let (Some(before), Some(changes)) = (kept.take(), changes) {
        let gone = before.gone + changes.removed;
        let room = SPARE.max(before.table.rules.len() / 2);
        let table = Some(before.table).filter(|_| gone <= room);
        if let Some((table, edit)) = table.and_then(|table| compile::edit(table, rules, changes, context)) {
            *kept = Some(Kept { table, gone });
            return Ok(Image::Edit(image::encode_edit(&edit)));
        }
    }
    let mut table = compile::table::<F>(rules, context)?;
    let bytes = image::encode_table(&table);
    table.prepare_for_edits();
    *kept = Some(Kept { table, gone: 0 });
    Ok(Image::Whole(bytes))
}

fn place(name: TableName) -> usize {
    match name {
        TableName::Raw => 0,
        TableName::Mangle => 1,
        TableName::Nat => 2,
        TableName::Filter => 3,
        TableName::Security => 4,
    }
}
