//! Groups as resources.

use std::collections::BTreeSet;

use lectern_identity::ProvisionedGroup;
use lectern_kernel::UserId;
use serde_json::{Value, json};

use crate::path::Fields;
use crate::refusal::{Kind as Wrong, Refusal, Result};
use crate::resource::finish;
use crate::store::KeptGroup;
use crate::types::GROUP;

/// A group as a resource.
pub(crate) fn build(
    group: &ProvisionedGroup,
    kept: Option<&KeptGroup>,
    members: Vec<(UserId, String)>,
) -> Fields {
    let mut fields = Fields::new();
    fields.insert("displayName".to_owned(), json!(group.name));
    if let Some(id) = kept.and_then(|kept| kept.external_id.as_ref()) {
        fields.insert("externalId".to_owned(), json!(id));
    }
    let members = members.into_iter().map(
        |(id, name)| json!({ "value": id, "$ref": format!("/Users/{id}"), "type": "User", "display": name }),
    );
    let members: Vec<Value> = members.collect();
    if !members.is_empty() {
        fields.insert("members".to_owned(), Value::Array(members));
    }
    let changed = kept.map_or(group.updated_at, |kept| kept.updated_at.max(group.updated_at));
    finish(&GROUP, fields, group.id.as_str(), (group.created_at, changed))
}

/// The people that are to be in a group.
pub(crate) fn members(group: &Fields) -> Result<BTreeSet<UserId>> {
    let items = group.get("members").and_then(Value::as_array);
    items.into_iter().flatten().map(member).collect()
}

fn member(item: &Value) -> Result<UserId> {
    let (value, kind) = (item["value"].as_str().unwrap_or_default(), item["type"].as_str());
    if value.starts_with("grp_") || kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("user")) {
        let detail = "Groups have people as members, and no groups. Add the people of the inner group.";
        return Err(Refusal::new(Wrong::InvalidValue, detail));
    }
    value.parse().map_err(|_| unknown(value))
}

/// A member that is nobody here.
pub(crate) fn unknown(id: &str) -> Refusal {
    let shown: String = id.chars().take(64).collect();
    Refusal::new(Wrong::InvalidValue, format!("There is no person '{shown}' to be a member."))
}

/// The name that a group is to have.
pub(crate) fn name(group: &Fields) -> Result<&str> {
    let name = group.get("displayName").and_then(Value::as_str).map(str::trim).unwrap_or_default();
    if name.is_empty() {
        return Err(Refusal::new(Wrong::InvalidValue, "A group needs a 'displayName'."));
    }
    Ok(name)
}

pub(crate) fn external_id(group: &Fields) -> Option<&str> {
    group.get("externalId").and_then(Value::as_str)
}
