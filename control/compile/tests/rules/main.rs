//! From rule text to the compiled rule in words, one line a promise; and what is refused, by chain, number and reason.

mod load;
mod refused;
mod text;
mod whole;
