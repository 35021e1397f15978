//! `cluster`: which node a connection falls to, by Bob Jenkins' lookup3 (public domain) of the source address.

use std::net::IpAddr;

/// The node, counted from 0, of so many. Of an IPv6 address the first 32 bits count alone.
pub fn node(source: IpAddr, total: u8, seed: u32) -> u8 {
    let first = match source {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.octets();
            [a, b, c, d]
        }
    };
    // As the machines read it on which the kernel was seen.
    let hash = lookup3([u32::from_le_bytes(first), 0, 0], 4, seed);
    ((u64::from(hash) * u64::from(total)) >> 32) as u8
}

/// Of up to three words, of which so many bytes count.
pub(crate) fn lookup3(words: [u32; 3], bytes: u32, seed: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes).wrapping_add(seed);
    let mut state = words.map(|word| start.wrapping_add(word));
    // Each of the three in turn is changed by the one that was changed before it.
    for (round, by) in [14, 11, 25, 16, 4, 14, 24].into_iter().enumerate() {
        let [changed, by_which] = [(round + 2) % 3, (round + 1) % 3];
        state[changed] = (state[changed] ^ state[by_which]).wrapping_sub(state[by_which].rotate_left(by));
    }
    state[2]
}
