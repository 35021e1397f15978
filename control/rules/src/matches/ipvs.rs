//! `-m ipvs`: the virtual server that the packet's connection is of.
use crate::error::UsageError;
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value, masked_address};
use crate::{AddrMatch, Match};

/// Every part that is there must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ipvs {
    /// `--ipvs`: whether it is of a virtual server at all. Goes without saying beside other parts.
    pub is_virtual: Option<bool>,
    /// `--vproto`: the server's protocol number.
    pub protocol: Option<Not<u8>>,
    /// `--vaddr`: the server's address.
    pub address: Option<AddrMatch>,
    /// `--vport`: the server's port.
    pub port: Option<Not<u16>>,
    /// `--vdir`: whether the packet goes back to the client.
    pub reply: Option<bool>,
    /// `--vmethod`.
    pub method: Option<Not<Method>>,
    /// `--vportctl`: the port of the connection that announced this one.
    pub control_port: Option<Not<u16>>,
}

/// A value that is wanted, or (`!`) not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Not<T> {
    /// The value.
    pub value: T,
    /// `!` was given.
    pub invert: bool,
}

/// How packets come to the real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Sent on as they are.
    Gate,
    /// In a tunnel.
    Ipip,
    /// Translated.
    Masq,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "ipvs", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("ipvs", Arg::None).invertible(),
    Opt::new("vproto", Arg::Protocol).invertible(),
    Opt::new("vaddr", Arg::Address).invertible(),
    Opt::new("vport", Arg::Port).invertible(),
    Opt::new("vdir", Arg::Own { shape: "ORIGINAL|REPLY", read: read_direction }),
    Opt::new("vmethod", Arg::Own { shape: "GATE|IPIP|MASQ", read: read_method }).invertible(),
    Opt::new("vportctl", Arg::Port).invertible(),
];
const DIRECTIONS: [&str; 2] = ["ORIGINAL", "REPLY"];
const METHODS: [(&str, Method); 3] = [("GATE", Method::Gate), ("IPIP", Method::Ipip), ("MASQ", Method::Masq)];

fn read_direction(reading: &Reading<'_>) -> Result<Value, UsageError> {
    position(reading, &DIRECTIONS)
}

fn read_method(reading: &Reading<'_>) -> Result<Value, UsageError> {
    position(reading, &METHODS.map(|(name, _)| name))
}

fn position(reading: &Reading<'_>, names: &[&str]) -> Result<Value, UsageError> {
    let position = names.iter().position(|name| name.eq_ignore_ascii_case(reading.word));
    position.map(|position| Value::Number(position as u64)).ok_or_else(|| reading.bad_value())
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let number = |option| given.number(option).map(|value| Not { value, invert: given.is_inverted(option) });
    let port = |option| number(option).map(|port| Not { value: port.value as u16, invert: port.invert });
    if given.order().next().is_none() {
        return Err(UsageError::Needs("IPVS: At least one option is required"));
    }
    let is_alone = given.order().all(|option| option == "ipvs");
    if given.is_inverted("ipvs") && !is_alone {
        return Err(UsageError::Needs("! --ipvs cannot be together with other options"));
    }
    Ok(Match::Ipvs(Box::new(Ipvs {
        is_virtual: (given.has("ipvs") && is_alone).then(|| !given.is_inverted("ipvs")),
        protocol: match given.value("vproto") {
            Some((Value::Protocol(value), invert)) => Some(Not { value: *value, invert }),
            _ => None,
        },
        address: match given.value("vaddr") {
            Some((Value::Address(test), invert)) => Some(AddrMatch { invert, ..*test }),
            _ => None,
        },
        port: port("vport"),
        reply: given.number("vdir").map(|position| position == 1),
        method: number("vmethod").map(|it| Not { value: METHODS[it.value as usize].1, invert: it.invert }),
        control_port: port("vportctl"),
    })))
}

impl Ipvs {
    /// Every part that is there, in the order in which it is printed: option, inversion, value.
    fn parts(&self, anywhere: bool) -> impl Iterator<Item = (&'static str, bool, String)> {
        let port = |option, test: Option<Not<u16>>| test.map(|test| (option, test.invert, test.value.to_string()));
        let address = |test: &AddrMatch| {
            if anywhere && test.is_unmasked() { "anywhere".to_owned() } else { masked_address(test) }
        };
        let method = |method| METHODS.iter().find(|(_, it)| *it == method).map_or("", |(name, _)| name).to_owned();
        let parts = [
            self.is_virtual.map(|is_virtual| ("ipvs", !is_virtual, String::new())),
            self.protocol.map(|test| ("vproto", test.invert, test.value.to_string())),
            self.address.as_ref().map(|test| ("vaddr", test.invert, address(test))),
            port("vport", self.port),
            self.reply.map(|reply| ("vdir", false, DIRECTIONS[usize::from(reply)].to_owned())),
            self.method.map(|test| ("vmethod", test.invert, method(test.value))),
            port("vportctl", self.control_port),
        ];
        parts.into_iter().flatten()
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        for (option, invert, value) in self.parts(false) {
            if value.is_empty() {
                out.flag(option, invert);
            } else {
                out.value(option, invert, value);
            }
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        for (option, invert, value) in self.parts(!style.numeric) {
            let blank = if value.is_empty() { "" } else { " " };
            out.push_str(&format!(" {}{option}{blank}{value}", if invert { "! " } else { "" }));
        }
    }
}
