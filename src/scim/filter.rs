//! Filters as they are written (RFC 7644, section 3.4.2.2): the grammar, within limits, and paths of changes with it.

use serde_json::Value;

use crate::refusal::{Kind, Refusal, Result};

/// Longest filter or path, in bytes.
const LONGEST: usize = 4096;
/// Parentheses, brackets and negations inside each other.
const DEEPEST: u8 = 24;

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Contains,
    Starts,
    Ends,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// A filter; names of attributes are as they were written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Present(String),
    Compare(String, Operator, Value),
    /// A single value of the attribute fits.
    Values(String, Box<Filter>),
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub attribute: String,
    /// Which of its values.
    pub filter: Option<Filter>,
    /// Which part of them.
    pub sub: Option<String>,
}

/// Reads a filter.
pub(crate) fn parse(text: &str) -> Result<Filter> {
    let mut parser = Parser::new(text, Kind::InvalidFilter)?;
    let filter = parser.or()?;
    parser.end()?;
    Ok(filter)
}

/// Reads the path of a change.
pub(crate) fn parse_path(text: &str) -> Result<Path> {
    let mut parser = Parser::new(text, Kind::InvalidPath)?;
    parser.space();
    let attribute = parser.name()?;
    let (mut filter, mut sub) = (None, None);
    if parser.take('[') {
        filter = Some(parser.bracket()?);
        sub = parser.part()?;
    }
    parser.end()?;
    Ok(Path { attribute, filter, sub })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
    kind: Kind,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, kind: Kind) -> Result<Self> {
        if text.len() > LONGEST {
            return Err(Refusal::new(kind, format!("It may have {LONGEST} bytes at most.")));
        }
        Ok(Self { text, at: 0, depth: 0, kind })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong(&self, wanted: &str) -> Refusal {
        let place = self.text[..self.at].chars().count() + 1;
        Refusal::new(self.kind, format!("At character {place} there should be {wanted}."))
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, sign: char) -> bool {
        self.space();
        let there = self.rest().starts_with(sign);
        if there {
            self.at += sign.len_utf8();
        }
        there
    }

    fn end(&mut self) -> Result<()> {
        self.space();
        if self.rest().is_empty() { Ok(()) } else { Err(self.wrong("the end")) }
    }

    /// Takes a word that stands alone; case does not count.
    fn word(&mut self, word: &str) -> bool {
        self.space();
        let rest = self.rest();
        let Some((start, after)) = rest.get(..word.len()).zip(rest.get(word.len()..)) else { return false };
        let alone = !after.starts_with(is_name);
        if alone && start.eq_ignore_ascii_case(word) {
            self.at += word.len();
            return true;
        }
        false
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEEPEST {
            return Err(Refusal::new(self.kind, format!("It is nested more than {DEEPEST} deep.")));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn or(&mut self) -> Result<Filter> {
        let mut terms = vec![self.and()?];
        while self.word("or") {
            terms.push(self.and()?);
        }
        Ok(one_or(terms, Filter::Or))
    }

    fn and(&mut self) -> Result<Filter> {
        let mut terms = vec![self.term()?];
        while self.word("and") {
            terms.push(self.term()?);
        }
        Ok(one_or(terms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter> {
        if self.take('(') {
            return self.group();
        }
        let before = self.at;
        if self.word("not") {
            if self.take('(') {
                return self.group().map(|filter| Filter::Not(Box::new(filter)));
            }
            self.at = before;
        }
        self.space();
        let name = self.name()?;
        if self.take('[') {
            return self.values(name);
        }
        self.comparison(name)
    }

    fn group(&mut self) -> Result<Filter> {
        let filter = self.deeper(Self::or)?;
        if self.take(')') { Ok(filter) } else { Err(self.wrong("a closing parenthesis")) }
    }

    fn bracket(&mut self) -> Result<Filter> {
        let filter = self.deeper(Self::or)?;
        if self.take(']') { Ok(filter) } else { Err(self.wrong("a closing bracket")) }
    }

    /// What follows `emails[`; also `emails[type eq "work"].value eq "…"`, which many clients write.
    fn values(&mut self, name: String) -> Result<Filter> {
        let mut inside = self.bracket()?;
        if let Some(sub) = self.part()? {
            inside = Filter::And(vec![inside, self.comparison(sub)?]);
        }
        Ok(Filter::Values(name, Box::new(inside)))
    }

    /// `.value` after a bracket.
    fn part(&mut self) -> Result<Option<String>> {
        if !self.rest().starts_with('.') {
            return Ok(None);
        }
        self.at += 1;
        self.name().map(Some)
    }

    fn name(&mut self) -> Result<String> {
        let rest = self.rest();
        let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$') {
            return Err(self.wrong("the name of an attribute"));
        }
        self.at += name.len();
        Ok(name.to_owned())
    }

    fn comparison(&mut self, name: String) -> Result<Filter> {
        const OPERATORS: [(&str, Operator); 9] = [
            ("eq", Operator::Equal),
            ("ne", Operator::NotEqual),
            ("co", Operator::Contains),
            ("sw", Operator::Starts),
            ("ew", Operator::Ends),
            ("gt", Operator::Greater),
            ("ge", Operator::GreaterOrEqual),
            ("lt", Operator::Less),
            ("le", Operator::LessOrEqual),
        ];
        if self.word("pr") {
            return Ok(Filter::Present(name));
        }
        let found = OPERATORS.into_iter().find(|(word, _)| self.word(word));
        let (_, operator) =
            found.ok_or_else(|| self.wrong("one of eq, ne, co, sw, ew, gt, ge, lt, le, pr"))?;
        Ok(Filter::Compare(name, operator, self.literal()?))
    }

    /// A value as in JSON.
    fn literal(&mut self) -> Result<Value> {
        self.space();
        for (word, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if self.word(word) {
                return Ok(value);
            }
        }
        let rest = self.rest();
        let length = if rest.starts_with('"') { string_length(rest) } else { number_length(rest) };
        let read = length.and_then(|length| Some((length, serde_json::from_str(&rest[..length]).ok()?)));
        let (length, value) =
            read.ok_or_else(|| self.wrong("a text in quotes, a number, true, false or null"))?;
        self.at += length;
        Ok(value)
    }
}

fn one_or(mut terms: Vec<Filter>, more: fn(Vec<Filter>) -> Filter) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        last => {
            terms.extend(last);
            more(terms)
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '$')
}

/// Bytes up to and with the closing quote.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn number_length(text: &str) -> Option<usize> {
    let part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    let length = text.find(|c| !part(c)).unwrap_or(text.len());
    (length > 0).then_some(length)
}
