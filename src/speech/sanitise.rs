//! Makes any text fit to hand to the C library: no control or private characters, no endless words,
//! no endless rows of the same sign, no words of two alphabets. What a reader would see is kept.

/// eSpeak's buffer for a word holds 160 bytes, and a character may take four.
const MAX_WORD_CHARS: usize = 36;
/// More of the same sign in a row says nothing.
const MAX_REPEATED: usize = 3;
/// From here on, alphabets are not written together with digits or signs either.
const FIRST_OTHER: u32 = 5;

pub(crate) fn sanitise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut previous, mut repeated, mut word) = (' ', 0, 0);
    let mut alphabet = None;
    for c in text.chars() {
        // A sign that belongs on a letter, without one: nobody could say it.
        if is_invisible(c) || (is_dependent(c) && !carries(previous, c)) {
            continue;
        }
        let c = if c.is_control() || c.is_whitespace() || is_unassigned(c) { ' ' } else { c };
        repeated = if c == previous { repeated + 1 } else { 1 };
        previous = c;
        if !c.is_alphanumeric() && repeated > MAX_REPEATED {
            continue;
        }
        word = if c.is_whitespace() { 0 } else { word + 1 };
        let own = alphabet_of(c);
        let other = own.is_some() && own != alphabet && (alphabet.is_some() || own >= Some(FIRST_OTHER));
        if word > MAX_WORD_CHARS || (word > 1 && other) {
            out.push(' ');
            word = 1;
        }
        // Digits, signs and accents go with any alphabet; a space ends the word.
        alphabet = if c == ' ' { None } else { own.or(alphabet) };
        out.push(c);
    }
    out
}

/// True when there is something to say.
pub(crate) fn is_speakable(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_alphanumeric() || (c > '\u{2000}' && !c.is_whitespace()) || "%&+=@#$<>".contains(c))
}

/// Roughly which alphabet a letter is of. A word of two is no word of any language: the engine would
/// switch voices inside it, which is where its own checks are weakest.
fn alphabet_of(c: char) -> Option<u32> {
    if !c.is_alphabetic() {
        return None;
    }
    Some(match u32::from(c) {
        0..0x250 | 0x1e00..0x1f00 | 0xfb00..0xfb07 => 0,
        0x370..0x400 | 0x1f00..0x2000 => 1,
        0x400..0x530 => 2,
        0x600..0x780 | 0x8a0..0x900 | 0xfb50..0xfe00 | 0xfe70..0xff00 => 3,
        0x1100..0x1200 | 0x2e80..0xa000 | 0xac00..0xd7b0 | 0xf900..0xfb00 | 0x2_0000..0x3_2000 => 4,
        // Most others have 128 places each.
        other => FIRST_OTHER + (other >> 7),
    })
}

/// Accents, and the vowel and other signs of the Indic blocks, which share one layout.
fn is_dependent(c: char) -> bool {
    match u32::from(c) {
        0x300..0x370 => true,
        code @ 0x900..0xe00 => {
            matches!(code & 0x7f, 0..=3 | 0x3a..=0x3c | 0x3e..=0x4f | 0x51..=0x57 | 0x62 | 0x63)
        }
        _ => false,
    }
}

fn carries(letter: char, sign: char) -> bool {
    let indic = u32::from(sign) >= 0x900;
    if indic {
        u32::from(letter) >> 7 == u32::from(sign) >> 7
    } else {
        letter.is_alphabetic() || is_dependent(letter)
    }
}

/// Joiners, direction marks, variation selectors, tags: shape the writing, not the sound.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Private use, specials and non-characters.
fn is_unassigned(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fff0}'..='\u{ffff}' | '\u{f0000}'..)
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_and_drops_what_cannot_be_said() {
        assert_eq!(sanitise("a\0b\tc\u{200b}d\u{e000}e"), "a b cd e");
        assert_eq!(sanitise("Straße, 北京 😀!"), "Straße, 北京 😀!");
        assert_eq!(sanitise("wait.......... what?????"), "wait... what???");
    }

    #[test]
    fn words_end() {
        let out = sanitise(&"x".repeat(1000));
        assert!(out.split(' ').all(|word| word.chars().count() <= MAX_WORD_CHARS));
        assert_eq!(out.replace(' ', "").len(), 1000);
    }

    #[test]
    fn a_word_has_one_alphabet() {
        assert_eq!(
            sanitise("abcж한x 5ж5 漢字かなカナ cafe\u{301}s"),
            "abc ж 한 x 5ж5 漢字かなカナ cafe\u{301}s"
        );
    }

    #[test]
    fn signs_need_their_letter() {
        assert_eq!(sanitise("हिंदी ि7भ =ं \u{301}x क्"), "हिंदी 7 भ = x क्");
    }

    #[test]
    fn knows_silence() {
        assert!(!is_speakable(" ...!\n"));
        assert!(is_speakable("5"));
        assert!(is_speakable("😀"));
    }
}
