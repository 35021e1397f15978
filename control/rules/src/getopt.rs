//! The words of a command line as `getopt_long` of the C library takes them apart: clusters of short options, values attached or in
//! the next word, and words that are no options kept in their order.

/// One step through the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// `-x`.
    Short(char),
    /// `--name` or `--name=value`.
    Long(&'a str, Option<&'a str>),
    /// A word that is no option.
    Word(&'a str),
}

/// A walk over the words.
pub struct Getopt<'a> {
    words: &'a [String],
    next: usize,
    /// The rest of a cluster of short options; empty between words.
    cluster: &'a str,
    /// `--` was met: everything after it is left.
    ended: bool,
}

impl<'a> Getopt<'a> {
    /// A walk from the first word.
    pub fn new(words: &'a [String]) -> Getopt<'a> {
        Getopt { words, next: 0, cluster: "", ended: false }
    }

    /// The next option or word.
    pub fn step(&mut self) -> Option<Step<'a>> {
        if let Some(c) = self.cluster.chars().next() {
            self.cluster = &self.cluster[c.len_utf8()..];
            return Some(Step::Short(c));
        }
        if self.ended {
            return None;
        }
        let word = self.words.get(self.next)?;
        self.next += 1;
        if word == "--" {
            self.ended = true;
            return None;
        }
        if let Some(long) = word.strip_prefix("--") {
            return Some(match long.split_once('=') {
                Some((name, value)) => Step::Long(name, Some(value)),
                None => Step::Long(long, None),
            });
        }
        match word.strip_prefix('-') {
            Some(cluster) if !cluster.is_empty() => {
                self.cluster = cluster;
                self.step()
            }
            _ => Some(Step::Word(word)),
        }
    }

    /// The value of the option just met: attached to it, or the next word whatever it looks like.
    pub fn value(&mut self, attached: Option<&'a str>) -> Option<&'a str> {
        if let Some(value) = self.attached(attached) {
            return Some(value);
        }
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    /// The value of an option that may do without: attached to it, or the next word if that is no option and no `!`.
    pub fn optional_value(&mut self, attached: Option<&'a str>) -> Option<&'a str> {
        self.attached(attached).or_else(|| self.argument())
    }

    /// The next word, if it is no option and no `!`.
    pub fn argument(&mut self) -> Option<&'a str> {
        let word = self.words.get(self.next)?;
        if word.starts_with(['-', '!']) {
            return None;
        }
        self.next += 1;
        Some(word)
    }

    /// The word that was taken last, as it was typed.
    pub fn last_word(&self) -> &'a str {
        self.next.checked_sub(1).and_then(|last| self.words.get(last)).map_or("", String::as_str)
    }

    /// The word before the one that is looked at next: the last one, or the one before it while letters of it are left.
    pub fn word_behind(&self) -> Option<&'a str> {
        let ahead = if self.cluster.is_empty() { 1 } else { 2 };
        self.next.checked_sub(ahead).and_then(|place| self.words.get(place)).map(String::as_str)
    }

    /// Whether words are left over after `--`.
    pub fn has_rest(&self) -> bool {
        self.next < self.words.len()
    }

    /// What is attached to the option just met.
    pub fn attached(&mut self, long: Option<&'a str>) -> Option<&'a str> {
        if long.is_some() {
            return long;
        }
        if self.cluster.is_empty() {
            return None;
        }
        Some(std::mem::take(&mut self.cluster))
    }
}

/// What may follow a long option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A value, attached or as the next word.
    Value,
    /// A value, if one is attached.
    Perhaps,
}

/// A long option: its name, the letter that it stands for, and what may follow it.
pub type Long = (&'static str, char, Takes);

/// The option of this name, or the only one that begins so. The error is what `getopt_long` says, without the program's name.
pub fn find_long(options: &'static [Long], name: &str, has_value: bool) -> Result<&'static Long, String> {
    let begun: Vec<&Long> = options.iter().filter(|(long, ..)| long.starts_with(name)).collect();
    let exact = begun.iter().find(|(long, ..)| *long == name);
    let option = match (exact, begun.as_slice()) {
        (Some(option), _) | (None, [option]) => *option,
        (None, []) => return Err(format!("unrecognized option '--{name}'")),
        (None, several) => {
            let names: Vec<String> = several.iter().map(|(long, ..)| format!("'--{long}'")).collect();
            return Err(format!("option '--{name}' is ambiguous; possibilities: {}", names.join(" ")));
        }
    };
    if has_value && option.2 == Takes::Nothing {
        return Err(format!("option '--{}' doesn't allow an argument", option.0));
    }
    Ok(option)
}

/// What `getopt_long` says where an option's value is missing; `long` is its name if that was typed.
pub fn missing_value(long: Option<&str>, letter: char) -> String {
    match long {
        Some(name) => format!("option '--{name}' requires an argument"),
        None => format!("option requires an argument -- '{letter}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_values_and_words() {
        let words: Vec<String> = ["-nvL", "INPUT", "--dport=80", "!", "-"].map(str::to_owned).to_vec();
        let mut walk = Getopt::new(&words);
        assert_eq!(walk.step(), Some(Step::Short('n')));
        assert_eq!(walk.step(), Some(Step::Short('v')));
        assert_eq!(walk.step(), Some(Step::Short('L')));
        assert_eq!(walk.optional_value(None), Some("INPUT"));
        assert_eq!(walk.step(), Some(Step::Long("dport", Some("80"))));
        assert_eq!(walk.step(), Some(Step::Word("!")));
        assert_eq!(walk.step(), Some(Step::Word("-")));
        assert_eq!(walk.step(), None);
    }

    #[test]
    fn an_attached_value_ends_the_cluster() {
        let words: Vec<String> = ["-vAINPUT".to_owned()].to_vec();
        let mut walk = Getopt::new(&words);
        assert_eq!(walk.step(), Some(Step::Short('v')));
        assert_eq!(walk.step(), Some(Step::Short('A')));
        assert_eq!(walk.value(None), Some("INPUT"));
        assert_eq!(walk.step(), None);
    }
}
