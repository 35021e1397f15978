//! The source blob: everything that a restarted rampartd needs to go on from a running program. The dataplane keeps it and cannot read it.
//!
//! A line `rampart-source <format> <SHA-256 of the rest>`, then JSON: the rules as `iptables-save` and `ip6tables-save` print them, the slot of
//! every built-in chain and rule in that order, the baselines and the labels. Format 1 had no IPv6.
use rules::names::Names;
use rules::{Counters, RuleSet, SlotId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::counters::Baselines;
use crate::slots::Slots;
use crate::text;
use crate::wanted::{RuleSets, Wanted};

/// The format that this daemon writes, and the newest that it reads.
const FORMAT: u32 = 2;
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

/// Writes the blob. `texts` are the wanted rules of each family, without counters.
pub fn encode(wanted: &Wanted, texts: &[String; 2]) -> Result<Vec<u8>, serde_json::Error> {
    let [rules, rules_ipv6] = texts.clone();
    let content = Content {
        rules,
        rules_ipv6,
        slots: places(&mut wanted.rules.clone()).filter_map(|slot| slot.map(|slot| slot.0)).collect(),
        baselines: wanted.baselines.iter().map(|(slot, base)| (slot.0, base.packets, base.bytes)).collect(),
        labels: wanted.labels.clone(),
    };
    let json = serde_json::to_vec(&content)?;
    let mut blob = format!("{MAGIC} {FORMAT} {}\n", hash(&json)).into_bytes();
    blob.extend_from_slice(&json);
    Ok(blob)
}

/// Reads a blob for a dataplane with `capacity` counter slots.
pub fn decode(blob: &[u8], capacity: u32, names: &dyn Names) -> Result<Wanted, SourceError> {
    let end = blob.iter().position(|byte| *byte == b'\n').ok_or(SourceError::Foreign)?;
    let head = std::str::from_utf8(&blob[..end]).map_err(|_| SourceError::Foreign)?;
    let [magic, format, digest] = head.split(' ').collect::<Vec<_>>()[..] else { return Err(SourceError::Foreign) };
    let found = format.parse().map_err(|_| SourceError::Foreign)?;
    if magic != MAGIC {
        return Err(SourceError::Foreign);
    }
    if found > FORMAT {
        return Err(SourceError::TooNew { found });
    }
    let json = &blob[end + 1..];
    if hash(json) != digest {
        return Err(SourceError::Corrupt);
    }
    let content: Content = serde_json::from_slice(json)?;
    let mut rules = RuleSets::default();
    for (ruleset, text) in rules.iter_mut().zip([&content.rules, &content.rules_ipv6]) {
        *ruleset = text::restore(RuleSet::new(ruleset.family), text, names).map_err(SourceError::Rules)?;
    }
    let wanted = places(&mut rules).count();
    if wanted != content.slots.len() {
        return Err(SourceError::Slots { found: content.slots.len(), wanted });
    }
    let mut sorted = content.slots.clone();
    sorted.sort_unstable();
    let twice = sorted.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
    if let Some(slot) = twice.or(sorted.last().copied().filter(|slot| *slot >= capacity)) {
        return Err(SourceError::SlotTaken(slot));
    }
    for (place, slot) in places(&mut rules).zip(&content.slots) {
        *place = Some(SlotId(*slot));
    }
    let mut baselines = Baselines::default();
    for (slot, packets, bytes) in content.baselines {
        if slot >= capacity {
            return Err(SourceError::SlotTaken(slot));
        }
        baselines.set(SlotId(slot), Counters { packets, bytes });
    }
    Ok(Wanted { rules, slots: Slots::with_used(capacity, &sorted), baselines, labels: content.labels })
}

/// The slot of every built-in chain and rule, in the order in which the rules are listed.
fn places(rules: &mut RuleSets) -> impl Iterator<Item = &mut Option<SlotId>> {
    rules.iter_mut().flat_map(RuleSet::tables_mut).flat_map(|table| table.chains_mut()).flat_map(|chain| {
        let own = chain.policy.is_some().then_some(&mut chain.slot);
        own.into_iter().chain(chain.rules.iter_mut().map(|rule| &mut rule.slot))
    })
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Live;
    use crate::wanted::FAMILIES;
    use rules::names::NameFiles;
    use rules::{Family, TableName};

    fn wanted() -> Wanted {
        let names = NameFiles::default();
        let text = "*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:own - [0:0]\n-A INPUT -j own\n-A own -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n";
        let set = text::restore(RuleSet::new(Family::Ipv4), text, &names).unwrap();
        let wanted = Wanted::empty(50).edited(set, &[TableName::Filter], &Live::default()).unwrap();
        let text = "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -s 2001:db8::/32 -j DROP\nCOMMIT\n";
        let set = text::restore(RuleSet::new(Family::Ipv6), text, &names).unwrap();
        let mut wanted = wanted.edited(set, &[TableName::Raw], &Live::default()).unwrap();
        wanted.labels.push("system_u:object_r:ssh_t:s0".into());
        wanted.baselines.set(SlotId(2), Counters { packets: 3, bytes: u64::MAX });
        wanted
    }

    fn texts(wanted: &Wanted) -> [String; 2] {
        FAMILIES.map(|family| text::save(wanted.rules.of(family), false, &NameFiles::default()).unwrap())
    }

    fn encoded(wanted: &Wanted) -> Vec<u8> {
        encode(wanted, &texts(wanted)).unwrap()
    }

    #[test]
    fn a_blob_reads_back_with_slots_baselines_and_labels() {
        let names = NameFiles::default();
        let wanted = wanted();
        let read = decode(&encoded(&wanted), 50, &names).unwrap();
        assert_eq!(read, wanted);
        let slots = |w: &Wanted| places(&mut w.rules.clone()).map(|slot| slot.unwrap().0).collect::<Vec<_>>();
        assert_eq!(slots(&read), slots(&wanted));
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
        let read = decode(format!("{MAGIC} 1 {}\n{json}", hash(json.as_bytes())).as_bytes(), 50, &names).unwrap();
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
        let newer = String::from_utf8(good.clone()).unwrap().replacen("rampart-source 2", "rampart-source 3", 1);
        assert!(matches!(decode(newer.as_bytes(), 50, &names), Err(SourceError::TooNew { found: 3 })));
        assert!(matches!(decode(&good, 7, &names), Err(SourceError::SlotTaken(7))));
    }
}
