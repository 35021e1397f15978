//! Touching ahead.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks the processor to bring all of `place` near, and does not wait for it. Does nothing on processors for which that is not written.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    let mut offset = 0;
    while offset < size_of::<T>() {
        #[cfg(target_arch = "x86_64")]
        {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: the address lies within a live reference, and a prefetch reads nothing that the program can see.
            unsafe { _mm_prefetch::<_MM_HINT_T0>((place as *const T).cast::<i8>().add(offset)) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = place;
        offset += LINE;
    }
}
