//! `-m pkttype`: to whom a frame was addressed on the link.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};

/// Holds when the frame was for these, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pkttype {
    /// For whom.
    pub to: LinkDestination,
    /// `!` was given.
    pub invert: bool,
}

/// To whom a frame was addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkDestination {
    /// This host alone.
    Unicast,
    /// All.
    Broadcast,
    /// A group.
    Multicast,
    /// Another host.
    OtherHost,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "pkttype", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("pkt-type", Arg::Own { shape: "unicast|broadcast|multicast|otherhost", read: read_type }).invertible().mandatory()];

/// Every word; the first one for each is printed.
const WORDS: [(&str, LinkDestination); 7] = [
    ("unicast", LinkDestination::Unicast),
    ("broadcast", LinkDestination::Broadcast),
    ("multicast", LinkDestination::Multicast),
    ("otherhost", LinkDestination::OtherHost),
    ("host", LinkDestination::Unicast),
    ("bcast", LinkDestination::Broadcast),
    ("mcast", LinkDestination::Multicast),
];

fn read_type(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let place = WORDS.iter().position(|(word, _)| word.eq_ignore_ascii_case(reading.word));
    let place = place.ok_or_else(|| UsageError::Own(format!("Bad packet type '{}'", reading.word)))?;
    Ok(Value::Number(place as u64))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let place = given.number("pkt-type").unwrap_or(0);
    let to = WORDS.get(place as usize).map_or(LinkDestination::Unicast, |(_, to)| *to);
    Ok(Match::Pkttype(Pkttype { to, invert: given.is_inverted("pkt-type") }))
}

impl Pkttype {
    fn word(&self) -> &'static str {
        WORDS.iter().find(|(_, to)| *to == self.to).map_or("", |(word, _)| word)
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("pkt-type", self.invert, self.word());
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" PKTTYPE {} {}", if self.invert { "!=" } else { "=" }, self.word()));
    }
}
