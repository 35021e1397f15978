//! `-j TRACE`: has every further rule that the packet meets told. It has no options.
use crate::Target;
use crate::options::Extension;

pub(crate) static EXTENSION: Extension<Target> =
    Extension { name: "TRACE", family: None, options: &[], build: |_, _| Ok(Target::Trace) };
