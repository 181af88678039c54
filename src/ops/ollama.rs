//! Tries an Ollama address: is it there, is it Ollama, has it the model; if not, what to do.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use lectern_kernel::{Result, Scope};
use serde::Deserialize;

use crate::Settings;
use crate::guard::ResolveError;
use crate::model::{OllamaProblem, OllamaTest, OllamaTestRequest};
use crate::safe_http::{FetchError, Fetched};

/// The address under test is allowed for this purpose, while the test runs.
const PURPOSE: &str = "ollama-test";
const TIME: Duration = Duration::from_secs(5);
const VERSION_SIZE: usize = 64 << 10;
const MODELS_SIZE: usize = 4 << 20;
const MODELS_SHOWN: usize = 20;

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

fn problem(message: impl Into<String>, hint: impl Into<String>) -> OllamaProblem {
    OllamaProblem { message: message.into(), hint: Some(hint.into()) }
}

impl Settings {
    /// Tries the address that an administrator gave, saved or not.
    pub async fn test_ollama(&self, scope: &Scope, request: OllamaTestRequest) -> Result<OllamaTest> {
        // A purpose of its own for each test: two at the same time do not take each other's permission.
        let purpose = format!("{PURPOSE}-{}", lectern_kernel::EventId::generate());
        self.http().allow(scope, &purpose, &request.url)?;
        let mut test = OllamaTest::default();
        let outcome = self.probe(scope, &purpose, &request, &mut test).await;
        self.http().withdraw(scope, &purpose);
        test.problem = outcome.err();
        test.ok = test.problem.is_none();
        Ok(test)
    }

    async fn probe(
        &self,
        scope: &Scope,
        purpose: &str,
        request: &OllamaTestRequest,
        test: &mut OllamaTest,
    ) -> Result<(), OllamaProblem> {
        let base = request.url.trim().trim_end_matches('/');
        let at = |path: &str| format!("{base}{path}");
        let answer = self.http().get(scope, purpose, &at("/api/version"), (TIME, VERSION_SIZE)).await;
        let answer = answer.map_err(|e| explain(&e, base))?;
        test.latency_ms = Some((answer.latency.as_secs_f64() * 10_000.0).round() / 10.0);
        let version: Version = read(&answer, base)?;
        test.version = Some(version.version.chars().take(50).collect());
        let answer = self.http().get(scope, purpose, &at("/api/tags"), (TIME, MODELS_SIZE)).await;
        let tags: Tags = read(&answer.map_err(|e| explain(&e, base))?, base)?;
        test.models = tags.models.into_iter().map(|m| m.name).collect();
        model_is_there(request.model.as_deref().map(str::trim).unwrap_or_default(), &test.models)
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Fetched, base: &str) -> Result<T, OllamaProblem> {
    let hint = "Check the address and port; Ollama listens on 11434 unless it was told otherwise.";
    match answer.status {
        200 => serde_json::from_slice(&answer.body)
            .map_err(|_| problem(format!("Something else than Ollama answers at {base}."), hint)),
        301..=308 => Err(problem(
            format!("{base} sends the request on to another address."),
            "Give the address that it leads to; Lectern does not follow it by itself.",
        )),
        401 | 403 => Err(problem(
            format!("{base} refuses the request (status {}).", answer.status),
            "A proxy in front of Ollama asks for a password; let this server through without one.",
        )),
        status @ 500.. => Err(problem(
            format!("{base} answers with an error (status {status})."),
            "Look at the log of Ollama, or of the proxy in front of it.",
        )),
        status => {
            Err(problem(format!("Something else than Ollama answers at {base} (status {status})."), hint))
        }
    }
}

/// Ollama takes `name` for `name:latest`.
fn model_is_there(model: &str, models: &[String]) -> Result<(), OllamaProblem> {
    let latest = format!("{model}:latest");
    if models.is_empty() {
        let wanted = if model.is_empty() { "llama3.2" } else { model };
        return Err(problem("Ollama is there, but has no model.", format!("Run: ollama pull {wanted}")));
    }
    if model.is_empty() || models.iter().any(|m| *m == model || *m == latest) {
        return Ok(());
    }
    let mut list = models.iter().take(MODELS_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if models.len() > MODELS_SHOWN {
        list.push_str(" …");
    }
    Err(problem(
        format!("Ollama is there, but has no model '{model}'."),
        format!("Choose one of: {list}; or run: ollama pull {model}"),
    ))
}

/// One sentence for each way to fail.
fn explain(error: &FetchError, base: &str) -> OllamaProblem {
    let inner = match error {
        FetchError::Refused(error) => {
            let hint = error.hint.clone();
            return OllamaProblem { message: error.detail.clone(), hint };
        }
        FetchError::Timeout(time) => return silent(base, *time),
        FetchError::TooLarge(_) => {
            return problem(
                format!("Something else than Ollama answers at {base}."),
                "Its answer is larger than a list of models can be. Check the address and port.",
            );
        }
        FetchError::Http(inner) => inner,
    };
    if let Some(resolve) = cause::<ResolveError>(inner) {
        return problem(
            format!("The host of {base} cannot be used: {resolve}."),
            "Check the name, or give the address in numbers.",
        );
    }
    if let Some(tls) = cause::<rustls::Error>(inner) {
        return problem(
            format!("{base} has no certificate that this machine trusts: {tls}."),
            "Add the site's authority to the machine's certificates, or use http:// within the site.",
        );
    }
    if inner.is_timeout() {
        return silent(base, TIME);
    }
    match cause::<io::Error>(inner).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => problem(
            format!("Nothing listens at {base}."),
            "Start Ollama there. From another machine it is reached only when it runs with OLLAMA_HOST=0.0.0.0.",
        ),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => problem(
            format!("There is no way to {base}."),
            "Check the network of this server and that of the machine with Ollama.",
        ),
        _ => problem(
            format!("The connection to {base} broke off before an answer came."),
            "Check that it is Ollama's port, and whether it takes http:// or https://.",
        ),
    }
}

fn silent(base: &str, time: Duration) -> OllamaProblem {
    problem(
        format!("{base} does not answer within {} seconds.", time.as_secs()),
        "Check the address, and that no firewall stands between this server and it.",
    )
}

/// The first cause of that type, also inside I/O errors, which hide theirs.
fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match hidden {
            Some(hidden) => Some(hidden as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_with_and_without_its_tag() {
        let models = ["llama3.2:latest".to_owned(), "qwen3:4b".to_owned()];
        for good in ["", "llama3.2", "llama3.2:latest", "qwen3:4b"] {
            assert_eq!(model_is_there(good, &models), Ok(()), "{good}");
        }
        let problem = model_is_there("qwen3", &models).expect_err("absent");
        assert!(problem.hint.expect("hint").contains("llama3.2:latest, qwen3:4b"));
        assert!(model_is_there("", &[]).is_err());
    }
}
