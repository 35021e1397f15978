//! Connection tracking as the Linux kernel does it: which packets belong together, what they are to each other, how long that is remembered.
//!
//! A packet comes to [`FlowTable::track`] after raw PREROUTING or OUTPUT and gets a [`Tracked`]: what `--ctstate` sees, and the flow. A packet
//! that begins a flow has made an *unconfirmed* one, which only it can see. After every verdict the walk calls [`FlowTable::confirm`], and
//! the flow is in the table, under both tuples, or [`FlowTable::release`], and nothing of it stays. NAT ([`crate::nat`]) changes the reply tuple
//! of an unconfirmed flow; from then on nothing about a flow's tuples changes.
//!
//! One flow is one object, and belongs to one worker: no lock, no reference count. What others want to know they ask the worker for.
//!
//! - [`entry`] the flow; `aside` what few packets come to; [`extra`] what few flows have; [`table`] slab, life and death; `index` tuple to slot, `hash` its keyed hash; `sources` NAT's second index;
//!   `wheel` timers, `expiry` what they end; `ahead` a burst's lookups; `steady` packets that change nothing but numbers; `limit` who gives way in a full table; `claims` tuples of other workers' flows;
//!   `counted` the lists of `connlimit` that a flow is on, `counts` how many are on each
//! - [`track`] the stage; [`tcp`] with `window`, [`udp`], [`sctp`], `icmp`, `generic`: one file a protocol
//! - [`expect`] connections that others announced, `slots` the table that all workers share; `assist` what only those have that helpers read or announced; `seqadj` shifted numbers
//! - [`settings`] the sysctls

mod ahead;
mod announce;
mod aside;
mod assist;
mod by_hand;
pub(crate) mod claims;
pub(crate) mod counted;
pub(crate) mod counts;
pub mod entry;
pub mod expect;
mod expiry;
pub mod extra;
#[cfg(test)]
pub(crate) mod frames;
#[cfg(test)]
mod full;
mod generic;
pub(crate) mod hash;
mod icmp;
mod index;
mod labels;
mod last;
mod limit;
#[cfg(test)]
mod model;
pub mod policy;
#[cfg(test)]
mod replay;
pub mod sctp;
pub(crate) mod seqadj;
#[cfg(test)]
mod sequences;
pub mod settings;
pub(crate) mod slots;
mod sources;
mod starts;
mod steady;
mod sweep;
pub mod table;
mod taken;
pub mod tally;
pub mod tcp;
#[cfg(test)]
mod tests;
pub(crate) mod traced;
pub mod track;
pub mod udp;
pub(crate) mod watch;
mod wheel;
pub(crate) mod window;

pub use aside::Counts;
pub use assist::Assist;
pub use entry::{CtInfo, Dir, Flow, FlowId, FlowKind, Protocol, Status};
pub use extra::{Extra, ExtrasFull};
pub use labels::Labels;
pub use policy::Policy;
pub use sctp::SctpState;
pub use settings::{SettingError, Settings, Timeouts};
pub(crate) use steady::FollowUp;
pub use table::{Clash, FlowConfig, FlowTable, Next, TableFull};
pub use tally::Tally;
pub use tcp::TcpState;
pub use track::{Packet, Said, TrackError, Tracked};
