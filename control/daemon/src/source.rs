//! The source blob: everything that a restarted rampartd needs to go on from a running program. The dataplane keeps it and cannot read it.
//!
//! A line `rampart-source <format> <SHA-256 of the JSON> <its length>`, then JSON: the rules as `iptables-save` and `ip6tables-save` print them, the
//! slot of every built-in chain and rule in that order, the baselines and the labels. Behind it stand the edits since, one record each
//! ([`crate::edit`]). In format 3 these changed rules and no chains; format 2 had no edits, and no length; format 1 had no IPv6.
use rules::names::Names;
use rules::{Counters, RuleSet, SlotId};
use serde::{Deserialize, Serialize};

use crate::counters::Baselines;
use crate::edit::{Record, RecordError, hash};
use crate::slots::Slots;
use crate::text;
use crate::wanted::{RuleSets, Wanted};

/// The format that this daemon writes, and the newest that it reads.
const FORMAT: u32 = 4;
const MAGIC: &str = "rampart-source";

/// Why a blob is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Not one of ours.
    #[error("it is no rampart source")]
    Foreign,
    /// Written by a newer daemon.
    #[error("it has format {found}, this rampartd reads up to {FORMAT}")]
    TooNew {
        /// Its format.
        found: u32,
    },
    /// The hash is not that of the content.
    #[error("its hash is not that of its content")]
    Corrupt,
    /// The content is not what the format says.
    #[error("malformed content: {0}")]
    Json(#[from] serde_json::Error),
    /// The rules do not read back.
    #[error("its rules do not read back: {0}")]
    Rules(String),
    /// Slots and rules do not fit together.
    #[error("{found} slots for {wanted} rules and chains")]
    Slots {
        /// In the blob.
        found: usize,
        /// By its rules.
        wanted: usize,
    },
    /// An edit does not read back.
    #[error("edit {number}: {reason}")]
    Edit {
        /// Which one, from 1.
        number: usize,
        /// Why.
        reason: RecordError,
    },
    /// A slot beyond those of the dataplane, or one given twice.
    #[error("slot {0} is beyond those of the dataplane or taken twice")]
    SlotTaken(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    rules: String,
    #[serde(default)]
    rules_ipv6: String,
    slots: Vec<u32>,
    baselines: Vec<(u32, u64, u64)>,
    labels: Vec<String>,
}

/// How long a blob is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Of what says all rules.
    pub whole: usize,
    /// Of the edits behind it.
    pub edits: usize,
}

/// Edits of so many bytes may always be behind a blob.
const SPARE: usize = 64 << 10;
/// And of this part of it.
const PART: usize = 4;

impl Size {
    /// May an edit be added, or are there so many that all rules are written anew?
    pub fn takes(self, record: &str) -> bool {
        self.whole > 0 && self.edits + record.len() <= SPARE.max(self.whole / PART)
    }
}

/// Writes the blob. `texts` are the wanted rules of each family, without counters.
pub fn encode(wanted: &Wanted, texts: [String; 2]) -> Result<Vec<u8>, serde_json::Error> {
    let [rules, rules_ipv6] = texts;
    let content = Content {
        rules,
        rules_ipv6,
        slots: slots(&wanted.rules),
        baselines: wanted.baselines.iter().map(|(slot, base)| (slot.0, base.packets, base.bytes)).collect(),
        labels: wanted.labels.clone(),
    };
    let json = serde_json::to_vec(&content)?;
    let mut blob = format!("{MAGIC} {FORMAT} {} {}\n", hash(&json), json.len()).into_bytes();
    blob.extend_from_slice(&json);
    Ok(blob)
}

/// Reads a blob for a dataplane with `capacity` counter slots.
pub fn decode(blob: &[u8], capacity: u32, names: &dyn Names) -> Result<(Wanted, Size), SourceError> {
    let end = blob.iter().position(|byte| *byte == b'\n').ok_or(SourceError::Foreign)?;
    let head = std::str::from_utf8(&blob[..end]).map_err(|_| SourceError::Foreign)?;
    let mut words = head.split(' ');
    let (Some(MAGIC), Some(format), Some(digest)) = (words.next(), words.next(), words.next()) else {
        return Err(SourceError::Foreign);
    };
    let found = format.parse().map_err(|_| SourceError::Foreign)?;
    if found > FORMAT {
        return Err(SourceError::TooNew { found });
    }
    let rest = &blob[end + 1..];
    let length = if found < 3 { Some(rest.len()) } else { words.next().and_then(|word| word.parse().ok()) };
    let Some((json, mut edits)) = rest.split_at_checked(length.ok_or(SourceError::Foreign)?) else {
        return Err(SourceError::Corrupt);
    };
    if hash(json) != digest {
        return Err(SourceError::Corrupt);
    }
    // Nothing of this format is put behind one of an older daemon, which would not read it.
    let size = if found < FORMAT { Size::default() } else { Size { whole: end + 1 + json.len(), edits: edits.len() } };
    let content: Content = serde_json::from_slice(json)?;
    let mut rules = RuleSets::default();
    for (ruleset, text) in rules.iter_mut().zip([&content.rules, &content.rules_ipv6]) {
        *ruleset = text::restore(RuleSet::new(ruleset.family), text, names).map_err(SourceError::Rules)?;
    }
    let wanted = places(&mut rules).count();
    if wanted != content.slots.len() {
        return Err(SourceError::Slots { found: content.slots.len(), wanted });
    }
    for (place, slot) in places(&mut rules).zip(&content.slots) {
        *place = Some(SlotId(*slot));
    }
    let (mut baselines, mut labels) = (content.baselines, content.labels);
    let mut number = 0;
    while !edits.is_empty() {
        number += 1;
        let failed = |reason| SourceError::Edit { number, reason };
        let record = Record::read(&mut edits).map_err(failed)?;
        record.apply(&mut rules, names).map_err(failed)?;
        baselines.extend(record.baselines);
        labels.extend(record.labels);
    }
    if number > 0 {
        rules.iter().try_for_each(rules::check::check).map_err(|error| SourceError::Rules(error.to_string()))?;
    }
    let mut sorted = slots(&rules);
    sorted.sort_unstable();
    let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    if let Some(slot) = twice.or(sorted.last().copied().filter(|slot| *slot >= capacity)) {
        return Err(SourceError::SlotTaken(slot));
    }
    let mut read = Baselines::default();
    for (slot, packets, bytes) in baselines {
        if slot >= capacity {
            return Err(SourceError::SlotTaken(slot));
        }
        read.set(SlotId(slot), Counters { packets, bytes });
    }
    Ok((Wanted { rules, slots: Slots::with_used(capacity, &sorted), baselines: read, labels }, size))
}

/// The slots of built-in chains and rules, in the order in which the rules are listed.
fn slots(rules: &RuleSets) -> Vec<u32> {
    let chains = rules.iter().flat_map(RuleSet::tables).flat_map(|table| table.chains());
    let of = chains.flat_map(|chain| chain.slot.into_iter().chain(chain.rules.iter().filter_map(|rule| rule.slot)));
    of.map(|slot| slot.0).collect()
}

/// The slot of every built-in chain and rule, in the order in which the rules are listed.
fn places(rules: &mut RuleSets) -> impl Iterator<Item = &mut Option<SlotId>> {
    rules.iter_mut().flat_map(RuleSet::tables_mut).flat_map(|table| table.chains_mut()).flat_map(|chain| {
        let own = chain.policy.is_some().then_some(&mut chain.slot);
        own.into_iter().chain(chain.rules.iter_mut().map(|rule| &mut rule.slot))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Live;
    use crate::edit::Edit;
    use crate::wanted::{CountersOf, FAMILIES};
    use rules::command::Host;
    use rules::names::NameFiles;
    use rules::{Family, TableName};

    fn wanted() -> Wanted {
        let names = NameFiles::default();
        let text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n-A INPUT -j own\n-A own -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n";
        let set = text::restore(RuleSet::new(Family::Ipv4), text, &names).unwrap();
        let wanted = Wanted::empty(50).edited(set, &[TableName::Filter], &Live::default(), &CountersOf::All.into()).unwrap();
        let text = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -s 2001:db8::/32 -j DROP\nCOMMIT\n";
        let set = text::restore(RuleSet::new(Family::Ipv6), text, &names).unwrap();
        let mut wanted = wanted.edited(set, &[TableName::Raw], &Live::default(), &CountersOf::All.into()).unwrap();
        wanted.labels.push("system_u:object_r:ssh_t:s0".into());
        wanted.baselines.set(SlotId(2), Counters { packets: 3, bytes: u64::MAX });
        wanted
    }

    fn texts(wanted: &Wanted) -> [String; 2] {
        FAMILIES.map(|family| text::save(wanted.rules.of(family), false, &NameFiles::default()).unwrap())
    }

    fn encoded(wanted: &Wanted) -> Vec<u8> {
        encode(wanted, texts(wanted)).unwrap()
    }

    #[test]
    fn a_blob_reads_back_with_slots_baselines_and_labels() {
        let names = NameFiles::default();
        let wanted = wanted();
        let (read, size) = decode(&encoded(&wanted), 50, &names).unwrap();
        assert_eq!(read, wanted);
        assert_eq!(slots(&read.rules), slots(&wanted.rules));
        assert_eq!(size, Size { whole: encoded(&wanted).len(), edits: 0 });
    }

    #[test]
    fn a_blob_of_the_time_before_ipv6_reads_back() {
        let names = NameFiles::default();
        let mut wanted = wanted();
        let blob = String::from_utf8(encoded(&wanted)).unwrap();
        let json = blob.split_once('\n').unwrap().1;
        let mut content: serde_json::Value = serde_json::from_str(json).unwrap();
        content.as_object_mut().unwrap().remove("rules_ipv6");
        let slots = content["slots"].as_array_mut().unwrap();
        slots.truncate(slots.len() - 3);
        let json = content.to_string();
        let (read, size) = decode(format!("{MAGIC} 1 {}\n{json}", hash(json.as_bytes())).as_bytes(), 50, &names).unwrap();
        assert!(!size.takes("1"), "what it has no place for is not put behind it");
        wanted.rules.put(RuleSet::new(Family::Ipv6));
        assert_eq!(read.rules, wanted.rules);
    }

    #[test]
    fn a_blob_that_is_damaged_foreign_or_newer_is_refused() {
        let names = NameFiles::default();
        let good = encoded(&wanted());
        let mut bad = good.clone();
        *bad.last_mut().unwrap() = b' ';
        assert!(matches!(decode(&bad, 50, &names), Err(SourceError::Corrupt)));
        for cut in [0, 5, 30] {
            assert!(matches!(decode(&good[..cut], 50, &names), Err(SourceError::Foreign)));
        }
        let newer = String::from_utf8(good.clone()).unwrap().replacen("rampart-source 4", "rampart-source 5", 1);
        assert!(matches!(decode(newer.as_bytes(), 50, &names), Err(SourceError::TooNew { found: 5 })));
        assert!(matches!(decode(&good, 7, &names), Err(SourceError::SlotTaken(7))));
    }
    /// One command more, as an edit and its record.
    fn edited(wanted: &Wanted, command: &str, names: &NameFiles) -> (Wanted, String) {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let set = wanted.rules.of(Family::Ipv4);
        let outcome = rules::parse(Family::Ipv4, &words, names).unwrap().run(set, &Host { names, live: None }).unwrap();
        let live = Live::default();
        let mut after = wanted.edited(outcome.ruleset.unwrap(), &outcome.changed, &live, &CountersOf::Policies.into()).unwrap();
        let edit = Edit::between(wanted, &after, Family::Ipv4, &outcome.changed);
        let label = format!("label{}", after.labels.len());
        after.labels.push(label.clone());
        (after, edit.record(&[label], names).unwrap().unwrap())
    }

    #[test]
    fn edits_behind_a_blob_read_back_as_what_they_made() {
        let names = NameFiles::default();
        let mut wanted = wanted();
        let mut blob = encoded(&wanted);
        let whole = blob.len();
        for command in [
            "-A own -p tcp --dport 22 -m comment --comment x -j ACCEPT -c 5 6",
            "-I INPUT 1 -s 10.1.0.0/16,10.2.0.0/16 -j DROP",
            "-R own 1 -s 10.0.0.0/9 -j RETURN",
            "-D INPUT 3",
            "-D own -p tcp --dport 22 -m comment --comment x -j ACCEPT",
            "-N more",
            "-A more -s 10.0.0.1 -j own",
            "-E own their",
            "-A their -j DROP",
            "-P FORWARD DROP -c 7 8",
            "-P INPUT ACCEPT",
            "-E more own",
            "-F own",
            "-X own",
            "-Z",
        ] {
            let (after, record) = edited(&wanted, command, &names);
            blob.extend_from_slice(record.as_bytes());
            wanted = after;
            let (read, size) = decode(&blob, 50, &names).unwrap();
            assert_eq!(size, Size { whole, edits: blob.len() - whole });
            assert_eq!(texts(&read), texts(&wanted), "{command}");
            assert_eq!((&read.labels, slots(&read.rules)), (&wanted.labels, slots(&wanted.rules)));
            assert!((0..50).map(SlotId).all(|slot| read.baselines.get(slot) == wanted.baselines.get(slot)), "{command}");
            assert_eq!(read.slots.used(), wanted.slots.used());
        }
    }

    #[test]
    fn a_damaged_or_foreign_edit_is_refused() {
        let names = NameFiles::default();
        let wanted = wanted();
        let (after, record) = edited(&wanted, "-A own -j DROP", &names);
        let (_, next) = edited(&after, "-R own 2 -j RETURN", &names);
        let blob = |parts: &[&str]| [encoded(&wanted), parts.concat().into_bytes()].concat();
        assert!(decode(&blob(&[&record, &next]), 50, &names).is_ok());
        let damaged = |blob: &[u8]| matches!(decode(blob, 50, &names), Err(SourceError::Edit { reason: RecordError::Damaged, .. }));
        let whole = blob(&[&record, &next]);
        assert!(damaged(&whole[..whole.len() - 1]));
        let mut bad = whole.clone();
        let at = bad.len() - 10;
        bad[at] ^= 1;
        assert!(damaged(&bad));
        let foreign = decode(&blob(&[&next, &record]), 50, &names);
        assert!(matches!(foreign, Err(SourceError::Edit { number: 1, reason: RecordError::Foreign(_) })), "{foreign:?}");
        let twice = decode(&blob(&[&record, &record]), 50, &names);
        assert!(matches!(twice, Err(SourceError::SlotTaken(_))), "{twice:?}");
    }

    #[test]
    fn edits_have_their_bound() {
        let size = Size { whole: 1000, edits: SPARE - 5 };
        assert!(size.takes("12345") && !size.takes("123456"));
        assert!(Size { whole: 40 * SPARE, edits: 10 * SPARE - 1 }.takes("1"));
        assert!(!Size::default().takes("1"), "there is nothing that they could follow");
    }
}
