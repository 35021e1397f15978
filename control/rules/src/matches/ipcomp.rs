//! `-m ipcomp`: the IP payload compression header.
use super::spi::SpiTest;
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// The compression header's test; needs `-p ipcomp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ipcomp {
    /// `--ipcompspi`: the compression parameter index; 0 if nothing is said.
    pub spi: SpiTest,
    /// `--compres`: kept and shown, though the kernel does not look at it.
    pub reserved: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "ipcomp", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("ipcompspi", Arg::Span { max: u32::MAX as u64 }).invertible(), Opt::new("compres", Arg::None)];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let zero = SpiTest { min: 0, max: 0, invert: false };
    let spi = SpiTest::from_given(given, "ipcompspi", zero);
    Ok(Match::Ipcomp(Ipcomp { spi, reserved: given.has("compres") }))
}

impl Ipcomp {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self.spi {
            // The real one writes nothing, and reads nothing as index 0.
            SpiTest { min: 0, max: u32::MAX, invert } => out.value("ipcompspi", invert, format_args!("0:{}", u32::MAX)),
            spi => spi.save("ipcompspi", &mut out),
        }
        if self.reserved {
            out.flag("compres", false);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" comp {}", self.spi.listed("spi")));
        if self.reserved {
            out.push_str(" reserved");
        }
    }
}
