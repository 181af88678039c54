//! Names and hints of problems, and the lines of the status page.

use async_trait::async_trait;
use lectern_extract::{ExtractErrorCode, Format};
use lectern_kernel::ports::Report;
use lectern_kernel::{Result, Scope};

use crate::{Documents, events, store_list};

/// The stable name of a reason.
pub(crate) fn code_name(code: ExtractErrorCode) -> String {
    name(&code)
}

/// The short name of a format.
pub(crate) fn format_name(format: Format) -> String {
    name(&format)
}

fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What a person can do about a failed document.
pub(crate) fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "encrypted" => "Enter its password and try again. The password is used once and not kept.",
        "wrong_password" => "Check the password and try again.",
        "unsupported" => "Save it as PDF, DOCX or another format that Lectern reads, then add that file.",
        "damaged" => "Open it in the program that made it, save it again, then add the new file.",
        "too_large" => {
            "Split the document, or raise the limits in the section [extraction] of the configuration."
        }
        "too_complex" => "Save it in a simpler format, such as PDF, then add that file.",
        "timeout" => {
            "Try again when the appliance is less busy, or raise extraction.time in the configuration."
        }
        "memory" => "Split the document, or raise extraction.memory in the configuration.",
        "needs_ocr" => "Its pages are images. Install tesseract on the appliance's machine, then try again.",
        "empty" => "The document has no text that could be found.",
        "internal" => "Try again; if it fails again, look into the log of the appliance.",
        _ => return None,
    })
}

#[async_trait]
impl Report for Documents {
    fn name(&self) -> &'static str {
        "documents"
    }

    async fn report(&self, scope: &Scope) -> Result<serde_json::Value> {
        let tenant = self.tenant(scope)?;
        let ocr = self.inner.limits.ocr.clone();
        let report = tenant
            .store
            .db
            .read(move |tx| {
                let queue = events::queue_view(tx)?;
                let (passages, characters) = store_list::sums(tx)?;
                let facets = store_list::facets(tx)?;
                let count =
                    |status: &str| facets.statuses.iter().find(|f| f.value == status).map_or(0, |f| f.count);
                Ok(serde_json::json!({
                    "documents": {
                        "total": queue.queued + queue.running + queue.failed + queue.ready,
                        "ready": queue.ready, "failed": queue.failed, "queued": queue.queued,
                        "extracting": count("extracting"), "indexing": count("indexing"),
                        "passages": passages, "characters": characters,
                    },
                    "queue": { "queued": queue.queued, "running": queue.running, "failed": queue.failed },
                    "search": "bm25",
                    "ocr": ocr,
                }))
            })
            .await?;
        Ok(report)
    }
}
