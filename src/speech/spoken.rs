//! The spoken form of a written text: what a person would read aloud from it.

use std::sync::LazyLock;

use regex::Regex;

use crate::{english, markdown};

static SPACES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[ \t\u{a0}]{2,}").expect("a fixed pattern"));
static SPACE_BEFORE_SIGN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r" +([.,;:!?])($|\s)").expect("a fixed pattern"));

/// Without markdown, addresses, citation marks and code; tables and lists as sentences. In English
/// (`en`, `eng`, `en-…`) dates, money, units and numbers as words; in other languages eSpeak's own
/// rules for numbers are better than none of ours.
pub fn spoken_form(text: &str, language: &str) -> String {
    let plain = markdown::plain(text);
    let read = if is_english(language) { english::read_aloud(&plain) } else { plain };
    let tidy = SPACES.replace_all(&read, " ");
    SPACE_BEFORE_SIGN.replace_all(&tidy, "$1$2").trim().to_owned()
}

fn is_english(language: &str) -> bool {
    let base = language.split(['-', '_']).next().unwrap_or_default();
    base.eq_ignore_ascii_case("en") || base.eq_ignore_ascii_case("eng")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(written: &str, spoken: &str) {
        assert_eq!(spoken_form(written, "en"), spoken, "from {written:?}");
    }

    #[test]
    fn no_marks_and_no_addresses() {
        reads("The pump **must** be _off_ [1].", "The pump must be off.");
        reads(
            "It holds [1, 2] water[3][4]; see [the manual](https://a.example/x_(y)).",
            "It holds water; see the manual.",
        );
        reads("See https://example.org/a?b=c, or www.example.org.", "See link, or link.");
        reads(
            "Write to <https://a.example> `now` ~~later~~.",
            "Write to link now.".replace("now", "now later").as_str(),
        );
        reads("![A valve](v.png) Tom &amp; Co & sons", "A valve Tom and Co and sons");
        reads("snake_case_name and 2 * 3 * 4", "snake_case_name and two * three * four");
    }

    #[test]
    fn blocks_become_sentences() {
        reads(
            "# Safety\n\nRead\nthis.\n\n- gloves\n- [x] glasses!\n\n1. Stop\n",
            "Safety.\n\nRead this.\n\ngloves.\n\nglasses!\n\none: Stop.",
        );
        reads("Before\n```sh\nrm -rf *\n```\nafter", "Before after");
        reads("> quoted\n\n---\nend", "quoted\n\nend");
        reads(
            "| Part | Price |\n|---|---:|\n| Seal | $4 |\n| Ring | |",
            "Part: Seal, Price: four dollars.\n\nPart: Ring.",
        );
        reads("| a | b |", "a, b.");
    }

    #[test]
    fn dates() {
        reads("On 2024-03-05.", "On March 5th, 2024.");
        reads("2024-12-31T23:59:00Z", "December 31st, 2024 at 23:59");
        reads("Due Mar. 2, 2023 or 22 May 2024", "Due March 2nd, 2023 or the 22nd of May 2024");
        reads("2024-13-05 and 2024-02-99", "2024-13-05 and 2024-02-99");
        reads("May 40 people", "May forty people");
    }

    #[test]
    fn money_ranges_and_units() {
        reads("$1,234.50", "one thousand two hundred thirty-four dollars and fifty cents");
        reads("It cost £1 or $0.05.", "It cost one pound or five cents.");
        reads(
            "€3.5 million; 20 € each; 5 EUR",
            "three point five million euros; twenty euros each; five euros",
        );
        reads("pages 10–20, 5-7 and 9-3", "pages ten to twenty, five to seven and 9-3");
        reads("$5–$10", "five to ten dollars".replace("five to", "five dollars to").as_str());
        reads(
            "5% of 1 kg, 2.5 km/h at -4 °C",
            "five percent of one kilogram, two point five kilometers per hour at minus four degrees Celsius",
        );
        reads("~20 m and 10%–15%", "about twenty meters and ten percent to fifteen percent");
    }

    #[test]
    fn scores_seasons_and_chapters() {
        reads(
            "They won 20–18 in 1998–99 (Daniel 8:9–12).",
            "They won twenty to eighteen in 1998 to ninety-nine (Daniel 8:9 to twelve).",
        );
        reads(
            "Article 17(1) says so.[citation needed] On 7 January.[note 3]",
            "Article 17(1) says so. On the 7th of January.",
        );
        reads("Call 555-1234.", "Call 555-1234.");
    }

    #[test]
    fn short_forms() {
        reads(
            "e.g. pumps, i.e. No. 5 vs. #6 (see Fig. 3, § 4) etc.",
            "for example pumps, that is number five versus number six (see figure three, section four) et cetera.",
        );
    }

    #[test]
    fn other_languages_keep_their_numbers() {
        assert_eq!(spoken_form("Am 5. März **2024** 3,5 km [2].", "deu"), "Am 5. März 2024 3,5 km.");
        assert_eq!(spoken_form("3 km", "en-US"), "three kilometers");
    }

    #[test]
    fn anything_goes_through() {
        for text in
            ["", "|", "||", "```", "[", "](", "**", "_", "\0", "[1", "`", "$", "5–", "\u{202e}|x|", "2024-"]
        {
            let _ = spoken_form(text, "en");
            let _ = spoken_form(&text.repeat(500), "en");
        }
    }
}
