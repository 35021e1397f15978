//! The DCCP header (RFC 4340).

/// Length in bytes of the part that every packet has.
pub const HEADER_LEN: usize = 12;

/// What rules read of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dccp {
    /// The packet's type, 0 to 15.
    pub kind: u8,
    /// Length of the header in bytes, as the data offset has it.
    pub len: usize,
    /// The header goes on with the rest of a long sequence number.
    extended: bool,
}

/// Reads it.
pub fn read(header: &[u8; HEADER_LEN]) -> Dccp {
    Dccp { kind: header[8] >> 1 & 15, len: usize::from(header[4]) * 4, extended: header[8] & 1 != 0 }
}

impl Dccp {
    /// Length of the part that every packet of its kind of sequence numbers has.
    fn basic_len(&self) -> usize {
        if self.extended { HEADER_LEN + 4 } else { HEADER_LEN }
    }

    /// Length of the header without options, by the packet's type; a reserved one is taken for the longest.
    pub fn least_len(&self) -> usize {
        const REQUEST: u8 = 0;
        const RESPONSE: u8 = 1;
        const DATA: u8 = 2;
        self.basic_len()
            + match self.kind {
                DATA => 0,
                REQUEST => 4,
                RESPONSE | 7 | 10.. => 12,
                _ => 8,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_length_goes_by_the_type() {
        let of = |kind: u8, extended: u8| {
            let mut header = [0; HEADER_LEN];
            header[8] = 0xe0 | kind << 1 | extended;
            read(&header)
        };
        let lengths: Vec<usize> = (0..16).map(|kind| of(kind, 0).least_len() - HEADER_LEN).collect();
        assert_eq!(lengths, [4, 12, 0, 8, 8, 8, 8, 12, 8, 8, 12, 12, 12, 12, 12, 12]);
        assert_eq!((of(2, 1).kind, of(2, 1).least_len()), (2, 16));
    }
}
