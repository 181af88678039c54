//! From a language code to one of eSpeak's voices.

use crate::espeak::VoiceInfo;

/// Three-letter codes (ISO 639-3, as language detection gives them) and others that eSpeak writes
/// differently.
const SAME: &[(&str, &str)] = &[
    ("afr", "af"),
    ("aka", "en"),
    ("amh", "am"),
    ("ara", "ar"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bos", "bs"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("eus", "eu"),
    ("fas", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("gle", "ga"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("isl", "is"),
    ("ita", "it"),
    ("jav", "id"),
    ("jpn", "ja"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("kaz", "kk"),
    ("khm", "en"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mlt", "mt"),
    ("msa", "ms"),
    ("mya", "my"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nob", "nb"),
    ("nor", "nb"),
    ("no", "nb"),
    ("nn", "nb"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sw"),
    ("spa", "es"),
    ("sqi", "sq"),
    ("srp", "sr"),
    ("swa", "sw"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "en"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("uig", "ug"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("yid", "he"),
    ("zh", "cmn"),
    ("zho", "cmn"),
    ("zul", "sw"),
];

/// The voice for a language: the whole tag (`pt-BR`), else its beginning (`pt`), else a voice of a
/// region of it; None when eSpeak does not speak it.
pub(crate) fn voice_for<'a>(voices: &'a [VoiceInfo], language: &str) -> Option<&'a VoiceInfo> {
    let tag = language.trim().to_lowercase().replace('_', "-");
    let (base, region) =
        tag.split_once('-').map_or((tag.as_str(), None), |(base, region)| (base, Some(region)));
    let base = SAME.iter().find(|(code, _)| *code == base).map_or(base, |(_, own)| own);
    let whole = region.map_or_else(|| base.to_owned(), |region| format!("{base}-{region}"));
    exact(voices, &whole).or_else(|| exact(voices, base)).or_else(|| {
        let prefix = format!("{base}-");
        voices.iter().find(|voice| voice.id.starts_with(&prefix))
    })
}

/// The voice of this id or eSpeak's own name for it, else the nearest of those that know the tag.
pub(crate) fn exact<'a>(voices: &'a [VoiceInfo], name: &str) -> Option<&'a VoiceInfo> {
    let is = |voice: &&VoiceInfo| {
        [&voice.id, &voice.path, &voice.name].iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    let distance = |voice: &VoiceInfo| {
        let tags = voice.languages.iter().zip(&voice.distances);
        tags.filter(|(tag, _)| tag.eq_ignore_ascii_case(name)).map(|(_, distance)| *distance).min()
    };
    voices.iter().find(is).or_else(|| {
        let knowing = voices.iter().filter_map(|voice| Some((distance(voice)?, voice)));
        knowing.min_by_key(|(distance, _)| *distance).map(|(_, voice)| voice)
    })
}
