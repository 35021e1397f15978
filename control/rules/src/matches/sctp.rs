//! `-m sctp`: ports, and the chunks that an SCTP packet carries.
use super::ports::{self, PortTest};
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value};

/// The SCTP test; needs `-p sctp`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sctp {
    /// `--sport`; none is every port, which is printed otherwise than all of them spelt out.
    pub sport: Option<PortTest>,
    /// `--dport`.
    pub dport: Option<PortTest>,
    /// `--chunk-types`.
    pub chunks: Option<ChunkTest>,
}

/// Compares the chunks of a packet with a set of types, turned round by `invert`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChunkTest {
    /// How.
    pub how: ChunkHow,
    /// The types by number, in ascending order, with the flags that are asked of each.
    pub types: Vec<Chunk>,
    /// Every one of the 256 types is meant, whatever `types` has (`ALL`).
    pub every: bool,
    /// `!` was given.
    pub invert: bool,
}

/// A type of chunk in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chunk {
    /// Its number.
    pub kind: u8,
    /// The bits of its flags that are looked at.
    pub mask: u8,
    /// Those of them that must be set.
    pub set: u8,
}

/// How chunks are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkHow {
    /// `all`: each type of the set is there.
    All,
    /// `any`: one of them is.
    Any,
    /// `only`: no chunk has another type.
    Only,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "sctp", family: None, options: OPTIONS, build };

const PORTS: Arg = Arg::Own { shape: "PORT[:PORT]", read: |reading| ports::read_ports(reading, "sctp") };
const CHUNKS: Arg =
    Arg::Pair { missing: "--chunk-types requires two args", shape: "all|any|only CHUNK[:FLAGS][,...]|ALL|NONE", read: read_pair };
const OPTIONS: &[Opt] = &[
    Opt::new("source-port", PORTS).aliases(&["sport"]).invertible().only_one("`--source-port'"),
    Opt::new("destination-port", PORTS).aliases(&["dport"]).invertible().only_one("`--destination-port'"),
    Opt::new("chunk-types", CHUNKS).invertible().only_one("`--chunk-types'"),
];

const HOWS: [(&str, ChunkHow); 3] = [("all", ChunkHow::All), ("any", ChunkHow::Any), ("only", ChunkHow::Only)];

/// Types in the order in which the real one counts them, with the letters of their flags from the highest bit down; `-` is none.
const KINDS: [(&str, u8, &[u8; 8]); 22] = [
    ("DATA", 0, b"----IUBE"),
    ("INIT", 1, b"--------"),
    ("INIT_ACK", 2, b"--------"),
    ("SACK", 3, b"--------"),
    ("HEARTBEAT", 4, b"--------"),
    ("HEARTBEAT_ACK", 5, b"--------"),
    ("ABORT", 6, b"-------T"),
    ("SHUTDOWN", 7, b"--------"),
    ("SHUTDOWN_ACK", 8, b"--------"),
    ("ERROR", 9, b"--------"),
    ("COOKIE_ECHO", 10, b"--------"),
    ("COOKIE_ACK", 11, b"--------"),
    ("ECN_ECNE", 12, b"--------"),
    ("ECN_CWR", 13, b"--------"),
    ("SHUTDOWN_COMPLETE", 14, b"-------T"),
    ("I_DATA", 64, b"----IUBE"),
    ("RE_CONFIG", 130, b"--------"),
    ("PAD", 132, b"--------"),
    ("ASCONF", 193, b"--------"),
    ("ASCONF_ACK", 128, b"--------"),
    ("FORWARD_TSN", 192, b"--------"),
    ("I_FORWARD_TSN", 194, b"--------"),
];

/// The last type whose flags are printed: of those behind, iptables 1.8.9 takes flags and then shows none.
const FLAGGED: u8 = 14;

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let ports = |option| given.has(option).then(|| PortTest::given(option, given));
    let chunks = given.pair("chunk-types").map(|(how, list)| read_chunks(how, list, given.is_inverted("chunk-types")));
    Ok(Match::Sctp(Box::new(Sctp { sport: ports("source-port"), dport: ports("destination-port"), chunks: chunks.transpose()? })))
}

/// Refuses what is none, when it is met.
fn read_pair(reading: &Reading<'_>) -> Result<Value, UsageError> {
    read_chunks(reading.word, reading.second, reading.invert)?;
    Ok(Value::Pair(reading.word.to_owned(), reading.second.to_owned()))
}

fn read_chunks(how: &str, list: &str, invert: bool) -> Result<ChunkTest, UsageError> {
    let how = HOWS.iter().find(|(word, _)| word.eq_ignore_ascii_case(how));
    let (_, how) = how.ok_or(UsageError::Needs("Match type has to be one of \"ALL\", \"ANY\" or \"ONLY\""))?;
    let mut test = ChunkTest { how: *how, types: Vec::new(), every: list.eq_ignore_ascii_case("ALL"), invert };
    if test.every || list.eq_ignore_ascii_case("NONE") {
        return Ok(test);
    }
    for word in list.split(',').filter(|word| !word.is_empty()) {
        let (name, flags) = word.split_once(':').unwrap_or((word, ""));
        let found = KINDS.iter().position(|(known, ..)| known.eq_ignore_ascii_case(name));
        let place = found.ok_or_else(|| UsageError::Own(format!("Unknown sctp chunk `{name}'")))?;
        let (_, kind, letters) = &KINDS[place];
        let at = match test.types.binary_search_by_key(kind, |chunk| chunk.kind) {
            Ok(at) => at,
            Err(at) => {
                test.types.insert(at, Chunk { kind: *kind, mask: 0, set: 0 });
                at
            }
        };
        // The real one names the type by its place in the table.
        let bad = || UsageError::Own(format!("Invalid flags for chunk type {place}"));
        read_flags(&mut test.types[at], flags, letters).ok_or_else(bad)?;
        if *kind > FLAGGED {
            // They are asked of the type whose number is that place, which has no name.
            (test.types[at].mask, test.types[at].set) = (0, 0);
        }
    }
    Ok(test)
}

/// A capital letter wants the flag to be set, a small one alone to be clear; so does `-`, of the highest bit.
fn read_flags(chunk: &mut Chunk, flags: &str, letters: &[u8; 8]) -> Option<()> {
    for flag in flags.bytes() {
        let bit = 0x80 >> letters.iter().position(|letter| letter.eq_ignore_ascii_case(&flag))?;
        chunk.mask |= bit;
        chunk.set |= if flag.is_ascii_uppercase() { bit } else { 0 };
    }
    Some(())
}

impl ChunkTest {
    fn how_word(&self) -> &'static str {
        HOWS.iter().find(|(_, how)| *how == self.how).map_or("", |(word, _)| word)
    }

    fn list_text(&self, numeric: bool) -> String {
        if self.every {
            return "ALL".to_owned();
        }
        if self.types.is_empty() {
            return "NONE".to_owned();
        }
        self.types.iter().map(|chunk| chunk.text(numeric)).collect::<Vec<_>>().join(",")
    }
}

impl Chunk {
    fn text(&self, numeric: bool) -> String {
        let (name, letters) =
            KINDS.iter().find(|(_, kind, _)| *kind == self.kind).map_or(("", &[b'-'; 8]), |(name, _, l)| (*name, *l));
        let mut text = if numeric { format!("0x{:04X}", self.kind) } else { name.to_owned() };
        let asked = letters.iter().enumerate().filter(|(place, _)| self.mask & (0x80 >> place) != 0);
        let shown = |(place, letter): (usize, &u8)| {
            char::from(if self.set & (0x80 >> place) != 0 { *letter } else { letter.to_ascii_lowercase() })
        };
        let flags: String = asked.map(shown).collect();
        if !flags.is_empty() && self.kind <= FLAGGED {
            text.push(':');
            text.push_str(&flags);
        }
        text
    }
}

impl Sctp {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, test) in [("sport", self.sport), ("dport", self.dport)] {
            if let Some(test) = test {
                test.save_all(option, &mut out);
            }
        }
        if let Some(chunks) = &self.chunks {
            let (how, list) = (chunks.how_word(), chunks.list_text(false));
            out.value("chunk-types", chunks.invert, format_args!("{how} {list}"));
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(" sctp");
        for (name, test) in [("spt", self.sport), ("dpt", self.dport)] {
            if let Some(test) = test {
                test.list(name, "sctp", style, out);
            }
        }
        if let Some(chunks) = &self.chunks {
            let not = if chunks.invert { " !" } else { "" };
            out.push_str(&format!("{not} {} {}", chunks.how_word(), chunks.list_text(style.numeric)));
        }
    }
}
