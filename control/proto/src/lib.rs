//! The messages of Rampart's two sockets, and the bytes in which they travel.
//!
//! | socket | who listens | who connects | kind | messages |
//! |---|---|---|---|---|
//! | `control.sock` (public) | rampartd | the command line | stream, one JSON object a line | [`public`], framed by [`line`] |
//! | `dataplane.sock` (private) | rampart-dataplane | rampartd | SEQPACKET, JSON, bulk data in sealed memfds | [`private`], framed by [`wire`] |
//!
//! This crate carries bytes, ids and text. It knows no rule, no program image and no packet, so neither side's inner types become a
//! wire format by accident. `docs/protocol.md` describes both sockets for those who write a client.
#![deny(unsafe_code)]

pub mod expectation;
pub mod flow;
pub mod host;
pub mod line;
pub mod namespace;
pub mod private;
pub mod public;
pub mod stats;
pub mod wire;
