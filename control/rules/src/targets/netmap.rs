//! `-j NETMAP`: gives the address another network's prefix and keeps its host part. Destinations where packets come in, sources where they
//! leave.
use crate::Target;
use crate::error::UsageError;
use crate::header::{AddrMatch, Shown};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Value};
use std::net::IpAddr;

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "NETMAP", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("to", Arg::Address).mandatory()];

/// `-j NETMAP`: the network into which addresses are mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Netmap {
    /// Its first address.
    pub network: IpAddr,
    /// Length of its prefix.
    pub prefix_len: u8,
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    match given.value("to") {
        Some((&Value::Address(AddrMatch { addr, mask, .. }), _)) => {
            // iptables takes a mask with holes for that of one host, which nobody can mean.
            let holes = UsageError::Needs("NETMAP: the mask of \"--to\" must be a prefix");
            let network = AddrMatch::new(addr, mask, false).ok_or(UsageError::AddressDoesNotResolve)?;
            let prefix_len = network.prefix_len().ok_or(holes)?;
            Ok(Target::Netmap(Netmap { network: network.addr, prefix_len }))
        }
        _ => Err(UsageError::AddressDoesNotResolve),
    }
}

impl Netmap {
    fn to_text(self) -> String {
        format!("{}/{}", Shown(self.network), self.prefix_len)
    }

    pub(crate) fn save(self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("to", false, self.to_text());
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(" to:");
        out.push_str(&self.to_text());
    }
}
