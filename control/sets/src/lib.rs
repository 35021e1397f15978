//! Sets of addresses, ports and the like that rules name, and the language of `ipset` which makes and changes them.
//!
//! PURE: no file, socket, thread, clock or unsafe. The time comes in with each command, names of protocols and services through
//! [`rules::names::Names`]. The reference for every word, message and exit code is ipset 7.17 on the kernel's ip_set.
//!
//! | module | what it holds |
//! |---|---|
//! | [`types`] | one table for all types of sets: what their elements are made of, which options they take; parser, printer and help read it |
//! | [`words`] | a line to words, and what among them concerns the program and not the command |
//! | `element` | the text of an element to its parts, and back |
//! | `options` | what follows a type or an element |
//! | `key`, `table` | an element as bytes, and a set's elements in their order |
//! | [`set`] | one set: its options, its elements, what adding, deleting and testing mean |
//! | [`store`] | all sets by name, and which of them hold others |
//! | [`change`] | what commands changed |
//! | `packets` | what packets changed |
//! | `run` | one command, or a text of them |
//! | `print`, `sort` | listings |
#![forbid(unsafe_code)]

mod batch;
pub mod change;
mod command;
mod element;
mod fault;
mod help;
mod icmp;
mod key;
mod list;
mod number;
mod options;
mod packets;
mod print;
mod run;
pub mod set;
mod sort;
pub mod store;
mod table;
pub mod types;
mod walk;
pub mod words;

pub use change::Change;
pub use fault::Fault;
pub use run::{Host, Said, again, kept, load, run, shows};
pub use set::Set;
pub use store::Sets;
pub use words::{Output, Plan};
