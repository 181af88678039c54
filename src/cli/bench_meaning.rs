//! The part of `lectern bench` with an embedding model: search by words and meaning over HTTP, the question's vector
//! made by the model, those of the passages made up.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::blocking::multipart::Form;
use serde_json::{Value, json};

use crate::args::Place;
use crate::bench::{milliseconds, spread};
use crate::bench_text::Words;
use crate::client::Client;
use crate::connect::Connection;

const QUERIES: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(1800);

pub fn run(place: &Place, data: &Path, model: &Path) -> Result<Value> {
    let connection = Connection::open(place)?;
    eprintln!("an appliance: importing the model …");
    let begun = import(&connection.client, model)
        .and_then(|()| until(&connection.client, |search| search.contains("embedding")));
    connection.close()?;
    begun?;
    eprintln!("an appliance: made-up vectors …");
    let passages = lectern_documents::measure::fill(&data.join("tenants/main"))?;
    eprintln!("an appliance: {passages} passages, searches by words and meaning …");
    let connection = Connection::open(place)?;
    let measured = searches(&connection.client);
    connection.close()?;
    Ok(json!({ "passages": passages, "search_http": spread(measured?) }))
}

fn import(client: &Client, model: &Path) -> Result<()> {
    // The word 'embedding' stands in the status while passages are embedded.
    let mut form = Form::new().text("name", "bench-meaning");
    for entry in std::fs::read_dir(model).with_context(|| model.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            form = form.file("file", &path).with_context(|| path.display().to_string())?;
        }
    }
    client.post_form("/models", form).map(drop)
}

/// Waits until the status page names what is searched as wanted.
fn until(client: &Client, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let started = Instant::now();
    loop {
        let status = client.get("/status", &[])?;
        let search = status["in_use"]["search"].as_str().unwrap_or_default();
        if wanted(search) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!("search stays with '{search}'");
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn searches(client: &Client) -> Result<Vec<f64>> {
    until(client, |search| search.contains('+') && !search.contains("embedding"))?;
    let mut words = Words::new(7);
    // The first loads the model.
    client.get("/search", &[("q", "warm up"), ("limit", "10")])?;
    (0..QUERIES)
        .map(|number| {
            let query = (0..=(number % 8)).map(|_| words.next()).collect::<Vec<_>>().join(" ");
            let started = Instant::now();
            client.get("/search", &[("q", &query), ("limit", "10")])?;
            Ok(milliseconds(started))
        })
        .collect()
}
