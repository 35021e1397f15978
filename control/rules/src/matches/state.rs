//! `-m state`: the old name of `-m conntrack --ctstate`.
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// Holds when the packet's state is in the set, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The wanted states; SNAT and DNAT never stand here.
    pub states: StateSet,
    /// `!` was given.
    pub invert: bool,
}

/// States of a packet, as conntrack names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StateSet {
    /// `INVALID`: tracking could not place it.
    pub invalid: bool,
    /// `NEW`: it begins a connection.
    pub new: bool,
    /// `RELATED`: it begins an announced connection, or is an ICMP error about a known one.
    pub related: bool,
    /// `ESTABLISHED`: its connection has seen packets both ways.
    pub established: bool,
    /// `UNTRACKED`: tracking was switched off for it.
    pub untracked: bool,
    /// `SNAT`: the source of its connection is translated.
    pub snat: bool,
    /// `DNAT`: the destination of its connection is translated.
    pub dnat: bool,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "state", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("state", Arg::Text { min: 0, max: usize::MAX })
    .invertible()
    .mandatory()
    .checked(|reading| read(reading.word).map(drop))];

fn read(text: &str) -> Result<StateSet, UsageError> {
    if text.is_empty() {
        return Err(UsageError::Needs("\"--state\" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED"));
    }
    StateSet::parse(text, "state", false)
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let states = read(given.text("state").unwrap_or(""))?;
    Ok(Match::State(State { states, invert: given.is_inverted("state") }))
}

impl StateSet {
    /// Reads a list of states; `kind` is what a refusal calls them. SNAT and DNAT are states of `-m conntrack` only.
    pub(crate) fn parse(text: &str, kind: &'static str, with_nat: bool) -> Result<StateSet, UsageError> {
        let mut set = StateSet::default();
        for word in text.split(',') {
            let is = |name: &str| word.eq_ignore_ascii_case(name);
            let place = match () {
                () if is("NEW") => &mut set.new,
                () if is("RELATED") => &mut set.related,
                () if is("ESTABLISHED") => &mut set.established,
                () if is("INVALID") => &mut set.invalid,
                () if is("UNTRACKED") => &mut set.untracked,
                () if with_nat && is("SNAT") => &mut set.snat,
                () if with_nat && is("DNAT") => &mut set.dnat,
                () => return Err(UsageError::BadWord { kind, value: word.to_owned() }),
            };
            *place = true;
        }
        Ok(set)
    }

    /// The names of the states in iptables' order.
    pub(crate) fn names(&self) -> String {
        let all = [
            (self.invalid, "INVALID"),
            (self.new, "NEW"),
            (self.related, "RELATED"),
            (self.established, "ESTABLISHED"),
            (self.untracked, "UNTRACKED"),
            (self.snat, "SNAT"),
            (self.dnat, "DNAT"),
        ];
        all.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect::<Vec<_>>().join(",")
    }
}

impl State {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("state", self.invert, self.states.names());
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(if self.invert { " ! state " } else { " state " });
        out.push_str(&self.states.names());
    }
}
