//! Question-and-answer data in SQuAD's format, and how answers are compared there (Rajpurkar et al., 2016).

use serde::Deserialize;

use crate::error::{Result, SearchError};

#[derive(Debug, Deserialize)]
struct File {
    data: Vec<RawArticle>,
}

#[derive(Debug, Deserialize)]
struct RawArticle {
    #[serde(default)]
    title: String,
    paragraphs: Vec<RawParagraph>,
}

#[derive(Debug, Deserialize)]
struct RawParagraph {
    context: String,
    #[serde(default)]
    qas: Vec<RawQuestion>,
}

#[derive(Debug, Deserialize)]
struct RawQuestion {
    #[serde(default)]
    question: String,
    #[serde(default)]
    answers: Vec<RawAnswer>,
    #[serde(default)]
    is_impossible: bool,
}

#[derive(Debug, Deserialize)]
struct RawAnswer {
    text: String,
    answer_start: i64,
}

/// An article as a document with the questions asked about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    pub title: String,
    /// The paragraphs, joined by an empty line.
    pub text: String,
    pub questions: Vec<GoldQuestion>,
}

/// A question and where its answers stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldQuestion {
    pub question: String,
    /// Every accepted answer; empty when the article does not tell.
    pub answers: Vec<GoldAnswer>,
}

/// An accepted answer; `start..end` are code points of the article's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoldAnswer {
    pub text: String,
    pub start: u32,
    pub end: u32,
}

/// Reads SQuAD JSON (versions 1.1 and 2.0). `name` stands in error messages.
pub fn parse(json: &[u8], name: &str) -> Result<Vec<Article>> {
    let file: File = serde_json::from_slice(json).map_err(|error| SearchError::Evaluation {
        file: name.to_owned(),
        reason: format!("not SQuAD's format: {error}"),
    })?;
    Ok(file.data.into_iter().map(article).collect())
}

fn article(raw: RawArticle) -> Article {
    let (mut text, mut length, mut questions) = (String::new(), 0u32, Vec::new());
    for paragraph in raw.paragraphs {
        if !text.is_empty() {
            text.push_str("\n\n");
            length += 2;
        }
        for qa in paragraph.qas {
            let place = |answer: RawAnswer| {
                let start = length + u32::try_from(answer.answer_start).ok()?;
                let end = start + answer.text.chars().count() as u32;
                Some(GoldAnswer { text: answer.text, start, end })
            };
            let answers = if qa.is_impossible {
                Vec::new()
            } else {
                qa.answers.into_iter().filter_map(place).collect()
            };
            questions.push(GoldQuestion { question: qa.question, answers });
        }
        length += paragraph.context.chars().count() as u32;
        text.push_str(&paragraph.context);
    }
    Article { title: raw.title.replace('_', " "), text, questions }
}

/// SQuAD's normalisation: lower case, no punctuation, no articles, single blanks.
pub fn normalise(text: &str) -> String {
    let plain: String =
        text.chars().filter(|c| !c.is_ascii_punctuation()).flat_map(char::to_lowercase).collect();
    plain.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the")).collect::<Vec<_>>().join(" ")
}

/// Whether an accepted answer stands in what was answered, in whole words.
pub fn is_hit(answers: &[GoldAnswer], given: &str) -> bool {
    let given = normalise(given);
    answers.iter().any(|answer| {
        let wanted = normalise(&answer.text);
        !wanted.is_empty() && given.contains(&wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_code_points_of_the_joined_text() {
        let json = r#"{"data":[{"title":"A_b","paragraphs":[{"context":"é x.","qas":[]},
            {"context":"Ünder the 12th.","qas":[{"question":"q?","answers":[{"text":"the 12th","answer_start":6}]}]}]}]}"#;
        let articles = parse(json.as_bytes(), "t").expect("valid");
        let gold = &articles[0].questions[0].answers[0];
        let place: String = articles[0]
            .text
            .chars()
            .skip(gold.start as usize)
            .take((gold.end - gold.start) as usize)
            .collect();
        assert_eq!((place.as_str(), articles[0].title.as_str()), ("the 12th", "A b"));
        assert!(is_hit(&articles[0].questions[0].answers, "It was on THE 12th!"));
        assert!(!is_hit(&articles[0].questions[0].answers, "It was on the 13th"));
        assert!(parse(b"[]", "t").is_err());
    }
}
