//! The number that a client is greeted with: who it is, when, and what it said of its segments, so that nobody else can have made it.
//!
//! The sum is built as the kernel's is (`secure_tcp_syn_cookie`), with keys of our own: what a wrong number turns out to be is the same then. The
//! keys are one for all workers, because an ACK may come to another one than its SYN did.

use packet::{Family, FamilyId, family::Addr};
use siphasher::sip::SipHasher24;

use crate::time::Time;

/// Minutes that a cookie holds: this one and the one before.
const HOLDS: u32 = 2;
const MINUTE: u64 = 60;
/// The lower part of a number, which holds the MSS; above it stands the minute.
const LOW: u32 = 0x00ff_ffff;

/// The sizes between which a cookie tells (`msstab`), per family.
const fn sizes(family: FamilyId) -> [u16; 4] {
    match family {
        FamilyId::Ipv4 => [536, 1300, 1440, 1460],
        FamilyId::Ipv6 => [1220, 1420, 1440, 8940],
    }
}

/// The two ends, and what the client counts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client<F: Family> {
    pub(crate) from: (F::Addr, u16),
    pub(crate) to: (F::Addr, u16),
    pub(crate) isn: u32,
}

/// The keys. Drawn at boot, never changed.
#[derive(Clone, Debug)]
pub(crate) struct Cookies([SipHasher24; 2]);

impl Cookies {
    pub(crate) fn new(keys: [[u64; 2]; 2]) -> Self {
        Self(keys.map(|key| SipHasher24::new_with_keys(key[0], key[1])))
    }

    /// The cookie for a client that has announced this MSS, 0 if none.
    pub(crate) fn make<F: Family>(&self, client: &Client<F>, mss: u16, now: Time) -> u32 {
        let sizes = sizes(F::ID);
        let size = sizes.iter().rposition(|size| *size <= mss).unwrap_or(0) as u32;
        let minute = minute(now);
        let low = self.hash(1, client, minute).wrapping_add(size) & LOW;
        self.hash(0, client, 0).wrapping_add(client.isn).wrapping_add(minute << 24).wrapping_add(low)
    }

    /// The MSS that is in a cookie; `None` when it is none, or has become too old.
    pub(crate) fn check<F: Family>(&self, client: &Client<F>, cookie: u32, now: Time) -> Option<u16> {
        let rest = cookie.wrapping_sub(self.hash(0, client, 0)).wrapping_sub(client.isn);
        let minute = minute(now);
        let age = minute.wrapping_sub(rest >> 24) & 0xff;
        if age >= HOLDS {
            return None;
        }
        let size = rest.wrapping_sub(self.hash(1, client, minute.wrapping_sub(age))) & LOW;
        sizes(F::ID).get(size as usize).copied()
    }

    fn hash<F: Family>(&self, which: usize, client: &Client<F>, minute: u32) -> u32 {
        let mut bytes = [0; 40];
        let len = F::Addr::LEN;
        client.from.0.write(&mut bytes);
        client.to.0.write(&mut bytes[len..]);
        bytes[2 * len..2 * len + 2].copy_from_slice(&client.from.1.to_le_bytes());
        bytes[2 * len + 2..2 * len + 4].copy_from_slice(&client.to.1.to_le_bytes());
        bytes[2 * len + 4..2 * len + 8].copy_from_slice(&minute.to_le_bytes());
        self.0[which].hash(&bytes[..2 * len + 8]) as u32
    }
}

fn minute(now: Time) -> u32 {
    (now.seconds() / MINUTE) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use packet::{Ipv4, Ipv6};

    const NOW: Time = Time(59_000_000_000);

    fn cookies() -> Cookies {
        Cookies::new([[1, 2], [3, 4]])
    }

    fn client(port: u16) -> Client<Ipv4> {
        Client { from: (0x0a00_0002, port), to: (0x0a00_0102, 80), isn: 0xffff_fff0 }
    }

    #[test]
    fn a_cookie_brings_back_the_largest_size_that_was_not_too_large() {
        let cookies = cookies();
        for (mss, kept) in [(0, 536), (536, 536), (1299, 536), (1300, 1300), (1459, 1440), (1460, 1460), (u16::MAX, 1460)] {
            let cookie = cookies.make(&client(1), mss, NOW);
            assert_eq!(cookies.check(&client(1), cookie, NOW), Some(kept), "{mss}");
        }
        let six = Client::<Ipv6> { from: (2, 1), to: (3, 80), isn: 5 };
        assert_eq!(cookies.check(&six, cookies.make(&six, 9000, NOW), NOW), Some(8940));
    }

    #[test]
    fn it_holds_for_its_minute_and_the_next() {
        let cookie = cookies().make(&client(1), 1460, NOW);
        let after = |seconds: u64| cookies().check(&client(1), cookie, NOW.plus_millis(seconds * 1000));
        assert_eq!((after(0), after(1), after(60), after(61)), (Some(1460), Some(1460), Some(1460), None));
    }

    #[test]
    fn it_is_nobody_elses() {
        let cookies = cookies();
        let cookie = cookies.make(&client(1), 1460, NOW);
        let others = [
            client(2),
            Client { isn: 7, ..client(1) },
            Client { to: (0x0a00_0102, 81), ..client(1) },
            Client { from: (0x0a00_0003, 1), ..client(1) },
        ];
        for other in others {
            assert_eq!(cookies.check(&other, cookie, NOW), None, "{other:?}");
        }
        assert_eq!(Cookies::new([[1, 2], [3, 5]]).check(&client(1), cookie, NOW), None, "other keys");
        let guessed = (0..100_000u32).filter(|guess| cookies.check(&client(1), guess.wrapping_mul(0x9e37_79b9), NOW).is_some());
        assert!(guessed.count() <= 1, "eight numbers in 2^32 hold");
    }
}
