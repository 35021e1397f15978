//! `-j CONNMARK`: moves marks between the packet and its connection.
use super::mark::MarkSet;
use crate::Target;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// What happens to the marks. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnmarkAction {
    /// `connection = (connection & !mask) ^ value`.
    Set {
        /// Bits to flip after clearing.
        value: u32,
        /// Bits to clear.
        mask: u32,
        /// What has come of it is shifted.
        shift: Shift,
    },
    /// `connection = (connection & !ct_mask) ^ (packet & nf_mask)`.
    Save {
        /// Bits of the packet's mark.
        nf_mask: u32,
        /// Bits of the connection's mark.
        ct_mask: u32,
        /// What was taken is shifted.
        shift: Shift,
    },
    /// `packet = (packet & !nf_mask) ^ (connection & ct_mask)`.
    Restore {
        /// Bits of the packet's mark.
        nf_mask: u32,
        /// Bits of the connection's mark.
        ct_mask: u32,
        /// What was taken is shifted.
        shift: Shift,
    },
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "CONNMARK", family: None, options: OPTIONS, build };

const WORD: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const BITS: Arg = Arg::Number { min: 0, max: 32 };
const ACTIONS: &[&str] = &["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark", "save-mark", "restore-mark"];
const OPTIONS: &[Opt] = &[
    Opt::new("set-xmark", Arg::Masked),
    Opt::new("set-mark", Arg::Masked),
    Opt::new("and-mark", WORD),
    Opt::new("or-mark", WORD),
    Opt::new("xor-mark", WORD),
    Opt::new("save-mark", Arg::None),
    Opt::new("restore-mark", Arg::None),
    Opt::new("left-shift-mark", BITS),
    Opt::new("right-shift-mark", BITS),
    Opt::new("ctmask", WORD).excludes(&["mask"]),
    Opt::new("nfmask", WORD).excludes(&["mask"]),
    Opt::new("mask", WORD).excludes(&["ctmask", "nfmask"]),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let mut actions = ACTIONS.iter().filter(|option| given.has(option));
    let action = actions.next().ok_or(UsageError::Needs("CONNMARK target: No operation specified"))?;
    if let Some(other) = actions.next() {
        return Err(UsageError::OptionsExclude { extension: "CONNMARK", option: action, other });
    }
    let word = |option| given.number(option).map(|n| n as u32);
    let nf_mask = word("mask").or(word("nfmask")).unwrap_or(u32::MAX);
    let ct_mask = word("mask").or(word("ctmask"));
    // Of several it is the last.
    let shift = given.order().rev().find_map(|option| match (option, word(option)? as i8) {
        (LEFT, bits) => Some(Shift(bits)),
        (RIGHT, bits) => Some(Shift(-bits)),
        _ => None,
    });
    let shift = shift.unwrap_or_default();
    Ok(Target::Connmark(match (*action, MarkSet::from_given(given)) {
        (_, Some(MarkSet { value, mask })) => ConnmarkAction::Set { value, mask: ct_mask.unwrap_or(mask), shift },
        ("save-mark", None) => ConnmarkAction::Save { nf_mask, ct_mask: ct_mask.unwrap_or(u32::MAX), shift },
        (_, None) => ConnmarkAction::Restore { nf_mask, ct_mask: ct_mask.unwrap_or(u32::MAX), shift },
    }))
}

/// By so many bits to the left; to the right if it is less than 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shift(pub i8);

const LEFT: &str = "left-shift-mark";
const RIGHT: &str = "right-shift-mark";

impl Shift {
    /// The option that says it, and the bits.
    fn said(self) -> Option<(&'static str, u8)> {
        (self.0 != 0).then(|| (if self.0 > 0 { LEFT } else { RIGHT }, self.0.unsigned_abs()))
    }
}

impl ConnmarkAction {
    fn shift(self) -> Shift {
        match self {
            ConnmarkAction::Set { shift, .. } | ConnmarkAction::Save { shift, .. } | ConnmarkAction::Restore { shift, .. } => shift,
        }
    }

    /// A mark has 32 bits, and they cannot all be shifted away.
    pub(crate) fn check(self) -> Result<(), KernelError> {
        if self.shift().0.unsigned_abs() < 32 { Ok(()) } else { Err(KernelError::InvalidArgument) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        let (option, nf_mask, ct_mask) = match *self {
            ConnmarkAction::Set { value, mask, .. } => {
                out.value("set-xmark", false, format_args!("{value:#x}/{mask:#x}"));
                return self.save_shift(&mut out);
            }
            ConnmarkAction::Save { nf_mask, ct_mask, .. } => ("save-mark", nf_mask, ct_mask),
            ConnmarkAction::Restore { nf_mask, ct_mask, .. } => ("restore-mark", nf_mask, ct_mask),
        };
        out.flag(option, false);
        out.value("nfmask", false, format_args!("{nf_mask:#x}"));
        out.value("ctmask", false, format_args!("{ct_mask:#x}"));
        self.save_shift(&mut out);
    }

    fn save_shift(self, out: &mut OptionWriter<'_>) {
        if let Some((option, bits)) = self.shift().said() {
            out.value(option, false, bits);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        self.list_marks(out);
        if let Some((option, bits)) = self.shift().said() {
            out.push_str(&format!(" {option} {bits}"));
        }
    }

    fn list_marks(&self, out: &mut String) {
        let (nf, ct) = match *self {
            ConnmarkAction::Set { value, mask, .. } => {
                return out.push_str(&MarkSet { value, mask }.list_as("CONNMARK"));
            }
            ConnmarkAction::Save { nf_mask, ct_mask, .. } => {
                out.push_str(" CONNMARK save");
                (nf_mask, ct_mask)
            }
            ConnmarkAction::Restore { nf_mask, ct_mask, .. } => {
                out.push_str(" CONNMARK restore");
                (nf_mask, ct_mask)
            }
        };
        match self {
            _ if nf == u32::MAX && ct == u32::MAX => {}
            _ if nf == ct => out.push_str(&format!(" mask {nf:#x}")),
            ConnmarkAction::Restore { .. } => out.push_str(&format!(" ctmask {ct:#x} nfmask ~{nf:#x}")),
            _ => out.push_str(&format!(" nfmask {nf:#x} ctmask ~{ct:#x}")),
        }
    }
}
