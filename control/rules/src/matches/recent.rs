//! `-m recent`: named lists of addresses, with the times at which each was seen.
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::header::{Shown, prefix_mask};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::net::IpAddr;

/// Looks the packet's address up in a list, or puts it there. Lists live as long as a rule names them, whatever becomes of other rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recent {
    /// What is done, and what must be found.
    pub action: Action,
    /// `!` was given before the action.
    pub invert: bool,
    /// `--seconds`: only if the address was seen within so many seconds; 0 is at any time.
    pub seconds: u32,
    /// `--reap`: addresses that were not seen within the seconds are taken out.
    pub reap: bool,
    /// `--hitcount`: only if it was seen so many times; 0 is any number.
    pub hits: u32,
    /// `--rttl`: only if it was put there by a packet of the same TTL.
    pub ttl: bool,
    /// `--name`, at most 199 bytes.
    pub name: Box<str>,
    /// `--mask`: the bits of the address that count.
    pub mask: IpAddr,
    /// `--rdest`: the packet's destination, else its source.
    pub destination: bool,
}

/// What is done with the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `--set`: it is put on the list, or its time made new; always holds.
    Set,
    /// `--rcheck`: holds if it is there.
    Check,
    /// `--update`: holds if it is there, and makes its time new.
    Update,
    /// `--remove`: holds if it was there, and takes it out.
    Remove,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "recent", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("set", Arg::None).excludes(&["rcheck", "update", "remove"]).invertible(),
    Opt::new("rcheck", Arg::None).excludes(&["set", "update", "remove"]).invertible(),
    Opt::new("update", Arg::None).excludes(&["set", "rcheck", "remove"]).invertible(),
    Opt::new("remove", Arg::None).excludes(&["set", "rcheck", "update"]).invertible(),
    Opt::new("seconds", Arg::Number { min: 1, max: u32::MAX as u64 }),
    Opt::new("reap", Arg::None).requires("seconds"),
    Opt::new("hitcount", Arg::Number { min: 0, max: u32::MAX as u64 }),
    Opt::new("rttl", Arg::None).excludes(&["set", "remove"]),
    Opt::new("name", Arg::Text { min: 0, max: NAME_MAX }),
    Opt::new("rsource", Arg::None),
    Opt::new("rdest", Arg::None),
    Opt::new("mask", Arg::Host),
];

/// The real one takes twice as many and then saves a negative number.
const SECONDS_MAX: u64 = i32::MAX as u64;
const NAME_MAX: usize = 199;
/// Times that the kernel can keep of an address.
const HITS_MAX: u32 = 65_535;

const ACTIONS: [(&str, Action, &str); 4] = [
    ("set", Action::Set, "SET"),
    ("rcheck", Action::Check, "CHECK"),
    ("update", Action::Update, "UPDATE"),
    ("remove", Action::Remove, "REMOVE"),
];

fn build(given: &Given, context: &Context<'_>) -> Result<Match, UsageError> {
    let found = ACTIONS.iter().find(|(option, ..)| given.has(option));
    let missing = "recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'";
    let (option, action, _) = found.ok_or(UsageError::Needs(missing))?;
    let full = prefix_mask(context.family, context.family.address_bits()).unwrap_or(context.family.unspecified());
    let name = given.text("name").unwrap_or("DEFAULT");
    if name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"') {
        return Err(UsageError::Own(format!("recent: name \"{name}\" has a character that cannot be read back")));
    }
    let seconds = given.number("seconds").unwrap_or(0);
    if seconds > SECONDS_MAX {
        return Err(UsageError::Own(format!("recent: more than {SECONDS_MAX} seconds cannot be read back")));
    }
    Ok(Match::Recent(Box::new(Recent {
        action: *action,
        invert: given.is_inverted(option),
        seconds: seconds as u32,
        reap: given.has("reap"),
        hits: given.number("hitcount").unwrap_or(0) as u32,
        ttl: given.has("rttl"),
        name: Box::from(name),
        mask: given.host("mask").unwrap_or(full),
        // The last one counts.
        destination: given.order().rfind(|option| matches!(*option, "rsource" | "rdest")) == Some("rdest"),
    })))
}

impl Recent {
    fn words(&self) -> (&'static str, &'static str) {
        ACTIONS.iter().find(|(_, action, _)| *action == self.action).map_or(("", ""), |(option, _, listed)| (option, listed))
    }

    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let changes = matches!(self.action, Action::Set | Action::Remove);
        let is_file = !self.name.is_empty() && !matches!(&*self.name, "." | "..") && !self.name.contains('/');
        if self.hits > HITS_MAX || changes && (self.hits > 0 || self.seconds > 0) || !is_file {
            return Err(KernelError::InvalidArgument);
        }
        Ok(())
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.flag(self.words().0, self.invert);
        if self.seconds > 0 {
            out.value("seconds", false, self.seconds);
        }
        if self.reap {
            out.flag("reap", false);
        }
        if self.hits > 0 {
            out.value("hitcount", false, self.hits);
        }
        if self.ttl {
            out.flag("rttl", false);
        }
        out.value("name", false, &self.name);
        out.value("mask", false, Shown(self.mask));
        out.flag(if self.destination { "rdest" } else { "rsource" }, false);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!("{} recent: {}", if self.invert { " !" } else { "" }, self.words().1));
        if self.seconds > 0 {
            out.push_str(&format!(" seconds: {}", self.seconds));
        }
        if self.reap {
            out.push_str(" reap");
        }
        if self.hits > 0 {
            out.push_str(&format!(" hit_count: {}", self.hits));
        }
        if self.ttl {
            out.push_str(" TTL-Match");
        }
        let side = if self.destination { "dest" } else { "source" };
        out.push_str(&format!(" name: {} side: {side} mask: {}", self.name, Shown(self.mask)));
    }
}
