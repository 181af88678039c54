//! Citations as they are said after a sentence: "source two, page fourteen".

use lectern_kernel::ports::AnswerCitation;

/// Language, word for a source, word for a page.
const WORDS: &[(&str, &str, &str)] = &[
    ("en", "Source", "page"),
    ("de", "Quelle", "Seite"),
    ("fr", "Source", "page"),
    ("es", "Fuente", "página"),
    ("it", "Fonte", "pagina"),
    ("pt", "Fonte", "página"),
    ("nl", "Bron", "pagina"),
    ("sv", "Källa", "sidan"),
    ("da", "Kilde", "side"),
    ("no", "Kilde", "side"),
    ("nb", "Kilde", "side"),
    ("fi", "Lähde", "sivu"),
    ("pl", "Źródło", "strona"),
    ("cs", "Zdroj", "strana"),
    ("tr", "Kaynak", "sayfa"),
    ("ru", "Источник", "страница"),
    ("uk", "Джерело", "сторінка"),
];

/// None when there is nothing to cite or no words for it in this language.
pub(crate) fn spoken_citations(language: Option<&str>, citations: &[AnswerCitation]) -> Option<String> {
    let base = language?.split(['-', '_']).next()?.to_ascii_lowercase();
    let (_, source, page) = WORDS.iter().find(|(code, ..)| *code == base)?;
    let one = |citation: &AnswerCitation| match citation.page {
        Some(number) => format!("{source} {}, {page} {number}", citation.n),
        None => format!("{source} {}", citation.n),
    };
    let said: Vec<String> = citations.iter().map(one).collect();
    (!said.is_empty()).then(|| format!("{}.", said.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_sentence_s_language() {
        let two = AnswerCitation { n: 2, page: Some(14) };
        let one = AnswerCitation { n: 1, page: None };
        let said = |language, citations: &[AnswerCitation]| spoken_citations(Some(language), citations);
        assert_eq!(said("en-GB", std::slice::from_ref(&two)).as_deref(), Some("Source 2, page 14."));
        assert_eq!(said("de", &[two, one]).as_deref(), Some("Quelle 2, Seite 14; Quelle 1."));
        assert_eq!(said("de", &[]), None);
        assert_eq!(said("xx", &[AnswerCitation { n: 1, page: None }]), None);
    }
}
