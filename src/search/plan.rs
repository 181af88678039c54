//! From the parsed query to the engine's: fields, stems, boosts, expansions; and the words to highlight.

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, EmptyQuery, FuzzyTermQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

use crate::analysis::{self, Kind, exact_form};
use crate::error::Result;
use crate::language::{FunctionWords, stem_variants};
use crate::query::Node;
use crate::schema::Fields;
use crate::snippet::Highlighter;
use crate::within::Eyes;

const TITLE_BOOST: f32 = 2.0;
const HEADING_BOOST: f32 = 1.2;
/// Words a prefix stands for: the most frequent ones.
const MAX_EXPANSION: usize = 64;
/// Dictionary entries looked at for a prefix, per segment.
const MAX_WALK: usize = 20_000;

pub(crate) struct Planner<'a> {
    pub fields: &'a Fields,
    pub eyes: &'a Eyes,
    pub highlighter: Highlighter,
}

type Clauses = Vec<(Occur, Box<dyn Query>)>;

impl Planner<'_> {
    pub(crate) fn plan(&mut self, node: &Node) -> Result<Box<dyn Query>> {
        let mut clauses = Clauses::new();
        match node {
            Node::Everything => return Ok(Box::new(AllQuery)),
            Node::Filter(filter) => return Ok(filter.query(self.fields)),
            Node::Any(alternatives) => {
                for alternative in alternatives {
                    clauses.push((Occur::Should, self.plan(alternative)?));
                }
            }
            Node::Group { required, optional, excluded } => return self.group(required, optional, excluded),
            Node::Word { .. } | Node::Phrase { .. } | Node::Prefix { .. } | Node::Fuzzy { .. } => {
                self.leaf(node, &mut clauses)?;
            }
        }
        Ok(union(clauses))
    }

    fn group(&mut self, required: &[Node], optional: &[Node], excluded: &[Node]) -> Result<Box<dyn Query>> {
        let mut clauses = Clauses::new();
        for node in required {
            clauses.push((Occur::Must, self.plan(node)?));
        }
        for node in content_words(optional) {
            // Flat, so that the engine sees one union of words.
            self.leaf(node, &mut clauses)?;
        }
        let matches_nothing = clauses.is_empty() && !optional.is_empty();
        if matches_nothing {
            return Ok(Box::new(EmptyQuery));
        }
        if clauses.is_empty() {
            clauses.push((Occur::Must, Box::new(AllQuery)));
        }
        let seen = self.highlighter.clone();
        for node in excluded {
            clauses.push((Occur::MustNot, self.plan(node)?));
        }
        self.highlighter = seen;
        Ok(Box::new(BooleanQuery::new(clauses)))
    }

    /// Adds the alternatives of a word, phrase, prefix or fuzzy word.
    fn leaf(&mut self, node: &Node, clauses: &mut Clauses) -> Result<()> {
        match node {
            Node::Word { text, title } => {
                let spans: Vec<_> = analysis::spans(text).collect();
                match &spans[..] {
                    [] => {}
                    [one] if one.kind == Kind::Word => self.word(&text[one.range.clone()], *title, clauses),
                    [one] if !title => self.prefix(&text[one.range.clone()], clauses)?,
                    _ => self.phrase(text, *title, clauses),
                }
            }
            Node::Phrase { text, title } => self.phrase(text, *title, clauses),
            Node::Prefix { text } => {
                let spans: Vec<_> = analysis::spans(text).collect();
                match &spans[..] {
                    [one] => self.prefix(&text[one.range.clone()], clauses)?,
                    _ => self.phrase(text, false, clauses),
                }
            }
            Node::Fuzzy { text, distance } => self.fuzzy(text, *distance, clauses),
            other => clauses.push((Occur::Should, self.plan(other)?)),
        }
        Ok(())
    }

    fn word(&mut self, token: &str, title: bool, clauses: &mut Clauses) {
        let stems = stem_variants(token, &self.eyes.languages);
        self.highlighter.word(&exact_form(token), &stems);
        for stem in &stems {
            if !title {
                clauses.push((Occur::Should, term(self.fields.body, stem, 1.0)));
                clauses.push((Occur::Should, term(self.fields.heading, stem, HEADING_BOOST)));
            }
            clauses.push((Occur::Should, term(self.fields.title, stem, TITLE_BOOST)));
        }
    }

    /// Words in a row. Titles hold stems only, so a title's phrase is one of stems.
    fn phrase(&mut self, text: &str, title: bool, clauses: &mut Clauses) {
        let mut forms: Vec<String> =
            analysis::spans(text).map(|span| exact_form(&text[span.range])).collect();
        let spans: Vec<_> = analysis::spans(text).collect();
        // The last character of an unspaced run stands in a pair when the text goes on.
        if spans.len() > 1
            && spans.last().is_some_and(|span| span.kind == Kind::Bigram && single(&text[span.range.clone()]))
        {
            forms.pop();
        }
        if title {
            let language = self.eyes.languages.first().copied().unwrap_or(*b"--");
            forms =
                forms.iter().filter_map(|form| stem_variants(form, &[language]).into_iter().next()).collect();
        }
        let field = if title { self.fields.title } else { self.fields.exact };
        let query: Box<dyn Query> = match &forms[..] {
            [] => return,
            [one] => term(field, one, 1.0),
            _ => Box::new(PhraseQuery::new(
                forms.iter().map(|form| Term::from_field_text(field, form)).collect(),
            )),
        };
        if !title {
            self.highlighter.phrase(&forms);
        }
        clauses.push((Occur::Should, query));
    }

    fn prefix(&mut self, text: &str, clauses: &mut Clauses) -> Result<()> {
        let prefix = exact_form(text);
        if prefix.is_empty() {
            return Ok(());
        }
        for form in self.expand(&prefix)? {
            clauses.push((Occur::Should, term(self.fields.exact, &form, 1.0)));
        }
        if clauses.is_empty() {
            clauses.push((Occur::Should, Box::new(EmptyQuery)));
        }
        self.highlighter.prefix(&prefix);
        Ok(())
    }

    /// The most frequent words of the index that begin with `prefix`.
    fn expand(&self, prefix: &str) -> Result<Vec<String>> {
        let mut found: Vec<(String, u32)> = Vec::new();
        for segment in self.eyes.searcher.segment_readers() {
            let inverted = segment.inverted_index(self.fields.exact)?;
            let mut stream = inverted.terms().range().ge(prefix).into_stream()?;
            let mut walked = 0;
            while let Some((term, info)) = stream.next() {
                walked += 1;
                if !term.starts_with(prefix.as_bytes()) || walked > MAX_WALK {
                    break;
                }
                if let Ok(term) = std::str::from_utf8(term) {
                    found.push((term.to_owned(), info.doc_freq));
                }
            }
        }
        found.sort();
        found.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        if self.eyes.seen.is_some() {
            // How frequent words are in what is not seen must not decide.
            for (form, frequency) in &mut found {
                let term = Term::from_field_text(self.fields.exact, form);
                *frequency = u32::try_from(self.eyes.frequency(&term)?).unwrap_or(u32::MAX);
            }
            found.retain(|(_, frequency)| *frequency > 0);
        }
        found.sort_by_key(|(_, frequency)| std::cmp::Reverse(*frequency));
        found.truncate(MAX_EXPANSION);
        Ok(found.into_iter().map(|(term, _)| term).collect())
    }

    fn fuzzy(&mut self, text: &str, distance: u8, clauses: &mut Clauses) {
        for span in analysis::spans(text) {
            let form = exact_form(&text[span.range]);
            if form.is_empty() {
                continue;
            }
            let distance = distance.min((form.chars().count() / 3) as u8);
            let query = FuzzyTermQuery::new(Term::from_field_text(self.fields.exact, &form), distance, true);
            clauses.push((Occur::Should, Box::new(query)));
            self.highlighter.fuzzy(&form, distance);
        }
    }
}

fn single(text: &str) -> bool {
    text.chars().count() == 1
}

fn term(field: Field, text: &str, boost: f32) -> Box<dyn Query> {
    let query = TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs);
    if (boost - 1.0).abs() < f32::EPSILON {
        Box::new(query)
    } else {
        Box::new(BoostQuery::new(Box::new(query), boost))
    }
}

fn union(clauses: Clauses) -> Box<dyn Query> {
    if clauses.is_empty() { Box::new(EmptyQuery) } else { Box::new(BooleanQuery::new(clauses)) }
}

/// Without the function words, unless there is nothing else.
fn content_words(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    let folded = |node: &Node| match node {
        Node::Word { text, title: false } => {
            analysis::spans(text).next().map(|span| exact_form(&text[span.range]))
        }
        _ => None,
    };
    let words: Vec<String> = nodes.iter().filter_map(folded).collect();
    let function = FunctionWords::of(&words);
    let is_content = move |node: &Node| folded(node).is_none_or(|word| !function.contains(&word));
    let any = nodes.iter().any(&is_content);
    nodes.iter().filter(move |node| !any || is_content(node))
}
