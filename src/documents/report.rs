//! Names and hints of problems, and the lines of the status page.

use std::sync::Arc;

use async_trait::async_trait;
use lectern_extract::{ExtractErrorCode, Format};
use lectern_kernel::ports::Report;
use lectern_kernel::{Result, Scope, Sight};

use crate::meaning::Slots;
use crate::understanding::Space;
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

/// By what is searched, as the status page shows it.
fn by_what(slots: &Slots) -> String {
    // Behind the sign stands a hash of the model's files.
    let name = |space: &Arc<Space>| space.model.split('@').next().unwrap_or_default().to_owned();
    let percent = slots.done * 100 / slots.total.max(1);
    let coming = (slots.done < slots.total).then(|| format!("embedding {percent} %"));
    match (&slots.serving, &slots.building) {
        (None, None) => "bm25".to_owned(),
        (Some(serving), None) => match coming {
            Some(coming) => format!("BM25 + {}, {coming}", name(serving)),
            None => format!("BM25 + {}", name(serving)),
        },
        (None, Some(building)) => {
            format!("BM25 + {}, {}", name(building), coming.unwrap_or_else(|| "embedding".to_owned()))
        }
        (Some(serving), Some(building)) => {
            let percent =
                if slots.total > 0 && coming.is_none() { String::new() } else { format!(" {percent} %") };
            format!("BM25 + {}, embedding with {}{percent}", name(serving), name(building))
        }
    }
}

#[async_trait]
impl Report for Documents {
    fn name(&self) -> &'static str {
        "documents"
    }

    async fn report(&self, scope: &Scope) -> Result<serde_json::Value> {
        let tenant = self.tenant(scope)?;
        let ocr = self.inner.limits.ocr.clone();
        let sight = scope.sight().clone();
        let mut slots = tenant.meaning.slots();
        if sight != Sight::All {
            // How far the work is tells of documents that one may not see.
            slots.done = slots.total;
        }
        let search = by_what(&slots);
        let report = tenant
            .store
            .db
            .read(move |tx| {
                let queue = events::queue_view(tx, &sight)?;
                let (passages, characters) = store_list::sums(tx, &sight)?;
                let facets = store_list::facets(tx, &sight)?;
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
                    "search": search,
                    "ocr": ocr,
                }))
            })
            .await?;
        Ok(report)
    }
}
