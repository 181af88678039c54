//! The models' part of the status.

use async_trait::async_trait;
use lectern_kernel::ports::Report;
use lectern_kernel::{Result, Scope};
use serde_json::{Value, json};

use crate::Models;
use crate::model::RuntimeView;

#[async_trait]
impl Report for Models {
    fn name(&self) -> &'static str {
        "models"
    }

    async fn report(&self, _: &Scope) -> Result<Value> {
        let memory = self.memory();
        let items: Vec<Value> = self
            .inner
            .registry
            .all()
            .iter()
            .map(|model| {
                let view = self.view_of(model);
                json!({
                    "name": view.name,
                    "kind": view.kind,
                    "in_use": view.in_use,
                    "loaded": view.loaded,
                    "memory_bytes": view.memory_bytes,
                    "last_used_at": view.last_used_at,
                    "problem": view.problem,
                })
            })
            .collect();
        Ok(json!({
            "runtime": runtime(),
            "budget_bytes": memory.budget_bytes,
            "used_bytes": memory.used_bytes,
            "items": items,
        }))
    }
}

/// The engine that runs models in this process.
pub(crate) fn runtime() -> RuntimeView {
    crate::engines::runtime()
}
