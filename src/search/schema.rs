//! The fields of the index and how a passage is written into them.

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};

use crate::language::code_of;
use crate::passage::Passage;
use crate::record::{self, DocumentMeta};
use crate::tokenizer::{self, EXACT, KEY, STEM};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    pub document: Field,
    pub ordinal: Field,
    /// Stemmed text: ranking.
    pub body: Field,
    /// Folded text with positions: phrases, prefixes, fuzzy words.
    pub exact: Field,
    pub title: Field,
    pub heading: Field,
    pub collection: Field,
    pub tag: Field,
    pub format: Field,
    pub language: Field,
    pub created: Field,
    /// Who sees it: [`OPEN`] and [`place`] without readers of its own, else [`by`] for each.
    pub access: Field,
    pub record: Field,
}

/// Names of the fast fields, as the collectors open them.
pub(crate) const DOCUMENT: &str = "document";
pub(crate) const FACETS: [&str; 4] = ["collection", "tag", "format", "language"];

/// Stands in `access` of documents without readers of their own.
pub(crate) const OPEN: &str = "open";

/// Stands there too, for the exact name of the collection.
pub(crate) fn place(collection: &str) -> String {
    format!("in:{collection}")
}

/// Stands in `access` for each of a document's own readers.
pub(crate) fn by(reader: &str) -> String {
    format!("by:{reader}")
}

pub(crate) fn build() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    let text = |tokenizer: &str, option| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(option),
        )
    };
    let filter = |tokenizer: &str| {
        let indexing =
            TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(IndexRecordOption::Basic);
        TextOptions::default().set_indexing_options(indexing.set_fieldnorms(false)).set_fast("raw")
    };
    let bare = TextFieldIndexing::default().set_tokenizer("raw").set_index_option(IndexRecordOption::Basic);
    let bare = TextOptions::default().set_indexing_options(bare.set_fieldnorms(false));
    let fields = Fields {
        document: schema.add_text_field(DOCUMENT, filter("raw")),
        ordinal: schema.add_u64_field("ordinal", NumericOptions::default() | FAST),
        body: schema.add_text_field("body", text(STEM, IndexRecordOption::WithFreqs)),
        exact: schema.add_text_field("exact", text(EXACT, IndexRecordOption::WithFreqsAndPositions)),
        title: schema.add_text_field("title", text(STEM, IndexRecordOption::WithFreqsAndPositions)),
        heading: schema.add_text_field("heading", text(STEM, IndexRecordOption::WithFreqs)),
        collection: schema.add_text_field(FACETS[0], filter(KEY)),
        tag: schema.add_text_field(FACETS[1], filter(KEY)),
        format: schema.add_text_field(FACETS[2], filter(KEY)),
        language: schema.add_text_field(FACETS[3], filter(KEY)),
        created: schema.add_i64_field("created", NumericOptions::default() | FAST | INDEXED),
        access: schema.add_text_field("access", bare),
        record: schema.add_text_field("record", TextOptions::default().set_stored()),
    };
    (schema.build(), fields)
}

impl Fields {
    /// Those in which words are ranked.
    pub(crate) fn texts(&self) -> [Field; 4] {
        [self.body, self.exact, self.title, self.heading]
    }

    pub(crate) fn document(&self, meta: &DocumentMeta, passage: &Passage) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let code = code_of(meta.language.as_deref());
        document.add_text(self.document, &meta.id);
        document.add_u64(self.ordinal, passage.ordinal.into());
        document.add_text(self.body, tokenizer::with_language(code, &passage.text));
        document.add_text(self.exact, &passage.text);
        document.add_text(self.title, tokenizer::with_language(code, &meta.title));
        if !passage.heading.is_empty() {
            document.add_text(self.heading, tokenizer::with_language(code, &passage.heading));
        }
        if let Some(collection) = &meta.collection {
            document.add_text(self.collection, collection);
        }
        for tag in &meta.tags {
            document.add_text(self.tag, tag);
        }
        document.add_text(self.format, &meta.format);
        if let Some(language) = &meta.language {
            document.add_text(self.language, language);
        }
        document.add_i64(self.created, meta.created);
        for mark in marks(meta) {
            document.add_text(self.access, mark);
        }
        document.add_text(self.record, record::encode(meta, passage));
        document
    }
}

/// What stands in `access`.
fn marks(meta: &DocumentMeta) -> Vec<String> {
    if let Some(readers) = &meta.readers {
        return readers.iter().map(|id| by(id)).collect();
    }
    let named = meta.collection.iter().map(|name| place(name));
    std::iter::once(OPEN.to_owned()).chain(named).collect()
}
