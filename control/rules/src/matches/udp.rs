//! `-m udp`: ports of the UDP header.
use super::ports::PortTest;
use crate::Match;
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Value};

/// The UDP test; needs `-p udp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Udp {
    /// `--sport`.
    pub sport: PortTest,
    /// `--dport`.
    pub dport: PortTest,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "udp", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("source-port", Arg::Ports).aliases(&["sport"]).invertible(),
    Opt::new("destination-port", Arg::Ports).aliases(&["dport"]).invertible(),
];

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let ports = |option| match given.value(option) {
        Some((Value::Ports(min, max), invert)) => PortTest { min: *min, max: *max, invert },
        _ => PortTest::ANY,
    };
    Ok(Match::Udp(Udp { sport: ports("source-port"), dport: ports("destination-port") }))
}

impl Udp {
    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        self.sport.save("sport", &mut out);
        self.dport.save("dport", &mut out);
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        out.push_str(" udp");
        self.sport.list("spt", "udp", style, out);
        self.dport.list("dpt", "udp", style, out);
    }
}
