//! The binary under its names, against a rampartd that runs in this process.
mod apply;
mod harness;
mod help;
mod ipset;
mod names;
mod together;
