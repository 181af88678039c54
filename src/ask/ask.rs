//! The one way from a question to an answer, for JSON, events and the command line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lectern_edge::Validate;
use lectern_inference::Ollama;
use lectern_kernel::ports::{Metered, RetrieveRequest, Retrieved};
use lectern_kernel::{Code, ConversationId, Error, Result, Scope, TurnId};
use lectern_store::outbox;
use tokio::sync::SemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::conversation::owner;
use crate::draft::{Draft, Sink, since, tenth};
use crate::event::{AskEvent, RetrievalEvent};
use crate::evidence::Evidence;
use crate::generate::{Ended, Writing};
use crate::live::Feed;
use crate::model::{Mode, NearView, NewQuestion, Trace, TurnView};
use crate::rewrite::Searched;
use crate::settings::CurrentSettings;
use crate::{Ask, extractive, phrase, prompt, rewrite, store};

/// Turns of one conversation.
const MAX_TURNS: u64 = 1000;
const MAX_TITLE: usize = 80;
/// How long a question waits for a free place.
const WAIT: Duration = Duration::from_secs(15);

/// A question with all that is needed to answer it.
struct Case<'a> {
    scope: &'a Scope,
    turn: TurnId,
    conversation: ConversationId,
    request: NewQuestion,
    question: String,
    settings: CurrentSettings,
    ollama: Option<Ollama>,
    history: Vec<(String, String)>,
    stop: &'a CancellationToken,
}

/// How the answer came about.
struct Outcome {
    mode: Mode,
    notice: Vec<String>,
}

impl Ask {
    /// Refuses what cannot be answered before anything is sent: rules of the request, the conversation's existence.
    pub async fn check(&self, scope: &Scope, request: &NewQuestion) -> Result<()> {
        if let Some(wrong) = request.validate().into_iter().next() {
            return Err(Error::field(&wrong.field, wrong.message));
        }
        let Some(id) = request.conversation.clone() else { return Ok(()) };
        let owner = owner(scope);
        let found = self.db(scope)?.read(move |tx| store::conversation(tx, &owner, &id)).await?;
        if found.ok_or_else(|| Error::not_found("conversation"))?.turns >= MAX_TURNS {
            return Err(Error::new(
                Code::Conflict,
                "The conversation has 1,000 questions, which is the most it can have.",
            )
            .hint("Begin a new conversation."));
        }
        Ok(())
    }

    /// Answers a question, telling `sink` each step. When `stop` is cancelled the answer ends where it is; it is kept
    /// as far as it went.
    pub async fn ask(
        &self,
        scope: &Scope,
        request: NewQuestion,
        stop: &CancellationToken,
        sink: &mut Sink<'_>,
    ) -> Result<TurnView> {
        self.ask_into(scope, request, stop, sink, &Arc::new(Feed::default())).await
    }

    /// [`Ask::ask`] for a listener of `feed`, who hears the same as those who join the turn later.
    pub(crate) async fn ask_into(
        &self,
        scope: &Scope,
        request: NewQuestion,
        stop: &CancellationToken,
        sink: &mut Sink<'_>,
        feed: &Arc<Feed>,
    ) -> Result<TurnView> {
        let started = Instant::now();
        self.check(scope, &request).await?;
        let _slot = self.slot().await?;
        if let Some(quota) = self.quota.get() {
            quota.spend(scope, Metered::Questions, 1).await?;
        }
        let case = self.case(scope, request, stop).await?;
        let _writing = self.live.begin(scope, &case.turn, feed);
        let sink: &mut Sink<'_> = &mut |event: AskEvent| {
            feed.push(&event);
            sink(event);
        };
        let (searched, rewrite_ms, mut notes) = self.rewrite(&case).await;
        let found = self.retrieve(&case, searched).await?;
        let plan = self.plan(&case, &found, &mut notes);
        feed.found(&found, phrase::language_of(&case.question).map(str::to_owned));
        sink(retrieval(&case, &found, plan));

        let mut draft = Draft::new(&*self.retrieve, scope, sink, started);
        let mut outcome = self.answer(&case, &found, plan, &mut draft).await;
        if outcome.mode == Mode::None {
            draft.clear();
            let language = phrase::language_of(&case.question).unwrap_or("en");
            draft.sentence(phrase::not_told(language).to_owned(), Vec::new(), "");
        }
        notes.append(&mut outcome.notice);
        outcome.notice = notes;
        let mut view = self.view(&case, &found, outcome, draft);
        view.trace = Trace { rewrite_ms, total_ms: since(started), ..view.trace };
        self.keep(scope, case.request.conversation.is_none(), view.clone()).await?;
        sink(AskEvent::Done(Box::new(view.clone())));
        Ok(view)
    }

    fn view(
        &self,
        case: &Case<'_>,
        found: &Retrieved,
        mut outcome: Outcome,
        draft: Draft<'_, '_>,
    ) -> TurnView {
        if draft.dropped > 0 {
            outcome.notice.push(dropped(draft.dropped));
        }
        let answered = outcome.mode != Mode::None;
        TurnView {
            turn: case.turn.clone(),
            conversation: case.conversation.clone(),
            question: case.question.clone(),
            answer: draft.answer,
            mode: outcome.mode,
            model: model(case, outcome.mode),
            answered,
            notice: (!outcome.notice.is_empty()).then(|| outcome.notice.join(" ")),
            language: language(&case.question, outcome.mode, found),
            sentences: draft.sentences,
            citations: draft.citations,
            nearest: if answered { Vec::new() } else { near(found) },
            dropped_citations: draft.dropped,
            rating: None,
            created_at: self.stores.clock().now(),
            trace: Trace {
                embed_ms: found.embed_ms.map(tenth),
                retrieve_ms: tenth(found.retrieve_ms),
                select_ms: tenth(found.select_ms),
                first_token_ms: draft.first_token_ms,
                first_sentence_ms: draft.first_sentence_ms,
                verify_ms: tenth(draft.verify_ms),
                ..Trace::default()
            },
        }
    }

    async fn slot(&self) -> Result<SemaphorePermit<'_>> {
        let busy = || {
            Error::new(Code::Busy, "Too many questions are being answered at this moment.")
                .hint("Ask again in a moment.")
        };
        tokio::time::timeout(WAIT, self.slots.acquire()).await.map_err(|_| busy())?.map_err(|_| busy())
    }

    async fn case<'a>(
        &self,
        scope: &'a Scope,
        request: NewQuestion,
        stop: &'a CancellationToken,
    ) -> Result<Case<'a>> {
        let settings = self.settings.current(scope).await?;
        let ollama = match settings.ollama.clone().map(Ollama::new).transpose() {
            Ok(ollama) => ollama,
            Err(error) => {
                tracing::warn!(%error, "the Ollama settings cannot be used");
                None
            }
        };
        let history = match request.conversation.clone() {
            Some(id) => {
                let owner = owner(scope);
                self.db(scope)?.read(move |tx| store::history(tx, &owner, &id, rewrite::HISTORY)).await?
            }
            None => Vec::new(),
        };
        let question = request.text();
        let turn = TurnId::generate();
        let conversation = request.conversation.clone().unwrap_or_else(ConversationId::generate);
        Ok(Case { scope, turn, conversation, request, question, settings, ollama, history, stop })
    }

    /// The question to search with, and how long it took when the conversation changed it.
    async fn rewrite(&self, case: &Case<'_>) -> (Searched, Option<f64>, Vec<String>) {
        if case.history.is_empty() || !rewrite::leans(&case.question) {
            return (Searched::alone(case.question.clone()), None, Vec::new());
        }
        let started = Instant::now();
        let mut notes = Vec::new();
        let by_rule = || rewrite::by_rule(&case.question, &case.history);
        let searched = match case.ollama.as_ref().filter(|ollama| self.health.allows(ollama)) {
            None => by_rule(),
            Some(ollama) => {
                let work = rewrite::by_model(ollama.endpoint(), &case.question, &case.history);
                let made = tokio::select! {
                    made = work => made,
                    () = case.stop.cancelled() => Ok(None),
                };
                match made {
                    Ok(made) => made.map_or_else(by_rule, Searched::alone),
                    Err(error) => {
                        self.health.failed(ollama, &error);
                        notes.push(away(&error.to_string()));
                        by_rule()
                    }
                }
            }
        };
        (searched, Some(since(started)), notes)
    }

    async fn retrieve(&self, case: &Case<'_>, searched: Searched) -> Result<Retrieved> {
        let request = RetrieveRequest {
            question: searched.question,
            context: searched.context,
            filter: case.request.filter.clone().unwrap_or_default(),
            passages: case.settings.passages,
            sentences: case.settings.sentences,
        };
        self.retrieve.retrieve(case.scope, request).await
    }

    /// How the answer is going to be made.
    fn plan(&self, case: &Case<'_>, found: &Retrieved, notes: &mut Vec<String>) -> Mode {
        if found.passages.is_empty() {
            return Mode::None;
        }
        match &case.ollama {
            Some(ollama) if self.health.allows(ollama) => return Mode::Ollama,
            Some(_) if notes.is_empty() => notes.push(away("Ollama did not answer a short time ago")),
            _ => {}
        }
        if found.sentences.is_empty() { Mode::None } else { Mode::Extractive }
    }

    async fn answer(
        &self,
        case: &Case<'_>,
        found: &Retrieved,
        plan: Mode,
        draft: &mut Draft<'_, '_>,
    ) -> Outcome {
        let mut notice = Vec::new();
        if let (Mode::Ollama, Some(ollama)) = (plan, &case.ollama) {
            match self.generate(case, found, ollama, draft).await {
                Ended::NotThere => return Outcome { mode: Mode::None, notice },
                Ended::Stopped => {
                    notice.push("The answer was stopped before its end.".to_owned());
                    return Outcome { mode: Mode::Ollama, notice };
                }
                Ended::Failed(error) if draft.sentences.is_empty() => notice.push(away(&error.to_string())),
                ended => {
                    if let Ended::Failed(error) = ended {
                        notice.push(format!("{error}; the answer ends early."));
                    }
                    return supported(draft, found, notice);
                }
            }
            draft.clear();
        }
        let written = extractive::write(draft, found).await;
        Outcome { mode: if written { Mode::Extractive } else { Mode::None }, notice }
    }

    async fn generate(
        &self,
        case: &Case<'_>,
        found: &Retrieved,
        ollama: &Ollama,
        draft: &mut Draft<'_, '_>,
    ) -> Ended {
        let prompt = prompt::prompt(&prompt::Ask {
            question: &case.question,
            passages: &found.passages,
            history: &case.history,
            language: case.settings.language.as_deref(),
            speak: case.request.speak,
        });
        if found.sentences.is_empty() {
            // By their words the passages do not answer: the model must show where they do.
            draft.hold();
        }
        let writing = Writing {
            draft,
            passages: &found.passages,
            evidence: Evidence::new(&found.passages),
            shown: prompt.shown,
            question: &case.question,
        };
        let ended = writing.run(ollama, prompt, case.stop).await;
        match &ended {
            Ended::Failed(error) => self.health.failed(ollama, error),
            Ended::Whole | Ended::NotThere => self.health.succeeded(ollama),
            Ended::Stopped => {}
        }
        ended
    }

    async fn keep(&self, scope: &Scope, new: bool, turn: TurnView) -> Result<()> {
        let owner = owner(scope);
        let work = move |tx: &mut lectern_store::Tx<'_>| {
            if new {
                store::insert_conversation(tx, &owner, &turn.conversation, &title(&turn.question))?;
            } else if !store::touch(tx, &owner, &turn.conversation)? {
                return Err(Error::new(
                    Code::Gone,
                    "The conversation was deleted while the answer was made.",
                )
                .into());
            }
            store::insert_turn(tx, &turn)?;
            let payload = serde_json::json!({
                "conversation": turn.conversation, "mode": turn.mode, "answered": turn.answered,
                "total_ms": turn.trace.total_ms,
            });
            outbox::push(tx, "turn.created", turn.turn.as_str(), &payload)
        };
        Ok(self.db(scope)?.write(work).await?)
    }
}

fn near(found: &Retrieved) -> Vec<NearView> {
    found.passages.iter().map(NearView::from).collect()
}

fn retrieval(case: &Case<'_>, found: &Retrieved, plan: Mode) -> AskEvent {
    AskEvent::Retrieval(Box::new(RetrievalEvent {
        turn: case.turn.clone(),
        conversation: case.conversation.clone(),
        mode: plan,
        model: model(case, plan),
        hits: near(found),
        retrieve_ms: tenth(found.retrieve_ms),
    }))
}

/// What of a model's answer may stand: without one citation that holds it must at least be said.
fn supported(draft: &Draft<'_, '_>, found: &Retrieved, mut notice: Vec<String>) -> Outcome {
    if draft.citations.is_empty() {
        if found.sentences.is_empty() || draft.sentences.is_empty() {
            return Outcome { mode: Mode::None, notice };
        }
        notice.push("No statement of this answer could be checked against the documents.".to_owned());
    }
    Outcome { mode: Mode::Ollama, notice }
}

fn away(reason: &str) -> String {
    format!("{reason}; the answer is made of exact sentences of the documents.")
}

fn dropped(count: u32) -> String {
    if count == 1 {
        "One citation could not be checked and was left out.".to_owned()
    } else {
        format!("{count} citations could not be checked and were left out.")
    }
}

fn model(case: &Case<'_>, mode: Mode) -> Option<String> {
    case.ollama.as_ref().filter(|_| mode == Mode::Ollama).map(|ollama| ollama.endpoint().model.clone())
}

/// The language the answer is in: exact sentences keep that of their document.
fn language(question: &str, mode: Mode, found: &Retrieved) -> Option<String> {
    let exact = found.sentences.first().and_then(|first| found.passages.get(first.passage)?.language.clone());
    let asked = || phrase::language_of(question).map(str::to_owned);
    match mode {
        Mode::Extractive => exact.or_else(asked),
        Mode::Ollama => asked().or(exact),
        Mode::None => asked().or_else(|| Some("en".to_owned())),
    }
}

/// The question, cut at a word.
fn title(question: &str) -> String {
    let one_line = question.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().nth(MAX_TITLE).is_none() {
        return one_line;
    }
    let cut: String = one_line.chars().take(MAX_TITLE).collect();
    let end = cut.rfind(' ').filter(|at| *at > MAX_TITLE / 2).unwrap_or(cut.len());
    format!("{}…", &cut[..end])
}
