//! `-j CONNSECMARK`: copies the label between packet and connection.
use crate::Target;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// The direction of the copy. The packet goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connsecmark {
    /// `--save`: packet to connection, if that has none yet.
    Save,
    /// `--restore`: connection to packet, if that has none yet.
    Restore,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "CONNSECMARK", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("save", Arg::None).excludes(&["restore"]), Opt::new("restore", Arg::None).excludes(&["save"])];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    match (given.has("save"), given.has("restore")) {
        (true, _) => Ok(Target::Connsecmark(Connsecmark::Save)),
        (false, true) => Ok(Target::Connsecmark(Connsecmark::Restore)),
        (false, false) => Err(UsageError::Needs("CONNSECMARK target: parameter required")),
    }
}

impl Connsecmark {
    fn option(self) -> &'static str {
        match self {
            Connsecmark::Save => "save",
            Connsecmark::Restore => "restore",
        }
    }

    pub(crate) fn save(self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).flag(self.option(), false);
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(" CONNSECMARK ");
        out.push_str(self.option());
    }
}
