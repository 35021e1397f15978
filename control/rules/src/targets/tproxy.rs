//! `-j TPROXY`: gives the packet to a socket of the box that listens elsewhere, its addresses left as they are.
use super::mark::MarkSet;
use crate::Target;
use crate::error::UsageError;
use crate::header::Shown;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};
use std::net::IpAddr;

/// The socket, and what the packet is marked with for routing. The packet is accepted if there is such a socket, else dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tproxy {
    /// `--on-port`: 0 stands for the packet's own.
    pub port: u16,
    /// `--on-ip`: the unspecified address stands for the one of the incoming interface.
    pub addr: IpAddr,
    /// `--tproxy-mark`.
    pub mark: MarkSet,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "TPROXY", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] =
    &[Opt::new("on-port", Arg::Port).mandatory(), Opt::new("on-ip", Arg::Host), Opt::new("tproxy-mark", Arg::Masked)];

fn build(given: &Given, context: &Context<'_>) -> Result<Target, UsageError> {
    let (value, mask) = given.masked("tproxy-mark").unwrap_or((0, 0));
    Ok(Target::Tproxy(Box::new(Tproxy {
        port: given.number("on-port").unwrap_or(0) as u16,
        addr: given.host("on-ip").unwrap_or(context.family.unspecified()),
        mark: MarkSet { value, mask },
    })))
}

impl Tproxy {
    pub(crate) fn save(self, out: &mut String) {
        let Tproxy { port, addr, mark: MarkSet { value, mask } } = self;
        let mut out = OptionWriter::new(OPTIONS, out);
        out.value("on-port", false, port);
        out.value("on-ip", false, Shown(addr));
        out.value("tproxy-mark", false, format_args!("{value:#x}/{mask:#x}"));
    }

    pub(crate) fn list(self, out: &mut String) {
        let Tproxy { port, addr, mark: MarkSet { value, mask } } = self;
        out.push_str(&format!(" TPROXY redirect {}:{port} mark {value:#x}/{mask:#x}", Shown(addr)));
    }
}
