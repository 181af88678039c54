//! Fixed sentences, and the language of a question.

const NOT_TOLD: &[(&str, &str)] = &[
    ("en", "The documents do not tell."),
    ("de", "Das steht nicht in den Dokumenten."),
    ("fr", "Les documents ne le disent pas."),
    ("es", "Los documentos no lo dicen."),
    ("it", "I documenti non lo dicono."),
    ("nl", "Dat staat niet in de documenten."),
    ("pt", "Os documentos não o dizem."),
];

/// Words that nearly every question of a language has one of, and few of another.
const ASKING: &[(&str, &str)] = &[
    ("en", "what who whom whose when where why how which is are was were does did do the of"),
    (
        "de",
        "was wer wem wen wann wo warum wieso wie welche welcher welches ist sind war waren der die das wurde hat",
    ),
    (
        "fr",
        "que qui quand où pourquoi comment quel quelle quels quelles est sont était le la les des qu est-ce combien",
    ),
    ("es", "qué quién quiénes cuándo dónde cómo cuál cuáles cuánto cuántos es son fue el los las por del"),
    ("it", "che chi quando dove perché come quale quali quanto quanti è sono era il gli della cosa"),
    ("nl", "wat wie wanneer waar waarom hoe welke welk is zijn was waren de het een werd heeft"),
    ("pt", "que quem quando onde porquê como qual quais quanto quantos é são foi o os as do da"),
];

/// That the documents do not tell, in the language of the question.
pub(crate) fn not_told(language: &str) -> &'static str {
    NOT_TOLD.iter().find(|(code, _)| *code == language).unwrap_or(&NOT_TOLD[0]).1
}

/// ISO 639-1 code: a question is often too short for statistics, so its small words are looked at first.
pub(crate) fn language_of(question: &str) -> Option<&'static str> {
    let lower = question.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let score = |list: &str| {
        let list: Vec<&str> = list.split(' ').collect();
        words.iter().filter(|word| list.contains(word)).count()
    };
    let mut scores: Vec<(usize, &'static str)> =
        ASKING.iter().map(|(code, list)| (score(list), *code)).collect();
    scores.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    if scores[0].0 > scores[1].0 {
        return Some(scores[0].1);
    }
    lectern_search::detect_language(question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_questions_have_a_language() {
        for (question, language) in [
            ("Who built the tower?", "en"),
            ("Wann wurde der Turm gebaut?", "de"),
            ("Quand la tour est-elle construite ?", "fr"),
            ("¿Cuándo fue construida la torre?", "es"),
            ("Quando è stata costruita la torre e chi era?", "it"),
            ("Wanneer werd de toren gebouwd en waar?", "nl"),
            ("Quando foi construída a torre do rio?", "pt"),
        ] {
            assert_eq!(language_of(question), Some(language), "{question}");
            assert!(not_told(language).ends_with('.'));
        }
        assert_eq!(not_told("xx"), not_told("en"));
    }
}
