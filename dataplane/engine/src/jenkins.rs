//! The hash by which the kernel spreads what several share: addresses of a pool, connections of a cluster, packets by their marks.

/// `hashword` of lookup3 (Bob Jenkins, May 2006, public domain) over these words, of which there is one at least.
pub(crate) fn hash<const WORDS: usize>(words: [u32; WORDS], seed: u32) -> u32 {
    const { assert!(WORDS > 0) };
    let mut state = [0xdead_beef_u32.wrapping_add(4 * WORDS as u32).wrapping_add(seed); 3];
    let mut rest = &words[..];
    while let [a, b, c, more @ ..] = rest
        && !more.is_empty()
    {
        state = mix(add(state, &[*a, *b, *c]));
        rest = more;
    }
    end(add(state, rest))
}

fn add(mut state: [u32; 3], words: &[u32]) -> [u32; 3] {
    state.iter_mut().zip(words).for_each(|(part, word)| *part = part.wrapping_add(*word));
    state
}

fn mix([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
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
    [a, b, c]
}

fn end([mut a, mut b, mut c]: [u32; 3]) -> u32 {
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
