//! Network namespaces, real programs, and Rampart between them.
//!
//! [`lab::Lab`] builds the same small world for `make demo` and for the tests: a host `outside`, a host `inside`, and the `box` between them
//! on which both daemons run. The world lives in namespaces that the script `enter` makes: an empty `/run`, a process namespace that
//! takes every process with it, and a network without a way out.
//!
//! With af_packet the kernel of the box sees every frame on the wire devices too. It is kept silent there (no address, no IPv6, an nftables
//! ingress drop, which packet sockets still see past), so that whatever answers or forwards is Rampart.

pub mod capture;
pub mod conntrack;
pub mod ftp;
pub mod http;
pub mod kernel;
pub mod lab;
pub mod labels;
pub mod memif;
pub mod namespace;
pub mod path;
pub mod process;
pub mod ssh;
