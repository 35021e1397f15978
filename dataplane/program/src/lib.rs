//! The compiled rules: flat arrays linked by `u32` ids, the evaluator, and the image in which they travel.
//!
//! PURE: no DPDK, thread, socket, file, clock or unsafe.
//!
//! A [`Program`] is a root naming one [`Table`] per iptables table and family. A table is immutable and position-independent: every link
//! inside it is an index into one of its own arrays. What rules remember (counters, `limit`, `nth`) stays outside, in slots.
//!
//! [`Table::next`] is the only way to rules, by a [`tree`] of each chain. [`eval::run`] adds chains, jumps and returns on top of it, and asks its [`eval::Env`] for
//! everything that is not a header field: connection state, marks, buckets, and the doing of targets.
//!
//! A table comes from the compiler, travels as bytes ([`image`]), and is looked through before a worker sees it ([`verify`]); [`explain`]
//! prints it for people.
#![forbid(unsafe_code)]

pub mod around;
mod byte_set;
mod change;
pub mod connbytes;
pub mod connlimit;
mod conntrack_test;
pub mod content;
pub mod edit;
pub mod eval;
mod event_set;
pub mod explain;
pub mod field_test;
mod hash_mark;
pub mod header_test;
mod helper;
pub mod id;
pub mod image;
mod limit;
pub mod named;
pub mod packet_test;
mod prefix_change;
pub mod rule;
pub mod set;
pub mod table;
mod tee;
mod time_test;
pub mod tree;
pub mod verify;

pub use around::{LinkDestination, Side, TypeTest, addrtype};
pub use byte_set::ByteSet;
pub use change::Change;
pub use connbytes::{ConnbytesTest, Counted};
pub use connlimit::ConnlimitTest;
pub use content::{ContentTest, StringTest, WordStep, WordsPart, WordsTest};
pub use edit::{ChainEdit, EditError, Listed, Made, TableEdit};
pub use event_set::EventSet;
pub use field_test::{AddressTest, FieldTest};
pub use hash_mark::HashMark;
pub use header_test::{HeaderTest, InterfacePattern, Invert, L4Test, PortRange, PortSides};
pub use helper::Helper;
pub use id::{ChainId, CounterSlot, IdRange, InterfaceId, InterfaceSet, LabelId, PatternId, RuleIndex, StateSlot, TimeoutId};
pub use limit::LimitSpec;
pub use named::{HashlimitGroup, HashlimitRate, HashlimitTest, NamedTest, RecentAction, RecentTest};
pub use packet_test::PacketTest;
pub use prefix_change::PrefixChange;
pub use rule::{
    ConntrackTest, CtAction, Directions, LABELS, LogSpec, MarkOp, Match, Nat, NatKind, RejectWith, Rule, Shift, Synproxy, Target,
    TimeoutName, TimeoutPlace, Transfer,
};
pub use set::{CounterTest, SetChange, SetEdit, SetId, SetPart, SetSides, SetSpec, SetTest};
pub use table::{Chain, Hook, Policy, Program, Root, StateInit, Table, TableKind, Tables};
pub use tee::Tee;
pub use time_test::{TimeTest, WallTime};
