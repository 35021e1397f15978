//! `-m physdev`: the port of a bridge by which a packet came or leaves.
use super::Place;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::{Hook, InterfaceMatch, Match, spec};

/// Every part that is there must hold; those of flags are false with `!`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Physdev {
    /// `--physdev-in`: the port by which it came.
    pub inward: Option<InterfaceMatch>,
    /// `--physdev-out`: the port by which it leaves.
    pub outward: Option<InterfaceMatch>,
    /// `--physdev-is-in`: it came by a port.
    pub is_in: Option<bool>,
    /// `--physdev-is-out`: it leaves by one.
    pub is_out: Option<bool>,
    /// `--physdev-is-bridged`: it goes from port to port and is not routed.
    pub is_bridged: Option<bool>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "physdev", family: None, options: OPTIONS, build };

const PORT: Arg = Arg::Own { shape: "NAME[+]", read: read_port };
const OPTIONS: &[Opt] = &[
    Opt::new("physdev-in", PORT).invertible(),
    Opt::new("physdev-out", PORT).invertible(),
    Opt::new("physdev-is-in", Arg::None).invertible(),
    Opt::new("physdev-is-out", Arg::None).invertible(),
    Opt::new("physdev-is-bridged", Arg::None).invertible(),
];

fn read_port(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let (_, warning) = spec::read_interface(reading.word, reading.invert)?;
    if let Some(warning) = warning {
        reading.context.warn(warning.trim_end());
    }
    Ok(Value::Text(reading.word.to_owned()))
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    if given.order().next().is_none() {
        return Err(UsageError::Needs("PHYSDEV: no physdev option specified"));
    }
    let port = |option| {
        let test = given.text(option).map(|text| spec::read_interface(text, given.is_inverted(option)));
        test.transpose().map(|test| test.map(|(test, _)| test))
    };
    let flag = |option| given.has(option).then(|| !given.is_inverted(option));
    Ok(Match::Physdev(Box::new(Physdev {
        inward: port("physdev-in")?,
        outward: port("physdev-out")?,
        is_in: flag("physdev-is-in"),
        is_out: flag("physdev-is-out"),
        is_bridged: flag("physdev-is-bridged"),
    })))
}

impl Physdev {
    /// The port by which a packet of the box itself leaves is not known before it is bridged.
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        let asks_out = self.outward.is_some() || self.is_out.is_some();
        place.require(!asks_out || self.is_bridged == Some(true) || !place.hooks.intersects(Hook::Output.bit()))
    }

    fn write(&self, out: &mut OptionWriter<'_>) {
        let flag = |out: &mut OptionWriter<'_>, option, wanted: Option<bool>| {
            if let Some(wanted) = wanted {
                out.flag(option, !wanted);
            }
        };
        let port = |out: &mut OptionWriter<'_>, option, test: &Option<InterfaceMatch>| {
            if let Some(test) = test {
                out.value(option, test.invert, format_args!("{}{}", test.name, if test.wildcard { "+" } else { "" }));
            }
        };
        flag(out, "physdev-is-in", self.is_in);
        port(out, "physdev-in", &self.inward);
        flag(out, "physdev-is-out", self.is_out);
        port(out, "physdev-out", &self.outward);
        flag(out, "physdev-is-bridged", self.is_bridged);
    }

    pub(crate) fn save(&self, out: &mut String) {
        self.write(&mut OptionWriter::new(OPTIONS, out));
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" PHYSDEV match");
        self.save(out);
    }
}
