//! Sets of addresses and more (`ipset`) as rules name them. They are the host's: [`crate::names::Names::set_family`] says which there are.
use crate::Family;
use crate::error::UsageError;
use crate::names::SetFamily;
use crate::options::Context;
use crate::words;
use std::fmt;

/// A set, and which fields of the packet are looked for in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetFields {
    /// Its name, at most 31 bytes.
    pub name: Box<str>,
    /// Of each of the set's dimensions in turn, whether the packet's source (port, interface...) is looked for; its destination if not.
    pub is_source: Box<[bool]>,
}

/// The longest name.
const NAME_MAX: usize = 31;
/// The most dimensions.
const DIMENSIONS_MAX: usize = 6;

impl SetFields {
    /// Reads the two words that name a set and its fields.
    pub(crate) fn read(name: &str, fields: &str, context: &Context<'_>) -> Result<SetFields, UsageError> {
        if name.len() > NAME_MAX {
            return Err(UsageError::Own(format!("setname `{name}' too long, max {NAME_MAX} characters.")));
        }
        let family = context.names.set_family(name).ok_or_else(|| UsageError::Own(format!("Set {name} doesn't exist.\n")))?;
        let other = match (family, context.family) {
            (SetFamily::Ipv4, Family::Ipv6) => Some("IPv4"),
            (SetFamily::Ipv6, Family::Ipv4) => Some("IPv6"),
            _ => None,
        };
        if let Some(other) = other {
            let text = format!("The protocol family of set {name} is {other}, which is not applicable.\n");
            return Err(UsageError::Own(text));
        }
        if !words::reads_unquoted(name) {
            // iptables takes it, and saves what it cannot read back.
            return Err(UsageError::Own(format!("Set {name:?} has a name that could not be restored.\n")));
        }
        let words: Vec<&str> = fields.split(',').collect();
        // What stands behind the three letters is not looked at.
        let read = |word: &&str| match word.get(..3) {
            Some("src") => Ok(true),
            Some("dst") => Ok(false),
            _ => Err(UsageError::Needs("You must spefify (the comma separated list of) 'src' or 'dst'.")),
        };
        let is_source = words.iter().take(DIMENSIONS_MAX).map(read).collect::<Result<_, _>>()?;
        if words.len() > DIMENSIONS_MAX {
            return Err(UsageError::Own(format!("Can't be more src/dst options than {DIMENSIONS_MAX}.")));
        }
        Ok(SetFields { name: Box::from(name), is_source })
    }
}

impl fmt::Display for SetFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (index, is_source) in self.is_source.iter().enumerate() {
            f.write_str(if index == 0 { " " } else { "," })?;
            f.write_str(if *is_source { "src" } else { "dst" })?;
        }
        Ok(())
    }
}
