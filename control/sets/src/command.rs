//! The names of commands.

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Create,
    Add,
    Del,
    Test,
    Destroy,
    List,
    Save,
    Restore,
    Flush,
    Rename,
    Swap,
    Help,
    Version,
    Quit,
}

/// What stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    MayOne,
    Two,
}

/// A command, what it takes, its names (which may be abbreviated) and its letters, what stands behind it in help, and what it does.
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) takes: Takes,
    pub(crate) words: &'static [&'static str],
    pub(crate) letters: &'static [&'static str],
    pub(crate) shape: &'static str,
    pub(crate) does: &'static str,
}

const fn entry(
    name: Name,
    takes: Takes,
    words: &'static [&'static str],
    letters: &'static [&'static str],
    shape: &'static str,
    does: &'static str,
) -> Entry {
    Entry { name, takes, words, letters, shape, does }
}

/// All of them. Of an abbreviation the first one that fits is meant.
pub(crate) const COMMANDS: &[Entry] = &[
    entry(Name::Create, Takes::Two, &["create", "new"], &["-N"], "SET TYPE [OPTION...]", "makes a set"),
    entry(Name::Add, Takes::Two, &["add"], &["-A"], "SET ELEMENT [OPTION...]", "puts an element in"),
    entry(Name::Del, Takes::Two, &["del"], &["-D"], "SET ELEMENT [OPTION...]", "takes an element out"),
    entry(Name::Test, Takes::Two, &["test"], &["-T"], "SET ELEMENT [OPTION...]", "says whether an element is in"),
    entry(Name::Destroy, Takes::MayOne, &["destroy", "x"], &["-X"], "[SET]", "takes a set away, or all"),
    entry(Name::List, Takes::MayOne, &["list"], &["-L"], "[SET]", "shows a set, or all"),
    entry(Name::Save, Takes::MayOne, &["save"], &["-S"], "[SET]", "writes a set, or all, as commands"),
    entry(Name::Restore, Takes::Nothing, &["restore"], &["-R"], "", "carries out commands of a file or of standard input"),
    entry(Name::Flush, Takes::MayOne, &["flush"], &["-F"], "[SET]", "takes all elements out of a set, or of all"),
    entry(Name::Rename, Takes::Two, &["rename", "e"], &["-E"], "SET NAME", "gives a set another name"),
    entry(Name::Swap, Takes::Two, &["swap", "w"], &["-W"], "SET SET", "exchanges what two sets hold"),
    entry(Name::Help, Takes::MayOne, &["help"], &["-H", "-h"], "[TYPE]", "says this, and what a type takes"),
    entry(Name::Version, Takes::Nothing, &["version"], &["-V", "-v"], "", "says whose behaviour this is"),
    entry(Name::Quit, Takes::Nothing, &["quit"], &[], "", "ends the interactive mode"),
];

/// The command that a word means.
pub(crate) fn find(word: &str) -> Option<Name> {
    entry_of(word).map(|entry| entry.name)
}

pub(crate) fn entry_of(word: &str) -> Option<&'static Entry> {
    let long = word.strip_prefix("--").unwrap_or(word);
    let means = |entry: &Entry| {
        entry.letters.contains(&word) || (!long.is_empty() && entry.words.iter().any(|name| name.starts_with(long)))
    };
    COMMANDS.iter().find(|entry| means(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_mean_the_first_command_that_fits() {
        for (word, name) in [
            ("c", Some(Name::Create)),
            ("n", Some(Name::Create)),
            ("-N", Some(Name::Create)),
            ("--create", Some(Name::Create)),
            ("a", Some(Name::Add)),
            ("d", Some(Name::Del)),
            ("des", Some(Name::Destroy)),
            ("x", Some(Name::Destroy)),
            ("t", Some(Name::Test)),
            ("s", Some(Name::Save)),
            ("sw", Some(Name::Swap)),
            ("w", Some(Name::Swap)),
            ("r", Some(Name::Restore)),
            ("ren", Some(Name::Rename)),
            ("e", Some(Name::Rename)),
            ("l", Some(Name::List)),
            ("v", Some(Name::Version)),
            ("q", Some(Name::Quit)),
            ("-create", None),
            ("-Q", None),
            ("", None),
            ("creates", None),
        ] {
            assert_eq!(find(word), name, "{word}");
        }
    }
}
