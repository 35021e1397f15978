//! `-j REDIRECT`: translates the destination to this machine.
use super::nat::{self, NatTarget};
use crate::Target;
use crate::options::{Arg, Extension, Opt};

pub(crate) static TARGET: NatTarget = NatTarget {
    extension: Extension {
        name: "REDIRECT",
        family: None,
        options: &[Opt::new("to-ports", Arg::NatPorts), nat::RANDOM],
        build: |given, _| Ok(Target::Redirect(Box::new(nat::read(given, &TARGET)))),
    },
    to: "to-ports",
    ports_only: true,
    listed: " redir ports ",
};
