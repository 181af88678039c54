//! The banks through which the engines get imported models: the chosen one of a kind, loaded on use.

use std::any::Any;
use std::sync::Arc;

use lectern_hearing::{HearingError, Recogniser, RecogniserBank, Silero};
use lectern_inference::{Embedder, MeaningBank, Reranker, TextModelError};
use lectern_kernel::Result;
use lectern_speech::{BankVoice, PiperVoice, SpeechError, VoiceBank};

use crate::manifest::Kind;
use crate::registry::{Checked, Installed};
use crate::{Models, engines};

impl Models {
    /// The model that does the work of a kind, when it is fit for it.
    fn working(&self, kind: Kind) -> Option<Arc<Installed>> {
        let chosen = self.inner.registry.chosen(kind)?;
        self.inner.registry.checked(&chosen.manifest.name).problem.is_none().then_some(chosen)
    }

    /// A model in memory. One that cannot be loaded is not tried again at every question: only after a check.
    pub(crate) fn loaded<T: Any + Send + Sync>(
        &self,
        model: &Installed,
        load: impl FnOnce(&Installed) -> Result<T>,
    ) -> Result<Arc<T>> {
        let name = &model.manifest.name;
        self.inner.residency.get(name, model.manifest.facts.memory_bytes, || {
            self.ensure_whole(model)?;
            load(model).map(Arc::new).inspect_err(|error| {
                tracing::error!(model = name, %error, "a model cannot be loaded");
                let at = Some(self.inner.stores.clock().now());
                let problem = Some(error.detail.clone());
                self.inner.registry.set_checked(name, Checked { at, problem });
            })
        })
    }
}

impl MeaningBank for Models {
    fn embedding_model(&self) -> Option<String> {
        self.working(Kind::Embedding).map(|model| model.identity.clone())
    }

    fn embedder(&self) -> Result<Option<Arc<Embedder>>, TextModelError> {
        let Some(model) = self.working(Kind::Embedding) else { return Ok(None) };
        let loaded = self.loaded(&model, |model| engines::load_embedder(&model.folder));
        loaded.map(Some).map_err(|error| TextModelError::Run(error.detail))
    }

    fn reranker(&self) -> Result<Option<Arc<Reranker>>, TextModelError> {
        let Some(model) = self.working(Kind::Reranker) else { return Ok(None) };
        let loaded = self.loaded(&model, |model| engines::load_reranker(&model.folder));
        loaded.map(Some).map_err(|error| TextModelError::Run(error.detail))
    }
}

impl VoiceBank for Models {
    fn list(&self) -> Vec<BankVoice> {
        let registry = &self.inner.registry;
        let healthy = |model: &&Arc<Installed>| registry.checked(&model.manifest.name).problem.is_none();
        let all = registry.all();
        all.iter().filter(|m| m.manifest.kind == Kind::Voice).filter(healthy).map(|m| described(m)).collect()
    }

    fn open(&self, id: &str) -> Result<Arc<PiperVoice>, SpeechError> {
        let unknown = || SpeechError::UnknownVoice(format!("piper/{id}"));
        let model = self.inner.registry.get(id).filter(|model| model.manifest.kind == Kind::Voice);
        let model = model.ok_or_else(unknown)?;
        let loaded = self.loaded(&model, |model| engines::load_voice(&model.folder));
        loaded.map_err(|error| SpeechError::Unfit { voice: id.into(), reason: error.detail })
    }
}

fn described(model: &Installed) -> BankVoice {
    let (manifest, facts) = (&model.manifest, &model.manifest.facts);
    let languages = if facts.languages.is_empty() { &manifest.languages } else { &facts.languages };
    BankVoice {
        id: manifest.name.clone(),
        name: if manifest.title.is_empty() { manifest.name.clone() } else { manifest.title.clone() },
        languages: languages.clone(),
        speakers: facts.speaker_names.clone(),
        sample_rate: facts.sample_rate.unwrap_or(lectern_speech::SAMPLE_RATE),
        quality: facts.quality.clone().unwrap_or_default(),
    }
}

impl RecogniserBank for Models {
    /// The chosen one, when it hears the language; otherwise the built-in one may.
    fn choose(&self, language: Option<&str>) -> Result<Option<Arc<dyn Recogniser>>, HearingError> {
        let Some(model) = self.working(Kind::Recogniser) else { return Ok(None) };
        let known = &model.manifest.languages;
        if language.is_some_and(|wanted| {
            !known.is_empty() && !known.iter().any(|l| wanted.split('-').next() == Some(l.as_str()))
        }) {
            return Ok(None);
        }
        let loaded = self.loaded(&model, |model| engines::load_recogniser(&model.folder));
        match loaded {
            Ok(whisper) => Ok(Some(whisper)),
            Err(error) => Err(HearingError::Failed(error.detail)),
        }
    }

    fn detector(&self) -> Option<Arc<Silero>> {
        let model = self.working(Kind::Vad)?;
        // What went wrong is kept with the model; the built-in detector does the work.
        self.loaded(&model, |model| engines::load_detector(&model.folder)).ok()
    }
}
