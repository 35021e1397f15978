//! `-j SNAT`: translates the source of a connection.
use super::nat::{self, NatTarget};
use crate::Target;
use crate::options::{Arg, Extension, Opt};

pub(crate) static TARGET: NatTarget = NatTarget {
    extension: Extension {
        name: "SNAT",
        family: None,
        options: &[Opt::new("to-source", Arg::NatTo).mandatory(), nat::RANDOM, nat::RANDOM_FULLY, nat::PERSISTENT, nat::FULL_CONE],
        build: |given, context| Ok(Target::Snat(Box::new(nat::read(given, &TARGET).without_base()?.with_cone(context)?))),
    },
    to: "to-source",
    ports_only: false,
    listed: " to:",
};
