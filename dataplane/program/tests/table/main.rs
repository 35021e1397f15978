//! Promises about whole tables: what they do with packets, how they travel, what is refused, how they print.

mod arbitrary;
mod build;
mod change;
mod edit;
mod eval;
mod explain;
mod image;
mod told;
mod tree;
mod verify;
