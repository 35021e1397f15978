//! How much of the heap is in use.

/// Bytes that this process has from `malloc` and did not give back, `malloc`'s own share of each included. By the C library's count, so what it
/// keeps ready for the same thread (a few kilobytes) is in it.
pub fn in_use() -> usize {
    // SAFETY: it takes nothing, and fills a structure that it returns by value.
    let counted = unsafe { libc::mallinfo2() };
    counted.uordblks + counted.hblkhd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_given_back_is_seen() {
        // Larger than what other tests in threads beside this one take.
        const BYTES: usize = 256 << 20;
        let before = in_use();
        let taken: Vec<u8> = Vec::with_capacity(BYTES);
        let meanwhile = in_use();
        drop(taken);
        let after = in_use();
        assert!(meanwhile >= before + BYTES / 2, "{before} before, {meanwhile} meanwhile");
        assert!(after + BYTES / 2 <= meanwhile, "{meanwhile} meanwhile, {after} after");
    }
}
