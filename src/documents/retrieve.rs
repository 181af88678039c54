//! The `Retrieve` port: passages for a question, and the sentences that answer it.

use std::time::Instant;

use async_trait::async_trait;
use lectern_kernel::ports::{
    ChosenSentence, Filter, PassageBlock, Retrieve, RetrieveRequest, Retrieved, RetrievedPassage,
};
use lectern_kernel::{DocumentId, Result, Scope};
use lectern_search::{Answer, Meaning, SearchError, SearchIndex, Viewer, Wanted};
use lectern_store::Tx;

use crate::understanding::Asked;
use crate::{Documents, May, store_access, store_text};

/// The port's filter in the index's words.
pub(crate) fn conditions(filter: &Filter) -> Vec<lectern_search::Filter> {
    use lectern_search::Filter as Condition;
    let one = |value: &Option<String>| value.clone().filter(|v| !v.is_empty()).map(|v| vec![v]);
    [
        one(&filter.collection).map(Condition::Collection),
        one(&filter.tag).map(Condition::Tag),
        one(&filter.kind).map(Condition::Format),
        one(&filter.language).map(Condition::Language),
        filter.document.as_ref().map(|d| Condition::Document(vec![d.to_string()])),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn find(
    index: &SearchIndex,
    asked: Option<&Asked>,
    request: &RetrieveRequest,
    viewer: Option<&Viewer>,
) -> Result<Retrieved, SearchError> {
    let started = Instant::now();
    let retrieval = index.find(&Wanted {
        question: &request.question,
        context: context(request),
        filters: &conditions(&request.filter),
        viewer,
        limit: request.passages,
        meaning: asked.map(|asked| asked as &dyn Meaning),
    })?;
    let retrieve_ms = milliseconds(started);
    let started = Instant::now();
    let sentences = match lectern_search::answer(&retrieval, request.sentences) {
        Answer::Found { sentences, .. } => sentences.into_iter().map(sentence).collect(),
        Answer::Refused { .. } => Vec::new(),
    };
    let select_ms = milliseconds(started);
    let passages = retrieval.passages.into_iter().filter_map(passage).collect();
    Ok(Retrieved { passages, sentences, embed_ms: asked.map(|asked| asked.embed_ms), retrieve_ms, select_ms })
}

fn context(request: &RetrieveRequest) -> Option<&str> {
    request.context.as_deref().map(str::trim).filter(|context| !context.is_empty())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn sentence(found: lectern_search::AnswerSentence) -> ChosenSentence {
    ChosenSentence {
        passage: found.passage,
        start: found.start,
        end: found.end,
        page: found.page,
        text: found.text,
        score: found.score,
    }
}

fn passage(found: lectern_search::Retrieved) -> Option<RetrievedPassage> {
    let (meta, passage) = (found.meta, found.passage);
    let ends = passage.marks.iter().skip(1).map(|m| m.start).chain([passage.end - passage.start]);
    let blocks = passage.marks.iter().zip(ends).map(|(mark, end)| PassageBlock {
        start: passage.start + mark.start,
        end: passage.start + end,
        page: mark.page,
        label: passage.label.clone(),
    });
    Some(RetrievedPassage {
        document: meta.id.parse::<DocumentId>().ok()?,
        title: meta.title,
        kind: meta.format,
        collection: meta.collection,
        language: meta.language,
        page: passage.page,
        label: passage.label.clone(),
        heading: Some(passage.heading).filter(|h| !h.is_empty()),
        start: passage.start,
        end: passage.end,
        blocks: blocks.collect(),
        text: passage.text,
        score: found.score,
    })
}

#[async_trait]
impl Retrieve for Documents {
    async fn retrieve(&self, scope: &Scope, request: RetrieveRequest) -> Result<Retrieved> {
        let (tenant, bank) = (self.tenant(scope)?, self.inner.bank.clone());
        let own = tenant.clone();
        tenant
            .search(scope, move |index, viewer| {
                let _running = own.meaning.activity.begin();
                let asked = bank
                    .and_then(|bank| own.meaning.ask(bank.as_ref(), &request.question, context(&request)));
                find(index, asked.as_ref(), &request, viewer.as_ref())
            })
            .await
    }

    async fn quote(
        &self,
        scope: &Scope,
        document: &DocumentId,
        start: u32,
        end: u32,
    ) -> Result<Option<String>> {
        let tenant = self.tenant(scope)?;
        let (sight, document) = (scope.sight().clone(), document.clone());
        let read = move |tx: &Tx<'_>| {
            if !store_access::may(tx, &sight, May::Read, &document)? {
                return Ok(None);
            }
            store_text::slice(tx, &document, start as usize, end as usize)
        };
        Ok(tenant.store.db.read(read).await?)
    }
}
