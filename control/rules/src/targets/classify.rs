//! `-j CLASSIFY`: says into which class of the outgoing interface's queueing discipline the packet goes.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// The packet's priority, which names a class. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Classify {
    /// The discipline's handle.
    pub major: u16,
    /// The class in it.
    pub minor: u16,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "CLASSIFY", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("set-class", Arg::Own { shape: "MAJOR:MINOR", read: read_class }).mandatory()];

/// `major:minor`, hexadecimal whether or not they begin with `0x`.
fn read_class(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let text = reading.word;
    let half = |text: &str| u16::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok();
    // iptables cuts what is too long, and reads no further than it must; nobody can mean that.
    let halves = text.split_once(':').filter(|_| !text.contains('+'));
    let class = halves.and_then(|(major, minor)| Some(Value::Ports(half(major)?, half(minor)?)));
    class.ok_or_else(|| UsageError::Own(format!("Bad class value \"{text}\"")))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let (major, minor) = match given.value("set-class") {
        Some((&Value::Ports(major, minor), _)) => (major, minor),
        _ => (0, 0),
    };
    Ok(Target::Classify(Classify { major, minor }))
}

impl Classify {
    pub(crate) fn save(self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("set-class", false, format_args!("{:04x}:{:04x}", self.major, self.minor));
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(&format!(" CLASSIFY set {:x}:{:x}", self.major, self.minor));
    }
}
