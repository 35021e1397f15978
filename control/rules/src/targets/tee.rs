//! `-j TEE`: sends a copy of the packet to another host on the local network.
use crate::Target;
use crate::error::{KernelError, UsageError};
use crate::header::Shown;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::net::IpAddr;

/// Where the copy goes. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tee {
    /// `--gateway`: the next hop of the copy.
    pub gateway: IpAddr,
    /// `--oif`: the interface, which routing says if it is empty; at most 15 bytes.
    pub out_interface: Box<str>,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "TEE", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("gateway", Arg::Host).mandatory(), Opt::new("oif", Arg::Name { max: 15 })];

fn build(given: &Given, context: &Context<'_>) -> Result<Target, UsageError> {
    Ok(Target::Tee(Box::new(Tee {
        gateway: given.host("gateway").unwrap_or(context.family.unspecified()),
        out_interface: Box::from(given.text("oif").unwrap_or("")),
    })))
}

impl Tee {
    pub(crate) fn check(&self) -> Result<(), KernelError> {
        if self.gateway.is_unspecified() { Err(KernelError::InvalidArgument) } else { Ok(()) }
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("gateway", false, Shown(self.gateway));
        if !self.out_interface.is_empty() {
            out.value("oif", false, &self.out_interface);
        }
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" TEE gw:{}", Shown(self.gateway)));
        if !self.out_interface.is_empty() {
            out.push_str(&format!(" oif={}", self.out_interface));
        }
    }
}
