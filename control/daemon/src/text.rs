//! Rules as text for the daemon's own keeping: the source blob and the file in the state folder are both in `iptables-save` form.
use rules::RuleSet;
use rules::command::Host;
use rules::names::Names;

/// The rules as `iptables-save` prints them, with counters if asked.
pub(crate) fn save(ruleset: &RuleSet, counters: bool, names: &dyn Names) -> Result<String, String> {
    let words: &[String] = if counters { &["-c".to_owned()] } else { &[] };
    let options = rules::save::Options::parse(words).map_err(describe)?;
    rules::save::save(ruleset, &options, None, &Host { names, live: None }).map_err(describe)
}

/// Reads such a text over `ruleset`. Counters are taken where the text has them.
pub(crate) fn restore(ruleset: RuleSet, text: &str, names: &dyn Names) -> Result<RuleSet, String> {
    let options = rules::restore::Options::parse(ruleset.family, &["-c".to_owned()]).map_err(describe)?;
    let outcome = rules::restore::restore(&ruleset, text, &options, &Host { names, live: None }).map_err(describe)?;
    Ok(outcome.ruleset.unwrap_or(ruleset))
}

/// One line, for a log: iptables' own message is several.
fn describe(error: rules::Error) -> String {
    match error.line {
        Some(line) => format!("line {line}: {error}"),
        None => error.to_string(),
    }
}
