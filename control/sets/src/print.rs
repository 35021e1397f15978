//! Listings: plain, as commands, and as XML.
use rules::names::Names;

use crate::element::{Printing, push_address};
use crate::options::Header;
use crate::set::{Members, Set, comment_bytes};
use crate::sort;
use crate::table::{Beside, Extra};
use crate::types::{Create, Storage, Type};
use crate::words::{Mode, Output};

/// What the kernel needs for each element of a hash, however large.
const BUCKET: u64 = 32;

/// How sets are shown.
pub(crate) struct Listing<'a> {
    pub(crate) mode: Mode,
    pub(crate) output: &'a Output,
    pub(crate) names: &'a dyn Names,
    /// Milliseconds since 1970.
    pub(crate) now: u64,
}

/// A set as it is shown: its name, itself, and who refers to it.
pub(crate) struct Shown<'a> {
    pub(crate) name: &'a str,
    pub(crate) set: &'a Set,
    pub(crate) references: u64,
}

impl Listing<'_> {
    /// All of these sets.
    pub(crate) fn push<'s>(&self, sets: impl Iterator<Item = Shown<'s>>, out: &mut String) {
        let is_xml = self.mode == Mode::Xml;
        if is_xml {
            out.push_str("<ipsets>\n");
        }
        for (at, shown) in sets.enumerate() {
            if self.output.names && self.mode != Mode::Save {
                let name = shown.name;
                out.push_str(&if is_xml { format!("<ipset name=\"{name}\"/>\n") } else { format!("{name}\n") });
                continue;
            }
            if at > 0 && self.mode == Mode::Plain {
                out.push('\n');
            }
            self.header(&shown, out);
            if self.mode == Mode::Save || !self.output.terse {
                self.members(&shown, out);
            }
            if is_xml {
                out.push_str("</ipset>\n");
            }
        }
        if is_xml {
            out.push_str("</ipsets>\n");
        }
    }

    fn header(&self, shown: &Shown<'_>, out: &mut String) {
        let Shown { name, set, references } = shown;
        let kind = set.kind;
        match self.mode {
            Mode::Save => out.push_str(&format!("create {name} {}", kind.name)),
            Mode::Plain => out.push_str(&format!("Name: {name}\nType: {}\nRevision: {}\nHeader:", kind.name, kind.revision)),
            Mode::Xml => out.push_str(&format!(
                "<ipset name=\"{name}\">\n<type>{}</type>\n<revision>{}</revision>\n<header>",
                kind.name, kind.revision
            )),
        }
        for option in kind.create {
            let value = shown_option(*option, &set.header);
            if let Some(value) = value {
                self.field(option.name(), &value, out);
            }
        }
        let (memory, entries) = (memory(set), set.len());
        match self.mode {
            Mode::Save => out.push('\n'),
            Mode::Plain => {
                let members = if self.output.terse { "" } else { "Members:\n" };
                out.push_str(&format!(
                    "\nSize in memory: {memory}\nReferences: {references}\nNumber of entries: {entries}\n{members}"
                ));
            }
            Mode::Xml => {
                let members = if self.output.terse { "" } else { "<members>\n" };
                out.push_str(&format!(
                    "\n<memsize>{memory}</memsize>\n<references>{references}</references>\n<numentries>{entries}</numentries>\n</header>\n{members}"
                ));
            }
        }
    }

    /// An option or extension; one without a value says all by its name.
    fn field(&self, name: &str, value: &str, out: &mut String) {
        let text = match (self.mode, value) {
            (Mode::Xml, "") => format!("<{name}/>"),
            (Mode::Xml, value) => format!("<{name}>{value}</{name}>"),
            (_, "") => format!(" {name}"),
            (_, value) => format!(" {name} {value}"),
        };
        out.push_str(&text);
    }

    fn members(&self, shown: &Shown<'_>, out: &mut String) {
        let (before, behind) = match self.mode {
            Mode::Plain => (String::new(), "\n"),
            Mode::Save => (format!("add {} ", shown.name), "\n"),
            Mode::Xml => ("<member><elem>".to_owned(), "</member>\n"),
        };
        let header = &shown.set.header;
        match &shown.set.members {
            Members::List(list) => {
                for item in &list.items {
                    out.push_str(&before);
                    out.push_str(&item.name);
                    self.extras(header, &item.beside, out);
                    out.push_str(behind);
                }
            }
            Members::Table(elements) => {
                let kind = shown.set.kind;
                let printing = Printing { kind, family: header.family, names: self.names, bridge_ports: true };
                let mut lines = Vec::new();
                let is_sorted = self.output.sorted && kind.storage == Storage::Hash;
                elements.table.for_each(|key, beside| {
                    let start = out.len();
                    out.push_str(&before);
                    let element = elements.shape.read(key);
                    let mac = match kind.storage {
                        Storage::Bitmap => beside.as_ref().and_then(|extra| extra.more().mac),
                        _ => Some(element.mac),
                    };
                    printing.push(&element, mac, out);
                    self.extras(header, beside, out);
                    out.push_str(behind);
                    if is_sorted {
                        lines.push(out.split_off(start));
                    }
                });
                let skipped = before.len();
                sort::sort(&mut lines, self.output.resolve, |line| line.get(skipped..).unwrap_or(""));
                out.extend(lines);
            }
        }
        if self.mode == Mode::Xml {
            out.push_str("</members>\n");
        }
    }

    /// What is written beside an element.
    pub(crate) fn extras(&self, header: &Header, beside: &Beside, out: &mut String) {
        if self.mode == Mode::Xml {
            out.push_str("</elem>");
        }
        let Some(extra) = beside else { return };
        if header.timeout.is_some() {
            self.field("timeout", &self.seconds_left(extra).to_string(), out);
        }
        for (name, holds) in [("nomatch", extra.nomatch), ("wildcard", extra.wildcard)] {
            if holds {
                self.field(name, "", out);
            }
        }
        if header.counters {
            self.field("packets", &extra.packets.to_string(), out);
            self.field("bytes", &extra.bytes.to_string(), out);
        }
        let more = extra.more();
        if let Some(comment) = &more.comment {
            self.field("comment", &format!("\"{comment}\""), out);
        }
        match more.mark {
            (0, 0) => {}
            (mark, u32::MAX) => self.field("skbmark", &format!("0x{mark:x}"), out),
            (mark, mask) => self.field("skbmark", &format!("0x{mark:x}/0x{mask:x}"), out),
        }
        if more.priority != 0 {
            self.field("skbprio", &format!("{:x}:{:x}", more.priority >> 16, more.priority & 0xffff), out);
        }
        if more.queue != 0 {
            self.field("skbqueue", &more.queue.to_string(), out);
        }
    }

    /// Whole seconds; what goes within one has one.
    fn seconds_left(&self, extra: &Extra) -> u64 {
        if extra.expires == 0 { 0 } else { (extra.expires.saturating_sub(self.now) / 1000).max(1) }
    }
}

/// The value of an option that is shown; empty for one that says all by its name.
fn shown_option(option: Create, header: &Header) -> Option<String> {
    let flag = |holds: bool| holds.then(String::new);
    match option {
        Create::Family => Some(Type::family_name(header.family).to_owned()),
        Create::Range => Some(range(header)),
        Create::Hashsize => Some(header.hashsize.to_string()),
        Create::Maxelem => Some(header.maxelem.to_string()),
        Create::Netmask => (header.netmask != crate::key::bits(header.family)).then(|| header.netmask.to_string()),
        Create::Bitmask => header.bitmask.map(|mask| {
            let mut text = String::new();
            push_address(mask, header.family, &mut text);
            text
        }),
        Create::Markmask => (header.markmask != u32::MAX).then(|| format!("0x{:08x}", header.markmask)),
        Create::Timeout => header.timeout.map(|timeout| timeout.to_string()),
        Create::Counters => flag(header.counters),
        Create::Comment => flag(header.comment),
        Create::Forceadd => flag(header.forceadd),
        Create::Skbinfo => flag(header.skbinfo),
        Create::Bucketsize => Some(header.bucketsize.to_string()),
        Create::Initval => Some(format!("0x{:08x}", header.initval)),
        Create::Size => Some(header.size.to_string()),
    }
}

fn range(header: &Header) -> String {
    let (first, last) = header.range;
    if header.family.is_none() {
        return format!("{first}-{last}");
    }
    let mut text = String::new();
    push_address(u128::from(first), header.family, &mut text);
    text.push('-');
    push_address(u128::from(last), header.family, &mut text);
    text
}

/// Bytes of an element of this set in the kernel, with its extensions, each where its alignment puts it.
fn element_bytes(element: u64, header: &Header) -> u64 {
    let extensions =
        [(header.counters, 16, 8u64), (header.timeout.is_some(), 8, 8), (header.skbinfo, 16, 4), (header.comment, 8, 8)];
    extensions.iter().filter(|(has, ..)| *has).fold(element, |at, (_, bytes, align)| at.next_multiple_of(*align) + bytes)
}

/// "Size in memory" as the kernel reckons it while no two elements share a place of its hash.
fn memory(set: &Set) -> u64 {
    let (kind, header) = (set.kind, &set.header);
    let family = usize::from(header.family == Some(rules::Family::Ipv6));
    let (empty, element) = (kind.bytes.empty[family], kind.bytes.element[family]);
    let count = set.len() as u64;
    match (&set.members, kind.storage) {
        (Members::List(list), _) => {
            let comments = list.items.iter().filter_map(|item| item.beside.as_ref());
            let comments: u64 = comments.map(|extra| comment_bytes(&extra.more().comment)).sum();
            empty + count * element_bytes(element, header) + comments
        }
        (Members::Table(elements), Storage::Bitmap) => {
            let bits = header.elements();
            empty + bits.div_ceil(64) * 8 + bits * element_bytes(element, header) + elements.comment_bytes
        }
        (Members::Table(elements), _) => {
            // Two interfaces beside one network share a place.
            let places = if kind.marks.wildcard { elements.pairs() } else { count };
            empty + places * (BUCKET + 2 * element_bytes(element, header)) + elements.comment_bytes
        }
    }
}
