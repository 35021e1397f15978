//! What is measured: under which rules, which packets, and what becomes of them.

use std::fmt;

use engine::snapshot::Settings;
use micro::classes::Chance;

use crate::rules;
use crate::traffic::Fields;

/// The flows that new ones are taken from, in turn.
const FRESH: u32 = 1 << 22;
/// Rules between which the cost shall not grow.
const FEWEST: u32 = 10;
const MOST: u32 = 100_000;
/// Seconds that a flow with nothing but a first packet lives, where flows end as fast as they begin.
const SHORT: u32 = 1;
/// Virtual time between two packets, where nothing ends.
const PACE: u64 = 100;
/// Bytes that a client's packets go back and forth by, within the window.
pub const POSITIONS: u32 = 1000;
/// Far outside of it.
const ASTRAY: u32 = 1 << 30;

/// Its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No table: what a router does.
    Router,
    /// Five tables without a rule.
    EmptyTables,
    /// Some rules, none of which holds, and no tracking.
    Chain,
    /// Sources that are dropped in `raw`.
    Blocklist,
    /// Packets of TCP connections that are known, accepted by the first rule.
    Established,
    /// The same, accepted behind all others.
    EstablishedLast,
    /// The same as the first, with tests of flags and a limited LOG before it.
    Guarded,
    /// The same as the first, behind one address.
    Nat,
    /// The first packets of flows; as many end.
    New,
    /// The same, behind one address.
    NewNat,
    /// Packets of known connections that are out of their window.
    Invalid,
}

/// One of the things measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Of this kind.
    pub kind: Kind,
    /// Connections that there are meanwhile.
    pub flows: u32,
    /// Rules for new connections.
    pub rules: u32,
    /// Packets that come at once.
    pub burst: usize,
}

/// What a scenario sends.
pub enum Load {
    /// Packets of known flows.
    Known {
        /// How many there are.
        flows: u32,
        /// Are they out of their window?
        astray: bool,
    },
    /// First packets, from this flow on.
    Fresh {
        /// The last one's number.
        next: u32,
    },
    /// First packets from one of these sources.
    From(Vec<u32>),
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::EmptyTables => "empty tables",
            Self::Chain => "chain",
            Self::Blocklist => "blocklist",
            Self::Established => "established",
            Self::EstablishedLast => "established last",
            Self::Guarded => "guarded",
            Self::Nat => "nat",
            Self::New => "new",
            Self::NewNat => "new nat",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} flows, {} rules, bursts of {}", self.kind.name(), self.flows, self.rules, self.burst)
    }
}

impl Scenario {
    /// All of them.
    pub fn all() -> Vec<Self> {
        use Kind::*;
        let of = |kind, flows, rules| Self { kind, flows, rules, burst: 64 };
        let small = |kind, flows, rules| Self { burst: 8, ..of(kind, flows, rules) };
        let (few, many) = (10_000, 1_000_000);
        vec![
            of(Router, few, 0),
            of(EmptyTables, few, 0),
            of(Chain, few, 8),
            of(Blocklist, 0, MOST),
            of(Established, 1000, 10_000),
            of(Established, few, FEWEST),
            of(Established, few, 1000),
            of(Established, few, 10_000),
            small(Established, few, 10_000),
            of(Established, few, MOST),
            of(Established, 100_000, 10_000),
            of(Established, many, 10_000),
            small(Established, many, 10_000),
            of(EstablishedLast, few, FEWEST),
            of(EstablishedLast, few, 1000),
            of(EstablishedLast, few, 10_000),
            of(EstablishedLast, few, MOST),
            of(Guarded, few, 10_000),
            of(Nat, few, 10_000),
            small(Nat, few, 10_000),
            of(Nat, few, MOST),
            of(Nat, 100_000, 10_000),
            of(Nat, many, 10_000),
            small(Nat, many, 10_000),
            of(New, many, FEWEST),
            of(New, many, 10_000),
            of(New, many, MOST),
            of(NewNat, many, 10_000),
            of(Invalid, few, 10_000),
        ]
    }

    /// The rules, and what is sent under them.
    pub fn rules_and_load(&self) -> (String, Load) {
        let rules = match self.kind {
            Kind::Router => rules::NONE.to_owned(),
            Kind::EmptyTables => rules::empty_tables(),
            Kind::Chain => rules::passed_by(self.rules),
            Kind::Blocklist => {
                let (rules, sources) = rules::blocklist(self.rules);
                return (rules, Load::From(sources));
            }
            Kind::Established | Kind::New => rules::stateful(self.rules),
            Kind::EstablishedLast => rules::stateful_last(self.rules),
            Kind::Guarded => rules::guarded(self.rules),
            Kind::Nat | Kind::NewNat => rules::translating(self.rules),
            Kind::Invalid => rules::no_invalid(self.rules),
        };
        let load = if self.begins() {
            Load::Fresh { next: 0 }
        } else {
            Load::Known { flows: self.flows, astray: self.kind == Kind::Invalid }
        };
        (rules, load)
    }

    /// The rules that these are compared to, in turns in the same process: what is asked is what the difference costs.
    pub fn base(&self) -> Option<String> {
        match (self.kind, self.rules) {
            (Kind::EmptyTables | Kind::Chain, _) => Some(rules::NONE.to_owned()),
            (Kind::Guarded, _) => Some(rules::stateful(self.rules)),
            (_, MOST) => match self.kind {
                Kind::Established | Kind::New => Some(rules::stateful(FEWEST)),
                Kind::EstablishedLast => Some(rules::stateful_last(FEWEST)),
                Kind::Nat => Some(rules::translating(FEWEST)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Does every packet begin a flow?
    pub fn begins(&self) -> bool {
        matches!(self.kind, Kind::New | Kind::NewNat)
    }

    /// Are there connections before it begins?
    pub fn tracks(&self) -> bool {
        !matches!(self.kind, Kind::Router | Kind::EmptyTables | Kind::Chain | Kind::Blocklist)
    }

    /// Do they stand behind the box's own address?
    pub fn translates(&self) -> bool {
        matches!(self.kind, Kind::Nat | Kind::NewNat)
    }

    /// Do the packets go on? None does otherwise.
    pub fn forwards(&self) -> bool {
        !matches!(self.kind, Kind::Blocklist | Kind::Invalid)
    }

    /// Flows that differ so little that each packet waits for memory.
    pub fn waits_for_memory(&self) -> bool {
        self.flows >= 1_000_000
    }

    /// Virtual nanoseconds between two bursts: where flows begin, so many that each has ended when there would be more than wanted.
    pub fn step(&self) -> u64 {
        let between = if self.begins() { u64::from(SHORT) * 1_000_000_000 / u64::from(self.flows) } else { PACE };
        between * self.burst as u64
    }

    /// The knobs.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        if self.begins() {
            settings.conntrack.timeouts.udp = SHORT;
        }
        settings
    }
}

impl Load {
    /// The next packet.
    pub fn next(&mut self, chance: &mut Chance) -> Fields {
        match self {
            Self::Known { flows, astray } => {
                let position = chance.below(POSITIONS) + if *astray { ASTRAY } else { 0 };
                Fields::data(chance.below((*flows).max(1)), position)
            }
            Self::Fresh { next } => {
                *next = (*next + 1) % FRESH;
                Fields::first(*next)
            }
            Self::From(sources) => {
                let at = chance.below(sources.len() as u32) as usize;
                Fields::from(sources[at])
            }
        }
    }
}
