//! The hash by which the kernel spreads what several share: addresses of a pool, connections of a cluster.

/// `hashword` of lookup3 (Bob Jenkins, May 2006, public domain) over four words.
pub(crate) fn words(words: [u32; 4], seed: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(16).wrapping_add(seed);
    let (mut a, mut b, mut c) = (start.wrapping_add(words[0]), start.wrapping_add(words[1]), start.wrapping_add(words[2]));
    let step = |x: &mut u32, minus: u32, rotate: u32| *x = x.wrapping_sub(minus) ^ minus.rotate_left(rotate);
    step(&mut a, c, 4);
    c = c.wrapping_add(b);
    step(&mut b, a, 6);
    a = a.wrapping_add(c);
    step(&mut c, b, 8);
    b = b.wrapping_add(a);
    step(&mut a, c, 16);
    c = c.wrapping_add(b);
    step(&mut b, a, 19);
    a = a.wrapping_add(c);
    step(&mut c, b, 4);
    b = b.wrapping_add(a);

    end(a.wrapping_add(words[3]), b, c)
}

/// The same over three words.
pub(crate) fn three(words: [u32; 3], seed: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(12).wrapping_add(seed);
    let [a, b, c] = words.map(|word| start.wrapping_add(word));
    end(a, b, c)
}

/// The same over one word.
pub(crate) fn word(word: u32, seed: u32) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(4).wrapping_add(seed);
    end(start.wrapping_add(word), start, start)
}

fn end(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    let step = |x: &mut u32, with: u32, rotate: u32| *x = (*x ^ with).wrapping_sub(with.rotate_left(rotate));
    step(&mut c, b, 14);
    step(&mut a, c, 11);
    step(&mut b, a, 25);
    step(&mut c, b, 16);
    step(&mut a, c, 4);
    step(&mut b, a, 14);
    step(&mut c, b, 24);
    c
}
