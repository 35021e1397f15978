//! Words of a restore line, and quoting them again.

/// Adds a blank and the text, in double quotes if it has anything but letters, digits, `_` and `-`.
pub(crate) fn push_quoted(text: &str, out: &mut String) {
    out.push(' ');
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(plain) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// Whether the text reads back as itself where it is printed without quotes.
pub(crate) fn reads_unquoted(text: &str) -> bool {
    !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\'))
}

/// Why a line could not be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SplitError {
    /// A word above [`WORD_MAX`] bytes.
    WordLong,
    /// More words than there is room for.
    TooManyWords,
}

/// The longest word, and below the most words, that a line of restore text may have, its counters among them (as `--set-counters` and two
/// numbers). iptables-restore takes words of 1,023 bytes and 251 of them, and so cannot read all that iptables takes and saves; no rule's
/// saved form has as many as these.
const WORD_MAX: usize = 65_535;
const WORDS_MAX: usize = 65_535;

/// The words of one line after the other. Their memory is used again: a text of many rules asks for it once.
#[derive(Default)]
pub(crate) struct Words {
    /// Those of this line, and behind them what is left of longer ones.
    words: Vec<String>,
    /// How many are of this line.
    used: usize,
}

impl Words {
    /// Begins a line.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.words[..self.used]
    }

    /// Takes a line of restore text apart: blanks part words, double quotes keep them together, `\` keeps the next character in quotes.
    /// A quote that is not closed takes the rest, line feed included (callers pass the line with it).
    pub(crate) fn split(&mut self, line: &str) -> Result<(), SplitError> {
        self.open();
        let mut rest = line;
        loop {
            let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'"')).unwrap_or(rest.len());
            self.push_part(&rest[..end])?;
            let is_quote = rest.as_bytes().get(end) == Some(&b'"');
            rest = rest.get(end + 1..).unwrap_or("");
            if is_quote {
                match self.quoted(rest)? {
                    Some(behind) => {
                        rest = behind;
                        self.close()?;
                    }
                    None => rest = "",
                }
            } else if !self.word().is_empty() {
                self.close()?;
            }
            if rest.is_empty() {
                break;
            }
        }
        if self.word().is_empty() { Ok(()) } else { self.close() }
    }

    /// Adds a word that stands in no line.
    pub(crate) fn push(&mut self, word: &str) -> Result<(), SplitError> {
        self.open();
        self.word().push_str(word);
        self.close()
    }

    /// The word that is being read.
    fn word(&mut self) -> &mut String {
        &mut self.words[self.used]
    }

    fn open(&mut self) {
        match self.words.get_mut(self.used) {
            Some(word) => word.clear(),
            None => self.words.push(String::new()),
        }
    }

    fn close(&mut self) -> Result<(), SplitError> {
        if self.used >= WORDS_MAX {
            return Err(SplitError::TooManyWords);
        }
        self.used += 1;
        self.open();
        Ok(())
    }

    /// Adds what stands in quotes; what is behind the closing one, if there is one.
    fn quoted<'a>(&mut self, text: &'a str) -> Result<Option<&'a str>, SplitError> {
        let mut escaped = false;
        for (at, c) in text.char_indices() {
            if escaped {
                self.word().push(c);
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == '"' {
                return Ok(Some(&text[at + 1..]));
            } else {
                self.word().push(c);
            }
            self.push_part("")?;
        }
        Ok(None)
    }

    fn push_part(&mut self, part: &str) -> Result<(), SplitError> {
        let word = self.word();
        word.push_str(part);
        if word.len() > WORD_MAX { Err(SplitError::WordLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<Vec<String>, SplitError> {
        // Words of a longer line were there before.
        let mut words = Words::default();
        words.split("some-words of-another \"line before\" this one")?;
        words.clear();
        words.split(line).map(|()| words.as_slice().to_vec())
    }

    fn words(line: &str) -> Vec<String> {
        split(line).expect("short line")
    }

    #[test]
    fn blanks_part_and_quotes_keep_together() {
        assert_eq!(words("-A INPUT  -j\tACCEPT\n"), ["-A", "INPUT", "-j", "ACCEPT"]);
        assert_eq!(words(r#"--comment "a b" -j X"#), ["--comment", "a b", "-j", "X"]);
        assert_eq!(words(r#""a \"q\" \\ b""#), [r#"a "q" \ b"#]);
        assert_eq!(words(r#"--comment """#), ["--comment", ""]);
    }

    #[test]
    fn a_closing_quote_ends_the_word() {
        assert_eq!(words(r#"a"b"c"#), ["ab", "c"]);
    }

    #[test]
    fn an_open_quote_takes_the_rest() {
        assert_eq!(words("-j \"a b\n"), ["-j", "a b\n"]);
    }

    #[test]
    fn what_was_quoted_reads_back() {
        for text in ["", "plain-1_x", "a b", r#"q"u'o\te"#, "x/y", "é"] {
            let mut line = String::new();
            push_quoted(text, &mut line);
            assert_eq!(words(&line), [text]);
        }
    }

    #[test]
    fn long_lines_are_refused() {
        assert_eq!(split(&"x".repeat(65_535)).map(|words| words.len()), Ok(1));
        assert_eq!(split(&"x".repeat(65_536)), Err(SplitError::WordLong));
        assert_eq!(split(&"x ".repeat(65_535)).map(|words| words.len()), Ok(65_535));
        assert_eq!(split(&"x ".repeat(65_536)), Err(SplitError::TooManyWords));
    }
}
