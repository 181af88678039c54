//! Fakes for this area's tests: answers by hand, settings by hand, a whole service on a temporary folder.

use std::sync::Arc;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{App, middleware::from_fn, test as http};
use async_trait::async_trait;
use futures_util::stream;
use lectern_hearing::Ears;
use lectern_kernel::ports::{
    AnswerCitation, AnswerPart, AnswerSentence, AnswerStream, Answers, Authenticate, Credentials, Question,
};
use lectern_kernel::{
    Actor, ConversationId, Error, KeyId, Principal, Result, Scope, SystemClock, TenantId, TurnId, UserId,
};
use lectern_speech::Synthesizer;
use lectern_store::Stores;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{MIGRATIONS, Parts, SiteVoice, Voice, VoiceLimits, VoiceSettings};

/// A sentence of an answer on page 14.
pub(crate) fn sentence(index: usize, text: &str, language: &str) -> AnswerPart {
    AnswerPart::Sentence(AnswerSentence {
        index,
        text: text.to_owned(),
        language: Some(language.to_owned()),
        citations: vec![AnswerCitation { n: index as u32 + 1, page: Some(14) }],
    })
}

pub(crate) fn begin() -> AnswerPart {
    let (turn, conversation) = (TurnId::generate(), ConversationId::generate());
    let view = serde_json::json!({ "turn": turn, "conversation": conversation, "hits": [] });
    AnswerPart::Retrieval { turn, conversation, view }
}

pub(crate) fn done() -> AnswerPart {
    AnswerPart::Done(serde_json::json!({ "answered": true }))
}

/// Gives the same parts to every question and for every turn; `live` ones as they are sent.
#[derive(Default)]
pub(crate) struct FakeAnswers {
    pub parts: Mutex<Vec<AnswerPart>>,
    pub live: Mutex<Option<mpsc::UnboundedReceiver<AnswerPart>>>,
    pub asked: Mutex<Vec<Question>>,
    pub absent: bool,
}

#[async_trait]
impl Answers for FakeAnswers {
    async fn ask(&self, scope: &Scope, question: Question) -> Result<AnswerStream> {
        self.asked.lock().push(question);
        self.follow(scope, &TurnId::generate()).await
    }

    async fn follow(&self, _: &Scope, _: &TurnId) -> Result<AnswerStream> {
        if self.absent {
            return Err(Error::not_found("answer"));
        }
        if let Some(live) = self.live.lock().take() {
            let next = |mut live: mpsc::UnboundedReceiver<AnswerPart>| async move {
                Some((live.recv().await?, live))
            };
            return Ok(Box::pin(stream::unfold(live, next)));
        }
        Ok(Box::pin(stream::iter(self.parts.lock().clone())))
    }
}

pub(crate) struct FakeSettings(pub Mutex<SiteVoice>);

#[async_trait]
impl VoiceSettings for FakeSettings {
    async fn current(&self, _: &Scope) -> Result<SiteVoice> {
        Ok(self.0.lock().clone())
    }
}

/// A sender whose bearer token is the id of the user.
pub(crate) struct Bearer;

#[async_trait]
impl Authenticate for Bearer {
    async fn authenticate(&self, credentials: Credentials) -> Result<Principal> {
        let user = credentials.bearer.and_then(|token| token.parse::<UserId>().ok());
        let actor = Actor::Key { id: KeyId::generate() };
        Ok(Principal::unlimited(TenantId::main(), user, actor))
    }
}

/// A service on a temporary folder.
pub(crate) struct Fixture {
    pub voice: Voice,
    pub answers: Arc<FakeAnswers>,
    pub settings: Arc<FakeSettings>,
    pub scope: Scope,
    pub folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new(parts: Vec<AnswerPart>) -> Self {
        Self::with(FakeAnswers { parts: Mutex::new(parts), ..FakeAnswers::default() })
    }

    pub(crate) fn with(answers: FakeAnswers) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let stores =
            Stores::open(folder.path(), &[], MIGRATIONS.to_vec(), Arc::new(SystemClock)).expect("opens");
        let answers = Arc::new(answers);
        let settings = Arc::new(FakeSettings(Mutex::new(SiteVoice { rate: 300, ..SiteVoice::default() })));
        let voice = Voice::new(Parts {
            stores,
            answers: answers.clone(),
            settings: settings.clone(),
            synthesizer: Synthesizer::new(folder.path().join("cache")),
            ears: Arc::new(Ears::new(folder.path().join("cache"), None)),
            texts: None,
            limits: VoiceLimits::default(),
            stop: CancellationToken::new(),
        });
        Self { voice, answers, settings, scope: Scope::system(TenantId::main()), folder }
    }
}

/// What came back.
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: actix_web::http::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The data of the events of this name.
    pub(crate) fn events(&self, name: &str) -> Vec<serde_json::Value> {
        let text = self.text();
        let wanted = format!("event: {name}\ndata: ");
        let found = text.split("\n\n").filter_map(|event| event.trim_start().strip_prefix(wanted.as_str()));
        found.map(|data| serde_json::from_str(data).expect("JSON")).collect()
    }
}

pub(crate) async fn call(voice: &Voice, request: http::TestRequest) -> Reply {
    let bearer: Arc<dyn Authenticate> = Arc::new(Bearer);
    let app = App::new()
        .wrap(from_fn(lectern_edge::watch))
        .app_data(Data::from(bearer))
        .app_data(Data::new(voice.clone()))
        .configure(crate::feature().routes);
    let app = http::init_service(app).await;
    let response: ServiceResponse<_> = http::call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    Reply { status, headers, body: http::read_body(response).await.to_vec() }
}

pub(crate) async fn get(voice: &Voice, path: &str) -> Reply {
    call(voice, http::TestRequest::get().uri(path)).await
}

pub(crate) fn loudest(samples: &[u8]) -> u16 {
    let samples = samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs());
    samples.max().unwrap_or_default()
}
