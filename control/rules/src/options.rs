//! The options of extensions: each extension declares a table of [`Opt`]; parsing, printing and help work from it.
//!
//! A value is read when its option is met (so refusals come in the order of the words); what must or must not stand together is
//! checked when all words were read, as iptables does.
use crate::error::UsageError;
use crate::header::{AddrMatch, Shown, prefix_len, prefix_mask};
use crate::matches::multiport::{self, PortSpan};
use crate::names::Names;
use crate::targets::nat::{self, NatRange};
use crate::{Family, ProtocolMatch, number, spec, words};
use std::cell::RefCell;
use std::fmt::{Display, Write};
use std::net::IpAddr;

/// A match or a target of the language: its name, its options, and how they become `T`.
pub(crate) struct Extension<T: 'static> {
    /// The word after `-m` or `-j`.
    pub(crate) name: &'static str,
    /// The family that has it, if only one does.
    pub(crate) family: Option<Family>,
    /// Its options, in the order in which they are checked and printed in help.
    pub(crate) options: &'static [Opt],
    /// Makes the typed value when all options were read and [`Given::finish`] found no fault.
    pub(crate) build: fn(&Given, &Context<'_>) -> Result<T, UsageError>,
}

/// One option of an extension.
#[derive(Clone, Copy)]
pub(crate) struct Opt {
    /// Its name without the two dashes.
    pub(crate) name: &'static str,
    /// Other spellings of the name.
    pub(crate) aliases: &'static [&'static str],
    /// What follows it.
    pub(crate) arg: Arg,
    /// Whether `!` may stand before it.
    pub(crate) invert: bool,
    /// Whether the extension cannot do without it.
    pub(crate) mandatory: bool,
    /// Options that must not stand beside it.
    pub(crate) excludes: &'static [&'static str],
    /// An option that must stand beside it.
    pub(crate) requires: Option<&'static str>,
    /// What `Only one ... allowed` says when it is repeated, where iptables' own parser is older than its option tables.
    pub(crate) only_one: Option<&'static str>,
    /// What is said to a `!` before it that may not be there, where iptables' own parser is older than its option tables.
    pub(crate) not_inverted: Option<&'static str>,
    /// Whether it may be given several times: [`Given::all`] has each.
    pub(crate) repeatable: bool,
    /// What iptables says on standard error when it is given, though it takes it.
    pub(crate) warning: Option<&'static str>,
    /// What its text must be, where that is not said by [`Opt::arg`].
    pub(crate) check: Option<Check>,
}

/// Refuses what a value may not be.
pub(crate) type Check = fn(&Reading<'_>) -> Result<(), UsageError>;

/// The kind of value that an option takes.
#[derive(Clone, Copy)]
pub(crate) enum Arg {
    /// Nothing.
    None,
    /// Text of at least `min` bytes, cut to `max`.
    Text { min: usize, max: usize },
    /// A number.
    Number { min: u64, max: u64 },
    /// `value[/mask]`.
    Masked,
    /// `port[:port]`, numbers or service names of any protocol.
    Ports,
    /// `seconds[:seconds]`.
    Seconds,
    /// `count[:[count]]`, 64 bits each.
    Counts,
    /// The length of an address prefix, or a mask that says it.
    Prefix,
    /// `address[/mask]`.
    Address,
    /// `address[-address]`.
    AddressRange,
    /// An address alone, as C's `getaddrinfo` reads it.
    Host,
    /// `address[/bits]`; the bits may be said by a mask.
    Network,
    /// A port by number or by its service's name of any protocol.
    Port,
    /// Text that is printed without quotes and so may have no blank, quote or control character; cut to `max` bytes.
    Name { max: usize },
    /// A protocol by name or number.
    Protocol,
    /// Two words.
    Pair {
        /// What is said when the second one is not there.
        missing: &'static str,
        /// Their form, for help.
        shape: &'static str,
        /// How they are read.
        read: fn(&Reading<'_>) -> Result<Value, UsageError>,
    },
    /// `number[:[number]]`, each at most `max`; one number alone is both ends.
    Span { max: u64 },
    /// A value that may be left out, and never is attached with `=`: its form for help, and how it is read if it is there.
    Optional { shape: &'static str, read: fn(&Reading<'_>) -> Result<Value, UsageError> },
    /// A value that only one extension has: its form for help, and how it is read.
    Own { shape: &'static str, read: fn(&Reading<'_>) -> Result<Value, UsageError> },
    /// A list of ports of the rule's protocol.
    PortList,
    /// `[address[-address]][:port[-port[/base]]]`.
    NatTo,
    /// `port[-port]`.
    NatPorts,
    /// The option exists in iptables but cannot be enforced: it is refused by name.
    NotSupported,
}

impl Opt {
    /// An option that may be left out and not be inverted.
    pub(crate) const fn new(name: &'static str, arg: Arg) -> Opt {
        Opt {
            name,
            aliases: &[],
            arg,
            invert: false,
            mandatory: false,
            excludes: &[],
            requires: None,
            only_one: None,
            not_inverted: None,
            repeatable: false,
            warning: None,
            check: None,
        }
    }
    /// Its text is looked at when it is met: refusals come in the order of the words.
    pub(crate) const fn checked(self, check: Check) -> Opt {
        Opt { check: Some(check), ..self }
    }
    /// Other spellings.
    pub(crate) const fn aliases(self, aliases: &'static [&'static str]) -> Opt {
        Opt { aliases, ..self }
    }
    /// `!` may stand before it.
    pub(crate) const fn invertible(self) -> Opt {
        Opt { invert: true, ..self }
    }
    /// It must be there.
    pub(crate) const fn mandatory(self) -> Opt {
        Opt { mandatory: true, ..self }
    }
    /// These must not be there with it.
    pub(crate) const fn excludes(self, excludes: &'static [&'static str]) -> Opt {
        Opt { excludes, ..self }
    }
    /// This must be there with it.
    pub(crate) const fn requires(self, other: &'static str) -> Opt {
        Opt { requires: Some(other), ..self }
    }
    /// Says so when it is repeated.
    pub(crate) const fn only_one(self, what: &'static str) -> Opt {
        Opt { only_one: Some(what), ..self }
    }
    /// Says so when it is inverted.
    pub(crate) const fn not_inverted(self, what: &'static str) -> Opt {
        Opt { not_inverted: Some(what), ..self }
    }
    /// It may be given several times.
    pub(crate) const fn repeatable(self) -> Opt {
        Opt { repeatable: true, ..self }
    }
    /// It is taken with this said on standard error.
    pub(crate) const fn warns(self, warning: &'static str) -> Opt {
        Opt { warning: Some(warning), ..self }
    }

    /// Number of words that follow it, but for one that may be left out.
    pub(crate) fn word_count(&self) -> usize {
        match self.arg {
            Arg::None | Arg::Optional { .. } => 0,
            Arg::Pair { .. } => 2,
            _ => 1,
        }
    }

    /// Whether the option has this name, in any spelling.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// What the reading of a value may depend on.
pub(crate) struct Context<'a> {
    /// The family of the command.
    pub(crate) family: Family,
    /// Names of the host.
    pub(crate) names: &'a dyn Names,
    /// The protocol of the rule, as far as the words said so far.
    pub(crate) protocol: ProtocolMatch,
    /// What is said on standard error although the words are taken.
    pub(crate) warnings: &'a RefCell<String>,
}

impl Context<'_> {
    /// Says a line on standard error although the words are taken.
    pub(crate) fn warn(&self, line: &str) {
        let mut warnings = self.warnings.borrow_mut();
        warnings.push_str(line);
        warnings.push('\n');
    }
}

/// What the reader of an [`Arg::Own`] is given.
pub(crate) struct Reading<'a> {
    /// The extension's name.
    pub(crate) extension: &'static str,
    /// The option's name.
    pub(crate) option: &'static str,
    /// Whether `!` stood before it.
    pub(crate) invert: bool,
    /// The word that follows it.
    pub(crate) word: &'a str,
    /// The word behind that one, of an option that takes two.
    pub(crate) second: &'a str,
    /// The extension's options that were read before.
    pub(crate) before: &'a Given,
    /// The command.
    pub(crate) context: &'a Context<'a>,
}

impl Reading<'_> {
    /// The shared parser's refusal of a word that is no value of the option.
    pub(crate) fn bad_value(&self) -> UsageError {
        UsageError::BadValue { extension: self.extension, option: self.option, value: self.word.to_owned() }
    }
}

/// A value that was read.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Text(String),
    Number(u64),
    Numbers(Vec<u32>),
    Bytes(Vec<u8>),
    Masked(u32, u32),
    Ports(u16, u16),
    Seconds(u32, u32),
    Counts(u64, u64),
    Address(AddrMatch),
    AddressRange(IpAddr, IpAddr),
    Host(IpAddr),
    Network(IpAddr, u8),
    Protocol(u8),
    Pair(String, String),
    PortList(Vec<PortSpan>),
    Nat(NatRange),
}

/// The options of one `-m` or `-j` that were read so far.
pub(crate) struct Given {
    extension: &'static str,
    options: &'static [Opt],
    seen: Vec<(&'static Opt, bool, Value)>,
}

impl Given {
    /// Nothing read yet.
    pub(crate) fn new<T>(extension: &Extension<T>) -> Given {
        Given { extension: extension.name, options: extension.options, seen: Vec::new() }
    }

    /// Reads one option and the words that follow it.
    pub(crate) fn take(
        &mut self,
        option: &'static Opt,
        invert: bool,
        words: &[&str],
        context: &Context<'_>,
    ) -> Result<(), UsageError> {
        let extension = self.extension;
        if self.has(option.name) && !option.repeatable {
            return Err(match option.only_one {
                Some(what) => UsageError::OnlyOne(what),
                None => UsageError::OptionRepeated { extension, option: option.name },
            });
        }
        if invert && !option.invert {
            let usual = UsageError::OptionInverted { extension, option: option.name };
            return Err(option.not_inverted.map_or(usual, UsageError::Needs));
        }
        let word = |at: usize| words.get(at).copied().unwrap_or("");
        let reading = Reading { extension, option: option.name, invert, word: word(0), second: word(1), before: self, context };
        let value = match option.arg {
            Arg::Optional { .. } if words.is_empty() => Value::None,
            arg => read(&reading, arg)?,
        };
        option.check.map_or(Ok(()), |check| check(&reading))?;
        self.seen.push((option, invert, value));
        Ok(())
    }

    /// Checks what must and must not stand together.
    pub(crate) fn finish(&self) -> Result<(), UsageError> {
        let extension = self.extension;
        for option in self.options {
            if !self.has(option.name) {
                if option.mandatory {
                    return Err(UsageError::OptionMissing { extension, option: option.name });
                }
                continue;
            }
            if let Some(other) = option.excludes.iter().find(|other| self.has(other)) {
                return Err(UsageError::OptionsExclude { extension, option: option.name, other });
            }
            if let Some(other) = option.requires.filter(|other| !self.has(other)) {
                return Err(UsageError::OptionRequires { extension, option: option.name, other });
            }
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&(&'static Opt, bool, Value)> {
        self.seen.iter().find(|(option, ..)| option.name == name)
    }

    /// Whether the option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether the option was given with `!`.
    pub(crate) fn is_inverted(&self, name: &str) -> bool {
        self.find(name).is_some_and(|(_, invert, _)| *invert)
    }

    /// The value of a text option.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The value of a text option that is saved as it is, nothing without one: a line feed is refused.
    pub(crate) fn line(&self, name: &'static str) -> Result<&str, UsageError> {
        let text = self.text(name).unwrap_or("");
        if text.contains('\n') { Err(UsageError::LineFeed(name)) } else { Ok(text) }
    }

    /// The value of a number option.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        })
    }

    /// The value of an option that is several numbers.
    pub(crate) fn numbers(&self, name: &str) -> Option<&[u32]> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Numbers(numbers) => Some(numbers.as_slice()),
            _ => None,
        })
    }

    /// The value of an option that is an address alone.
    pub(crate) fn host(&self, name: &str) -> Option<IpAddr> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Host(addr) => Some(*addr),
            _ => None,
        })
    }

    /// The value of an option that is bytes.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Bytes(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// The two words of an option.
    pub(crate) fn pair(&self, name: &str) -> Option<(&str, &str)> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Pair(first, second) => Some((first.as_str(), second.as_str())),
            _ => None,
        })
    }

    /// The value of a range of counts or a span.
    pub(crate) fn counts(&self, name: &str) -> Option<(u64, u64)> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Counts(min, max) => Some((*min, *max)),
            _ => None,
        })
    }

    /// The value of a `value[/mask]` option.
    pub(crate) fn masked(&self, name: &str) -> Option<(u32, u32)> {
        self.find(name).and_then(|(.., value)| match value {
            Value::Masked(value, mask) => Some((*value, *mask)),
            _ => None,
        })
    }

    /// The value and inversion of any option.
    pub(crate) fn value(&self, name: &str) -> Option<(&Value, bool)> {
        self.find(name).map(|(_, invert, value)| (value, *invert))
    }

    /// Every option that was given, `!` before it, and its value, in the order of the words.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, bool, &Value)> {
        self.seen.iter().map(|(option, invert, value)| (option.name, *invert, value))
    }

    /// The names of the given options in the order of the words.
    pub(crate) fn order(&self) -> impl DoubleEndedIterator<Item = &'static str> {
        self.seen.iter().map(|(option, ..)| option.name)
    }
}

fn read(reading: &Reading<'_>, arg: Arg) -> Result<Value, UsageError> {
    let Reading { extension, option: name, word, context, .. } = *reading;
    Ok(match arg {
        Arg::None => Value::None,
        Arg::Text { min, max } => {
            if word.len() < min {
                return Err(UsageError::TextShort(min));
            }
            Value::Text(word[..word.floor_char_boundary(max)].to_owned())
        }
        Arg::Number { min, max } => {
            Value::Number(number::whole(word, min, max).ok_or(UsageError::OutOfRange { extension, option: name, min, max })?)
        }
        Arg::Masked => {
            let (value, mask) = number::masked(word).ok_or(UsageError::BadInteger { extension, option: name })?;
            Value::Masked(value, mask)
        }
        Arg::Ports => {
            let (min, max) = read_ports(word, context)?;
            Value::Ports(min, max)
        }
        Arg::Seconds => {
            let (min, max) = read_seconds(extension, name, word)?;
            Value::Seconds(min, max)
        }
        Arg::Counts => {
            let (min, max) = read_counts(extension, name, word)?;
            Value::Counts(min, max)
        }
        Arg::Prefix => Value::Number(u64::from(read_prefix(extension, name, word, context.family)?)),
        Arg::Address => Value::Address(read_address(reading)?),
        Arg::AddressRange => {
            let (min, max) = read_address_range(extension, name, word, context.family)?;
            Value::AddressRange(min, max)
        }
        Arg::Host => Value::Host(read_host(word, context.family)?),
        Arg::Network => {
            let (addr, bits) = read_network(reading)?;
            Value::Network(addr, bits)
        }
        Arg::Port => Value::Number(u64::from(read_port(word, context)?)),
        Arg::Name { max } => {
            if !words::reads_unquoted(word) {
                // The real one takes it, and then saves what it cannot restore.
                return Err(UsageError::UnreadableName { extension, option: name, value: word.to_owned() });
            }
            Value::Text(word[..word.floor_char_boundary(max)].to_owned())
        }
        Arg::Protocol => Value::Protocol(spec::protocol_number(word, context.names)?),
        Arg::Span { max } => {
            let (min, max) = read_range(extension, name, word, max)?;
            Value::Counts(min, max.unwrap_or(min))
        }
        Arg::Optional { read, .. } | Arg::Own { read, .. } | Arg::Pair { read, .. } => read(reading)?,
        Arg::PortList => Value::PortList(multiport::read_list(word, context)?),
        Arg::NatTo => Value::Nat(nat::read_to(word, context)?),
        Arg::NatPorts => Value::Nat(nat::read_ports_only(word, context)?),
        Arg::NotSupported => return Err(UsageError::OptionNotSupported { extension, option: name }),
    })
}

/// A port as C's `getaddrinfo` reads it: in decimal, whatever it begins with, or the name of a service.
fn read_port(word: &str, context: &Context<'_>) -> Result<u16, UsageError> {
    let digits = word.trim_start();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let number = digits.parse().ok().filter(|_| digits.starts_with(|c: char| c.is_ascii_digit()));
    let port = number.or_else(|| context.names.any_service_port(word));
    port.ok_or_else(|| UsageError::PortDoesNotResolve(word.to_owned()))
}

fn read_ports(word: &str, context: &Context<'_>) -> Result<(u16, u16), UsageError> {
    let port = |text: &str| read_port(text, context);
    match word.split_once(':') {
        None => port(word).map(|port| (port, port)),
        Some((min, max)) => Ok((if min.is_empty() { 0 } else { port(min)? }, if max.is_empty() { u16::MAX } else { port(max)? })),
    }
}

fn read_seconds(extension: &'static str, option: &'static str, word: &str) -> Result<(u32, u32), UsageError> {
    let (min, max) = read_range(extension, option, word, u64::from(u32::MAX))?;
    Ok((min as u32, max.unwrap_or(min) as u32))
}

fn read_counts(extension: &'static str, option: &'static str, word: &str) -> Result<(u64, u64), UsageError> {
    let (min, max) = read_range(extension, option, word, u64::MAX)?;
    let max = max.unwrap_or(u64::MAX);
    if max < min { Err(UsageError::Backwards { min, max }) } else { Ok((min, max)) }
}

/// `number[:[number]]`, or `:number`: where one of two is left out it is the least or the greatest; nothing at all is 0. `None` for the
/// second: there is no colon.
pub(crate) fn read_range(
    extension: &'static str,
    option: &'static str,
    word: &str,
    max: u64,
) -> Result<(u64, Option<u64>), UsageError> {
    let bad = |near: &str| UsageError::OutOfRangeNear { extension, option, near: near.to_owned(), max };
    let mut ends = [0, max];
    let mut rest = word;
    for (at, end) in ends.iter_mut().enumerate() {
        if !rest.is_empty() && !rest.starts_with(':') {
            let (number, behind) = number::prefix(rest).filter(|(number, _)| *number <= max).ok_or_else(|| bad(rest))?;
            if !behind.is_empty() && !behind.starts_with(':') {
                return Err(UsageError::UnexpectedCharacters { extension, option, near: behind.to_owned() });
            }
            (*end, rest) = (number, behind);
        }
        match rest.strip_prefix(':') {
            None if at == 0 => return Ok((*end, None)),
            None => break,
            Some(_) if at == 1 => return Err(UsageError::TooManyComponents { extension, option, max: 2 }),
            Some(behind) => rest = behind,
        }
    }
    Ok((ends[0], Some(ends[1])))
}

/// The bits are looked at first, as the real one does.
fn read_network(reading: &Reading<'_>) -> Result<(IpAddr, u8), UsageError> {
    let Reading { extension, option, word, context, .. } = *reading;
    let (addr, bits) = match word.split_once('/') {
        Some((addr, bits)) => (addr, read_prefix(extension, option, bits, context.family)?),
        None => (word, context.family.address_bits()),
    };
    Ok((read_host(addr, context.family)?, bits))
}

/// A number of bits, or an address whose leading ones are counted; one with holes stands for all bits.
fn read_prefix(extension: &'static str, option: &'static str, word: &str, family: Family) -> Result<u8, UsageError> {
    let bits = family.address_bits();
    if let Some(number) = number::whole(word, 0, u64::from(bits)) {
        return Ok(number as u8);
    }
    let mask = match family {
        Family::Ipv4 => number::ipv4(word).map(IpAddr::V4),
        Family::Ipv6 => word.parse().ok().map(IpAddr::V6),
    };
    let mask = mask.ok_or(UsageError::BadPrefix { extension, option, max: bits })?;
    Ok(prefix_len(mask).unwrap_or(bits))
}

fn read_address(reading: &Reading<'_>) -> Result<AddrMatch, UsageError> {
    let family = reading.context.family;
    let (addr, mask) = reading.word.split_once('/').map_or((reading.word, None), |(addr, mask)| (addr, Some(mask)));
    let addr = read_host(addr, family)?;
    let mask = match mask {
        None => prefix_mask(family, family.address_bits()),
        Some(mask) => match (number::whole(mask, 0, u64::from(u32::MAX)), family) {
            // The real one takes a number above 32 for an address.
            (Some(len), _) => u8::try_from(len).ok().and_then(|len| prefix_mask(family, len)),
            (None, Family::Ipv4) => number::ipv4(mask).map(IpAddr::V4),
            (None, Family::Ipv6) => mask.parse().map(IpAddr::V6).ok(),
        },
    };
    let bad = UsageError::BadPrefix { extension: reading.extension, option: reading.option, max: family.address_bits() };
    Ok(AddrMatch { addr, mask: mask.ok_or(bad)?, invert: false })
}

/// Numeric addresses; one alone is both ends.
fn read_address_range(
    extension: &'static str,
    option: &'static str,
    word: &str,
    family: Family,
) -> Result<(IpAddr, IpAddr), UsageError> {
    let (min, max) = word.split_once('-').unwrap_or((word, word));
    let read = |value: &str| {
        let address = spec::read_network(value, family).filter(|_| value != "localhost");
        address.ok_or_else(|| UsageError::BadValue { extension, option, value: value.to_owned() })
    };
    Ok((read(min)?, read(max)?))
}

fn read_host(word: &str, family: Family) -> Result<IpAddr, UsageError> {
    let ipv4 = number::ipv4(word).map(IpAddr::V4);
    let ipv6 = word.parse().map(IpAddr::V6).ok();
    let (own, other) = match family {
        Family::Ipv4 => (ipv4.or_else(|| spec::read_network(word, family).filter(|_| word == "localhost")), ipv6),
        Family::Ipv6 => (ipv6, ipv4),
    };
    own.ok_or(if other.is_some() { UsageError::AddressOfOtherFamily } else { UsageError::AddressDoesNotResolve })
}

/// Writes options in save form: `[ !] --name[ value]`. Only options of the extension's table may be written.
pub(crate) struct OptionWriter<'a> {
    options: &'static [Opt],
    out: &'a mut String,
}

impl<'a> OptionWriter<'a> {
    /// A writer for the options of one extension.
    pub(crate) fn new(options: &'static [Opt], out: &'a mut String) -> OptionWriter<'a> {
        OptionWriter { options, out }
    }

    /// An option without value.
    pub(crate) fn flag(&mut self, name: &str, invert: bool) {
        debug_assert!(
            self.options.iter().any(|option| option.is_named(name) && (option.invert || !invert)),
            "--{name} is not in the extension's table as it is printed"
        );
        self.out.push_str(if invert { " ! --" } else { " --" });
        self.out.push_str(name);
    }

    /// An option and its value as it stands.
    pub(crate) fn value(&mut self, name: &str, invert: bool, value: impl Display) {
        self.flag(name, invert);
        write!(self.out, " {value}").unwrap_or_else(|_| unreachable!("a String takes everything"));
    }

    /// An option and its text, in quotes if it needs them.
    pub(crate) fn text(&mut self, name: &str, invert: bool, text: &str) {
        self.flag(name, invert);
        words::push_quoted(text, self.out);
    }
}

/// How a listing is to look, for the parts that extensions write.
#[derive(Clone, Copy)]
pub(crate) struct ListStyle<'a> {
    /// `-n`: numbers in place of names.
    pub(crate) numeric: bool,
    /// Names of the host.
    pub(crate) names: &'a dyn Names,
    /// The protocol number of the rule; 0 if it has none.
    pub(crate) protocol: u8,
    /// The family of the rule set.
    pub(crate) family: Family,
}

/// A port as listings show it: its service's name, or the number.
pub(crate) fn port_name(port: u16, protocol: &str, style: ListStyle<'_>) -> String {
    let name = if style.numeric { None } else { style.names.service_name(port, protocol) };
    name.map_or_else(|| port.to_string(), str::to_owned)
}

/// `address[/mask]` as conntrack prints it: no mask when it is full, or when it has holes (as iptables does).
pub(crate) fn masked_address(test: &AddrMatch) -> String {
    let full = match test.mask {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    match test.prefix_len() {
        Some(len) if len != full => format!("{}/{len}", Shown(test.addr)),
        _ => Shown(test.addr).to_string(),
    }
}
