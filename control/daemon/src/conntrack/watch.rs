//! `conntrack -E`: what becomes of connections, until the client has seen enough.
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proto::expectation;
use proto::flow::{Event, Kind};
use proto::public::Reply;
use rules::names::Labels;

use super::options::{Invocation, Table};
use super::print::EventLine;
use super::print::xml::Frame;
use super::serve::{Client, Failure, today};
use super::{PROGRAM, expect, labels};
use crate::dataplane::{Link, LinkError};

/// A client that hears nothing for so long is told nothing, so that either end learns when the other is gone.
const SILENCE: Duration = Duration::from_secs(30);

/// What the reference says when the kernel has dropped events.
const LOSING: &str = "WARNING: We have hit ENOBUFS! We are losing events.\nThis message means that the current netlink socket buffer size is \
                      too small.\nPlease, check --buffer-size in conntrack(8) manpage.\n";

/// The kinds that `-e` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) new: bool,
    pub(super) updates: bool,
    pub(super) destroy: bool,
}

impl Kinds {
    pub(super) const ALL: Kinds = Kinds { new: true, updates: true, destroy: true };
    pub(super) const NONE: Kinds = Kinds { new: false, updates: false, destroy: false };

    fn has(self, kind: Kind) -> bool {
        match kind {
            Kind::New => self.new,
            Kind::Update => self.updates,
            Kind::Destroy => self.destroy,
        }
    }
}

/// `-b`: how much may wait for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buffer(u64);

impl Buffer {
    /// The least that a socket has, and the most that there is room for here.
    const LEAST: u64 = 2304;
    const MOST: u64 = 256 << 20;
    /// About what an event takes in the kernel's buffer.
    const OF_EVENT: u64 = 1024;

    /// As the kernel makes it of what was asked for: twice as much, within bounds.
    pub(super) fn of(asked: u64) -> Buffer {
        Buffer(asked.saturating_mul(2).clamp(Self::LEAST, Self::MOST))
    }

    fn events(self) -> u32 {
        u32::try_from(self.0 / Self::OF_EVENT).unwrap_or(u32::MAX)
    }
}

impl Invocation {
    fn wants(&self, event: &Event) -> bool {
        self.kinds.has(event.kind) && self.filter.takes_labelled(&event.flow, labels::told(event))
    }
}

/// Shows events as they come; how many, in the end.
pub(super) fn watch(link: &mut Link, invocation: &Invocation, names: &Labels, client: &mut dyn Client) -> Result<Reply, Failure> {
    let output = invocation.output;
    let notice = invocation
        .buffer
        .map_or_else(String::new, |Buffer(bytes)| format!("NOTICE: Netlink socket buffer size has been set to {bytes} bytes.\n"));
    let words = |what| Words { what, notice, frame: Frame::of(invocation) };
    match invocation.table {
        Table::Expect => follow(
            client,
            words("expectation"),
            || link.expectation_events(),
            |event: &expectation::Event, now| {
                Some(expect::Line { expectation: &event.expectation, event: Some(event.kind), output, now }.to_string())
            },
        ),
        Table::Conntrack | Table::Passing => follow(
            client,
            words("flow"),
            || link.events(invocation.buffer.map(Buffer::events)),
            |event: &Event, now| invocation.wants(event).then(|| EventLine { event, output, names, now }.to_string()),
        ),
    }
}

/// What is said beside the events.
struct Words {
    /// What they are events of.
    what: &'static str,
    /// Before all.
    notice: String,
    frame: Frame,
}

fn follow<E>(
    client: &mut dyn Client,
    mut words: Words,
    mut next: impl FnMut() -> Result<(Vec<E>, u64), LinkError>,
    line: impl Fn(&E, Duration) -> Option<String>,
) -> Result<Reply, Failure> {
    let mut shown = 0u64;
    let mut told: Option<Instant> = None;
    while !client.has_enough() {
        let (events, lost) = next()?;
        let now = today();
        let mut text = String::new();
        for line in events.iter().filter_map(|event| line(event, now)) {
            shown += 1;
            text += &words.frame.before();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
        let mut said = std::mem::take(&mut words.notice);
        said += if lost > 0 { LOSING } else { "" };
        // The first part is told whatever it says: from here on nothing is missed.
        if !text.is_empty() || lost > 0 || told.is_none_or(|told| told.elapsed() > SILENCE) {
            client.tell(Reply::part(text, said))?;
            told = Some(Instant::now());
        }
    }
    let what = words.what;
    Ok(Reply::done(0, words.frame.after(), format!("{PROGRAM}: {shown} {what} events have been shown.\n")))
}
