//! `iptables-restore`: a whole text of tables, taken or refused as one.
//!
//! Lines have the meaning, and faults the words and line numbers, of iptables-restore 1.8.9. One thing is better: the real one commits
//! table by table, so a fault in the second leaves the first changed; here a fault anywhere changes nothing.
use crate::command::{Command, Host, Invocation, Outcome};
use crate::error::{Error, Problem, UsageError, VERSION};
use crate::getopt::{self, Getopt, Long, Step, Takes};
use crate::words::{SplitError, Words};
use crate::{Chain, ChainName, Counters, Family, Match, Rule, RuleSet, TableName, check, number, parse, run, targets};
use foldhash::fast::FixedState;
use std::collections::HashSet;
use std::sync::Arc;

/// Options of `iptables-restore`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `-c`: take the counters of the text.
    pub counters: bool,
    /// `-n`: keep what is there; only chains that the text names are emptied.
    pub noflush: bool,
    /// `-t`: read and check, change nothing.
    pub test: bool,
    /// `-v`.
    pub verbose: bool,
    /// `-T`: this table of the text only.
    pub table: Option<String>,
    /// The file to read in place of standard input, for the caller to open.
    pub file: Option<String>,
    /// `-h` or `-V`: print this (of `-h` it is all among [`Options::warnings`]) and nothing else.
    pub print: Option<String>,
    /// What is said on standard error before anything is read.
    pub warnings: String,
}

const LONG: &[Long] = &[
    ("counters", 'c', Takes::Nothing),
    ("verbose", 'v', Takes::Nothing),
    ("version", 'V', Takes::Nothing),
    ("test", 't', Takes::Nothing),
    ("help", 'h', Takes::Nothing),
    ("noflush", 'n', Takes::Nothing),
    ("modprobe", 'M', Takes::Value),
    ("table", 'T', Takes::Value),
    ("wait", 'w', Takes::Perhaps),
    ("wait-interval", 'W', Takes::Perhaps),
];

impl Options {
    /// Reads the words of the command line, the program's own name left out.
    pub fn parse(family: Family, words: &[String]) -> Result<Options, Error> {
        let mut options = Options::default();
        let read = options.read(family, words);
        read.map_err(|error| error.after(&options.warnings)).map(|()| options)
    }

    fn read(&mut self, family: Family, words: &[String]) -> Result<(), Error> {
        let mut walk = Getopt::new(words);
        let (mut wait, mut interval) = (false, false);
        while let Some(step) = walk.step() {
            let (letter, long, attached) = match step {
                Step::Word(file) if self.file.is_none() => {
                    self.file = Some(file.to_owned());
                    continue;
                }
                Step::Word(_) => return Err(Problem::UnknownArguments.into()),
                Step::Short(letter) => (letter, None, None),
                Step::Long(name, value) => {
                    let found = getopt::find_long(LONG, name, value.is_some()).map_err(Problem::InvalidOption)?;
                    (found.1, Some(found.0), value)
                }
            };
            let missing = || Problem::InvalidOption(getopt::missing_value(long, letter));
            match letter {
                'c' => self.counters = true,
                'n' => self.noflush = true,
                't' => self.test = true,
                'v' => self.verbose = true,
                'b' => self.warnings.push_str("-b/--binary option is not implemented\n"),
                'h' => {
                    self.warnings.push_str(&usage(program(family)));
                    self.print = Some(String::new());
                }
                'V' => self.print = Some(format!("{} {VERSION}\n", program(family))),
                'T' => self.table = Some(walk.value(attached).ok_or_else(missing)?.to_owned()),
                'M' => {
                    walk.value(attached).ok_or_else(missing)?;
                }
                // There is no lock to wait for.
                'w' => {
                    wait = true;
                    if let Some(word) = attached.or_else(|| walk.argument()) {
                        number::prefix(word).ok_or(UsageError::WaitNotNumeric).map_err(before_any_line)?;
                    }
                }
                'W' => {
                    interval = true;
                    let word = attached.or_else(|| walk.argument()).ok_or(UsageError::WaitIntervalMissing);
                    let word = word.map_err(before_any_line)?;
                    number::prefix(word).ok_or(UsageError::WaitIntervalNotNumeric).map_err(before_any_line)?;
                    self.warnings.push_str("Ignoring deprecated --wait-interval option.\n");
                }
                _ => return Err(Problem::InvalidOption(format!("invalid option -- '{letter}'")).into()),
            }
            if self.print.is_some() {
                return Ok(());
            }
        }
        if walk.has_rest() && self.file.is_none() {
            self.file = walk.value(None).map(str::to_owned);
        }
        if walk.has_rest() {
            return Err(Problem::UnknownArguments.into());
        }
        if interval && !wait { Err(Problem::WaitIntervalAlone.into()) } else { Ok(()) }
    }
}

/// The most that a text may ask to be printed: listings of many rules, asked for again and again, would take all memory.
const PRINTED_MAX: usize = 256 << 20;

/// iptables-restore says of its own options that they are in line 0.
fn before_any_line(error: UsageError) -> Error {
    Error::from(error).at_line(0)
}

fn program(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "iptables-restore",
        Family::Ipv6 => "ip6tables-restore",
    }
}

fn usage(program: &str) -> String {
    format!(
        "Usage: {program} [OPTIONS] [FILE]\n\
         \x20 -c, --counters       take the counters of the text\n\
         \x20 -v, --verbose; -V, --version\n\
         \x20 -t, --test           read and check only\n\
         \x20 -h, --help\n\
         \x20 -n, --noflush        keep what is there\n\
         \x20 -w, --wait [SECONDS], -W, --wait-interval MICROSECONDS\n\
         \x20                      taken for scripts' sake: there is no lock to wait for\n\
         \x20 -T, --table TABLE    this table of the text only\n\
         \x20 -M, --modprobe PROGRAM\n\
         \x20                      taken likewise: there is no module to load\n"
    )
}

/// Applies a restore text. The outcome's rule set has every table of the text, or, with an error, nothing was changed.
pub fn restore(set: &RuleSet, text: &str, options: &Options, host: &Host<'_>) -> Result<Outcome, Error> {
    if let Some(text) = &options.print {
        return Ok(Outcome { stdout: text.clone(), stderr: options.warnings.clone(), ..Outcome::default() });
    }
    let outcome = Outcome { stderr: options.warnings.clone(), ..Outcome::default() };
    let mut reader = Reader {
        edited: set.clone(),
        options,
        host,
        outcome,
        words: Words::default(),
        comments: HashSet::default(),
        table: None,
        is_touched: false,
        has_committed: false,
        printed_only: false,
    };
    let has_nul = text.contains('\0');
    let mut number = 0;
    for line in text.split_inclusive('\n') {
        number += 1;
        // A line feed ends the last line too; the real one wants it there, we do not.
        let owned;
        let line = if line.ends_with('\n') {
            line
        } else {
            owned = format!("{line}\n");
            &owned
        };
        // What stands behind a NUL byte is not seen, the line feed neither.
        let line = if has_nul { line.split('\0').next().unwrap_or(line) } else { line };
        if let Err(error) = reader.line(line, number) {
            return Err(error.at_line(number).after(&reader.outcome.stderr).after_output(reader.outcome.stdout));
        }
        if reader.printed_only {
            return Ok(Outcome { ruleset: None, changed: Vec::new(), ..reader.outcome });
        }
    }
    if reader.table.is_some() {
        let error = Error::from(Problem::CommitExpected).at_line(number + 1);
        return Err(error.after(&reader.outcome.stderr).after_output(reader.outcome.stdout));
    }
    let mut outcome = reader.outcome;
    if options.test {
        outcome.changed.clear();
    } else if reader.has_committed {
        outcome.ruleset = Some(reader.edited);
    }
    Ok(outcome)
}

/// Reads lines that each add a rule, as a saved table has them: the rules alone, of whatever chains.
pub fn rules(family: Family, table: TableName, text: &str, host: &Host<'_>) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    let mut words = Words::default();
    for (number, line) in (1..).zip(text.lines()) {
        let read =
            read_command(family, table, (line, number), true, host, &mut words).and_then(|invocation| match invocation.command {
                Command::Append { rules, .. } => Ok(rules),
                _ => Err(Problem::LineFailed.into()),
            });
        rules.extend(read.map_err(|error| error.at_line(number))?);
    }
    Ok(rules)
}

/// `[packets:bytes] -A ...` and every other command of a restore text.
fn read_command(
    family: Family,
    table: TableName,
    (line, number): (&str, u32),
    takes_counters: bool,
    host: &Host<'_>,
    words: &mut Words,
) -> Result<Invocation, Error> {
    let (counters, rest) = match line.strip_prefix('[') {
        None => (None, line),
        Some(line) => {
            let (counters, rest) = line.split_once(']').ok_or(UsageError::RestoreCounters(number))?;
            (
                Some(
                    counters
                        .split_once(':')
                        .filter(|(packets, _)| !packets.is_empty())
                        .ok_or(UsageError::RestoreCounters(number))?,
                ),
                rest,
            )
        }
    };
    words.clear();
    let counters = counters.filter(|_| takes_counters).map(|(packets, bytes)| ["--set-counters", packets, bytes]);
    let split = counters.into_iter().flatten().try_for_each(|word| words.push(word)).and_then(|()| words.split(rest));
    split.map_err(|error| match error {
        SplitError::WordLong => UsageError::WordLong,
        SplitError::TooManyWords => UsageError::TooManyWords,
    })?;
    parse::parse_line(family, table, words.as_slice(), host.names)
}

struct Reader<'a> {
    edited: RuleSet,
    options: &'a Options,
    host: &'a Host<'a>,
    outcome: Outcome,
    words: Words,
    /// What comments said so far: what is said again is kept once.
    comments: HashSet<Arc<str>, FixedState>,
    /// The table whose block is being read.
    table: Option<TableName>,
    /// Something was done to that table: without it, COMMIT leaves it as it is, the counters of its policies too.
    is_touched: bool,
    /// A table was committed, be it as it was.
    has_committed: bool,
    /// `-h` or `-V` stood in a line: the real one prints and stops.
    printed_only: bool,
}

impl Reader<'_> {
    fn program(&self) -> &'static str {
        program(self.edited.family)
    }

    fn line(&mut self, line: &str, number: u32) -> Result<(), Error> {
        if line == "\n" {
            return Ok(());
        }
        if line.starts_with('#') {
            if self.options.verbose {
                self.outcome.stdout.push_str(line);
            }
            return Ok(());
        }
        match self.table {
            Some(table) if line == "COMMIT\n" => self.commit(table),
            Some(table) => match line.strip_prefix(':') {
                Some(rest) => self.chain(table, rest, number),
                None => self.command(table, line, number),
            },
            None => match line.strip_prefix('*') {
                Some(rest) => self.begin(rest, number),
                None if self.options.table.is_some() => Ok(()),
                None => Err(Problem::LineFailed.into()),
            },
        }
    }

    /// `*table`
    fn begin(&mut self, rest: &str, number: u32) -> Result<(), Error> {
        let program = self.program();
        let mut words = rest.split([' ', '\t', '\n']).filter(|word| !word.is_empty());
        let name = words.next().ok_or(UsageError::RestoreTableName(program, number))?;
        if self.options.table.as_deref().is_some_and(|only| only != name) {
            return Ok(());
        }
        let table = TableName::from_name(name).ok_or_else(|| UsageError::RestoreTable(program, name.to_owned()))?;
        self.table = Some(table);
        self.is_touched = false;
        let contents = self.edited.table_mut(table);
        if !self.options.noflush {
            if self.options.verbose {
                for chain in contents.chains() {
                    self.outcome.stdout.push_str(&format!("Flushing chain `{}'\n", chain.name));
                }
                for chain in contents.user_chains() {
                    self.outcome.stdout.push_str(&format!("Deleting chain `{}'\n", chain.name));
                }
            }
            contents.clear();
            self.touch(table);
        }
        Ok(())
    }

    /// Before the first change to a table: policies that are not set again begin to count anew.
    fn touch(&mut self, table: TableName) {
        if !self.is_touched {
            self.is_touched = true;
            self.edited.table_mut(table).reset_policy_counters(None);
        }
    }

    /// `:CHAIN POLICY [packets:bytes]`
    fn chain(&mut self, table: TableName, rest: &str, number: u32) -> Result<(), Error> {
        let program = self.program();
        let mut words = rest.split([' ', '\t', '\n']).filter(|word| !word.is_empty());
        let name = words.next().ok_or(UsageError::RestoreChainMissing(program, number))?;
        if name.len() > parse::NAME_MAX {
            return Err(UsageError::RestoreChainName(name.to_owned()).into());
        }
        parse::check_writable(name)?;
        let is_builtin = self.edited.table_mut(table).chain(name).is_some_and(Chain::is_builtin);
        if !is_builtin {
            self.touch(table);
        }
        let contents = self.edited.table_mut(table);
        match contents.chain_mut(name) {
            Some(chain) if chain.is_builtin() => {}
            Some(chain) if self.options.noflush => chain.rules.clear(),
            Some(_) => return Err(UsageError::RestoreChainExists(name.to_owned()).into()),
            None if targets::is_target_name(name) => {
                return Err(UsageError::RestoreChainExists(name.to_owned()).into());
            }
            None => {
                contents.add_chain(ChainName::new(name));
            }
        }
        let policy = words.next().ok_or(UsageError::RestorePolicy(program, number))?;
        if policy == "-" {
            return Ok(());
        }
        let mut counters = Counters::default();
        if self.options.counters {
            let read = words.next().and_then(read_counters);
            counters = read.ok_or_else(|| UsageError::RestorePolicyCounters(name.to_owned()))?;
        }
        self.touch(table);
        run::set_policy(self.edited.table_mut(table), name, policy, counters)
            .map_err(|reason| Problem::SetPolicy { policy: policy.to_owned(), chain: name.to_owned(), reason }.into())
    }

    fn command(&mut self, table: TableName, line: &str, number: u32) -> Result<(), Error> {
        let (family, takes_counters) = (self.edited.family, self.options.counters);
        let mut invocation = read_command(family, table, (line, number), takes_counters, self.host, &mut self.words)?;
        self.outcome.stderr.push_str(&invocation.warnings);
        // As the real one: it says rules again only where it empties tables.
        if self.options.verbose && !self.options.noflush {
            invocation.verbose = invocation.verbose.max(1);
        }
        self.printed_only = matches!(invocation.command, Command::Print(_));
        self.share_comments(&mut invocation.command);
        if invocation.command.changes() {
            self.touch(table);
        }
        invocation.edit(self.edited.table_mut(table), self.host, &mut self.outcome.stdout)?;
        if self.outcome.stdout.len() > PRINTED_MAX {
            self.outcome.stdout.clear();
            return Err(UsageError::TooMuchPrinted(PRINTED_MAX).into());
        }
        Ok(())
    }

    /// Many rules have the same words about them, of one service for example.
    fn share_comments(&mut self, command: &mut Command) {
        let rules = match command {
            Command::Append { rules, .. } | Command::Insert { rules, .. } => rules.as_mut_slice(),
            Command::Replace { rule, .. } => std::slice::from_mut(&mut **rule),
            _ => return,
        };
        for test in rules.iter_mut().flat_map(|rule| rule.matches.iter_mut()) {
            let Match::Comment(comment) = test else { continue };
            match self.comments.get(&comment.text) {
                Some(shared) => comment.text = Arc::clone(shared),
                None => drop(self.comments.insert(Arc::clone(&comment.text))),
            }
        }
    }

    fn commit(&mut self, table: TableName) -> Result<(), Error> {
        check::check_table(self.edited.table_mut(table))?;
        self.has_committed = true;
        if self.is_touched && !self.outcome.changed.contains(&table) {
            self.outcome.changed.push(table);
            self.outcome.changed.sort();
        }
        self.table = None;
        Ok(())
    }
}

/// `[packets:bytes]`; what stands behind the second number is not looked at, a closing bracket neither.
fn read_counters(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.strip_prefix('[')?.split_once(':')?;
    let end = bytes.char_indices().find(|(at, letter)| !letter.is_ascii_digit() && (*at > 0 || *letter != '+'));
    let bytes = &bytes[..end.map_or(bytes.len(), |(at, _)| at)];
    Some(Counters { packets: packets.parse().ok()?, bytes: bytes.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Builtin;

    #[test]
    fn what_rules_say_again_is_kept_once() {
        let text = "*filter\n:to - [0:0]\n-A INPUT -m comment --comment \"of one\" -j to\n\
                    -A INPUT -m comment --comment other -g to\n-I INPUT 1 -m comment --comment \"of one\" -j to\n\
                    -R INPUT 2 -m comment --comment other -j to\nCOMMIT\n";
        let host = Host { names: &Builtin, live: None };
        let set = restore(&RuleSet::new(Family::Ipv4), text, &Options::default(), &host).unwrap().ruleset.unwrap();
        let table = set.table(TableName::Filter).unwrap();
        let (chain, own) = (table.chain("INPUT").unwrap(), &table.chain("to").unwrap().name);
        for rule in &chain.rules {
            assert!(std::ptr::eq(rule.target.chain().unwrap().as_str(), own.as_str()), "{rule:?}");
        }
        let comments: Vec<&Arc<str>> = chain
            .rules
            .iter()
            .map(|rule| match &rule.matches[0] {
                Match::Comment(comment) => &comment.text,
                other => unreachable!("{other:?}"),
            })
            .collect();
        assert_eq!(comments.iter().map(|text| &***text).collect::<Vec<_>>(), ["of one", "other", "other"]);
        assert!(Arc::ptr_eq(comments[1], comments[2]));
        assert_eq!(Arc::strong_count(comments[0]), 1, "nothing else keeps it");
    }

    #[test]
    fn a_rule_of_very_many_words_reads_back_as_it_is_saved() {
        let host = Host { names: &Builtin, live: None };
        let words = |count: usize| -> Vec<String> {
            ["-A", "INPUT"].into_iter().chain((0..count).flat_map(|_| ["-m", "limit"])).map(str::to_owned).collect()
        };
        let most = parse::parse(Family::Ipv4, &words(1_024), &Builtin).unwrap();
        let set = most.run(&RuleSet::new(Family::Ipv4), &host).unwrap().ruleset.unwrap();
        let options = crate::save::Options { counters: true, ..Default::default() };
        let saved = |set: &RuleSet| crate::save::save(set, &options, None, &host).unwrap();
        let back = restore(&set, &saved(&set), &Options { counters: true, ..Options::default() }, &host).unwrap();
        assert_eq!(saved(&back.ruleset.unwrap()), saved(&set));
        let refused = parse::parse(Family::Ipv4, &words(1_025), &Builtin).unwrap_err();
        assert_eq!(refused.problem, UsageError::TooManyMatches(1_024).into());
    }

    #[test]
    fn a_text_cannot_have_so_much_printed_that_memory_ends() {
        let host = Host { names: &Builtin, live: None };
        let comments = format!("-m comment --comment {} ", "x".repeat(255)).repeat(1_000);
        let text = |listings: usize| format!("*filter\n-A INPUT {comments}\n{}COMMIT\n", "-L -n\n".repeat(listings));
        let read = |listings| restore(&RuleSet::new(Family::Ipv4), &text(listings), &Options::default(), &host);
        assert!(read(2).unwrap().stdout.len() > 500_000);
        let refused = read(1_100).unwrap_err();
        assert_eq!(refused.problem, UsageError::TooMuchPrinted(PRINTED_MAX).into());
        assert_eq!(refused.stdout, "");
    }

    #[test]
    fn a_line_feed_in_a_text_is_refused_as_it_could_not_be_restored() {
        let host = Host { names: &Builtin, live: None };
        for rule in [
            "-m comment --comment",
            "-m helper --helper",
            "-m nfacct --nfacct-name",
            "-m cgroup --path",
            "-m recent --set --name",
            "-m set --match-set",
            "-m hashlimit --hashlimit-upto 1/s --hashlimit-name",
            "-j LOG --log-prefix",
            "-j NFLOG --nflog-prefix",
            "-j LED --led-trigger-id",
            "-i",
            "-j",
        ] {
            // The quote is not closed, so the line feed is of the text.
            let text = format!("*filter\n-A INPUT {rule} \"a b\nCOMMIT\n");
            let refused = restore(&RuleSet::new(Family::Ipv4), &text, &Options::default(), &host);
            assert_eq!(refused.map_err(|error| error.exit_code()), Err(2), "{rule}");
        }
    }
}
