//! `-s`, `-d`, `-i`, `-o`, `-p` and `-f`.

use packet::Family;
use program::{HeaderTest, InterfacePattern, Invert, PatternId};
use rules::{FragmentMatch, Header, InterfaceMatch};

use super::{Lowering, addr};
use crate::error::Reason;

impl<F: Family> Lowering<'_, F> {
    pub(super) fn header(&mut self, header: &Header) -> Result<HeaderTest<F>, Reason> {
        let mut test = HeaderTest::any();
        let [src, dst] = header.addresses.both();
        (test.src, test.src_mask) = (addr::<F>(src.addr)?, addr::<F>(src.mask)?);
        (test.dst, test.dst_mask) = (addr::<F>(dst.addr)?, addr::<F>(dst.mask)?);
        test.invert.set(Invert::SRC, src.invert);
        test.invert.set(Invert::DST, dst.invert);
        test.in_interface = self.interface(&header.in_interface)?;
        test.invert.set(Invert::IN, header.in_interface.invert);
        test.out_interface = self.interface(&header.out_interface)?;
        test.invert.set(Invert::OUT, header.out_interface.invert);
        if !header.protocol.is_any() {
            test.protocol = Some(header.protocol.number);
            test.invert.set(Invert::PROTOCOL, header.protocol.invert);
        }
        match header.fragment {
            FragmentMatch::Any => {}
            FragmentMatch::Later => test.fragment = true,
            FragmentMatch::NotLater => {
                test.fragment = true;
                test.invert.insert(Invert::FRAGMENT);
            }
        }
        Ok(test)
    }

    /// The pattern of an interface test: `None` for one that every packet passes. `! -i +` keeps its pattern, and no packet passes it.
    fn interface(&mut self, test: &InterfaceMatch) -> Result<Option<PatternId>, Reason> {
        if test.is_any() {
            return Ok(None);
        }
        self.pattern(InterfacePattern { name: test.name.to_string(), prefix: test.wildcard }).map(Some)
    }

    /// The place of a pattern; those who name the same share it.
    pub(super) fn pattern(&mut self, pattern: InterfacePattern) -> Result<PatternId, Reason> {
        if let Some(id) = self.patterns.get(&pattern) {
            return Ok(*id);
        }
        let id = u16::try_from(self.table.patterns.len()).map_err(|_| Reason::TooMany("interface names"))?;
        self.table.patterns.push(pattern.clone());
        self.patterns.insert(pattern, PatternId(id));
        Ok(PatternId(id))
    }
}
