//! The types of sets, in one table.
use rules::Family;

use Create::{
    Bitmask, Bucketsize, Comment, Counters, Family as FamilyOption, Forceadd, Hashsize, Initval, Markmask, Maxelem, Netmask, Range,
    Size, Skbinfo, Timeout,
};
use Dimension::{Address, Interface, Mac, Mark, Net, Port, ProtocolPort, Set};

/// How a type keeps its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// One bit for each element of a range.
    Bitmap,
    /// A table of as many as there are.
    Hash,
    /// Names of other sets, in an order that users choose.
    List,
}

/// Whose addresses its elements have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 or IPv6, which is said when a set is created.
    Both,
    /// IPv4.
    Ipv4,
    /// They have none.
    None,
}

/// A part of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// An address: of one host, or (where several may stand) IPv4 ranges and networks for all of theirs.
    Address(Several),
    /// A network; an IPv4 range stands for the networks that it is made of.
    Net {
        /// Also that of all addresses.
        may_be_all: bool,
    },
    /// A port without a protocol.
    Port,
    /// A protocol and its port, or its ICMP message.
    ProtocolPort,
    /// A packet's mark.
    Mark,
    /// A hardware address.
    Mac,
    /// An interface.
    Interface,
    /// Another set.
    Set,
}

/// How many addresses one element may be written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Several {
    /// All of a range or network.
    Range,
    /// One: it is no address otherwise.
    Never,
    /// One: a range is understood, and refused.
    Refused,
}

/// What `create` takes behind the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// `family inet|inet6`, `-4`, `-6`
    Family,
    /// `range`: addresses or ports.
    Range,
    /// `hashsize`
    Hashsize,
    /// `maxelem`
    Maxelem,
    /// `netmask`
    Netmask,
    /// `bitmask`
    Bitmask,
    /// `markmask`
    Markmask,
    /// `timeout`
    Timeout,
    /// `counters`
    Counters,
    /// `comment`
    Comment,
    /// `forceadd`
    Forceadd,
    /// `skbinfo`
    Skbinfo,
    /// `bucketsize`
    Bucketsize,
    /// `initval`
    Initval,
    /// `size`
    Size,
}

impl Create {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            FamilyOption => "family",
            Range => "range",
            Hashsize => "hashsize",
            Maxelem => "maxelem",
            Netmask => "netmask",
            Bitmask => "bitmask",
            Markmask => "markmask",
            Timeout => "timeout",
            Counters => "counters",
            Comment => "comment",
            Forceadd => "forceadd",
            Skbinfo => "skbinfo",
            Bucketsize => "bucketsize",
            Initval => "initval",
            Size => "size",
        }
    }

    /// It says all by being there.
    pub fn is_flag(self) -> bool {
        matches!(self, Counters | Comment | Forceadd | Skbinfo)
    }
}

/// What may stand behind an element, beside the values of the extensions, which every type takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// `nomatch`
    pub nomatch: bool,
    /// `wildcard`
    pub wildcard: bool,
    /// `before` and `after`
    pub reference: bool,
}

/// Bytes that the kernel reports, from which "Size in memory" is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// Of an empty set, by family.
    pub empty: [u64; 2],
    /// Of an element without extensions, by family.
    pub element: [u64; 2],
}

/// A type of sets.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    /// `method:data,data...`
    pub name: &'static str,
    /// Names from before ipset 5.
    pub old_names: &'static [&'static str],
    /// The newest revision, which is the one that is spoken here.
    pub revision: u8,
    /// How elements are kept.
    pub storage: Storage,
    /// Whose addresses.
    pub families: Families,
    /// What an element is made of.
    pub dimensions: &'static [Dimension],
    /// The last part may be left out.
    pub last_is_optional: bool,
    /// Options of `create`, in the order in which they are printed.
    pub create: &'static [Create],
    /// Options from before ipset 5 that mean nothing any more: taken with a warning.
    pub ignored: &'static [&'static str],
    /// What may stand behind an element.
    pub marks: Marks,
    /// What the kernel needs for it.
    pub bytes: Bytes,
}

const PLAIN: Marks = Marks { nomatch: false, wildcard: false, reference: false };
const NETS: Marks = Marks { nomatch: true, ..PLAIN };
const OLD_HASH: &[&str] = &["probes", "resize", "gc"];
const OLD_PORT_HASH: &[&str] = &["probes", "resize", "gc", "from", "to", "network"];
const OLD: &[&str] = &["gc"];
const ONE: Dimension = Address(Several::Never);
const SOME: Dimension = Address(Several::Range);
const NET: Dimension = Net { may_be_all: false };
const NET_OR_ALL: Dimension = Net { may_be_all: true };

const HASH: &[Create] = &[FamilyOption, Hashsize, Maxelem, Timeout, Counters, Comment, Forceadd, Skbinfo, Bucketsize, Initval];
const HASH_WITH_NETMASK: &[Create] =
    &[FamilyOption, Hashsize, Maxelem, Timeout, Counters, Comment, Forceadd, Skbinfo, Bucketsize, Initval, Netmask, Bitmask];
const HASH_WITH_BITMASK: &[Create] =
    &[FamilyOption, Hashsize, Maxelem, Timeout, Counters, Comment, Forceadd, Skbinfo, Bucketsize, Initval, Bitmask, Netmask];

/// What most types of hashes have.
const fn hash(name: &'static str, revision: u8, dimensions: &'static [Dimension]) -> Type {
    Type {
        name,
        old_names: &[],
        revision,
        storage: Storage::Hash,
        families: Families::Both,
        dimensions,
        last_is_optional: false,
        create: HASH,
        ignored: &[],
        marks: PLAIN,
        bytes: Bytes { empty: [216, 232], element: [8, 20] },
    }
}

/// All of them, in the order in which `ipset help` has them from its end.
pub static TYPES: &[Type] = &[
    Type {
        old_names: &["ipmap"],
        storage: Storage::Bitmap,
        families: Families::Ipv4,
        create: &[Range, Netmask, Timeout, Counters, Comment, Skbinfo],
        ignored: OLD,
        bytes: Bytes { empty: [88, 88], element: [0, 0] },
        ..hash("bitmap:ip", 3, &[SOME])
    },
    Type {
        old_names: &["macipmap"],
        storage: Storage::Bitmap,
        families: Families::Ipv4,
        last_is_optional: true,
        create: &[Range, Timeout, Counters, Comment, Skbinfo],
        ignored: OLD,
        bytes: Bytes { empty: [80, 80], element: [8, 8] },
        ..hash("bitmap:ip,mac", 3, &[ONE, Mac])
    },
    Type {
        old_names: &["portmap"],
        storage: Storage::Bitmap,
        families: Families::None,
        create: &[Range, Timeout, Counters, Comment, Skbinfo],
        ignored: OLD,
        bytes: Bytes { empty: [72, 72], element: [0, 0] },
        ..hash("bitmap:port", 3, &[Port])
    },
    Type {
        old_names: &["iphash"],
        ignored: OLD_HASH,
        create: &[
            FamilyOption,
            Hashsize,
            Maxelem,
            Netmask,
            Bitmask,
            Timeout,
            Counters,
            Comment,
            Forceadd,
            Skbinfo,
            Bucketsize,
            Initval,
        ],
        bytes: Bytes { empty: [216, 224], element: [4, 16] },
        ..hash("hash:ip", 6, &[SOME])
    },
    Type {
        old_names: &["ipporthash"],
        create: HASH_WITH_NETMASK,
        ignored: OLD_PORT_HASH,
        ..hash("hash:ip,port", 7, &[SOME, ProtocolPort])
    },
    Type {
        create: &[FamilyOption, Markmask, Hashsize, Maxelem, Timeout, Counters, Comment, Forceadd, Skbinfo, Bucketsize, Initval],
        ..hash("hash:ip,mark", 3, &[SOME, Mark])
    },
    Type {
        old_names: &["ipportiphash"],
        ignored: OLD_PORT_HASH,
        bytes: Bytes { empty: [208, 232], element: [12, 36] },
        ..hash("hash:ip,port,ip", 6, &[SOME, ProtocolPort, ONE])
    },
    Type {
        old_names: &["ipportnethash"],
        ignored: OLD_PORT_HASH,
        marks: NETS,
        bytes: Bytes { empty: [464, 1256], element: [12, 36] },
        ..hash("hash:ip,port,net", 8, &[SOME, ProtocolPort, NET])
    },
    Type {
        old_names: &["nethash"],
        ignored: OLD_HASH,
        marks: NETS,
        bytes: Bytes { empty: [456, 1240], element: [8, 20] },
        ..hash("hash:net", 7, &[NET])
    },
    Type {
        create: HASH_WITH_BITMASK,
        marks: NETS,
        bytes: Bytes { empty: [464, 1256], element: [16, 36] },
        ..hash("hash:net,net", 4, &[NET_OR_ALL, NET_OR_ALL])
    },
    Type {
        marks: NETS,
        bytes: Bytes { empty: [464, 1256], element: [16, 40] },
        ..hash("hash:net,port,net", 3, &[NET_OR_ALL, ProtocolPort, NET_OR_ALL])
    },
    Type { marks: NETS, bytes: Bytes { empty: [456, 1240], element: [8, 20] }, ..hash("hash:net,port", 8, &[NET, ProtocolPort]) },
    Type {
        marks: Marks { wildcard: true, ..NETS },
        bytes: Bytes { empty: [488, 1264], element: [28, 40] },
        ..hash("hash:net,iface", 8, &[NET_OR_ALL, Interface])
    },
    Type { bytes: Bytes { empty: [216, 232], element: [12, 24] }, ..hash("hash:ip,mac", 1, &[Address(Several::Refused), Mac]) },
    Type {
        families: Families::None,
        create: &[Hashsize, Maxelem, Timeout, Counters, Comment, Forceadd, Skbinfo, Bucketsize, Initval],
        bytes: Bytes { empty: [208, 208], element: [8, 8] },
        ..hash("hash:mac", 1, &[Mac])
    },
    Type {
        old_names: &["setlist"],
        storage: Storage::List,
        families: Families::None,
        create: &[Size, Timeout, Counters, Comment, Skbinfo],
        ignored: OLD,
        marks: Marks { reference: true, ..PLAIN },
        bytes: Bytes { empty: [80, 80], element: [48, 48] },
        ..hash("list:set", 3, &[Set])
    },
];

impl Type {
    /// The type of this name, be it an old one.
    pub fn named(name: &str) -> Option<&'static Type> {
        TYPES.iter().find(|kind| kind.name == name || kind.old_names.contains(&name))
    }

    /// Its elements have networks, so that one address may be in several.
    pub fn has_nets(&self) -> bool {
        self.dimensions.iter().any(|dimension| matches!(dimension, Net { .. }))
    }

    /// What its elements are made of, however they are kept: sets whose types have the same may be exchanged.
    pub fn features(&self) -> [usize; 7] {
        let count = |is: fn(&Dimension) -> bool| self.dimensions.iter().filter(|dimension| is(dimension)).count();
        [
            count(|part| matches!(part, Address(_) | Net { .. })),
            count(|part| matches!(part, Port | ProtocolPort)),
            count(|part| matches!(part, Mark)),
            count(|part| matches!(part, Mac)),
            count(|part| matches!(part, Interface)),
            count(|part| matches!(part, Set)),
            usize::from(self.marks.nomatch),
        ]
    }

    /// `inet`, `inet6` or what is said of those without addresses.
    pub fn family_name(family: Option<Family>) -> &'static str {
        match family {
            Some(Family::Ipv4) => "inet",
            Some(Family::Ipv6) => "inet6",
            None => "unspec",
        }
    }

    /// Ports stand for more than one element where they are a range.
    pub fn has_ports(&self) -> bool {
        self.dimensions.iter().any(|dimension| matches!(dimension, Port | ProtocolPort))
    }
}
