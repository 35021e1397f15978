//! From the words of a command line to an [`Invocation`]. The order of the checks is that of iptables 1.8.9, so that of two faults the
//! same one is named.
use crate::command::{Command, Invocation, Show, ShowForm};
use crate::error::{Error, Problem, UsageError};
use crate::getopt::{Getopt, Step};
use crate::header::FragmentMatch;
use crate::matches;
use crate::names::Names;
use crate::options::{Context, Extension, Given, Opt};
use crate::targets::{self, Named};
use crate::{ChainName, Counters, Family, Header, Hook, Match, ProtocolMatch, Rule, TableName, Target};
use crate::{help, number, spec};

/// Reads the words of a command line, the program's own name left out.
pub fn parse(family: Family, words: &[String], names: &dyn Names) -> Result<Invocation, Error> {
    Parser::new(family, names, None).run(words)
}

/// Reads a line of restore text for a table.
pub(crate) fn parse_line(family: Family, table: TableName, words: &[String], names: &dyn Names) -> Result<Invocation, Error> {
    Parser::new(family, names, Some(table)).run(words)
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
/// Options that may be asked about in [`ALLOWED`], in the order in which they are.
const FLAGS: &str = "nsdpjvxio0cf";
/// Options that take `!`.
const INVERTIBLE: &str = "sdpiof";
/// Which options each command takes.
const ALLOWED: &[(char, &str)] = &[
    ('A', "sdpjviocf"),
    ('I', "sdpjviocf"),
    ('R', "sdpjviocf"),
    ('D', "sdpjviof"),
    ('C', "sdpjviof"),
    ('#', "v"),
    ('L', "nvx0"),
    ('S', "v"),
    ('F', "v"),
    ('Z', "v"),
    ('N', "v"),
    ('X', "v"),
    ('E', "v"),
    ('P', "vc"),
];
/// The most rules that one command may make out of lists of addresses.
const RULES_MAX: usize = 65_536;
/// The longest name of a chain, match or target.
const NAME_MAX: usize = 28;

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
    /// Letters of the commands given; `#` is `-D` with a number.
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
    protocol_loaded: bool,
    jump: Option<String>,
    is_goto: bool,
    target: Option<Pending<Target>>,
    verdict: Option<Target>,
    wait: bool,
    wait_interval: bool,
    warnings: String,
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
            protocol_loaded: false,
            jump: None,
            is_goto: false,
            target: None,
            verdict: None,
            wait: false,
            wait_interval: false,
            warnings: String::new(),
        }
    }

    fn run(mut self, words: &[String]) -> Result<Invocation, Error> {
        let mut walk = Getopt::new(words);
        while let Some(step) = walk.step() {
            let (found, attached, typed) = match step {
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
                    (found, None, format!("-{letter}"))
                }
                Step::Long(name, value) => (self.find_loading(name, value.is_some())?, value, format!("--{name}")),
            };
            match found {
                None => return Err(UsageError::UnknownOption(unknown_text(&typed, attached, &walk)).into()),
                Some(Found::Main(letter)) => match self.main_option(letter, attached, &typed, &mut walk)? {
                    Flow::On => {}
                    Flow::Done(command) => return Ok(self.invocation(TableName::Filter, command)),
                },
                Some(Found::OfMatch(index, option)) => {
                    let words = option_words(option, attached, &typed, &mut walk)?;
                    let context = context_of(self.family, self.names, &self.header);
                    self.matches[index].given.take(option, self.invert, &words, &context)?;
                }
                Some(Found::OfTarget(option)) => {
                    let words = option_words(option, attached, &typed, &mut walk)?;
                    let context = context_of(self.family, self.names, &self.header);
                    if let Some(target) = &mut self.target {
                        target.given.take(option, self.invert, &words, &context)?;
                    }
                }
            }
            self.invert = false;
        }
        self.finish(&walk)
    }

    fn invocation(self, table: TableName, command: Command) -> Invocation {
        Invocation { family: self.family, table, command, verbose: self.verbose, warnings: self.warnings }
    }

    /// Finds a long option; if there is none, the match of the rule's protocol is brought in once and asked too.
    fn find_loading(&mut self, name: &str, has_value: bool) -> Result<Option<Found>, UsageError> {
        let found = self.find(name, has_value);
        if found.is_some() || self.protocol_loaded || !self.flags.contains(&'p') {
            return Ok(found);
        }
        match matches::of_protocol(self.header.protocol.number, self.family) {
            None => Ok(None),
            Some(extension) => {
                self.protocol_loaded = true;
                self.matches.push(Pending::new(extension?));
                Ok(self.find(name, has_value))
            }
        }
    }

    /// Finds a long option by its name or the beginning of it; the extension brought in last is asked first.
    fn find(&self, name: &str, has_value: bool) -> Option<Found> {
        let main = LONG.iter().map(|(long, letter)| (*long, Found::Main(*letter)));
        let spelt = |option: &'static Opt, found: Found| {
            std::iter::once(option.name).chain(option.aliases.iter().copied()).map(move |name| (name, found))
        };
        let target = self.target.iter().flat_map(|pending| pending.extension.options);
        let target = target.flat_map(|option| spelt(option, Found::OfTarget(option)));
        let of_match = self
            .matches
            .iter()
            .enumerate()
            .rev()
            .flat_map(|(index, pending)| pending.extension.options.iter().map(move |option| (index, option)));
        let of_match = of_match.flat_map(|(index, option)| spelt(option, Found::OfMatch(index, option)));
        let all: Vec<(&str, Found)> = main.chain(target).chain(of_match).collect();
        let takes_value = |found: &Found| match found {
            Found::Main(letter) => !"nvxf046".contains(*letter),
            Found::OfMatch(_, option) | Found::OfTarget(option) => option.word_count() > 0,
        };
        let exact = all.iter().find(|(long, _)| *long == name).map(|(_, found)| *found);
        let found = exact.or_else(|| {
            let mut begun = all.iter().filter(|(long, _)| long.starts_with(name)).map(|(_, found)| *found);
            let first = begun.next()?;
            begun.all(|other| other.is_same(first)).then_some(first)
        });
        found.filter(|found| !has_value || takes_value(found))
    }

    fn main_option(&mut self, letter: char, attached: Option<&str>, typed: &str, walk: &mut Getopt<'_>) -> Result<Flow, Error> {
        // Values are owned: `attached` may live shorter than the words.
        let attached = attached.map(str::to_owned);
        match letter {
            'A' | 'D' | 'C' | 'I' | 'R' => {
                let invert = self.invert;
                let chain = value_of(attached, typed, walk)?;
                self.add_command(letter, "", invert)?;
                self.chain = Some(chain);
                if letter != 'A' && letter != 'C' {
                    self.number = walk.argument().map(rule_number).transpose()?;
                }
                match (letter, self.number) {
                    ('R', None) => return Err(UsageError::NeedsRuleNumber('R').into()),
                    ('D', Some(_)) => self.commands = vec!['#'],
                    _ => {}
                }
            }
            'L' | 'S' | 'F' | 'Z' | 'X' => {
                self.add_command(letter, if letter == 'Z' { "LS" } else { "Z" }, self.invert)?;
                if let Some(chain) = attached.or_else(|| walk.optional_value(None).map(str::to_owned)) {
                    self.chain = Some(chain);
                    if "LSZ".contains(letter)
                        && let Some(word) = walk.argument()
                    {
                        self.number = Some(rule_number(word)?);
                    }
                }
            }
            'N' => {
                let chain = value_of(attached, typed, walk)?;
                check_new_name(&chain)?;
                self.add_command('N', "", self.invert)?;
                self.chain = Some(chain);
            }
            'E' => {
                let chain = value_of(attached, typed, walk)?;
                self.add_command('E', "", self.invert)?;
                self.chain = Some(chain);
                self.new_name = Some(walk.argument().ok_or(UsageError::NeedsTwoNames)?.to_owned());
            }
            'P' => {
                let chain = value_of(attached, typed, walk)?;
                self.add_command('P', "", self.invert)?;
                self.chain = Some(chain);
                self.policy = Some(walk.argument().ok_or(UsageError::NeedsPolicy)?.to_owned());
            }
            'h' => {
                let word = attached.or_else(|| walk.argument().map(str::to_owned));
                return Ok(Flow::Done(Command::Print(self.help(word.as_deref())?)));
            }
            'V' if self.invert => return Err(UsageError::InvertedVersion.into()),
            'V' => {
                let text = format!("{} {}\n", self.program(), crate::error::VERSION);
                return Ok(Flow::Done(Command::Print(text)));
            }
            'p' => {
                self.set_flag('p')?;
                let text = whole_value(attached, typed, walk)?.to_lowercase();
                let number = spec::protocol_number(&text, self.names)?;
                self.header.protocol = ProtocolMatch { number, invert: self.invert };
                if number == 0 && self.invert {
                    return Err(UsageError::NeverMatchesProtocol.into());
                }
                self.warn_of_extension_header(number, &text);
            }
            's' => {
                self.set_flag('s')?;
                self.source = Some((whole_value(attached, typed, walk)?, self.invert));
            }
            'd' => {
                self.set_flag('d')?;
                self.destination = Some((whole_value(attached, typed, walk)?, self.invert));
            }
            'i' | 'o' => {
                self.set_flag(letter)?;
                let text = whole_value(attached, typed, walk)?;
                let (test, warning) = spec::read_interface(&text, self.invert)?;
                self.warnings.push_str(&warning.unwrap_or_default());
                if letter == 'i' {
                    self.header.in_interface = test;
                } else {
                    self.header.out_interface = test;
                }
            }
            'f' if self.family == Family::Ipv6 => return Err(UsageError::FragmentInIpv6.into()),
            'f' => {
                self.set_flag('f')?;
                self.header.fragment = if self.invert { FragmentMatch::NotLater } else { FragmentMatch::Later };
            }
            'j' | 'g' => self.jump_option(letter == 'g', attached, typed, walk)?,
            'm' => {
                if self.invert {
                    return Err(UsageError::UnexpectedInvert("match").into());
                }
                let name = value_of(attached, typed, walk)?;
                if name.len() > NAME_MAX {
                    return Err(UsageError::MatchNameLong(name).into());
                }
                self.matches.push(Pending::new(matches::find(&name, self.family)?));
            }
            'v' => {
                if self.verbose == 0 || self.invert {
                    self.set_flag('v')?;
                }
                self.verbose = self.verbose.saturating_add(1);
            }
            'n' | 'x' | '0' => self.set_flag(letter)?,
            't' => {
                if self.invert {
                    return Err(UsageError::UnexpectedInvert("table").into());
                }
                if self.restore.is_some() {
                    return Err(UsageError::TableInRestore(self.program()).into());
                }
                self.table = value_of(attached, typed, walk)?;
            }
            'c' => self.counters_option(attached, typed, walk)?,
            'w' => {
                self.wait = true;
                if let Some(word) = attached.or_else(|| walk.argument().map(str::to_owned)) {
                    number::prefix(&word).ok_or(UsageError::WaitNotNumeric)?;
                }
            }
            'W' => {
                self.wait_interval = true;
                let word = attached.or_else(|| walk.argument().map(str::to_owned));
                let word = word.ok_or(UsageError::WaitIntervalMissing)?;
                number::prefix(&word).ok_or(UsageError::WaitIntervalNotNumeric)?;
                self.warnings.push_str("Ignoring deprecated --wait-interval option.\n");
            }
            'M' => {
                value_of(attached, typed, walk)?;
            }
            '4' | '6' => {
                let wanted = if letter == '4' { Family::Ipv4 } else { Family::Ipv6 };
                if wanted != self.family {
                    return match self.restore {
                        Some(_) => Ok(Flow::Done(Command::Nothing)),
                        None => Err(Problem::WrongFamily.into()),
                    };
                }
            }
            _ => return Err(UsageError::UnknownOption(typed.to_owned()).into()),
        }
        Ok(Flow::On)
    }

    fn jump_option(&mut self, is_goto: bool, attached: Option<String>, typed: &str, walk: &mut Getopt<'_>) -> Result<(), Error> {
        self.set_flag('j')?;
        let name = if is_goto { value_of(attached, typed, walk)? } else { whole_value(attached, typed, walk)? };
        if name.is_empty() {
            return Err(UsageError::TargetNameShort.into());
        }
        if name.len() > NAME_MAX {
            return Err(UsageError::TargetNameLong(name).into());
        }
        if name.contains(char::is_whitespace) {
            return Err(UsageError::TargetNameSpace(name).into());
        }
        self.is_goto = is_goto;
        if !is_goto {
            match targets::find(&name, self.family)? {
                Named::Verdict(target) => self.verdict = Some(target),
                Named::Extension(extension) => self.target = Some(Pending::new(extension)),
                Named::Chain => {}
            }
        }
        self.jump = Some(name);
        Ok(())
    }

    fn counters_option(&mut self, attached: Option<String>, typed: &str, walk: &mut Getopt<'_>) -> Result<(), Error> {
        self.set_flag('c')?;
        let value = value_of(attached, typed, walk)?;
        let (packets, bytes) = match value.split_once(',') {
            Some((packets, bytes)) => (packets, bytes),
            None => (value.as_str(), walk.argument().ok_or(UsageError::NeedsCounters)?),
        };
        self.counters = Counters {
            packets: decimal(packets).ok_or(UsageError::CounterNotNumeric("packet"))?,
            bytes: decimal(bytes).ok_or(UsageError::CounterNotNumeric("byte"))?,
        };
        Ok(())
    }

    fn program(&self) -> &'static str {
        match (self.family, self.restore) {
            (Family::Ipv4, Some(_)) => "iptables-restore",
            (Family::Ipv6, Some(_)) => "ip6tables-restore",
            (family, None) => family.program(),
        }
    }

    fn help(&self, word: Option<&str>) -> Result<String, Error> {
        let mut matches: Vec<&'static Extension<Match>> = self.matches.iter().map(|pending| pending.extension).collect();
        if matches.is_empty() {
            let named = word.and_then(|name| matches::find(name, self.family).ok());
            let of_protocol = matches::of_protocol(self.header.protocol.number, self.family).transpose().ok().flatten();
            matches.extend(named.or(of_protocol));
        }
        let target = self.target.as_ref().map(|pending| pending.extension);
        Ok(help::text(self.program(), self.family, &matches, target))
    }

    /// iptables' notice that extension headers of IPv6 are never the protocol of a packet.
    fn warn_of_extension_header(&mut self, number: u8, text: &str) {
        if self.family == Family::Ipv6 && !self.invert && matches!(number, 43 | 44 | 60) {
            self.warnings.push_str(&format!("Warning: never matched protocol: {text}. use extension match instead.\n"));
        }
    }

    fn set_flag(&mut self, letter: char) -> Result<(), UsageError> {
        if self.flags.contains(&letter) {
            return Err(UsageError::MultipleFlags(letter));
        }
        if self.invert && !INVERTIBLE.contains(letter) {
            return Err(UsageError::InvertedFlag(letter));
        }
        self.flags.push(letter);
        Ok(())
    }

    fn add_command(&mut self, letter: char, beside: &str, invert: bool) -> Result<(), UsageError> {
        if invert {
            return Err(UsageError::InvertedCommand);
        }
        if let Some(other) = self.commands.iter().find(|other| !beside.contains(**other)) {
            return Err(UsageError::TwoCommands(letter, if *other == '#' { 'D' } else { *other }));
        }
        self.commands.push(letter);
        Ok(())
    }

    fn finish(mut self, walk: &Getopt<'_>) -> Result<Invocation, Error> {
        if self.wait_interval && !self.wait {
            return Err(UsageError::WaitIntervalAlone.into());
        }
        let drops = self.policy.as_deref() == Some("DROP") || self.jump.as_deref() == Some("DROP");
        if self.table == "nat" && drops {
            return Err(UsageError::DropInNat.into());
        }
        let context = context_of(self.family, self.names, &self.header);
        let matches = self.matches.iter().map(|pending| pending.finish(&context)).collect::<Result<Vec<_>, _>>()?;
        let target = self.target.as_ref().map(|pending| pending.finish(&context)).transpose()?;
        if walk.has_rest() {
            return Err(UsageError::UnknownArguments.into());
        }
        let command = *self.commands.first().ok_or(UsageError::NoCommand)?;
        if self.invert {
            return Err(UsageError::DanglingInvert.into());
        }
        let rules = if "ADICR".contains(command) {
            let target = self.take_target(target);
            self.rules(command, matches, target)?
        } else {
            Vec::new()
        };
        self.check_flags()?;
        if let Some(chain) = self.chain.as_ref().filter(|chain| chain.len() > NAME_MAX) {
            return Err(UsageError::ChainNameLong(chain.clone()).into());
        }
        let table = TableName::from_name(&self.table).ok_or_else(|| Problem::NoTable(self.table.clone()))?;
        if "ADICR".contains(command) {
            self.check_interfaces()?;
        }
        let command = self.command(command, rules)?;
        Ok(self.invocation(table, command))
    }

    fn take_target(&mut self, extension: Option<Target>) -> Target {
        match (extension.or_else(|| self.verdict.take()), &self.jump) {
            (Some(target), _) => target,
            (None, Some(name)) if self.is_goto => Target::Goto(ChainName::new(name)),
            (None, Some(name)) => Target::Jump(ChainName::new(name)),
            (None, None) => Target::None,
        }
    }

    /// One rule for each pair of addresses.
    fn rules(&self, command: char, matches: Vec<Match>, target: Target) -> Result<Vec<Rule>, UsageError> {
        let addresses = |given: &Option<(String, bool)>| match given {
            Some((text, invert)) => spec::read_addresses(text, *invert, self.family),
            None => Ok(vec![crate::AddrMatch::any(self.family)]),
        };
        let (sources, destinations) = (addresses(&self.source)?, addresses(&self.destination)?);
        let is_inverted = |given: &Option<(String, bool)>| given.as_ref().is_some_and(|(_, invert)| *invert);
        if (sources.len() > 1 || destinations.len() > 1) && (is_inverted(&self.source) || is_inverted(&self.destination)) {
            return Err(UsageError::InvertedAddressList);
        }
        let count = sources.len().saturating_mul(destinations.len());
        if command == 'R' && count != 1 {
            return Err(UsageError::ReplacementNotUnique);
        }
        if count > RULES_MAX {
            return Err(UsageError::AddressListLong(count));
        }
        let rule = Rule { counters: self.counters, slot: None, header: self.header.clone(), matches, target };
        if let ([src], [dst]) = (sources.as_slice(), destinations.as_slice()) {
            return Ok(vec![Rule { header: Header { src: *src, dst: *dst, ..rule.header }, ..rule }]);
        }
        let pairs = sources.iter().flat_map(|src| destinations.iter().map(move |dst| (*src, *dst)));
        let with = |(src, dst)| {
            let mut rule = rule.clone();
            (rule.header.src, rule.header.dst) = (src, dst);
            rule
        };
        Ok(pairs.map(with).collect())
    }

    /// Every option must be allowed by one of the commands.
    fn check_flags(&self) -> Result<(), UsageError> {
        for flag in FLAGS.chars().filter(|flag| self.flags.contains(flag)) {
            let allows = |(command, flags): &(char, &str)| self.commands.contains(command) && flags.contains(flag);
            if !ALLOWED.iter().any(allows) {
                return Err(UsageError::IllegalOption(flag));
            }
        }
        Ok(())
    }

    /// Some built-in chains have no incoming, some no outgoing interface.
    fn check_interfaces(&self) -> Result<(), UsageError> {
        let chain = self.chain.as_deref().unwrap_or("");
        let (letter, given, hook) = match Hook::from_chain_name(chain) {
            Some(hook @ (Hook::Prerouting | Hook::Input)) => ('o', self.flags.contains(&'o'), hook),
            Some(hook @ (Hook::Postrouting | Hook::Output)) => ('i', self.flags.contains(&'i'), hook),
            _ => return Ok(()),
        };
        if given { Err(UsageError::InterfaceWithChain(letter, hook.chain_name())) } else { Ok(()) }
    }

    fn command(&self, letter: char, mut rules: Vec<Rule>) -> Result<Command, UsageError> {
        let optional = self.chain.as_deref().map(ChainName::new);
        let chain = optional.clone().unwrap_or_else(|| ChainName::new(""));
        let number = self.number;
        Ok(match letter {
            'A' => Command::Append { chain, rules },
            'I' => Command::Insert { chain, number: number.unwrap_or(1), rules },
            'D' => Command::Delete { chain, rules },
            'C' => Command::Check { chain, rules },
            'R' => Command::Replace {
                chain,
                number: number.ok_or(UsageError::NeedsRuleNumber('R'))?,
                rule: Box::new(rules.pop().ok_or(UsageError::ReplacementNotUnique)?),
            },
            '#' => Command::DeleteNumber { chain, number: number.ok_or(UsageError::NeedsRuleNumber('D'))? },
            'F' => Command::Flush { chain: optional },
            'N' => Command::NewChain { chain },
            'X' => Command::DeleteChain { chain: optional },
            'E' => Command::RenameChain { old: chain, new: ChainName::new(self.new_name.as_deref().unwrap_or("")) },
            'P' => Command::Policy { chain, policy: self.policy.clone().unwrap_or_default(), counters: self.counters },
            _ => {
                let form = if self.commands.contains(&'L') {
                    Some(ShowForm::List {
                        numeric: self.flags.contains(&'n'),
                        exact: self.flags.contains(&'x'),
                        line_numbers: self.flags.contains(&'0'),
                    })
                } else {
                    self.commands.contains(&'S').then_some(ShowForm::Rules)
                };
                Command::Show(Show { chain: optional, number, form, zero: self.commands.contains(&'Z') })
            }
        })
    }
}

fn context_of<'c>(family: Family, names: &'c dyn Names, header: &Header) -> Context<'c> {
    Context { family, names, protocol: header.protocol }
}

/// How iptables names an option that it does not know: the whole word for long ones.
fn unknown_text(typed: &str, attached: Option<&str>, walk: &Getopt<'_>) -> String {
    match attached {
        Some(_) => walk.last_word().to_owned(),
        None => typed.to_owned(),
    }
}

/// The words that follow an option of an extension.
fn option_words<'a>(
    option: &Opt,
    attached: Option<&'a str>,
    typed: &str,
    walk: &mut Getopt<'a>,
) -> Result<Vec<&'a str>, UsageError> {
    let mut words = Vec::new();
    if option.word_count() > 0 {
        words.push(walk.value(attached).ok_or_else(|| UsageError::MissingArgument(typed.to_owned()))?);
    }
    if option.word_count() > 1 {
        words.push(walk.argument().ok_or(UsageError::TcpFlagsArguments)?);
    }
    Ok(words)
}

/// The value of a main option.
fn value_of(attached: Option<String>, typed: &str, walk: &mut Getopt<'_>) -> Result<String, UsageError> {
    match attached {
        Some(value) => Ok(value),
        None => walk.value(None).map(str::to_owned).ok_or_else(|| UsageError::MissingArgument(typed.to_owned())),
    }
}

/// The value of `-p -s -d -i -o -j`, which iptables 1.8.9 takes to be the whole last word, option and all if they are attached.
fn whole_value(attached: Option<String>, typed: &str, walk: &mut Getopt<'_>) -> Result<String, UsageError> {
    value_of(attached, typed, walk)?;
    Ok(walk.last_word().to_owned())
}

fn rule_number(word: &str) -> Result<u32, UsageError> {
    let number = number::whole(word, 1, i32::MAX as u64).ok_or_else(|| UsageError::RuleNumber(word.to_owned()))?;
    Ok(number as u32)
}

/// The decimal number that a text begins with.
fn decimal(text: &str) -> Option<u64> {
    let text = text.trim_start();
    text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())].parse().ok()
}

fn check_new_name(name: &str) -> Result<(), UsageError> {
    if let Some(first) = name.chars().next().filter(|c| matches!(c, '-' | '!')) {
        return Err(UsageError::ChainNameStart(first));
    }
    if targets::is_target_name(name) {
        return Err(UsageError::ChainNameClash);
    }
    if name.contains(char::is_whitespace) {
        return Err(UsageError::ChainNameSpace(name.to_owned()));
    }
    Ok(())
}
