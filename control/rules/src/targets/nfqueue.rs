//! `-j NFQUEUE`: hands the packet to a program, which says what becomes of it. `-j QUEUE`, a verdict, is queue 0.
use crate::Target;
use crate::error::{KernelError, UsageError};
use crate::options::{Arg, Context, Extension, Given, Opt, OptionWriter, Reading, Value, read_range};

/// The queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nfqueue {
    /// `--queue-num`, or the first one of `--queue-balance`.
    pub first: u16,
    /// The last one of `--queue-balance`; flows are spread over the queues between.
    pub last: Option<u16>,
    /// `--queue-bypass`: packets go on if nobody listens.
    pub bypass: bool,
    /// `--queue-cpu-fanout`: the queue is chosen by the processor, not by the flow.
    pub cpu_fanout: bool,
}

pub(crate) static EXTENSION: Extension<Target> = Extension { name: "NFQUEUE", family: None, options: OPTIONS, build };

const OPTIONS: &[Opt] = &[
    Opt::new("queue-num", Arg::Number { min: 0, max: u16::MAX as u64 }).excludes(&["queue-balance"]),
    Opt::new("queue-balance", Arg::Own { shape: "QUEUE:[QUEUE]", read: read_balance }),
    Opt::new("queue-bypass", Arg::None),
    Opt::new("queue-cpu-fanout", Arg::None).requires("queue-balance"),
];

/// Two numbers; the second one is the last queue where it is left out.
fn read_balance(reading: &Reading<'_>) -> Result<Value, UsageError> {
    match read_range(reading.extension, reading.option, reading.word, u64::from(u16::MAX))? {
        (_, None) => Err(UsageError::Own(format!("Bad range \"{}\"", reading.word))),
        (min, Some(max)) if min >= max => Err(UsageError::Backwards { min, max }),
        (min, Some(max)) => Ok(Value::Counts(min, max)),
    }
}

fn build(given: &Given, _: &Context<'_>) -> Result<Target, UsageError> {
    let (first, last) = match given.counts("queue-balance") {
        None => (given.number("queue-num").unwrap_or(0), None),
        Some((first, last)) => (first, Some(last)),
    };
    let short = |number: u64| number as u16;
    Ok(Target::Nfqueue(Nfqueue {
        first: short(first),
        last: last.map(short),
        bypass: given.has("queue-bypass"),
        cpu_fanout: given.has("queue-cpu-fanout"),
    }))
}

impl Nfqueue {
    /// The kernel counts queues in 16 bits: all of them are none.
    pub(crate) fn check(self) -> Result<(), KernelError> {
        if self.first == 0 && self.last == Some(u16::MAX) { Err(KernelError::InvalidArgument) } else { Ok(()) }
    }

    pub(crate) fn save(self, out: &mut String) {
        let mut out = OptionWriter::new(OPTIONS, out);
        match self.last {
            None => out.value("queue-num", false, self.first),
            Some(last) => out.value("queue-balance", false, format_args!("{}:{last}", self.first)),
        }
        for (option, _) in self.flags().into_iter().filter(|(_, set)| *set) {
            out.flag(option, false);
        }
    }

    pub(crate) fn list(self, out: &mut String) {
        out.push_str(&match self.last {
            None => format!(" NFQUEUE num {}", self.first),
            Some(last) => format!(" NFQUEUE balance {}:{last}", self.first),
        });
        for (option, _) in self.flags().into_iter().filter(|(_, set)| *set) {
            out.push_str(&option.replacen("queue-", " ", 1));
        }
    }

    fn flags(self) -> [(&'static str, bool); 2] {
        [("queue-bypass", self.bypass), ("queue-cpu-fanout", self.cpu_fanout)]
    }
}
