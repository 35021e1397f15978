//! `-j LOG`: one line per packet in the kernel's format; the packet goes on.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter};

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Log {
    /// Syslog level 0 (emerg) to 7 (debug); 4 (warning) by default.
    pub level: u8,
    /// Text before the line, at most 29 bytes.
    pub prefix: Box<str>,
    /// `--log-tcp-sequence`.
    pub tcp_sequence: bool,
    /// `--log-tcp-options`.
    pub tcp_options: bool,
    /// `--log-ip-options`.
    pub ip_options: bool,
    /// `--log-uid`.
    pub uid: bool,
    /// `--log-macdecode`.
    pub mac_decode: bool,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "LOG", family: None, options: OPTIONS, build };

const TEXT: Arg = Arg::Text { min: 0, max: usize::MAX };
const OPTIONS: &[Opt] = &[
    Opt::new("log-prefix", Arg::Text { min: 1, max: 29 }),
    Opt::new("log-level", TEXT).checked(|reading| read_level(reading.word).map(drop)),
    Opt::new("log-tcp-sequence", Arg::None),
    Opt::new("log-tcp-options", Arg::None),
    Opt::new("log-ip-options", Arg::None),
    Opt::new("log-uid", Arg::None),
    Opt::new("log-macdecode", Arg::None),
];

const DEFAULT_LEVEL: u8 = 4;
/// Names of levels by number, as they are listed.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let prefix = given.line("log-prefix")?;
    Ok(Target::Log(Box::new(Log {
        level: given.text("log-level").map_or(Ok(DEFAULT_LEVEL), read_level)?,
        prefix: Box::from(prefix),
        tcp_sequence: given.has("log-tcp-sequence"),
        tcp_options: given.has("log-tcp-options"),
        ip_options: given.has("log-ip-options"),
        uid: given.has("log-uid"),
        mac_decode: given.has("log-macdecode"),
    })))
}

/// A number or a name of syslog.conf.
fn read_level(text: &str) -> Result<u8, UsageError> {
    if let Some(level) = crate::number::whole(text, 0, 7) {
        return Ok(level as u8);
    }
    Ok(match text {
        "emerg" | "panic" => 0,
        "alert" => 1,
        "crit" => 2,
        "error" => 3,
        "warning" => 4,
        "notice" => 5,
        "info" => 6,
        "debug" => 7,
        _ => return Err(UsageError::UnknownLogLevel(text.to_owned())),
    })
}

impl Log {
    /// Option, whether it is set, and its bit in the kernel's flags.
    fn flags(&self) -> [(&'static str, bool, u8); 5] {
        [
            ("log-tcp-sequence", self.tcp_sequence, 0x01),
            ("log-tcp-options", self.tcp_options, 0x02),
            ("log-ip-options", self.ip_options, 0x04),
            ("log-uid", self.uid, 0x08),
            ("log-macdecode", self.mac_decode, 0x20),
        ]
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        if !self.prefix.is_empty() {
            out.text("log-prefix", false, &self.prefix);
        }
        if self.level != DEFAULT_LEVEL {
            out.value("log-level", false, self.level);
        }
        for (option, _, _) in self.flags().into_iter().filter(|(_, set, _)| *set) {
            out.flag(option, false);
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let set = self.flags().into_iter().filter(|(_, set, _)| *set);
        if style.numeric {
            let flags: u8 = set.map(|(.., bit)| bit).sum();
            out.push_str(&format!(" LOG flags {flags} level {}", self.level));
        } else {
            out.push_str(" LOG level ");
            out.push_str(LEVELS[usize::from(self.level & 7)]);
            for (option, ..) in set {
                out.push_str(&option.replacen("log-", " ", 1));
            }
        }
        if !self.prefix.is_empty() {
            out.push_str(&format!(" prefix \"{}\"", self.prefix));
        }
    }
}
