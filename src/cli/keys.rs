//! `lectern key` and `lectern user`.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lectern_kernel::{Clock, SystemClock};
use lectern_server::UserToAdd;
use serde_json::json;

use crate::args::{KeyCommand, UserCommand};
use crate::{connect, person};

pub fn keys(command: &KeyCommand) -> Result<ExitCode> {
    match command {
        KeyCommand::Create { name, days, place } => {
            let ends =
                days.map(|d| SystemClock.now().plus(std::time::Duration::from_secs(u64::from(d) * 86_400)));
            let body = json!({ "name": name, "expires_at": ends });
            let key = connect::with(place, |c| c.post("/keys", &body))?;
            say!("{}", key["secret"].as_str().unwrap_or_default());
        }
        KeyCommand::List { place } => {
            let keys = connect::with(place, |c| c.get("/keys", &[]))?;
            for key in keys["items"].as_array().into_iter().flatten() {
                let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
                say!(
                    "{}  {}…  {}  last used {}",
                    text("id"),
                    text("prefix"),
                    text("name"),
                    text("last_used_at")
                );
            }
        }
        KeyCommand::Revoke { id, place } => connect::with(place, |c| c.delete(&format!("/keys/{id}")))?,
    }
    Ok(ExitCode::SUCCESS)
}

pub fn users(command: &UserCommand) -> Result<ExitCode> {
    match command {
        UserCommand::Add { email, name, role, operator, folder } => {
            let user = UserToAdd { tenant: &folder.tenant, email, name, role, operator: *operator };
            lectern_server::add_user(&folder.data, &user, &read_password()?)?;
        }
        UserCommand::Password { email, folder } => {
            lectern_server::set_password(&folder.data, &folder.tenant, email, &read_password()?)?;
        }
        UserCommand::Unlock { email, reset_factors, folder } => {
            let removed = lectern_server::unlock_user(&folder.data, &folder.tenant, email, *reset_factors)?;
            if *reset_factors {
                say!("{removed} second factors removed");
            }
        }
        UserCommand::Export { email, output, place } => {
            connect::with(place, |client| person::export(client, email, output))?;
            return Ok(ExitCode::SUCCESS);
        }
        UserCommand::Erase { email, confirm, place } => {
            connect::with(place, |client| person::erase(client, email, confirm))?;
        }
    }
    say!("done");
    Ok(ExitCode::SUCCESS)
}

fn read_password() -> Result<String> {
    if std::io::stdin().is_terminal() {
        eprintln!("Password (end with Enter and Ctrl-D):");
    }
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text).context("standard input")?;
    let password = text.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!("no password on standard input\n  hint: printf '%s' \"$PASSWORD\" | lectern user …");
    }
    Ok(password)
}
