//! What a nat target allows.

use packet::{Family, Tuple, TupleL4};
use program::{Nat, NatKind};

use super::Side;

/// Addresses and ports to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<F: Family> {
    /// First and last address; `None` keeps the address.
    pub addresses: Option<(F::Addr, F::Addr)>,
    /// First and last port or ICMP identifier; `None` keeps it if it is free.
    pub ports: Option<(u16, u16)>,
    /// Ports are taken at the same distance from the first as the packet's port is from this.
    pub base_port: Option<u16>,
    /// `--random`
    pub random: bool,
    /// `--random-fully`
    pub random_fully: bool,
    /// `--persistent`
    pub persistent: bool,
    /// `--fullcone`
    pub full_cone: bool,
}

impl<F: Family> Range<F> {
    /// What a target allows. MASQUERADE, REDIRECT and NETMAP take `own`, the address that the walk found for them, whatever the rule holds.
    pub fn of(nat: &Nat<F>, own: Option<F::Addr>) -> Self {
        let addresses = match nat.kind {
            NatKind::Source | NatKind::Destination => nat.addresses,
            NatKind::Masquerade | NatKind::Redirect | NatKind::Map => own.map(|address| (address, address)),
        };
        Self {
            addresses,
            ports: nat.ports,
            base_port: nat.base_port,
            random: nat.random,
            random_fully: nat.random_fully,
            persistent: nat.persistent,
            full_cone: nat.full_cone,
        }
    }

    /// This address, any port.
    pub(crate) fn keep(address: F::Addr) -> Self {
        Self {
            addresses: Some((address, address)),
            ports: None,
            base_port: None,
            random: false,
            random_fully: false,
            persistent: false,
            full_cone: false,
        }
    }

    /// Ports are drawn, not kept.
    pub(crate) fn draws_port(&self) -> bool {
        self.random || self.random_fully
    }

    /// The tuple's source could have come from here.
    pub(crate) fn holds_source(&self, tuple: &Tuple<F>) -> bool {
        let address = self.addresses.is_none_or(|(first, last)| (first..=last).contains(&tuple.src));
        address && self.ports.is_none_or(|ports| port_within(tuple, Side::Src, ports))
    }
}

/// The port of that side, or the identifier, lies within; true where there is neither.
pub(crate) fn port_within<F: Family>(tuple: &Tuple<F>, side: Side, (first, last): (u16, u16)) -> bool {
    port(tuple, side).is_none_or(|port| (first..=last).contains(&port))
}

/// The port of that side, or the identifier of an ICMP query.
pub(crate) fn port<F: Family>(tuple: &Tuple<F>, side: Side) -> Option<u16> {
    match (tuple.l4, side) {
        (TupleL4::Ports { src, .. }, Side::Src) => Some(src),
        (TupleL4::Ports { dst, .. }, Side::Dst) => Some(dst),
        (TupleL4::Icmp { id, .. }, _) => Some(id),
        // Calls stay as they are: only a helper of PPTP would change them.
        (TupleL4::Calls { .. } | TupleL4::Other, _) => None,
    }
}

/// The tuple with another port on that side, or another identifier.
pub(crate) fn with_port<F: Family>(tuple: &Tuple<F>, side: Side, port: u16) -> Tuple<F> {
    let l4 = match (tuple.l4, side) {
        (TupleL4::Ports { dst, .. }, Side::Src) => TupleL4::Ports { src: port, dst },
        (TupleL4::Ports { src, .. }, Side::Dst) => TupleL4::Ports { src, dst: port },
        (TupleL4::Icmp { kind, code, .. }, _) => TupleL4::Icmp { kind, code, id: port },
        (TupleL4::Calls { .. } | TupleL4::Other, _) => tuple.l4,
    };
    Tuple { l4, ..*tuple }
}
