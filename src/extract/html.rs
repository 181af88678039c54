//! HTML to blocks, from the tokenizer alone: no tree is built, so no depth of nesting costs anything.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use crate::blocks::Blocks;
use crate::encoding;
use crate::model::{BlockKind, ExtractError};
use crate::writer::TextWriter;

pub(crate) fn extract(bytes: &[u8], out: &mut TextWriter) -> Result<(), ExtractError> {
    let text = encoding::decode_with(bytes, declared_charset(bytes).as_deref());
    push(&text, None, None, out)
}

/// Reads `text` as HTML into `out`.
pub(crate) fn push(
    text: &str,
    page: Option<u32>,
    label: Option<&str>,
    out: &mut TextWriter,
) -> Result<(), ExtractError> {
    let sink = Sink { state: RefCell::new(State::new(Blocks::new(out, page, label))) };
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    // Pieces, so that a limit that is reached stops the work early.
    let mut rest = text;
    while !rest.is_empty() && tokenizer.sink.state.borrow().error.is_none() {
        let (piece, after) = rest
            .split_at(rest.floor_char_boundary(1 << 20).max(rest.chars().next().map_or(0, char::len_utf8)));
        rest = after;
        queue.push_back(StrTendril::from_slice(piece));
        // The sink never asks for a pause, so one call takes the whole piece.
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    let mut state = tokenizer.sink.state.into_inner();
    state.flush();
    if let Some(error) = state.error.take() {
        Err(error)
    } else {
        state.blocks.finish()?;
        let title = std::mem::take(&mut state.title);
        state.blocks.out.set_title(&title);
        Ok(())
    }
}

/// The encoding a `meta` element or an XML declaration names.
fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).to_lowercase();
    let value = |key: &str| {
        let at = head.find(key)? + key.len();
        let label = head[at..].trim_start_matches([' ', '=', '"', '\'']);
        let label: String =
            label.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c)).collect();
        Some(label).filter(|label| !label.is_empty())
    };
    value("charset=")
        .or_else(|| value("charset ="))
        .or_else(|| head.starts_with("<?xml").then(|| value("encoding="))?)
}

struct Sink<'w> {
    state: RefCell<State<'w>>,
}

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.state.borrow_mut();
        if state.error.is_some() {
            return TokenSinkResult::Continue;
        }
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => state.start(&tag),
            Token::TagToken(tag) => {
                state.end(&tag.name);
                TokenSinkResult::Continue
            }
            Token::CharacterTokens(text) => {
                state.text(&text);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

#[derive(Debug)]
struct List {
    ordered: bool,
    next: i64,
}

struct State<'w> {
    blocks: Blocks<'w>,
    inline: String,
    title: String,
    in_title: bool,
    /// The title until the first block.
    heads: Option<String>,
    /// Inside an element whose text is not shown.
    hidden: Option<String>,
    heading: u8,
    pre: u32,
    caption: bool,
    lists: Vec<List>,
    in_item: bool,
    error: Option<ExtractError>,
}

impl<'w> State<'w> {
    fn new(blocks: Blocks<'w>) -> Self {
        Self {
            blocks,
            inline: String::new(),
            title: String::new(),
            in_title: false,
            heads: None,
            hidden: None,
            heading: 0,
            pre: 0,
            caption: false,
            lists: Vec::new(),
            in_item: false,
            error: None,
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_title {
            self.title.push_str(text);
        } else if self.hidden.is_none() {
            if self.pre > 0 { self.inline.push_str(text) } else { self.collapse(text) }
        }
    }

    fn collapse(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_ascii_whitespace() {
                if !self.inline.ends_with([' ', '\n']) && !self.inline.is_empty() {
                    self.inline.push(' ');
                }
            } else {
                self.inline.push(c);
            }
        }
    }

    /// Ends the running block.
    fn flush(&mut self) {
        if self.inline.trim().is_empty() {
            self.inline.clear();
            return;
        }
        let text = std::mem::take(&mut self.inline);
        let (kind, level) = self.kind();
        let result = self.push_title(&text).and_then(|()| self.blocks.push(kind, level, &text));
        self.error = self.error.take().or(result.err());
        self.in_item = false;
    }

    /// The title heads the text unless the text begins with it.
    fn push_title(&mut self, first: &str) -> Result<(), ExtractError> {
        let Some(title) = self.heads.take() else { return Ok(()) };
        let same = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        if same(&title) == same(first) {
            return Ok(());
        }
        let (page, label) = (self.blocks.page, self.blocks.label.clone());
        self.blocks.out.push_block(BlockKind::Heading, 1, &same(&title), page, label.as_deref())
    }

    fn kind(&self) -> (BlockKind, u8) {
        if self.heading > 0 {
            (BlockKind::Heading, self.heading)
        } else if self.pre > 0 {
            (BlockKind::Code, 0)
        } else if self.caption {
            (BlockKind::Caption, 0)
        } else if self.in_item {
            (BlockKind::ListItem, self.lists.len().clamp(1, 255) as u8)
        } else {
            (BlockKind::Paragraph, 0)
        }
    }

    fn table(&mut self, step: impl FnOnce(&mut Blocks<'w>) -> Result<(), ExtractError>) {
        self.flush();
        if self.error.is_none() {
            self.error = step(&mut self.blocks).err();
        }
    }

    fn start(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        match name {
            "script" | "style" | "iframe" | "noembed" | "noframes" | "xmp" | "template" | "svg"
            | "datalist" => {
                return self.start_hidden(name, tag.self_closing);
            }
            "title" if self.hidden.is_none() && !tag.self_closing => {
                self.in_title = self.title.is_empty();
                if !self.in_title {
                    self.hidden = Some("title".to_owned());
                }
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            "textarea" if !tag.self_closing => {
                self.flush();
                return TokenSinkResult::RawData(RawKind::Rcdata);
            }
            _ if self.hidden.is_some() => {}
            "br" => self.inline.push('\n'),
            "img" | "input" | "wbr" => self.collapse_image(tag),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                self.heading = name.as_bytes()[1] - b'0';
            }
            "pre" | "listing" => {
                self.flush();
                self.pre += 1;
            }
            "figcaption" | "caption" => {
                self.flush();
                self.caption = true;
            }
            "ul" | "ol" | "menu" | "dir" => self.start_list(tag),
            "li" => self.start_item(tag),
            "table" => self.table(|blocks| {
                blocks.open_table();
                Ok(())
            }),
            "tr" => self.table(Blocks::close_row),
            "td" | "th" => {
                let number = |wanted: &str| {
                    let attr = tag.attrs.iter().find(|attr| &*attr.name.local == wanted)?;
                    attr.value.trim().parse::<usize>().ok()
                };
                let (columns, rows) = (number("colspan"), number("rowspan"));
                self.table(|blocks| {
                    blocks.open_cell();
                    if columns.is_some() || rows.is_some() {
                        blocks.span_cell(columns.unwrap_or(1), rows.unwrap_or(1));
                    }
                    Ok(())
                });
            }
            _ if is_block(name) => self.flush(),
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn start_hidden(&mut self, name: &str, self_closing: bool) -> TokenSinkResult<()> {
        // XHTML closes scripts in their start tag; what follows is shown.
        if self_closing || self.hidden.is_some() {
            return TokenSinkResult::Continue;
        }
        self.hidden = Some(name.to_owned());
        match name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "template" | "svg" | "datalist" => TokenSinkResult::Continue,
            _ => TokenSinkResult::RawData(RawKind::Rawtext),
        }
    }

    /// A picture may stand between two words.
    fn collapse_image(&mut self, tag: &Tag) {
        if &*tag.name == "img" {
            self.collapse(" ");
        }
    }

    fn start_list(&mut self, tag: &Tag) {
        self.flush();
        let start = tag
            .attrs
            .iter()
            .find(|attr| &*attr.name.local == "start")
            .and_then(|attr| attr.value.trim().parse().ok());
        if self.lists.len() < 1000 {
            self.lists.push(List { ordered: &*tag.name == "ol", next: start.unwrap_or(1) });
        }
    }

    fn start_item(&mut self, tag: &Tag) {
        self.flush();
        self.in_item = true;
        let value = tag
            .attrs
            .iter()
            .find(|attr| &*attr.name.local == "value")
            .and_then(|attr| attr.value.trim().parse().ok());
        if let Some(list) = self.lists.last_mut().filter(|list| list.ordered) {
            list.next = value.unwrap_or(list.next);
            self.inline = format!("{}. ", list.next);
            list.next = list.next.saturating_add(1);
        }
    }

    fn end(&mut self, name: &str) {
        if name == "title" && self.in_title {
            self.in_title = false;
            self.heads = Some(self.title.clone());
            return;
        }
        if let Some(hidden) = &self.hidden {
            if hidden == name {
                self.hidden = None;
            }
            return;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.flush();
                self.heading = 0;
            }
            "pre" | "listing" => {
                self.flush();
                self.pre = self.pre.saturating_sub(1);
            }
            "figcaption" | "caption" => {
                self.flush();
                self.caption = false;
            }
            "ul" | "ol" | "menu" | "dir" => {
                self.flush();
                self.lists.pop();
            }
            "li" => {
                self.flush();
                self.in_item = false;
            }
            "table" => self.table(Blocks::close_table),
            "tr" => self.table(Blocks::close_row),
            "td" | "th" => self.table(|blocks| {
                blocks.close_cell();
                Ok(())
            }),
            "p" if self.in_item => self.collapse(" "),
            _ if is_block(name) || name == "textarea" => self.flush(),
            _ => {}
        }
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "nav"
            | "aside"
            | "dl"
            | "dt"
            | "dd"
            | "blockquote"
            | "hr"
            | "form"
            | "fieldset"
            | "legend"
            | "figure"
            | "address"
            | "details"
            | "summary"
            | "center"
            | "option"
            | "select"
            | "body"
            | "html"
            | "head"
            | "hgroup"
            | "search"
            | "thead"
            | "tbody"
            | "tfoot"
            | "optgroup"
            | "dialog"
            | "noscript"
            | "button"
            | "video"
            | "audio"
            | "object"
            | "marquee"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    fn read(html: &str) -> crate::model::Extracted {
        let mut out = TextWriter::new(&Limits::default());
        extract(html.as_bytes(), &mut out).unwrap();
        out.finish()
    }

    #[test]
    fn structure_and_hidden_parts() {
        let out = read(
            "<html><head><title>T &amp; U</title><style>p{}</style></head><body><h2>Head</h2><p>one <b>two</b>\n three<script>var cool='<p>';</script>\
             <ol start=3><li>a<li>b<ul><li>c</ul></ol><table><tr><th>x<th>y<tr><td>1<td>2</table><pre>a\n  b</pre>end",
        );
        assert_eq!(
            out.text,
            "T & U\n\nHead\n\none two three\n\n3. a\n4. b\nc\n\nx\ty\n1\t2\n\na\n  b\n\nend"
        );
        assert_eq!(out.title.as_deref(), Some("T & U"));
        assert_eq!(out.blocks[1].level, 2);
    }

    #[test]
    fn xhtml_empty_elements_do_not_swallow() {
        assert_eq!(read("<html><title/><script src='x'/><body><p>shown</p>").text, "shown");
    }

    #[test]
    fn declared_encoding_counts() {
        let mut out = TextWriter::new(&Limits::default());
        let page = b"<meta http-equiv=Content-Type content='text/html; charset=windows-1251'><p>\xcf\xf0\xe8\xe2\xe5\xf2";
        extract(page, &mut out).unwrap();
        assert_eq!(out.finish().text, "Привет");
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!("{}x", "<table><tr><td><ul><li><div>".repeat(50_000));
        assert_eq!(read(&deep).text, "x");
    }
}
