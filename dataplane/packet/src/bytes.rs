//! Checked reads and writes of big-endian words.

/// The 16-bit word at `at`, or `None` past the end.
#[inline]
pub(crate) fn read16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|b| u16::from_be_bytes(*b))
}

/// The 32-bit word at `at`, or `None` past the end.
#[inline]
pub(crate) fn read32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b))
}

/// Writes a 16-bit word at `at`; `None`, and nothing written, past the end.
#[inline]
pub(crate) fn write16(bytes: &mut [u8], at: usize, value: u16) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}

/// Writes a 32-bit word at `at`; `None`, and nothing written, past the end.
#[inline]
pub(crate) fn write32(bytes: &mut [u8], at: usize, value: u32) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}
