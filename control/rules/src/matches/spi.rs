//! Ranges of 32-bit identifiers, as the extensions for IPsec headers and fragments test them.
use crate::options::{Given, OptionWriter};

/// Holds when `(min <= identifier <= max) != invert`; none is inside when `min` is above `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpiTest {
    /// The lowest one inside.
    pub min: u32,
    /// The highest one inside.
    pub max: u32,
    /// `!` was given.
    pub invert: bool,
}

impl SpiTest {
    /// The test that every identifier passes.
    pub const ANY: SpiTest = SpiTest { min: 0, max: u32::MAX, invert: false };

    /// The test of an option; `otherwise` if it was not given.
    pub(super) fn from_given(given: &Given, option: &str, otherwise: SpiTest) -> SpiTest {
        given.counts(option).map_or(otherwise, |(min, max)| SpiTest {
            min: min as u32,
            max: max as u32,
            invert: given.is_inverted(option),
        })
    }

    /// Writes the option, or nothing when every identifier is inside (even if inverted, as iptables does).
    pub(super) fn save(self, option: &str, out: &mut OptionWriter<'_>) {
        match self {
            SpiTest { min: 0, max: u32::MAX, .. } => {}
            SpiTest { min, max, invert } if min == max => out.value(option, invert, min),
            SpiTest { min, max, invert } => out.value(option, invert, format_args!("{min}:{max}")),
        }
    }

    /// `spi:5`, `spis:!1:5`, or nothing when every identifier passes.
    pub(super) fn listed(self, name: &str) -> String {
        let not = if self.invert { "!" } else { "" };
        match self {
            SpiTest::ANY => String::new(),
            SpiTest { min, max, .. } if min == max => format!("{name}:{not}{min}"),
            SpiTest { min, max, .. } => format!("{name}s:{not}{min}:{max}"),
        }
    }
}
