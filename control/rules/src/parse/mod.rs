//! From the words of a command line to an [`Invocation`]. The order of the checks is that of iptables 1.8.9, so that of two faults the
//! same one is named.
mod finish;
mod option;

pub(crate) use option::check_writable;

use crate::command::{Command, Invocation};
use crate::error::{Error, Problem, UsageError};
use crate::getopt::{Getopt, Step};
use crate::matches;
use crate::names::Names;
use crate::options::{Arg, Context, Extension, Given, Opt};
use crate::{Counters, Family, Header, Match, TableName, Target};
use std::cell::RefCell;

/// Reads the words of a command line, the program's own name left out.
pub fn parse(family: Family, words: &[String], names: &dyn Names) -> Result<Invocation, Error> {
    Parser::new(family, names, None).read(words)
}

/// Reads a line of restore text for a table.
pub(crate) fn parse_line(family: Family, table: TableName, words: &[String], names: &dyn Names) -> Result<Invocation, Error> {
    Parser::new(family, names, Some(table)).read(words)
}

/// Long names of the main options and the letters that they stand for.
const LONG: &[(&str, char)] = &[
    ("append", 'A'),
    ("delete", 'D'),
    ("check", 'C'),
    ("insert", 'I'),
    ("replace", 'R'),
    ("list", 'L'),
    ("list-rules", 'S'),
    ("flush", 'F'),
    ("zero", 'Z'),
    ("new-chain", 'N'),
    ("delete-chain", 'X'),
    ("rename-chain", 'E'),
    ("policy", 'P'),
    ("source", 's'),
    ("destination", 'd'),
    ("src", 's'),
    ("dst", 'd'),
    ("protocol", 'p'),
    ("in-interface", 'i'),
    ("jump", 'j'),
    ("table", 't'),
    ("match", 'm'),
    ("numeric", 'n'),
    ("out-interface", 'o'),
    ("verbose", 'v'),
    ("wait", 'w'),
    ("wait-interval", 'W'),
    ("exact", 'x'),
    ("fragments", 'f'),
    ("version", 'V'),
    ("help", 'h'),
    ("line-numbers", '0'),
    ("modprobe", 'M'),
    ("set-counters", 'c'),
    ("goto", 'g'),
    ("ipv4", '4'),
    ("ipv6", '6'),
];
const SHORT: &str = "ACDRILSMFZNXEPVhpsdjibfowWntmxcgv46";
/// Options that take `!`.
const INVERTIBLE: &str = "sdpiof";
/// The longest name of a chain, match or target.
pub(crate) const NAME_MAX: usize = 28;

/// The most matches of a rule: about as many as the kernel has room for, and few enough that its saved form reads back.
const MATCHES_MAX: usize = 1_024;

/// An extension whose options are being read.
struct Pending<T: 'static> {
    extension: &'static Extension<T>,
    given: Given,
}

impl<T> Pending<T> {
    fn new(extension: &'static Extension<T>) -> Pending<T> {
        Pending { extension, given: Given::new(extension) }
    }

    fn finish(&self, context: &Context<'_>) -> Result<T, UsageError> {
        self.given.finish()?;
        (self.extension.build)(&self.given, context)
    }
}

/// What an option turned out to be.
#[derive(Clone, Copy)]
enum Found {
    Main(char),
    OfMatch(usize, &'static Opt),
    OfTarget(&'static Opt),
}

impl Found {
    /// Whether two finds are one and the same option under two names.
    fn is_same(self, other: Found) -> bool {
        match (self, other) {
            (Found::Main(a), Found::Main(b)) => a == b,
            (Found::OfMatch(i, a), Found::OfMatch(j, b)) => i == j && a.name == b.name,
            (Found::OfTarget(a), Found::OfTarget(b)) => a.name == b.name,
            _ => false,
        }
    }
}

struct Parser<'a> {
    family: Family,
    names: &'a dyn Names,
    /// The table of the restore block; `None` on a command line.
    restore: Option<TableName>,
    table: String,
    /// Letters of the commands given; `#` is `-D` with a number, `z` is `-Z` with one.
    commands: Vec<char>,
    chain: Option<String>,
    number: Option<u32>,
    new_name: Option<String>,
    policy: Option<String>,
    /// Letters of the options given.
    flags: Vec<char>,
    verbose: u8,
    counters: Counters,
    invert: bool,
    header: Header,
    source: Option<(String, bool)>,
    destination: Option<(String, bool)>,
    matches: Vec<Pending<Match>>,
    /// What was typed behind `-p`, in small letters.
    protocol_word: String,
    protocol_loaded: bool,
    jump: Option<String>,
    is_goto: bool,
    target: Option<Pending<Target>>,
    verdict: Option<Target>,
    wait: bool,
    wait_interval: bool,
    warnings: RefCell<String>,
}

/// Whether to go on reading.
enum Flow {
    On,
    Done(Command),
}

impl<'a> Parser<'a> {
    fn new(family: Family, names: &'a dyn Names, restore: Option<TableName>) -> Parser<'a> {
        Parser {
            family,
            names,
            restore,
            table: restore.unwrap_or(TableName::Filter).as_str().to_owned(),
            commands: Vec::new(),
            chain: None,
            number: None,
            new_name: None,
            policy: None,
            flags: Vec::new(),
            verbose: 0,
            counters: Counters::default(),
            invert: false,
            header: Header::any(family),
            source: None,
            destination: None,
            matches: Vec::new(),
            protocol_word: String::new(),
            protocol_loaded: false,
            jump: None,
            is_goto: false,
            target: None,
            verdict: None,
            wait: false,
            wait_interval: false,
            warnings: RefCell::default(),
        }
    }

    fn read(mut self, words: &[String]) -> Result<Invocation, Error> {
        self.run(words).map_err(|error| error.after(&self.warnings.borrow()))
    }

    fn run(&mut self, words: &[String]) -> Result<Invocation, Error> {
        let mut walk = Getopt::new(words);
        while let Some(step) = walk.step() {
            let (found, attached) = match step {
                Step::Word("!") => {
                    if self.invert {
                        return Err(UsageError::DoubleInvert.into());
                    }
                    self.invert = true;
                    continue;
                }
                Step::Word(word) => return Err(Problem::BadArgument(word.to_owned()).into()),
                Step::Short(letter) => {
                    let found = SHORT.contains(letter).then_some(Found::Main(letter));
                    (found, None)
                }
                Step::Long(name, value) => (self.find_loading(name, value.is_some())?, value),
            };
            match found {
                None => return Err(self.unknown_option(&walk).into()),
                Some(Found::Main(letter)) => match self.main_option(letter, attached, &mut walk)? {
                    Flow::On => {}
                    Flow::Done(command) => return Ok(self.invocation(TableName::Filter, command)),
                },
                Some(Found::OfMatch(index, option)) => {
                    let words = option_words(option, attached, &mut walk, &self.warnings)?;
                    let context = context_of(self.family, self.names, &self.header, &self.warnings);
                    self.matches[index].given.take(option, self.invert, &words, &context)?;
                }
                Some(Found::OfTarget(option)) => {
                    let words = option_words(option, attached, &mut walk, &self.warnings)?;
                    let context = context_of(self.family, self.names, &self.header, &self.warnings);
                    if let Some(target) = &mut self.target {
                        target.given.take(option, self.invert, &words, &context)?;
                    }
                }
            }
            self.invert = false;
        }
        self.finish(&walk)
    }

    fn invocation(&mut self, table: TableName, command: Command) -> Invocation {
        let warnings = self.warnings.take();
        Invocation { family: self.family, table, command, verbose: self.verbose, warnings }
    }

    /// As iptables names an option that it does not know: by its word, or by the one before it while letters of it are left.
    fn unknown_option(&self, walk: &Getopt<'_>) -> UsageError {
        let before = if self.restore.is_some() { self.table.as_str() } else { self.family.program() };
        // A `!` is wiped out once it was read.
        let word = walk.word_behind().map(|word| if word == "!" { "" } else { word });
        UsageError::UnknownOption(word.unwrap_or(before).to_owned())
    }

    /// Finds a long option; if there is none, the match of the rule's protocol is brought in once and asked too.
    fn find_loading(&mut self, name: &str, has_value: bool) -> Result<Option<Found>, UsageError> {
        let found = self.find(name, has_value);
        if found.is_some() || self.protocol_loaded || !self.flags.contains(&'p') {
            return Ok(found);
        }
        match matches::of_protocol(self.header.protocol.number, &self.protocol_word, self.family) {
            None => Ok(None),
            Some(extension) => {
                self.protocol_loaded = true;
                self.add_match(extension?)?;
                Ok(self.find(name, has_value))
            }
        }
    }

    fn add_match(&mut self, extension: &'static Extension<Match>) -> Result<(), UsageError> {
        if self.matches.len() >= MATCHES_MAX {
            return Err(UsageError::TooManyMatches(MATCHES_MAX));
        }
        self.matches.push(Pending::new(extension));
        Ok(())
    }

    /// Finds a long option by its name, else by the beginning of it if that names one option only.
    fn find(&self, name: &str, has_value: bool) -> Option<Found> {
        let found = self.find_exact(name).or_else(|| self.find_begun(name))?;
        let takes_value = match found {
            Found::Main(letter) => !"nvxf046V".contains(letter),
            Found::OfMatch(_, option) | Found::OfTarget(option) => option.word_count() > 0,
        };
        (takes_value || !has_value).then_some(found)
    }

    fn find_exact(&self, name: &str) -> Option<Found> {
        if let Some((_, letter)) = self.main_options().find(|(long, _)| *long == name) {
            return Some(Found::Main(*letter));
        }
        self.extension_options().find(|(option, _)| option.is_named(name)).map(|(_, found)| found)
    }

    fn find_begun(&self, name: &str) -> Option<Found> {
        let main = self.main_options().filter(|(long, _)| long.starts_with(name)).map(|(_, letter)| Found::Main(*letter));
        let begins = |option: &Opt| option.name.starts_with(name) || option.aliases.iter().any(|alias| alias.starts_with(name));
        let of_extension = self.extension_options().filter(|(option, _)| begins(option)).map(|(_, found)| found);
        let mut begun = main.chain(of_extension);
        let first = begun.next()?;
        begun.all(|other| other.is_same(first)).then_some(first)
    }

    /// The long options that every command of the family has.
    fn main_options(&self) -> impl Iterator<Item = &'static (&'static str, char)> {
        let has_fragments = self.family == Family::Ipv4;
        LONG.iter().filter(move |(_, letter)| *letter != 'f' || has_fragments)
    }

    /// The options of extensions; the extension brought in last comes first.
    fn extension_options(&self) -> impl Iterator<Item = (&'static Opt, Found)> {
        let target = self.target.iter().flat_map(|pending| pending.extension.options);
        let target = target.map(|option| (option, Found::OfTarget(option)));
        let of_match = self.matches.iter().enumerate().rev().flat_map(|(index, pending)| {
            pending.extension.options.iter().map(move |option| (option, Found::OfMatch(index, option)))
        });
        target.chain(of_match)
    }
}

fn context_of<'c>(family: Family, names: &'c dyn Names, header: &Header, warnings: &'c RefCell<String>) -> Context<'c> {
    Context { family, names, protocol: header.protocol, warnings }
}

/// Words end where an option needs one.
fn missing_argument(walk: &Getopt<'_>) -> UsageError {
    UsageError::MissingArgument(walk.last_word().to_owned())
}

/// The words that follow an option of an extension.
fn option_words<'a>(
    option: &Opt,
    attached: Option<&'a str>,
    walk: &mut Getopt<'a>,
    warnings: &RefCell<String>,
) -> Result<Vec<&'a str>, UsageError> {
    let mut words = Vec::new();
    if option.word_count() > 0 {
        words.push(walk.value(attached).ok_or_else(|| missing_argument(walk))?);
    }
    if let Some(warning) = option.warning {
        warnings.borrow_mut().extend([warning, "\n"]);
    }
    match option.arg {
        Arg::Pair { missing, .. } => words.push(walk.argument().ok_or(UsageError::Needs(missing))?),
        Arg::Optional { .. } => words.extend(walk.argument()),
        _ => {}
    }
    Ok(words)
}
