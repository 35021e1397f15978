//! What few flows have: a helper that reads them, or a master that announced them.
//!
//! In a slab beside the table, fixed at boot; a flow points into it from its rare attributes. Written and read by the worker that owns the flow.

use packet::Family;
use program::Helper;

use super::expect::{Follow, Master, Own};
use super::seqadj::SeqAdj;
use crate::helper::ftp::Lines;
use crate::helper::sip::Dialogue;

/// One flow's.
#[derive(Clone, Debug)]
pub struct Assist<F: Family> {
    /// The helper that reads it.
    pub(crate) helper: Option<Helper>,
    /// Who announced it.
    pub(crate) master: Option<Master>,
    /// Where the first packet of that one came from, before all translation.
    pub(crate) began_at: Option<F::Addr>,
    /// How it is to be translated, until that is done.
    pub(crate) follow: Option<Follow<F>>,
    /// What it expects.
    pub(crate) own: Own,
    /// Shifts of numbers by rewriting, per direction.
    pub(crate) seq: [SeqAdj; 2],
    /// FTP's lines, per direction.
    pub(crate) lines: [Lines; 2],
    /// SIP's.
    pub(crate) sip: Dialogue,
}

impl<F: Family> Default for Assist<F> {
    fn default() -> Self {
        Self {
            helper: None,
            master: None,
            began_at: None,
            follow: None,
            own: Own::default(),
            seq: [SeqAdj::default(); 2],
            lines: [Lines::default(); 2],
            sip: Dialogue::default(),
        }
    }
}

impl<F: Family> Assist<F> {
    /// The helper that reads the flow.
    pub fn helper(&self) -> Option<Helper> {
        self.helper
    }

    /// The flow that announced it.
    pub fn master(&self) -> Option<Master> {
        self.master
    }
}

/// The slab. Numbers count from 1; 0 is none.
pub(crate) struct Assists<F: Family> {
    cells: Vec<Cell<F>>,
    most: u32,
    free: u32,
    live: u32,
}

struct Cell<F: Family> {
    assist: Assist<F>,
    /// Next in the list of free cells.
    next: u32,
}

/// A flow with rare attributes in so many has a helper, or was announced by one.
const SHARE: u32 = 4;

impl<F: Family> Assists<F> {
    /// For a table in which so many flows have rare attributes.
    pub(crate) fn new(extras: u32) -> Self {
        let most = extras.div_ceil(SHARE);
        Self { cells: Vec::with_capacity(most as usize), most, free: 0, live: 0 }
    }

    /// Bytes of such a slab.
    pub(crate) fn bytes(extras: u32) -> usize {
        extras.div_ceil(SHARE) as usize * size_of::<Cell<F>>()
    }

    /// Has the kernel back it now.
    pub(crate) fn set_aside(&mut self) -> Result<(), memory::Short> {
        memory::set_aside(self.cells.spare_capacity_mut())
    }

    fn cell(number: u32) -> usize {
        (number as usize).wrapping_sub(1)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Assist<F>> {
        self.cells.get(Self::cell(number)).map(|cell| &cell.assist)
    }

    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut Assist<F>> {
        self.cells.get_mut(Self::cell(number)).map(|cell| &mut cell.assist)
    }

    /// The number of a new entry; `None` without room.
    pub(crate) fn insert(&mut self, assist: Assist<F>) -> Option<u32> {
        let number = if let Some(cell) = self.cells.get_mut(Self::cell(self.free)) {
            let number = core::mem::replace(&mut self.free, cell.next);
            cell.assist = assist;
            number
        } else if self.cells.len() < self.most as usize {
            self.cells.push(Cell { assist, next: 0 });
            self.cells.len() as u32
        } else {
            return None;
        };
        self.live += 1;
        Some(number)
    }

    /// Gives one back; nothing for 0.
    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(cell) = self.cells.get_mut(Self::cell(number)) {
            cell.next = core::mem::replace(&mut self.free, number);
            self.live -= 1;
        }
    }

    /// Entries in use.
    pub(crate) fn len(&self) -> usize {
        self.live as usize
    }
}
