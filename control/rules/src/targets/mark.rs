//! `-j MARK`: changes the packet's mark.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// `mark = (mark & !mask) ^ value`: the one form to which all options come down. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkSet {
    /// Bits to flip after clearing.
    pub value: u32,
    /// Bits to clear.
    pub mask: u32,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "MARK", family: None, options: OPTIONS, build };

const WORD: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("set-xmark", Arg::Masked).excludes(&["set-mark", "and-mark", "or-mark", "xor-mark"]),
    Opt::new("set-mark", Arg::Masked).excludes(&["set-xmark", "and-mark", "or-mark", "xor-mark"]),
    Opt::new("and-mark", WORD).excludes(&["set-xmark", "set-mark", "or-mark", "xor-mark"]),
    Opt::new("or-mark", WORD).excludes(&["set-xmark", "set-mark", "and-mark", "xor-mark"]),
    Opt::new("xor-mark", WORD).excludes(&["set-xmark", "set-mark", "and-mark", "or-mark"]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let set = MarkSet::from_given(given)
        .ok_or(UsageError::Needs("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required"))?;
    Ok(Target::Mark(set))
}

impl MarkSet {
    /// The one form to which `--set-mark`, `--set-xmark`, `--and-mark`, `--or-mark` and `--xor-mark` come down.
    pub(crate) fn from_given(given: &Given) -> Option<MarkSet> {
        let word = |option| given.number(option).map(|n| n as u32);
        if let Some((value, mask)) = given.masked("set-xmark") {
            return Some(MarkSet { value, mask });
        }
        if let Some((value, mask)) = given.masked("set-mark") {
            return Some(MarkSet { value, mask: value | mask });
        }
        if let Some(value) = word("and-mark") {
            return Some(MarkSet { value: 0, mask: !value });
        }
        if let Some(value) = word("or-mark") {
            return Some(MarkSet { value, mask: value });
        }
        word("xor-mark").map(|value| MarkSet { value, mask: 0 })
    }

    /// The shortest way to say it, as listings do.
    pub(crate) fn list_as(&self, name: &str) -> String {
        let MarkSet { value, mask } = *self;
        if value == 0 {
            format!(" {name} and {:#x}", !mask)
        } else if value == mask {
            format!(" {name} or {value:#x}")
        } else if mask == 0 {
            format!(" {name} xor {value:#x}")
        } else if mask == u32::MAX {
            format!(" {name} set {value:#x}")
        } else {
            format!(" {name} xset {value:#x}/{mask:#x}")
        }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let form = format_args!("{:#x}/{:#x}", self.value, self.mask);
        OptionWriter::new(OPTIONS, out).value("set-xmark", false, form);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&self.list_as("MARK"));
    }
}
