//! A subset of SSML 1.1 (W3C): what may be asked of a voice in the middle of a text.
//!
//! Known: speak, p, s, break, prosody rate, say-as, sub, lang and xml:lang. Of other elements the content is spoken. No
//! document type, no entities but XML's five, so nothing can be fetched or blown up.

use crate::say_as;

const MAX_DEPTH: usize = 32;
const MAX_BREAK_MS: u32 = 10_000;
const RATES: (f32, f32) = (0.5, 3.0);

/// A piece of a marked text.
#[derive(Debug, Clone, PartialEq)]
pub enum SsmlPart {
    Text {
        text: String,
        /// As written in xml:lang.
        language: Option<String>,
        /// 1 is the voice's own speed.
        rate: f32,
    },
    /// Milliseconds of silence.
    Break(u32),
}

/// What is wrong with a marked text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at character {at}")]
pub struct SsmlError {
    pub what: String,
    pub at: usize,
}

impl SsmlError {
    pub fn hint(&self) -> &'static str {
        "Write well-formed XML such as <speak>One <break time=\"300ms\"/> two</speak>; & is &amp; and < is &lt;."
    }
}

/// The parts of an SSML text in order. `language` is that of the request, for numbers and dates.
pub fn parse_ssml(text: &str, language: Option<&str>) -> Result<Vec<SsmlPart>, SsmlError> {
    let mut reader = Reader { text, at: 0 };
    let mut out = Out { parts: Vec::new() };
    let mut open = vec![Open { language: language.map(str::to_owned), ..Open::default() }];
    while let Some(token) = reader.next()? {
        let current = open.last().expect("the first stays");
        match token {
            Token::Text(text) => {
                if !current.silent {
                    out.text(&current.said(&text), current);
                }
            }
            Token::Start { name, attributes, empty } => {
                if open.len() > MAX_DEPTH {
                    return Err(reader.error("More than 32 elements stand in each other"));
                }
                let inner = current.child(name, &attributes);
                begin(name, &attributes, &inner, current.silent, &mut out);
                if empty {
                    end(name, &mut out);
                } else {
                    open.push(inner);
                }
            }
            Token::End(name) => {
                if open.len() == 1 || open.last().is_none_or(|last| last.name != name) {
                    return Err(reader.error(&format!("</{name}> ends nothing that is open")));
                }
                open.pop();
                end(name, &mut out);
            }
        }
    }
    match open.len() {
        1 => Ok(out.parts),
        _ => Err(reader.error(&format!("<{}> is not ended", open.last().map_or("", |last| &last.name)))),
    }
}

/// What holds inside an element.
#[derive(Debug, Clone)]
struct Open {
    name: String,
    language: Option<String>,
    rate: f32,
    say_as: Option<(String, Option<String>)>,
    /// An alias was spoken in its place.
    silent: bool,
}

impl Default for Open {
    fn default() -> Self {
        Self { name: String::new(), language: None, rate: 1.0, say_as: None, silent: false }
    }
}

type Attributes<'t> = Vec<(&'t str, String)>;

fn value<'a>(attributes: &'a Attributes<'_>, name: &str) -> Option<&'a str> {
    attributes.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
}

impl Open {
    fn child(&self, name: &str, attributes: &Attributes<'_>) -> Self {
        let mut inner = Self { name: name.to_owned(), ..self.clone() };
        if let Some(language) = value(attributes, "xml:lang") {
            inner.language = Some(language.to_owned());
        }
        match name {
            "prosody" => {
                let factor = value(attributes, "rate").and_then(rate).unwrap_or(1.0);
                inner.rate = (self.rate * factor).clamp(RATES.0, RATES.1);
            }
            "say-as" => {
                inner.say_as = value(attributes, "interpret-as")
                    .map(|kind| (kind.to_owned(), value(attributes, "format").map(str::to_owned)));
            }
            "sub" => inner.silent = self.silent || value(attributes, "alias").is_some(),
            _ => {}
        }
        inner
    }

    fn said(&self, text: &str) -> String {
        match &self.say_as {
            Some((kind, format)) => {
                let said = say_as::say_as(
                    text.trim(),
                    kind,
                    format.as_deref(),
                    self.language.as_deref().unwrap_or("en"),
                );
                format!(" {said} ")
            }
            None => text.to_owned(),
        }
    }
}

fn begin(name: &str, attributes: &Attributes<'_>, inner: &Open, silent: bool, out: &mut Out) {
    match name {
        "break" if !silent => out.pause(pause(attributes)),
        "sub" if !silent => {
            if let Some(alias) = value(attributes, "alias") {
                out.text(alias, inner);
            }
        }
        "p" | "s" => out.paragraph(),
        _ => {}
    }
}

fn end(name: &str, out: &mut Out) {
    if matches!(name, "p" | "s") {
        out.paragraph();
    }
}

/// `slow`, `1.2`, `120%` or, as in SSML 1.0, `+20%`.
fn rate(text: &str) -> Option<f32> {
    let text = text.trim();
    let named =
        [("x-slow", 0.6), ("slow", 0.8), ("medium", 1.0), ("default", 1.0), ("fast", 1.25), ("x-fast", 1.6)];
    if let Some((_, factor)) = named.iter().find(|(name, _)| *name == text) {
        return Some(*factor);
    }
    let number = match text.strip_suffix('%') {
        Some(percent) if text.starts_with(['+', '-']) => 1.0 + percent.parse::<f32>().ok()? / 100.0,
        Some(percent) => percent.parse::<f32>().ok()? / 100.0,
        None => text.parse::<f32>().ok()?,
    };
    number.is_finite().then(|| number.clamp(RATES.0, RATES.1))
}

fn pause(attributes: &Attributes<'_>) -> u32 {
    let time = value(attributes, "time").map(str::trim).and_then(|time| {
        let (number, unit) = match time.strip_suffix("ms") {
            Some(number) => (number, 1.0),
            None => (time.strip_suffix('s')?, 1000.0),
        };
        let ms = number.trim().parse::<f32>().ok()? * unit;
        (ms.is_finite() && ms >= 0.0).then_some(ms as u32)
    });
    let strength = || match value(attributes, "strength") {
        Some("none") => 0,
        Some("x-weak") => 100,
        Some("weak") => 200,
        Some("strong") => 750,
        Some("x-strong") => 1200,
        _ => 400,
    };
    time.unwrap_or_else(strength).min(MAX_BREAK_MS)
}

struct Out {
    parts: Vec<SsmlPart>,
}

impl Out {
    fn text(&mut self, more: &str, open: &Open) {
        if let Some(SsmlPart::Text { text, language, rate }) = self.parts.last_mut()
            && *language == open.language
            && (*rate - open.rate).abs() < f32::EPSILON
        {
            text.push_str(more);
            return;
        }
        if !more.trim().is_empty() {
            let (text, language) = (more.to_owned(), open.language.clone());
            self.parts.push(SsmlPart::Text { text, language, rate: open.rate });
        }
    }

    fn pause(&mut self, ms: u32) {
        if ms > 0 {
            self.parts.push(SsmlPart::Break(ms));
        }
    }

    fn paragraph(&mut self) {
        if let Some(SsmlPart::Text { text, .. }) = self.parts.last_mut()
            && !text.ends_with("\n\n")
        {
            text.push_str("\n\n");
        }
    }
}

enum Token<'t> {
    Text(String),
    Start { name: &'t str, attributes: Attributes<'t>, empty: bool },
    End(&'t str),
}

/// Walks through the text by its `<`.
struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn error(&self, what: &str) -> SsmlError {
        SsmlError { what: what.to_owned(), at: self.text[..self.at.min(self.text.len())].chars().count() }
    }

    /// Up to `end`, which is passed.
    fn until(&mut self, end: &str, what: &str) -> Result<&'t str, SsmlError> {
        let rest = &self.text[self.at..];
        let length = rest.find(end).ok_or_else(|| self.error(&format!("{what} is not ended")))?;
        self.at += length + end.len();
        Ok(&rest[..length])
    }

    fn next(&mut self) -> Result<Option<Token<'t>>, SsmlError> {
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return Ok(None);
            }
            if !rest.starts_with('<') {
                let length = rest.find('<').unwrap_or(rest.len());
                let text = self.unescape(&rest[..length])?;
                self.at += length;
                return Ok(Some(Token::Text(text)));
            }
            if rest.starts_with("<!--") {
                self.until("-->", "A comment")?;
            } else if rest.starts_with("<?") {
                self.until("?>", "A processing instruction")?;
            } else if let Some(rest) = rest.strip_prefix("<![CDATA[") {
                self.at = self.text.len() - rest.len();
                return Ok(Some(Token::Text(self.until("]]>", "CDATA")?.to_owned())));
            } else if rest.starts_with("<!") {
                return Err(self.error("A document type is not allowed"));
            } else {
                return self.tag().map(Some);
            }
        }
    }

    fn tag(&mut self) -> Result<Token<'t>, SsmlError> {
        self.at += 1;
        if self.text[self.at..].starts_with('/') {
            self.at += 1;
            return Ok(Token::End(self.until(">", "An element")?.trim_end()));
        }
        let name = self.name();
        if name.is_empty() {
            return Err(self.error("A < is not the beginning of an element"));
        }
        let mut attributes = Vec::new();
        loop {
            let rest = self.text[self.at..].trim_start();
            self.at = self.text.len() - rest.len();
            if rest.starts_with("/>") {
                self.at += 2;
                return Ok(Token::Start { name, attributes, empty: true });
            }
            if rest.starts_with('>') {
                self.at += 1;
                return Ok(Token::Start { name, attributes, empty: false });
            }
            attributes.push(self.attribute()?);
            if attributes.len() > MAX_DEPTH {
                return Err(self.error("An element has more than 32 attributes"));
            }
        }
    }

    fn name(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
        let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn attribute(&mut self) -> Result<(&'t str, String), SsmlError> {
        let name = self.name();
        let rest = self.text[self.at..].trim_start();
        let value = rest.strip_prefix('=').map(str::trim_start);
        let quote = value.and_then(|value| value.chars().next()).filter(|c| matches!(c, '"' | '\''));
        let (Some(value), Some(quote), false) = (value, quote, name.is_empty()) else {
            return Err(self.error("An attribute is not written as name=\"value\""));
        };
        self.at = self.text.len() - value.len() + 1;
        let raw = self.until(&quote.to_string(), "The value of an attribute")?;
        Ok((name, self.unescape(raw)?))
    }

    fn unescape(&self, raw: &str) -> Result<String, SsmlError> {
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let wrong =
                || self.error("An & is not the beginning of &amp;, &lt;, &gt;, &quot;, &apos; or &#…;");
            let (name, left) = after.split_once(';').filter(|(name, _)| name.len() <= 8).ok_or_else(wrong)?;
            out.push(character(name).ok_or_else(wrong)?);
            rest = left;
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SsmlPart {
        SsmlPart::Text { text: text.into(), language: None, rate: 1.0 }
    }

    fn parts(ssml: &str) -> Vec<SsmlPart> {
        parse_ssml(ssml, None).expect("is well-formed")
    }

    #[test]
    fn breaks_part_texts() {
        assert_eq!(
            parts(
                "<?xml version='1.0'?><speak>One<break time='0.5s'/> two <break strength=\"weak\"/>three &amp; &#52;<!-- no --></speak>"
            ),
            [text("One"), SsmlPart::Break(500), text(" two "), SsmlPart::Break(200), text("three & 4")]
        );
        assert_eq!(parts("a<break time='99h'/>b")[1], SsmlPart::Break(400));
        assert_eq!(parts("a<break time='1000s'/>b")[1], SsmlPart::Break(10_000));
    }

    #[test]
    fn rates_multiply_and_end() {
        let found =
            parts("<speak>a<prosody rate='slow'>b<prosody rate='200%'>c</prosody></prosody>d</speak>");
        let rates: Vec<f32> =
            found.iter().map(|p| if let SsmlPart::Text { rate, .. } = p { *rate } else { 0.0 }).collect();
        assert_eq!(rates, [1.0, 0.8, 1.6, 1.0]);
        assert_eq!((rate("+20%"), rate("x"), rate("NaN"), rate("900%")), (Some(1.2), None, None, Some(3.0)));
    }

    #[test]
    fn words_are_replaced_and_spelled() {
        assert_eq!(
            parts("<sub alias='World Wide Web Consortium'>W3C</sub> says"),
            [text("World Wide Web Consortium says")]
        );
        assert_eq!(parts("Code <say-as interpret-as='characters'>aB1</say-as>."), [text("Code  A B 1 .")]);
        assert_eq!(parts("<sub alias='x'>y<break/><b>z</b></sub>"), [text("x")]);
    }

    #[test]
    fn languages_and_paragraphs() {
        let found =
            parse_ssml("<speak><p>One</p><lang xml:lang='de'>Zwei</lang><s/>three</speak>", Some("en"))
                .expect("is well-formed");
        let languages: Vec<_> = found
            .iter()
            .map(|p| {
                if let SsmlPart::Text { language, text, .. } = p {
                    (language.as_deref(), text.as_str())
                } else {
                    (None, "")
                }
            })
            .collect();
        assert_eq!(languages, [(Some("en"), "One\n\n"), (Some("de"), "Zwei\n\n"), (Some("en"), "three")]);
    }

    #[test]
    fn what_is_not_known_is_spoken_what_is_broken_is_refused() {
        assert_eq!(parts("<emphasis level='x'>a</emphasis><audio src='http://x'>b</audio>"), [text("ab")]);
        for broken in [
            "<speak>",
            "</speak>",
            "<a></b>",
            "a & b",
            "&nbsp;",
            "a < b",
            "<a b>",
            "<a b=c>",
            "<a b='c>",
            "<!-- ",
            "<![CDATA[x",
            "<!DOCTYPE x [<!ENTITY a 'b'>]><speak>&a;</speak>",
            "&#xd800;",
            "<?x",
            "<",
            &"<p>".repeat(40),
        ] {
            let error = parse_ssml(broken, None).expect_err(broken);
            assert!(!error.to_string().is_empty(), "{broken}");
        }
    }
}
