//! Which voice speaks a text, how fast, and with which pronunciations.

use std::collections::BTreeMap;
use std::sync::Arc;

use lectern_kernel::ports::AnswerCitation;
use lectern_speech::{Clause, Lexicon, SpeakOptions, paced_clauses, spoken_form};

use crate::cited::spoken_citations;
use crate::model::{Engine, VoiceView};
use crate::settings::SiteVoice;

const RATES: (u32, u32) = (80, 450);
const QUALITIES: &[&str] = &["x_low", "low", "medium", "high"];

/// What a request asks for; goes before all settings.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted {
    pub voice: Option<String>,
    pub speaker: Option<String>,
    pub rate: Option<u32>,
    pub noise: Option<f32>,
    pub citations: Option<bool>,
}

/// What a person has set for themselves; absent is the site's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OwnVoice {
    pub voices: BTreeMap<String, String>,
    pub rate: Option<u32>,
    pub speak_citations: Option<bool>,
}

/// Everything that decides how one request sounds.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub wanted: Wanted,
    pub own: OwnVoice,
    pub site: SiteVoice,
    pub lexicon: Arc<Lexicon>,
    pub voices: Arc<Vec<VoiceView>>,
}

/// A clause with the voice that speaks it.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// As it is spoken, without pronunciations.
    pub text: String,
    /// What the engine is given.
    pub said: Clause,
    pub language: Option<String>,
    /// Shown to clients.
    pub voice: String,
    pub options: SpeakOptions,
    pub citation: bool,
    /// The voice was named in the request: no other may speak in its place.
    pub asked: bool,
}

fn base(language: &str) -> String {
    language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

impl Plan {
    pub(crate) fn rate(&self) -> u32 {
        self.wanted.rate.or(self.own.rate).unwrap_or(self.site.rate)
    }

    pub(crate) fn speak_citations(&self) -> bool {
        self.wanted.citations.or(self.own.speak_citations).unwrap_or(self.site.speak_citations)
    }

    /// The id of the voice for a language; none leaves the choice among eSpeak's to the engine.
    pub(crate) fn voice_for(&self, language: Option<&str>) -> Option<String> {
        if let Some(voice) = &self.wanted.voice {
            return Some(match &self.wanted.speaker {
                Some(speaker) if !voice.contains('#') => format!("{voice}#{speaker}"),
                _ => voice.clone(),
            });
        }
        let code = language.map(base);
        let by_language = |voices: &BTreeMap<String, String>| voices.get(code.as_deref()?).cloned();
        by_language(&self.own.voices)
            .into_iter()
            .chain(by_language(&self.site.voices))
            .chain(self.site.voice.clone().filter(|voice| self.speaks(voice, code.as_deref())))
            .find(|voice| self.known(voice).is_some())
            .or_else(|| self.best_piper(code.as_deref()?))
    }

    fn known(&self, voice: &str) -> Option<&VoiceView> {
        let plain = voice.split(['#', '+']).next().unwrap_or_default();
        self.voices.iter().find(|known| {
            known.id.eq_ignore_ascii_case(plain)
                || (known.engine == Engine::Espeak
                    && known.languages.iter().any(|l| l.eq_ignore_ascii_case(plain)))
        })
    }

    /// A voice for all texts speaks those of its own language; others would not be understood.
    fn speaks(&self, voice: &str, language: Option<&str>) -> bool {
        let (Some(known), Some(language)) = (self.known(voice), language) else { return true };
        known.languages.iter().any(|own| base(own) == language)
    }

    fn best_piper(&self, language: &str) -> Option<String> {
        let quality = |voice: &VoiceView| {
            let own = voice.quality.as_deref();
            QUALITIES.iter().position(|quality| Some(*quality) == own)
        };
        let fitting = self.voices.iter().filter(|voice| {
            voice.engine == Engine::Piper && voice.languages.iter().any(|own| base(own) == language)
        });
        // Of equal ones the first by name.
        fitting
            .min_by(|a, b| quality(b).cmp(&quality(a)).then_with(|| a.id.cmp(&b.id)))
            .map(|voice| voice.id.clone())
    }

    /// The clauses of a text in order. `spoken`: characters that were spoken before it.
    pub(crate) fn prepare(
        &self,
        text: &str,
        language: Option<&str>,
        factor: f32,
        spoken: usize,
    ) -> Vec<Prepared> {
        let voice = self.voice_for(language);
        let eager = voice.as_deref().is_some_and(|voice| voice.starts_with("piper/"));
        let form = spoken_form(text, language.unwrap_or("en"));
        let clauses = paced_clauses(&form, spoken, eager);
        clauses.into_iter().map(|clause| self.clause(&clause, language, factor, voice.clone())).collect()
    }

    /// What is said about the citations of a sentence.
    pub(crate) fn citations(&self, language: Option<&str>, citations: &[AnswerCitation]) -> Option<Prepared> {
        if !self.speak_citations() {
            return None;
        }
        let text = spoken_form(&spoken_citations(language, citations)?, language.unwrap_or("en"));
        let clause = Clause { text, ends_sentence: true };
        Some(Prepared { citation: true, ..self.clause(&clause, language, 1.0, self.voice_for(language)) })
    }

    fn clause(
        &self,
        clause: &Clause,
        language: Option<&str>,
        factor: f32,
        voice: Option<String>,
    ) -> Prepared {
        let rate = (self.rate() as f32 * factor).round() as u32;
        let options = SpeakOptions {
            voice: voice.clone(),
            language: language.map(str::to_owned),
            rate: rate.clamp(RATES.0, RATES.1),
            noise: self.wanted.noise,
            ..SpeakOptions::default()
        };
        Prepared {
            said: Clause {
                text: self.lexicon.apply(&clause.text, language),
                ends_sentence: clause.ends_sentence,
            },
            text: clause.text.clone(),
            language: language.map(str::to_owned),
            voice: voice.unwrap_or_else(|| language.unwrap_or("en").to_owned()),
            options,
            citation: false,
            asked: self.wanted.voice.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(id: &str, engine: Engine, languages: &[&str], quality: Option<&str>) -> VoiceView {
        VoiceView {
            id: id.into(),
            name: id.into(),
            engine,
            languages: languages.iter().map(|l| (*l).to_owned()).collect(),
            speakers: Vec::new(),
            sample_rate: 22_050,
            quality: quality.map(str::to_owned),
        }
    }

    fn plan() -> Plan {
        let voices = vec![
            voice("de", Engine::Espeak, &["de"], None),
            voice("en-gb", Engine::Espeak, &["en-gb", "en"], None),
            voice("piper/a", Engine::Piper, &["fr-fr"], Some("low")),
            voice("piper/b", Engine::Piper, &["fr-fr"], Some("medium")),
        ];
        Plan {
            wanted: Wanted::default(),
            own: OwnVoice::default(),
            site: SiteVoice { rate: 170, ..SiteVoice::default() },
            lexicon: Arc::default(),
            voices: Arc::new(voices),
        }
    }

    #[test]
    fn the_language_chooses_unless_somebody_did() {
        let mut plan = plan();
        assert_eq!(plan.voice_for(Some("fr")).as_deref(), Some("piper/b"));
        assert_eq!(plan.voice_for(Some("de")), None);
        plan.site.voice = Some("en-gb+f3".into());
        assert_eq!(plan.voice_for(Some("en")).as_deref(), Some("en-gb+f3"));
        assert_eq!(plan.voice_for(Some("de")), None, "an English voice does not read German");
        assert_eq!(plan.voice_for(None).as_deref(), Some("en-gb+f3"));
        plan.site.voices.insert("fr".into(), "piper/a".into());
        assert_eq!(plan.voice_for(Some("fr-CA")).as_deref(), Some("piper/a"));
        plan.own.voices.insert("fr".into(), "piper/gone".into());
        assert_eq!(plan.voice_for(Some("fr")).as_deref(), Some("piper/a"), "what was removed does not count");
        plan.wanted.voice = Some("piper/x".into());
        plan.wanted.speaker = Some("2".into());
        assert_eq!(plan.voice_for(Some("fr")).as_deref(), Some("piper/x#2"));
    }

    #[test]
    fn rates_multiply_within_bounds() {
        let mut plan = plan();
        plan.own.rate = Some(300);
        assert_eq!(plan.prepare("Hello.", Some("en"), 1.0, 0)[0].options.rate, 300);
        assert_eq!(plan.prepare("Hello.", Some("en"), 3.0, 0)[0].options.rate, 450);
        plan.wanted.rate = Some(100);
        assert_eq!(plan.prepare("Hello.", Some("en"), 0.5, 0)[0].options.rate, 80);
    }

    #[test]
    fn citations_are_said_when_wanted() {
        let mut plan = plan();
        let cited = [AnswerCitation { n: 2, page: Some(14) }];
        assert!(plan.citations(Some("en"), &cited).is_none());
        plan.own.speak_citations = Some(true);
        let said = plan.citations(Some("en"), &cited).expect("is said");
        assert_eq!((said.text.as_str(), said.citation), ("Source two, page fourteen.", true));
    }
}
