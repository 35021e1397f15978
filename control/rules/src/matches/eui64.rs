//! `-m eui64`: whether the lower half of the IPv6 source address was made of the frame's source address.
use crate::error::UsageError;
use crate::options::{Context, Extension, Given};
use crate::{Family, Match};

pub(crate) static EXTENSION: Extension<Match> = Extension { name: "eui64", family: Some(Family::Ipv6), options: &[], build };

fn build(_: &Given, _: &Context<'_>) -> Result<Match, UsageError> {
    Ok(Match::Eui64)
}

/// Its name is all that there is to show, and the real one sets it a blank off.
pub(crate) fn list(out: &mut String) {
    out.push_str("eui64 ");
}
