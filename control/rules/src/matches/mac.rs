//! `-m mac`: the source address of the frame.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// Holds when the frame came from this address, turned round by `invert`; a packet that came in no Ethernet frame never passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mac {
    /// The six bytes as they travel.
    pub source: [u8; 6],
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "mac", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("mac-source", Arg::Own { shape: "XX:XX:XX:XX:XX:XX", read: read_address }).invertible().mandatory()];

/// Six bytes of at most two hexadecimal digits, parted by colons; one without digits is 0.
fn read_address(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let byte = |digits: &str| {
        let is_byte = digits.len() <= 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_byte.then(|| u64::from_str_radix(digits, 16).unwrap_or(0))
    };
    let bytes: Option<Vec<u64>> = reading.word.split(':').map(byte).collect();
    let bytes = bytes.filter(|bytes| bytes.len() == 6).ok_or(UsageError::Needs("Invalid MAC address specified."))?;
    Ok(Value::Number(bytes.into_iter().fold(0, |address, byte| address << 8 | byte)))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let [_, _, source @ ..] = given.number("mac-source").unwrap_or(0).to_be_bytes();
    Ok(Match::Mac(Mac { source, invert: given.is_inverted("mac-source") }))
}

impl Mac {
    fn text(&self) -> String {
        self.source.map(|byte| format!("{byte:02x}")).join(":")
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("mac-source", self.invert, self.text());
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" MAC {}{}", if self.invert { "! " } else { "" }, self.text()));
    }
}
