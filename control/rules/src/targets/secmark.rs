//! `-j SECMARK`: gives the packet a label.
use crate::Target;
use crate::error::UsageError;
use crate::matches::selinux::read_context;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter};

/// `SECMARK`: sets the packet's label. The packet goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Secmark {
    /// The security context, at most 255 bytes.
    pub context: Box<str>,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "SECMARK", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[Opt::new("selctx", Arg::Text { min: 0, max: usize::MAX }).mandatory()];

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    Ok(Target::Secmark(Secmark { context: read_context(given.text("selctx").unwrap_or(""))? }))
}

impl Secmark {
    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("selctx", false, &self.context);
    }

    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!(" SECMARK selctx {}", self.context));
    }
}
