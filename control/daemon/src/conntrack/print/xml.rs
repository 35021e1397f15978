//! `-o xml`.
use std::fmt::{self, Formatter};
use std::net::IpAddr;
use std::time::Duration;

use chrono::{Datelike, Timelike};
use proto::expectation::{Expectation, Master};
use proto::flow::{Flow, Half, Kind, L4};
use rules::names::Labels;

use super::{ASSURED, Shown, Until, local, protocol, seconds_between, shown_l4};
use crate::conntrack::filter::SEEN_REPLY;
use crate::conntrack::labels;
use crate::conntrack::options::{Command, Invocation, Table};

/// What stands round the lines of a command: nothing, unless they are XML and the command is one that lists or watches.
pub(in crate::conntrack) struct Frame {
    name: &'static str,
    opens: bool,
    closes: bool,
    is_open: bool,
}

impl Frame {
    /// Of this command.
    pub(in crate::conntrack) fn of(invocation: &Invocation) -> Frame {
        let name = if invocation.table == Table::Expect { "expect" } else { "conntrack" };
        let closes = invocation.output.xml && matches!(invocation.command, Command::List | Command::Event);
        // The reference leaves what it got by its tuple open, and gives what it deleted or updated no frame at all.
        let opens = closes || invocation.output.xml && invocation.command == Command::Get;
        Frame { name, opens, closes, is_open: false }
    }

    /// What stands before the next line.
    pub(in crate::conntrack) fn before(&mut self) -> String {
        let is_first = !std::mem::replace(&mut self.is_open, true);
        if self.opens && is_first {
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{}>\n", self.name)
        } else {
            String::new()
        }
    }

    /// What stands behind the last one.
    pub(in crate::conntrack) fn after(&self) -> String {
        if self.closes && self.is_open { format!("</{}>\n", self.name) } else { String::new() }
    }
}

/// A connection, or something that happened to it; then with the time of day where that is wanted.
pub(super) fn flow(
    f: &mut Formatter<'_>,
    (kind, flow): (Option<Kind>, &Flow),
    shown: &Shown,
    labels: Option<(u128, &Labels)>,
    ktimestamp: bool,
    day: Option<Duration>,
) -> fmt::Result {
    open(f, kind)?;
    let zone = flow.zone;
    let both = zone.original && zone.reply;
    for (name, half, has_zone) in [("original", &flow.original, zone.original), ("reply", &flow.reply, zone.reply)] {
        write!(f, "<meta direction=\"{name}\">")?;
        direction(f, flow.protocol, half)?;
        if zone.id != 0 && has_zone && !both {
            write!(f, "<zone>{}</zone>", zone.id)?;
        }
        if let Some((packets, bytes)) = half.counts {
            write!(f, "<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>")?;
        }
        f.write_str("</meta>")?;
    }
    f.write_str("<meta direction=\"independent\">")?;
    if shown.state && !flow.state.is_empty() {
        write!(f, "<state>{}</state>", flow.state)?;
    }
    if shown.timeout {
        write!(f, "<timeout>{}</timeout>", flow.timeout)?;
    }
    if shown.mark {
        write!(f, "<mark>{}</mark>", flow.mark)?;
    }
    if let Some((labels, names)) = labels {
        labels::named(labels, names, |names| {
            f.write_str("<labels>")?;
            names.into_iter().try_for_each(|name| write!(f, "<label>{name}</label>"))?;
            f.write_str("</labels>")
        })?;
    }
    if shown.helper_and_label && !flow.label.is_empty() {
        // Elsewhere a label is a security module's, with nothing in it that means something here.
        let label = flow.label.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        write!(f, "<secctx>{label}</secctx>")?;
    }
    if zone.id != 0 && both {
        write!(f, "<zone>{}</zone>", zone.id)?;
    }
    if shown.holders {
        f.write_str("<use>1</use>")?;
    }
    write!(f, "<id>{}</id>", flow.id)?;
    if flow.status & ASSURED != 0 {
        f.write_str("<assured/>")?;
    }
    if flow.status & SEEN_REPLY == 0 {
        f.write_str("<unreplied/>")?;
    }
    if let Some(started) = flow.started {
        times(f, started, &shown.until, ktimestamp)?;
    }
    f.write_str("</meta>")?;
    when(f, day)?;
    if shown.helper_and_label && !flow.helper.is_empty() {
        write!(f, "<helper>{}</helper>", flow.helper)?;
    }
    f.write_str("</flow>")
}

/// What is announced, likewise.
pub(in crate::conntrack) fn expectation(
    f: &mut Formatter<'_>,
    (kind, of): (Option<Kind>, &Expectation),
    masks: [IpAddr; 2],
    src: IpAddr,
    day: Option<Duration>,
) -> fmt::Result {
    let Master { src: master_src, dst: master_dst, sport: master_sport, dport: master_dport } = of.master;
    let addresses =
        |f: &mut Formatter<'_>, name, src: IpAddr, dst: IpAddr| write!(f, "<{name}><src>{src}</src><dst>{dst}</dst></{name}>");
    let ports =
        |f: &mut Formatter<'_>, name, src: u16, dst: u16| write!(f, "<{name}><sport>{src}</sport><dport>{dst}</dport></{name}>");
    open(f, kind)?;
    layer3(f, of.dst)?;
    addresses(f, "expected", src, of.dst)?;
    addresses(f, "mask", masks[0], masks[1])?;
    addresses(f, "master", master_src, master_dst)?;
    f.write_str("</layer3>")?;
    layer4(f, of.protocol)?;
    ports(f, "expected", of.sport.unwrap_or(0), of.dport)?;
    ports(f, "mask", if of.sport.is_some() { u16::MAX } else { 0 }, u16::MAX)?;
    ports(f, "master", master_sport, master_dport)?;
    write!(
        f,
        "</layer4><meta><helper-name>{}</helper-name><timeout>{}</timeout><class>{}</class>",
        of.helper, of.timeout, of.class
    )?;
    when(f, day)?;
    for (has, word) in [(of.permanent, "<permanent/>"), (of.inactive, "<inactive/>")] {
        f.write_str(if has { word } else { "" })?;
    }
    f.write_str("</meta></flow>")
}

fn open(f: &mut Formatter<'_>, kind: Option<Kind>) -> fmt::Result {
    f.write_str(match kind {
        None => "<flow>",
        Some(Kind::New) => "<flow type=\"new\">",
        Some(Kind::Update) => "<flow type=\"update\">",
        Some(Kind::Destroy) => "<flow type=\"destroy\">",
    })
}

fn direction(f: &mut Formatter<'_>, protocol: u8, half: &Half) -> fmt::Result {
    layer3(f, half.src)?;
    write!(f, "<src>{}</src><dst>{}</dst></layer3>", half.src, half.dst)?;
    layer4(f, protocol)?;
    match shown_l4(protocol, half.l4) {
        L4::Ports(src, dst) => write!(f, "<sport>{src}</sport><dport>{dst}</dport>")?,
        L4::Keys(src, dst) => write!(f, "<srckey>{src:#x}</srckey><dstkey>{dst:#x}</dstkey>")?,
        // The reference has no word for a query's fields.
        L4::Icmp { .. } | L4::None => {}
    }
    f.write_str("</layer4>")
}

fn layer3(f: &mut Formatter<'_>, address: IpAddr) -> fmt::Result {
    let (number, name) = if address.is_ipv4() { (2, "ipv4") } else { (10, "ipv6") };
    write!(f, "<layer3 protonum=\"{number}\" protoname=\"{name}\">")
}

fn layer4(f: &mut Formatter<'_>, number: u8) -> fmt::Result {
    write!(f, "<layer4 protonum=\"{number}\" protoname=\"{}\">", protocol(number))
}

fn times(f: &mut Formatter<'_>, started: u64, until: &Until, ktimestamp: bool) -> fmt::Result {
    let (until, ended) = match until {
        Until::Untold => return Ok(()),
        Until::Now(now) => (now, false),
        Until::End(end) => (end, true),
    };
    if ktimestamp {
        write!(f, "<timestamp><start>{started}</start>")?;
        if ended {
            write!(f, "<stop>{}</stop>", until.as_nanos())?;
        }
        f.write_str("</timestamp>")?;
    }
    write!(f, "<deltatime>{}</deltatime>", seconds_between(Duration::from_nanos(started), *until))
}

/// The time of day, in this machine's zone.
fn when(f: &mut Formatter<'_>, day: Option<Duration>) -> fmt::Result {
    let Some(day) = day.and_then(local) else { return Ok(()) };
    write!(f, "<when><hour>{}</hour><min>{:02}</min><sec>{:02}</sec>", day.hour(), day.minute(), day.second())?;
    write!(f, "<wday>{}</wday><day>{}</day>", day.weekday().number_from_sunday(), day.day())?;
    write!(f, "<month>{}</month><year>{}</year></when>", day.month(), day.year())
}
