//! What packets change of sets (`-j SET`), as whoever looks at packets says it.
use rules::names::Names;

use crate::change::Became;
use crate::element::Printing;
use crate::key::KEY_MAX;
use crate::print::Listing;
use crate::set::{Members, Set};
use crate::store::Sets;
use crate::table::{Extra, More};
use crate::types::{Dimension, Storage};
use crate::words::{Mode, Output};

impl Set {
    /// Nothing that packets bring could stand in it as it does in the kernel: its type.
    pub fn refuses_packets(&self) -> Option<&'static str> {
        let has = |wanted: fn(&Dimension) -> bool| self.kind.dimensions.iter().any(wanted);
        let has_mac_beside = self.kind.storage == Storage::Bitmap && has(|part| matches!(part, Dimension::Mac));
        let refuses = self.kind.storage == Storage::List || has_mac_beside || has(|part| matches!(part, Dimension::Interface));
        refuses.then_some(self.kind.name)
    }
}

impl Sets {
    /// Elements of a set became this by packets. The answer is commands that change the same again.
    pub fn by_packets(&mut self, name: &str, all: impl IntoIterator<Item = Became>, names: &dyn Names, now: u64) -> String {
        let mut commands = String::new();
        let Some(set) = self.get_mut(name) else { return commands };
        let (kind, header) = (set.kind, &set.header);
        let Members::Table(elements) = &mut set.members else { return commands };
        let output = Output::default();
        let listing = Listing { mode: Mode::Save, output: &output, names, now };
        let printing = Printing { kind, family: header.family, names, bridge_ports: true };
        let has_extra = header.timeout.is_some() || header.counters || header.comment || header.skbinfo;
        for (bytes, became) in all {
            let mut key = [0; KEY_MAX];
            if bytes.len() != elements.shape.length() {
                continue;
            }
            key[..bytes.len()].copy_from_slice(&bytes);
            let element = elements.shape.read(&key);
            let before = elements.table.get(&key).cloned();
            let Some(beside) = became else {
                if elements.remove(&key).is_some() {
                    commands.push_str(&format!("-exist del {name} "));
                    printing.push(&element, Some(element.mac), &mut commands);
                    commands.push('\n');
                }
                continue;
            };
            // As in the kernel: a packet says nothing of comments, and leaves no mark.
            let comment =
                before.iter().flatten().filter(|extra| !extra.is_over(now)).find_map(|extra| extra.more().comment.clone());
            let (packets, bytes) = beside.counters.unwrap_or_default();
            let expires = if beside.expires_in == 0 { 0 } else { now + beside.expires_in };
            let extra = Extra { expires, packets, bytes, nomatch: beside.nomatch, ..Extra::default() };
            let now_beside = (has_extra || beside.nomatch).then(|| Box::new(extra.with(More { comment, ..More::default() })));
            if before.as_ref() == Some(&now_beside) {
                continue;
            }
            elements.remove(&key);
            commands.push_str(&format!("-exist add {name} "));
            printing.push(&element, Some(element.mac), &mut commands);
            listing.extras(header, &now_beside, &mut commands);
            commands.push('\n');
            elements.put(&element, now_beside, true);
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use rules::names::Builtin;

    use super::*;
    use crate::change::Beside;
    use crate::run::again;

    fn made(lines: &str) -> Sets {
        let mut sets = Sets::default();
        assert_eq!(again(&mut sets, lines, &Builtin, 1_000_000), Vec::<String>::new());
        sets
    }

    fn all(sets: &Sets) -> String {
        crate::run::kept(sets, &Builtin, 1_000_999)
    }

    fn address(last: u8, beside: Option<Beside>) -> Became {
        (Box::from([10, 0, 0, last]), beside)
    }

    #[test]
    fn what_packets_change_is_there_and_said_as_commands_that_do_the_same() {
        let lines = "create a hash:ip timeout 100 counters comment\nadd a 10.0.0.1 timeout 7 comment \"x y\"\nadd a 10.0.0.2\n";
        let mut sets = made(lines);
        let beside = |expires_in, counters| Some(Beside { expires_in, counters, ..Beside::default() });
        let became = [
            address(1, beside(50_000, Some((1, 60)))),
            address(2, None),
            address(3, beside(0, Some((2, 90)))),
            address(4, None),
            // No element of such a set.
            (Box::from([1, 2, 3]), beside(0, None)),
        ];
        let commands = sets.by_packets("a", became.clone(), &Builtin, 1_000_000);
        assert_eq!(
            commands,
            "-exist add a 10.0.0.1 timeout 50 packets 1 bytes 60 comment \"x y\"\n-exist del a 10.0.0.2\n\
             -exist add a 10.0.0.3 timeout 0 packets 2 bytes 90\n"
        );
        let mut other = made(lines);
        again(&mut other, &commands, &Builtin, 1_000_000);
        assert_eq!(all(&other), all(&sets));
        assert_eq!(sets.by_packets("a", became, &Builtin, 1_000_000), "", "told again");
        assert_eq!(sets.by_packets("none", [address(1, None)], &Builtin, 1_000_000), "");
    }

    #[test]
    fn types_in_which_more_than_a_key_stands_are_told() {
        let lines = "create i hash:net,iface\ncreate m bitmap:ip,mac range 10.0.0.0/24\ncreate l list:set\ncreate h hash:mac\n\
                     create b bitmap:ip range 10.0.0.0/24\n";
        let sets = made(lines);
        let refused = |name| sets.get(name).and_then(Set::refuses_packets);
        assert_eq!(["i", "m", "l"].map(refused), [Some("hash:net,iface"), Some("bitmap:ip,mac"), Some("list:set")]);
        assert_eq!(["h", "b", "none"].map(refused), [None; 3]);
    }
}
