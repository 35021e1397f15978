//! `-m bpf`: a program of the classic Berkeley packet filter.
mod program;

use super::Place;
use crate::Match;
use crate::error::{KernelError, UsageError};
use crate::number;
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value};
use std::fmt;

/// Holds when the program, run over the packet from its IP header on, returns anything but 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bpf {
    /// 1 to 64 instructions; the check refuses those that the kernel would not run.
    pub program: Box<[Instruction]>,
}

/// One instruction, as in the kernel's `sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Instructions that are passed over if the comparison holds.
    pub jump_true: u8,
    /// Instructions that are passed over if it does not.
    pub jump_false: u8,
    /// The operand.
    pub k: u32,
}

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "bpf", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("bytecode", Arg::Own { shape: "LENGTH,CODE JT JF K[,...]", read: read_program }),
    // An object of the kernel's: there is none to find between two ports.
    Opt::new("object-pinned", Arg::NotSupported),
];
/// Most instructions of a program.
const MOST: u64 = 64;

/// The count, and the instructions as four decimal numbers each. Four for each instruction are handed on.
fn read_program(reading: &Reading<'_>) -> Result<Value, UsageError> {
    let (count, rest) = reading.word.split_once(',').ok_or(UsageError::Needs("bpf: error parsing program length"))?;
    let count = number::whole(count, 0, u64::MAX).ok_or(UsageError::Needs("bpf: error parsing program length"))?;
    if count == 0 {
        return Err(UsageError::Needs("bpf: illegal zero length program"));
    }
    if count > MOST {
        return Err(UsageError::Needs("bpf: number of instructions exceeds maximum"));
    }
    let mut numbers = Vec::new();
    let rest = rest.strip_suffix(',').unwrap_or(rest);
    for (at, text) in rest.split(',').filter(|_| !rest.is_empty()).enumerate() {
        if at as u64 == count {
            return Err(UsageError::Needs("bpf: real program length exceeds the encoded length parameter"));
        }
        numbers.extend(read_instruction(text).ok_or_else(|| UsageError::Own(format!("bpf: error at instr {at}")))?);
    }
    if numbers.len() as u64 != 4 * count {
        return Err(UsageError::Needs("bpf: parsed program length is less than the encoded length parameter"));
    }
    Ok(Value::Numbers(numbers))
}

/// What the real one cuts to the bits that the kernel has is refused.
fn read_instruction(text: &str) -> Option<[u32; 4]> {
    let numbers: Option<Vec<u32>> = text.split_whitespace().map(|word| word.parse().ok()).collect();
    let [code, jump_true, jump_false, k] = numbers?.try_into().ok()?;
    let fits = code <= u16::MAX.into() && jump_true <= u8::MAX.into() && jump_false <= u8::MAX.into();
    fits.then_some([code, jump_true, jump_false, k])
}

fn build(given: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    let numbers = given.numbers("bytecode").ok_or(UsageError::Needs("bpf: one of --bytecode or --pinned is required"))?;
    let (instructions, _) = numbers.as_chunks::<4>();
    let instruction = |[code, jump_true, jump_false, k]: &[u32; 4]| Instruction {
        code: *code as u16,
        jump_true: *jump_true as u8,
        jump_false: *jump_false as u8,
        k: *k,
    };
    Ok(Match::Bpf(Bpf { program: instructions.iter().map(instruction).collect() }))
}

impl fmt::Display for Bpf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Instruction { code, jump_true, jump_false, k }) in self.program.iter().enumerate() {
            write!(f, "{}{code} {jump_true} {jump_false} {k}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Bpf {
    pub(crate) fn check(&self, place: Place) -> Result<(), KernelError> {
        place.require(program::can_run(&self.program))
    }

    pub(crate) fn save(&self, out: &mut String) {
        OptionWriter::new(OPTIONS, out).value("bytecode", false, format_args!("\"{},{self}\"", self.program.len()));
    }

    /// With the byte that the real one ends it with, and without the blank that others begin with.
    pub(crate) fn list(&self, out: &mut String) {
        out.push_str(&format!("match bpf {self}\0"));
    }
}
