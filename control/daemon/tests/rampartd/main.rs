//! rampartd as users and the dataplane meet it: the real binary on sockets of its own, with no dataplane, with one that only speaks the
//! protocol, and with clients that mean no good.
mod adoption;
mod conntrack;
mod edits;
mod fake;
mod families;
mod harness;
mod hostile;
mod mirror;
mod series;
mod sets;
mod start;
