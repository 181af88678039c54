//! `lectern tenant`.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::args::{NewTenantArgs, TenantCommand};
use crate::client::Client;
use crate::connect;

const PASSPHRASE: &str = "X-Lectern-Passphrase";

pub fn run(command: &TenantCommand) -> Result<ExitCode> {
    match command {
        TenantCommand::Create(new) => create(new)?,
        TenantCommand::List { json, place } => {
            let tenants = connect::with(place, |c| c.get("/tenants", &[]))?;
            if *json {
                say!("{tenants:#}");
            } else {
                tenants.as_array().into_iter().flatten().for_each(line);
            }
        }
        TenantCommand::Show { id, place } => {
            let tenant = connect::with(place, |c| c.get(&path(id)?, &[]))?;
            say!("{tenant:#}");
        }
        TenantCommand::Suspend { id, reason, place } => {
            let body = json!({ "reason": reason });
            connect::with(place, |c| c.post(&format!("{}/suspend", path(id)?), &body))?;
            say!("{id} is suspended");
        }
        TenantCommand::Resume { id, place } => {
            connect::with(place, |c| resume(c, id))?;
            say!("{id} is active");
        }
        TenantCommand::Delete { id, confirm, grace_hours, place } => {
            let body = json!({ "confirm": confirm, "grace_hours": grace_hours });
            let left = connect::with(place, |c| c.delete_with(&path(id)?, &body))?;
            match left["erase_at"].as_str() {
                Some(at) => {
                    say!("{id} will be erased after {at}; `lectern tenant resume {id}` takes it back");
                }
                None => say!("{id} is erased"),
            }
        }
        TenantCommand::Export { id, output, passphrase_file, on_server, place } => {
            let passphrase = passphrase_file.as_deref().map(read_secret).transpose()?;
            connect::with(place, |c| {
                if *on_server {
                    let body = json!({ "passphrase": passphrase, "file": output });
                    return c.post(&format!("{}/export", path(id)?), &body).map(|_| ());
                }
                let file = File::create(output)
                    .with_context(|| format!("{} cannot be written", output.display()))?;
                export(c, id, passphrase.as_deref(), file)
            })?;
            say!("{id} is written to {}", output.display());
        }
        TenantCommand::Import { file, passphrase_file, replace, place } => {
            let passphrase = passphrase_file.as_deref().map(read_secret).transpose()?;
            let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
            let view = connect::with(place, |c| import(c, opened, passphrase.as_deref(), *replace))?;
            say!("{} is here, with {} documents", text(&view, "id"), view["usage"]["documents"]);
        }
        TenantCommand::Move { id, to, to_key, to_authority, place } => {
            let authority =
                to_authority.as_deref().map(std::fs::read).transpose().context("--to-authority")?;
            let there = Client::new(to, to_key, authority.as_deref())?;
            let view = connect::with(place, |here| bring(here, &there, id, to))?;
            say!("{id} is at {to} now, with {} documents; here it is suspended", view["usage"]["documents"]);
            say!("when all is well there: lectern tenant delete {id} --confirm {id}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn create(new: &NewTenantArgs) -> Result<()> {
    let body = json!({
        "id": new.id, "name": new.name, "plan": new.plan, "region": new.region,
        "owner_email": new.owner, "owner_name": new.owner_name,
    });
    let view = connect::with(&new.place, |c| c.post("/tenants", &body))?;
    if new.json {
        say!("{view:#}");
        return Ok(());
    }
    match view["invitation"].as_str() {
        Some(token) => say!("{} is made; its owner joins at /join#{token}", new.id),
        None => say!("{} was there already, and its owner has joined", new.id),
    }
    Ok(())
}

/// The address of a tenant, whose id can stand in it as it is.
fn path(id: &str) -> Result<String> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || !id.bytes().all(plain) {
        bail!("'{id}' is no tenant's id\n  hint: lectern tenant list");
    }
    Ok(format!("/tenants/{id}"))
}

fn resume(client: &Client, id: &str) -> Result<Value> {
    let tenant = client.get(&path(id)?, &[])?;
    if tenant["state"] == "deleting" {
        client.post(&format!("{}/restore", path(id)?), &json!({}))?;
    }
    client.post(&format!("{}/resume", path(id)?), &json!({}))
}

fn export(client: &Client, id: &str, passphrase: Option<&str>, mut to: File) -> Result<()> {
    let body = json!({ "passphrase": passphrase });
    let mut file = client.post_for_bytes(&format!("{}/export", path(id)?), &body)?;
    std::io::copy(&mut file, &mut to).context("the export broke off")?;
    Ok(to.flush()?)
}

fn import(client: &Client, file: File, passphrase: Option<&str>, replace: bool) -> Result<Value> {
    let query: &[(&str, &str)] = if replace { &[("replace", "true")] } else { &[] };
    let header = passphrase.map(|text| (PASSPHRASE, percent_encoded(text)));
    client.post_file_with("/tenants/import", query, file, header)
}

/// Suspended there where it was, so that nothing is added that would not come along.
fn bring(here: &Client, there: &Client, id: &str, to: &str) -> Result<Value> {
    let reason = json!({ "reason": format!("it moves to {to}") });
    here.post(&format!("{}/suspend", path(id)?), &reason)?;
    let moved = carry(here, there, id);
    if moved.is_err() {
        here.post(&format!("{}/resume", path(id)?), &json!({}))?;
    }
    moved
}

fn carry(here: &Client, there: &Client, id: &str) -> Result<Value> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|e| anyhow::anyhow!("no random numbers: {e}"))?;
    let passphrase = hex::encode(secret);
    let mut file = tempfile::tempfile()?;
    export(here, id, Some(&passphrase), file.try_clone()?)?;
    file.rewind()?;
    import(there, file, Some(&passphrase), false)
}

/// RFC 3986, section 2.1.
fn percent_encoded(text: &str) -> String {
    let letter = |b: u8| {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    text.bytes().map(letter).collect()
}

pub(crate) fn read_secret(path: &Path) -> Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().take(4096).read_to_string(&mut text).context("standard input")?;
    } else {
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        file.take(4096).read_to_string(&mut text)?;
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or("-").to_owned()
}

fn line(tenant: &Value) {
    let usage = &tenant["usage"];
    say!(
        "{:20}  {:10}  {:10}  {:>8} documents  {:>6} people  {}",
        text(tenant, "id"),
        text(tenant, "state"),
        text(tenant, "plan"),
        usage["documents"],
        usage["members"],
        text(tenant, "name")
    );
}
