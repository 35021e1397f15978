//! The words of a conntrack command: which options there are, what goes with what.
use std::net::IpAddr;

use proto::private::Family;
use proto::public::Reply;
use rules::getopt::{Getopt, Step};
use rules::names::Names;

use super::PROGRAM;
use super::filter::{Filter, Nat};
use super::labels::LabelSet;
use super::print::Output;
use super::values;
use super::watch::{Buffer, Kinds};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    List,
    Get,
    Delete,
    Update,
    Flush,
    Count,
    Event,
    Stats,
    Version,
    Help,
}

/// The table that a command is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Table {
    #[default]
    Conntrack,
    Expect,
    /// What is out of the table and was not told of yet, or what is not in the table yet. The kernel never shows any of the latter, and of the
    /// former only what a listener held up: here no listener holds up a connection.
    Passing,
}

/// A command that can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invocation {
    pub(super) command: Command,
    pub(super) table: Table,
    pub(super) filter: Filter,
    pub(super) output: Output,
    /// `-z`
    pub(super) zero: bool,
    /// What `-U` changes.
    pub(super) update: super::update::Update,
    /// `-e`
    pub(super) kinds: Kinds,
    /// `-b`
    pub(super) buffer: Option<Buffer>,
}

impl Invocation {
    /// Needs more than the right to read.
    pub(super) fn changes(&self) -> bool {
        self.zero || matches!(self.command, Command::Delete | Command::Update | Command::Flush)
    }
}

/// Why a command cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// The words make no sense; the reference's exit code is 2.
    Usage(String),
    /// They do, but not together; its exit code is 1.
    Together(String),
    /// They do, and it is not built.
    Unsupported(String),
}

impl Error {
    pub(super) fn reply(&self) -> Reply {
        let (exit, text) = match self {
            Error::Usage(message) => {
                (2, format!("{PROGRAM}: {message}\nTry `conntrack -h' or 'conntrack --help' for more information.\n"))
            }
            Error::Together(message) => (1, format!("{PROGRAM}: {message}\n")),
            Error::Unsupported(what) => (2, format!("{PROGRAM}: {what} is not supported by Rampart\n")),
        };
        Reply::done(exit, String::new(), text)
    }
}

/// An option that is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Opt {
    Src,
    Dst,
    ReplySrc,
    ReplyDst,
    Protonum,
    Timeout,
    Status,
    Zero,
    EventMask,
    TupleSrc,
    TupleDst,
    MaskSrc,
    MaskDst,
    Id,
    Family,
    SrcNat,
    DstNat,
    AnyNat,
    Output,
    Secmark,
    Mark,
    BufferSize,
    Zone,
    Label,
    LabelAdd,
    LabelDel,
    OrigZone,
    ReplyZone,
    Protocol(Field),
}

/// An option that a protocol brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    OrigPortSrc,
    OrigPortDst,
    ReplyPortSrc,
    ReplyPortDst,
    State,
    IcmpType,
    IcmpCode,
    IcmpId,
}

impl Field {
    /// A port, or one of GRE's keys.
    fn is_port(self) -> bool {
        matches!(self, Field::OrigPortSrc | Field::OrigPortDst | Field::ReplyPortSrc | Field::ReplyPortDst)
    }
}

/// A word that begins with a dash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Command(Command),
    /// A command of the reference that is not built.
    NoCommand(&'static str),
    Option(Opt, Value),
}

/// Does an option take a value?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    None,
    Optional,
    Required,
}

use Command::{Count, Delete, Event, Flush, Get, Help, List, Stats, Update, Version};
use Value::{None as Bare, Optional, Required};

/// Letter, names, meaning. The first name is the one that messages use.
const OPTIONS: &[(Option<char>, &[&str], Meaning)] = &[
    (Some('L'), &["dump"], Meaning::Command(List)),
    (Some('G'), &["get"], Meaning::Command(Get)),
    (Some('D'), &["delete"], Meaning::Command(Delete)),
    (Some('U'), &["update"], Meaning::Command(Update)),
    (Some('F'), &["flush"], Meaning::Command(Flush)),
    (Some('C'), &["count"], Meaning::Command(Count)),
    (Some('V'), &["version"], Meaning::Command(Version)),
    (Some('h'), &["help"], Meaning::Command(Help)),
    (Some('I'), &["create"], Meaning::NoCommand("making connections by hand (--create)")),
    (Some('A'), &["add"], Meaning::NoCommand("making connections by hand (--add)")),
    (Some('R'), &["load-file"], Meaning::NoCommand("loading connections (--load-file)")),
    (Some('E'), &["event"], Meaning::Command(Event)),
    (Some('S'), &["stats"], Meaning::Command(Stats)),
    (Some('s'), &["src", "orig-src"], Meaning::Option(Opt::Src, Required)),
    (Some('d'), &["dst", "orig-dst"], Meaning::Option(Opt::Dst, Required)),
    (Some('r'), &["reply-src"], Meaning::Option(Opt::ReplySrc, Required)),
    (Some('q'), &["reply-dst"], Meaning::Option(Opt::ReplyDst, Required)),
    (Some('p'), &["protonum", "proto"], Meaning::Option(Opt::Protonum, Required)),
    (Some('t'), &["timeout"], Meaning::Option(Opt::Timeout, Required)),
    (Some('u'), &["status"], Meaning::Option(Opt::Status, Required)),
    (Some('z'), &["zero"], Meaning::Option(Opt::Zero, Bare)),
    (Some('e'), &["event-mask"], Meaning::Option(Opt::EventMask, Required)),
    (None, &["tuple-src"], Meaning::Option(Opt::TupleSrc, Required)),
    (None, &["tuple-dst"], Meaning::Option(Opt::TupleDst, Required)),
    (None, &["mask-src"], Meaning::Option(Opt::MaskSrc, Required)),
    (None, &["mask-dst"], Meaning::Option(Opt::MaskDst, Required)),
    (Some('i'), &["id"], Meaning::Option(Opt::Id, Required)),
    (Some('f'), &["family"], Meaning::Option(Opt::Family, Required)),
    (Some('n'), &["src-nat"], Meaning::Option(Opt::SrcNat, Optional)),
    (Some('g'), &["dst-nat"], Meaning::Option(Opt::DstNat, Optional)),
    (Some('j'), &["any-nat"], Meaning::Option(Opt::AnyNat, Optional)),
    (Some('o'), &["output"], Meaning::Option(Opt::Output, Required)),
    (Some('c'), &["secmark"], Meaning::Option(Opt::Secmark, Required)),
    (Some('m'), &["mark"], Meaning::Option(Opt::Mark, Required)),
    (Some('b'), &["buffer-size"], Meaning::Option(Opt::BufferSize, Required)),
    (Some('w'), &["zone"], Meaning::Option(Opt::Zone, Required)),
    (Some('l'), &["label"], Meaning::Option(Opt::Label, Required)),
    (None, &["label-add"], Meaning::Option(Opt::LabelAdd, Required)),
    (None, &["label-del"], Meaning::Option(Opt::LabelDel, Optional)),
    (None, &["orig-zone"], Meaning::Option(Opt::OrigZone, Required)),
    (None, &["reply-zone"], Meaning::Option(Opt::ReplyZone, Required)),
];

const PORTS: &[(&str, Field)] = &[
    ("sport", Field::OrigPortSrc),
    ("orig-port-src", Field::OrigPortSrc),
    ("dport", Field::OrigPortDst),
    ("orig-port-dst", Field::OrigPortDst),
    ("reply-port-src", Field::ReplyPortSrc),
    ("reply-port-dst", Field::ReplyPortDst),
];
const STATE: &[(&str, Field)] = &[("state", Field::State)];
const ICMP: &[(&str, Field)] = &[("icmp-type", Field::IcmpType), ("icmp-code", Field::IcmpCode), ("icmp-id", Field::IcmpId)];
const ICMPV6: &[(&str, Field)] =
    &[("icmpv6-type", Field::IcmpType), ("icmpv6-code", Field::IcmpCode), ("icmpv6-id", Field::IcmpId)];
const GRE: &[(&str, Field)] = &[
    ("srckey", Field::OrigPortSrc),
    ("dstkey", Field::OrigPortDst),
    ("reply-key-src", Field::ReplyPortSrc),
    ("reply-key-dst", Field::ReplyPortDst),
];

/// The options that a protocol brings.
fn fields(protocol: Option<u8>) -> impl Iterator<Item = (&'static str, Field)> {
    let lists: [&[(&str, Field)]; 2] = match protocol {
        Some(6 | 132) => [PORTS, STATE],
        Some(17 | 33 | 136) => [PORTS, &[]],
        Some(1) => [ICMP, &[]],
        Some(58) => [ICMPV6, &[]],
        Some(47) => [GRE, &[]],
        _ => [&[], &[]],
    };
    lists.into_iter().flatten().copied()
}

fn usage<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Usage(message.into()))
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    command: Option<Command>,
    table: Table,
    given: Vec<Opt>,
    filter: Filter,
    output: Output,
    mark: Option<(u32, Option<u32>)>,
    kinds: Option<Kinds>,
    buffer: Option<Buffer>,
    status: Option<u32>,
    label_add: Option<LabelSet>,
    label_del: Option<LabelSet>,
}

/// Reads a command.
pub(super) fn parse(words: &[String], names: &dyn Names) -> Result<Invocation, Error> {
    let mut getopt = Getopt::new(words);
    let mut reading = Reading::default();
    while let Some(step) = getopt.step() {
        let (meaning, attached) = match step {
            Step::Short(letter) => (OPTIONS.iter().find(|option| option.0 == Some(letter)).map(|option| option.2), None),
            Step::Long(name, attached) => (long(name, reading.filter.protocol), attached),
            Step::Word(word) => return usage(format!("unexpected argument `{word}'")),
        };
        match meaning {
            None => return usage(format!("unknown option `{}'", getopt.last_word())),
            Some(Meaning::NoCommand(what)) => return Err(Error::Unsupported(what.to_owned())),
            Some(Meaning::Command(command)) => {
                if reading.command.replace(command).is_some() {
                    return usage("Invalid commands combination");
                }
                if command != Version {
                    // The reference does not look at what is attached.
                    let _ = getopt.attached(attached);
                    reading.table = getopt.argument().map(table).transpose()?.unwrap_or_default();
                }
            }
            Some(Meaning::Option(option, takes)) => {
                let typed = getopt.last_word();
                let value = match takes {
                    Bare => None,
                    Optional => getopt.optional_value(attached),
                    Required => {
                        Some(getopt.value(attached).ok_or_else(|| Error::Usage(format!("option `{typed}' requires an argument")))?)
                    }
                };
                reading.take(option, value, names)?;
            }
        }
    }
    if getopt.has_rest() {
        return usage("unexpected argument after `--'");
    }
    reading.finish()
}

/// A long option by its name or by a beginning that only one has.
fn long(name: &str, protocol: Option<u8>) -> Option<Meaning> {
    let own = OPTIONS.iter().flat_map(|option| option.1.iter().map(|name| (*name, option.2)));
    let all = own.chain(fields(protocol).map(|(name, field)| (name, Meaning::Option(Opt::Protocol(field), Required))));
    let mut found = None;
    for (full, meaning) in all {
        if full == name {
            return Some(meaning);
        }
        if full.starts_with(name) {
            if found.is_some_and(|other| other != meaning) {
                return None;
            }
            found = Some(meaning);
        }
    }
    found
}

/// A table by its name or the beginning of it.
fn table(name: &str) -> Result<Table, Error> {
    let known =
        ["conntrack", "expect", "dying", "unconfirmed"].into_iter().find(|table| !name.is_empty() && table.starts_with(name));
    match known {
        Some("conntrack") => Ok(Table::Conntrack),
        Some("expect") => Ok(Table::Expect),
        Some(_) => Ok(Table::Passing),
        None => usage(format!("unknown type `{name}'")),
    }
}

impl Reading {
    fn take(&mut self, option: Opt, value: Option<&str>, names: &dyn Names) -> Result<(), Error> {
        self.given.push(option);
        let text = value.unwrap_or_default();
        match option {
            Opt::Src | Opt::Dst => {
                let (address, mask) = values::prefix(text)?;
                self.agree(address)?;
                if mask.is_some() {
                    self.given.push(if option == Opt::Src { Opt::MaskSrc } else { Opt::MaskDst });
                }
                let filter = &mut self.filter;
                let (place, place_of_mask) = match option {
                    Opt::Src => (&mut filter.orig_src, &mut filter.mask_src),
                    _ => (&mut filter.orig_dst, &mut filter.mask_dst),
                };
                *place = Some(address);
                *place_of_mask = mask.or(*place_of_mask);
            }
            Opt::ReplySrc | Opt::ReplyDst => {
                if text.contains('/') {
                    return usage(format!("CIDR notation unavailable for `--{}'", option.name(None)));
                }
                let address = values::address(text)?;
                self.agree(address)?;
                let place = if option == Opt::ReplySrc { &mut self.filter.reply_src } else { &mut self.filter.reply_dst };
                *place = Some(address);
            }
            Opt::MaskSrc | Opt::MaskDst => {
                let mask = values::address(text)?;
                self.agree(mask)?;
                let place = if option == Opt::MaskSrc { &mut self.filter.mask_src } else { &mut self.filter.mask_dst };
                *place = Some(mask);
            }
            Opt::TupleSrc | Opt::TupleDst => self.agree(values::address(text)?)?,
            Opt::Family => {
                let family = match text {
                    "ipv4" => Family::Ipv4,
                    "ipv6" => Family::Ipv6,
                    _ => return usage(format!("`{text}' unsupported protocol")),
                };
                self.of(family)?;
            }
            Opt::Protonum => self.filter.protocol = Some(values::protocol(text, names)?),
            Opt::Status => self.status = Some(values::status(text)?),
            Opt::Id => self.filter.id = Some(values::number(text, "id")?),
            Opt::Zone => self.filter.zone = Some(values::number(text, "zone")?),
            Opt::OrigZone => self.filter.orig_zone = Some(values::number(text, "zone")?),
            Opt::ReplyZone => self.filter.reply_zone = Some(values::number(text, "zone")?),
            Opt::Mark => self.mark = Some(values::mark(text)?),
            Opt::Output => values::output(text, &mut self.output)?,
            Opt::SrcNat => self.filter.src_nat = Some(self.nat(value)?),
            Opt::DstNat => self.filter.dst_nat = Some(self.nat(value)?),
            Opt::AnyNat => self.filter.any_nat = Some(self.nat(value)?),
            Opt::Protocol(field) => self.field(field, text)?,
            Opt::Zero => {}
            // Told to be illegal or not built when all words are read.
            Opt::EventMask => self.kinds = Some(values::kinds(text)?),
            Opt::BufferSize => self.buffer = Some(Buffer::of(values::number(text, "buffer size")?)),
            Opt::Timeout | Opt::Secmark => {}
            Opt::Label | Opt::LabelAdd | Opt::LabelDel => self.labels(option, value, names)?,
        }
        Ok(())
    }

    /// Whoever names labels wants to see them.
    fn labels(&mut self, option: Opt, value: Option<&str>, names: &dyn Names) -> Result<(), Error> {
        self.output.labels = true;
        let place = match option {
            Opt::LabelAdd => &mut self.label_add,
            Opt::LabelDel => &mut self.label_del,
            _ => &mut self.filter.labels,
        };
        let set = place.get_or_insert_default();
        match value {
            Some(text) => set.add(text, names)?,
            None => *set = LabelSet::ALL,
        }
        if self.label_add.is_some() && self.label_del.is_some() {
            return Err(Error::Together("cannot use --label-add and --label-del at the same time".to_owned()));
        }
        Ok(())
    }

    fn field(&mut self, field: Field, text: &str) -> Result<(), Error> {
        let (ports, icmp) = (&mut self.filter.ports, &mut self.filter.icmp);
        match field {
            Field::OrigPortSrc => ports.orig_src = Some(values::port(text)?),
            Field::OrigPortDst => ports.orig_dst = Some(values::port(text)?),
            Field::ReplyPortSrc => ports.reply_src = Some(values::port(text)?),
            Field::ReplyPortDst => ports.reply_dst = Some(values::port(text)?),
            Field::State => self.filter.state = Some(values::state(text, self.filter.protocol)?),
            Field::IcmpType => icmp.kind = Some(values::number(text, "ICMP type")?),
            Field::IcmpCode => icmp.code = Some(values::number(text, "ICMP code")?),
            Field::IcmpId => icmp.id = Some(values::number(text, "ICMP id")?),
        }
        Ok(())
    }

    fn nat(&mut self, value: Option<&str>) -> Result<Nat, Error> {
        let nat = value.map(values::nat).transpose()?.unwrap_or_default();
        if let Some(address) = nat.address {
            self.agree(address)?;
        }
        Ok(nat)
    }

    /// All addresses of a command are of one family.
    fn agree(&mut self, address: IpAddr) -> Result<(), Error> {
        self.of(if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 })
    }

    fn of(&mut self, family: Family) -> Result<(), Error> {
        if self.filter.family.replace(family).is_some_and(|other| other != family) {
            return usage("mismatched address family");
        }
        Ok(())
    }

    fn has(&self, option: Opt) -> bool {
        self.given.contains(&option)
    }

    /// What goes with what.
    fn finish(mut self) -> Result<Invocation, Error> {
        if self.has(Opt::AnyNat) && (self.has(Opt::SrcNat) || self.has(Opt::DstNat)) {
            return usage("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
        }
        let command = self.command.unwrap_or(Help);
        match (self.table, command) {
            (Table::Passing, List) => {}
            (Table::Passing, _) => return usage("Can't do that command with tables `dying' and `unconfirmed'"),
            (Table::Expect, Update) => return usage("Can't do --update on expectations"),
            _ => {}
        }
        self.given.sort_unstable();
        self.fit(command)?;
        for (mask, of) in [(Opt::MaskSrc, Opt::Src), (Opt::MaskDst, Opt::Dst)] {
            if self.has(mask) && !self.has(of) {
                return usage(format!("Can't use --{} without --{}", mask.name(None), of.name(None)));
            }
        }
        if self.has(Opt::Zero) && !self.given.iter().all(|option| matches!(option, Opt::Zero | Opt::Family | Opt::Output)) {
            // The reference takes --src-nat and its like, and zeroes what it does not show.
            return usage("Can't use -z with filtering parameters");
        }
        if let Some(option) = self.given.iter().find(|option| !option.is_built(command)) {
            return Err(Error::Unsupported(format!("`--{}' with this command", option.name(self.filter.protocol))));
        }
        if command == Get && self.table == Table::Conntrack {
            self.whole_tuple()?;
        }
        self.filter.status = self.status;
        let mut mark = self.mark.map(|(value, mask)| (value, mask.unwrap_or(u32::MAX)));
        if command != Update {
            self.filter.mark = mark.take();
        }
        let update = super::update::Update { mark, add: self.label_add, delete: self.label_del };
        // The reference takes the words, and shows none of it there.
        self.output.timestamp &= command == Event || self.table == Table::Expect;
        self.output.ktimestamp &= !matches!(command, Delete | Update);
        let kinds = self.kinds.unwrap_or(Kinds::ALL);
        Ok(Invocation {
            command,
            table: self.table,
            zero: self.has(Opt::Zero),
            output: self.output,
            filter: self.filter,
            update,
            kinds,
            buffer: self.buffer,
        })
    }

    /// Every option that the command needs is there, and none that it does not take. The first in the reference's order is told.
    fn fit(&self, command: Command) -> Result<(), Error> {
        let names_expectation = self.table == Table::Expect && matches!(command, Get | Delete);
        let needed: &[Opt] = match command {
            _ if names_expectation => &[Opt::Src, Opt::Dst, Opt::Protonum],
            Get => &[Opt::Protonum],
            _ => &[],
        };
        let ports = fields(self.filter.protocol)
            .filter(|(_, field)| names_expectation && field.is_port())
            .map(|(_, field)| Opt::Protocol(field));
        let mut all: Vec<Opt> = self.given.iter().chain(needed).copied().chain(ports).collect();
        all.sort_unstable();
        for option in all {
            if !self.has(option) {
                return usage(format!("You need to supply the `--{}' option for this command", option.name(self.filter.protocol)));
            }
            if !option.goes_with(command, self.table) {
                return usage(format!("Illegal option `--{}' with this command", option.name(self.filter.protocol)));
            }
        }
        Ok(())
    }

    /// `-G` names one connection.
    fn whole_tuple(&mut self) -> Result<(), Error> {
        let both = |a: bool, b: bool, message: &str| if a == b { Ok(a) } else { usage(message) };
        let Filter { orig_src, orig_dst, reply_src, reply_dst, ports, icmp, .. } = &self.filter;
        let original = both(orig_src.is_some(), orig_dst.is_some(), "you have to specify `--src' and `--dst'")?;
        let reply = both(reply_src.is_some(), reply_dst.is_some(), "you have to specify `--reply-src' and `--reply-dst'")?;
        if !original && !reply {
            return usage("you have to specify `--src' and `--dst'");
        }
        match self.filter.protocol {
            Some(1 | 58) => {
                for (field, name) in [(icmp.kind, "type"), (icmp.code, "code")] {
                    if field.is_none() {
                        let family = if self.filter.protocol == Some(1) { "icmp" } else { "icmpv6" };
                        return usage(format!("You need to supply the `--{family}-{name}' option for this command"));
                    }
                }
                // Absent, it is 0.
                self.filter.icmp.id.get_or_insert(0);
            }
            Some(6 | 17 | 33 | 47 | 132 | 136) => {
                let names = match self.filter.protocol {
                    Some(47) => [
                        "you have to specify `--srckey' and `--dstkey'",
                        "you have to specify `--reply-key-src' and `--reply-key-dst'",
                    ],
                    _ => [
                        "you have to specify `--sport' and `--dport'",
                        "you have to specify `--reply-src-port' and `--reply-dst-port'",
                    ],
                };
                let reply = both(ports.reply_src.is_some(), ports.reply_dst.is_some(), names[1])?;
                let original = both(ports.orig_src.is_some(), ports.orig_dst.is_some(), names[0])?;
                if !original && !reply {
                    return usage(names[0]);
                }
            }
            _ => {}
        }
        self.filter.zone.get_or_insert(0);
        Ok(())
    }
}

impl Opt {
    /// The name that messages use.
    fn name(self, protocol: Option<u8>) -> &'static str {
        let own = OPTIONS.iter().find(|option| matches!(option.2, Meaning::Option(of, _) if of == self));
        let brought = fields(protocol).find(|(_, field)| Opt::Protocol(*field) == self).map(|(name, _)| name);
        own.and_then(|option| option.1.first()).copied().or(brought).unwrap_or("protocol option")
    }

    /// The reference takes it with this command.
    fn goes_with(self, command: Command, table: Table) -> bool {
        use Opt::*;
        if table == Table::Expect {
            return match command {
                List => matches!(self, Family | Output),
                Event => self == Output,
                Get | Delete => match self {
                    Protocol(field) => field.is_port(),
                    _ => matches!(self, Src | Dst | ReplySrc | ReplyDst | Protonum),
                },
                _ => false,
            };
        }
        let tuple = matches!(self, Src | Dst | ReplySrc | ReplyDst | Protonum | Protocol(_));
        let narrows = tuple || matches!(self, Family | SrcNat | DstNat | Mark | Output | Label | MaskSrc | MaskDst);
        let zone = matches!(self, Zone | OrigZone | ReplyZone);
        match command {
            List => narrows || zone || matches!(self, Status | Zero | AnyNat | Secmark),
            Get => tuple || matches!(self, Id | Output | Label),
            Delete => narrows || zone || matches!(self, Timeout | Status | Id),
            Update => narrows || matches!(self, Timeout | Status | Id | LabelAdd | LabelDel),
            Event => narrows || zone || matches!(self, AnyNat | EventMask | BufferSize | Secmark),
            Flush => self == Family,
            Count | Stats | Version | Help => false,
        }
    }

    /// It means something here too.
    fn is_built(self, command: Command) -> bool {
        let never = matches!(self, Opt::Timeout | Opt::Secmark);
        !(never || self == Opt::Status && command == Update)
    }
}

/// What `-h` prints: our own words.
pub(super) fn help() -> String {
    format!(
        "{PROGRAM}, as Rampart has it: the connections that the dataplane tracks.\n\n\
         conntrack -L [FILTER] [-o FORMAT] [-z]   list connections; -z lets their counts begin anew\n\
         conntrack -G -p PROTOCOL TUPLE           show one connection\n\
         conntrack -D [FILTER]                    end connections, and show them\n\
         conntrack -U [FILTER] CHANGE             change connections, and show them: -m MARK[/MASK], --label-add LABEL,...,\n                                                  \
         --label-del [LABEL,...] (all, if none is named)\n\
         conntrack -F [-f FAMILY]                 end all connections\n\
         conntrack -C                             how many there are\n\
         conntrack -S                             what tracking did with packets, for each worker\n\
         conntrack -E [FILTER] [-e NEW,UPDATES,DESTROY] [-b BYTES] [-o FORMAT]   show what becomes of connections, until interrupted\n\
         conntrack -L|-C|-F|-S|-E expect          list, count, forget connections that others have announced; statistics, events\n\
         conntrack -G|-D expect -p PROTOCOL TUPLE show, forget the one that a connection of this tuple would fulfil\n\
         conntrack -L dying|unconfirmed           list connections that wait to be told of, or for their first packet: none does\n\
         conntrack -V, -h                         version, this text\n\n\
         FILTER\n  \
         -s, --src ADDRESS[/LENGTH]  -d, --dst ADDRESS[/LENGTH]   as the first packet has them (--mask-src, --mask-dst MASK)\n  \
         -r, --reply-src ADDRESS     -q, --reply-dst ADDRESS      as the answers have them\n  \
         -p, --proto PROTOCOL, and then, as the protocol has them:\n    \
         --sport --dport --reply-port-src --reply-port-dst PORT, --state STATE,\n    \
         --icmp-type --icmp-code --icmp-id NUMBER, --srckey --dstkey --reply-key-src --reply-key-dst KEY\n  \
         -f, --family ipv4|ipv6      -m, --mark MARK[/MASK]       -u, --status ASSURED|SEEN_REPLY|EXPECTED|FIXED_TIMEOUT,...\n  \
         -n, --src-nat [ADDRESS]     -g, --dst-nat [ADDRESS]      -j, --any-nat [ADDRESS]\n  \
         -w, --zone NUMBER           --orig-zone NUMBER           --reply-zone NUMBER\n  \
         -i, --id NUMBER (-D, -U, -G)                             -l, --label LABEL,...\n\
         FORMAT\n  \
         extended, id, labels; ktimestamp with -L, -G, -E; timestamp with -E and with -L expect; xml, or save alone\n"
    )
}
