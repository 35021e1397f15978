//! What `restore` holds back: ipset sends lines of one command for one set together, as many as one message to the kernel has room for. A line
//! that it does not understand makes it forget what it has not sent yet, so where messages end is to be seen from outside.
use rules::Family;

use crate::element::Written;
use crate::options::{Given, Verb};

/// From here on a message is full, in bytes.
const FULL: usize = 4080;
/// Room for a comment, however long.
const COMMENT: usize = 4 + 256;

/// A line that waits.
pub(crate) struct Line {
    /// Its number.
    pub(crate) number: usize,
    pub(crate) written: Written,
    pub(crate) given: Given,
    /// Its words.
    pub(crate) text: String,
}

/// Lines that wait: all of one command for one set, under the `-exist` of the first.
pub(crate) struct Batch {
    pub(crate) verb: Verb,
    pub(crate) set: String,
    pub(crate) exist: bool,
    pub(crate) lines: Vec<Line>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn new(verb: Verb, set: &str, exist: bool) -> Batch {
        Batch { verb, set: set.to_owned(), exist, lines: Vec::new(), bytes: 16 + 4 + 8 + text(set.len()) + 8 + 4 }
    }

    /// Whether such a line may go with the others.
    pub(crate) fn takes(&self, verb: Verb, set: &str) -> bool {
        self.verb == verb && self.set == set
    }

    /// Whether there is room for it.
    pub(crate) fn has_room(&self, line: &Line, family: Option<Family>) -> bool {
        let comment = line.given.comment.as_ref().map_or(0, |comment| COMMENT - text(comment.len()));
        self.lines.is_empty() || self.bytes + bytes(line, family) + comment < FULL
    }

    pub(crate) fn push(&mut self, line: Line, family: Option<Family>) {
        self.bytes += bytes(&line, family);
        self.lines.push(line);
    }
}

/// An attribute with so many letters and a zero behind them.
fn text(letters: usize) -> usize {
    (4 + letters + 1).next_multiple_of(4)
}

/// What a line adds to a message.
fn bytes(line: &Line, family: Option<Family>) -> usize {
    let (written, given) = (&line.written, &line.given);
    let address = if family == Some(Family::Ipv6) { 24 } else { 12 };
    let is = |has: bool, bytes: usize| if has { bytes } else { 0 };
    let addresses: usize = (0..2)
        .map(|at| {
            is(written.first.prefix[at] != 0, address)
                + is(written.prefix[at].is_some(), 8)
                + is(written.ip_to[at].is_some(), address)
        })
        .sum();
    let first = &written.first;
    let element = is(first.protocol != 0, 8)
        + is(first.port != 0 || first.protocol != 0, 8)
        + is(written.port_to.is_some(), 8)
        + is(first.mark != 0, 8)
        + is(written.has_mac, 12)
        + is(first.interface[0] != 0, text(crate::element::interface_name(&first.interface).len()))
        + is(!written.set.is_empty(), text(written.set.len()));
    let extensions = is(given.timeout.is_some(), 8)
        + is(given.packets.is_some(), 12)
        + is(given.bytes.is_some(), 12)
        + given.comment.as_ref().map_or(0, |comment| text(comment.len()))
        + is(given.mark.is_some(), 12)
        + is(given.priority.is_some(), 8)
        + is(given.queue.is_some(), 8)
        + is(given.nomatch || given.wildcard || given.reference.is_some(), 8);
    // With the attribute around them and the number of the line.
    4 + addresses + element + extensions + 8
}
