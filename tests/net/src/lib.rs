//! Laid out below.
