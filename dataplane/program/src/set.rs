//! Sets (`ipset`) as rules ask for them, and as they travel: what a set is, what it holds, and what changes of it.
//!
//! Sets are no part of a table. A rule names one, the dataplane finds it by that name when the rule is published, and from then on the rule goes by the
//! set's place, which stays while the set's contents change. An element is a key, the parts of which follow one another as [`SetSpec::parts`] says:
//!
//! | part | bytes |
//! |---|---|
//! | address | 4, or 16 in IPv6, as on the wire |
//! | net | the same of its first address, then how many bits of it count |
//! | port | 2, as on the wire |
//! | protocol and port | 1 and 2; of ICMP the type and code |
//! | mark | 4, the highest first |
//! | MAC | 6 |
//! | interface | 1, and a name of 15 filled with zeros |

use packet::FamilyId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longest key in bytes: two IPv6 networks, a protocol and a port.
pub const MAX_KEY: usize = 37;
/// Longest name of a set.
pub const MAX_SET_NAME: usize = 31;
/// Bytes of an interface's name in a key.
pub const INTERFACE_NAME: usize = 15;
/// Most dimensions that a rule names.
pub const MAX_DIMENSIONS: u8 = 6;

/// A part of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SetPart {
    /// An address.
    Address,
    /// A network that has the address.
    Net,
    /// A port of TCP or UDP.
    Port,
    /// A protocol and its port, or its ICMP message.
    ProtocolPort,
    /// The packet's mark.
    Mark,
    /// A hardware address.
    Mac,
    /// The interface by which the packet came or goes.
    Interface,
}

/// What a set is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetSpec {
    /// Whose packets it is asked for; none for both.
    pub family: Option<FamilyId>,
    /// Of its elements. A list of sets has none.
    pub parts: Vec<SetPart>,
    /// How many dimensions a rule must name.
    pub dimensions: u8,
    /// Bits of an address that are looked for; IPv4 in the low 32.
    pub mask: u128,
    /// Bits of a mark that are looked for.
    pub mark_mask: u32,
    /// An address that is nothing is in no such set.
    pub nothing_is_none: bool,
    /// Beside an address may stand the hardware address that it must come from or go to.
    pub has_mac: bool,
    /// Packets that find an element are counted with it.
    pub counters: bool,
    /// What packets may bring into it.
    pub taking: Taking,
}

/// What packets may bring into a set (`-j SET`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taking {
    /// Most elements, where that is bounded.
    pub most: Option<u32>,
    /// One of them goes where there are so many.
    pub makes_room: bool,
    /// Seconds that an element stays, 0 for ever; none where elements of this set have no time.
    pub seconds: Option<u32>,
    /// First and last address or port of a bitmap.
    pub range: Option<(u32, u32)>,
}

/// A set holds no key of this shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an element of {found} bytes, in a set whose elements have {wanted}")]
pub struct KeyLength {
    /// Bytes that came.
    pub found: usize,
    /// Bytes that there should be.
    pub wanted: usize,
}

impl SetSpec {
    /// Bytes of an address.
    pub fn address_len(&self) -> usize {
        if self.family == Some(FamilyId::Ipv6) { 16 } else { 4 }
    }

    /// Bytes of a key.
    pub fn key_len(&self) -> usize {
        let of = |part: &SetPart| match part {
            SetPart::Address => self.address_len(),
            SetPart::Net => self.address_len() + 1,
            SetPart::Port => 2,
            SetPart::ProtocolPort => 3,
            SetPart::Mark => 4,
            SetPart::Mac => 6,
            SetPart::Interface => 1 + INTERFACE_NAME,
        };
        self.parts.iter().map(of).sum()
    }

    /// Is it a list of sets?
    pub fn is_list(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What stands beside an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Milliseconds until it is over; 0 if it stays.
    pub expires_in: u64,
    /// It is an exception from what is around it.
    pub nomatch: bool,
    /// Its interface is the beginning of names.
    pub wildcard: bool,
    /// See [`SetSpec::has_mac`].
    pub mac: Option<[u8; 6]>,
    /// Packets and bytes that it has counted; an element that is there goes on counting where they are missing.
    pub counters: Option<(u64, u64)>,
}

/// An element, and what became of it: `None` beside it says that it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ElementEdit {
    /// Its key.
    pub key: Vec<u8>,
    /// What stands beside it.
    pub beside: Option<Beside>,
}

/// A set in a list of sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Milliseconds until it is over; 0 if it stays.
    pub expires_in: u64,
    /// As in [`Beside::counters`].
    pub counters: Option<(u64, u64)>,
}

/// What changes of sets. They are named as they are called when it is their turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetEdit {
    /// A new one, with nothing in it.
    Create {
        /// Its name.
        name: String,
        /// What it is made of.
        spec: SetSpec,
    },
    /// It is gone.
    Destroy {
        /// Its name.
        name: String,
    },
    /// It has another name. Rules that name it go on asking it.
    Rename {
        /// The name before.
        from: String,
        /// The name now.
        to: String,
    },
    /// Either has what the other one had: rules of the one name find what the other had.
    Swap {
        /// One.
        one: String,
        /// The other.
        other: String,
    },
    /// All elements are gone.
    Flush {
        /// Its name.
        name: String,
    },
    /// Some elements came, changed or went.
    Elements {
        /// The set's name.
        name: String,
        /// Which.
        edits: Vec<ElementEdit>,
    },
    /// The sets of a list, all of them, in their order.
    Members {
        /// The list's name.
        name: String,
        /// Which.
        members: Vec<Member>,
    },
}

/// A set's place. It stays while the set has its name, and longer: where it is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetId(pub u32);

impl SetId {
    /// No set: what a rule has before it is bound. Nothing is in it.
    pub const NONE: Self = Self(u32::MAX);

    /// As an index.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Compares a counter with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CounterTest {
    /// It is that number.
    Equal(u64),
    /// It is not.
    NotEqual(u64),
    /// It is below.
    Less(u64),
    /// It is above.
    Greater(u64),
}

impl CounterTest {
    /// Does it hold?
    #[inline]
    pub fn holds(self, count: u64) -> bool {
        match self {
            Self::Equal(number) => count == number,
            Self::NotEqual(number) => count != number,
            Self::Less(number) => count < number,
            Self::Greater(number) => count > number,
        }
    }
}

/// `-m set`: is what the packet says in the set?
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SetTest {
    /// The set's name.
    pub name: String,
    /// Of each dimension one bit, the first one lowest: what the source of the packet says, not its destination.
    pub sources: u8,
    /// How many dimensions the rule names.
    pub dimensions: u8,
    /// `!`
    pub not: bool,
    /// `--return-nomatch`: exceptions are found, and the others are not.
    pub exceptions: bool,
    /// `! --update-counters`: an element does not count the packet that finds it.
    pub keep_counters: bool,
    /// `! --update-subcounters`: nor does one of a set in a list of sets.
    pub keep_sub_counters: bool,
    /// What an element's packets must be, once it has counted this one.
    pub packets: Option<CounterTest>,
    /// And its bytes.
    pub bytes: Option<CounterTest>,
}

impl SetTest {
    /// Is what the source says looked for in this dimension?
    #[inline]
    pub fn is_source(&self, dimension: usize) -> bool {
        self.sources >> dimension & 1 != 0
    }
}

/// Which of a packet's fields are an element, in a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SetSides {
    /// The set's name.
    pub name: String,
    /// As in [`SetTest::sources`].
    pub sources: u8,
    /// How many dimensions the rule names.
    pub dimensions: u8,
}

impl SetSides {
    /// As [`SetTest::is_source`].
    #[inline]
    pub fn is_source(&self, dimension: usize) -> bool {
        self.sources >> dimension & 1 != 0
    }
}

/// `-j SET`: what a packet changes, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SetChange {
    /// Into this set it comes.
    pub add: Option<SetSides>,
    /// An element that is there is renewed.
    pub renews: bool,
    /// Seconds that it stays, 0 for ever, in place of the set's own.
    pub seconds: Option<u32>,
    /// From this set it goes.
    pub del: Option<SetSides>,
}

impl SetChange {
    /// Both places where a set may stand.
    pub fn sets(&self) -> [Option<&SetSides>; 2] {
        [self.add.as_ref(), self.del.as_ref()]
    }
}

/// What became of elements by packets, by the names of their sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByPackets {
    /// Whoever has taken all this says so with this number, and is not told again.
    pub until: u64,
    /// Of each set the elements that packets changed, as they are now.
    pub sets: Vec<(String, Vec<ElementEdit>)>,
}

/// Changes as bytes.
///
/// # Panics
/// Never: as [`encode`].
pub fn encode_by_packets(changes: &ByPackets) -> Vec<u8> {
    postcard::to_allocvec(changes).expect("a change holds only integers, booleans, strings and sequences of known length")
}

/// Bytes as changes.
///
/// # Errors
/// When they are none.
pub fn decode_by_packets(bytes: &[u8]) -> Result<ByPackets, postcard::Error> {
    postcard::from_bytes(bytes)
}

/// What an element has counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Its key; of a list of sets the set's name.
    pub key: Vec<u8>,
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// The hardware address beside it.
    pub mac: Option<[u8; 6]>,
}

/// What elements of sets have counted, by the sets' names.
pub type Counts = Vec<(String, Vec<Count>)>;

/// Counts as bytes.
///
/// # Panics
/// Never: as [`encode`].
pub fn encode_counts(counts: &Counts) -> Vec<u8> {
    postcard::to_allocvec(counts).expect("a count holds only integers, strings and sequences of known length")
}

/// Bytes as counts.
///
/// # Errors
/// When they are none.
pub fn decode_counts(bytes: &[u8]) -> Result<Counts, postcard::Error> {
    postcard::from_bytes(bytes)
}

/// Edits as bytes.
///
/// # Panics
/// Never: every type inside an edit has a form in postcard.
pub fn encode(edits: &[SetEdit]) -> Vec<u8> {
    postcard::to_allocvec(edits).expect("an edit holds only integers, booleans, strings, enums and sequences of known length")
}

/// Bytes as edits.
///
/// # Errors
/// When they are none.
pub fn decode(bytes: &[u8]) -> Result<Vec<SetEdit>, postcard::Error> {
    let (edits, rest) = postcard::take_from_bytes(bytes)?;
    if rest.is_empty() { Ok(edits) } else { Err(postcard::Error::SerializeBufferFull) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_read_back_as_they_were_written_and_no_more() {
        let spec = SetSpec {
            family: Some(FamilyId::Ipv6),
            parts: vec![SetPart::Net, SetPart::ProtocolPort, SetPart::Net],
            dimensions: 3,
            mask: u128::MAX,
            mark_mask: 7,
            nothing_is_none: true,
            has_mac: false,
            counters: true,
            taking: Taking { most: Some(3), makes_room: true, seconds: Some(5), range: Some((1, 2)) },
        };
        assert_eq!(spec.key_len(), MAX_KEY);
        let beside = Beside { expires_in: 9, nomatch: true, wildcard: false, mac: Some([1; 6]), counters: Some((1, 2)) };
        let edits = [
            SetEdit::Create { name: "a".into(), spec },
            SetEdit::Elements {
                name: "a".into(),
                edits: vec![
                    ElementEdit { key: vec![1; MAX_KEY], beside: Some(beside) },
                    ElementEdit { key: vec![2; MAX_KEY], beside: None },
                ],
            },
            SetEdit::Members { name: "l".into(), members: vec![Member { name: "a".into(), expires_in: 5, counters: None }] },
            SetEdit::Swap { one: "a".into(), other: "b".into() },
            SetEdit::Rename { from: "a".into(), to: "c".into() },
            SetEdit::Flush { name: "c".into() },
            SetEdit::Destroy { name: "c".into() },
        ];
        let bytes = encode(&edits);
        assert_eq!(decode(&bytes).unwrap(), edits);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
    }
}
