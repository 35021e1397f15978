//! Raw bindings to the DPDK that is installed on this machine; nothing is written by hand here but the field pointers of an mbuf.
//!
//! `build.rs` generates them from `wrapper.h` (the only list of DPDK headers), and compiles `shim.c`, which has one C function per
//! static inline that we call. The only reader is the crate `dpdk`, which makes this safe to use.

#![allow(non_camel_case_types, non_upper_case_globals, missing_docs, unreachable_pub)]

#[allow(clippy::all, clippy::undocumented_unsafe_blocks, unsafe_op_in_unsafe_fn, unnecessary_transmutes)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub mod mbuf;

pub use generated::*;
