//! GRE (RFC 2784), and the enhanced one of PPTP (RFC 2637), whose key names a call.

use crate::bytes::read16;
use crate::header::L4;

/// Bytes of the enhanced header that are read: flags, protocol, payload length, call.
const ENHANCED_LEN: usize = 8;
const VERSION: u16 = 0x0007;
const ENHANCED: u16 = 1;
/// PPP, the only protocol of the enhanced header.
const PPP: u16 = 0x880b;

/// Reads a header. One that is cut short, or of another version, tells nothing.
pub(crate) fn read(payload: &[u8]) -> L4 {
    match payload.get(..ENHANCED_LEN).and_then(|header| Some((read16(header, 0)?, read16(header, 2)?, read16(header, 6)?))) {
        Some((flags, protocol, call)) if flags & VERSION == ENHANCED => L4::EnhancedGre { is_ppp: protocol == PPP, call },
        _ => L4::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_enhanced_header_names_a_call() {
        let enhanced = [0x30, 0x01, 0x88, 0x0b, 0, 4, 0x12, 0x34];
        assert_eq!(read(&enhanced), L4::EnhancedGre { is_ppp: true, call: 0x1234 });
        assert_eq!(read(&[0x30, 0x01, 0x08, 0x00, 0, 4, 0, 1]), L4::EnhancedGre { is_ppp: false, call: 1 });
        assert_eq!(read(&enhanced[..7]), L4::Other, "cut short");
        assert_eq!(read(&[0x20, 0x00, 0x88, 0x0b, 0, 4, 0x12, 0x34]), L4::Other, "another version");
    }
}
