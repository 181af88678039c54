//! What there is to say, sentence by sentence, from an answer in the making, a text, or a marked text.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use lectern_kernel::ports::{AnswerCitation, AnswerPart, AnswerStream, Failure};
use lectern_speech::SsmlPart;

/// Sentences shorter than this are joined to the next: their language cannot be told alone.
const TELLING: usize = 24;

/// A text that is said in one language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub sentence: usize,
    pub text: String,
    pub language: Option<String>,
    pub citations: Vec<AnswerCitation>,
    /// 1 is the speed that is set.
    pub rate: f32,
}

/// One step of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    Say(Said),
    /// Milliseconds.
    Rest(u32),
    /// The end; the whole turn when it was an answer.
    Over,
    Failed(Failure),
}

pub(crate) type Lines = Pin<Box<dyn Stream<Item = Line> + Send>>;

/// The sentences of an answer as they are written.
pub(crate) fn of_answer(parts: AnswerStream) -> Lines {
    Box::pin(parts.filter_map(|part| std::future::ready(line(part))))
}

/// The line of a part of an answer, when it has one.
pub(crate) fn line(part: AnswerPart) -> Option<Line> {
    match part {
        AnswerPart::Sentence(sentence) => Some(Line::Say(Said {
            sentence: sentence.index,
            text: sentence.text,
            language: sentence.language,
            citations: sentence.citations,
            rate: 1.0,
        })),
        AnswerPart::Done(_) => Some(Line::Over),
        AnswerPart::Failed(failure) => Some(Line::Failed(failure)),
        AnswerPart::Retrieval { .. } | AnswerPart::Token(_) | AnswerPart::Citation(_) => None,
    }
}

/// A text, each sentence in the language that is given or that it seems to be in.
pub(crate) fn of_text(text: &str, language: Option<&str>) -> Lines {
    let mut lines = Vec::new();
    say(text, language, 1.0, &mut lines);
    lines.push(Line::Over);
    Box::pin(stream::iter(lines))
}

/// A marked text. A language that is marked goes before the one that is given.
pub(crate) fn of_ssml(parts: Vec<SsmlPart>) -> Lines {
    let mut lines = Vec::new();
    for part in parts {
        match part {
            SsmlPart::Text { text, language, rate } => say(&text, language.as_deref(), rate, &mut lines),
            SsmlPart::Break(ms) => lines.push(Line::Rest(ms)),
        }
    }
    lines.push(Line::Over);
    Box::pin(stream::iter(lines))
}

fn say(text: &str, language: Option<&str>, rate: f32, lines: &mut Vec<Line>) {
    let mut sentence = lines.iter().filter(|line| matches!(line, Line::Say(_))).count();
    let mut line = |text: &str, language: Option<String>| {
        if text.trim().is_empty() {
            return;
        }
        lines.push(Line::Say(Said {
            sentence,
            text: text.to_owned(),
            language,
            citations: Vec::new(),
            rate,
        }));
        sentence += 1;
    };
    if language.is_some() {
        // Markdown goes over several lines, so a text in one language stays whole.
        return line(text, language.map(str::to_owned));
    }
    let mut known: Option<String> = lectern_search::detect_language(text).map(str::to_owned);
    let mut from = 0;
    for range in lectern_search::sentences(text) {
        let piece = &text[from..range.end];
        if piece.trim().chars().count() < TELLING && range.end < text.trim_end().len() {
            continue;
        }
        known = lectern_search::detect_language(piece).map(str::to_owned).or(known);
        line(piece, known.clone());
        from = range.end;
    }
    line(&text[from..], known);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(lines: Lines) -> Vec<(String, Option<String>)> {
        let said = |line| match line {
            Line::Say(said) => Some((said.text, said.language)),
            _ => None,
        };
        lines.filter_map(|line| std::future::ready(said(line))).collect().await
    }

    #[tokio::test]
    async fn each_sentence_has_its_language_and_nothing_is_lost() {
        let text = "The pump was installed in the year 2019 by the crew. Die Pumpe wurde im Jahr 2019 von der Mannschaft eingebaut. Ok.";
        let lines = said(of_text(text, None)).await;
        let languages: Vec<_> = lines.iter().filter_map(|(_, language)| language.as_deref()).collect();
        assert_eq!(&languages[..2], ["en", "de"], "{lines:?}");
        assert_eq!(lines.iter().map(|(text, _)| text.as_str()).collect::<String>(), text);
        let given = said(of_text(text, Some("fr"))).await;
        assert_eq!(given, [(text.to_owned(), Some("fr".to_owned()))]);
        assert!(said(of_text("  \n", None)).await.is_empty());
    }
}
