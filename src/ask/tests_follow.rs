//! What other areas hear of an answer, while it is written and after.

use std::time::Duration;

use futures_util::StreamExt;
use lectern_inference::fake::{FakeOllama, Mode as Fake};
use lectern_kernel::ports::{AnswerPart, AnswerStream, Answers, Question};
use lectern_kernel::{Code, Scope, TenantId, TurnId};

use crate::testing::Fixture;
use crate::{Mode, NewQuestion};

const QUESTION: &str = "How many litres does the hydraulic pump hold?";

fn question() -> Question {
    Question { text: QUESTION.to_owned(), ..Question::default() }
}

fn turn_of(part: &AnswerPart) -> TurnId {
    match part {
        AnswerPart::Retrieval { turn, .. } => turn.clone(),
        other => panic!("the first part is {other:?}"),
    }
}

fn without_tokens(parts: &[AnswerPart]) -> Vec<AnswerPart> {
    parts.iter().filter(|part| !matches!(part, AnswerPart::Token(_))).cloned().collect()
}

async fn rest(stream: AnswerStream) -> Vec<AnswerPart> {
    stream.collect().await
}

#[tokio::test]
async fn late_listeners_hear_everything_once_from_the_beginning() {
    let words = ["The pump ", "holds 40 litres [1]. ", "Check ", "the pump ", "every week [1]."];
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let fake = FakeOllama::start(Fake::Slow(Duration::from_millis(60), words)).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    let mut first = Answers::ask(&fixture.ask, &fixture.scope, question()).await.expect("asks");
    let begin = first.next().await.expect("a part");
    let turn = turn_of(&begin);
    let early = fixture.ask.follow(&fixture.scope, &turn).await.expect("is live");
    let mut heard = vec![begin];
    while !matches!(heard.last(), Some(AnswerPart::Sentence(_))) {
        heard.push(first.next().await.expect("goes on"));
    }
    let late = fixture.ask.follow(&fixture.scope, &turn).await.expect("is live");
    let (more, early, late) = tokio::join!(rest(first), rest(early), rest(late));
    heard.extend(more);
    assert!(matches!(heard.last(), Some(AnswerPart::Done(_))), "{heard:?}");
    assert_eq!(heard, early);
    assert_eq!(heard, late);
    let sentences = heard.iter().filter(|part| matches!(part, AnswerPart::Sentence(_))).count();
    assert_eq!(sentences, 2);
    let over = rest(fixture.ask.follow(&fixture.scope, &turn).await.expect("is kept")).await;
    let shape =
        |parts: &[AnswerPart]| without_tokens(parts).iter().map(std::mem::discriminant).collect::<Vec<_>>();
    assert_eq!(shape(&over), shape(&heard));
    assert_eq!(over.last(), heard.last());
    assert!(
        fake.chats()[0]["messages"][0]["content"].as_str().is_some_and(|rules| rules.contains("read aloud"))
    );
}

#[tokio::test]
async fn sentences_know_their_language_and_pages() {
    let fixture = Fixture::new(None);
    {
        let mut passages = fixture.documents.passages.lock();
        let german = "Die hydraulische Pumpe fasst vierzig Liter Öl und muss jede Woche geprüft werden.";
        let mut handbook = crate::testing::passage("Handbuch", german, 0);
        handbook.language = Some("de".to_owned());
        passages.push(handbook);
    }
    let asked =
        Question { text: "Does the pump (Pumpe) hold oil, Liter Öl?".to_owned(), ..Question::default() };
    let parts = rest(Answers::ask(&fixture.ask, &fixture.scope, asked).await.expect("asks")).await;
    let languages: Vec<(Option<String>, Vec<Option<u32>>)> = parts
        .iter()
        .filter_map(|part| match part {
            AnswerPart::Sentence(sentence) => Some((
                sentence.language.clone(),
                sentence.citations.iter().map(|citation| citation.page).collect(),
            )),
            _ => None,
        })
        .collect();
    assert!(languages.contains(&(Some("de".to_owned()), vec![Some(4)])), "{languages:?}");
    assert!(languages.contains(&(Some("en".to_owned()), vec![Some(4)])), "{languages:?}");
}

#[tokio::test]
async fn who_stops_listening_to_an_own_question_stops_it() {
    let fake = FakeOllama::start(Fake::Hang(vec!["The pump holds 40 litres [1]. It ".into()])).await;
    let fixture = Fixture::new(Some(fake.endpoint()));
    let mut own = Answers::ask(&fixture.ask, &fixture.scope, question()).await.expect("asks");
    let turn = turn_of(&own.next().await.expect("a part"));
    let guest = fixture.ask.follow(&fixture.scope, &turn).await.expect("is live");
    drop(fixture.ask.follow(&fixture.scope, &turn).await.expect("a listener's leaving changes nothing"));
    while !matches!(own.next().await, Some(AnswerPart::Sentence(_))) {}
    drop(own);
    let parts = rest(guest).await;
    assert!(matches!(parts.last(), Some(AnswerPart::Done(turn)) if turn["notice"].is_string()), "{parts:?}");
    assert_eq!(fake.abandoned(), 1, "the model was stopped");
    assert_eq!(fixture.ask.turn(&fixture.scope, &turn).await.expect("is kept").mode, Mode::Ollama);
}

#[tokio::test]
async fn wrong_questions_and_foreign_turns_are_refused() {
    let fixture = Fixture::new(None);
    let Err(error) = Answers::ask(&fixture.ask, &fixture.scope, Question::default()).await else {
        panic!("was asked")
    };
    assert_eq!(error.code, Code::InvalidField);
    let stop = tokio_util::sync::CancellationToken::new();
    let request = NewQuestion { question: QUESTION.to_owned(), ..NewQuestion::default() };
    let turn = fixture.ask.ask(&fixture.scope, request, &stop, &mut |_| {}).await.expect("answers").turn;
    let other = Scope::system("other".parse::<TenantId>().expect("a name"));
    assert!(fixture.ask.follow(&other, &turn).await.is_err());
}
