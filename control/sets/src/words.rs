//! Lines to words, and the words that concern the program and not the command.
use crate::command::{self, Name};
use crate::fault::Fault;

/// Parts a line as ipset does: blanks part words, `"` begins and ends text that they do not part. An empty word is none, and neither is one whose
/// quotes are not closed.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_ascii_whitespace() && !is_quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() && !is_quoted {
        words.push(word);
    }
    words
}

/// The text reads back as one word where it is printed without quotes, here and as the name of a set in a rule.
pub(crate) fn reads_back(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\'))
}

/// Adds words to a line, from which [`split`] makes them again.
pub(crate) fn push_words<'a>(words: impl IntoIterator<Item = &'a str>, line: &mut String) {
    for word in words {
        if !line.is_empty() && !line.ends_with(['\n', ' ']) {
            line.push(' ');
        }
        if word.contains(char::is_whitespace) {
            line.push_str(&format!("\"{word}\""));
        } else {
            line.push_str(word);
        }
    }
}

/// How sets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Plain,
    Save,
    Xml,
}

/// What is asked of the program, whatever the command is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub(crate) mode: Option<Mode>,
    pub(crate) sorted: bool,
    pub(crate) names: bool,
    pub(crate) terse: bool,
    pub(crate) resolve: bool,
    pub(crate) quiet: bool,
    pub(crate) exist: bool,
    pub(crate) file: Option<String>,
}

impl Output {
    /// Takes these words out, wherever they stand.
    pub(crate) fn take(&mut self, words: &[String]) -> Result<Vec<String>, Fault> {
        let mut rest = Vec::with_capacity(words.len());
        let mut words = words.iter();
        // It counts for what is wrong before it, too.
        self.quiet |= words.as_slice().iter().any(|word| matches!(word.as_str(), "-q" | "-quiet" | "--quiet"));
        while let Some(word) = words.next() {
            let mut value = |option: &str| {
                let missing = || Fault::Usage(format!("Missing mandatory argument to option {option}"));
                words.next().ok_or_else(missing)
            };
            match word.as_str() {
                "-o" | "-output" | "--output" => {
                    self.mode = Some(match value("-o")?.as_str() {
                        "plain" => Mode::Plain,
                        "save" => Mode::Save,
                        "xml" => Mode::Xml,
                        other => return Err(Fault::syntax(format_args!("unknown output mode '{other}'"))),
                    });
                }
                "-f" | "-file" | "--file" => {
                    let file = value("-f")?.clone();
                    if self.file.replace(file).is_some() {
                        return Err(Fault::Usage("-file option cannot be used when full io is activated".into()));
                    }
                }
                "-s" | "-sorted" | "--sorted" => self.sorted = true,
                "-q" | "-quiet" | "--quiet" => {}
                "-r" | "-resolve" | "--resolve" => self.resolve = true,
                "-!" | "-exist" | "--exist" => self.exist = true,
                "-n" | "-name" | "--name" => self.names = true,
                "-t" | "-terse" | "--terse" => self.terse = true,
                _ => rest.push(word.clone()),
            }
        }
        Ok(rest)
    }
}

/// What a command line needs of its caller, whose files and standard input are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Nothing but an answer.
    Ask,
    /// Listings go into this file.
    Into(String),
    /// Commands come from this file, or from standard input.
    Restore(Option<String>),
    /// Commands come from standard input, and each is answered at once.
    Interactive,
}

impl Plan {
    /// Whether a line that was typed ends it all.
    pub fn is_end(words: &[String]) -> bool {
        let rest = Output::default().take(words).unwrap_or_default();
        rest.first().and_then(|word| command::find(word)) == Some(Name::Quit)
    }

    /// That of these words, which may be no command at all.
    pub fn of(words: &[String]) -> Plan {
        let mut output = Output::default();
        let Ok(rest) = output.take(words) else { return Plan::Ask };
        let Some(word) = rest.first() else { return Plan::Ask };
        if word == "-" {
            return Plan::Interactive;
        }
        match (command::find(word), output.file) {
            (Some(Name::Restore), file) if rest.len() == 1 => Plan::Restore(file),
            (Some(Name::List | Name::Save), Some(file)) => Plan::Into(file),
            _ => Plan::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together_and_what_is_not_closed_is_left_out() {
        for (line, words) in [
            ("add a \"b c\"  d\n", &["add", "a", "b c", "d"][..]),
            ("x\"y z\"w \"\" 'a b'", &["xy zw", "'a", "b'"]),
            ("comment \"d\"e\" f\"", &["comment", "de f"]),
            ("comment \"x\\\" y\"", &["comment", "x\\"]),
            ("comment \"a b", &["comment"]),
            (" \t ", &[]),
        ] {
            assert_eq!(split(line), words, "{line}");
        }
    }

    #[test]
    fn words_that_were_pushed_are_parted_again() {
        let mut line = String::new();
        push_words(["add", "a", "1.1.1.1", "comment", "b  c"], &mut line);
        assert_eq!(split(&line), ["add", "a", "1.1.1.1", "comment", "b  c"]);
    }

    #[test]
    fn files_and_standard_input_are_the_callers() {
        for (line, plan) in [
            ("-exist restore", Plan::Restore(None)),
            ("-R -file x", Plan::Restore(Some("x".into()))),
            ("restore foo", Plan::Ask),
            ("save a -f x", Plan::Into("x".into())),
            ("add a b -f x", Plan::Ask),
            ("-q -", Plan::Interactive),
            ("-o", Plan::Ask),
            ("", Plan::Ask),
        ] {
            assert_eq!(Plan::of(&split(line)), plan, "{line}");
        }
    }
}
