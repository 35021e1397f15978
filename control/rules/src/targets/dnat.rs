//! `-j DNAT`: translates the destination of a connection.
use super::nat::{self, NatTarget};
use crate::Target;
use crate::options::{Arg, Extension, Opt};

pub(crate) static TARGET: NatTarget = NatTarget {
    extension: Extension {
        name: "DNAT",
        family: None,
        options: &[Opt::new("to-destination", Arg::NatTo).mandatory(), nat::RANDOM, nat::PERSISTENT],
        build: |given, _| Ok(Target::Dnat(Box::new(nat::read(given, &TARGET)))),
    },
    to: "to-destination",
    ports_only: false,
    listed: " to:",
};
