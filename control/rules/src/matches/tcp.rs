//! `-m tcp`: ports, flags and one option of the TCP header.
use super::ports::{self, PortTest};
use crate::Match;
use crate::error::UsageError;
use crate::number;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};

/// The TCP test; needs `-p tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tcp {
    /// `--sport`.
    pub sport: PortTest,
    /// `--dport`.
    pub dport: PortTest,
    /// `--tcp-flags`, `--syn`.
    pub flags: Option<FlagsTest>,
    /// `--tcp-option`.
    pub option: Option<OptionTest>,
}

/// Holds when `(flags & mask == comp) != invert`. Bits as in byte 13 of the TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlagsTest {
    /// The flags that are looked at.
    pub mask: u8,
    /// Those of them that must be set.
    pub comp: u8,
    /// `!` was given.
    pub invert: bool,
}

/// Holds when the header carries an option of this kind, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionTest {
    /// TCP option kind, never 0.
    pub kind: u8,
    /// `!` was given.
    pub invert: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "tcp", family: None, options: OPTIONS, build };

const PORTS: Arg = Arg::Own { shape: "PORT[:PORT]", read: |reading| ports::read_ports(reading, "tcp") };
const FLAGS_TWICE: &str = "of `--syn' or `--tcp-flags' ";
const OPTIONS: &[Opt] = &[
    Opt::new("source-port", PORTS).aliases(&["sport"]).invertible().only_one("`--source-port'"),
    Opt::new("destination-port", PORTS).aliases(&["dport"]).invertible().only_one("`--destination-port'"),
    Opt::new("syn", Arg::None).invertible().only_one(FLAGS_TWICE),
    Opt::new("tcp-flags", Arg::Pair { missing: "--tcp-flags requires two args.", shape: "MASK SET", read: read_pair })
        .invertible()
        .only_one(FLAGS_TWICE),
    Opt::new("tcp-option", Arg::Own { shape: "NUMBER (1-255)", read: read_option }).invertible().only_one("`--tcp-option'"),
];

/// `--syn`: SYN set, and FIN, RST and ACK clear.
const SYN: (u8, u8) = (0x17, 0x02);

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    if given.has("syn") && given.has("tcp-flags") {
        return Err(UsageError::OnlyOne(FLAGS_TWICE));
    }
    let flags = match given.value("tcp-flags") {
        Some((Value::Masked(comp, mask), invert)) => Some(FlagsTest { mask: *mask as u8, comp: *comp as u8, invert }),
        _ => given.has("syn").then(|| FlagsTest { mask: SYN.0, comp: SYN.1, invert: given.is_inverted("syn") }),
    };
    let option = given.number("tcp-option");
    let option = option.map(|kind| OptionTest { kind: kind as u8, invert: given.is_inverted("tcp-option") });
    Ok(Match::Tcp(Tcp {
        sport: PortTest::given("source-port", given),
        dport: PortTest::given("destination-port", given),
        flags,
        option,
    }))
}

fn read_option(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let kind = number::whole(reading.word, 1, 255);
    kind.map(Value::Number).ok_or_else(|| UsageError::BadTcpOption(reading.word.to_owned()))
}

/// Names of flags, in the order in which they are printed.
const FLAGS: &[(&str, u8)] = &[("FIN", 0x01), ("SYN", 0x02), ("RST", 0x04), ("PSH", 0x08), ("ACK", 0x10), ("URG", 0x20)];

fn read_pair(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let (mask, comp) = (read_flags(reading.word)?, read_flags(reading.second)?);
    Ok(Value::Masked(comp.into(), mask.into()))
}

fn read_flags(text: &str) -> Result<u8, UsageError> {
    let mut bits = 0;
    for word in text.split(',').filter(|word| !word.is_empty()) {
        bits |= match FLAGS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, bit)) => *bit,
            None if word.eq_ignore_ascii_case("ALL") => 0x3f,
            None if word.eq_ignore_ascii_case("NONE") => 0,
            None => return Err(UsageError::UnknownTcpFlag(word.to_owned())),
        };
    }
    Ok(bits)
}

fn flag_names(bits: u8) -> String {
    let names: Vec<&str> = FLAGS.iter().filter(|(_, bit)| bits & bit != 0).map(|(name, _)| *name).collect();
    if names.is_empty() { "NONE".to_owned() } else { names.join(",") }
}

impl Tcp {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        self.sport.save("sport", &mut out);
        self.dport.save("dport", &mut out);
        if let Some(option) = self.option {
            out.value("tcp-option", option.invert, option.kind);
        }
        if let Some(flags) = self.flags.filter(|flags| flags.mask != 0 || flags.invert) {
            let (mask, comp) = (flag_names(flags.mask), flag_names(flags.comp));
            out.value("tcp-flags", flags.invert, format_args!("{mask} {comp}"));
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(" tcp");
        self.sport.list("spt", "tcp", style, out);
        self.dport.list("dpt", "tcp", style, out);
        if let Some(option) = self.option {
            out.push_str(&format!(" option={}{}", if option.invert { "!" } else { "" }, option.kind));
        }
        if let Some(flags) = self.flags.filter(|flags| flags.mask != 0 || flags.invert) {
            let not = if flags.invert { "!" } else { "" };
            if style.numeric {
                out.push_str(&format!(" flags:{not}0x{:02X}/0x{:02X}", flags.mask, flags.comp));
            } else {
                out.push_str(&format!(" flags:{not}{}/{}", flag_names(flags.mask), flag_names(flags.comp)));
            }
        }
    }
}
