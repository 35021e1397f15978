//! From rule text to the compiled rule in words, one line a promise; and what is refused, by chain, number and reason.

#[path = "../../../rules/tests/cases/mod.rs"]
mod cases;
#[path = "../../../rules/tests/cases/host.rs"]
mod host;
mod load;
mod page;
mod refused;
mod text;
mod whole;
