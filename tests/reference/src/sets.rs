//! Sets: what is in them, and whether what a packet says is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use packet::family::Addr;
use packet::{Family, Fragment, L4};
use rules::matches::set::{CounterTest, SetTest};

use crate::facts::Facts;

/// Sets by name.
pub type Sets = HashMap<String, Set>;

/// A set.
#[derive(Clone, Debug)]
pub enum Set {
    /// Of elements that all have parts of these kinds.
    Elements(Vec<Part>, Vec<Element>),
    /// Of other sets, in the order in which they are asked.
    List(Vec<Listed>),
}

/// What one part of an element is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// An address, or a network that has it.
    Net,
    /// A protocol and its port.
    Port,
    /// The mark.
    Mark,
}

/// A part of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// A network: its address and how many bits of it count.
    Net(IpAddr, u8),
    /// A protocol and a port; of ICMP the type and code.
    Port(u8, u16),
    /// A mark.
    Mark(u32),
}

/// An element.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its parts.
    pub parts: Vec<Is>,
    /// It is an exception.
    pub nomatch: bool,
    /// Packets and bytes, where its set counts.
    pub counters: Option<(u64, u64)>,
}

/// A set in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Packets and bytes, where the list counts.
    pub counters: Option<(u64, u64)>,
}

/// What a rule asks.
#[derive(Clone, Debug)]
pub struct Question {
    /// The set.
    pub name: String,
    /// Of each dimension: is the source looked for?
    pub is_source: Vec<bool>,
    /// Only exceptions are found.
    pub exceptions: bool,
    /// Elements of the set count the packet.
    pub counts: bool,
    /// So do those of sets in the list.
    pub counts_below: bool,
    /// What must have been counted.
    pub packets: Option<CounterTest>,
    /// As above.
    pub bytes: Option<CounterTest>,
}

impl From<&SetTest> for Question {
    fn from(test: &SetTest) -> Self {
        Self {
            name: test.set.name.to_string(),
            is_source: test.set.is_source.to_vec(),
            exceptions: test.return_nomatch,
            counts: !test.keep_counters,
            counts_below: !test.keep_counters && !test.keep_sub_counters,
            packets: test.packets,
            bytes: test.bytes,
        }
    }
}

/// Is it there? A set that is not there has nothing in it.
pub fn ask<F: Family>(sets: &mut Sets, question: &Question, facts: &Facts<F>) -> bool {
    let Some(Set::List(members)) = sets.get(&question.name) else { return ask_elements(sets, question, facts) };
    if question.is_source.is_empty() {
        return false;
    }
    for (at, member) in members.clone().into_iter().enumerate() {
        let below = Question { name: member.name, counts: question.counts_below, packets: None, bytes: None, ..question.clone() };
        if !ask_elements(sets, &below, facts) {
            continue;
        }
        let Some(Set::List(members)) = sets.get_mut(&question.name) else { continue };
        if counted(&mut members[at].counters, question, facts.header.len) {
            return true;
        }
    }
    false
}

fn ask_elements<F: Family>(sets: &mut Sets, question: &Question, facts: &Facts<F>) -> bool {
    let Some(Set::Elements(parts, elements)) = sets.get_mut(&question.name) else { return false };
    // One dimension too many is not looked at.
    if question.is_source.len() < parts.len() {
        return false;
    }
    let Some(says) =
        parts.iter().zip(&question.is_source).map(|(part, source)| says(*part, *source, facts)).collect::<Option<Vec<Is>>>()
    else {
        return false;
    };
    let mut found: Vec<&mut Element> =
        elements.iter_mut().filter(|element| element.parts.iter().zip(&says).all(|(part, says)| has(*part, *says))).collect();
    // The longest network first.
    found.sort_by_key(|element| std::cmp::Reverse(lengths(&element.parts)));
    let has_networks = parts.contains(&Part::Net);
    let first =
        found.into_iter().find_map(|element| counted(&mut element.counters, question, facts.header.len).then_some(element.nomatch));
    first.is_some_and(|nomatch| nomatch == (question.exceptions && has_networks))
}

/// The packet comes into a set (`-j SET --add-set`). What is there stays as it is unless the rule renews it.
pub fn add<F: Family>(sets: &mut Sets, name: &str, is_source: &[bool], renews: bool, facts: &Facts<F>) {
    let Some(parts) = element(sets, name, is_source, facts) else { return };
    let Some(Set::Elements(_, elements)) = sets.get_mut(name) else { return };
    let counts = elements.iter().any(|element| element.counters.is_some());
    let element = Element { parts, nomatch: false, counters: counts.then_some((1, u64::from(facts.header.len))) };
    match elements.iter_mut().find(|other| other.parts == element.parts) {
        Some(other) if renews => *other = element,
        Some(_) => {}
        None => elements.push(element),
    }
}

/// The packet goes from a set (`-j SET --del-set`).
pub fn remove<F: Family>(sets: &mut Sets, name: &str, is_source: &[bool], facts: &Facts<F>) {
    let Some(parts) = element(sets, name, is_source, facts) else { return };
    if let Some(Set::Elements(_, elements)) = sets.get_mut(name) {
        elements.retain(|element| element.parts != parts);
    }
}

/// The element that a packet says: of networks the longest that there is.
fn element<F: Family>(sets: &Sets, name: &str, is_source: &[bool], facts: &Facts<F>) -> Option<Vec<Is>> {
    let Some(Set::Elements(parts, elements)) = sets.get(name) else { return None };
    if is_source.len() < parts.len() {
        return None;
    }
    let of = |at: usize| {
        let longest = elements.iter().filter_map(|element| lengths(&element.parts[at..=at]).first().copied()).max();
        match (says(parts[at], is_source[at], facts)?, longest) {
            (Is::Net(address, _), Some(longest)) => Some(Is::Net(network(address, longest), longest)),
            (is, _) => Some(is),
        }
    };
    (0..parts.len()).map(of).collect()
}

fn network(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)))
        }
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)))
        }
    }
}

/// What the packet says of a part; `None` where it says nothing.
fn says<F: Family>(part: Part, source: bool, facts: &Facts<F>) -> Option<Is> {
    let header = &facts.header;
    Some(match part {
        Part::Net => {
            let address = if source { header.src } else { header.dst };
            Is::Net(address.to_ip(), 8 * F::Addr::LEN as u8)
        }
        Part::Mark => Is::Mark(facts.mark),
        Part::Port => {
            let is_later = matches!(header.fragment, Fragment::Later(_));
            let port = match (header.protocol, header.transport) {
                (0, _) => return None,
                (1 | 6 | 17 | 132 | 136, _) if is_later => return None,
                (1, L4::Icmp { kind, code, .. }) => u16::from_be_bytes([kind, code]),
                (6, L4::Tcp { sport, dport, .. })
                | (17 | 136, L4::Udp { sport, dport, .. })
                | (132, L4::Ports { sport, dport }) => {
                    if source {
                        sport
                    } else {
                        dport
                    }
                }
                // The header is cut short.
                (1 | 6 | 17 | 132 | 136, _) => return None,
                _ => 0,
            };
            Is::Port(header.protocol, port)
        }
    })
}

/// Is what the packet says in this part of an element?
fn has(part: Is, says: Is) -> bool {
    match (part, says) {
        (Is::Net(IpAddr::V4(net), length), Is::Net(IpAddr::V4(address), _)) => {
            length == 0 || (net.to_bits() ^ address.to_bits()) >> (32 - length) == 0
        }
        (Is::Net(IpAddr::V6(net), length), Is::Net(IpAddr::V6(address), _)) => {
            length == 0 || (net.to_bits() ^ address.to_bits()) >> (128 - length) == 0
        }
        _ => part == says,
    }
}

fn lengths(parts: &[Is]) -> Vec<u8> {
    let length = |part: &Is| if let Is::Net(_, length) = part { Some(*length) } else { None };
    parts.iter().filter_map(length).collect()
}

/// Counts the packet, and says whether there are now as many as are asked for.
fn counted(counters: &mut Option<(u64, u64)>, question: &Question, len: u32) -> bool {
    let Some((packets, bytes)) = counters else { return true };
    if question.counts {
        *packets += 1;
        *bytes += u64::from(len);
    }
    let holds = |test: Option<CounterTest>, count: u64| match test {
        None => true,
        Some(CounterTest::Equal(number)) => count == number,
        Some(CounterTest::NotEqual(number)) => count != number,
        Some(CounterTest::Less(number)) => count < number,
        Some(CounterTest::Greater(number)) => count > number,
    };
    holds(question.packets, *packets) && holds(question.bytes, *bytes)
}
