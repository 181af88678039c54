//! `lectern user export` and `lectern user erase`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::client::Client;

/// Writes all that is held about somebody to a ZIP; the file appears whole.
pub fn export(client: &Client, email: &str, output: &Path) -> Result<()> {
    let id = find(client, email)?;
    let mut body = client.post_for_bytes(&format!("/people/{id}/export"), &json!({}))?;
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(|| folder.display().to_string())?;
    std::io::copy(&mut body, &mut file).context("the export broke off")?;
    file.persist(output).with_context(|| output.display().to_string())?;
    say!("{}", output.display());
    Ok(())
}

/// Erases somebody everywhere and says what went.
pub fn erase(client: &Client, email: &str, confirm: &str) -> Result<()> {
    let id = find(client, email)?;
    let erased = client.post(&format!("/people/{id}/erase"), &json!({ "confirm": confirm }))?;
    for area in erased["areas"].as_array().into_iter().flatten() {
        for one in area["erased"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().replace('_', " ");
            say!("{:>6}  {}", one["count"].as_u64().unwrap_or_default(), text(&one["what"]));
        }
    }
    Ok(())
}

/// The person with exactly this e-mail.
fn find(client: &Client, email: &str) -> Result<String> {
    let people = client.get("/people", &[("q", email), ("limit", "200")])?;
    let same = |person: &&Value| person["email"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(email));
    let found = people["items"].as_array().into_iter().flatten().find(same);
    match found.and_then(|person| person["id"].as_str()) {
        Some(id) => Ok(id.to_owned()),
        None => bail!("there is nobody with the e-mail {email}\n  hint: --tenant names another tenant"),
    }
}
