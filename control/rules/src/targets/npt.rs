//! `-j DNPT` and `-j SNPT`: give the destination, or the source, another network's prefix, without tracking (RFC 6296).
use crate::error::{KernelError, UsageError};
use crate::header::{Shown, prefix_mask};
use crate::options::{Arg, Extension, Given, Opt, OptionWriter, Value};
use crate::{Family, Target};
use std::net::{IpAddr, Ipv6Addr};

/// Both networks. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Npt {
    /// `--src-pfx`: the prefix that is taken off.
    pub from: Network,
    /// `--dst-pfx`: the prefix that is put on.
    pub to: Network,
}

/// A network of IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// Its first address.
    pub addr: Ipv6Addr,
    /// Length of its prefix.
    pub prefix_len: u8,
}

pub(crate) static DNPT: Extension<Target> = Extension {
    name: "DNPT",
    family: Some(Family::Ipv6),
    options: OPTIONS,
    build: |given, _| read(given).map(|npt| Target::Dnpt(Box::new(npt))),
};
pub(crate) static SNPT: Extension<Target> = Extension {
    name: "SNPT",
    family: Some(Family::Ipv6),
    options: OPTIONS,
    build: |given, _| read(given).map(|npt| Target::Snpt(Box::new(npt))),
};

const OPTIONS: &[Opt] = &[Opt::new("src-pfx", Arg::Network).mandatory(), Opt::new("dst-pfx", Arg::Network).mandatory()];

fn read(given: &Given) -> Result<Npt, UsageError> {
    let network = |option| match given.value(option) {
        Some((&Value::Network(IpAddr::V6(addr), prefix_len), _)) => Ok(Network { addr, prefix_len }),
        _ => Err(UsageError::AddressDoesNotResolve),
    };
    let npt = Npt { from: network("src-pfx")?, to: network("dst-pfx")? };
    if npt.from.addr.is_unspecified() || npt.to.addr.is_unspecified() {
        // iptables takes it, and saves what it cannot read back.
        return Err(UsageError::Needs("the prefix of every address cannot be translated"));
    }
    Ok(npt)
}

impl Npt {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        let is_network = |network: Network| {
            let mask = prefix_mask(Family::Ipv6, network.prefix_len);
            let host_bits = mask.map(|mask| match mask {
                IpAddr::V6(mask) => network.addr.to_bits() & !mask.to_bits(),
                IpAddr::V4(_) => 0,
            });
            network.prefix_len <= 64 && host_bits == Some(0)
        };
        if is_network(self.from) && is_network(self.to) { Ok(()) } else { Err(KernelError::InvalidArgument) }
    }

    fn parts(&self) -> [(&'static str, String); 2] {
        let text = |network: Network| format!("{}/{}", Shown(IpAddr::V6(network.addr)), network.prefix_len);
        [("src-pfx", text(self.from)), ("dst-pfx", text(self.to))]
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, network) in self.parts() {
            out.value(option, false, network);
        }
    }

    pub(crate) fn list(&self, name: &str, out: &mut String) {
        out.push_str(&format!(" {name}"));
        for (option, network) in self.parts() {
            out.push_str(&format!(" {option} {network}"));
        }
    }
}
