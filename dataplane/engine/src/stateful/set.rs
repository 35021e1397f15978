//! `-m set` (`xt_set.c`, `ip_set_*.c`): whether what the packet says is in a set.

use packet::family::Addr;
use packet::{Family, FamilyId, Fragment, Header, L4, parse, protocol};
use program::set::INTERFACE_NAME;
use program::{SetId, SetPart, SetSpec, SetTest};

use crate::atomic::{AtomicU64, Ordering};
use crate::burst::Origin;
use crate::sets::{BEGINNING, Body, Directory, Elements, Key, NETWORK, Seen, View, mac_word, offsets, words};
use crate::time::Time;

/// What a set may be asked of a packet.
pub(crate) struct Asked<'p, F: Family> {
    pub(crate) header: &'p Header<F>,
    pub(crate) head: &'p [u8],
    pub(crate) origin: Origin,
    pub(crate) mark: u32,
    /// Names of the interfaces by which it came and goes; empty where it has none.
    pub(crate) interfaces: (&'p str, &'p str),
    pub(crate) now: Time,
}

/// What an element says of a packet that found it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    No,
    Yes,
    /// It is an exception.
    Except,
}

/// Does an element count the packet, and what must it have counted?
#[derive(Clone, Copy)]
struct Counting<'t> {
    counts: bool,
    wanted: Option<&'t SetTest>,
}

impl Counting<'_> {
    /// The element counts the packet. Whether it has then counted what the rule wants.
    fn holds(self, counters: Option<(&AtomicU64, &AtomicU64)>, bytes: u32) -> bool {
        let Some((of_packets, of_bytes)) = counters else { return true };
        let count = |counter: &AtomicU64, more: u64| match self.counts {
            true => counter.fetch_add(more, Ordering::Relaxed).wrapping_add(more),
            false => counter.load(Ordering::Relaxed),
        };
        let (packets, bytes) = (count(of_packets, 1), count(of_bytes, bytes.into()));
        self.wanted.is_none_or(|test| {
            test.packets.is_none_or(|wanted| wanted.holds(packets)) && test.bytes.is_none_or(|wanted| wanted.holds(bytes))
        })
    }
}

/// Does the rule's test hold?
pub(crate) fn ask<F: Family>(sets: &Directory, test: &SetTest, id: SetId, asked: &Asked<'_, F>) -> bool {
    let holds = match sets.get(id) {
        None => false,
        Some(set) => match &set.body {
            Body::Elements(_) => {
                let counting = Counting { counts: !test.keep_counters, wanted: Some(test) };
                sets.view(id).is_some_and(|view| in_elements(view, test, asked, counting))
            }
            Body::List(members) if test.dimensions >= set.spec.dimensions => members.iter().any(|member| {
                let counting = Counting { counts: !test.keep_counters && !test.keep_sub_counters, wanted: None };
                // A list has no lists in it.
                let is_in = !member.is_over(asked.now.millis())
                    && sets.view(member.set).is_some_and(|view| in_elements(view, test, asked, counting));
                let counters = member.counters.as_ref().map(|(packets, bytes)| (packets, bytes));
                is_in && Counting { counts: !test.keep_counters, wanted: Some(test) }.holds(counters, asked.header.len)
            }),
            Body::List(_) => false,
        },
    };
    holds != test.not
}

fn in_elements<F: Family>(view: View<'_>, test: &SetTest, asked: &Asked<'_, F>, counting: Counting<'_>) -> bool {
    let spec = view.spec;
    if test.dimensions < spec.dimensions || spec.family.is_some_and(|family| family != F::ID) {
        return false;
    }
    let Some(mut key) = KeyOf::new(spec, test.sources, asked) else { return false };
    let answer = key.look(view, |seen| one(view, test, asked, counting, seen));
    // Only what has networks has exceptions; of other types all are found.
    let wanted = if test.exceptions && key.nets > 0 { Answer::Except } else { Answer::Yes };
    answer == wanted
}

/// What an element says that stands where the packet points.
fn one<F: Family>(view: View<'_>, test: &SetTest, asked: &Asked<'_, F>, counting: Counting<'_>, seen: Seen<'_>) -> Answer {
    let elements = view.elements;
    if seen.beside().is_over(asked.now.millis()) {
        return Answer::No;
    }
    // Packets bring nothing into sets with hardware addresses beside addresses.
    if view.spec.has_mac
        && let Seen::Kept(found) = seen
    {
        let Some(mac) = mac(asked, test.is_source(1)) else { return Answer::No };
        match elements.table.mac(found) {
            // The first packet says what it is, and that is as if the element came with it.
            0 => {
                let counters = elements.table.counters(found);
                if elements.table.fill_mac(found, mac)
                    && let Some((packets, bytes)) = counters
                {
                    packets.store(1, Ordering::Relaxed);
                    bytes.store(asked.header.len.into(), Ordering::Relaxed);
                }
                return Answer::Yes;
            }
            known if known != mac => return Answer::No,
            _ => {}
        }
    }
    match counting.holds(view.counters(seen), asked.header.len) {
        false => Answer::No,
        true if seen.beside().nomatch => Answer::Except,
        true => Answer::Yes,
    }
}

/// The hardware address of the packet's frame; none where it came by none, or that of nobody.
fn mac<F: Family>(asked: &Asked<'_, F>, source: bool) -> Option<u64> {
    if !matches!(asked.origin, Origin::Wire(_)) {
        return None;
    }
    let frame = parse::ethernet(asked.head).ok()?;
    Some(mac_word(if source { frame.src } else { frame.dst })).filter(|mac| *mac != 0)
}

/// The protocol and a port, or the ICMP message, of a packet that shows it. Of protocols without ports it is 0.
fn port<F: Family>(asked: &Asked<'_, F>, source: bool) -> Option<(u8, u16)> {
    let header = asked.header;
    let number = header.protocol;
    let is_later = matches!(header.fragment, Fragment::Later(_));
    let has_none = match F::ID {
        FamilyId::Ipv4 => number == 0,
        FamilyId::Ipv6 => is_later || number == protocol::NO_NEXT_HEADER || header.transport == L4::Lost,
    };
    let has_header = [protocol::TCP, protocol::UDP, protocol::UDPLITE, protocol::SCTP, protocol::ICMP].contains(&number);
    if has_none || (is_later && has_header) {
        return None;
    }
    let port = match (number, header.transport) {
        _ if is_later => 0,
        (protocol::ICMP | protocol::ICMPV6, L4::Icmp { kind, code, .. }) => u16::from_be_bytes([kind, code]),
        // That of the other family.
        (protocol::ICMP | protocol::ICMPV6, _) => {
            let at = usize::from(header.l4);
            let whole = asked.head.get(at..at + 8).filter(|_| header.l4_len() >= 8)?;
            u16::from_be_bytes([whole[0], whole[1]])
        }
        (protocol::TCP, L4::Tcp { sport, dport, .. })
        | (protocol::UDP | protocol::UDPLITE, L4::Udp { sport, dport, .. })
        | (protocol::SCTP, L4::Ports { sport, dport }) => {
            if source {
                sport
            } else {
                dport
            }
        }
        _ if has_header => return None,
        _ => 0,
    };
    Some((number, port))
}

/// The key under which a packet is looked for, and what of it is tried at several lengths.
pub(crate) struct KeyOf<F: Family> {
    bytes: [u8; 40],
    /// Where networks stand, and the addresses that are looked for in them.
    net: [(usize, F::Addr); 2],
    nets: usize,
    /// Where the interface stands, if there is one.
    interface: Option<usize>,
}

impl<F: Family> KeyOf<F> {
    /// None where the packet does not say what the set asks.
    pub(crate) fn new(spec: &SetSpec, sources: u8, asked: &Asked<'_, F>) -> Option<Self> {
        let mut key = Self { bytes: [0; 40], net: [(0, F::Addr::ZERO); 2], nets: 0, interface: None };
        let mask = F::Addr::read(&spec.mask.to_be_bytes()[16 - F::Addr::LEN..]).unwrap_or(F::Addr::ONES);
        for (dimension, (at, part)) in offsets(spec).enumerate() {
            let source = sources >> dimension & 1 != 0;
            let address = if source { asked.header.src } else { asked.header.dst } & mask;
            let place = &mut key.bytes[at..];
            match part {
                SetPart::Address if address == F::Addr::ZERO && spec.nothing_is_none => return None,
                SetPart::Address => {
                    address.write(place);
                }
                SetPart::Net => {
                    key.net[key.nets] = (at, address);
                    key.nets += 1;
                }
                SetPart::Port => {
                    let (number, port) = port(asked, source)?;
                    if ![protocol::TCP, protocol::UDP].contains(&number) {
                        return None;
                    }
                    place[..2].copy_from_slice(&port.to_be_bytes());
                }
                SetPart::ProtocolPort => {
                    let (number, port) = port(asked, source)?;
                    place[0] = number;
                    place[1..3].copy_from_slice(&port.to_be_bytes());
                }
                SetPart::Mark => place[..4].copy_from_slice(&(asked.mark & spec.mark_mask).to_be_bytes()),
                SetPart::Mac => place[..6].copy_from_slice(&mac(asked, source)?.to_be_bytes()[2..]),
                SetPart::Interface => {
                    let (input, output) = asked.interfaces;
                    let name = if source { input } else { output }.as_bytes();
                    if name.is_empty() || name.len() > INTERFACE_NAME {
                        return None;
                    }
                    place[1..1 + name.len()].copy_from_slice(name);
                    key.interface = Some(at);
                }
            }
        }
        Some(key)
    }

    /// Tries all lengths that there are, until an element says something.
    fn look<'s>(&mut self, view: View<'s>, mut say: impl FnMut(Seen<'s>) -> Answer) -> Answer {
        let all = 8 * F::Addr::LEN as u8;
        match self.nets {
            0 => self.find(view, &mut say).unwrap_or(Answer::No),
            1 => {
                for prefix in view.prefixes(0, all) {
                    self.set_net(0, prefix);
                    match self.find(view, &mut say) {
                        found @ (Some(Answer::No) | None) => {
                            if self.is_last(view.elements, found.is_some()) {
                                return Answer::No;
                            }
                        }
                        Some(answer) => return answer,
                    }
                }
                Answer::No
            }
            _ => {
                for first in view.prefixes(0, all) {
                    self.set_net(0, first);
                    for second in view.prefixes(1, all) {
                        self.set_net(1, second);
                        match self.find(view, &mut say) {
                            Some(Answer::No) | None => {}
                            Some(answer) => return answer,
                        }
                    }
                }
                Answer::No
            }
        }
    }

    /// The key of the element that a packet brings or takes out, and the prefixes of its networks: each the longest that some element has, as in the kernel.
    pub(crate) fn changed(&mut self, view: View<'_>) -> (Key, [Option<u8>; 2]) {
        let all = 8 * F::Addr::LEN as u8;
        let mut prefixes = [None; 2];
        for (which, prefix) in prefixes.iter_mut().enumerate().take(self.nets) {
            let longest = view.longest(which, all).unwrap_or(all);
            self.set_net(which, longest);
            *prefix = Some(longest);
        }
        (words(&self.bytes), prefixes)
    }

    fn set_net(&mut self, which: usize, prefix: u8) {
        let (at, address) = self.net[which];
        (address & F::Addr::prefix_mask(prefix)).write(&mut self.bytes[at..]);
        self.bytes[at + F::Addr::LEN] = prefix;
    }

    /// Looks for exactly this one; then, where it has an interface, for beginnings of its name. None where there is none.
    fn find<'s>(&self, view: View<'s>, say: &mut impl FnMut(Seen<'s>) -> Answer) -> Option<Answer> {
        let mut answer = view.find(&words(&self.bytes)).map(&mut *say);
        let no = |answer: Option<Answer>| answer.is_none_or(|answer| answer == Answer::No);
        let Some(at) = self.interface.filter(|_| no(answer)) else { return answer };
        let mut bytes = self.bytes;
        bytes[at] |= BEGINNING;
        for length in view.elements.beginnings.down_from(INTERFACE_NAME as u8) {
            bytes[at + 1 + usize::from(length)..at + 1 + INTERFACE_NAME].fill(0);
            answer = view.find(&words(&bytes)).map(&mut *say).or(answer);
            if !no(answer) {
                return answer;
            }
        }
        answer
    }

    /// Does a network with elements of other interfaces stand in the way of shorter ones, as in the kernel?
    fn is_last(&self, elements: &Elements, was_asked: bool) -> bool {
        let Some(at) = self.interface else { return false };
        let mut bytes = self.bytes;
        bytes[at] = NETWORK;
        bytes[at + 1..at + 1 + INTERFACE_NAME].fill(0);
        let count = elements.table.find(&words(&bytes)).map_or(0, |found| found.beside.expires);
        count > u64::from(was_asked)
    }
}
