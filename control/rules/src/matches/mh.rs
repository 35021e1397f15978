//! `-m mh`: the type of a Mobile IPv6 message.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};
use crate::{Family, Match, number};

/// Holds when `(min <= type <= max) != invert`; needs `-p mh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mh {
    /// The lowest type inside.
    pub min: u8,
    /// The highest type inside.
    pub max: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "mh", family: Some(Family::Ipv6), options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("mh-type", Arg::Own { shape: "TYPE[:TYPE]", read: read_types }).invertible()];

/// The types of RFC 6275 by number, by long and by short name.
const TYPES: [(&str, &str); 8] = [
    ("binding-refresh-request", "brr"),
    ("home-test-init", "hoti"),
    ("careof-test-init", "coti"),
    ("home-test", "hot"),
    ("careof-test", "cot"),
    ("binding-update", "bu"),
    ("binding-acknowledgement", "ba"),
    ("binding-error", "be"),
];

/// A number, a name, or the beginning of one: the first that begins so.
fn read_type(word: &str) -> Result<u8, UsageError> {
    let find = |holds: &dyn Fn(&str) -> bool| TYPES.iter().position(|(long, short)| holds(long) || holds(short));
    let begins = |name: &str| name.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    let named = find(&|name| name.eq_ignore_ascii_case(word)).or_else(|| find(&begins)).map(|number| number as u8);
    named.or_else(|| number::byte(word)).ok_or_else(|| UsageError::Own(format!("Invalid MH type `{word}'")))
}

fn read_types(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let (min, max) = match reading.word.split_once(':') {
        None => {
            let only = read_type(reading.word)?;
            (only, only)
        }
        Some((min, max)) => {
            (if min.is_empty() { 0 } else { read_type(min)? }, if max.is_empty() { u8::MAX } else { read_type(max)? })
        }
    };
    if min > max {
        return Err(UsageError::Needs("Invalid MH type range (min > max)"));
    }
    Ok(Value::Counts(min.into(), max.into()))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let (min, max) = given.counts("mh-type").unwrap_or((0, u8::MAX.into()));
    Ok(Match::Mh(Mh { min: min as u8, max: max as u8, invert: given.is_inverted("mh-type") }))
}

impl Mh {
    fn text(&self, name: impl Fn(u8) -> String) -> String {
        if self.min == self.max { name(self.min) } else { format!("{}:{}", name(self.min), name(self.max)) }
    }

    fn is_full(&self) -> bool {
        (self.min, self.max) == (0, u8::MAX)
    }

    pub(crate) fn save(&self, out: &mut String) {
        if !self.is_full() {
            OptionWriter::new(OPTIONS, out).value("mh-type", self.invert, self.text(|number| number.to_string()));
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(" mh");
        if self.is_full() && !self.invert {
            return;
        }
        let name = |number: u8| match TYPES.get(usize::from(number)) {
            Some((name, _)) if !style.numeric => (*name).to_owned(),
            _ => number.to_string(),
        };
        out.push_str(&format!(" {}{}", if self.invert { "!" } else { "" }, self.text(name)));
    }
}
