//! Giving originals back.

use std::path::PathBuf;

use lectern_kernel::{DocumentId, Result, Scope};

use crate::create::blob_path;
use crate::{DocumentView, Documents, access};

/// Media type of a format's short name.
pub(crate) fn media_type(kind: &str) -> &'static str {
    match kind {
        "pdf" => "application/pdf",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "rtf" => "application/rtf",
        "doc" => "application/msword",
        "ppt" => "application/vnd.ms-powerpoint",
        "xls" => "application/vnd.ms-excel",
        "html" | "htm" => "text/html",
        "md" => "text/markdown",
        "adoc" => "text/asciidoc",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "json" => "application/json",
        "epub" => "application/epub+zip",
        "eml" => "message/rfc822",
        "mbox" => "application/mbox",
        "msg" => "application/vnd.ms-outlook",
        "zip" => "application/zip",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "tif" | "tiff" => "image/tiff",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    }
}

/// What a browser may show by itself without running anything of the document.
pub(crate) fn shown_inline(kind: &str) -> Option<&'static str> {
    match kind {
        "pdf" => Some("application/pdf"),
        "txt" | "md" | "adoc" | "csv" | "json" | "eml" | "mbox" => Some("text/plain; charset=utf-8"),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

impl Documents {
    /// One document.
    pub async fn get(&self, scope: &Scope, id: &DocumentId) -> Result<DocumentView> {
        let tenant = self.tenant(scope)?;
        let (sight, wanted) = (scope.sight().clone(), id.clone());
        let mut view = tenant.store.db.read(move |tx| access::readable(tx, &sight, &wanted)).await?;
        view.percent = tenant.percent(id).unwrap_or(view.percent);
        Ok(view)
    }

    /// The document and where its original lies.
    pub async fn original(&self, scope: &Scope, id: &DocumentId) -> Result<(DocumentView, PathBuf)> {
        let view = self.get(scope, id).await?;
        let path = blob_path(&self.tenant(scope)?.store, &view.sha256);
        Ok((view, path))
    }
}
