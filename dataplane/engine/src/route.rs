//! Where a packet goes: longest prefix match over all that may decide it.
//!
//! Built on the control side, read by the walk. One hash map per prefix length in use, asked from the longest down: at most 33 (129) probes,
//! none of which allocates. Which lengths can hold at all is told by some bytes of the destination beforehand: of the box's own addresses most often none,
//! of its routes one or two.

use core::ops::RangeInclusive;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
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

/// Routes of one prefix length, by masked prefix. Each list is sorted: special TOS first, then by metric.
type Length<F> = (u8, HashMap<<F as Family>::Addr, Vec<Route<F>>, FixedState>);

/// Bytes that tell lengths apart, and the values that each may have.
const BYTES: usize = 3;
const VALUES: usize = 256;
/// Lengths from this one on share a bit.
const OTHERS: usize = 63;

/// Which byte of an address the telling one of this number is. IPv4's first three; networks of IPv6 begin alike, and mostly differ in these.
#[inline]
const fn place<F: Family>(number: usize) -> usize {
    if F::Addr::LEN == 4 { number } else { 3 + 2 * number }
}

#[inline]
fn telling<F: Family>(address: F::Addr, number: usize) -> usize {
    let at = place::<F>(number);
    (address.word(at / 4) >> (8 * (3 - at % 4)) & 0xff) as usize
}

/// The values that this byte has in addresses with this prefix.
fn values<F: Family>(prefix: F::Addr, len: u8, number: usize) -> RangeInclusive<usize> {
    let last = prefix | !F::Addr::prefix_mask(len);
    let is_open = usize::from(len) <= 8 * place::<F>(number);
    if is_open { 0..=VALUES - 1 } else { telling::<F>(prefix, number)..=telling::<F>(last, number) }
}

/// The routes of a family.
#[derive(Clone, Debug)]
pub struct RouteTable<F: Family> {
    /// Longest first.
    lengths: Vec<Length<F>>,
    /// By the value of each of the destination's [`telling`] bytes: of which lengths there are such prefixes, a bit each. The last bit is for all
    /// from [`OTHERS`] on.
    of_bytes: Box<[[u64; VALUES]; BYTES]>,
    /// Mixed into the choice among several hops.
    seed: u64,
}

impl<F: Family> Default for RouteTable<F> {
    fn default() -> Self {
        Self { lengths: Vec::new(), of_bytes: Box::new([[0; VALUES]; BYTES]), seed: 0 }
    }
}

impl<F: Family> RouteTable<F> {
    /// A table of these routes. Of several that are alike but for their metric, all are kept and the lowest is used. `seed` is mixed into the
    /// choice among several hops.
    pub fn new(routes: impl IntoIterator<Item = Route<F>>, seed: u64) -> Self {
        let mut table = Self { seed, ..Self::default() };
        for route in routes {
            table.insert(route);
        }
        for (at, (len, routes)) in table.lengths.iter().enumerate() {
            for prefix in routes.keys() {
                for (number, of_byte) in table.of_bytes.iter_mut().enumerate() {
                    for value in values::<F>(*prefix, *len, number) {
                        of_byte[value] |= 1 << at.min(OTHERS);
                    }
                }
            }
        }
        table
    }

    fn insert(&mut self, route: Route<F>) {
        debug_assert!(!matches!(&route.kind, RouteKind::Unicast(hops) if hops.is_empty()));
        let at = match self.lengths.binary_search_by(|(len, _)| route.len.cmp(len)) {
            Ok(at) => at,
            Err(at) => {
                self.lengths.insert(at, (route.len, HashMap::default()));
                at
            }
        };
        let list = self.lengths[at].1.entry(route.prefix & F::Addr::prefix_mask(route.len)).or_default();
        let order = |r: &Route<F>| (core::cmp::Reverse(r.tos), r.metric);
        let place = list.partition_point(|r| order(r) <= order(&route));
        list.insert(place, route);
    }

    /// The longest route that holds for the key.
    #[inline]
    pub fn lookup(&self, key: &RouteKey<F>) -> Option<Found<F>> {
        let of = |number: usize| self.of_bytes[number][telling::<F>(key.dst, number)];
        match of(0) & of(1) & of(2) {
            0 => None,
            lengths => self.longest(lengths, key),
        }
    }

    /// The same, which is of these lengths if there is one.
    // On its own: of the box's own addresses there most often is none.
    #[inline(never)]
    fn longest(&self, lengths: u64, key: &RouteKey<F>) -> Option<Found<F>> {
        let mut left = lengths;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let end = if at == OTHERS { self.lengths.len() } else { at + 1 };
            for (len, routes) in &self.lengths[at..end] {
                let Some(list) = routes.get(&(key.dst & F::Addr::prefix_mask(*len))) else { continue };
                if let Some(route) = list.iter().find(|r| r.tos == 0 || r.tos == key.tos) {
                    return Some(self.found(route, key));
                }
            }
        }
        None
    }

    /// The first route that holds for the key and is wanted, from the longest prefix down.
    pub fn find(&self, key: &RouteKey<F>, wanted: impl Fn(&Route<F>) -> bool) -> Option<&Route<F>> {
        self.lengths.iter().find_map(|(len, routes)| {
            let list = routes.get(&(key.dst & F::Addr::prefix_mask(*len)))?;
            list.iter().find(|route| (route.tos == 0 || route.tos == key.tos) && wanted(route))
        })
    }

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
    fn choose(&self, hops: &[NextHop<F>], key: &RouteKey<F>) -> NextHop<F> {
        if let [only] = hops {
            return *only;
        }
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
        self.lengths.iter().flat_map(|(_, routes)| routes.values().flatten())
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
