//! What an extraction yields: one text, and blocks that point into it.

use serde::{Deserialize, Serialize};

/// The short name of a file format, as shown to people and used in filters (`pdf`, `docx`, `eml` …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Odt,
    Ods,
    Odp,
    Rtf,
    Doc,
    Ppt,
    Xls,
    Html,
    Md,
    Adoc,
    Txt,
    Csv,
    Json,
    Epub,
    Eml,
    Mbox,
    Msg,
    Zip,
    Image,
}

/// What a block of text is in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    Heading,
    Paragraph,
    ListItem,
    TableRow,
    Code,
    Note,
    Caption,
}

/// A run of text. `start` and `end` count Unicode code points in [`Extracted::text`], end exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    /// Heading level 1–6, list depth from 1, otherwise 0.
    pub level: u8,
    pub start: u32,
    pub end: u32,
    /// Page, slide or sheet number, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// Sheet name, slide title, member path of an archive, or attachment name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The text of a document with its structure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// Blocks joined by one newline, paragraphs of prose by an empty line; cells of a table row by a tab.
    pub text: String,
    pub blocks: Vec<Block>,
    pub title: Option<String>,
    /// Number of pages, slides or sheets; 0 when the format has none.
    pub pages: u32,
    /// Pages that show only an image: they need OCR to be read.
    pub needs_ocr: Vec<u32>,
    /// What could not be read although the rest could (a locked member, a broken attachment): one sentence each.
    pub warnings: Vec<String>,
}

/// Why a document cannot be read. The sentence is for people; `hint` says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ExtractError {
    pub code: ExtractErrorCode,
    pub message: String,
}

/// The closed list of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtractErrorCode {
    Encrypted,
    WrongPassword,
    Unsupported,
    Damaged,
    TooLarge,
    TooComplex,
    Timeout,
    Memory,
    NeedsOcr,
    Empty,
    Internal,
}

/// What comes in beside the bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// File name with extension: a hint only, the content decides.
    pub name: String,
    pub password: Option<String>,
}

/// Limits inside one extraction; the process limits are the caller's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest text, in bytes.
    pub text_bytes: usize,
    /// Largest sum of unpacked archive members, in bytes.
    pub unpacked_bytes: u64,
    /// Most members of an archive, counted over all levels.
    pub members: usize,
    /// Deepest nesting of archives and attachments.
    pub depth: usize,
    /// Most pages of one document.
    pub pages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes: 64 << 20, unpacked_bytes: 1 << 30, members: 10_000, depth: 8, pages: 20_000 }
    }
}
