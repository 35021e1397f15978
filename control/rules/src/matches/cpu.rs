//! `-m cpu`: the processor that handles the packet.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when it is this one, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cpu {
    /// Its number, from 0.
    pub cpu: u32,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "cpu", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("cpu", Arg::Number { min: 0, max: u32::MAX as u64 }).invertible().mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Cpu(Cpu { cpu: given.number("cpu").unwrap_or(0) as u32, invert: given.is_inverted("cpu") }))
}

impl Cpu {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("cpu", self.invert, self.cpu);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" cpu {}{}", if self.invert { "! " } else { "" }, self.cpu));
    }
}
