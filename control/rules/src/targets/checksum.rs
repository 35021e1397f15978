//! `-j CHECKSUM`: computes the checksum that was left to the network card.
use crate::Target;
use crate::options::{Arg, Extension, Opt, OptionWriter};

pub(crate) static EXTENSION: Extension<Target> =
    Extension { name: "CHECKSUM", family: None, options: OPTIONS, build: |_, _| Ok(Target::Checksum) };

const OPTIONS: &[Opt] = &[Opt::new("checksum-fill", Arg::None).mandatory()];

pub(crate) fn save(out: &mut String) {
    OptionWriter::new(OPTIONS, out).flag("checksum-fill", false);
}

pub(crate) fn list(out: &mut String) {
    out.push_str(" CHECKSUM fill");
}
