//! What was heard, and how it is written down.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// A word, its place, and how sure the recogniser is (0 to 1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    pub text: String,
    pub start_ms: u64,
    pub end_ms: u64,
    pub confidence: f32,
}

/// What was said in one go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Segment {
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
    /// Empty when the recogniser does not know places of words.
    #[serde(default)]
    pub words: Vec<Word>,
}

impl Segment {
    /// The same, later.
    pub(crate) fn shifted(mut self, by_ms: u64) -> Self {
        self.start_ms += by_ms;
        self.end_ms += by_ms;
        for word in &mut self.words {
            word.start_ms += by_ms;
            word.end_ms += by_ms;
        }
        self
    }
}

/// A whole recording.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Transcript {
    pub text: String,
    /// ISO 639-1, when known.
    pub language: Option<String>,
    pub segments: Vec<Segment>,
    /// Which recogniser it was.
    pub engine: String,
    /// Length of the recording.
    pub duration_ms: u64,
}

impl Transcript {
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Joins the segments' texts.
    pub(crate) fn of(
        segments: Vec<Segment>,
        language: Option<String>,
        engine: String,
        duration_ms: u64,
    ) -> Self {
        let texts: Vec<&str> =
            segments.iter().map(|segment| segment.text.trim()).filter(|text| !text.is_empty()).collect();
        Self { text: texts.join(" "), language, segments, engine, duration_ms }
    }

    /// SubRip.
    pub fn to_srt(&self) -> String {
        let mut out = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            let (start, end) = (clock(segment.start_ms, ','), clock(segment.end_ms, ','));
            let _ = write!(out, "{}\n{start} --> {end}\n{}\n\n", at + 1, one_line(&segment.text));
        }
        out
    }

    /// WebVTT.
    pub fn to_vtt(&self) -> String {
        let mut out = "WEBVTT\n\n".to_owned();
        for segment in &self.segments {
            let (start, end) = (clock(segment.start_ms, '.'), clock(segment.end_ms, '.'));
            let text =
                one_line(&segment.text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(out, "{start} --> {end}\n{text}\n\n");
        }
        out
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// An empty line would end a caption, an arrow would look like its times.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("-->", "->")
}

fn clock(ms: u64, point: char) -> String {
    let seconds = ms / 1_000;
    format!("{:02}:{:02}:{:02}{point}{:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60, ms % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions() {
        let first = Segment { start_ms: 1_250, end_ms: 3_000, text: "Hello\n\nthere".into(), words: vec![] };
        let second = Segment { text: "a <b> & c".into(), ..first.clone() }.shifted(3_600_000);
        let transcript = Transcript::of(vec![first, second], Some("en".into()), "test".into(), 9_000);
        assert_eq!(transcript.text, "Hello\n\nthere a <b> & c");
        assert_eq!(
            transcript.to_srt(),
            "1\n00:00:01,250 --> 00:00:03,000\nHello there\n\n2\n01:00:01,250 --> 01:00:03,000\na <b> & c\n\n"
        );
        assert_eq!(
            transcript.to_vtt(),
            "WEBVTT\n\n00:00:01.250 --> 00:00:03.000\nHello there\n\n\
             01:00:01.250 --> 01:00:03.000\na &lt;b&gt; &amp; c\n\n"
        );
        let back: Transcript = serde_json::from_str(&transcript.to_json()).expect("json");
        assert_eq!(back, transcript);
    }
}
