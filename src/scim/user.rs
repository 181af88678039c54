//! People as resources: what signing in knows of them comes first, the rest is as it was given.

use lectern_identity::{PersonWanted, ProvisionedPerson, UserState};
use lectern_kernel::{GroupId, Role, UserId};
use serde_json::{Value, json};

use crate::path::Fields;
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::resource::finish;
use crate::store::{KeptUser, key};
use crate::types::{ENTERPRISE, USER};
use crate::values::is_primary;

/// As long as names may be in `identity`.
const LONGEST_NAME: usize = 100;

/// What other rows say of a person.
#[derive(Debug, Default)]
pub(crate) struct Links {
    pub groups: Vec<(GroupId, String)>,
    /// The manager, when they are a person of the tenant.
    pub manager: Option<(UserId, String)>,
}

/// A person as a resource.
pub(crate) fn build(person: &ProvisionedPerson, kept: Option<&KeptUser>, links: Links) -> Fields {
    let mut user = kept.map(|kept| kept.attributes.clone()).unwrap_or_default();
    let user_name = kept.map_or(&person.email, |kept| &kept.user_name);
    user.insert("userName".to_owned(), json!(user_name));
    if let Some(id) = kept.and_then(|kept| kept.external_id.as_ref()) {
        user.insert("externalId".to_owned(), json!(id));
    }
    if name(&user) != person.name {
        user.insert("displayName".to_owned(), json!(person.name));
    }
    let active = person.state == UserState::Active;
    // Taken away it counts as true, and is not shown.
    if kept.is_none() || !active || user.contains_key("active") {
        user.insert("active".to_owned(), json!(active));
    }
    show_email(&mut user, &person.email);
    show_role(&mut user, &person.role, kept.is_some());
    link(&mut user, links);
    let changed = kept.map_or(person.updated_at, |kept| kept.updated_at.max(person.updated_at));
    finish(&USER, user, person.id.as_str(), (person.created_at, changed))
}

fn show_email(user: &mut Fields, email: &str) {
    let given = chosen(user, "emails").is_some_and(|given| key(given) == key(email));
    if given {
        return;
    }
    let mut emails = vec![json!({ "value": email, "type": "work", "primary": true })];
    if let Some(Value::Array(others)) = user.remove("emails") {
        let mut other = others;
        other.retain(|item| item["value"].as_str().is_some_and(|value| key(value) != key(email)));
        other.iter_mut().filter(|item| is_primary(item)).for_each(|item| item["primary"] = json!(false));
        emails.extend(other);
    }
    user.insert("emails".to_owned(), Value::Array(emails));
}

fn show_role(user: &mut Fields, role: &Role, is_kept: bool) {
    let given = chosen(user, "roles");
    let silent = given.is_none() && is_kept && *role == Role::MEMBER;
    if given != Some(role.as_str()) && !silent {
        user.insert("roles".to_owned(), json!([{ "value": role, "primary": true }]));
    }
}

fn link(user: &mut Fields, links: Links) {
    let groups = links.groups.into_iter().map(|(id, name)| {
        json!({ "value": id, "$ref": format!("/Groups/{id}"), "display": name, "type": "direct" })
    });
    let groups: Vec<Value> = groups.collect();
    if !groups.is_empty() {
        user.insert("groups".to_owned(), Value::Array(groups));
    }
    if let Some((id, name)) = links.manager
        && let Some(Value::Object(manager)) =
            user.get_mut(ENTERPRISE).and_then(|fields| fields.get_mut("manager"))
    {
        manager.insert("$ref".to_owned(), json!(format!("/Users/{id}")));
        manager.insert("displayName".to_owned(), json!(name));
    }
}

/// The id of the manager, when it can be one of a person here.
pub(crate) fn manager(attributes: &Fields) -> Option<UserId> {
    attributes.get(ENTERPRISE)?.get("manager")?.get("value")?.as_str()?.parse().ok()
}

/// The primary value of an attribute, or else its first.
fn chosen<'a>(user: &'a Fields, attribute: &str) -> Option<&'a str> {
    let items = user.get(attribute)?.as_array()?;
    let item = items.iter().find(|item| is_primary(item)).or_else(|| items.first())?;
    item.get("value")?.as_str()
}

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default().trim()
}

/// The name that people see: `displayName`, or what can be said in its place.
fn name(user: &Fields) -> String {
    let parts = user.get("name").and_then(Value::as_object);
    let part = |name: &str| parts.map(|parts| text(parts, name)).unwrap_or_default();
    let both = [part("givenName"), part("familyName")].join(" ");
    let found = [text(user, "displayName"), part("formatted"), both.trim(), text(user, "userName")];
    let found = found.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let plain: String = found.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    plain.trim().to_owned()
}

/// What signing in is to know of a person who is to be as `user` says.
pub(crate) fn wanted(before: Option<&Fields>, user: &Fields) -> Result<PersonWanted> {
    let email = chosen(user, "emails").or_else(|| Some(text(user, "userName")).filter(|n| n.contains('@')));
    let email =
        email.ok_or_else(|| value("Lectern needs an e-mail: 'emails', or a 'userName' that is one."))?;
    let role = match chosen(user, "roles") {
        None => Role::MEMBER,
        Some(role) => role.parse().map_err(|_| value(&format!("There is no role '{role}'.")))?,
    };
    let active = user.get("active").and_then(Value::as_bool).unwrap_or(true);
    let spoken = text(user, "preferredLanguage");
    let changed = before.is_none_or(|before| text(before, "preferredLanguage") != spoken);
    Ok(PersonWanted {
        name: name(user),
        email: email.trim().to_owned(),
        role,
        state: if active { UserState::Active } else { UserState::Disabled },
        language: language(spoken).filter(|_| changed),
    })
}

fn value(detail: &str) -> Refusal {
    Refusal::new(Wrong::InvalidValue, detail)
}

/// The ISO 639-1 code at the beginning of `de-CH` or `de,en;q=0.5`.
fn language(preferred: &str) -> Option<String> {
    let first: String = preferred.chars().take_while(char::is_ascii_alphabetic).collect();
    (first.len() == 2).then(|| first.to_ascii_lowercase())
}

/// What is kept of a person who is to be as `user` says.
pub(crate) fn kept(mut user: Fields, updated_at: lectern_kernel::Timestamp) -> Result<KeptUser> {
    let user_name = text(&user, "userName").to_owned();
    if user_name.is_empty() {
        return Err(value("A person needs a 'userName'."));
    }
    let external_id = user.get("externalId").and_then(Value::as_str).map(str::to_owned);
    for known in ["schemas", "id", "meta", "groups", "userName", "externalId"] {
        user.remove(known);
    }
    if let Some(Value::Object(manager)) = user.get_mut(ENTERPRISE).and_then(|f| f.get_mut("manager")) {
        manager.remove("$ref");
        manager.remove("displayName");
    }
    Ok(KeptUser { user_name, external_id, attributes: user, updated_at })
}

/// Every e-mail that was given.
pub(crate) fn emails(attributes: &Fields) -> Vec<&str> {
    let items = attributes.get("emails").and_then(Value::as_array);
    items.into_iter().flatten().filter_map(|item| item.get("value")?.as_str()).collect()
}
