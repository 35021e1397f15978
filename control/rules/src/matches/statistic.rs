//! `-m statistic`: some of the packets, by chance or by count.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// The statistic test, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Statistic {
    /// How packets are chosen.
    pub mode: Mode,
    /// `!` was given.
    pub invert: bool,
}

/// How packets are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Each with a chance of `probability / 2^31` (0 never, 2^31 always).
    Random {
        /// In units of 2^-31, as the kernel keeps it.
        probability: u32,
    },
    /// Packets number `packet`, `packet + every`, ... of those that reach this test, counted from 0.
    Nth {
        /// One of so many, at least 1.
        every: u32,
        /// The first one chosen; below `every`.
        packet: u32,
    },
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "statistic", family: None, options: OPTIONS, build };

const TEXT: Arg = Arg::Text { min: 0, max: usize::MAX };
const MAX: u64 = u32::MAX as u64;
const OPTIONS: &[Opt] = &[
    Opt::new("mode", TEXT).checked(|reading| check_mode(reading.word)),
    Opt::new("probability", TEXT).invertible().checked(|reading| read_probability(reading.word).map(drop)),
    Opt::new("every", Arg::Number { min: 1, max: MAX }).invertible(),
    Opt::new("packet", Arg::Number { min: 0, max: MAX }),
];

/// Probability 1, in the kernel's units.
const ONE: f64 = 2_147_483_648.0;

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let test = read(given)?;
    // iptables looks only now at what must and must not stand together.
    let extension = "statistic";
    if !given.has("mode") {
        return Err(UsageError::OptionMissing { extension, option: "mode" });
    }
    if let Some(other) = ["every", "packet"].into_iter().find(|other| given.has("probability") && given.has(other)) {
        return Err(UsageError::OptionsExclude { extension, option: "probability", other });
    }
    if given.has("every") && !given.has("packet") {
        return Err(UsageError::OptionRequires { extension, option: "every", other: "packet" });
    }
    Ok(Match::Statistic(test))
}

fn check_mode(word: &str) -> Result<(), UsageError> {
    match word {
        "random" | "nth" => Ok(()),
        other => Err(UsageError::BadWord { kind: "mode", value: other.to_owned() }),
    }
}

fn read(given: &Given) -> Result<Statistic, UsageError> {
    let probability = given.text("probability").map(read_probability).transpose()?;
    let mode = match given.text("mode").unwrap_or("random") {
        "random" => {
            let probability = probability.ok_or(UsageError::Needs("--probability must be specified when using random mode"))?;
            return Ok(Statistic { mode: Mode::Random { probability }, invert: given.is_inverted("probability") });
        }
        "nth" => {
            let (every, packet) = (given.number("every"), given.number("packet"));
            if every.is_none() && packet.is_none() {
                return Err(UsageError::Needs("--every and --packet must be specified when using nth mode"));
            }
            let (every, packet) = (every.unwrap_or(1), packet.unwrap_or(0));
            if packet >= every {
                return Err(UsageError::Needs("the --packet p must be 0 <= p <= n-1"));
            }
            Mode::Nth { every: every as u32, packet: packet as u32 }
        }
        other => return Err(UsageError::BadWord { kind: "mode", value: other.to_owned() }),
    };
    Ok(Statistic { mode, invert: given.is_inverted("every") })
}

fn read_probability(text: &str) -> Result<u32, UsageError> {
    match text.trim_start().parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok((value * ONE).round() as u32),
        _ => Err(UsageError::OutOfRange { extension: "statistic", option: "probability", min: 0, max: 1 }),
    }
}

impl Statistic {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self.mode {
            Mode::Random { probability } => {
                out.value("mode", false, "random");
                out.value("probability", self.invert, format_args!("{:.11}", f64::from(probability) / ONE));
            }
            Mode::Nth { every, packet } => {
                out.value("mode", false, "nth");
                out.value("every", self.invert, every);
                out.value("packet", false, packet);
            }
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        let not = if self.invert { " !" } else { "" };
        out.push_str(&match self.mode {
            Mode::Random { probability } => {
                format!(" statistic mode random{not} probability {:.11}", f64::from(probability) / ONE)
            }
            Mode::Nth { every, packet } => format!(" statistic mode nth{not} every {every} packet {packet}"),
        });
    }
}
