//! What a system may choose freely, and how one's choice stands for the other's.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use super::cookies::Cookies;
use super::own_fields;
use crate::case::{Case, Step};
use crate::frame::{self, View, long, word};
use crate::observed::Entry;
use crate::world;

/// What a freely chosen port belongs to: protocol, both addresses in their order, and the port of the other end where both systems have
/// the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ends(u8, IpAddr, IpAddr, Option<u16>);

impl Ends {
    pub(super) fn new(protocol: u8, (a, b): (IpAddr, IpAddr), other: Option<u16>) -> Self {
        Self(protocol, a.min(b), a.max(b), other)
    }
}

/// Identifications of datagrams that were cut: which of the kernel's stands for which of ours.
#[derive(Default)]
pub(super) struct Pieces {
    /// Those that came in: nobody chose these.
    given: BTreeSet<u32>,
    pairs: HashMap<u32, u32>,
    back: HashMap<u32, u32>,
}

impl Pieces {
    pub(super) fn stand_for(&mut self, theirs: u32, ours: u32) -> bool {
        let free = !self.given.contains(&theirs) && !self.given.contains(&ours);
        free && *self.pairs.entry(theirs).or_insert(ours) == ours && *self.back.entry(ours).or_insert(theirs) == theirs
    }
}

/// Ports that NAT chose freely: which of the kernel's stands for which of ours.
#[derive(Default)]
pub(super) struct FreePorts {
    /// Identifications (of IPv6 the flow labels) of the ICMP errors that came in: any other error is the box's own.
    pub(super) errors: BTreeSet<u32>,
    pub(super) pieces: Pieces,
    /// Ports that came in from the wire, by protocol: NAT did not choose these.
    given: BTreeSet<(u8, u16)>,
    /// A rule has NAT draw ports by chance (`--random`), which may be any.
    drawn: bool,
    ranges: Vec<(u16, u16)>,
    pairs: HashMap<(Ends, u16), u16>,
    back: HashMap<(Ends, u16), u16>,
    /// What SYNPROXY made of its secret.
    pub(super) cookies: Cookies,
}

impl FreePorts {
    pub(super) fn of(case: &Case) -> Self {
        let mut free = Self { drawn: case.rules.contains("--random"), ..Self::default() };
        // Of an answer, in both families.
        free.errors.extend([frame::ID.into(), 0]);
        for step in &case.steps {
            let frames = match step {
                Step::Packets(_, frames) => frames.clone(),
                Step::Local(packet) => world::leaves(packet).map(|(_, frame)| frame).into_iter().collect(),
                Step::Answer { .. } | Step::Advance(_) | Step::Ipset(_) => continue,
            };
            for view in frames.iter().filter_map(|frame| View::of_frame(frame)) {
                if view.is_icmp_error() {
                    free.errors.insert(view.id());
                }
                free.pieces.given.extend(view.fragment_id.and_then(|at| long(view.bytes, at)));
                free.given
                    .extend(own_fields(&view, 0).first().and_then(|field| Some((view.protocol, word(view.bytes, field.at)?))));
            }
        }
        for word in case.rules.split_whitespace() {
            let range = word.rsplit(':').next().unwrap_or(word);
            if let Some((from, to)) = range.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?))) {
                free.ranges.push((from, to));
            }
        }
        free
    }

    /// A line without the identifications of ICMP errors that the box itself made, be it about them or about what quotes them.
    pub(super) fn without_own_ids(&self, line: &str) -> String {
        let packet = |text: &str| {
            let own_id = || {
                // Of what is quoted the type may be cut off.
                let (at, error, icmp): (_, &[&str], _) = match text.split_once("PROTO=ICMPv6 ") {
                    Some((_, icmp)) => (" FLOWLBL=", &["INCOMPLETE ", "TYPE=1 ", "TYPE=2 ", "TYPE=3 ", "TYPE=4 "], icmp),
                    None => (
                        " ID=",
                        &["INCOMPLETE ", "TYPE=3 ", "TYPE=4 ", "TYPE=5 ", "TYPE=11 ", "TYPE=12 "],
                        text.split_once("PROTO=ICMP ")?.1,
                    ),
                };
                let (before, behind) = text.split_once(at)?;
                let (id, behind) = behind.split_once(' ')?;
                let own = text.split(' ').next()?.parse().is_ok_and(world::is_own) || !self.errors.contains(&id.parse().ok()?);
                (own && error.iter().any(|error| icmp.starts_with(error))).then(|| format!("{before}{at}{behind}"))
            };
            own_id().unwrap_or_else(|| text.to_owned())
        };
        line.split("SRC=").map(packet).collect::<Vec<_>>().join("SRC=")
    }

    /// NAT picks within a range that a rule names, else in the class of the port that is taken.
    fn same_class(&self, a: u16, b: u16) -> bool {
        let within = |port| move |(from, to): &&(u16, u16)| (*from..=*to).contains(&port);
        let class = |port| if port < 512 { 0 } else { 1 + u8::from(port >= 1024) };
        let ranged = |port| self.ranges.iter().any(|range| within(port)(&range));
        let together = self.ranges.iter().filter(within(a)).any(|range| within(b)(&range));
        together || (!ranged(a) && !ranged(b) && class(a) == class(b))
    }

    /// Is it a port that NAT took, as far as one can tell? What came in with a packet was kept.
    fn may_be_chosen(&self, protocol: u8, port: u16) -> bool {
        let is_ranged = self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&port));
        self.drawn || is_ranged || !self.given.contains(&(protocol, port))
    }

    /// Has NAT taken a port for a connection's own that came in with some packet as well, so that nobody can tell that it was not kept?
    pub(super) fn is_ambiguous(&self, entry: &Entry) -> bool {
        let [there, back] = &entry.halves;
        let is_icmp = matches!(entry.protocol, 1 | 58);
        !is_icmp && there.l4.0 != back.l4.1 && !self.may_be_chosen(entry.protocol, back.l4.1)
    }

    pub(super) fn stands_for(&mut self, ends: Ends, theirs: u16, ours: u16) -> bool {
        match (self.pairs.get(&(ends, theirs)), self.back.get(&(ends, ours))) {
            (Some(known), Some(back)) => *known == ours && *back == theirs,
            (None, None) => {
                // An identifier has no classes.
                let same_class = matches!(ends.0, 1 | 58) || self.same_class(theirs, ours);
                let chosen = |port| self.may_be_chosen(ends.0, port);
                let free = same_class && chosen(theirs) && chosen(ours);
                if free {
                    self.pairs.insert((ends, theirs), ours);
                    self.back.insert((ends, ours), theirs);
                }
                free
            }
            _ => false,
        }
    }

    /// A connection of the kernel with our ports in place of those that it chose freely.
    pub(super) fn translated(&mut self, entry: &Entry, ours: &[Entry]) -> Entry {
        let mut entry = entry.clone();
        let first = |entry: &Entry| (entry.protocol, entry.halves[0].src, entry.halves[0].dst, entry.halves[0].l4);
        let Some(same) = ours.iter().find(|other| first(other) == first(&entry)) else { return entry };
        let is_icmp = matches!(entry.protocol, 1 | 58);
        let (theirs, ours) = (&mut entry.halves[1], &same.halves[1]);
        let addresses = (theirs.src, theirs.dst);
        let other = (!is_icmp && theirs.l4.0 == ours.l4.0).then_some(theirs.l4.0);
        if theirs.l4.1 != ours.l4.1 && self.stands_for(Ends::new(entry.protocol, addresses, other), theirs.l4.1, ours.l4.1) {
            theirs.l4.1 = ours.l4.1;
        }
        let other = (theirs.l4.1 == ours.l4.1).then_some(theirs.l4.1);
        if !is_icmp
            && theirs.l4.0 != ours.l4.0
            && self.stands_for(Ends::new(entry.protocol, addresses, other), theirs.l4.0, ours.l4.0)
        {
            theirs.l4.0 = ours.l4.0;
        }
        entry
    }
}
