//! `-m addrtype`: what kind of address the routing table finds the source or the destination to be.
use super::Place;
use super::named_bits::NamedBits;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use crate::table::HookSet;
use crate::{Family, Hook, Match};

/// Both tests that are there must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Addrtype {
    /// `--src-type`.
    pub src: Option<TypeTest>,
    /// `--dst-type`.
    pub dst: Option<TypeTest>,
    /// Only addresses of this interface of the packet count as the box's own.
    pub limit: Option<Side>,
}

/// Holds when the address is of one of the types, turned round by `invert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeTest {
    /// The types' bits, from the lowest one: UNSPEC, UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, BLACKHOLE, UNREACHABLE, PROHIBIT, THROW,
    /// NAT, XRESOLVE.
    pub types: u16,
    /// `!` was given.
    pub invert: bool,
}

/// An interface of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that it came by.
    In,
    /// The one that it leaves by.
    Out,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "addrtype", family: None, options: OPTIONS, build };

const TYPES: Arg = Arg::Own { shape: "TYPE[,...]", read: read_types };
const OPTIONS: &[Opt] = &[
    Opt::new("src-type", TYPES).invertible(),
    Opt::new("dst-type", TYPES).invertible(),
    Opt::new("limit-iface-in", Arg::None).excludes(&["limit-iface-out"]),
    Opt::new("limit-iface-out", Arg::None).excludes(&["limit-iface-in"]),
];

const NAMES: NamedBits = NamedBits(&[
    ("UNSPEC", 1 << 0),
    ("UNICAST", 1 << 1),
    ("LOCAL", 1 << 2),
    ("BROADCAST", 1 << 3),
    ("ANYCAST", 1 << 4),
    ("MULTICAST", 1 << 5),
    ("BLACKHOLE", 1 << 6),
    ("UNREACHABLE", 1 << 7),
    ("PROHIBIT", 1 << 8),
    ("THROW", 1 << 9),
    ("NAT", 1 << 10),
    ("XRESOLVE", 1 << 11),
]);
/// Types that the IPv6 routing table does not have: BROADCAST, BLACKHOLE, and PROHIBIT and those above it.
const NOT_IN_IPV6: u16 = 1 << 3 | 1 << 6 | 0xff00;

/// Names of types, each cut short at will: the first one that begins so.
fn read_types(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let mut types = 0;
    let mut rest = reading.word;
    loop {
        let (name, behind) = rest.split_once(',').map_or((rest, None), |(name, behind)| (name, Some(behind)));
        if name.is_empty() && behind.is_some() {
            return Err(UsageError::Own(format!("addrtype: bad type `{rest}'")));
        }
        let bit = NAMES.begun(name).filter(|_| !name.is_empty());
        types |= bit.ok_or_else(|| UsageError::Own(format!("addrtype: bad type \"{name}\"")))?;
        match behind {
            Some(behind) => rest = behind,
            None => return Ok(Value::Number(types.into())),
        }
    }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let types = |option| given.number(option).map(|types| TypeTest { types: types as u16, invert: given.is_inverted(option) });
    let (src, dst) = (types("src-type"), types("dst-type"));
    if src.is_none() && dst.is_none() {
        return Err(UsageError::Needs("addrtype: you must specify --src-type or --dst-type"));
    }
    let limit = match (given.has("limit-iface-in"), given.has("limit-iface-out")) {
        (true, _) => Some(Side::In),
        (_, true) => Some(Side::Out),
        _ => None,
    };
    Ok(Match::Addrtype(Addrtype { src, dst, limit }))
}

impl Addrtype {
    /// Where packets have the interface that the types are limited to.
    pub(crate) fn hooks(&self) -> HookSet {
        match self.limit {
            None => HookSet::ALL,
            Some(Side::In) => HookSet::of(&[Hook::Prerouting, Hook::Input, Hook::Forward]),
            Some(Side::Out) => HookSet::of(&[Hook::Forward, Hook::Output, Hook::Postrouting]),
        }
    }

    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        let mut tests = [self.src, self.dst].into_iter().flatten();
        place.require(place.family == Family::Ipv4 || tests.all(|test| test.types & NOT_IN_IPV6 == 0))
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, test) in [("src-type", self.src), ("dst-type", self.dst)] {
            if let Some(test) = test {
                out.value(option, test.invert, NAMES.list(test.types.into(), ","));
            }
        }
        match self.limit {
            None => {}
            Some(Side::In) => out.flag("limit-iface-in", false),
            Some(Side::Out) => out.flag("limit-iface-out", false),
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(" ADDRTYPE match");
        for (side, test) in [("src", self.src), ("dst", self.dst)] {
            if let Some(test) = test {
                let not = if test.invert { "!" } else { "" };
                out.push_str(&format!(" {side}-type {not}{}", NAMES.list(test.types.into(), ",")));
            }
        }
        out.push_str(match self.limit {
            None => "",
            Some(Side::In) => " limit-in",
            Some(Side::Out) => " limit-out",
        });
    }
}
