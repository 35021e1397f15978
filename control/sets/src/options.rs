//! What follows a type in `create`, and an element in `add`, `del` and `test`.
use rules::Family;
use rules::names::Names;

use crate::element::{Reading, address, set_name};
use crate::fault::{Fault, Refusal};
use crate::key::{all, bits, mask};
use crate::number::between;
use crate::types::{Create, Dimension, Families, Storage, Type};

/// The longest comment, in bytes.
const COMMENT_MAX: usize = 255;
/// The longest timeout, in seconds.
const TIMEOUT_MAX: u64 = 2_147_483;
/// The most elements of a bitmap.
const BITMAP_MAX: u64 = 65536;

/// What a set was created with. What its type has no option for is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) family: Option<Family>,
    pub(crate) hashsize: u32,
    pub(crate) maxelem: u32,
    /// All bits where none was given.
    pub(crate) netmask: u8,
    pub(crate) bitmask: Option<u128>,
    pub(crate) markmask: u32,
    pub(crate) timeout: Option<u32>,
    pub(crate) counters: bool,
    pub(crate) comment: bool,
    pub(crate) skbinfo: bool,
    pub(crate) forceadd: bool,
    pub(crate) bucketsize: u8,
    pub(crate) initval: u32,
    /// First and last address or port of a bitmap.
    pub(crate) range: (u32, u32),
    pub(crate) size: u32,
}

impl Header {
    /// The mask under which addresses are kept.
    pub(crate) fn mask(&self) -> u128 {
        let bits = bits(self.family);
        self.bitmask.unwrap_or(mask(self.netmask, bits))
    }

    /// Addresses for which one element of a bitmap stands.
    pub(crate) fn hosts(&self) -> u64 {
        1 << (32 - u32::from(self.netmask.min(32)))
    }

    /// Elements that a bitmap has room for.
    pub(crate) fn elements(&self) -> u64 {
        (u64::from(self.range.1) - u64::from(self.range.0)) / self.hosts() + 1
    }
}

/// Words, one after the other, of which some take the next one as their value.
pub(crate) struct Walk<'a> {
    words: &'a [String],
    at: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(words: &'a [String]) -> Walk<'a> {
        Walk { words, at: 0 }
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    fn value(&mut self, option: &str) -> Result<&'a str, Fault> {
        let missing = || Fault::Usage(format!("Missing mandatory argument of option `{option}'"));
        self.next().ok_or_else(missing)
    }
}

fn unknown(word: &str) -> Fault {
    Fault::Usage(format!("Unknown argument: `{word}'"))
}

fn twice(option: &str) -> Fault {
    Fault::syntax(format_args!("{option} already specified"))
}

/// Reads what `create` says of a set. `initval` is taken where none is given. Warnings stand beside.
pub(crate) fn create(kind: &Type, words: &[String], names: &dyn Names, initval: u32) -> Result<(Header, String), Fault> {
    let has_family = kind.create.contains(&Create::Family);
    let (family, words, mut first) = if has_family { take_family(words)? } else { (None, words.to_vec(), None) };
    let family = match kind.families {
        Families::Both => Some(family.unwrap_or(Family::Ipv4)),
        Families::Ipv4 => Some(Family::Ipv4),
        Families::None => None,
    };
    let mut reader = CreateReader {
        kind,
        names,
        header: Header {
            family,
            hashsize: 1024,
            maxelem: 65536,
            netmask: bits(family),
            bitmask: None,
            markmask: u32::MAX,
            timeout: None,
            counters: false,
            comment: false,
            skbinfo: false,
            forceadd: false,
            bucketsize: 12,
            initval,
            range: (0, 0),
            size: 8,
        },
        seen: Vec::new(),
        from: None,
        to: None,
        warnings: Vec::new(),
    };
    let mut walk = Walk::new(&words);
    // Of two values that are wrong the first is told, of a word that is no option before either.
    while let Some(word) = walk.next() {
        match reader.option(word, &mut walk) {
            Err(fault @ Fault::Usage(_)) => return Err(fault),
            Err(fault) => first = first.or(Some(fault)),
            Ok(()) => {}
        }
    }
    first.map_or_else(|| reader.finish(), Err)
}

/// A family, the other words, and the fault that it was said twice.
type FamilyAndRest = (Option<Family>, Vec<String>, Option<Fault>);

/// Takes out what says the family, wherever it stands: other options depend on it. That it is said twice is told behind what is worse.
fn take_family(words: &[String]) -> Result<FamilyAndRest, Fault> {
    let (mut family, mut rest, mut fault) = (None, Vec::with_capacity(words.len()), None);
    let mut walk = Walk::new(words);
    while let Some(word) = walk.next() {
        let (name, found) = match word {
            "family" | "--family" => {
                let value = walk.value("family")?;
                let found = match value {
                    "inet" | "ipv4" | "-4" => Family::Ipv4,
                    "inet6" | "ipv6" | "-6" => Family::Ipv6,
                    _ => return Err(Fault::syntax(format_args!("unknown inet family {value}"))),
                };
                ("family", found)
            }
            "-4" => ("-4", Family::Ipv4),
            "-6" => ("-6", Family::Ipv6),
            _ => {
                rest.push(word.to_owned());
                continue;
            }
        };
        if family.replace(found).is_some() {
            fault = fault.or(Some(twice(name)));
        }
    }
    Ok((family, rest, fault))
}

struct CreateReader<'a> {
    kind: &'a Type,
    names: &'a dyn Names,
    header: Header,
    seen: Vec<Create>,
    from: Option<u32>,
    to: Option<u32>,
    warnings: Vec<String>,
}

impl CreateReader<'_> {
    fn option(&mut self, word: &str, walk: &mut Walk<'_>) -> Result<(), Fault> {
        let name = word.strip_prefix("--").unwrap_or(word);
        let option = self.kind.create.iter().copied().find(|option| option.name() == name && *option != Create::Family);
        if let Some(option) = option {
            if option.is_flag() {
                self.flag(option);
                return Ok(());
            }
            let value = walk.value(option.name())?;
            self.meet(option)?;
            return self.value(option, value);
        }
        if self.kind.ignored.contains(&name) {
            let value = walk.value(name)?;
            self.warnings.push(format!("Option '--{name} {value}' is ignored. Please upgrade your syntax."));
            return Ok(());
        }
        if self.kind.storage != Storage::Bitmap {
            return Err(unknown(word));
        }
        match name {
            "network" if self.kind.families == Families::Ipv4 => {
                let value = walk.value(name)?;
                self.meet(Create::Range)?;
                self.value(Create::Range, value)
            }
            "from" | "to" => {
                let value = walk.value(name)?;
                let read = self.bound(value)?;
                let place = if name == "from" { &mut self.from } else { &mut self.to };
                if place.replace(read).is_some() { Err(twice(name)) } else { Ok(()) }
            }
            _ => Err(unknown(word)),
        }
    }

    fn meet(&mut self, option: Create) -> Result<(), Fault> {
        let has_bound = option == Create::Range && (self.from.is_some() || self.to.is_some());
        if self.seen.contains(&option) || has_bound {
            return Err(twice(option.name()));
        }
        let other = match option {
            Create::Netmask => Create::Bitmask,
            Create::Bitmask => Create::Netmask,
            _ => option,
        };
        if self.seen.contains(&other) {
            return Err(Fault::syntax("bitmask and netmask are mutually exclusive, provide only one"));
        }
        self.seen.push(option);
        Ok(())
    }

    fn flag(&mut self, option: Create) {
        match option {
            Create::Counters => self.header.counters = true,
            Create::Comment => self.header.comment = true,
            Create::Skbinfo => self.header.skbinfo = true,
            _ => self.header.forceadd = true,
        }
    }

    fn value(&mut self, option: Create, value: &str) -> Result<(), Fault> {
        let word = || between(value, 0, u64::from(u32::MAX)).map(|number| number as u32);
        let bits = bits(self.header.family);
        let header = &mut self.header;
        match option {
            Create::Hashsize => header.hashsize = word()?,
            Create::Maxelem => header.maxelem = word()?,
            Create::Netmask => {
                header.netmask = between(value, 1, u64::from(bits)).map_err(|fault| {
                    let (Fault::Failed(first) | Fault::Usage(first)) = fault;
                    Fault::lines(&[first, format!("Syntax error: netmask is out of the inclusive range of 1-{bits}")])
                })? as u8;
            }
            Create::Bitmask => {
                let read = address(value, header.family).map_err(|fault| {
                    let (Fault::Failed(first) | Fault::Usage(first)) = fault;
                    let family = Type::family_name(header.family);
                    Fault::lines(&[first, format!("Syntax error: bitmask is not valid for family = {family}")])
                })?;
                header.bitmask = Some(read).filter(|read| *read != all(bits));
            }
            Create::Markmask => header.markmask = word()?,
            Create::Timeout => header.timeout = Some(between(value, 0, TIMEOUT_MAX)? as u32),
            Create::Bucketsize => {
                let size = between(value, 0, 255)? as u8;
                header.bucketsize = size.clamp(2, 12).next_multiple_of(2);
            }
            Create::Initval => header.initval = word()?,
            Create::Size => header.size = word()?.max(4),
            Create::Range => self.range(value)?,
            Create::Family | Create::Counters | Create::Comment | Create::Forceadd | Create::Skbinfo => {}
        }
        Ok(())
    }

    fn reading(&self) -> Reading<'_> {
        // The table is static; only its type's lifetime is shorter here.
        let kind = Type::named(self.kind.name).unwrap_or(&crate::types::TYPES[0]);
        Reading { kind, family: self.header.family, names: self.names, command: "create" }
    }

    fn bound(&self, value: &str) -> Result<u32, Fault> {
        if self.kind.families == Families::None {
            return Ok(u32::from(self.reading().element(value)?.first.port));
        }
        address(value, self.header.family).map(|address| address as u32)
    }

    fn range(&mut self, value: &str) -> Result<(), Fault> {
        if self.kind.families == Families::None {
            let written = self.reading().element(value)?;
            self.from = Some(u32::from(written.first.port));
            self.to = written.port_to.map(u32::from);
            return Ok(());
        }
        let kind = Type::named("bitmap:ip").unwrap_or(&crate::types::TYPES[0]);
        let has_more = value.get(1..).is_some_and(|rest| rest.trim_end_matches(['/', '-']).contains(['/', '-']))
            || matches!(value.split_once(['/', '-']), Some((first, last)) if !first.is_empty() && !last.is_empty());
        if !has_more {
            return Err(Fault::syntax(format_args!("IP/cidr or IP-IP range must be specified: {value}")));
        }
        let written = Reading { kind, ..self.reading() }.element(value)?;
        let from = written.first.ip[0] as u32;
        let (from, to) = match (written.prefix[0], written.ip_to[0]) {
            (Some(prefix), _) => {
                let mask = mask(prefix, 32) as u32;
                (from & mask, from | !mask)
            }
            (None, to) => (from, to.map_or(from, |to| to as u32)),
        };
        (self.from, self.to) = (Some(from), Some(to));
        Ok(())
    }

    /// What has to be there, and what the kernel makes of it.
    fn finish(mut self) -> Result<(Header, String), Fault> {
        let header = &mut self.header;
        if self.kind.storage == Storage::Bitmap {
            let missing = |option| Fault::Usage(format!("Mandatory option `{option}' is missing"));
            let from = self.from.ok_or_else(|| missing("range"))?;
            let to = self.to.ok_or_else(|| missing("to"))?;
            header.range = (from.min(to), from.max(to));
            bitmap_range(header, self.kind)?;
        }
        if self.kind.storage == Storage::Hash {
            if header.bitmask == Some(0) {
                return Err(Refusal::Netmask.into());
            }
            if header.markmask == 0 {
                return Err(Refusal::Markmask.into());
            }
            // More than the kernel allocates at once.
            let rounded = header.hashsize.max(64).checked_next_power_of_two().filter(|size| *size < 1 << 28);
            header.hashsize = rounded.ok_or(Refusal::Memory)?;
        }
        let warnings = match self.warnings.is_empty() {
            true => String::new(),
            false => format!("Warning: {}\n", self.warnings.join("\n")),
        };
        Ok((self.header, warnings))
    }
}

/// The elements of a bitmap: whole networks where there is a netmask.
fn bitmap_range(header: &mut Header, kind: &Type) -> Result<(), Fault> {
    let is_of_addresses = kind.dimensions.iter().any(|dimension| matches!(dimension, Dimension::Address(_)));
    if is_of_addresses && header.netmask < 32 {
        let mask = mask(header.netmask, 32) as u32;
        let (first, last) = (header.range.0 & mask, header.range.1 | !mask);
        header.range = (first, last);
        // They have to be one network of less bits.
        let common = (0..32).rev().find(|prefix| {
            let mask = self::mask(*prefix, 32) as u32;
            last & mask == first && first | !mask == last
        });
        if common.is_none_or(|common| header.netmask <= common) {
            return Err(Refusal::OutOfRange.into());
        }
    }
    if header.elements() > BITMAP_MAX {
        return Err(Refusal::RangeTooLong.into());
    }
    Ok(())
}

/// What stands behind an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) timeout: Option<u32>,
    pub(crate) packets: Option<u64>,
    pub(crate) bytes: Option<u64>,
    pub(crate) comment: Option<Box<str>>,
    pub(crate) mark: Option<(u32, u32)>,
    pub(crate) priority: Option<u32>,
    pub(crate) queue: Option<u16>,
    pub(crate) nomatch: bool,
    pub(crate) wildcard: bool,
    /// The set before (`true`) or after which another stands.
    pub(crate) reference: Option<(bool, Box<str>)>,
}

/// A command that has an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Del,
    Test,
}

impl Verb {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verb::Add => "add",
            Verb::Del => "del",
            Verb::Test => "test",
        }
    }
}

/// Reads them. `has_reference`: the element's own text has named another set.
pub(crate) fn given(kind: &Type, verb: Verb, words: &[String], has_reference: bool) -> Result<Given, Fault> {
    let mut given = Given::default();
    let mut walk = Walk::new(words);
    while let Some(word) = walk.next() {
        let name = word.strip_prefix("--").unwrap_or(word);
        let is_add = verb == Verb::Add;
        match name {
            "nomatch" if kind.marks.nomatch && verb != Verb::Del => given.nomatch = true,
            "wildcard" if kind.marks.wildcard && is_add => given.wildcard = true,
            "before" | "after" if kind.marks.reference => {
                let value = walk.value(name)?;
                let set = set_name(value)?;
                if given.reference.replace((name == "before", set)).is_some() || has_reference {
                    return Err(twice(name));
                }
            }
            "timeout" | "packets" | "bytes" | "comment" | "skbmark" | "skbprio" | "skbqueue" if is_add => {
                let value = walk.value(name)?;
                if given.extension(name, value)? {
                    return Err(twice(name));
                }
            }
            _ => return Err(unknown(word)),
        }
    }
    Ok(given)
}

impl Given {
    /// Takes the value of an extension. Whether there was one already.
    fn extension(&mut self, name: &str, value: &str) -> Result<bool, Fault> {
        // The last number is what says "none".
        let counter = || between(value, 0, u64::MAX - 1);
        Ok(match name {
            "timeout" => self.timeout.replace(between(value, 0, TIMEOUT_MAX)? as u32).is_some(),
            "packets" => self.packets.replace(counter()?).is_some(),
            "bytes" => self.bytes.replace(counter()?).is_some(),
            "comment" => self.comment.replace(comment(value)?).is_some(),
            "skbmark" => self.mark.replace(skbmark(value)?).is_some(),
            "skbprio" => self.priority.replace(skbprio(value)?).is_some(),
            _ => self.queue.replace(between(value, 0, u64::from(u16::MAX))? as u16).is_some(),
        })
    }

    /// The set has a place for all of it.
    pub(crate) fn check(&self, header: &Header) -> Result<(), Refusal> {
        let has_marks = self.mark.is_some() || self.priority.is_some() || self.queue.is_some();
        match () {
            () if self.timeout.is_some() && header.timeout.is_none() => Err(Refusal::NoTimeouts),
            () if (self.packets.is_some() || self.bytes.is_some()) && !header.counters => Err(Refusal::NoCounters),
            () if self.comment.is_some() && !header.comment => Err(Refusal::NoComments),
            () if has_marks && !header.skbinfo => Err(Refusal::NoMarks),
            () => Ok(()),
        }
    }
}

fn comment(value: &str) -> Result<Box<str>, Fault> {
    if value.contains('"') {
        return Err(Fault::syntax("\" character is not permitted in comments"));
    }
    if value.len() > COMMENT_MAX {
        return Err(Fault::syntax(format_args!("Comment is longer than the maximum allowed {COMMENT_MAX} characters")));
    }
    if value.contains(char::is_control) {
        return Err(Fault::syntax(format_args!("comment {value:?} could not be restored")));
    }
    Ok(Box::from(value))
}

/// `0xMARK[/0xMASK]`
fn skbmark(value: &str) -> Result<(u32, u32), Fault> {
    let hex = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok().filter(|_| !text.contains('+'));
    let read = match value.split_once('/') {
        None => hex(value).map(|mark| (mark, u32::MAX)),
        Some((mark, mask)) => hex(mark).zip(hex(mask)),
    };
    read.ok_or_else(|| Fault::syntax("Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)"))
}

/// `MAJOR:MINOR`, both hexadecimal.
fn skbprio(value: &str) -> Result<u32, Fault> {
    let hex = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    let read = value.split_once(':').and_then(|(major, minor)| hex(major).zip(hex(minor)));
    let read = read.map(|(major, minor)| u32::from(major) << 16 | u32::from(minor));
    read.ok_or_else(|| Fault::syntax("Invalid skbprio format, it should be:MAJOR:MINOR (see manpage)"))
}
