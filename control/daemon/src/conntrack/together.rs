//! What goes with what in a conntrack command, in the order in which the reference looks at it.
use super::fields::{self, Field};
use super::filter::{Filter, Icmp};
use super::options::{Command, Error, Invocation, Opt, Reading, Table};
use super::update::Update;
use super::watch::Kinds;
use Command::{Delete, Event, Flush, Get, Help, List, Update as Change};

const ICMP: u8 = 1;
const GRE: u8 = 47;
const ICMPV6: u8 = 58;

fn usage<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::Usage(message.into()))
}

/// What the kernel says of a tuple or a filter that it does not understand.
const INVALID: Error = Error::Refused("invalid parameters");

impl Reading {
    fn has(&self, option: Opt) -> bool {
        self.given.contains(&option)
    }

    fn name(&self, option: Opt) -> &'static str {
        option.name(self.filter.protocol)
    }

    /// What the words mean, taken together.
    pub(super) fn finish(mut self) -> Result<Invocation, Error> {
        if self.has(Opt::AnyNat) && (self.has(Opt::SrcNat) || self.has(Opt::DstNat)) {
            return usage("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
        }
        let command = self.command.unwrap_or(Help);
        // No command is help, but does not take what help takes.
        let named = self.command.unwrap_or(Command::Version);
        self.given.sort_unstable();
        let split = self.given.partition_point(|option| !matches!(option, Opt::Protocol(_)));
        let names_expectation = self.table == Table::Expect && matches!(command, Get | Delete);
        let names_connection = self.table == Table::Conntrack && command == Get;
        self.fit(
            named,
            &self.given[..split],
            match command {
                _ if names_expectation => &[Opt::Src, Opt::Dst, Opt::Protonum],
                Get => &[Opt::Protonum],
                _ => &[],
            },
        )?;
        if names_connection {
            self.addresses()?;
        }
        let ports: Vec<Opt> = fields::of(self.filter.protocol)
            .filter(|(_, field)| names_expectation && field.is_port())
            .map(|(_, field)| Opt::Protocol(field))
            .collect();
        self.fit(named, &self.given[split..], &ports)?;
        if names_connection {
            self.protocol_fields()?;
        }
        if self.table != Table::Passing {
            self.narrows()?;
        }
        if !matches!(command, Help | Command::Version) {
            self.makes_sense(command)?;
        }
        if names_connection {
            self.whole_tuple()?;
        }
        Ok(self.invocation(command))
    }

    /// Every option that the command needs is there, and none that it does not take. The first in the reference's order is told.
    fn fit(&self, command: Command, given: &[Opt], needed: &[Opt]) -> Result<(), Error> {
        let mut all = [given, needed].concat();
        all.sort_unstable();
        for option in all {
            if !self.has(option) {
                return usage(format!("You need to supply the `--{}' option for this command", self.name(option)));
            }
            if !option.goes_with(command, self.table) {
                return usage(format!("Illegal option `--{}' with this command", self.name(option)));
            }
        }
        Ok(())
    }

    /// `-G` names both addresses of one direction.
    fn addresses(&self) -> Result<(), Error> {
        let Filter { orig_src, orig_dst, reply_src, reply_dst, .. } = &self.filter;
        let names = ["you have to specify `--src' and `--dst'", "you have to specify `--reply-src' and `--reply-dst'"];
        either([orig_src.is_some(), orig_dst.is_some()], [reply_src.is_some(), reply_dst.is_some()], names)
    }

    /// And both ports, or type and code of a query.
    fn protocol_fields(&self) -> Result<(), Error> {
        let has = |field| self.has(Opt::Protocol(field));
        match self.filter.protocol {
            Some(ICMP | ICMPV6) => match [Field::IcmpType, Field::IcmpCode].into_iter().find(|field| !has(*field)) {
                Some(missing) => {
                    usage(format!("You need to supply the `--{}' option for this command", self.name(Opt::Protocol(missing))))
                }
                None => Ok(()),
            },
            Some(protocol @ (6 | 17 | 33 | GRE | 132 | 136)) => {
                let names = match protocol {
                    GRE => [
                        "you have to specify `--srckey' and `--dstkey'",
                        "you have to specify `--reply-key-src' and `--reply-key-dst'",
                    ],
                    _ => [
                        "you have to specify `--sport' and `--dport'",
                        "you have to specify `--reply-src-port' and `--reply-dst-port'",
                    ],
                };
                let pair = |src, dst| [has(src), has(dst)];
                either(pair(Field::OrigPortSrc, Field::OrigPortDst), pair(Field::ReplyPortSrc, Field::ReplyPortDst), names)
            }
            _ => Ok(()),
        }
    }

    /// What narrows another option stands beside it, and what zeroes counts stands without a filter.
    fn narrows(&self) -> Result<(), Error> {
        for (mask, of) in [(Opt::MaskSrc, Opt::Src), (Opt::MaskDst, Opt::Dst)] {
            if self.has(mask) && !self.has(of) {
                return usage(format!("Can't use --{} without --{}", self.name(mask), self.name(of)));
            }
        }
        if self.has(Opt::Zero) && !self.given.iter().all(|option| matches!(option, Opt::Zero | Opt::Family | Opt::Output)) {
            // The reference takes --src-nat and its like, and zeroes what it does not show.
            return usage("Can't use -z with filtering parameters");
        }
        Ok(())
    }

    /// Nothing is taken and ignored, or taken for something else than it says.
    fn makes_sense(&mut self, command: Command) -> Result<(), Error> {
        if let Some(nonsense) = self.nonsense.take() {
            return Err(nonsense);
        }
        if let Some(option) = self.given.iter().find(|option| !option.is_built(command)) {
            return Err(Error::Unsupported(format!("`--{}' with this command", self.name(*option))));
        }
        match (self.status, command) {
            // The reference would end all of them.
            (Some(0), Delete) => Err(Error::Unsupported("`--status UNSET' with this command".to_owned())),
            (Some(0), List) if self.table == Table::Conntrack => Err(INVALID),
            _ => Ok(()),
        }
    }

    /// The kernel looks a connection up by its original tuple, which it has to understand; where there is one of the reply, that too.
    fn whole_tuple(&mut self) -> Result<(), Error> {
        let Filter { protocol, orig_src, reply_src, reply_dst, ports, icmp, zone, .. } = &mut self.filter;
        let names_reply = reply_src.is_some() || reply_dst.is_some();
        let reply_ports = ports.reply_src.is_some() || ports.reply_dst.is_some();
        if orig_src.is_none() || reply_ports && !names_reply || !is_query(*protocol, icmp) {
            return Err(INVALID);
        }
        // Absent, they are 0.
        zone.get_or_insert(0);
        match protocol {
            Some(ICMP | ICMPV6) => _ = icmp.id.get_or_insert(0),
            Some(6 | 17 | 33 | GRE | 132 | 136) => {
                ports.orig_src.get_or_insert(0);
                ports.orig_dst.get_or_insert(0);
            }
            _ => {}
        }
        Ok(())
    }

    fn invocation(mut self, command: Command) -> Invocation {
        let (mut mark, mut status) = (self.mark.map(|(value, mask)| (value, mask.unwrap_or(u32::MAX))), self.status);
        if command != Change {
            self.filter.mark = mark.take();
            self.filter.status = status.take();
        }
        // Whoever names labels wants to see them.
        self.output.labels |= [Opt::Label, Opt::LabelAdd, Opt::LabelDel].into_iter().any(|option| self.has(option));
        // The reference takes the words, and shows none of it there.
        self.output.timestamp &= command == Event || self.table == Table::Expect;
        self.output.ktimestamp &= !matches!(command, Delete | Change);
        Invocation {
            command,
            table: self.table,
            zero: self.has(Opt::Zero),
            update: Update {
                timeout: self.timeout,
                status: status.unwrap_or_default(),
                mark,
                add: self.label_add,
                delete: self.label_del,
            },
            kinds: self.kinds.unwrap_or(Kinds::ALL),
            buffer: self.buffer,
            output: self.output,
            filter: self.filter,
        }
    }
}

/// One of two pairs is whole; else the one that was begun is told, and the first if none was.
fn either(first: [bool; 2], second: [bool; 2], [first_name, second_name]: [&str; 2]) -> Result<(), Error> {
    match (first, second) {
        ([true, true], _) | (_, [true, true]) => Ok(()),
        ([false, false], [true, _] | [_, true]) => usage(second_name),
        _ => usage(first_name),
    }
}

/// The kernel takes types of queries and of their answers alone.
fn is_query(protocol: Option<u8>, icmp: &Icmp) -> bool {
    match (protocol, icmp.kind) {
        (Some(ICMP), Some(kind)) => matches!(kind, 0 | 8 | 13..=18),
        (Some(ICMPV6), Some(kind)) => matches!(kind, 128 | 129 | 139 | 140),
        _ => true,
    }
}

impl Opt {
    /// The reference takes it with this command.
    fn goes_with(self, command: Command, table: Table) -> bool {
        use Opt::*;
        if command == Help {
            return matches!(self, Protonum | Protocol(_));
        }
        if let Protocol(field) = self
            && field.makes()
        {
            return false;
        }
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
        if matches!(self, Protocol(Field::OrigTag | Field::ReplyTag)) {
            return matches!(command, Get | Change);
        }
        let tuple = matches!(self, Src | Dst | ReplySrc | ReplyDst | Protonum | Protocol(_));
        let narrows = tuple || matches!(self, Family | SrcNat | DstNat | Mark | Output | Label | MaskSrc | MaskDst);
        let zone = matches!(self, Zone | OrigZone | ReplyZone);
        match command {
            List => narrows || zone || matches!(self, Status | Zero | AnyNat | Secmark),
            Get => tuple || matches!(self, Id | Output | Label),
            Delete => narrows || zone || matches!(self, Timeout | Status | Id),
            Change => narrows || matches!(self, Timeout | Status | Id | LabelAdd | LabelDel),
            Event => narrows || zone || matches!(self, AnyNat | EventMask | BufferSize | Secmark),
            // The reference takes the word, and ends those of both families.
            Flush => self == Family,
            Command::Count | Command::Stats | Command::Version | Help => false,
        }
    }

    /// It means something here too.
    fn is_built(self, command: Command) -> bool {
        match self {
            Opt::Secmark | Opt::Protocol(Field::OrigTag | Field::ReplyTag) => false,
            Opt::Timeout => command == Change,
            _ => true,
        }
    }
}
