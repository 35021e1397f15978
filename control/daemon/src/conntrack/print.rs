//! One connection, or something that happened to one, as a line.
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use chrono::{DateTime, Local, TimeZone};
use proto::flow::{Event, Flow, Half, Kind, L4};
use proto::stats::Tracking;
use rules::names::Labels;

use super::filter::SEEN_REPLY;
use super::labels;

mod save;
pub(super) mod xml;

const ASSURED: u32 = 1 << 2;

/// What a line shows beside the ordinary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Output {
    /// `-o extended`
    pub(super) extended: bool,
    /// `-o id`
    pub(super) id: bool,
    /// `-o timestamp`
    pub(super) timestamp: bool,
    /// `-o ktimestamp`
    pub(super) ktimestamp: bool,
    /// `-o labels`, or labels were named.
    pub(super) labels: bool,
    /// `-o xml`
    pub(super) xml: bool,
    /// `-o save`
    pub(super) save: bool,
}

/// A connection to print, without the end of the line.
pub(super) struct Line<'a> {
    pub(super) flow: &'a Flow,
    /// It was just ended by hand.
    pub(super) is_deleted: bool,
    pub(super) output: Output,
    /// Names of labels.
    pub(super) names: &'a Labels,
    /// The time of day.
    pub(super) now: Duration,
}

/// Something that happened to a connection, likewise.
pub(super) struct EventLine<'a> {
    pub(super) event: &'a Event,
    pub(super) output: Output,
    /// Names of labels.
    pub(super) names: &'a Labels,
    /// The time of day.
    pub(super) now: Duration,
}

/// What a line has beside the ends of the connection.
struct Shown {
    timeout: bool,
    state: bool,
    mark: bool,
    helper_and_label: bool,
    /// How many hold the entry: the kernel's own affair; here it has one holder, the table.
    holders: bool,
    until: Until,
}

/// Up to when a connection has been there.
enum Until {
    /// Not told.
    Untold,
    /// It is there: now.
    Now(Duration),
    /// It ended.
    End(Duration),
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Line { flow, is_deleted, output, names, now } = self;
        let shown =
            Shown { timeout: true, state: true, mark: true, helper_and_label: true, holders: true, until: Until::Now(*now) };
        if output.xml {
            let labels = output.labels.then_some((flow.labels, *names));
            return xml::flow(f, (None, flow), &shown, labels, output.ktimestamp, None);
        }
        if output.save {
            return save::flow(f, if *is_deleted { 'D' } else { 'A' }, flow, &shown);
        }
        body(f, flow, *output, &shown)?;
        f.write_str(" use=1")?;
        if output.id {
            write!(f, " id={}", flow.id)?;
        }
        if output.labels { labels::write(f, flow.labels, names) } else { Ok(()) }
    }
}

impl Display for EventLine<'_> {
    /// The kernel tells a state only where it changed and at the end, the end only of what is ended before its time, a mark where there is one.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let EventLine { event, output, names, now } = self;
        let Event { kind, flow, state_changed, mark_written, by_hand, ended: end, .. } = event;
        let ended = *kind == Kind::Destroy;
        let shown = Shown {
            timeout: !ended || flow.timeout != 0,
            state: *state_changed || ended,
            mark: *mark_written || flow.mark != 0,
            helper_and_label: !ended,
            holders: false,
            until: end.map_or(Until::Untold, |end| Until::End(Duration::from_nanos(end))),
        };
        if output.xml {
            let labels = output.labels.then_some((labels::told(event), *names));
            xml::flow(f, (Some(*kind), flow), &shown, labels, output.ktimestamp, output.timestamp.then_some(*now))?;
        } else if output.save {
            let letter = match kind {
                Kind::New => 'A',
                Kind::Update => 'U',
                Kind::Destroy => 'D',
            };
            save::flow(f, letter, flow, &shown)?;
        } else {
            if output.timestamp {
                stamp(f, *now)?;
            }
            self::kind(f, *kind)?;
            body(f, flow, *output, &shown)?;
            if output.id {
                write!(f, " id={}", flow.id)?;
            }
            if output.labels {
                labels::write(f, labels::told(event), names)?;
            }
        }
        if *by_hand { f.write_str(" [USERSPACE]") } else { Ok(()) }
    }
}

/// `-o timestamp`
fn stamp(f: &mut Formatter<'_>, now: Duration) -> fmt::Result {
    write!(f, "[{}.{:06}]\t", now.as_secs(), now.subsec_micros())
}

/// What an event was.
pub(super) fn kind(f: &mut Formatter<'_>, kind: Kind) -> fmt::Result {
    let name = match kind {
        Kind::New => "[NEW]",
        Kind::Update => "[UPDATE]",
        Kind::Destroy => "[DESTROY]",
    };
    write!(f, "{name:>9} ")
}

/// A line up to what only a listing or only an event has.
fn body(f: &mut Formatter<'_>, flow: &Flow, output: Output, shown: &Shown) -> fmt::Result {
    if output.extended {
        let (name, number) = if flow.original.src.is_ipv4() { ("ipv4", 2) } else { ("ipv6", 10) };
        write!(f, "{name:<8} {number} ")?;
    }
    write!(f, "{:<8} {} ", protocol(flow.protocol), flow.protocol)?;
    if shown.timeout {
        write!(f, "{} ", flow.timeout)?;
    }
    if shown.state && !flow.state.is_empty() {
        write!(f, "{} ", flow.state)?;
    }
    let zone = flow.zone;
    let both = zone.original && zone.reply;
    half(f, flow.protocol, &flow.original)?;
    if zone.id != 0 && zone.original && !both {
        write!(f, " zone-orig={}", zone.id)?;
    }
    counts(f, &flow.original)?;
    if flow.status & SEEN_REPLY == 0 {
        f.write_str(" [UNREPLIED]")?;
    }
    f.write_str(" ")?;
    half(f, flow.protocol, &flow.reply)?;
    if zone.id != 0 && zone.reply && !both {
        write!(f, " zone-reply={}", zone.id)?;
    }
    counts(f, &flow.reply)?;
    if flow.status & ASSURED != 0 {
        f.write_str(" [ASSURED]")?;
    }
    if shown.mark {
        write!(f, " mark={}", flow.mark)?;
    }
    if shown.helper_and_label && !flow.label.is_empty() {
        write!(f, " secctx={}", flow.label)?;
    }
    if zone.id != 0 && both {
        write!(f, " zone={}", zone.id)?;
    }
    if let Some(started) = flow.started {
        times(f, Duration::from_nanos(started), &shown.until, output.ktimestamp)?;
    }
    if shown.helper_and_label && !flow.helper.is_empty() {
        write!(f, " helper={}", flow.helper)?;
    }
    Ok(())
}

/// What tracking did at one worker. Insertion never waits for a second look here, two packets never race for one tuple at one worker, and no
/// chain grows: those counts stay 0, as they do in the kernel but under such races.
pub(super) fn tracking(counts: &Tracking) -> String {
    let Tracking { worker, found, invalid, insert_failed, drop, early_drop, error, .. } = counts;
    format!(
        "cpu={worker:<4}\tfound={found} invalid={invalid} insert=0 insert_failed={insert_failed} drop={drop} early_drop={early_drop} \
         error={error} search_restart=0 clash_resolve=0 chaintoolong=0 \n"
    )
}

/// What became of expectations at one worker.
pub(super) fn tracking_of_expected(counts: &Tracking) -> String {
    let Tracking { worker, expect_new, expect_create, expect_delete, .. } = counts;
    format!("cpu={worker:<4}\texpect_new={expect_new} expect_create={expect_create} expect_delete={expect_delete} \n")
}

/// For how long a connection has been there, and if it is wanted from when on.
fn times(f: &mut Formatter<'_>, started: Duration, until: &Until, ktimestamp: bool) -> fmt::Result {
    let (until, ended) = match until {
        Until::Untold => return Ok(()),
        Until::Now(now) => (now, false),
        Until::End(end) => (end, true),
    };
    write!(f, " delta-time={}", seconds_between(started, *until))?;
    if ktimestamp {
        write!(f, " [start={}]", Day(started))?;
        if ended {
            write!(f, " [stop={}]", Day(*until))?;
        }
    }
    Ok(())
}

/// By the seconds of a wall clock, as in the reference.
fn seconds_between(started: Duration, until: Duration) -> u64 {
    until.as_secs().saturating_sub(started.as_secs())
}

/// A time since 1970, as this machine's clocks show it.
fn local(time: Duration) -> Option<DateTime<Local>> {
    Local.timestamp_opt(i64::try_from(time.as_secs()).unwrap_or(i64::MAX), 0).earliest()
}

/// A time since 1970, as a day and hour of this machine.
struct Day(Duration);

impl Display for Day {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match local(self.0) {
            Some(day) => write!(f, "{}", day.format("%a %b %e %H:%M:%S %Y")),
            None => write!(f, "{}", self.0.as_secs()),
        }
    }
}

fn half(f: &mut Formatter<'_>, protocol: u8, half: &Half) -> fmt::Result {
    write!(f, "src={} dst={}", half.src, half.dst)?;
    match shown_l4(protocol, half.l4) {
        L4::Ports(src, dst) => write!(f, " sport={src} dport={dst}"),
        L4::Icmp { kind, code, id } => write!(f, " type={kind} code={code} id={id}"),
        L4::Keys(src, dst) => write!(f, " srckey={src:#x} dstkey={dst:#x}"),
        L4::None => Ok(()),
    }
}

/// The reference shows ports of DCCP, of which the kernel tracks none.
fn shown_l4(protocol: u8, l4: L4) -> L4 {
    match l4 {
        L4::None if protocol == DCCP => L4::Ports(0, 0),
        l4 => l4,
    }
}

const DCCP: u8 = 33;

fn counts(f: &mut Formatter<'_>, half: &Half) -> fmt::Result {
    half.counts.map_or(Ok(()), |(packets, bytes)| write!(f, " packets={packets} bytes={bytes}"))
}

fn protocol(number: u8) -> &'static str {
    match number {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        DCCP => "dccp",
        47 => "gre",
        58 => "icmpv6",
        132 => "sctp",
        136 => "udplite",
        _ => "unknown",
    }
}
