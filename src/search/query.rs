//! The query language people type: words, "phrases", prefix*, fuzzy~, AND OR NOT, -word, parentheses and fields
//! (title: collection: tag: type: language: date:A..B). Parsing only; `plan` turns the tree into an engine query.

use crate::error::QueryError;
use crate::filter::Filter;

/// Longest query in characters.
pub const MAX_QUERY: usize = 2000;
/// Most words, phrases and filters of a query.
const MAX_NODES: usize = 100;
/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 12;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// `required` and `excluded` decide what matches; `optional` does when nothing is required, else it ranks.
    Group {
        required: Vec<Node>,
        optional: Vec<Node>,
        excluded: Vec<Node>,
    },
    Any(Vec<Node>),
    Word {
        text: String,
        title: bool,
    },
    Phrase {
        text: String,
        title: bool,
    },
    Prefix {
        text: String,
    },
    Fuzzy {
        text: String,
        distance: u8,
    },
    Filter(Filter),
    Everything,
}

/// Parses what was typed; an empty text is everything.
pub(crate) fn parse(text: &str) -> Result<Node, QueryError> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MAX_QUERY {
        let message = format!("The query is longer than {MAX_QUERY} characters.");
        return Err(QueryError::new(MAX_QUERY, message, "Ask with fewer words."));
    }
    let mut parser = Parser { text: &characters, at: 0, nodes: 0 };
    let node = parser.any(0)?;
    if parser.at < characters.len() {
        let message = "A closing parenthesis has no opening one.";
        return Err(QueryError::new(parser.at, message, "Remove it, or put ( before."));
    }
    Ok(node)
}

/// Whether there are words only: no phrase, field, operator or sign.
pub(crate) fn is_plain(node: &Node) -> bool {
    let word = |node: &Node| matches!(node, Node::Word { title: false, .. });
    match node {
        Node::Group { required, optional, excluded } => {
            required.is_empty() && excluded.is_empty() && !optional.is_empty() && optional.iter().all(word)
        }
        node => word(node),
    }
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
    nodes: usize,
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|c| c.is_whitespace() || c.is_control()) {
            self.at += 1;
        }
    }

    fn error<T>(&self, position: usize, message: &str, hint: &str) -> Result<T, QueryError> {
        Err(QueryError::new(position.min(self.text.len()), message, hint))
    }

    /// `sequence OR sequence …`
    fn any(&mut self, depth: usize) -> Result<Node, QueryError> {
        if depth > MAX_DEPTH {
            return self.error(self.at, "The parentheses are nested too deep.", "Use fewer parentheses.");
        }
        let mut alternatives = vec![self.sequence(depth)?];
        while self.keyword("OR") {
            alternatives.push(self.sequence(depth)?);
        }
        let real = alternatives.iter().filter(|node| **node != Node::Everything).count();
        if alternatives.len() > 1 && real < alternatives.len() {
            return self.error(
                self.at,
                "OR needs a word on both sides.",
                "Write it in lower case to look for the word itself.",
            );
        }
        Ok(if alternatives.len() == 1 { alternatives.swap_remove(0) } else { Node::Any(alternatives) })
    }

    /// Items side by side: phrases, groups, fields and what AND joins are required; bare words rank.
    fn sequence(&mut self, depth: usize) -> Result<Node, QueryError> {
        let (mut required, mut optional, mut excluded) = (Vec::new(), Vec::new(), Vec::new());
        let mut joined = false;
        loop {
            self.skip_blanks();
            if self.keyword("AND") {
                if let Some(word) = optional.pop().filter(|_| !joined) {
                    required.push(word);
                }
                joined = true;
                continue;
            }
            let negated = self.negation();
            let Some(node) = self.item(depth)? else {
                if negated || joined {
                    return self.error(
                        self.at,
                        "A word is missing after AND, NOT or -.",
                        "Write it in lower case to look for the word itself.",
                    );
                }
                break;
            };
            let ranks = matches!(node, Node::Word { .. } | Node::Prefix { .. } | Node::Fuzzy { .. });
            match (negated, node) {
                (_, Node::Everything) => {}
                (true, node) => excluded.push(node),
                (false, node) if joined || !ranks => required.push(node),
                (false, node) => optional.push(node),
            }
            joined = false;
        }
        Ok(simplify(required, optional, excluded))
    }

    fn negation(&mut self) -> bool {
        if self.keyword("NOT") {
            self.skip_blanks();
            return true;
        }
        let next = self.text.get(self.at + 1);
        if self.peek() == Some('-') && next.is_some_and(|c| c.is_alphanumeric() || *c == '(' || is_quote(*c))
        {
            self.at += 1;
            return true;
        }
        false
    }

    /// Takes an upper-case keyword when it stands here as a word of its own.
    fn keyword(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let end = self.at + word.len();
        let here = self.text.get(self.at..end).is_some_and(|found| found.iter().copied().eq(word.chars()));
        let ends =
            self.text.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')') || is_quote(*c));
        if here && ends {
            self.at = end;
        }
        here && ends
    }

    fn item(&mut self, depth: usize) -> Result<Option<Node>, QueryError> {
        self.skip_blanks();
        let start = self.at;
        let node = match self.peek() {
            None | Some(')') => return Ok(None),
            // The caller of `sequence` takes it.
            Some('O') if self.is_or() => return Ok(None),
            Some('(') => {
                self.at += 1;
                let inner = self.any(depth + 1)?;
                if self.peek() != Some(')') {
                    return self.error(start, "A parenthesis is not closed.", "Add ) at its end.");
                }
                self.at += 1;
                inner
            }
            Some(c) if is_quote(c) => Node::Phrase { text: self.quoted()?, title: false },
            Some(_) => self.word()?,
        };
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return self.error(start, "The query has too many parts.", "Ask with fewer words.");
        }
        Ok(Some(node))
    }

    fn is_or(&mut self) -> bool {
        let at = self.at;
        let found = self.keyword("OR");
        self.at = at;
        found
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        self.at += 1;
        let Some(length) = self.text[self.at..].iter().position(|c| is_quote(*c)) else {
            return self.error(start, "A quotation mark is not closed.", "Add \" at the end of the phrase.");
        };
        let text = self.text[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Ok(text)
    }

    /// A run without blanks: a field with its value, or a word with `*` or `~`.
    fn word(&mut self) -> Result<Node, QueryError> {
        let start = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | ')') && !is_quote(c)) {
            self.at += 1;
            if self.text[self.at - 1] == ':' {
                let name: String = self.text[start..self.at - 1].iter().collect::<String>().to_lowercase();
                if FIELDS.contains(&name.as_str()) {
                    return self.field(&name, start);
                }
            }
        }
        let text: String = self.text[start..self.at].iter().collect();
        if text == "*" {
            return Ok(Node::Everything);
        }
        if let Some(prefix) = text.strip_suffix('*') {
            return Ok(Node::Prefix { text: prefix.to_owned() });
        }
        if let Some((word, digits)) = text.rsplit_once('~')
            && matches!(digits, "" | "0" | "1" | "2")
            && !word.is_empty()
        {
            let distance = digits.parse().unwrap_or(if word.chars().count() < 6 { 1 } else { 2 });
            return Ok(Node::Fuzzy { text: word.to_owned(), distance });
        }
        Ok(Node::Word { text, title: false })
    }

    fn field(&mut self, name: &str, start: usize) -> Result<Node, QueryError> {
        let quoted = self.peek().is_some_and(is_quote);
        let at = self.at;
        let value = if quoted { self.quoted()? } else { self.bare() };
        if value.trim().is_empty() {
            return self.error(
                start,
                &format!("{name}: has no value."),
                &format!("Write the value right after it, as in {name}:example."),
            );
        }
        if name == "title" {
            return Ok(if quoted {
                Node::Phrase { text: value, title: true }
            } else {
                Node::Word { text: value, title: true }
            });
        }
        if name == "date" {
            return dates(&value).map(Node::Filter).ok_or_else(|| {
                QueryError::new(
                    at,
                    format!("“{value}” is not a date."),
                    "Write date:2024, date:2024-05 or date:2024-01-01..2024-12-31.",
                )
            });
        }
        let values = if quoted {
            vec![value]
        } else {
            value.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect()
        };
        Ok(Node::Filter(match name {
            "collection" => Filter::Collection(values),
            "tag" => Filter::Tag(values),
            "type" => Filter::Format(values),
            "language" => Filter::Language(values),
            _ => Filter::Document(values),
        }))
    }

    fn bare(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | ')')) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }
}

const FIELDS: [&str; 7] = ["title", "collection", "tag", "type", "language", "date", "document"];

fn simplify(mut required: Vec<Node>, mut optional: Vec<Node>, excluded: Vec<Node>) -> Node {
    match (required.len(), optional.len(), excluded.len()) {
        (0, 0, 0) => Node::Everything,
        (1, 0, 0) => required.swap_remove(0),
        (0, 1, 0) => optional.swap_remove(0),
        _ => Node::Group { required, optional, excluded },
    }
}

/// `A..B`, `A..`, `..B` or `A`; each end a year, month or day, the whole of it meant.
fn dates(value: &str) -> Option<Filter> {
    let (from, to) = value.split_once("..").unwrap_or((value, value));
    let from = if from.is_empty() { None } else { Some(span(from)?.0) };
    let to = if to.is_empty() { None } else { Some(span(to)?.1) };
    if from.is_none() && to.is_none() || matches!((from, to), (Some(from), Some(to)) if from > to) {
        return None;
    }
    Some(Filter::Created { from, to })
}

/// First and last second of a year, month or day.
fn span(date: &str) -> Option<(i64, i64)> {
    let mut parts = date
        .split('-')
        .map(|part| part.parse::<i64>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit())));
    let year = parts.next()?.filter(|year| (1..=9999).contains(year))?;
    let month =
        parts.next().map_or(Some(None), |part| part.filter(|month| (1..=12).contains(month)).map(Some))?;
    let day = parts.next().map_or(Some(None), |part| part.map(Some))?;
    if parts.next().is_some() {
        return None;
    }
    let next_month = |month: i64| if month == 12 { days(year + 1, 1) } else { days(year, month + 1) };
    let (first, after) = match (month, day) {
        (None, _) => (days(year, 1), days(year + 1, 1)),
        (Some(month), None) => (days(year, month), next_month(month)),
        (Some(month), Some(day)) => {
            let first = days(year, month) + day - 1;
            if day < 1 || first >= next_month(month) {
                return None;
            }
            (first, first + 1)
        }
    };
    Some((first * 86_400, after * 86_400 - 1))
}

/// Days from 1970-01-01 to the first of a month (proleptic Gregorian).
fn days(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let past = year - 1;
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let leap_day = i64::from(leap && month > 2);
    past * 365 + past / 4 - past / 100 + past / 400 + BEFORE[(month - 1) as usize] + leap_day - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Node {
        Node::Word { text: text.into(), title: false }
    }

    fn phrase(text: &str) -> Node {
        Node::Phrase { text: text.into(), title: false }
    }

    #[test]
    fn words_phrases_and_exclusions() {
        assert_eq!(parse("oil").unwrap(), word("oil"));
        assert_eq!(parse("  ").unwrap(), Node::Everything);
        let expected = Node::Group {
            required: vec![phrase("oil crisis")],
            optional: vec![word("1973")],
            excluded: vec![word("gas")],
        };
        assert_eq!(parse("“oil crisis” 1973 -gas").unwrap(), expected);
        assert_eq!(parse("\"oil crisis\" 1973 NOT gas").unwrap(), expected);
        assert_eq!(parse("long-term").unwrap(), word("long-term"));
        assert_eq!(parse("pric*").unwrap(), Node::Prefix { text: "pric".into() });
        assert_eq!(parse("embrago~").unwrap(), Node::Fuzzy { text: "embrago".into(), distance: 2 });
        assert_eq!(parse("oil~1").unwrap(), Node::Fuzzy { text: "oil".into(), distance: 1 });
    }

    #[test]
    fn operators() {
        let both = Node::Group { required: vec![word("a"), word("b")], optional: vec![], excluded: vec![] };
        assert_eq!(parse("a AND b").unwrap(), both);
        assert_eq!(parse("a OR b").unwrap(), Node::Any(vec![word("a"), word("b")]));
        let nested = Node::Group {
            required: vec![Node::Any(vec![word("a"), word("b")]), word("c")],
            optional: vec![],
            excluded: vec![],
        };
        assert_eq!(parse("(a OR b) AND c").unwrap(), nested);
        let all_of_three = Node::Group {
            required: vec![word("a"), word("b"), word("c")],
            optional: vec![],
            excluded: vec![],
        };
        assert_eq!(parse("a AND b AND c").unwrap(), all_of_three);
        assert_eq!(
            parse("ORDER and").unwrap(),
            Node::Group { required: vec![], optional: vec![word("ORDER"), word("and")], excluded: vec![] }
        );
    }

    #[test]
    fn fields() {
        assert_eq!(
            parse("collection:\"My files\"").unwrap(),
            Node::Filter(Filter::Collection(vec!["My files".into()]))
        );
        assert_eq!(
            parse("type:pdf,docx").unwrap(),
            Node::Filter(Filter::Format(vec!["pdf".into(), "docx".into()]))
        );
        assert_eq!(parse("title:oil").unwrap(), Node::Word { text: "oil".into(), title: true });
        assert_eq!(parse("http://x.y").unwrap(), word("http://x.y"));
        let day = Filter::Created { from: Some(1_704_067_200), to: Some(1_704_067_200 + 86_399) };
        assert_eq!(parse("date:2024-01-01").unwrap(), Node::Filter(day));
        let open = Filter::Created { from: None, to: Some(951_868_799) };
        assert_eq!(parse("date:..2000-02-29").unwrap(), Node::Filter(open));
        assert_eq!(
            parse("date:1970..1970").unwrap(),
            Node::Filter(Filter::Created { from: Some(0), to: Some(31_535_999) })
        );
    }

    #[test]
    fn errors_say_where() {
        let at = |text: &str| parse(text).unwrap_err().position;
        assert_eq!(at("a \"b"), 2);
        assert_eq!(at("é (b"), 2);
        assert_eq!(at("a)"), 1);
        assert_eq!(at("a AND"), 5);
        assert_eq!(at("date:2023-02-29"), 5);
        assert_eq!(at("x tag:"), 2);
        assert!(parse("OR a").is_err());
        assert!(parse(&"(".repeat(1000)).is_err());
        assert!(parse(&"a ".repeat(999)).is_err());
        assert!(parse(&"a".repeat(3000)).is_err());
    }

    #[test]
    fn any_text_parses_or_is_refused() {
        let mut random = crate::testing::Random::new(23);
        for _ in 0..20_000 {
            let text = random.text(24);
            if let Err(error) = parse(&text) {
                assert!(error.position <= text.chars().count() && !error.hint.is_empty(), "{text:?}");
            }
        }
    }
}
