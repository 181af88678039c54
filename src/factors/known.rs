//! Which passwords are guessed first. The lists (30,000 passwords, names, words of English) and the estimate of how many
//! guesses a password takes come from zxcvbn (Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security
//! 2016); what is refused outright is said here. Nothing is looked up anywhere.

use std::fmt;

use serde::Serialize;
use zxcvbn::matching::patterns::{DictionaryPattern, MatchPattern};
use zxcvbn::{Entropy, zxcvbn};

use crate::fold::{fold, tokens, words};

/// Fewer guesses than this are refused. At a thousand Argon2id hashes a second, which a graphics card makes, that is less
/// than two weeks; ten random letters take ten times as many.
const GUESSES: u64 = 1_000_000_000;
/// Letters that are looked at in one go: the time rises with the cube of the length when all letters are signs that may
/// stand for others.
const WINDOW: usize = 32;
/// Letters before and after a known password that make no difference: a year, an exclamation mark.
const AFFIX: usize = 6;
/// A known password of fewer letters is in too many others.
const CORE: usize = 4;
/// What is left without the person's words must have this many letters to stand on its own.
const REST: usize = 12;

/// Why a password is guessed early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// On the list, perhaps with digits behind it or letters written as signs.
    Common,
    /// Built on the name of the person, the site or the tenant.
    Personal,
    /// The same piece again and again.
    Repeated,
    /// Follows the alphabet, the digits or the keyboard.
    Sequence,
    /// A date with little around it.
    Date,
    /// Of pieces that are tried together.
    Guessable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Common => "this is one of the passwords that are tried first",
            Self::Personal => "it is built on a name that belongs to you or to this site",
            Self::Repeated => "it repeats the same letters",
            Self::Sequence => "it follows the alphabet, the digits or the keyboard",
            Self::Date => "it is little more than a date",
            Self::Guessable => "it is made of parts that are easy to guess",
        })
    }
}

/// What is wrong with a password and what to do instead. Has nothing of the password in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Weakness {
    pub reason: Reason,
    pub hint: &'static str,
}

impl From<Reason> for Weakness {
    fn from(reason: Reason) -> Self {
        let hint = match reason {
            Reason::Common => {
                "Digits, capitals and signs do not help here. Take four words that do not belong together."
            }
            Reason::Personal => "Leave names out, also those of the company and the place.",
            Reason::Repeated => "Use different words instead of the same one again.",
            Reason::Sequence => "Take four words that do not belong together.",
            Reason::Date => "Leave dates out; others know them.",
            Reason::Guessable => "Make it longer: add a word or two that do not belong to the rest.",
        };
        Self { reason, hint }
    }
}

/// What makes this password one of those that are guessed first, if anything. `user_inputs` are the person's name and
/// e-mail, the site's and the tenant's name. Usually one or two milliseconds; in the worst case, long strings of
/// signs, a tenth of a second: not on an async thread.
pub fn known(password: &str, user_inputs: &[&str]) -> Option<Weakness> {
    if personal(password, &words(user_inputs)) {
        return Some(Reason::Personal.into());
    }
    guessable(password, &tokens(user_inputs)).map(Weakness::from)
}

/// Has a word of the person in it, and what is left would not do.
fn personal(password: &str, words: &[String]) -> bool {
    let mut rest = fold(password);
    let whole = rest.len();
    for word in words {
        rest = rest.replace(word.as_str(), "");
    }
    rest.len() != whole && (rest.chars().count() < REST || guessable(&rest, &[]).is_some())
}

fn guessable(password: &str, words: &[String]) -> Option<Reason> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let length = password.chars().count();
    let head: String = password.chars().take(WINDOW).collect();
    let reason = window(&head, &words)?;
    // A long password is as good as its best part.
    if length > WINDOW {
        let tail: String = password.chars().skip((length - WINDOW).max(WINDOW)).take(WINDOW).collect();
        window(&tail, &words)?;
    }
    Some(reason)
}

fn window(part: &str, words: &[&str]) -> Option<Reason> {
    if with_affixes(part) {
        return Some(Reason::Common);
    }
    let estimate = zxcvbn(part, words);
    (estimate.guesses() < GUESSES).then(|| main_reason(&estimate, words))
}

/// A known password with a few digits and signs before or after it.
fn with_affixes(part: &str) -> bool {
    let core = part.trim_matches(|c: char| !c.is_alphabetic());
    let affixes = part.chars().count() - core.chars().count();
    if affixes == 0 || affixes > AFFIX || core.chars().count() < CORE {
        return false;
    }
    match zxcvbn(core, &[]).sequence() {
        [only] => match &only.pattern {
            MatchPattern::Dictionary(found) => is_password_list(found),
            pattern => *pattern != MatchPattern::BruteForce,
        },
        _ => false,
    }
}

/// The library's lists have no public names; that of passwords is its default.
fn is_password_list(found: &DictionaryPattern) -> bool {
    found.dictionary_name == DictionaryPattern::default().dictionary_name
}

/// What the longest recognised piece is.
fn main_reason(estimate: &Entropy, words: &[&str]) -> Reason {
    let pieces = estimate.sequence();
    let recognised = pieces.iter().filter(|piece| piece.pattern != MatchPattern::BruteForce);
    let Some(piece) = recognised.max_by_key(|piece| piece.j - piece.i) else {
        return Reason::Guessable;
    };
    match &piece.pattern {
        MatchPattern::Dictionary(found) if words.contains(&found.matched_word.as_str()) => Reason::Personal,
        MatchPattern::Dictionary(found) if pieces.len() <= 2 && is_password_list(found) => Reason::Common,
        MatchPattern::Dictionary(_) | MatchPattern::BruteForce => Reason::Guessable,
        MatchPattern::Repeat(_) => Reason::Repeated,
        MatchPattern::Spatial(_) | MatchPattern::Sequence(_) => Reason::Sequence,
        MatchPattern::Regex(_) | MatchPattern::Date(_) => Reason::Date,
    }
}
