//! An expectation as the words of its slot.

use packet::{Family, Tuple, TupleL4};
use program::{Helper, LabelId};

use super::{Ends, Expectation, Follow, Master};
use crate::conntrack::entry::{Dir, FlowId};
use crate::conntrack::slots::{Content, from_words, to_words};
use crate::time::Time;

pub(super) const WORDS: usize = 21;

impl<F: Family> Content<WORDS> for Expectation<F> {
    fn encode(&self, version: u32) -> [u64; WORDS] {
        encode(self, version)
    }

    fn decode(words: &[u64; WORDS]) -> Option<Self> {
        decode(words)
    }

    /// A flow could fulfil both.
    fn excludes(&self, other: &Self) -> bool {
        self.zone == other.zone && self.ends.meets(&other.ends)
    }

    fn expires(&self) -> Time {
        self.expires
    }
}

pub(super) const MARK_WORD: usize = 7;
pub(super) const LABEL_WORD: usize = 13;
const EXPIRES_WORD: usize = 8;

const HAS_SRC: u64 = 1;
const HAS_SPORT: u64 = 2;
const HAS_FOLLOW: u64 = 4;
const REPLY: u64 = 8;
const STAYS: u64 = 16;
const IS_OPEN: u64 = 32;
const HAS_FROM: u64 = 64;
const PAIRS: u64 = 128;
const IS_TOLD: u64 = 256;

pub(super) fn encode<F: Family>(of: &Expectation<F>, version: u32) -> [u64; WORDS] {
    let Expectation { ends, zone, master, by, is_told, class, mark, label, dir, follow, helper, stays, is_open, expires } = *of;
    let only_from = follow.and_then(|follow| follow.only_from);
    let bits = [
        (ends.src.is_some(), HAS_SRC),
        (ends.sport.is_some(), HAS_SPORT),
        (follow.is_some(), HAS_FOLLOW),
        (dir == Dir::Reply, REPLY),
        (stays, STAYS),
        (is_open, IS_OPEN),
        (only_from.is_some(), HAS_FROM),
        (follow.is_some_and(|follow| follow.pairs), PAIRS),
        (is_told, IS_TOLD),
    ];
    let flags = bits.into_iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit);
    let [src_high, src_low] = to_words(ends.src.unwrap_or_default());
    let [dst_high, dst_low] = to_words(ends.dst);
    let [source_high, source_low] = to_words(follow.map(|follow| follow.source).unwrap_or_default());
    let [to_high, to_low] = to_words(follow.map(|follow| follow.destination.0).unwrap_or_default());
    let [from_high, from_low] = to_words(only_from.unwrap_or_default());
    let [by_src_high, by_src_low] = to_words(by.src);
    let [by_dst_high, by_dst_low] = to_words(by.dst);
    // Helpers read nothing else.
    let (by_sport, by_dport) = if let TupleL4::Ports { src, dst } = by.l4 { (src, dst) } else { (0, 0) };
    let to_port = follow.map_or(0, |follow| follow.destination.1);
    [
        src_high,
        src_low,
        dst_high,
        dst_low,
        u64::from(ends.sport.unwrap_or(0)) << 48
            | u64::from(ends.dport) << 32
            | u64::from(ends.protocol) << 24
            | u64::from(class) << 16
            | flags,
        u64::from(zone) << 48
            | u64::from(master.worker) << 32
            | u64::from(master.helper as u8) << 16
            | u64::from(to_port)
            | helper.map_or(0, |helper| u64::from(helper as u8) + 1) << 24,
        u64::from(master.flow.slot) << 32 | u64::from(master.flow.generation),
        u64::from(mark) << 32 | u64::from(version),
        expires.0,
        source_high,
        source_low,
        to_high,
        to_low,
        u64::from(label.0) << 32 | u64::from(version),
        from_high,
        from_low,
        by_src_high,
        by_src_low,
        by_dst_high,
        by_dst_low,
        u64::from(by_sport) << 48 | u64::from(by_dport) << 32 | u64::from(by.protocol),
    ]
}

pub(super) fn decode<F: Family>(words: &[u64; WORDS]) -> Option<Expectation<F>> {
    let flags = words[4];
    let has = |bit| flags & bit != 0;
    let follow = Follow {
        source: from_words([words[9], words[10]])?,
        only_from: if has(HAS_FROM) { Some(from_words([words[14], words[15]])?) } else { None },
        pairs: has(PAIRS),
        destination: (from_words([words[11], words[12]])?, words[5] as u16),
    };
    Some(Expectation {
        ends: Ends {
            src: if has(HAS_SRC) { Some(from_words([words[0], words[1]])?) } else { None },
            sport: has(HAS_SPORT).then_some((words[4] >> 48) as u16),
            dst: from_words([words[2], words[3]])?,
            dport: (words[4] >> 32) as u16,
            protocol: (words[4] >> 24) as u8,
        },
        zone: (words[5] >> 48) as u16,
        master: Master {
            worker: (words[5] >> 32) as u16,
            flow: FlowId { slot: (words[6] >> 32) as u32, generation: words[6] as u32 },
            helper: *Helper::ALL.get(usize::from((words[5] >> 16) as u8))?,
        },
        by: Tuple {
            src: from_words([words[16], words[17]])?,
            dst: from_words([words[18], words[19]])?,
            protocol: words[20] as u8,
            l4: TupleL4::Ports { src: (words[20] >> 48) as u16, dst: (words[20] >> 32) as u16 },
        },
        is_told: has(IS_TOLD),
        class: (words[4] >> 16) as u8,
        mark: (words[MARK_WORD] >> 32) as u32,
        label: LabelId((words[LABEL_WORD] >> 32) as u32),
        dir: if has(REPLY) { Dir::Reply } else { Dir::Original },
        follow: has(HAS_FOLLOW).then_some(follow),
        helper: usize::from((words[5] >> 24) as u8).checked_sub(1).and_then(|at| Helper::ALL.get(at).copied()),
        stays: has(STAYS),
        is_open: has(IS_OPEN),
        expires: Time(words[EXPIRES_WORD]),
    })
}
