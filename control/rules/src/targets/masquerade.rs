//! `-j MASQUERADE`: translates the source to the address of the outgoing interface.
use super::nat::{self, NatTarget};
use crate::Target;
use crate::options::{Arg, Extension, Opt};

pub(crate) static TARGET: NatTarget = NatTarget {
    extension: Extension {
        name: "MASQUERADE",
        family: None,
        options: &[Opt::new("to-ports", Arg::NatPorts), nat::RANDOM, nat::RANDOM_FULLY, nat::FULL_CONE],
        build: |given, context| Ok(Target::Masquerade(Box::new(nat::read(given, &TARGET).with_cone(context)?))),
    },
    to: "to-ports",
    ports_only: true,
    listed: " masq ports: ",
};
