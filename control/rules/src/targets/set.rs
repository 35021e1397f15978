//! `-j SET`: puts the packet's addresses into a set, takes them out, or gives the packet what the set has written beside them.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::sets::SetFields;
use crate::{Target, number};

/// What is done to sets, in this order. The packet goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Set {
    /// `--add-set`.
    pub add: Option<SetFields>,
    /// `--exist`: an entry that is there already is added anew, which restarts its timeout.
    pub exist: bool,
    /// `--timeout`: seconds that the entry stays, where the set's own number is not meant.
    pub timeout: Option<u32>,
    /// `--del-set`.
    pub del: Option<SetFields>,
    /// `--map-set`.
    pub map: Option<SetFields>,
    /// `--map-mark`: the entry's mark becomes the packet's.
    pub map_mark: bool,
    /// `--map-prio`: the entry's class of the queueing discipline does.
    pub map_prio: bool,
    /// `--map-queue`: the entry's queue of the network card does.
    pub map_queue: bool,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "SET", family: None, options: OPTIONS, build };

const SHAPE: &str = "SET src|dst[,...]";
/// iptables takes `!` before them and does not look at it, and of what is given twice it takes the last.
const OPTIONS: &[Opt] = &[
    Opt::new("add-set", Arg::Pair { missing: "--add-set requires two args.", shape: SHAPE, read }).invertible().repeatable(),
    Opt::new("exist", Arg::None).invertible().repeatable(),
    Opt::new("timeout", Arg::Own { shape: "SECONDS", read: read_timeout }).invertible().repeatable(),
    Opt::new("del-set", Arg::Pair { missing: "--del-set requires two args.", shape: SHAPE, read }).invertible().repeatable(),
    Opt::new("map-set", Arg::Pair { missing: "--map-set requires two args.", shape: SHAPE, read }).invertible().repeatable(),
    Opt::new("map-mark", Arg::None).invertible().repeatable(),
    Opt::new("map-prio", Arg::None).invertible().repeatable(),
    Opt::new("map-queue", Arg::None).invertible().repeatable(),
];

/// Refuses what is no set or no fields, when it is met.
fn read(reading: &Reading<'_>) -> Result<Value, UsageError> {
    if reading.before.has(reading.option) {
        return Err(UsageError::Own(format!("--{} can be specified only once", reading.option)));
    }
    SetFields::read(reading.word, reading.second, reading.context)?;
    Ok(Value::Pair(reading.word.to_owned(), reading.second.to_owned()))
}

fn read_timeout(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let timeout = number::whole(reading.word, 0, u64::from(u32::MAX) - 1);
    timeout.map(Value::Number).ok_or(UsageError::Needs("Invalid value for option --timeout or out of range 0-4294967294"))
}

/// What does not go together, in the order in which iptables looks.
fn check(set: &Set) -> Result<(), UsageError> {
    let Set { add, exist, timeout, del, map, map_mark, map_prio, map_queue } = set;
    let has_map = map.is_some();
    let fault = match () {
        () if add.is_none() && del.is_none() && !has_map => "You must specify either `--add-set' or `--del-set' or `--map-set'",
        () if *exist && add.is_none() => "Flag `--exist' can be used with `--add-set' only",
        () if timeout.is_some() && add.is_none() => "Option `--timeout' can be used with `--add-set' only",
        () if *map_mark && !has_map => "Flag `--map-mark' can be used with `--map-set' only",
        () if *map_prio && !has_map => "Flag `--map-prio' can be used with `--map-set' only",
        () if *map_queue && !has_map => "Flag `--map-queue' can be used with `--map-set' only",
        () if has_map && !map_mark && !map_prio && !map_queue => {
            "You must specify flags `--map-mark' or '--map-prio` or `--map-queue'"
        }
        () => return Ok(()),
    };
    Err(UsageError::Needs(fault))
}

fn build(given: &Given, context: &Context<'_>) -> Result<Target, UsageError> {
    let mut set = Box::<Set>::default();
    for (option, _, value) in given.all() {
        let place = match (option, value) {
            ("add-set", _) => &mut set.add,
            ("del-set", _) => &mut set.del,
            ("map-set", _) => &mut set.map,
            ("timeout", Value::Number(timeout)) => {
                set.timeout = Some(*timeout as u32);
                continue;
            }
            ("exist", _) => {
                set.exist = true;
                continue;
            }
            ("map-mark", _) => {
                set.map_mark = true;
                continue;
            }
            ("map-prio", _) => {
                set.map_prio = true;
                continue;
            }
            _ => {
                set.map_queue = true;
                continue;
            }
        };
        if let Value::Pair(name, fields) = value {
            *place = Some(SetFields::read(name, fields, context)?);
        }
    }
    check(&set)?;
    for fields in [&set.add, &set.del].into_iter().flatten() {
        if let Some(kind) = context.names.set_refuses_packets(&fields.name) {
            let text = format!("Set {} is a {kind}, which packets cannot change here.\n", fields.name);
            return Err(UsageError::Own(text));
        }
    }
    Ok(Target::Set(set))
}

impl Set {
    /// Every option that is set, in the order in which it is printed; what follows it is empty for flags.
    fn parts(&self) -> Vec<(&'static str, String)> {
        let set = |option, fields: &Option<SetFields>| fields.as_ref().map(|fields| (option, fields.to_string()));
        let flag = |option, holds: bool| holds.then(|| (option, String::new()));
        let parts = [
            set("add-set", &self.add),
            flag("exist", self.exist),
            self.timeout.map(|timeout| ("timeout", timeout.to_string())),
            set("del-set", &self.del),
            set("map-set", &self.map),
            flag("map-mark", self.map_mark),
            flag("map-prio", self.map_prio),
            flag("map-queue", self.map_queue),
        ];
        parts.into_iter().flatten().collect()
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, value) in self.parts() {
            if value.is_empty() { out.flag(option, false) } else { out.value(option, false, value) }
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        for (option, value) in self.parts() {
            let blank = if value.is_empty() { "" } else { " " };
            out.push_str(&format!(" {option}{blank}{value}"));
        }
    }
}
