//! The options that every command has: commands, the header of the rule, and how it is shown.
use super::{Flow, INVERTIBLE, NAME_MAX, Parser, Pending, missing_argument};
use crate::command::Command;
use crate::error::{Error, Problem, UsageError};
use crate::getopt::Getopt;
use crate::header::FragmentMatch;
use crate::options::Extension;
use crate::targets::{self, Named};
use crate::{Counters, Family, Match, ProtocolMatch, help, matches, number, spec};

/// All commands, in the order of the bits by which iptables knows them.
const COMMANDS: &str = "ID#RALFZNXPESzC";

impl Parser<'_> {
    pub(super) fn main_option<'w>(
        &mut self,
        letter: char,
        attached: Option<&'w str>,
        walk: &mut Getopt<'w>,
    ) -> Result<Flow, Error> {
        match letter {
            'A' | 'D' | 'C' | 'I' | 'R' => {
                let invert = self.invert;
                let chain = value_of(attached, walk)?;
                self.add_command(letter, "", invert)?;
                self.chain = Some(chain.to_owned());
                if letter != 'A' && letter != 'C' {
                    self.number = walk.argument().map(rule_number).transpose()?;
                }
                match (letter, self.number) {
                    ('R', None) => return Err(UsageError::NeedsRuleNumber('R').into()),
                    ('D', Some(_)) => self.commands = vec!['#'],
                    _ => {}
                }
            }
            'L' | 'S' | 'F' | 'Z' | 'X' => {
                let beside = match letter {
                    'Z' => "LS",
                    'L' | 'S' => "Zz",
                    _ => "",
                };
                self.add_command(letter, beside, self.invert)?;
                if let Some(chain) = attached.or_else(|| walk.optional_value(None)) {
                    self.chain = Some(chain.to_owned());
                    if "LSZ".contains(letter)
                        && let Some(word) = walk.argument()
                    {
                        self.number = Some(rule_number(word)?);
                        // With a number it forgets the listing that stood before it.
                        if letter == 'Z' {
                            self.commands = vec!['z'];
                        }
                    }
                }
            }
            'N' => {
                let chain = value_of(attached, walk)?;
                check_new_name(chain)?;
                self.add_command('N', "", self.invert)?;
                self.chain = Some(chain.to_owned());
            }
            'E' => {
                let chain = value_of(attached, walk)?;
                self.add_command('E', "", self.invert)?;
                self.chain = Some(chain.to_owned());
                self.new_name = Some(walk.argument().ok_or(UsageError::NeedsTwoNames)?.to_owned());
            }
            'P' => {
                let chain = value_of(attached, walk)?;
                self.add_command('P', "", self.invert)?;
                self.chain = Some(chain.to_owned());
                self.policy = Some(walk.argument().ok_or(UsageError::NeedsPolicy)?.to_owned());
            }
            'h' => {
                // As the real one: a word behind it is taken, and says nothing.
                attached.or_else(|| walk.argument());
                return Ok(Flow::Done(Command::Print(self.help())));
            }
            'V' if self.invert => {
                let version = crate::error::VERSION.trim_start_matches('v');
                return Ok(Flow::Done(Command::Print(format!("Not {version} ;-)\n"))));
            }
            'V' => {
                let text = format!("{} {}\n", self.program(), crate::error::VERSION);
                return Ok(Flow::Done(Command::Print(text)));
            }
            'p' => {
                self.set_flag('p')?;
                let text = whole_value(attached, walk)?.to_lowercase();
                let number = spec::protocol_number(&text, self.names)?;
                self.header.protocol = ProtocolMatch { number, invert: self.invert };
                if number == 0 && self.invert {
                    return Err(UsageError::NeverMatchesProtocol.into());
                }
                self.warn_of_extension_header(number, &text);
                self.protocol_word = text;
            }
            's' => {
                self.set_flag('s')?;
                self.source = Some((whole_value(attached, walk)?.to_owned(), self.invert));
            }
            'd' => {
                self.set_flag('d')?;
                self.destination = Some((whole_value(attached, walk)?.to_owned(), self.invert));
            }
            'i' | 'o' => {
                self.set_flag(letter)?;
                let text = match attached {
                    Some("") => "",
                    _ => whole_value(attached, walk)?,
                };
                let (test, warning) = spec::read_interface(text, self.invert)?;
                self.warnings.get_mut().push_str(&warning.unwrap_or_default());
                if letter == 'i' {
                    self.header.in_interface = test;
                } else {
                    self.header.out_interface = test;
                }
            }
            'f' if self.family == Family::Ipv6 => return Err(UsageError::FragmentInIpv6.into()),
            'f' => {
                self.set_flag('f')?;
                self.header.fragment = if self.invert { FragmentMatch::NotLater } else { FragmentMatch::Later };
            }
            'j' | 'g' => self.jump_option(letter == 'g', attached, walk)?,
            'm' => {
                if self.invert {
                    return Err(UsageError::UnexpectedInvert("match").into());
                }
                let name = value_of(attached, walk)?;
                if name.len() > NAME_MAX {
                    return Err(UsageError::MatchNameLong(name.to_owned()).into());
                }
                self.add_match(matches::find(name, self.family)?)?;
            }
            'v' => {
                if self.verbose == 0 || self.invert {
                    self.set_flag('v')?;
                }
                self.verbose = self.verbose.saturating_add(1);
            }
            'n' | 'x' | '0' => self.set_flag(letter)?,
            't' => {
                if self.invert {
                    return Err(UsageError::UnexpectedInvert("table").into());
                }
                if self.restore.is_some() {
                    return Err(UsageError::TableInRestore(self.program()).into());
                }
                self.table = value_of(attached, walk)?.to_owned();
            }
            'c' => self.counters_option(attached, walk)?,
            'w' | 'W' if self.restore.is_some() => return Err(UsageError::NotInRestore(letter).into()),
            'w' => {
                self.wait = true;
                if let Some(word) = attached.or_else(|| walk.optional_value(None)) {
                    number::prefix(word).ok_or(UsageError::WaitNotNumeric)?;
                }
            }
            'W' => {
                self.wait_interval = true;
                let word = attached.or_else(|| walk.optional_value(None));
                let word = word.ok_or(UsageError::WaitIntervalMissing)?;
                number::prefix(word).ok_or(UsageError::WaitIntervalNotNumeric)?;
                self.warnings.get_mut().push_str("Ignoring deprecated --wait-interval option.\n");
            }
            'M' => {
                value_of(attached, walk)?;
            }
            '4' | '6' => {
                let wanted = if letter == '4' { Family::Ipv4 } else { Family::Ipv6 };
                if wanted != self.family {
                    return match self.restore {
                        Some(_) => Ok(Flow::Done(Command::Nothing)),
                        None => Err(Problem::WrongFamily.into()),
                    };
                }
            }
            'b' => return Err(UsageError::Needs("Unknown arg \"(null)\"").into()),
            _ => return Err(self.unknown_option(walk).into()),
        }
        Ok(Flow::On)
    }

    fn jump_option<'w>(&mut self, is_goto: bool, attached: Option<&'w str>, walk: &mut Getopt<'w>) -> Result<(), Error> {
        self.set_flag('j')?;
        let name = if is_goto { value_of(attached, walk)? } else { whole_value(attached, walk)? };
        if name.is_empty() {
            return Err(UsageError::TargetNameShort.into());
        }
        if name.len() > NAME_MAX {
            return Err(UsageError::TargetNameLong(name.to_owned()).into());
        }
        if name.contains(char::is_whitespace) {
            return Err(UsageError::TargetNameSpace(name.to_owned()).into());
        }
        self.is_goto = is_goto;
        if !is_goto {
            match targets::find(name, self.family)? {
                Named::Verdict(target) => self.verdict = Some(target),
                Named::Extension(extension) => self.target = Some(Pending::new(extension)),
                Named::Chain => {}
            }
        }
        self.jump = Some(name.to_owned());
        Ok(())
    }

    fn counters_option<'w>(&mut self, attached: Option<&'w str>, walk: &mut Getopt<'w>) -> Result<(), Error> {
        self.set_flag('c')?;
        let value = value_of(attached, walk)?;
        let (packets, bytes) = match value.split_once(',') {
            Some((packets, bytes)) if !packets.is_empty() => (packets, bytes),
            Some(_) => return Err(UsageError::NeedsCounters.into()),
            None => (value, walk.argument().ok_or(UsageError::NeedsCounters)?),
        };
        self.counters = Counters {
            packets: decimal(packets).ok_or(UsageError::CounterNotNumeric("packet"))?,
            bytes: decimal(bytes).ok_or(UsageError::CounterNotNumeric("byte"))?,
        };
        Ok(())
    }

    fn program(&self) -> &'static str {
        match (self.family, self.restore) {
            (Family::Ipv4, Some(_)) => "iptables-restore",
            (Family::Ipv6, Some(_)) => "ip6tables-restore",
            (family, None) => family.program(),
        }
    }

    fn help(&self) -> String {
        let mut matches: Vec<&'static Extension<Match>> = self.matches.iter().map(|pending| pending.extension).collect();
        if matches.is_empty() {
            // A protocol has a match by its name, not by its number.
            let name = match self.protocol_word.as_str() {
                "ipv6-icmp" | "icmpv6" => "icmp6",
                name => name,
            };
            matches.extend(matches::find(name, self.family).ok());
        }
        let target = self.target.as_ref().map(|pending| help::Named::Extension(pending.extension));
        let target = target.or(self.verdict.as_ref().map(|_| help::Named::Verdict));
        help::text(self.program(), self.family, target, &matches)
    }

    /// iptables' notice that extension headers of IPv6 are never the protocol of a packet.
    fn warn_of_extension_header(&mut self, number: u8, text: &str) {
        if self.family == Family::Ipv6 && !self.invert && matches!(number, 43 | 44 | 51 | 60) {
            self.warnings.get_mut().push_str(&format!("Warning: never matched protocol: {text}. use extension match instead.\n"));
        }
    }

    fn set_flag(&mut self, letter: char) -> Result<(), UsageError> {
        if self.flags.contains(&letter) {
            return Err(UsageError::MultipleFlags(letter));
        }
        if self.invert && !INVERTIBLE.contains(letter) {
            return Err(UsageError::InvertedFlag(letter));
        }
        self.flags.push(letter);
        Ok(())
    }

    fn add_command(&mut self, letter: char, beside: &str, invert: bool) -> Result<(), UsageError> {
        if invert {
            return Err(UsageError::InvertedCommand);
        }
        // Of several that do not go with it, the last in iptables' own order of its commands is named.
        let others = self.commands.iter().filter(|other| !beside.contains(**other));
        if let Some(other) = others.max_by_key(|other| COMMANDS.find(**other)) {
            let other = match other {
                '#' => 'D',
                'z' => 'Z',
                _ => *other,
            };
            return Err(UsageError::TwoCommands(letter, other));
        }
        self.commands.push(letter);
        Ok(())
    }
}

/// The value of a main option.
fn value_of<'w>(attached: Option<&'w str>, walk: &mut Getopt<'w>) -> Result<&'w str, UsageError> {
    match attached {
        Some(value) => Ok(value),
        None => walk.value(None).ok_or_else(|| missing_argument(walk)),
    }
}

/// The value of `-p -s -d -i -o -j`, which iptables 1.8.9 takes to be the whole last word, option and all if they are attached.
fn whole_value<'w>(attached: Option<&'w str>, walk: &mut Getopt<'w>) -> Result<&'w str, UsageError> {
    value_of(attached, walk)?;
    Ok(walk.last_word())
}

fn rule_number(word: &str) -> Result<u32, UsageError> {
    let number = number::whole(word, 1, i32::MAX as u64).ok_or_else(|| UsageError::RuleNumber(word.to_owned()))?;
    Ok(number as u32)
}

/// The decimal number that a text begins with.
fn decimal(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let text = text.strip_prefix('+').unwrap_or(text);
    text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())].parse().ok()
}

fn check_new_name(name: &str) -> Result<(), UsageError> {
    if let Some(first) = name.chars().next().filter(|c| matches!(c, '-' | '!')) {
        return Err(UsageError::ChainNameStart(first));
    }
    if targets::is_target_name(name) {
        return Err(UsageError::ChainNameClash);
    }
    check_writable(name)
}

/// Refuses names that a save text could not be read back with. The real one takes them with `-E` and `:NAME`.
pub(crate) fn check_writable(name: &str) -> Result<(), UsageError> {
    if name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"') {
        return Err(UsageError::ChainNameSpace(name.to_owned()));
    }
    Ok(())
}
