//! Carrying out commands: one, or a text of them.
use rules::names::Names;

use crate::batch::{Batch, Line};
use crate::change::{self, Change};
use crate::command::{self, Name, Takes};
use crate::element::{NAME_MAX, Printing, Reading, Written, push_address, set_name};
use crate::fault::{Fault, PROGRAM, Refusal};
use crate::list::reference;
use crate::options::{self, Given, Verb};
use crate::print::{Listing, Shown};
use crate::set::{Members, Set, When};
use crate::store::Sets;
use crate::types::{Storage, Type};
use crate::walk::Stop;
use crate::words::{Mode, Output, push_words, reads_back, split};
use crate::{fault, help};

/// What commands ask of whoever runs them.
pub struct Host<'a> {
    /// Names of protocols and services.
    pub names: &'a dyn Names,
    /// Milliseconds since 1970.
    pub now: u64,
    /// Any number: sets that are created without one show it.
    pub initval: u32,
    /// How many rules refer to a set.
    pub references: &'a dyn Fn(&str) -> u64,
    /// Whoever asks may change sets.
    pub may_change: bool,
    /// Commands are typed one by one.
    pub is_interactive: bool,
    /// Somebody wants to know what they change ([`Said::edits`]).
    pub tells: bool,
}

impl<'a> Host<'a> {
    /// Of commands that were carried out once.
    fn of_store(names: &'a dyn Names, now: u64) -> Self {
        Self { names, now, initval: 0, references: &|_| 0, may_change: true, is_interactive: false, tells: false }
    }
}

/// What a command said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What the program exits with.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// What it changed, as commands that change the same again, one by one and at the same time of day.
    pub changes: String,
    /// The same, element by element.
    pub edits: Vec<Change>,
}

/// Carries out one command; `text` is what `restore` reads.
pub fn run(sets: &mut Sets, words: &[String], text: &str, host: &Host<'_>) -> Said {
    let mut session = Session::new(sets, host);
    let outcome = session.line(words).and_then(|flow| match flow {
        Flow::Restore => session.restore(text),
        _ => Ok(()),
    });
    session.end(outcome)
}

/// May a command show what elements have counted? `text` is what `restore` reads.
pub fn shows(words: &[String], text: &str) -> bool {
    let mut output = Output::default();
    let words = output.take(words);
    let name = words.ok().and_then(|words| command::find(words.first()?));
    match name {
        Some(Name::List | Name::Save) => true,
        Some(Name::Restore) => text.lines().any(|line| line.trim_start().starts_with(['l', 's', '-'])),
        _ => false,
    }
}

/// All sets as commands that make them anew; timeouts are counted from now on, and what has lost part of a second has it back.
pub fn kept(sets: &Sets, names: &dyn Names, now: u64) -> String {
    let mut text = String::new();
    let output = Output::default();
    let shown = sets.iter().map(|(name, set)| Shown { name, set, references: 0 });
    let now = now.saturating_sub(999);
    Listing { mode: Mode::Save, output: &output, names, now }.push(shown, &mut text);
    text
}

/// Makes the sets that were [`kept`], from whose time on timeouts are counted.
///
/// # Errors
/// What is wrong with the text, by the number of its line.
pub fn load(sets: &mut Sets, text: &str, names: &dyn Names, now: u64) -> Result<(), String> {
    let host = Host::of_store(names, now);
    let mut session = Session { is_kept: true, ..Session::new(sets, &host) };
    let outcome = session.restore(text);
    let said = session.end(outcome);
    if said.exit == 0 { Ok(()) } else { Err(said.stderr.trim_end().replace('\n', " ")) }
}

/// Does again what commands have done ([`Said::changes`]). `now`: when they did it. Says which lines are not understood any more, and
/// why: a service's name may mean nothing by now.
pub fn again(sets: &mut Sets, text: &str, names: &dyn Names, now: u64) -> Vec<String> {
    let host = Host::of_store(names, now);
    let lost = |line: &str, sets: &mut Sets| match Session::new(sets, &host).line(&split(line)) {
        Err(fault) if fault.is_of_words() => Some(format!("\"{line}\": {}", fault.message(None).trim_end())),
        // A range that met an element which was there had an end there the first time as well.
        Ok(_) | Err(_) => None,
    };
    text.lines().filter_map(|line| lost(line, sets)).collect()
}

/// What comes behind a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    /// The text of `restore`.
    Restore,
    /// Nothing: the rest is not looked at.
    End,
}

struct Session<'a> {
    sets: &'a mut Sets,
    host: &'a Host<'a>,
    output: Output,
    said: Said,
    /// The line of the text; 0 outside.
    number: usize,
    batch: Option<Batch>,
    /// What is read was [`kept`].
    is_kept: bool,
}

impl<'a> Session<'a> {
    fn new(sets: &'a mut Sets, host: &'a Host<'a>) -> Session<'a> {
        Session { sets, host, output: Output::default(), said: Said::default(), number: 0, batch: None, is_kept: false }
    }

    fn end(mut self, outcome: Result<(), Fault>) -> Said {
        if let Err(fault) = outcome {
            self.said.exit = fault.exit_code();
            let number = (self.number > 0).then_some(self.number);
            if !self.output.quiet {
                self.said.stderr.push_str(&fault.message(number));
            }
        }
        self.said
    }

    fn restore(&mut self, text: &str) -> Result<(), Fault> {
        for (at, line) in text.lines().enumerate() {
            self.number = at + 1;
            // What stands behind a NUL byte is not seen.
            let line = line.split('\0').next().unwrap_or(line).trim_start();
            if line.is_empty() || line.starts_with('#') || line.trim_end() == "COMMIT" {
                continue;
            }
            if self.line(&split(line))? == Flow::End {
                break;
            }
        }
        self.commit()
    }

    /// One command.
    fn line(&mut self, words: &[String]) -> Result<Flow, Fault> {
        let words = self.output.take(words)?;
        let Some((first, rest)) = words.split_first() else {
            if self.host.is_interactive {
                self.said.stdout.push_str("No command specified\n");
                return Ok(Flow::Next);
            }
            return Err(Fault::Usage("No command specified.".into()));
        };
        let entry = command::entry_of(first);
        let entry = entry.ok_or_else(|| Fault::Usage(format!("No command specified: unknown argument {first}")))?;
        let name = entry.words[0];
        if self.number > 0 && matches!(entry.name, Name::Restore | Name::Version | Name::Help) {
            return Err(Fault::Usage(format!("Command `{name}' is invalid in restore mode.")));
        }
        if self.host.is_interactive && entry.name == Name::Restore {
            return Err(Fault::Usage("Restore command is not supported in interactive mode".into()));
        }
        let missing = |which: &str| Fault::Usage(format!("Missing {which} argument to command {name}"));
        let at_least = match entry.takes {
            Takes::Two => 2,
            Takes::Nothing | Takes::MayOne => 0,
        };
        if at_least > 0 && rest.is_empty() {
            return Err(missing("mandatory"));
        }
        if rest.len() < at_least {
            return Err(missing("second mandatory"));
        }
        self.command(entry.name, rest)
    }

    fn command(&mut self, name: Name, words: &[String]) -> Result<Flow, Fault> {
        match name {
            Name::Create => self.create(words)?,
            Name::Add => return self.element(Verb::Add, words),
            Name::Del => return self.element(Verb::Del, words),
            Name::Test => return self.element(Verb::Test, words),
            Name::Destroy => self.destroy(words)?,
            Name::Flush => self.flush(words)?,
            Name::List => self.list(words, Mode::Plain)?,
            Name::Save => self.list(words, Mode::Save)?,
            Name::Rename => self.rename(words)?,
            Name::Swap => self.swap(words)?,
            Name::Help => self.help(words)?,
            Name::Version => self.said.stdout.push_str(&format!("{PROGRAM}, protocol version: 7\n")),
            Name::Quit => return Ok(Flow::End),
            Name::Restore => {
                behind(words, 0)?;
                return Ok(Flow::Restore);
            }
        }
        Ok(Flow::Next)
    }

    fn may_change(&self) -> Result<(), Fault> {
        if self.host.may_change { Ok(()) } else { Err(Refusal::Denied.into()) }
    }

    fn changed<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) {
        push_words(words, &mut self.said.changes);
        self.said.changes.push('\n');
    }

    fn create(&mut self, words: &[String]) -> Result<(), Fault> {
        let (name, kind) = (&words[0], &words[1]);
        set_name(name)?;
        if kind.len() > NAME_MAX {
            return Err(Fault::syntax(format_args!("typename '{kind}' is longer than {NAME_MAX} characters")));
        }
        let kind = Type::named(kind).ok_or_else(|| Fault::syntax(format_args!("typename '{kind}' is unknown")))?;
        let (header, warnings) = options::create(kind, &words[2..], self.host.names, self.host.initval)?;
        self.commit()?;
        self.may_change()?;
        let warnings = if self.output.quiet { String::new() } else { warnings };
        if let Some(set) = self.sets.get(name) {
            if !self.output.exist || !set.is_like(kind, &header) {
                return Err(Refusal::SetExists.into());
            }
            self.said.stderr.push_str(&warnings);
            return Ok(());
        }
        restorable(name)?;
        self.sets.insert(name, Set::new(kind, header))?;
        self.said.stderr.push_str(&warnings);
        let line = self.as_command(name);
        self.said.changes.push_str(&line);
        if let Some(set) = self.sets.get(name).filter(|_| self.host.tells) {
            self.said.edits.push(Change::Created(name.clone(), change::outline(set)));
        }
        Ok(())
    }

    /// A set without elements, as a command that creates it.
    fn as_command(&self, name: &str) -> String {
        let mut text = String::new();
        let output = Output::default();
        let listing = Listing { mode: Mode::Save, output: &output, names: self.host.names, now: self.host.now };
        let set = self.sets.get(name).map(|set| Shown { name, set, references: 0 });
        listing.push(set.into_iter(), &mut text);
        text
    }

    fn element(&mut self, verb: Verb, words: &[String]) -> Result<Flow, Fault> {
        let name = &words[0];
        set_name(name)?;
        let set = self.sets.get(name).ok_or(Refusal::NoSet)?;
        let (kind, family) = (set.kind, set.header.family);
        let reading = Reading { kind, family, names: self.host.names, command: verb.name() };
        let written = reading.element(&words[1])?;
        let given = options::given(kind, verb, &words[2..], written.reference.is_some())?;
        allowed(kind, family, verb, &written)?;
        if verb == Verb::Test {
            self.commit()?;
            return self.test(name, &written, &given);
        }
        self.may_change()?;
        let text = line_of(verb, words);
        let line = Line { number: self.number, written, given, text };
        if self.number == 0 {
            self.apply(verb, name, &line, self.output.exist)?;
            return Ok(Flow::Next);
        }
        let is_next = self.batch.as_ref().is_some_and(|batch| batch.takes(verb, name) && batch.has_room(&line, family));
        if !is_next {
            self.commit()?;
        }
        let exist = self.output.exist;
        self.batch.get_or_insert_with(|| Batch::new(verb, name, exist)).push(line, family);
        Ok(Flow::Next)
    }

    /// Does what waits.
    fn commit(&mut self) -> Result<(), Fault> {
        let Some(batch) = self.batch.take() else { return Ok(()) };
        for line in &batch.lines {
            if let Err(fault) = self.apply(batch.verb, &batch.set, line, batch.exist) {
                self.number = line.number;
                return Err(fault);
            }
        }
        Ok(())
    }

    fn apply(&mut self, verb: Verb, name: &str, line: &Line, exist: bool) -> Result<(), Fault> {
        let when = When { now: self.host.now, exist, is_kept: self.is_kept };
        if exist {
            self.said.changes.push_str("-exist ");
        }
        // An element may have come in before one that was refused.
        self.said.changes.push_str(&line.text);
        self.said.changes.push('\n');
        let is_list = self.sets.get(name).is_some_and(|set| set.kind.storage == Storage::List);
        if is_list {
            self.apply_to_list(verb, name, line, when)?;
            if let Some(set) = self.sets.get(name).filter(|_| self.host.tells) {
                self.said.edits.push(change::listed(name, set, when.now));
            }
            return Ok(());
        }
        let set = self.sets.get_mut(name).ok_or(Refusal::NoSet)?;
        set.tell_from_now_on(self.host.tells);
        let done = match verb {
            Verb::Del => set.delete(&line.written, when),
            _ => set.add(&line.written, &line.given, when),
        };
        let touched = set.touched();
        if !touched.is_empty() {
            let became = change::touched(set, &touched, when.now);
            match self.said.edits.last_mut() {
                Some(Change::Elements(last, all)) if last == name => all.extend(became),
                _ => self.said.edits.push(Change::Elements(name.to_owned(), became)),
            }
        }
        done.map_err(|stop| match stop {
            Stop::Refused(refusal) => refusal.into(),
            Stop::TooMany => Refusal::TooWide.into(),
        })
    }

    fn apply_to_list(&mut self, verb: Verb, name: &str, line: &Line, when: When) -> Result<(), Refusal> {
        let (written, given) = (&line.written, &line.given);
        let other = reference(written, given);
        if verb == Verb::Add {
            given.check(&self.sets.get(name).ok_or(Refusal::NoSet)?.header)?;
        }
        let member = self.sets.get(&written.set).ok_or(Refusal::ListNoSet)?;
        if member.kind.storage == Storage::List {
            return Err(Refusal::ListInList);
        }
        if other.is_some_and(|(_, other)| self.sets.get(other).is_none()) {
            return Err(Refusal::ListNoReference);
        }
        let set = self.sets.get_mut(name).ok_or(Refusal::NoSet)?;
        set.expire(when.now);
        let Set { header, members: Members::List(list), .. } = set else { return Ok(()) };
        match verb {
            Verb::Del => list.delete(&written.set, other, when),
            _ => list.add(header, &written.set, other, given, when),
        }
    }

    fn test(&mut self, name: &str, written: &Written, given: &Given) -> Result<Flow, Fault> {
        let now = self.host.now;
        let set = self.sets.get_mut(name).ok_or(Refusal::NoSet)?;
        let mut text = String::new();
        let is_in = match &mut set.members {
            Members::List(_) => {
                set.expire(now);
                let other = reference(written, given);
                text.push_str(&written.set);
                if let Some((_, other)) = other {
                    // Whichever it was.
                    text.push_str(&format!(" after {other}"));
                }
                matches!(&set.members, Members::List(list) if list.test(&written.set, other))
            }
            Members::Table(_) => {
                let family = set.header.family;
                let printing = Printing { kind: set.kind, family, names: self.host.names, bridge_ports: false };
                printing.push(&written.first, written.has_mac.then_some(written.first.mac), &mut text);
                if let (1, Some(to)) = (set.kind.dimensions.len(), written.ip_to[0]) {
                    text.push('-');
                    push_address(to, family, &mut text);
                }
                set.test(written, given, now)
            }
        };
        match (is_in, self.number > 0) {
            (true, _) if self.output.quiet => {}
            (true, _) => self.said.stderr.push_str(&format!("Warning: {text} is in set {name}.\n")),
            // Nothing is said of it within a text, and the rest is not looked at.
            (false, true) => return Ok(Flow::End),
            (false, false) => {
                self.said.exit = 1;
                if !self.output.quiet {
                    self.said.stderr.push_str(&format!("{text} is NOT in set {name}.\n"));
                }
            }
        }
        Ok(Flow::Next)
    }

    /// The one set that may be named, if it is there.
    fn one(&mut self, words: &[String]) -> Result<Option<String>, Fault> {
        let name = words.first().map(|name| set_name(name).map(String::from)).transpose()?;
        behind(words, 1)?;
        self.commit()?;
        Ok(name)
    }

    fn destroy(&mut self, words: &[String]) -> Result<(), Fault> {
        let name = self.one(words)?;
        self.may_change()?;
        match name {
            None => {
                let names: Vec<String> = self.sets.iter().map(|(name, _)| name.to_owned()).collect();
                if names.iter().any(|name| self.references(name) > 0) {
                    return Err(Refusal::InUse.into());
                }
                self.sets.clear();
                self.changed(["destroy"]);
                self.said.edits.extend(names.into_iter().rev().map(Change::Destroyed));
            }
            Some(name) => {
                if self.sets.get(&name).is_none() {
                    return if self.output.exist { Ok(()) } else { Err(Refusal::NoSet.into()) };
                }
                if self.references(&name) > 0 {
                    return Err(Refusal::InUse.into());
                }
                self.sets.remove(&name);
                self.changed(["destroy", &name]);
                self.said.edits.push(Change::Destroyed(name));
            }
        }
        Ok(())
    }

    fn references(&self, name: &str) -> u64 {
        (self.host.references)(name) + self.sets.lists_with(name)
    }

    fn flush(&mut self, words: &[String]) -> Result<(), Fault> {
        let name = self.one(words)?;
        self.may_change()?;
        match name {
            None => {
                self.sets.iter_mut().for_each(Set::flush);
                self.changed(["flush"]);
                let names = self.sets.iter().map(|(name, _)| Change::Flushed(name.to_owned()));
                self.said.edits.extend(names);
            }
            Some(name) => {
                self.sets.get_mut(&name).ok_or(Refusal::NoSet)?.flush();
                self.changed(["flush", &name]);
                self.said.edits.push(Change::Flushed(name));
            }
        }
        Ok(())
    }

    fn list(&mut self, words: &[String], default: Mode) -> Result<(), Fault> {
        let name = self.one(words)?;
        let names = match name {
            Some(name) if self.sets.get(&name).is_none() => return Err(Refusal::NoSet.into()),
            Some(name) => vec![name],
            None => self.sets.iter().map(|(name, _)| name.to_owned()).collect(),
        };
        let mode = self.output.mode.unwrap_or(default);
        let now = self.host.now;
        for name in &names {
            if let Some(set) = self.sets.get_mut(name) {
                set.expire(now);
            }
        }
        let shown = names.iter().filter_map(|name| {
            let set = self.sets.get(name)?;
            let references = if mode == Mode::Save { 0 } else { self.references(name) };
            Some(Shown { name, set, references })
        });
        let mut text = String::new();
        Listing { mode, output: &self.output, names: self.host.names, now }.push(shown, &mut text);
        self.said.stdout.push_str(&text);
        Ok(())
    }

    /// The two sets that have to be named.
    fn two(&mut self, words: &[String]) -> Result<(String, String), Fault> {
        let (one, other) = (set_name(&words[0])?, set_name(&words[1])?);
        behind(words, 2)?;
        self.commit()?;
        self.may_change()?;
        if self.sets.get(&one).is_none() {
            return Err(Refusal::NoSet.into());
        }
        Ok((one.into(), other.into()))
    }

    fn rename(&mut self, words: &[String]) -> Result<(), Fault> {
        let (from, to) = self.two(words)?;
        if self.references(&from) > 0 {
            return Err(Refusal::RenameInUse.into());
        }
        if self.sets.get(&to).is_some() {
            return Err(Refusal::RenameToOther.into());
        }
        restorable(&to)?;
        self.sets.rename(&from, &to);
        self.changed(["rename", &from, &to]);
        self.said.edits.push(Change::Renamed(from, to));
        Ok(())
    }

    fn swap(&mut self, words: &[String]) -> Result<(), Fault> {
        let (one, other) = self.two(words)?;
        let (Some(first), second) = (self.sets.get(&one), self.sets.get(&other)) else { return Ok(()) };
        if !first.may_swap(second.ok_or(Refusal::NoSecondSet)?) {
            return Err(Refusal::SwapTypes.into());
        }
        self.sets.swap(&one, &other);
        self.changed(["swap", &one, &other]);
        self.said.edits.push(Change::Swapped(one, other));
        Ok(())
    }

    fn help(&mut self, words: &[String]) -> Result<(), Fault> {
        let Some(name) = words.first() else {
            help::push(None, self.host.is_interactive, &mut self.said.stdout);
            return Ok(());
        };
        let kind = Type::named(name);
        help::push(kind, true, &mut self.said.stdout);
        match kind {
            Some(_) => Ok(()),
            None => Err(fault::Fault::Usage(format!("Unknown settype: `{name}'"))),
        }
    }
}

/// Refuses what stands behind so many words.
fn behind(words: &[String], taken: usize) -> Result<(), Fault> {
    match words.get(taken) {
        None => Ok(()),
        Some(word) => Err(Fault::Usage(format!("Unknown argument {word}"))),
    }
}

/// Refuses a name that a saved text could not have.
fn restorable(name: &str) -> Result<(), Fault> {
    if reads_back(name) { Ok(()) } else { Err(Fault::syntax(format_args!("setname {name:?} could not be restored"))) }
}

/// The words of a command that changes an element. What a text would leave out, it says nothing of.
fn line_of(verb: Verb, words: &[String]) -> String {
    let mut line = String::from(verb.name());
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        if word == "comment" && words.peek() == Some(&"") {
            words.next();
        } else {
            push_words([word], &mut line);
        }
    }
    line
}

/// Refuses several elements where one is meant.
fn allowed(kind: &Type, family: Option<rules::Family>, verb: Verb, written: &Written) -> Result<(), Fault> {
    use crate::types::{Dimension, Several};
    let is_test = verb == Verb::Test;
    // Alone in a hash, an address stands for the range or network that it begins when it is tested.
    let is_alone = kind.storage == Storage::Hash && kind.dimensions.len() == 1;
    let places = kind.dimensions.iter().filter(|part| matches!(part, Dimension::Address(_) | Dimension::Net { .. }));
    let refused = |what: &str| {
        let (command, name, family) = (verb.name(), kind.name, Type::family_name(family));
        Err(Fault::Failed(format!("{what} is not allowed in command {command} with set type {name} and family {family}")))
    };
    for (at, place) in places.enumerate() {
        let is_net = matches!(place, Dimension::Net { .. });
        let is_one = matches!(place, Dimension::Address(Several::Never | Several::Refused));
        if written.prefix[at].is_some() && !is_net && (is_one || is_test && !is_alone) {
            return refused("IP/CIDR range");
        }
        // A range in the second place is not seen, and means its first address.
        let is_seen = at == 0 && (is_net || !is_alone);
        if written.ip_to[at].is_some() && (is_one || is_test && is_seen) {
            return refused("FROM-TO IP range");
        }
    }
    if is_test && written.port_to.is_some() {
        return refused("FROM-TO port range");
    }
    Ok(())
}
