//! What SYNPROXY makes of its own secret and clock: the number and the timestamp with which it greets a client. They are each system's own; all
//! that is counted from them must be the same.

use std::collections::BTreeSet;

use crate::frame::{View, checksum, long, octets};

/// By how much ours are ahead of the kernel's.
#[derive(Default)]
pub(super) struct Cookies {
    numbers: BTreeSet<u32>,
    stamps: BTreeSet<u32>,
}

const SYN_ACK: u8 = 0x12;
/// Low bits of a greeting's timestamp, which say what the client asked for.
const KEPT: u32 = 0x3f;

impl Cookies {
    /// Makes a TCP packet of the kernel's ours, as far as it hangs on cookies that were seen. A SYN/ACK with a shut window is a greeting: it may
    /// have any number, and any timestamp with the same low bits. Everywhere else what differs must do so by what two greetings do,
    /// forwards or backwards: what has nothing to do with a cookie is shifted by it all the same. The checksum must have been right.
    pub(super) fn align(&mut self, theirs: &mut [u8], ours: &[u8]) {
        let Some(view) = View::of(theirs).filter(|view| view.protocol == 6 && !view.later) else { return };
        let (at, addresses) = (view.l4, [octets(view.src), octets(view.dst)].concat());
        let (Some(segment), Some(others)) = (theirs.get(at..), ours.get(at..)) else { return };
        let header = segment.get(12).map_or(0, |offset| usize::from(offset >> 4) * 4);
        if header < 20 || segment.len() < header || others.len() != segment.len() || sum(&addresses, segment) != 0 {
            return;
        }
        let (numbers, stamps) = places(&segment[..header]);
        let greets = |segment: &[u8]| segment[13] & SYN_ACK == SYN_ACK && segment[14..16] == [0, 0];
        let ahead = |at: usize| long(others, at).unwrap_or(0).wrapping_sub(long(segment, at).unwrap_or(0));
        if greets(segment) && greets(others) {
            self.numbers.insert(ahead(4));
            self.stamps.extend(stamps.first().map(|at| ahead(*at)).filter(|ahead| ahead & KEPT == 0));
        }
        let by = |known: &BTreeSet<u32>, at| known.contains(&ahead(at)) || known.contains(&ahead(at).wrapping_neg());
        let mut changes: Vec<usize> = numbers.into_iter().filter(|at| by(&self.numbers, *at)).collect();
        changes.extend(stamps.into_iter().filter(|at| by(&self.stamps, *at)));
        for place in changes {
            theirs[at + place..at + place + 4].copy_from_slice(&ours[at + place..at + place + 4]);
        }
        theirs[at + 16..at + 18].fill(0);
        let sum = sum(&addresses, &theirs[at..]);
        theirs[at + 16..at + 18].copy_from_slice(&sum.to_be_bytes());
    }
}

fn sum(addresses: &[u8], segment: &[u8]) -> u16 {
    let len = segment.len() as u16;
    checksum(&[addresses, &[0, 6], &len.to_be_bytes(), segment].concat())
}

/// Where numbers stand in a header, and where timestamps.
fn places(header: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let (mut numbers, mut stamps) = (vec![4, 8], Vec::new());
    let mut at = 20;
    while let Some(&kind) = header.get(at) {
        let len = match kind {
            0 => break,
            1 => 1,
            _ => usize::from(header.get(at + 1).copied().unwrap_or(0)),
        };
        if len == 0 || at + len > header.len() {
            break;
        }
        match (kind, len) {
            (8, 10) => stamps.extend([at + 2, at + 6]),
            (5, _) => numbers.extend((at + 2..at + len).step_by(4)),
            _ => {}
        }
        at += len;
    }
    (numbers, stamps)
}
