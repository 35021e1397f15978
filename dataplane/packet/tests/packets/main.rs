//! Promises of the packet crate, tried on packets that another implementation built and on bytes that nobody would build.

mod build;
mod checksum;
mod parse;
mod reply;
mod set;
