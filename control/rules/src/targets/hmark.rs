//! `-j HMARK`: marks the packet with a hash of chosen fields.
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter};
use crate::{Family, Target};

/// The mark is `hash(fields, rnd) % modulus + offset`. The packet goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hmark {
    /// `--hmark-src-prefix`: bits of the source address.
    pub src_prefix: Option<u8>,
    /// `--hmark-dst-prefix`: bits of the destination address.
    pub dst_prefix: Option<u8>,
    /// `--hmark-sport-mask`.
    pub sport_mask: Option<u16>,
    /// `--hmark-dport-mask`.
    pub dport_mask: Option<u16>,
    /// `--hmark-spi-mask`: bits of the security parameter index of AH and ESP.
    pub spi_mask: Option<u32>,
    /// `--hmark-sport`: bits that are set in the source port.
    pub sport: Option<u16>,
    /// `--hmark-dport`: bits that are set in the destination port.
    pub dport: Option<u16>,
    /// `--hmark-spi`: bits that are set in the index.
    pub spi: Option<u32>,
    /// `--hmark-proto-mask`: bits of the protocol number.
    pub proto_mask: Option<u16>,
    /// `--hmark-rnd`.
    pub rnd: u32,
    /// `--hmark-mod`: not 0.
    pub modulus: u32,
    /// `--hmark-offset`.
    pub offset: Option<u32>,
    /// `--hmark-tuple ct`: fields are those of the connection's first packet.
    pub ct: bool,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "HMARK", family: None, options: OPTIONS, build };

const SHORT: Arg = Arg::Number { min: 0, max: u16::MAX as u64 };
const WORD: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("hmark-tuple", Arg::Text { min: 0, max: usize::MAX }),
    Opt::new("hmark-src-prefix", Arg::Prefix),
    Opt::new("hmark-dst-prefix", Arg::Prefix),
    Opt::new("hmark-sport-mask", SHORT),
    Opt::new("hmark-dport-mask", SHORT),
    Opt::new("hmark-spi-mask", WORD),
    Opt::new("hmark-sport", SHORT),
    Opt::new("hmark-dport", SHORT),
    Opt::new("hmark-spi", WORD),
    Opt::new("hmark-proto-mask", SHORT),
    Opt::new("hmark-rnd", WORD),
    Opt::new("hmark-mod", Arg::Number { min: 1, max: u32::MAX as u64 }),
    Opt::new("hmark-offset", WORD),
];

/// Words of `--hmark-tuple`, any beginning of which will do, and the options that they stand for, all bits set.
const TUPLE: [(&str, &str); 7] = [
    ("src", "hmark-src-prefix"),
    ("dst", "hmark-dst-prefix"),
    ("sport", "hmark-sport-mask"),
    ("dport", "hmark-dport-mask"),
    ("spi", "hmark-spi-mask"),
    ("proto", "hmark-proto-mask"),
    ("ct", "hmark-tuple"),
];

/// The options that a tuple stands for.
fn read_tuple(text: &str) -> Result<Vec<&'static str>, UsageError> {
    const NOT_A_LIST: UsageError =
        UsageError::Needs("\"--hmark-tuple\" requires a list of types with no spaces, e.g. src,dst,sport,dport,proto");
    let mut options = Vec::new();
    let mut rest = text;
    loop {
        // A comma that nothing stands before belongs to the word.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == ',').map(|(at, _)| at);
        let word = &rest[..end.unwrap_or(rest.len())];
        if word.is_empty() {
            return Err(NOT_A_LIST);
        }
        let begins = |(name, _): &&(&str, &str)| name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let known = TUPLE.iter().find(begins).ok_or_else(|| UsageError::Own(format!("Bad type \"{word}\"")))?;
        options.push(known.1);
        match end {
            None => return Ok(options),
            Some(end) => rest = &rest[end + 1..],
        }
    }
}

fn build(given: &Given, context: &Context<'_>) -> Result<Target, UsageError> {
    let mut hmark = Box::<Hmark>::default();
    let mut of_tuple = Vec::new();
    for option in given.order() {
        if of_tuple.contains(&option) {
            return Err(UsageError::OptionRepeated { extension: EXTENSION.name, option });
        }
        if option == "hmark-tuple" {
            of_tuple = read_tuple(given.text(option).unwrap_or(""))?;
            of_tuple.iter().for_each(|option| hmark.set(option, None, context.family));
        } else {
            hmark.set(option, given.number(option), context.family);
        }
    }
    if hmark.modulus == 0 {
        return Err(UsageError::Needs("--hmark-mod is mandatory"));
    }
    if !given.has("hmark-rnd") {
        return Err(UsageError::Needs("--hmark-rnd is mandatory"));
    }
    if hmark.spi_mask.is_some() && (hmark.sport_mask.is_some() || hmark.dport_mask.is_some()) {
        return Err(UsageError::Needs("you cannot use --hmark-spi-mask and --hmark-?port-mask,at the same time"));
    }
    if *hmark == (Hmark { rnd: hmark.rnd, modulus: hmark.modulus, offset: hmark.offset, ..Hmark::default() }) {
        return Err(UsageError::Needs("you have to specify --hmark-tuple at least"));
    }
    Ok(Target::Hmark(hmark))
}

impl Hmark {
    /// Sets what an option is for; all bits of it without a value.
    fn set(&mut self, option: &str, value: Option<u64>, family: Family) {
        let bits = Some(value.map_or(family.address_bits(), |bits| bits as u8));
        let word = value.map_or(u32::MAX, |word| word as u32);
        let short = Some(word as u16);
        match option {
            "hmark-src-prefix" => self.src_prefix = bits,
            "hmark-dst-prefix" => self.dst_prefix = bits,
            "hmark-sport-mask" => self.sport_mask = short,
            "hmark-dport-mask" => self.dport_mask = short,
            "hmark-spi-mask" => self.spi_mask = Some(word),
            "hmark-sport" => self.sport = short,
            "hmark-dport" => self.dport = short,
            "hmark-spi" => self.spi = Some(word),
            "hmark-proto-mask" => self.proto_mask = short,
            "hmark-rnd" => self.rnd = word,
            "hmark-mod" => self.modulus = word,
            "hmark-offset" => self.offset = Some(word),
            _ => self.ct = true,
        }
    }

    /// An index and ports have the same place.
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let has_both = self.spi.is_some() && (self.sport.is_some() || self.dport.is_some());
        if has_both { Err(KernelError::InvalidArgument) } else { Ok(()) }
    }

    /// Fields of the packet that are 16 or 32 bits wide: option, value and hexadecimal digits that a saved rule has.
    fn fields(&self) -> impl Iterator<Item = (&'static str, u32, usize)> {
        let short = |option, value: Option<u16>| value.map(|value| (option, u32::from(value), 4));
        let word = |option, value: Option<u32>| value.map(|value| (option, value, 8));
        let fields = [
            short("hmark-sport-mask", self.sport_mask),
            short("hmark-dport-mask", self.dport_mask),
            word("hmark-spi-mask", self.spi_mask),
            short("hmark-sport", self.sport),
            short("hmark-dport", self.dport),
            word("hmark-spi", self.spi),
            self.proto_mask.map(|mask| ("hmark-proto-mask", u32::from(mask), 2)),
        ];
        fields.into_iter().flatten()
    }

    fn prefixes(&self) -> impl Iterator<Item = (&'static str, u8)> {
        let src = self.src_prefix.map(|bits| ("hmark-src-prefix", bits));
        let dst = self.dst_prefix.map(|bits| ("hmark-dst-prefix", bits));
        [src, dst].into_iter().flatten()
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, bits) in self.prefixes() {
            out.value(option, false, bits);
        }
        for (option, value, digits) in self.fields() {
            out.value(option, false, format_args!("0x{value:0digits$x}"));
        }
        out.value("hmark-rnd", false, format_args!("{:#010x}", self.rnd));
        out.value("hmark-mod", false, self.modulus);
        if let Some(offset) = self.offset {
            out.value("hmark-offset", false, offset);
        }
        if self.ct {
            out.value("hmark-tuple", false, "ct");
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(&format!(" HMARK mod {} ", self.modulus));
        if let Some(offset) = self.offset {
            out.push_str(&format!("+ {offset:#x} "));
        }
        if self.ct {
            out.push_str("ct, ");
        }
        for (option, bits) in self.prefixes() {
            // iptables 1.8.9 leaves the number out where it is that of a whole IPv6 address.
            let bits = if style.family == Family::Ipv6 && bits == 128 { String::new() } else { bits.to_string() };
            out.push_str(&format!("{} {bits} ", option.trim_start_matches("hmark-")));
        }
        for (option, value, _) in self.fields() {
            out.push_str(&format!("{} {value:#x} ", option.trim_start_matches("hmark-")));
        }
        out.push_str(&format!("rnd {:#x} ", self.rnd));
    }
}
