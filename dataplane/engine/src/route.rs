//! Where a packet goes: longest prefix match over all that may decide it.
//!
//! Built on the control side, read by the walk: a trie by bytes of the destination, in which each entry says what holds there. A lookup takes a load for each byte
//! that tells routes apart, at most 4 (16), and none of them allocates.

use foldhash::fast::FixedState;
use packet::Family;
use packet::family::Addr;
use program::InterfaceId;

/// All that a route may depend on. Policy routing adds data here, no new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteKey<F: Family> {
    /// Destination.
    pub dst: F::Addr,
    /// Source; zero when the box has yet to choose one.
    pub src: F::Addr,
    /// Where the packet came in; none for the box's own.
    pub input: InterfaceId,
    /// The packet's mark.
    pub mark: u32,
    /// The TOS byte.
    pub tos: u8,
}

impl<F: Family> RouteKey<F> {
    /// Of a packet that the box would send to an address, of which nothing else is known.
    pub fn to(dst: F::Addr) -> Self {
        Self { dst, src: F::Addr::default(), input: InterfaceId::NONE, mark: 0, tos: 0 }
    }
}

/// One way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NextHop<F: Family> {
    /// The interface.
    pub interface: InterfaceId,
    /// The router there; `None` when the destination itself is on the link.
    pub gateway: Option<F::Addr>,
    /// Share of flows among several hops, at least 1.
    pub weight: u16,
}

/// What a route says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteKind<F: Family> {
    /// Through one of these hops (ECMP when there are several). Never empty.
    Unicast(Vec<NextHop<F>>),
    /// To the box itself.
    Local(InterfaceId),
    /// To everybody on this interface's link, the box among them.
    Broadcast(InterfaceId),
    /// Host unreachable.
    Unreachable,
    /// Administratively prohibited.
    Prohibit,
    /// Silence.
    Blackhole,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route<F: Family> {
    /// The prefix; bits behind [`Route::len`] are ignored.
    pub prefix: F::Addr,
    /// Its length in bits.
    pub len: u8,
    /// Only for this TOS; 0 is any.
    pub tos: u8,
    /// Of two routes to one prefix and TOS, the lower metric holds.
    pub metric: u32,
    /// The source address that the box prefers on it.
    pub source: Option<F::Addr>,
    /// Path MTU, when it is below the interface's.
    pub mtu: Option<u32>,
    /// What it says.
    pub kind: RouteKind<F>,
}

impl<F: Family> Route<F> {
    /// Does it lead by this interface, be it by one hop of several?
    pub fn leads_by(&self, interface: InterfaceId) -> bool {
        match &self.kind {
            RouteKind::Unicast(hops) => hops.iter().any(|hop| hop.interface == interface),
            RouteKind::Local(own) | RouteKind::Broadcast(own) => *own == interface,
            RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Blackhole => false,
        }
    }
}

/// What a lookup found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<F: Family> {
    /// Send it through this hop.
    Unicast {
        /// The hop.
        hop: NextHop<F>,
        /// The source that the route prefers.
        source: Option<F::Addr>,
        /// The route's own MTU.
        mtu: Option<u32>,
    },
    /// Deliver it. The interface owns the address.
    Local(InterfaceId),
    /// Deliver it if it came in; send it to everybody if it goes out.
    Broadcast(InterfaceId),
    /// Tell the sender: host unreachable.
    Unreachable,
    /// Tell the sender: prohibited.
    Prohibit,
    /// Say nothing.
    Blackhole,
}

/// What stands at one byte of the trie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry(u32);

/// Set in an entry that leads on to a node.
const NODE: u32 = 1 << 31;

impl Entry {
    /// No route.
    const NOTHING: Self = Self(0);

    fn to_node(node: usize) -> Self {
        Self(NODE | node as u32)
    }

    fn to_prefix(prefix: usize) -> Self {
        Self(prefix as u32 + 1)
    }

    #[inline]
    fn node(self) -> Option<usize> {
        (self.0 & NODE != 0).then_some((self.0 & !NODE) as usize)
    }

    /// Which prefix, if it leads to no node.
    #[inline]
    fn prefix(self) -> Option<usize> {
        (self.0 as usize).checked_sub(1)
    }
}

/// By the value of a byte.
type Node = [Entry; 256];

/// All routes to one prefix.
#[derive(Clone, Debug)]
struct Prefix<F: Family> {
    /// Special TOS first, then by metric.
    routes: Vec<Route<F>>,
    /// The next shorter prefix that it is part of.
    shorter: Entry,
}

#[inline]
fn byte<F: Family>(address: F::Addr, number: usize) -> usize {
    (address.word(number / 4) >> (8 * (3 - number % 4)) & 0xff) as usize
}

/// The routes of a family.
#[derive(Clone, Debug)]
pub struct RouteTable<F: Family> {
    /// The first one is of the first byte.
    nodes: Vec<Node>,
    prefixes: Vec<Prefix<F>>,
    /// Mixed into the choice among several hops.
    seed: u64,
}

impl<F: Family> Default for RouteTable<F> {
    fn default() -> Self {
        Self { nodes: vec![[Entry::NOTHING; 256]], prefixes: Vec::new(), seed: 0 }
    }
}

impl<F: Family> RouteTable<F> {
    /// A table of these routes. Of several that are alike but for their metric, all are kept and the lowest is used. `seed` is mixed into the
    /// choice among several hops.
    pub fn new(routes: impl IntoIterator<Item = Route<F>>, seed: u64) -> Self {
        let mut table = Self { seed, ..Self::default() };
        let place = |route: &Route<F>| (route.len, route.prefix & F::Addr::prefix_mask(route.len));
        let mut routes: Vec<_> = routes.into_iter().collect();
        // Shorter ones first, so that longer ones go over them; stable, so that of equals the first stays the first.
        routes.sort_by_key(|route| (place(route), core::cmp::Reverse(route.tos), route.metric));
        let mut last = None;
        for route in routes {
            debug_assert!(!matches!(&route.kind, RouteKind::Unicast(hops) if hops.is_empty()));
            let place = place(&route);
            if last.replace(place) != Some(place) {
                table.add_prefix(place.1, place.0);
            }
            if let Some(prefix) = table.prefixes.last_mut() {
                prefix.routes.push(route);
            }
        }
        table
    }

    /// Adds a prefix, none of which is longer than this one yet.
    fn add_prefix(&mut self, address: F::Addr, len: u8) {
        let (whole, bits) = (usize::from(len) / 8, usize::from(len) % 8);
        // Of a prefix that ends with a byte that byte is the last one; of /0 there is none.
        let (before, open) = if bits == 0 && whole > 0 { (whole - 1, 0) } else { (whole, 8 - bits) };
        let mut node = 0;
        for number in 0..before {
            let at = byte::<F>(address, number);
            node = match self.nodes[node][at].node() {
                Some(next) => next,
                None => {
                    let next = self.nodes.len();
                    self.nodes.push([self.nodes[node][at]; 256]);
                    self.nodes[node][at] = Entry::to_node(next);
                    next
                }
            };
        }
        let first = byte::<F>(address, before);
        let entries = &mut self.nodes[node][first..first + (1 << open)];
        let shorter = core::mem::replace(&mut entries[0], Entry::NOTHING);
        debug_assert!(shorter.node().is_none());
        entries.fill(Entry::to_prefix(self.prefixes.len()));
        self.prefixes.push(Prefix { routes: Vec::new(), shorter });
    }

    /// The longest prefix of which a destination is part.
    #[inline(always)]
    fn longest(&self, dst: F::Addr) -> Option<usize> {
        // The next byte stands in the upper ones.
        let (mut rest, mut number) = (dst.word(0), 1);
        let mut entry = self.nodes[0][(rest >> 24) as usize];
        while let Some(node) = entry.node() {
            rest = if number % 4 == 0 { dst.word(number / 4) } else { rest << 8 };
            entry = self.nodes[node][(rest >> 24) as usize];
            number += 1;
        }
        entry.prefix()
    }

    /// The longest route that holds for the key.
    #[inline]
    pub fn lookup(&self, key: &RouteKey<F>) -> Option<Found<F>> {
        self.longest(key.dst).and_then(|prefix| self.said(prefix, key))
    }

    /// What the routes of a prefix say, or those of shorter ones.
    // On its own: in the table of the box's own addresses there most often is none.
    #[inline(never)]
    fn said(&self, prefix: usize, key: &RouteKey<F>) -> Option<Found<F>> {
        match &self.prefixes[prefix].routes[..] {
            [only] if only.tos == 0 => Some(self.found(only, key)),
            _ => self.first(Some(prefix), key, |_| true).map(|route| self.found(route, key)),
        }
    }

    /// The first route that holds for the key and is wanted, from the longest prefix down.
    pub fn find(&self, key: &RouteKey<F>, wanted: impl Fn(&Route<F>) -> bool) -> Option<&Route<F>> {
        self.first(self.longest(key.dst), key, wanted)
    }

    /// The same from this prefix down.
    // On its own: most prefixes have one route.
    #[inline(never)]
    fn first(&self, longest: Option<usize>, key: &RouteKey<F>, wanted: impl Fn(&Route<F>) -> bool) -> Option<&Route<F>> {
        let mut next = longest;
        while let Some(prefix) = next {
            let Prefix { routes, shorter } = &self.prefixes[prefix];
            let found = routes.iter().find(|route| (route.tos == 0 || route.tos == key.tos) && wanted(route));
            if found.is_some() {
                return found;
            }
            next = shorter.prefix();
        }
        None
    }

    #[inline]
    fn found(&self, route: &Route<F>, key: &RouteKey<F>) -> Found<F> {
        match &route.kind {
            RouteKind::Unicast(hops) => Found::Unicast { hop: self.choose(hops, key), source: route.source, mtu: route.mtu },
            RouteKind::Local(interface) => Found::Local(*interface),
            RouteKind::Broadcast(interface) => Found::Broadcast(*interface),
            RouteKind::Unreachable => Found::Unreachable,
            RouteKind::Prohibit => Found::Prohibit,
            RouteKind::Blackhole => Found::Blackhole,
        }
    }

    /// Flows between the same two addresses take the same hop (the kernel's `fib_multipath_hash_policy` 0).
    #[inline]
    fn choose(&self, hops: &[NextHop<F>], key: &RouteKey<F>) -> NextHop<F> {
        match hops {
            [only] => *only,
            _ => self.choose_by_hash(hops, key),
        }
    }

    #[inline(never)]
    fn choose_by_hash(&self, hops: &[NextHop<F>], key: &RouteKey<F>) -> NextHop<F> {
        let hash = core::hash::BuildHasher::hash_one(&FixedState::with_seed(self.seed), (key.src, key.dst));
        let total: u64 = hops.iter().map(|hop| u64::from(hop.weight)).sum();
        let mut point = ((u128::from(hash) * u128::from(total)) >> 64) as u64;
        for hop in hops {
            match point.checked_sub(u64::from(hop.weight)) {
                Some(rest) => point = rest,
                None => return *hop,
            }
        }
        hops[0]
    }

    /// Every route, in no promised order.
    pub fn iter(&self) -> impl Iterator<Item = &Route<F>> {
        self.prefixes.iter().flat_map(|prefix| &prefix.routes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::Ipv4;

    fn key(dst: u32) -> RouteKey<Ipv4> {
        RouteKey { dst, src: 0x0a00_0001, input: InterfaceId(1), mark: 0, tos: 0 }
    }

    fn via(prefix: u32, len: u8, interface: u16) -> Route<Ipv4> {
        let hop = NextHop { interface: InterfaceId(interface), gateway: None, weight: 1 };
        Route { prefix, len, tos: 0, metric: 0, source: None, mtu: None, kind: RouteKind::Unicast(vec![hop]) }
    }

    fn interface(found: Option<Found<Ipv4>>) -> Option<u16> {
        match found {
            Some(Found::Unicast { hop, .. }) => Some(hop.interface.0),
            _ => None,
        }
    }

    #[test]
    fn the_longest_prefix_wins() {
        let table = RouteTable::new([via(0, 0, 1), via(0x0a00_0000, 8, 2), via(0x0a01_0000, 16, 3), via(0x0a01_0203, 32, 4)], 0);
        assert_eq!(interface(table.lookup(&key(0x0808_0808))), Some(1));
        assert_eq!(interface(table.lookup(&key(0x0a02_0000))), Some(2));
        assert_eq!(interface(table.lookup(&key(0x0a01_0204))), Some(3));
        assert_eq!(interface(table.lookup(&key(0x0a01_0203))), Some(4));
    }

    #[test]
    fn nothing_found_is_said() {
        assert_eq!(RouteTable::new([via(0x0a00_0000, 8, 2)], 0).lookup(&key(0x0b00_0000)), None);
    }

    #[test]
    fn the_lower_metric_holds_and_a_route_of_the_tos_comes_first() {
        let dear = Route { metric: 100, ..via(0, 0, 1) };
        let cheap = Route { metric: 10, ..via(0, 0, 2) };
        let special = Route { metric: 500, tos: 0x10, ..via(0, 0, 3) };
        let table = RouteTable::new([dear, cheap, special], 0);
        assert_eq!(interface(table.lookup(&key(1))), Some(2));
        assert_eq!(interface(table.lookup(&RouteKey { tos: 0x10, ..key(1) })), Some(3));
    }

    #[test]
    fn where_the_longest_prefix_has_no_route_of_the_tos_shorter_ones_are_asked() {
        let special = Route { tos: 0x10, ..via(0x0a01_0000, 16, 3) };
        let table = RouteTable::new([via(0x0a00_0000, 8, 2), special, via(0, 0, 1)], 0);
        assert_eq!(interface(table.lookup(&key(0x0a01_0001))), Some(2));
        assert_eq!(interface(table.lookup(&RouteKey { tos: 0x10, ..key(0x0a01_0001) })), Some(3));
        let lacking = RouteTable::new([Route { tos: 0x10, ..via(0x0a01_0000, 16, 3) }], 0);
        assert_eq!(lacking.lookup(&key(0x0a01_0001)), None);
    }

    #[test]
    fn several_hops_share_by_weight_and_a_pair_of_addresses_keeps_its_hop() {
        let hop = |interface, weight| NextHop { interface: InterfaceId(interface), gateway: None, weight };
        let route = Route { kind: RouteKind::Unicast(vec![hop(1, 1), hop(2, 3)]), ..via(0, 0, 0) };
        let table = RouteTable::new([route], 7);
        let mut second = 0;
        for dst in 0..4000 {
            let chosen = interface(table.lookup(&key(dst)));
            assert_eq!(chosen, interface(table.lookup(&key(dst))));
            second += u32::from(chosen == Some(2));
        }
        assert!((2800..3200).contains(&second), "{second}");
    }

    /// Two routes of each prefix length, and destinations that are in one or just beside it.
    fn longest_of_all<F: Family>(random: &mut impl FnMut() -> F::Addr) {
        let route = |prefix, len| Route::<F> { prefix, len, tos: 0, metric: 0, source: None, mtu: None, kind: one_hop(len) };
        let bits = (8 * F::Addr::LEN) as u8;
        let all: Vec<_> = (1..=bits).flat_map(|len| [len; 2]).map(|len| route(random() & F::Addr::prefix_mask(len), len)).collect();
        let table = RouteTable::new(all.iter().cloned(), 0);
        for near in &all {
            for spread in 0..=bits {
                let dst = near.prefix ^ (random() & !F::Addr::prefix_mask(spread));
                let holds = |route: &&Route<F>| dst & F::Addr::prefix_mask(route.len) == route.prefix;
                let longest = all.iter().filter(holds).map(|route| route.len).max();
                let found = table.lookup(&RouteKey { dst, src: F::Addr::ZERO, input: InterfaceId(1), mark: 0, tos: 0 });
                let interface = found.map(|found| match found {
                    Found::Unicast { hop, .. } => hop.interface.0,
                    other => panic!("{other:?}"),
                });
                assert_eq!(interface, longest.map(u16::from), "{dst:?}");
            }
        }
    }

    /// A route's length, as an interface.
    fn one_hop<F: Family>(len: u8) -> RouteKind<F> {
        RouteKind::Unicast(vec![NextHop { interface: InterfaceId(len.into()), gateway: None, weight: 1 }])
    }

    #[test]
    fn of_all_that_hold_the_longest_is_found() {
        let mut rng = crate::rng::Rng::new(9);
        longest_of_all::<Ipv4>(&mut || rng.next_u32());
        longest_of_all::<packet::Ipv6>(&mut || (0..4).fold(0, |all, _| all << 32 | u128::from(rng.next_u32())));
    }
}
