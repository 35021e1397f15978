//! Listings (`-L`): columns as iptables 1.8.9 lays them, and the one-line form in which `-v` repeats a rule.
use crate::command::Host;
use crate::header::{FragmentMatch, InterfaceMatch, Shown};
use crate::options::ListStyle;
use crate::{AddrMatch, Chain, Counters, Family, Rule, Table, run, spec};

/// The form of a listing.
#[derive(Clone, Copy)]
pub(crate) struct Style {
    /// `-n`.
    pub(crate) numeric: bool,
    /// `-x`: counters in full.
    pub(crate) exact: bool,
    /// `--line-numbers`.
    pub(crate) line_numbers: bool,
    /// `-v`: counters and interfaces too.
    pub(crate) verbose: bool,
}

/// Lists a table, one chain of it, or one rule.
pub(crate) fn push_table(
    table: &Table,
    family: Family,
    only: Option<&str>,
    number: Option<u32>,
    style: Style,
    host: &Host<'_>,
    out: &mut String,
) {
    let references = run::references(table);
    let chains = table.chains().filter(|chain| only.is_none_or(|name| *chain.name == *name));
    for (index, chain) in chains.enumerate() {
        if number.is_none() {
            if index > 0 {
                out.push('\n');
            }
            let references = references.get(&chain.name).copied().unwrap_or(0);
            push_heading(chain, references, style, host, out);
        }
        for (index, rule) in chain.rules.iter().enumerate() {
            if number.is_none_or(|number| number as usize == index + 1) {
                push_rule(rule, index + 1, family, style, host, out);
            }
        }
    }
}

fn push_heading(chain: &Chain, references: u32, style: Style, host: &Host<'_>, out: &mut String) {
    out.push_str(&format!("Chain {}", chain.name));
    match chain.policy {
        Some(policy) if style.verbose => {
            let Counters { packets, bytes } = host.counters(chain.counters, chain.slot);
            let (packets, bytes) = (count_text(packets, style.exact), count_text(bytes, style.exact));
            out.push_str(&format!(" (policy {} {packets} packets, {bytes} bytes)\n", policy.as_str()));
        }
        Some(policy) => out.push_str(&format!(" (policy {})\n", policy.as_str())),
        None => out.push_str(&format!(" ({references} references)\n")),
    }
    if style.line_numbers {
        out.push_str("num  ");
    }
    if style.verbose {
        out.push_str(if style.exact { "    pkts      bytes " } else { " pkts bytes " });
    }
    out.push_str("target     prot opt");
    if style.verbose {
        out.push_str(" in     out   ");
        out.push_str("  source               destination         \n");
    } else {
        out.push_str(" source               destination         \n");
    }
}

/// A counter: in full, or shortened to thousands, millions... of at most four digits.
fn count_text(count: u64, exact: bool) -> String {
    if exact || count <= 99_999 {
        return count.to_string();
    }
    let mut rest = count;
    let mut units = ["K", "M", "G"].into_iter();
    loop {
        // Wraps for the highest numbers, as the real one does.
        rest = rest.wrapping_add(500) / 1_000;
        match units.next() {
            Some(unit) if rest <= 9_999 => return format!("{rest}{unit}"),
            Some(_) => {}
            None => return format!("{rest}T"),
        }
    }
}

/// A counter in its column.
fn push_count(count: u64, exact: bool, out: &mut String) {
    let text = count_text(count, exact);
    out.push_str(&if exact { format!("{text:>8} ") } else { format!("{text:>5} ") });
}

fn push_rule(rule: &Rule, number: usize, family: Family, style: Style, host: &Host<'_>, out: &mut String) {
    if style.line_numbers {
        out.push_str(&format!("{number:<4} "));
    }
    if style.verbose {
        let Counters { packets, bytes } = host.counters(rule.counters, rule.slot);
        push_count(packets, style.exact, out);
        push_count(bytes, style.exact, out);
    }
    let header = &rule.header;
    let protocol = header.protocol;
    out.push_str(&format!("{:<9} {}", rule.target.list_name(), not(protocol.invert, ' ')));
    if style.numeric {
        out.push_str(&format!("{:<4} ", protocol.number));
    } else {
        out.push_str(&format!("{:<4} ", protocol_text(protocol.number, host)));
    }
    push_fragment(header.fragment, out);
    if style.verbose {
        let any = if style.numeric { "*" } else { "any" };
        let (inward, outward) = (interface_text(&header.in_interface, any), interface_text(&header.out_interface, any));
        out.push_str(&format!(" {inward:<6} {outward:<6} "));
    }
    for test in &header.addresses.both() {
        out.push_str(&format!("{}{:<19} ", not(test.invert, ' '), address_text(test, style.numeric, family)));
    }
    let style = ListStyle { numeric: style.numeric, names: host.names, protocol: protocol.number, family };
    push_tail(rule, style, out);
}

/// The rule on one line, as commands with `-v` say it again.
pub(crate) fn push_rule_in_words(rule: &Rule, family: Family, host: &Host<'_>, out: &mut String) {
    let header = &rule.header;
    let protocol = header.protocol;
    let name = short_protocol_text(protocol.number);
    out.push_str(&format!("{} {}{name} opt ", rule.target.list_name(), not(protocol.invert, ' ')));
    push_fragment(header.fragment, out);
    let (inward, outward) = (interface_text(&header.in_interface, "*"), interface_text(&header.out_interface, "*"));
    out.push_str(&format!("in {inward} out {outward} "));
    let [src, dst] = header.addresses.both();
    let (not_src, not_dst) = (not(src.invert, ' '), not(dst.invert, ' '));
    let (src, dst) = (address_text(&src, true, family), address_text(&dst, true, family));
    out.push_str(&format!("{not_src}{src} {not_dst}-> {dst}  "));
    push_tail(rule, ListStyle { numeric: true, names: host.names, protocol: protocol.number, family }, out);
}

fn push_tail(rule: &Rule, style: ListStyle<'_>, out: &mut String) {
    if matches!(rule.target, crate::Target::Goto(_)) {
        out.push_str("[goto] ");
    }
    rule.matches.iter().for_each(|m| m.list(style, out));
    rule.target.list(style, out);
    out.push('\n');
}

fn not(invert: bool, otherwise: char) -> char {
    if invert { '!' } else { otherwise }
}

fn push_fragment(fragment: FragmentMatch, out: &mut String) {
    out.push_str(match fragment {
        FragmentMatch::Any => "-- ",
        FragmentMatch::Later => "-f ",
        FragmentMatch::NotLater => "!f ",
    });
}

fn protocol_text(number: u8, host: &Host<'_>) -> String {
    if number == 0 { "all".to_owned() } else { spec::protocol_name(number, host.names) }
}

/// The protocol without the host's names: only those that iptables itself knows have one.
fn short_protocol_text(number: u8) -> String {
    match number {
        0 => "all".to_owned(),
        1 => "icmp".to_owned(),
        6 => "tcp".to_owned(),
        17 => "udp".to_owned(),
        50 => "esp".to_owned(),
        51 => "ah".to_owned(),
        58 => "ipv6-icmp".to_owned(),
        132 => "sctp".to_owned(),
        135 => "mobility-header".to_owned(),
        136 => "udplite".to_owned(),
        _ => number.to_string(),
    }
}

fn interface_text(test: &InterfaceMatch, any: &str) -> String {
    let mark = if test.invert { "!" } else { "" };
    match (&*test.name, test.wildcard) {
        ("", true) => format!("{mark}{}", if test.is_any() { any } else { "+" }),
        (name, true) => format!("{mark}{name}+"),
        (name, false) => format!("{mark}{name}"),
    }
}

fn address_text(test: &AddrMatch, numeric: bool, family: Family) -> String {
    // ip6tables looks at the address, iptables at the mask.
    let is_anywhere = if family == Family::Ipv6 { test.addr.is_unspecified() } else { test.is_unmasked() };
    if is_anywhere && !numeric {
        return "anywhere".to_owned();
    }
    match test.prefix_len() {
        Some(len) if len == family.address_bits() => Shown(test.addr).to_string(),
        _ => spec::network_text(test),
    }
}
