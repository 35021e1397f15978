//! Names of the labels of connections (`/etc/xtables/connlabel.conf`): `NUMBER NAME` a line.
use super::Names;
use crate::number;

/// Numbers that a name may stand for. The kernel takes those below 128.
const NUMBERS: u64 = 1024;

/// The names of labels, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(u16, String)>);

impl Labels {
    /// Reads the file's text. A name has letters, digits and blanks; the first one of a number counts, and the first number of a name. What is
    /// not in the format is passed over.
    pub fn parse(text: &str) -> Labels {
        let mut all: Vec<(u16, String)> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((number, name)) = number::prefix(line).filter(|(number, _)| *number < NUMBERS) else { continue };
            let (number, name) = (number as u16, name.trim());
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte == b' ' || byte.is_ascii_alphanumeric());
            if is_name && !all.iter().any(|(other, named)| *other == number || named == name) {
                all.push((number, name.to_owned()));
            }
        }
        all.sort_unstable();
        Labels(all)
    }

    /// The number of this name.
    pub fn number(&self, name: &str) -> Option<u16> {
        self.0.iter().find(|(_, named)| named == name).map(|(number, _)| *number)
    }

    /// The name of this number.
    pub fn name(&self, number: u16) -> Option<&str> {
        self.0.iter().find(|(other, _)| *other == number).map(|(_, name)| name.as_str())
    }

    /// All, by their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &str)> {
        self.0.iter().map(|(number, name)| (*number, name.as_str()))
    }
}

/// The host's names, and those of labels. Whoever keeps rules for later has no names of labels: a rule stands for a number, whatever the file
/// says by then.
pub struct WithLabels<'a> {
    /// All others.
    pub names: &'a dyn Names,
    /// Those of labels.
    pub labels: &'a Labels,
}

impl Names for WithLabels<'_> {
    fn behind(&self) -> Option<&dyn Names> {
        Some(self.names)
    }

    fn label_number(&self, name: &str) -> Option<u16> {
        self.labels.number(name)
    }

    fn label_name(&self, number: u16) -> Option<&str> {
        self.labels.name(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_as_the_real_library_reads_it() {
        let text = "0 zero\n# 1 no\n  7 seven\n8\ttab\tin\n9 under_score\n010 eight\n018 octal\n21no\n22\n-1 minus\n3 three\n3 again\n5 zero\n\
                    0x20 hex\n31 with space \n33 dot.\n200 wide\n1023 top\n1024 over\n4294967296 wrap\n127 last\r\n34 end";
        let labels = Labels::parse(text);
        let all: Vec<(u16, &str)> = labels.iter().collect();
        assert_eq!(
            all,
            [
                (0, "zero"),
                (1, "8 octal"),
                (3, "three"),
                (7, "seven"),
                (8, "eight"),
                (21, "no"),
                (31, "with space"),
                (32, "hex"),
                (34, "end"),
                (127, "last"),
                (200, "wide"),
                (1023, "top")
            ]
        );
        assert_eq!((labels.number("with space"), labels.number("again"), labels.name(5)), (Some(31), None, None));
    }
}
