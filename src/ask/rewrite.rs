//! Makes a question that leans on the conversation stand for itself.

use std::fmt::Write as _;
use std::time::Duration;

use lectern_inference::{ChatRequest, Endpoint, Message, Ollama, OllamaError};

use crate::phrase;

/// Questions of fewer words lean on what was said before, unless they name something.
const SHORT: usize = 5;
/// Turns that are looked at.
pub(crate) const HISTORY: u32 = 6;
const MAX_REWRITTEN: usize = 400;
const TIME: Duration = Duration::from_secs(15);

/// Words that point at something said before. Without those that also begin a question that stands for itself.
const POINTING: &[(&str, &str)] = &[
    (
        "en",
        "it its he him his she her hers they them their theirs this that these those there then one ones former latter same",
    ),
    (
        "de",
        "er ihn ihm sein seine seinen seiner sie ihr ihre ihren ihrer es dieser diese dieses davon damit dazu daran dort dabei",
    ),
    ("fr", "il elle ils elles lui leur leurs son sa ses cela celui celle ceux y en"),
    ("es", "él ella ellos ellas su sus eso esto ese esa aquel aquella allí lo le"),
    ("it", "lui lei loro suo sua suoi sue esso essa questo questa quello quella lì ne"),
    ("nl", "hij hem zijn zij haar hun het dit deze dat die daar ervan"),
    ("pt", "ele ela eles elas seu sua seus suas isso isto esse essa aquele aquela lá"),
];
/// Beginnings that go on with what was said.
const GOING_ON: &[&str] = &[
    "and ",
    "but ",
    "what about",
    "how about",
    "und ",
    "aber ",
    "et ",
    "mais ",
    "y ",
    "pero ",
    "e ",
    "ma ",
    "en ",
    "maar ",
    "mas ",
];

/// Whether a question can only be understood with what was said before.
pub(crate) fn leans(question: &str) -> bool {
    let lower = question.trim().to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let pointing = |language: &str| {
        let list = POINTING.iter().find(|(code, _)| *code == language).map_or("", |(_, list)| list);
        words.iter().any(|word| list.split(' ').any(|other| other == *word))
    };
    let language = phrase::language_of(question).unwrap_or("en");
    let short = words.len() < SHORT && names(question).is_empty();
    short || GOING_ON.iter().any(|start| lower.starts_with(start)) || pointing(language)
}

/// Words written like names, other than the first, and numbers.
fn names(question: &str) -> Vec<&str> {
    question
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .enumerate()
        .filter(|(at, word)| {
            word.starts_with(|c: char| c.is_numeric() || (*at > 0 && c.is_uppercase()))
                && word.chars().nth(1).is_some()
        })
        .map(|(_, word)| word)
        .collect()
}

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Searched {
    pub question: String,
    /// Words of earlier questions that it leans on.
    pub context: Option<String>,
}

impl Searched {
    pub(crate) fn alone(question: String) -> Self {
        Self { question, context: None }
    }
}

/// By rule: the question, and as its context the names, else all words, of the last question that stood for itself.
pub(crate) fn by_rule(question: &str, history: &[(String, String)]) -> Searched {
    let topic = history.iter().rev().map(|(asked, _)| asked).find(|asked| !leans(asked));
    let Some(topic) = topic.or_else(|| history.first().map(|(asked, _)| asked)) else {
        return Searched::alone(question.to_owned());
    };
    let names = names(topic);
    let context = if names.is_empty() { topic.clone() } else { names.join(" ") };
    Searched { question: question.to_owned(), context: Some(context) }
}

/// By the model; none when what it gives is no question.
pub(crate) async fn by_model(
    endpoint: &Endpoint,
    question: &str,
    history: &[(String, String)],
) -> Result<Option<String>, OllamaError> {
    let quick = Endpoint {
        first_token: endpoint.first_token.min(TIME),
        total: endpoint.total.min(TIME),
        ..endpoint.clone()
    };
    let mut stream = Ollama::new(quick)?.chat(request(question, history)).await?;
    let mut text = String::new();
    while let Some(piece) = stream.next().await {
        text.push_str(&piece?);
        if text.len() > MAX_REWRITTEN * 4 {
            return Ok(None);
        }
    }
    let line = text.trim().lines().next().unwrap_or_default().trim_matches(['"', '“', '”', ' ']).to_owned();
    Ok((!line.is_empty() && line.chars().nth(MAX_REWRITTEN).is_none()).then_some(line))
}

fn request(question: &str, history: &[(String, String)]) -> ChatRequest {
    let system = "Rewrite the last question of this conversation so that it can be understood alone: put names in the \
                  place of pronouns. Keep its language. Reply with the question only.";
    let mut said = String::new();
    for (asked, answer) in history {
        let answer: String = answer.chars().take(400).collect();
        // Writing to a string cannot fail.
        let _ = write!(said, "Question: {asked}\nAnswer: {answer}\n\n");
    }
    let _ = write!(said, "Last question: {question}");
    ChatRequest { messages: vec![Message::System(system.to_owned()), Message::User(said)], max_tokens: 96 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pronouns_and_short_questions_lean() {
        for leaning in [
            "When was it built?",
            "And in Paris?",
            "Why?",
            "Wann wurde er gebaut?",
            "What about 1998?",
            "Où est-il né ?",
        ] {
            assert!(leans(leaning), "{leaning}");
        }
        for alone in [
            "Who designed the Eiffel Tower?",
            "How many litres does the hydraulic pump hold?",
            "Wie hoch ist der Eiffelturm in Paris?",
            "Where is Warsaw?",
        ] {
            assert!(!leans(alone), "{alone}");
        }
    }

    #[test]
    fn the_topic_is_the_last_question_that_stood_for_itself() {
        let history: Vec<(String, String)> = ["Who designed the Eiffel Tower?", "When was it built?"]
            .iter()
            .map(|asked| ((*asked).to_owned(), String::new()))
            .collect();
        let context = |question: &str, history: &[(String, String)]| {
            let searched = by_rule(question, history);
            assert_eq!(searched.question, question);
            searched.context
        };
        assert_eq!(context("How tall is it?", &history).as_deref(), Some("Eiffel Tower"));
        let history = [("how many litres does the pump hold".to_owned(), String::new())];
        assert_eq!(context("Why?", &history).as_deref(), Some("how many litres does the pump hold"));
        assert_eq!(context("Why?", &[]), None);
    }
}
