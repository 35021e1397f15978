//! `-j IDLETIMER`: starts a timer anew with each packet; when it runs out, programs are told by a file of sysfs.
use crate::Target;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// The timer. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Idletimer {
    /// `--timeout`: seconds.
    pub timeout: u32,
    /// `--label`: the file's name, at most 27 bytes; rules of one label share the timer.
    pub label: Box<str>,
    /// `--alarm`: the timer wakes a machine that sleeps.
    pub alarm: bool,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "IDLETIMER", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("timeout", Arg::Number { min: 0, max: u32::MAX as u64 }).mandatory(),
    Opt::new("label", Arg::Name { max: 27 }).mandatory(),
    Opt::new("alarm", Arg::None),
];

/// Seconds whose milliseconds fit the kernel's timers.
const TIMEOUT_MAX: u32 = i32::MAX as u32 / 1000 - 1;
/// Names that the files of the timers' folder have, or no file can have.
const TAKEN: [&str; 6] = ["", ".", "..", "power", "subsystem", "uevent"];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    Ok(Target::Idletimer(Box::new(Idletimer {
        timeout: given.number("timeout").unwrap_or(0) as u32,
        label: Box::from(given.text("label").unwrap_or("")),
        alarm: given.has("alarm"),
    })))
}

impl Idletimer {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let is_file_name = !TAKEN.contains(&&*self.label) && !self.label.contains('/');
        let holds = (1..=TIMEOUT_MAX).contains(&self.timeout) && is_file_name;
        if holds { Ok(()) } else { Err(KernelError::InvalidArgument) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("timeout", false, self.timeout);
        out.value("label", false, &self.label);
        if self.alarm {
            out.flag("alarm", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        let alarm = if self.alarm { " alarm" } else { "" };
        out.push_str(&format!(" timeout:{} label:{}{alarm}", self.timeout, self.label));
    }
}
