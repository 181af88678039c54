//! Fakes for this area's tests: documents in memory, settings set by hand, a whole service on a temporary folder.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_inference::Endpoint;
use lectern_kernel::ports::{
    Authenticate, ChosenSentence, Credentials, PassageBlock, Retrieve, RetrieveRequest, Retrieved,
    RetrievedPassage,
};
use lectern_kernel::{
    Actor, DocumentId, KeyId, Principal, Result, Scope, SystemClock, TenantId, UserId, text,
};
use lectern_store::Stores;
use parking_lot::Mutex;

use crate::words::{content, overlap};
use crate::{Ask, AskSettings, CurrentSettings, MIGRATIONS};

/// A passage of an English document that begins at `start`.
pub(crate) fn passage(title: &str, text: &str, start: u32) -> RetrievedPassage {
    let end = start + text.chars().count() as u32;
    RetrievedPassage {
        document: DocumentId::generate(),
        title: title.to_owned(),
        kind: "pdf".to_owned(),
        collection: None,
        language: Some("en".to_owned()),
        page: Some(3),
        label: None,
        heading: None,
        start,
        end,
        text: text.to_owned(),
        blocks: vec![PassageBlock { start, end, page: Some(3), label: None }],
        score: 1.0,
    }
}

/// Finds passages by shared words; sentences are the best one of each.
#[derive(Default)]
pub(crate) struct FakeDocuments {
    pub passages: Mutex<Vec<RetrievedPassage>>,
    /// Questions that were searched with.
    pub searched: Mutex<Vec<String>>,
    /// A passage is found, but none of its sentences is good enough.
    pub unsure: Mutex<bool>,
}

#[async_trait]
impl Retrieve for FakeDocuments {
    async fn retrieve(&self, _: &Scope, request: RetrieveRequest) -> Result<Retrieved> {
        let searched = request.question.clone();
        self.searched.lock().push(match &request.context {
            Some(context) => format!("{searched} | {context}"),
            None => searched,
        });
        let question =
            content(&format!("{} {}", request.question, request.context.clone().unwrap_or_default()));
        let mut found: Vec<RetrievedPassage> = Vec::new();
        for passage in self.passages.lock().iter() {
            let score = overlap(question.iter(), &content(&passage.text));
            let wanted = request.filter.document.as_ref().is_none_or(|only| *only == passage.document);
            if score > 0.0 && wanted {
                found.push(RetrievedPassage { score, ..passage.clone() });
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found.truncate(request.passages);
        let mut sentences: Vec<ChosenSentence> =
            found.iter().enumerate().filter_map(|(at, passage)| best(&question, at, passage)).collect();
        sentences.truncate(request.sentences);
        if *self.unsure.lock() {
            sentences.clear();
        }
        Ok(Retrieved { passages: found, sentences, embed_ms: None, retrieve_ms: 1.26, select_ms: 0.5 })
    }

    async fn quote(&self, _: &Scope, document: &DocumentId, start: u32, end: u32) -> Result<Option<String>> {
        let passages = self.passages.lock();
        let found = passages.iter().find(|passage| passage.document == *document && start >= passage.start);
        Ok(found.map(|passage| {
            let from = (start - passage.start) as usize;
            text::slice(&passage.text, from, (end - passage.start) as usize).to_owned()
        }))
    }
}

fn best(question: &[crate::words::Word], index: usize, passage: &RetrievedPassage) -> Option<ChosenSentence> {
    let ranges = lectern_search::sentences(&passage.text);
    let score =
        |range: &std::ops::Range<usize>| overlap(question.iter(), &content(&passage.text[range.clone()]));
    let range = ranges.into_iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    let start = passage.start + passage.text[..range.start].chars().count() as u32;
    let sentence = passage.text[range.clone()].to_owned();
    let end = start + sentence.chars().count() as u32;
    Some(ChosenSentence { passage: index, start, end, page: Some(4), text: sentence, score: score(&range) })
}

/// Settings set by hand.
pub(crate) struct FakeSettings(pub Mutex<CurrentSettings>);

#[async_trait]
impl AskSettings for FakeSettings {
    async fn current(&self, _: &Scope) -> Result<CurrentSettings> {
        Ok(self.0.lock().clone())
    }
}

/// A service on a temporary folder.
pub(crate) struct Fixture {
    pub ask: Ask,
    pub documents: Arc<FakeDocuments>,
    pub settings: Arc<FakeSettings>,
    pub scope: Scope,
    _folder: tempfile::TempDir,
}

pub(crate) const PUMP: &str = "The hydraulic pump holds 40 litres of oil. Check the pump every week.";
pub(crate) const TOWER: &str =
    "The Eiffel Tower was designed by Gustave Eiffel's company. It was built from 1887 to 1889.";

impl Fixture {
    /// With two documents and Ollama as given.
    pub(crate) fn new(ollama: Option<Endpoint>) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let stores =
            Stores::open(folder.path(), &[], MIGRATIONS.to_vec(), Arc::new(SystemClock)).expect("opens");
        let documents = Arc::new(FakeDocuments::default());
        documents
            .passages
            .lock()
            .extend([passage("Pump manual", PUMP, 1000), passage("Paris guide", TOWER, 0)]);
        let current = CurrentSettings { ollama, sentences: 3, passages: 10, language: None };
        let settings = Arc::new(FakeSettings(Mutex::new(current)));
        let ask = Ask::new(stores, documents.clone(), settings.clone());
        Self { ask, documents, settings, scope: Scope::system(TenantId::main()), _folder: folder }
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
