//! `-j TCPOPTSTRIP`: puts no-operations in the place of TCP options.
use crate::Target;
use crate::error::UsageError;
use crate::number;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};

/// The kinds of options that are taken out. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tcpoptstrip {
    /// Kinds, ascending, each once; none below 2.
    pub kinds: Box<[u8]>,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "TCPOPTSTRIP", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("strip-options", Arg::Own { shape: "KIND[,...]", read: read_kinds })];

const NAMES: [(&str, u8); 6] = [("wscale", 3), ("mss", 2), ("sack-permitted", 4), ("sack", 5), ("timestamp", 8), ("md5", 19)];

fn read_kinds(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut kinds = Vec::new();
    for word in reading.word.split(',') {
        let named = NAMES.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        let kind = named.or_else(|| number::byte(word));
        let kind = kind.ok_or_else(|| UsageError::Own(format!("Bad TCP option value \"{word}\"")))?;
        if kind < 2 {
            return Err(UsageError::Needs("Option value may not be 0 or 1"));
        }
        if kinds.contains(&u32::from(kind)) {
            return Err(UsageError::Own(format!("Option \"{word}\" already specified")));
        }
        kinds.push(u32::from(kind));
    }
    kinds.sort_unstable();
    Ok(Value::Numbers(kinds))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let kinds = given.numbers("strip-options").unwrap_or(&[]);
    Ok(Target::Tcpoptstrip(Tcpoptstrip { kinds: kinds.iter().map(|kind| *kind as u8).collect() }))
}

impl Tcpoptstrip {
    pub(crate) fn save(&self, out: &mut String) {
        if !self.kinds.is_empty() {
            let kinds: Vec<String> = self.kinds.iter().map(u8::to_string).collect();
            OptionWriter::new(OPTIONS, out).value("strip-options", false, kinds.join(","));
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let shown = |kind: &u8| match NAMES.iter().find(|(_, named)| named == kind) {
            Some((name, _)) if !style.numeric => (*name).to_owned(),
            _ => kind.to_string(),
        };
        if !self.kinds.is_empty() {
            let kinds: Vec<String> = self.kinds.iter().map(shown).collect();
            out.push_str(&format!(" TCPOPTSTRIP options {}", kinds.join(",")));
        }
    }
}
