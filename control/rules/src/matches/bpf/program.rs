//! Which programs the kernel takes: its check of classic filters (`net/core/filter.c`, BPF's own paper for the instructions).
use super::Instruction;

// Classes of instructions: the lower three bits.
const LD: u16 = 0;
const LDX: u16 = 1;
const ST: u16 = 2;
const STX: u16 = 3;
const ALU: u16 = 4;
const JMP: u16 = 5;
const RET: u16 = 6;
const MISC: u16 = 7;

/// The operand is the register X; else the number of the instruction.
const X: u16 = 8;
/// Where the accumulator is what is returned.
const A: u16 = 0x10;

// Sizes and modes of loads.
const WORD: u16 = 0;
const HALF: u16 = 8;
const BYTE: u16 = 0x10;
const IMMEDIATE: u16 = 0;
const ABSOLUTE: u16 = 0x20;
const INDIRECT: u16 = 0x40;
const MEMORY: u16 = 0x60;
const LENGTH: u16 = 0x80;
const HEADER_LENGTH: u16 = 0xa0;

// Arithmetic.
const DIV: u16 = 0x30;
const SHIFT_LEFT: u16 = 0x60;
const SHIFT_RIGHT: u16 = 0x70;
const NEG: u16 = 0x80;
const MOD: u16 = 0x90;
const XOR: u16 = 0xa0;

// Jumps.
const ALWAYS: u16 = 0;
const ANY_SET: u16 = 0x40;

/// Words of memory that a program has.
const MEMORY_WORDS: u32 = 16;
/// From here on, absolute loads read facts about the packet in place of its bytes, at every fourth place.
const FACTS: u32 = 0xffff_f000;
/// Facts that there are.
const FACT_COUNT: u32 = 16;

/// Whether the kernel would run it: only instructions that it has, jumps that stay inside, a return at the end, and no word of memory read
/// before it was written.
pub(super) fn can_run(program: &[Instruction]) -> bool {
    let is_fine = |(at, instruction): (usize, &Instruction)| is_known(instruction) && stays_inside(program, at, instruction);
    program.iter().enumerate().all(is_fine)
        && program.last().is_some_and(|last| last.code & 7 == RET)
        && reads_what_was_written(program)
}

fn is_known(Instruction { code, k, .. }: &Instruction) -> bool {
    let (class, rest) = (code & 7, code & !7);
    match class {
        LD => match rest & 0xe0 {
            ABSOLUTE => matches!(rest & 0x1f, WORD | HALF | BYTE) && is_readable(*k),
            INDIRECT => matches!(rest & 0x1f, WORD | HALF | BYTE),
            MEMORY => rest == MEMORY && *k < MEMORY_WORDS,
            _ => matches!(rest, IMMEDIATE | LENGTH),
        },
        LDX => match rest {
            IMMEDIATE | LENGTH => true,
            MEMORY => *k < MEMORY_WORDS,
            _ => rest == HEADER_LENGTH | BYTE,
        },
        ST | STX => rest == 0 && *k < MEMORY_WORDS,
        ALU => match rest {
            DIV | MOD => *k != 0,
            SHIFT_LEFT | SHIFT_RIGHT => *k < 32,
            _ => rest == NEG || (rest & !X <= XOR && rest & !X != NEG),
        },
        JMP => rest == ALWAYS || (rest & !X <= ANY_SET && rest & !X != ALWAYS),
        RET => matches!(rest, 0 | A),
        MISC => matches!(rest, 0 | 0x80),
        _ => false,
    }
}

/// Bytes of the packet, or a fact that there is.
fn is_readable(k: u32) -> bool {
    k < FACTS || (k.is_multiple_of(4) && (k - FACTS) / 4 < FACT_COUNT)
}

/// Where the instruction may go on: one place, or two for a comparison, counted from the one behind it.
fn jumps(Instruction { code, jump_true, jump_false, k }: &Instruction) -> [u32; 2] {
    match (code & 7, code & 0xf0) {
        (JMP, ALWAYS) => [*k, *k],
        (JMP, _) => [u32::from(*jump_true), u32::from(*jump_false)],
        _ => [0, 0],
    }
}

fn stays_inside(program: &[Instruction], at: usize, instruction: &Instruction) -> bool {
    let behind = (program.len() - at - 1) as u32;
    instruction.code & 7 != JMP || jumps(instruction).into_iter().all(|jump| jump < behind)
}

/// Jumps lead forward only, so one pass knows what was written on every way to an instruction.
fn reads_what_was_written(program: &[Instruction]) -> bool {
    let mut written_before = vec![u16::MAX; program.len()];
    let mut written = 0;
    for (at, instruction) in program.iter().enumerate() {
        written &= written_before[at];
        let bit = 1u16.checked_shl(instruction.k).unwrap_or(0);
        match (instruction.code & 7, instruction.code & 0xe0) {
            (ST | STX, _) => written |= bit,
            (LD | LDX, MEMORY) if written & bit == 0 => return false,
            (JMP, _) => {
                for jump in jumps(instruction) {
                    if let Some(before) = written_before.get_mut(at + 1 + jump as usize) {
                        *before &= written;
                    }
                }
                written = u16::MAX;
            }
            _ => {}
        }
    }
    true
}
