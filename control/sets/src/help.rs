//! `ipset help`: our own words, out of the tables that the parser reads.
use crate::command::COMMANDS;
use crate::fault::PROGRAM;
use crate::icmp;
use crate::types::{Create, Dimension, Families, Storage, TYPES, Type};

/// Options of the program itself.
const OPTIONS: &[(&str, &str)] = &[
    ("-o, -output plain|save|xml", "how sets are listed"),
    ("-s, -sorted", "elements of hashes in order"),
    ("-q, -quiet", "no message"),
    ("-r, -resolve", "addresses stay addresses: no name is asked for"),
    ("-!, -exist", "what is there already, or is not there to be taken out, is no error"),
    ("-n, -name", "names of sets alone"),
    ("-t, -terse", "sets without their elements"),
    ("-f, -file FILE", "listings go there, restore reads it"),
];

/// The help; types are listed where no command is being typed.
pub(crate) fn push(kind: Option<&Type>, is_interactive: bool, out: &mut String) {
    out.push_str(&format!("{PROGRAM}\n\nUsage: ipset [OPTION...] COMMAND\n\nCommands:\n"));
    for entry in COMMANDS {
        let names = [entry.words, entry.letters].concat().join(", ");
        let shape = if entry.shape.is_empty() { String::new() } else { format!(" {}", entry.shape) };
        out.push_str(&format!("  {names}{shape}\n        {}\n", entry.does));
    }
    out.push_str("\nOptions:\n");
    for (option, does) in OPTIONS {
        out.push_str(&format!("  {option:<28}{does}\n"));
    }
    match kind {
        Some(kind) => push_type(kind, out),
        None if is_interactive => {}
        None => {
            out.push_str("\nTypes (ipset help TYPE says more):\n");
            for kind in TYPES.iter().rev() {
                out.push_str(&format!("  {:<20}revision {}\n", kind.name, kind.revision));
            }
        }
    }
}

fn push_type(kind: &Type, out: &mut String) {
    let name = kind.name;
    out.push_str(&format!("\ncreate SET {name}\n"));
    for option in kind.create {
        out.push_str(&format!("        {}\n", shape_of(*option, kind)));
    }
    let parts: Vec<String> = kind.dimensions.iter().map(|dimension| dimension_shape(*dimension).to_owned()).collect();
    let element = if kind.last_is_optional { format!("{}[,{}]", parts[0], parts[1..].join(",")) } else { parts.join(",") };
    out.push_str(&format!("\nadd SET {element}\n"));
    let marks = [(kind.marks.nomatch, "nomatch"), (kind.marks.wildcard, "wildcard"), (kind.marks.reference, "before|after SET")];
    let marks = marks.into_iter().filter_map(|(has, mark)| has.then_some(mark));
    let extensions = ["packets N", "bytes N", "comment \"TEXT\"", "skbmark 0xMARK[/0xMASK]", "skbprio MAJOR:MINOR", "skbqueue N"];
    for option in ["timeout SECONDS"].into_iter().chain(marks).chain(extensions) {
        out.push_str(&format!("        [{option}]\n"));
    }
    let place = if kind.marks.reference { "        [before|after SET]\n" } else { "" };
    let nomatch = if kind.marks.nomatch { "        [nomatch]\n" } else { "" };
    out.push_str(&format!("del SET {element}\n{place}test SET {element}\n{place}{nomatch}"));
    if kind.has_ports() && kind.storage == Storage::Hash {
        for (family, title) in [(rules::Family::Ipv4, "icmp"), (rules::Family::Ipv6, "icmpv6")] {
            let names: Vec<&str> = icmp::names(family).iter().map(|named| named.0).collect();
            out.push_str(&format!("\n{title}: TYPE/CODE or one of\n        {}\n", names.join("\n        ")));
        }
    }
    out.push_str(match kind.families {
        Families::Both => "\nIPv4 and IPv6.\n",
        Families::Ipv4 => "\nIPv4.\n",
        Families::None => "\nOf no family.\n",
    });
}

fn dimension_shape(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Address(_) => "ADDRESS",
        Dimension::Net { .. } => "ADDRESS[/BITS]",
        Dimension::Port => "[PROTOCOL:]PORT",
        Dimension::ProtocolPort => "[PROTOCOL:]PORT",
        Dimension::Mark => "MARK",
        Dimension::Mac => "MAC",
        Dimension::Interface => "[physdev:]INTERFACE",
        Dimension::Set => "SET",
    }
}

fn shape_of(option: Create, kind: &Type) -> String {
    let value = match option {
        Create::Family => "inet|inet6",
        Create::Range if kind.families == Families::None => return "range [PROTOCOL:]FROM-TO".into(),
        Create::Range => return "range ADDRESS/BITS|FROM-TO".into(),
        Create::Bitmask => "ADDRESS",
        Create::Netmask => "BITS",
        Create::Timeout => "SECONDS",
        option if option.is_flag() => return format!("[{}]", option.name()),
        _ => "N",
    };
    format!("[{} {value}]", option.name())
}
