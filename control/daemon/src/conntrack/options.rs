//! The words of a conntrack command: which options there are, and their values. What goes with what is in [`super::together`].
use std::net::IpAddr;

use proto::private::Family;
use proto::public::Reply;
use rules::getopt::{Getopt, Step};
use rules::names::Names;

use super::PROGRAM;
use super::fields::{self, Field};
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
    /// The kernel would refuse it; its exit code is 1.
    Refused(&'static str),
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
            Error::Refused(reason) => (1, format!("{PROGRAM}: Operation failed: {reason}\n")),
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
const OPTIONS: &[(char, &[&str], Meaning)] = &[
    ('L', &["dump"], Meaning::Command(List)),
    ('G', &["get"], Meaning::Command(Get)),
    ('D', &["delete"], Meaning::Command(Delete)),
    ('U', &["update"], Meaning::Command(Update)),
    ('F', &["flush"], Meaning::Command(Flush)),
    ('C', &["count"], Meaning::Command(Count)),
    ('V', &["version"], Meaning::Command(Version)),
    ('h', &["help"], Meaning::Command(Help)),
    ('I', &["create"], Meaning::NoCommand("making connections by hand (--create)")),
    ('A', &["add"], Meaning::NoCommand("making connections by hand (--add)")),
    ('R', &["load-file"], Meaning::NoCommand("loading connections (--load-file)")),
    ('E', &["event"], Meaning::Command(Event)),
    ('S', &["stats"], Meaning::Command(Stats)),
    ('s', &["src", "orig-src"], Meaning::Option(Opt::Src, Required)),
    ('d', &["dst", "orig-dst"], Meaning::Option(Opt::Dst, Required)),
    ('r', &["reply-src"], Meaning::Option(Opt::ReplySrc, Required)),
    ('q', &["reply-dst"], Meaning::Option(Opt::ReplyDst, Required)),
    ('p', &["protonum", "proto"], Meaning::Option(Opt::Protonum, Required)),
    ('t', &["timeout"], Meaning::Option(Opt::Timeout, Required)),
    ('u', &["status"], Meaning::Option(Opt::Status, Required)),
    ('z', &["zero"], Meaning::Option(Opt::Zero, Bare)),
    ('e', &["event-mask"], Meaning::Option(Opt::EventMask, Required)),
    ('[', &["tuple-src"], Meaning::Option(Opt::TupleSrc, Required)),
    (']', &["tuple-dst"], Meaning::Option(Opt::TupleDst, Required)),
    ('{', &["mask-src"], Meaning::Option(Opt::MaskSrc, Required)),
    ('}', &["mask-dst"], Meaning::Option(Opt::MaskDst, Required)),
    ('i', &["id"], Meaning::Option(Opt::Id, Required)),
    ('f', &["family"], Meaning::Option(Opt::Family, Required)),
    ('n', &["src-nat"], Meaning::Option(Opt::SrcNat, Optional)),
    ('g', &["dst-nat"], Meaning::Option(Opt::DstNat, Optional)),
    ('j', &["any-nat"], Meaning::Option(Opt::AnyNat, Optional)),
    ('o', &["output"], Meaning::Option(Opt::Output, Required)),
    ('c', &["secmark"], Meaning::Option(Opt::Secmark, Required)),
    ('m', &["mark"], Meaning::Option(Opt::Mark, Required)),
    ('b', &["buffer-size"], Meaning::Option(Opt::BufferSize, Required)),
    ('w', &["zone"], Meaning::Option(Opt::Zone, Required)),
    ('l', &["label"], Meaning::Option(Opt::Label, Required)),
    ('<', &["label-add"], Meaning::Option(Opt::LabelAdd, Required)),
    ('>', &["label-del"], Meaning::Option(Opt::LabelDel, Optional)),
    ('(', &["orig-zone"], Meaning::Option(Opt::OrigZone, Required)),
    (')', &["reply-zone"], Meaning::Option(Opt::ReplyZone, Required)),
];

fn usage<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Usage(message.into()))
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) command: Option<Command>,
    pub(super) table: Table,
    pub(super) given: Vec<Opt>,
    pub(super) filter: Filter,
    pub(super) output: Output,
    pub(super) mark: Option<(u32, Option<u32>)>,
    pub(super) timeout: Option<u32>,
    pub(super) kinds: Option<Kinds>,
    pub(super) buffer: Option<Buffer>,
    pub(super) status: Option<u32>,
    pub(super) label_add: Option<LabelSet>,
    pub(super) label_del: Option<LabelSet>,
    /// The first value that the reference takes for something that nobody can mean: told when nothing else is wrong.
    pub(super) nonsense: Option<Error>,
}

/// Reads a command. As in the reference words that are no options, and all behind `--`, say nothing.
pub(super) fn parse(words: &[String], names: &dyn Names) -> Result<Invocation, Error> {
    let mut getopt = Getopt::new(words);
    let mut reading = Reading::default();
    while let Some(step) = getopt.step() {
        let (meaning, attached) = match step {
            Step::Short(letter) => (OPTIONS.iter().find(|option| option.0 == letter).map(|option| option.2), None),
            Step::Long(name, attached) => (long(name, reading.filter.protocol), attached),
            Step::Word(_) => continue,
        };
        let unknown = usage(format!("unknown option `{}'", getopt.last_word()));
        match meaning {
            None => return unknown,
            Some(Meaning::Command(_) | Meaning::NoCommand(_)) if reading.command.is_some() => {
                return usage("Invalid commands combination");
            }
            Some(Meaning::NoCommand(what)) => return Err(Error::Unsupported(what.to_owned())),
            Some(Meaning::Command(command)) => {
                // To a few of them nothing can be attached. To the others something can, at which the reference does not look, nor behind it.
                let takes_attached = !matches!(command, Stats | Version | Help);
                let attached = if takes_attached { getopt.attached(attached) } else { attached };
                if attached.is_some() && !takes_attached {
                    return unknown;
                }
                let named = if attached.is_none() { getopt.argument() } else { None };
                reading.begin(command, named)?;
            }
            Some(Meaning::Option(_, Bare)) if attached.is_some() => return unknown,
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
    reading.finish()
}

/// A long option by its name or by a beginning that only one has.
fn long(name: &str, protocol: Option<u8>) -> Option<Meaning> {
    let own = OPTIONS.iter().flat_map(|option| option.1.iter().map(|name| (*name, option.2)));
    let all = own.chain(fields::of(protocol).map(|(name, field)| (name, Meaning::Option(Opt::Protocol(field), Required))));
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
    /// A command, and the table that is named behind it.
    fn begin(&mut self, command: Command, named: Option<&str>) -> Result<(), Error> {
        self.command = Some(command);
        self.table = named.map(table).transpose()?.unwrap_or_default();
        match (self.table, command) {
            (Table::Passing, List) => Ok(()),
            (Table::Passing, _) => usage("Can't do that command with tables `dying' and `unconfirmed'"),
            (Table::Expect, Update) => usage("Can't do --update on expectations"),
            _ => Ok(()),
        }
    }

    /// A value; what makes no sense is told later.
    fn sense<T>(&mut self, value: Result<T, Error>) -> Option<T> {
        value.map_err(|error| self.nonsense.get_or_insert(error)).ok()
    }

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
            Opt::ReplySrc | Opt::ReplyDst | Opt::MaskSrc | Opt::MaskDst => {
                if text.contains('/') {
                    return usage(format!("CIDR notation unavailable for `--{}'", option.name(None)));
                }
                let address = values::address(text)?;
                self.agree(address)?;
                let filter = &mut self.filter;
                let place = match option {
                    Opt::ReplySrc => &mut filter.reply_src,
                    Opt::ReplyDst => &mut filter.reply_dst,
                    Opt::MaskSrc => &mut filter.mask_src,
                    _ => &mut filter.mask_dst,
                };
                *place = Some(address);
            }
            Opt::TupleSrc | Opt::TupleDst => self.agree(values::prefix(text)?.0)?,
            Opt::Family => {
                let family = match text {
                    "ipv4" => Family::Ipv4,
                    "ipv6" => Family::Ipv6,
                    _ => return usage(format!("`{text}' unsupported protocol")),
                };
                self.of(family)?;
            }
            Opt::Protonum => self.filter.protocol = Some(values::protocol(text, names)?),
            Opt::Status => {
                let (bits, nonsense) = values::status(text)?;
                self.status = Some(self.status.unwrap_or_default() | bits);
                self.sense(nonsense);
            }
            Opt::Id => self.filter.id = self.sense(values::number(text, "id")),
            Opt::Zone => self.filter.zone = self.sense(values::number(text, "zone")),
            Opt::OrigZone => self.filter.orig_zone = self.sense(values::number(text, "zone")),
            Opt::ReplyZone => self.filter.reply_zone = self.sense(values::number(text, "zone")),
            Opt::Mark => self.mark = self.sense(values::mark(text)),
            Opt::Timeout => self.timeout = self.sense(values::decimal(text, "timeout")),
            Opt::Output => values::output(text, &mut self.output)?,
            Opt::SrcNat => self.filter.src_nat = Some(self.nat(value)?),
            Opt::DstNat => self.filter.dst_nat = Some(self.nat(value)?),
            Opt::AnyNat => self.filter.any_nat = Some(self.nat(value)?),
            Opt::Protocol(field) => self.field(field, text)?,
            Opt::Zero => {}
            Opt::EventMask => self.kinds = Some(values::kinds(text)?),
            Opt::BufferSize => self.buffer = self.sense(values::decimal(text, "buffer size")).map(Buffer::of),
            // Told to be illegal or not built when all words are read.
            Opt::Secmark => {}
            Opt::Label | Opt::LabelAdd | Opt::LabelDel => self.labels(option, value, names)?,
        }
        Ok(())
    }

    fn labels(&mut self, option: Opt, value: Option<&str>, names: &dyn Names) -> Result<(), Error> {
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
        let port = |text| if self.filter.protocol == Some(GRE) { values::number(text, "key") } else { values::port(text) };
        match field {
            Field::OrigPortSrc => self.filter.ports.orig_src = self.sense(port(text)),
            Field::OrigPortDst => self.filter.ports.orig_dst = self.sense(port(text)),
            Field::ReplyPortSrc => self.filter.ports.reply_src = self.sense(port(text)),
            Field::ReplyPortDst => self.filter.ports.reply_dst = self.sense(port(text)),
            Field::State => self.filter.state = Some(values::state(text, self.filter.protocol)?),
            Field::IcmpType => self.filter.icmp.kind = self.sense(values::decimal(text, "ICMP type")),
            Field::IcmpCode => self.filter.icmp.code = self.sense(values::decimal(text, "ICMP code")),
            Field::IcmpId => self.filter.icmp.id = self.sense(values::decimal(text, "ICMP id")),
            Field::Role if !["client", "server"].contains(&text) => return usage(format!("Unknown DCCP role `{text}'")),
            // Told to be illegal or not built when all words are read.
            Field::MaskPortSrc
            | Field::MaskPortDst
            | Field::TuplePortSrc
            | Field::TuplePortDst
            | Field::OrigTag
            | Field::ReplyTag
            | Field::Role => {}
        }
        Ok(())
    }

    fn nat(&mut self, value: Option<&str>) -> Result<Nat, Error> {
        let Some(text) = value else { return Ok(Nat::default()) };
        let (address, port) = values::nat(text)?;
        self.agree(address)?;
        let port = port.and_then(|port| self.sense(values::port(port)));
        Ok(Nat { address: Some(address), port })
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
}

const GRE: u8 = 47;

impl Opt {
    /// The name that messages use.
    pub(super) fn name(self, protocol: Option<u8>) -> &'static str {
        let own = OPTIONS.iter().find(|option| matches!(option.2, Meaning::Option(of, _) if of == self));
        let brought = fields::of(protocol).find(|(_, field)| Opt::Protocol(*field) == self).map(|(name, _)| name);
        own.and_then(|option| option.1.first()).copied().or(brought).unwrap_or("protocol option")
    }
}

/// What `-h` prints: our own words.
pub(super) fn help() -> String {
    format!(
        "{PROGRAM}, as Rampart has it: the connections that the dataplane tracks.\n\n\
         conntrack -L [FILTER] [-o FORMAT] [-z]   list connections; -z lets their counts begin anew\n\
         conntrack -G -p PROTOCOL TUPLE           show one connection\n\
         conntrack -D [FILTER]                    end connections, and show them\n\
         conntrack -U [FILTER] CHANGE             change connections, and show them: -t SECONDS, -u STATUS,..., -m MARK[/MASK], --label-add LABEL,...,\n                                                  \
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
