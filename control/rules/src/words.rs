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
    /// A word above 1023 bytes.
    WordLong,
    /// More words than there is room for.
    TooManyWords,
}

const WORD_MAX: usize = 1023;
/// The most words that a line of restore text may have, its counters among them (as `--set-counters` and two numbers).
pub(crate) const WORDS_MAX: usize = 251;

/// Takes a line of restore text apart: blanks part words, double quotes keep them together, `\` keeps the next character in quotes.
/// A quote that is not closed takes the rest, line feed included (callers pass the line with it). There is room for so many words.
pub(crate) fn split(line: &str, room: usize) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::with_capacity(room.min(16));
    let mut word = String::new();
    let mut rest = line;
    loop {
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'"')).unwrap_or(rest.len());
        push_part(&rest[..end], &mut word)?;
        let is_quote = rest.as_bytes().get(end) == Some(&b'"');
        rest = rest.get(end + 1..).unwrap_or("");
        if is_quote {
            match quoted(rest, &mut word)? {
                Some(behind) => {
                    rest = behind;
                    push_word(&mut words, &mut word, room)?;
                }
                None => rest = "",
            }
        } else if !word.is_empty() {
            push_word(&mut words, &mut word, room)?;
        }
        if rest.is_empty() {
            break;
        }
    }
    if !word.is_empty() {
        push_word(&mut words, &mut word, room)?;
    }
    Ok(words)
}

/// Adds what stands in quotes; what is behind the closing one, if there is one.
fn quoted<'a>(text: &'a str, word: &mut String) -> Result<Option<&'a str>, SplitError> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            word.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '"' {
            return Ok(Some(&text[at + 1..]));
        } else {
            word.push(c);
        }
        push_part("", word)?;
    }
    Ok(None)
}

fn push_part(part: &str, word: &mut String) -> Result<(), SplitError> {
    word.push_str(part);
    if word.len() > WORD_MAX { Err(SplitError::WordLong) } else { Ok(()) }
}

fn push_word(words: &mut Vec<String>, word: &mut String, room: usize) -> Result<(), SplitError> {
    if words.len() >= room {
        return Err(SplitError::TooManyWords);
    }
    words.push(std::mem::take(word));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        split(line, WORDS_MAX).expect("short line")
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
        assert_eq!(split(&"x".repeat(1024), WORDS_MAX), Err(SplitError::WordLong));
        assert_eq!(split(&"x ".repeat(252), WORDS_MAX), Err(SplitError::TooManyWords));
    }
}
