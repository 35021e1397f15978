//! `-m statistic --mode random`: each packet on its own, with a probability (`xt_statistic.c`).

use crate::rng::Rng;

/// Draws 31 bits; true when they are below the threshold.
#[inline]
pub(crate) fn hit(rng: &mut Rng, threshold: u32) -> bool {
    rng.next_u32() & 0x7fff_ffff < threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_a_probability_times_two_to_the_31() {
        let mut rng = Rng::new(1);
        let share = |threshold| (0..10_000).filter(|_| hit(&mut rng, threshold)).count();
        let [never, third, always] = [0, 0x2aaa_aaab, 0x8000_0000].map(share);
        assert_eq!(never, 0);
        assert!((3100..3570).contains(&third), "{third}");
        assert_eq!(always, 10_000);
    }
}
