//! The `conntrack` command: lists, ends, marks and watches the dataplane's connections.
//!
//! The reference for every word, line and exit code is conntrack 1.4.7. [`options`] reads the words, [`together`] sees what goes with what, [`filter`] says which connections are meant,
//! [`print`] writes one as a line, [`serve`] asks the dataplane page by page, over a connection of its own, and gives each page to the client before
//! it asks for the next: nothing here grows with the number of connections, and a client that does not read holds up only itself.

mod expect;
mod fields;
mod filter;
mod gate;
mod labels;
mod options;
mod print;
mod serve;
#[cfg(test)]
mod tests;
mod together;
mod update;
mod values;
mod watch;

pub use gate::Gate;
pub use serve::{Client, Gone, serve};

/// Whose behaviour this is; `conntrack -V` prints it.
const PROGRAM: &str = "conntrack v1.4.7 (conntrack-tools)";
