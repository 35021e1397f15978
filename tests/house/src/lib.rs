//! The rules of the house, as tests: see `tests/house.rs`. There is nothing else here.
