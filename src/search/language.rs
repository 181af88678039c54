//! Languages: which one a text is in, its stemmer, and its function words.

use std::sync::OnceLock;

use frostem::{Algorithm, Stemmer};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis;

/// Words remembered with their stem; language is repetitive, so a small table answers nearly every time.
const CACHED_STEMS: usize = 30_000;
/// How much of a text the detection reads, in characters.
const DETECT_CHARS: usize = 4000;

/// ISO 639-1 code of the language of a text, when it can be told with confidence.
pub fn detect(text: &str) -> Option<&'static str> {
    let sample: String = text.chars().take(DETECT_CHARS).collect();
    let info = whatlang::detect(&sample)?;
    if !info.is_reliable() && info.confidence() < 0.5 {
        return None;
    }
    iso_639_1(info.lang())
}

fn iso_639_1(lang: whatlang::Lang) -> Option<&'static str> {
    const CODES: &[(&str, &str)] = &[
        ("eng", "en"),
        ("rus", "ru"),
        ("cmn", "zh"),
        ("spa", "es"),
        ("por", "pt"),
        ("ita", "it"),
        ("ben", "bn"),
        ("fra", "fr"),
        ("deu", "de"),
        ("ukr", "uk"),
        ("kat", "ka"),
        ("ara", "ar"),
        ("hin", "hi"),
        ("jpn", "ja"),
        ("heb", "he"),
        ("yid", "yi"),
        ("pol", "pl"),
        ("amh", "am"),
        ("jav", "jv"),
        ("kor", "ko"),
        ("nob", "no"),
        ("dan", "da"),
        ("swe", "sv"),
        ("fin", "fi"),
        ("tur", "tr"),
        ("nld", "nl"),
        ("hun", "hu"),
        ("ces", "cs"),
        ("ell", "el"),
        ("bul", "bg"),
        ("bel", "be"),
        ("mar", "mr"),
        ("kan", "kn"),
        ("ron", "ro"),
        ("slv", "sl"),
        ("hrv", "hr"),
        ("srp", "sr"),
        ("mkd", "mk"),
        ("lit", "lt"),
        ("lav", "lv"),
        ("est", "et"),
        ("tam", "ta"),
        ("vie", "vi"),
        ("urd", "ur"),
        ("tha", "th"),
        ("guj", "gu"),
        ("uzb", "uz"),
        ("pan", "pa"),
        ("aze", "az"),
        ("ind", "id"),
        ("tel", "te"),
        ("pes", "fa"),
        ("mal", "ml"),
        ("ori", "or"),
        ("mya", "my"),
        ("nep", "ne"),
        ("sin", "si"),
        ("khm", "km"),
        ("tuk", "tk"),
        ("aka", "ak"),
        ("zul", "zu"),
        ("sna", "sn"),
        ("afr", "af"),
        ("lat", "la"),
        ("slk", "sk"),
        ("cat", "ca"),
        ("tgl", "tl"),
        ("hye", "hy"),
        ("epo", "eo"),
        ("cym", "cy"),
    ];
    let code = lang.code();
    CODES.iter().find(|(three, _)| *three == code).map(|(_, two)| *two)
}

fn algorithm(code: &str) -> Option<Algorithm> {
    Some(match code {
        "ar" => Algorithm::Arabic,
        "hy" => Algorithm::Armenian,
        "eu" => Algorithm::Basque,
        "ca" => Algorithm::Catalan,
        "cs" => Algorithm::Czech,
        "da" => Algorithm::Danish,
        "nl" => Algorithm::Dutch,
        "en" => Algorithm::English,
        "et" => Algorithm::Estonian,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "hi" => Algorithm::Hindi,
        "hu" => Algorithm::Hungarian,
        "id" => Algorithm::Indonesian,
        "ga" => Algorithm::Irish,
        "it" => Algorithm::Italian,
        "lt" => Algorithm::Lithuanian,
        "no" => Algorithm::Norwegian,
        "pl" => Algorithm::Polish,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sr" => Algorithm::Serbian,
        "es" => Algorithm::Spanish,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => return None,
    })
}

/// Two letters of a language code; anything else is no language. Norwegian's written forms are one.
pub(crate) fn code_of(language: Option<&str>) -> [u8; 2] {
    match language.map(str::as_bytes) {
        Some([b'n' | b'N', b'b' | b'B' | b'n' | b'N', ..]) => *b"no",
        Some([a, b, ..]) if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            [a.to_ascii_lowercase(), b.to_ascii_lowercase()]
        }
        _ => *b"--",
    }
}

/// The code as a stemmer is chosen by it: `nb` and `nn` are `no`.
pub(crate) fn known(code: [u8; 2]) -> [u8; 2] {
    code_of(std::str::from_utf8(&code).ok())
}

/// Stems the words of one language; without a stemmer the folded word is its own stem.
pub(crate) struct Stems {
    stemmer: Option<Stemmer>,
    /// Tokens as they stand in the text, and where their stem is in `forms`.
    known: FxHashMap<Box<str>, u32>,
    forms: Vec<Box<str>>,
    lowered: String,
    folded: String,
}

impl Stems {
    pub(crate) fn new(code: [u8; 2]) -> Self {
        let stemmer = std::str::from_utf8(&code).ok().and_then(algorithm).map(Stemmer::new);
        Self {
            stemmer,
            known: FxHashMap::default(),
            forms: Vec::new(),
            lowered: String::new(),
            folded: String::new(),
        }
    }

    /// The stem of a token as it stands in the text.
    pub(crate) fn stem(&mut self, token: &str) -> &str {
        if let Some(at) = self.known.get(token) {
            return &self.forms[*at as usize];
        }
        analysis::lower(token, &mut self.lowered);
        let stemmed = match &self.stemmer {
            Some(stemmer) if !self.lowered.starts_with(|c: char| c.is_ascii_digit()) => {
                stemmer.stem(&self.lowered)
            }
            _ => self.lowered.as_str().into(),
        };
        analysis::fold(&stemmed, &mut self.folded);
        if self.forms.len() >= CACHED_STEMS {
            self.known.clear();
            self.forms.clear();
        }
        self.known.insert(token.into(), self.forms.len() as u32);
        self.forms.push(self.folded.as_str().into());
        &self.folded
    }
}

/// First letters of the words looked for: most words of a text are told apart by theirs, without stemming them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Initials(u128);

impl Initials {
    pub(crate) fn add(&mut self, folded: &str) {
        if let Some(byte) = folded.bytes().next().filter(u8::is_ascii) {
            self.0 |= 1 << byte;
        }
    }

    /// Whether a token of a text may be one of the words. Indonesian stems lose their beginnings: always.
    pub(crate) fn may_begin(self, token: &str, language: [u8; 2]) -> bool {
        if !token.is_ascii() || language == *b"id" {
            return true;
        }
        token.bytes().next().is_none_or(|byte| self.0 & (1 << byte.to_ascii_lowercase()) != 0)
    }
}

/// All stems a query word may have in the given languages, most likely first, without repeats.
pub(crate) fn stem_variants(token: &str, languages: &[[u8; 2]]) -> Vec<String> {
    let mut variants = Vec::new();
    let folded = analysis::exact_form(token);
    for code in languages {
        let mut stems = Stems::new(*code);
        for form in [token, folded.as_str()] {
            let stem = stems.stem(form).to_owned();
            if !stem.is_empty() && !variants.contains(&stem) {
                variants.push(stem);
            }
        }
    }
    if variants.is_empty() && !folded.is_empty() {
        variants.push(folded);
    }
    variants
}

/// Function and question words of the language a question is asked in: they say how something is asked, not what
/// about.
pub(crate) struct FunctionWords(&'static FxHashSet<&'static str>);

impl FunctionWords {
    /// The language is the one that most of the words belong to; English when none tells.
    pub(crate) fn of(folded: &[String]) -> Self {
        let sets = function_word_sets();
        let hits = |set: &FxHashSet<&str>| folded.iter().filter(|word| set.contains(word.as_str())).count();
        let mut best = &sets[0];
        for set in &sets[1..] {
            if hits(set) > hits(best) {
                best = set;
            }
        }
        Self(best)
    }

    pub(crate) fn contains(&self, folded: &str) -> bool {
        self.0.contains(folded)
    }
}

fn function_word_sets() -> &'static [FxHashSet<&'static str>] {
    static SETS: OnceLock<Vec<FxHashSet<&'static str>>> = OnceLock::new();
    SETS.get_or_init(|| FUNCTION_WORDS.iter().map(|words| words.split_ascii_whitespace().collect()).collect())
}

/// English, German, French, Spanish, Italian, Portuguese and Dutch, folded.
const FUNCTION_WORDS: [&str; 7] = [
    "a about above after again against all also although am among an and another any are as at be became because become been \
     before being below between both but by call called can could did do does doing done down during each either else for from \
     further had has have having he her here hers herself him himself his how however i if in into is it its itself just kind \
     know known like made make many may me might more most much must my myself name named neither no nor not now of off often on \
     once one only onto or other our ours out over own please same she should since so some such tell than that the their theirs \
     them themselves then there these they this those though through thus to too toward towards type under until up upon use \
     used using very via was we well went were what whatever when where whether which while who whom whose why will with within \
     without would you your yours yourself don doesn didn isn wasn aren weren won",
    "der die das den dem des ein eine einer eines einem einen und oder aber nicht ist sind war waren wird werden wurde wurden hat \
     haben hatte von vom zu zum zur mit bei auf aus fur im in ins am an als auch nach uber unter wer wie wo wann warum welche \
     welcher welches wem wen wieviel viele dass sich es er sie wir ihr was heisst",
    "le la les un une des du de et ou mais ne pas est sont etait etaient dans sur sous avec pour par que qui quoi quel quelle quels \
     quelles quand comment pourquoi combien ce cette ces il elle ils elles au aux en se son sa ses a ete",
    "el la los las un una unos unas y o pero no es son era fue fueron en con por para que quien quienes cual cuales cuando donde \
     como cuanto cuantos cuanta cuantas porque de del al se su sus lo a",
    "il lo la i gli le un uno una e o ma non sono di da in nel nella con su per tra fra che chi quale quali quando dove come quanto \
     quanti perche del dei delle degli della dello si era",
    "o a os as um uma uns umas e ou mas nao foi foram em no na nos nas com por para qual quais quem onde quando como quanto quantos \
     porque de do da dos das ao que",
    "het een en of maar niet zijn is was werd werden met van voor naar bij uit op om in de wie wat waar wanneer waarom welke hoe \
     hoeveel dat dit deze die",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_languages() {
        assert_eq!(
            detect("The committee met in October and agreed on the budget for the following year."),
            Some("en")
        );
        assert_eq!(
            detect("Der Ausschuss tagte im Oktober und beschloss den Haushalt für das kommende Jahr."),
            Some("de")
        );
        assert_eq!(detect("委員会は十月に会合を開き、翌年の予算を承認した。"), Some("ja"));
        assert_eq!(detect(""), None);
        assert_eq!(detect("12345 67 %"), None);
    }

    #[test]
    fn stems_by_language() {
        assert_eq!(Stems::new(*b"en").stem("Running"), "run");
        assert_eq!(Stems::new(*b"de").stem("Häuser"), Stems::new(*b"de").stem("Häusern").to_owned());
        assert_eq!(Stems::new(*b"--").stem("Élan"), "elan");
        assert_eq!(Stems::new(*b"ja").stem("漢字"), "漢字");
    }

    #[test]
    fn variants_cover_text_without_accents() {
        let variants = stem_variants("ecoles", &[*b"fr"]);
        assert!(variants.contains(&Stems::new(*b"fr").stem("écoles").to_owned()));
        assert_eq!(stem_variants("x", &[]), ["x"]);
    }
}
