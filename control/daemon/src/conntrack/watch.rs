//! `conntrack -E`: what becomes of connections, until the client has seen enough.
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proto::expectation;
use proto::flow::{Event, Kind};
use proto::public::Reply;
use rules::names::Labels;

use super::options::{Invocation, Table};
use super::print::EventLine;
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

impl Invocation {
    fn wants(&self, event: &Event) -> bool {
        self.kinds.has(event.kind) && self.filter.takes_labelled(&event.flow, labels::told(event))
    }
}

/// Shows events as they come; how many, in the end.
pub(super) fn watch(link: &mut Link, invocation: &Invocation, names: &Labels, client: &mut dyn Client) -> Result<Reply, Failure> {
    let output = invocation.output;
    match invocation.table {
        Table::Expect => follow(
            client,
            "expectation",
            || link.expectation_events(),
            |event: &expectation::Event, now| {
                Some(expect::Line { expectation: &event.expectation, event: Some(event.kind), output, now }.to_string())
            },
        ),
        Table::Conntrack | Table::Passing => follow(
            client,
            "flow",
            || link.events(),
            |event: &Event, now| invocation.wants(event).then(|| EventLine { event, output, names, now }.to_string()),
        ),
    }
}

fn follow<E>(
    client: &mut dyn Client,
    what: &str,
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
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
        let warning = if lost > 0 { LOSING } else { "" };
        // The first part is told whatever it says: from here on nothing is missed.
        if !text.is_empty() || lost > 0 || told.is_none_or(|told| told.elapsed() > SILENCE) {
            client.tell(Reply::part(text, warning.to_owned()))?;
            told = Some(Instant::now());
        }
    }
    Ok(Reply::done(0, String::new(), format!("{PROGRAM}: {shown} {what} events have been shown.\n")))
}
