//! Time to the first sentence of an extractive answer when finding costs nothing: what this area adds.
//! `cargo run --release -p lectern-ask --example ask_bench`

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use lectern_ask::{Ask, AskEvent, AskSettings, CurrentSettings, MIGRATIONS, NewQuestion};
use lectern_kernel::ports::{ChosenSentence, Retrieve, RetrieveRequest, Retrieved, RetrievedPassage};
use lectern_kernel::{DocumentId, Result, Scope, SystemClock, TenantId, text};
use lectern_store::Stores;

const ROUNDS: usize = 500;

struct Fixed(Vec<RetrievedPassage>);

#[async_trait]
impl Retrieve for Fixed {
    async fn retrieve(&self, _: &Scope, _: RetrieveRequest) -> Result<Retrieved> {
        let sentences = (0..3)
            .map(|passage| {
                let text = text::slice(&self.0[passage].text, 0, 60).to_owned();
                ChosenSentence { passage, start: 0, end: 60, page: None, text, score: 1.0 }
            })
            .collect();
        Ok(Retrieved {
            passages: self.0.clone(),
            sentences,
            embed_ms: None,
            retrieve_ms: 0.0,
            select_ms: 0.0,
        })
    }

    async fn quote(&self, _: &Scope, document: &DocumentId, start: u32, end: u32) -> Result<Option<String>> {
        let found = self.0.iter().find(|passage| passage.document == *document);
        Ok(found.map(|passage| text::slice(&passage.text, start as usize, end as usize).to_owned()))
    }
}

struct Plain;

#[async_trait]
impl AskSettings for Plain {
    async fn current(&self, _: &Scope) -> Result<CurrentSettings> {
        Ok(CurrentSettings { ollama: None, sentences: 3, passages: 10, language: None })
    }
}

fn passage(index: usize) -> RetrievedPassage {
    let text = format!("Passage {index} tells what the hydraulic pump of a machine holds. ").repeat(16);
    RetrievedPassage {
        document: DocumentId::generate(),
        title: format!("Document {index}"),
        kind: "pdf".to_owned(),
        collection: None,
        language: Some("en".to_owned()),
        page: Some(1),
        label: None,
        heading: None,
        start: 0,
        end: text.chars().count() as u32,
        text,
        blocks: Vec::new(),
        score: 1.0,
    }
}

fn percentile(times: &mut [f64], part: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * part) as usize]
}

#[actix_web::main]
async fn main() {
    let folder = std::env::temp_dir().join(format!("lectern-ask-bench-{}", std::process::id()));
    let stores = Stores::open(&folder, &[], MIGRATIONS.to_vec(), Arc::new(SystemClock)).expect("a folder");
    let ask = Ask::new(stores, Arc::new(Fixed((0..10).map(passage).collect())), Arc::new(Plain));
    let (scope, stop) = (Scope::system(TenantId::main()), tokio_util::sync::CancellationToken::new());
    let (mut first, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut sentence = None;
        let request =
            NewQuestion { question: "What does the pump hold?".to_owned(), ..NewQuestion::default() };
        let mut sink = |event| {
            if matches!(event, AskEvent::Sentence(_)) {
                sentence.get_or_insert_with(|| started.elapsed().as_secs_f64() * 1000.0);
            }
        };
        ask.ask(&scope, request, &stop, &mut sink).await.expect("answers");
        first.extend(sentence);
        whole.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    for (name, times) in [("first sentence", &mut first), ("kept and done", &mut whole)] {
        println!("{name}: median {:.2} ms, p99 {:.2} ms", percentile(times, 0.5), percentile(times, 0.99));
    }
    std::fs::remove_dir_all(folder).expect("its own folder");
}
