//! `-m policy`: whether IPsec protected the packet, or will, and how.
use super::Place;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, ListStyle, Opt, OptionWriter, Reading, Value, masked_address};
use crate::table::HookSet;
use crate::{AddrMatch, Hook, Match, spec};

/// The policy test.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// `--dir out`: how the packet will be protected; else how it was.
    pub outward: bool,
    /// `--pol none`: it is not protected at all.
    pub none: bool,
    /// `--strict`: the transformations are these and no others, in this order; else one of them is the only element.
    pub strict: bool,
    /// What is asked of the transformations, at most 4 elements.
    pub elements: Vec<Element>,
}

/// What is asked of one transformation; every part that is there must hold, turned round by its `!`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Element {
    /// `--reqid`: the number that a key daemon gave the policy.
    pub request: Option<(u32, bool)>,
    /// `--spi`: the index of the security association.
    pub spi: Option<(u32, bool)>,
    /// `--proto`: 50 (ESP), 51 (AH) or 108 (IPComp).
    pub protocol: Option<(u8, bool)>,
    /// `--mode tunnel` is true, `--mode transport` false.
    pub tunnel: Option<(bool, bool)>,
    /// `--tunnel-dst`.
    pub tunnel_dst: Option<AddrMatch>,
    /// `--tunnel-src`.
    pub tunnel_src: Option<AddrMatch>,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "policy", family: None, options: OPTIONS, build };

const WORD: Arg = Arg::Number { min: 0, max: u32::MAX as u64 };
const OPTIONS: &[Opt] = &[
    Opt::new("dir", Arg::Own { shape: "in|out", read: |reading| choose(reading, ["in", "out"], "policy_match: invalid dir") }),
    Opt::new(
        "pol",
        Arg::Own { shape: "none|ipsec", read: |reading| choose(reading, ["ipsec", "none"], "policy match: invalid policy") },
    ),
    Opt::new("strict", Arg::None),
    Opt::new("reqid", WORD).invertible().repeatable(),
    Opt::new("spi", WORD).invertible().repeatable(),
    Opt::new("proto", Arg::Own { shape: "esp|ah|ipcomp", read: read_protocol }).invertible().repeatable(),
    Opt::new(
        "mode",
        Arg::Own {
            shape: "transport|tunnel",
            read: |reading| choose(reading, ["transport", "tunnel"], "policy match: invalid mode"),
        },
    )
    .invertible()
    .repeatable(),
    Opt::new("tunnel-dst", Arg::Address).invertible().repeatable(),
    Opt::new("tunnel-src", Arg::Address).invertible().repeatable(),
    Opt::new("next", Arg::None).repeatable(),
];

const ELEMENTS_MAX: usize = 4;
const PROTOCOLS: [(u8, &str); 3] = [(50, "esp"), (51, "ah"), (108, "ipcomp")];

/// Which of two words it is.
fn choose(reading: &Reading<'_>, words: [&str; 2], refusal: &str) -> Result<Value, UsageError> {
    let place = words.iter().position(|word| *word == reading.word);
    let bad = || UsageError::Own(format!("{refusal} \"{}\"", reading.word));
    place.map(|place| Value::Number(place as u64)).ok_or_else(bad)
}

fn read_protocol(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let number = spec::protocol_number(reading.word, reading.context.names)?;
    if PROTOCOLS.iter().any(|(known, _)| *known == number) {
        Ok(Value::Protocol(number))
    } else {
        Err(UsageError::Needs("policy match: protocol must be ah/esp/ipcomp"))
    }
}

/// The elements as the words gave them: `--next` begins another one.
fn read_elements(given: &Given) -> Result<Vec<Element>, UsageError> {
    let mut elements = vec![Element::default()];
    for (option, invert, value) in given.all() {
        if option == "next" {
            if elements.len() == ELEMENTS_MAX {
                return Err(UsageError::Needs("policy match: maximum policy depth reached"));
            }
            elements.push(Element::default());
        }
        let Some(element) = elements.last_mut() else { continue };
        let is_second = match (option, value) {
            ("reqid", Value::Number(number)) => element.request.replace((*number as u32, invert)).is_some(),
            ("spi", Value::Number(number)) => element.spi.replace((*number as u32, invert)).is_some(),
            ("proto", Value::Protocol(number)) => element.protocol.replace((*number, invert)).is_some(),
            ("mode", Value::Number(place)) => element.tunnel.replace((*place == 1, invert)).is_some(),
            ("tunnel-dst", Value::Address(test)) => element.tunnel_dst.replace(AddrMatch { invert, ..*test }).is_some(),
            ("tunnel-src", Value::Address(test)) => element.tunnel_src.replace(AddrMatch { invert, ..*test }).is_some(),
            _ => false,
        };
        if is_second {
            return Err(UsageError::Own(format!("policy match: double --{option} option")));
        }
    }
    Ok(elements)
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let mut elements = read_elements(given)?;
    let outward = given.number("dir").ok_or(UsageError::Needs("policy match: neither --dir in nor --dir out specified"))? == 1;
    let (none, strict) = (given.number("pol") == Some(1), given.has("strict"));
    if none && strict {
        return Err(UsageError::Needs("policy match: policy none but --strict given"));
    }
    if none && elements.len() > 1 {
        return Err(UsageError::Needs("policy match: policy none but policy given"));
    }
    if none {
        // What is asked of them is not looked at.
        elements.clear();
    }
    for (at, element) in elements.iter().enumerate() {
        if strict && *element == Element::default() {
            let parts = "reqid, spi, tunnel-src, tunnel-dst, proto or mode";
            let need = format!("--strict is in effect, but at least one of {parts} is required.");
            return Err(UsageError::Own(format!("policy match: empty policy element {at}. {need}")));
        }
        let is_tunnel = element.tunnel.is_some_and(|(tunnel, invert)| tunnel != invert);
        if (element.tunnel_src.is_some() || element.tunnel_dst.is_some()) && !is_tunnel {
            return Err(UsageError::Needs("policy match: --tunnel-src/--tunnel-dst is only valid in tunnel mode"));
        }
    }
    if given.has("next") && !strict {
        return Err(UsageError::OptionRequires { extension: "policy", option: "next", other: "strict" });
    }
    Ok(Match::Policy(Box::new(Policy { outward, none, strict, elements })))
}

impl Element {
    /// Every part in the order in which it is printed: the option, whether it is inverted, its value.
    fn parts(&self, numeric: bool) -> Vec<(&'static str, bool, String)> {
        let protocol = |number: u8| {
            let name = PROTOCOLS.iter().find(|(known, _)| *known == number && !numeric);
            name.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
        };
        let mode = |tunnel: bool| if tunnel { "tunnel" } else { "transport" }.to_owned();
        let parts = [
            self.request.map(|(number, invert)| ("reqid", invert, number.to_string())),
            self.spi.map(|(number, invert)| ("spi", invert, format!("{number:#x}"))),
            self.protocol.map(|(number, invert)| ("proto", invert, protocol(number))),
            self.tunnel.map(|(tunnel, invert)| ("mode", invert, mode(tunnel))),
            self.tunnel_dst.map(|test| ("tunnel-dst", test.invert, masked_address(&test))),
            self.tunnel_src.map(|test| ("tunnel-src", test.invert, masked_address(&test))),
        ];
        parts.into_iter().flatten().collect()
    }
}

impl Policy {
    /// Where packets come in it is not known how they will leave, and where they leave it is not known any more how they came.
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        let unknown = if self.outward { [Hook::Prerouting, Hook::Input] } else { [Hook::Postrouting, Hook::Output] };
        place.require(!place.hooks.intersects(HookSet::of(&unknown)))
    }

    fn words(&self) -> (&'static str, &'static str) {
        (if self.outward { "out" } else { "in" }, if self.none { "none" } else { "ipsec" })
    }

    pub(crate) fn save(&self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        let (dir, pol) = self.words();
        out.value("dir", false, dir);
        out.value("pol", false, pol);
        if self.strict {
            out.flag("strict", false);
        }
        for (at, element) in self.elements.iter().enumerate() {
            if at > 0 {
                out.flag("next", false);
            }
            element.parts(false).into_iter().for_each(|(option, invert, value)| out.value(option, invert, value));
        }
    }

    pub(crate) fn list(&self, style: ListStyle<'_>, out: &mut String) {
        let (dir, pol) = self.words();
        out.push_str(&format!(" policy match dir {dir} pol {pol}{}", if self.strict { " strict" } else { "" }));
        for (at, element) in self.elements.iter().enumerate() {
            if self.strict {
                out.push_str(&format!(" [{at}]"));
            }
            for (option, invert, value) in element.parts(style.numeric) {
                out.push_str(&format!("{} {option} {value}", if invert { " !" } else { "" }));
            }
        }
    }
}
