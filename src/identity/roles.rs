//! What roles hold: the table of the built-in ones, and those that a tenant makes.

use lectern_kernel::{APPLIANCE, Code, Error, FieldError, Result, Rights, Role, SEE_ALL, Scope};
use lectern_store::audit::{self, Change};
use lectern_store::{StoreError, Tx, outbox};
use serde_json::json;

use crate::model_people::{NewRole, PatchRole, PermissionView, RoleView};
use crate::{Identity, store_groups};

const ROLES_A_TENANT: usize = 100;
/// Only owners hold it: what ends or opens the tenant as a whole.
pub(crate) const OWN: &str = "tenant.own";

/// Every permission that routes ask for, and those that are asked for inside.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue(Vec<&'static str>);

impl Catalogue {
    pub fn new(mut names: Vec<&'static str>) -> Self {
        names.push(SEE_ALL);
        names.push(OWN);
        names.sort_unstable();
        names.dedup();
        Self(names)
    }

    pub fn knows(&self, name: &str) -> bool {
        self.0.binary_search(&name).is_ok()
    }

    /// Those of tenants that the test lets through.
    fn of_tenants(&self, test: impl Fn(&str) -> bool) -> Rights {
        self.0
            .iter()
            .filter(|name| !name.starts_with(APPLIANCE) && test(name))
            .map(|n| (*n).to_owned())
            .collect()
    }

    /// Everything a role of a tenant can hold.
    pub fn whole_tenant(&self) -> Rights {
        self.of_tenants(|_| true)
    }

    /// Those of the appliance.
    pub fn appliance(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied().filter(|name| name.starts_with(APPLIANCE))
    }

    /// What a built-in role holds; nothing for others.
    pub fn built_in(&self, role: &Role) -> Rights {
        let area = |name: &str, areas: &[&str]| areas.iter().any(|a| name.split('.').next() == Some(a));
        let one = |name: &str, names: &[&str]| names.contains(&name);
        if *role == Role::OWNER {
            self.whole_tenant()
        } else if *role == Role::ADMIN {
            self.of_tenants(|name| name != OWN)
        } else if *role == Role::EDITOR {
            let areas = ["session", "documents", "ask", "voice"];
            self.of_tenants(|n| n != SEE_ALL && (area(n, &areas) || one(n, &["people.read", "models.read"])))
        } else if *role == Role::MEMBER {
            self.of_tenants(|n| {
                area(n, &["session", "ask"]) || one(n, &["documents.read", "documents.write", "voice.read"])
            })
        } else if *role == Role::VIEWER {
            self.of_tenants(|n| area(n, &["session", "ask"]) || one(n, &["documents.read", "voice.read"]))
        } else if *role == Role::AUDITOR {
            let names =
                ["audit.read", "people.read", "keys.read", "settings.read", "usage.read", "status.read"];
            self.of_tenants(|n| area(n, &["session"]) || one(n, &names))
        } else {
            Rights::from_iter([])
        }
    }

    /// What a role holds now; of a role that is gone, nothing.
    pub fn rights(&self, tx: &Tx<'_>, role: &Role) -> Result<Rights, StoreError> {
        if role.is_built_in() {
            return Ok(self.built_in(role));
        }
        let names = store_groups::role_permissions(tx, role)?;
        Ok(names.into_iter().collect::<Rights>().within(&self.whole_tenant()))
    }
}

impl Identity {
    /// Every permission of a tenant, and which built-in roles hold it.
    pub fn permissions(&self) -> Vec<PermissionView> {
        let catalogue = &self.inner.catalogue;
        let holders = |name: &str| {
            let holds = |role: &&Role| catalogue.built_in(role).allows(name);
            Role::BUILT_IN.iter().filter(holds).cloned().collect()
        };
        let whole = catalogue.whole_tenant();
        whole.names().map(|name| PermissionView { name: name.to_owned(), roles: holders(name) }).collect()
    }

    /// The roles of a tenant: the built-in ones first.
    pub async fn roles(&self, scope: &Scope) -> Result<Vec<RoleView>> {
        let own = self.tenant(scope)?.db.read(store_groups::list_roles).await?;
        let built_in = Role::BUILT_IN.into_iter().map(|role| {
            let permissions = self.inner.catalogue.built_in(&role).names().map(str::to_owned).collect();
            RoleView { title: title(&role), name: role, built_in: true, permissions }
        });
        Ok(built_in.chain(own).collect())
    }

    /// Makes a role. Nobody makes one that holds more than they do.
    pub async fn create_role(&self, scope: &Scope, rights: &Rights, new: NewRole) -> Result<RoleView> {
        self.check_permissions(rights, &new.permissions)?;
        let view = RoleView {
            name: new.name,
            title: new.title.trim().to_owned(),
            built_in: false,
            permissions: sorted(new.permissions),
        };
        let (kept, scope) = (view.clone(), scope.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                if store_groups::list_roles(tx)?.len() >= ROLES_A_TENANT {
                    return Err(Error::new(Code::Conflict, "There are 100 roles already.").into());
                }
                store_groups::insert_role(tx, &kept)?;
                let name = kept.name.as_str();
                audit::record(tx, &scope, Change::new("role.created", name).after(&json!(kept)))?;
                outbox::push(tx, "role.created", name, &kept)
            })
            .await?;
        Ok(view)
    }

    /// Changes a role that the tenant made; it holds for its people at once.
    pub async fn change_role(
        &self,
        scope: &Scope,
        rights: &Rights,
        name: &Role,
        patch: PatchRole,
    ) -> Result<RoleView> {
        if let Some(permissions) = &patch.permissions {
            self.check_permissions(rights, permissions)?;
        }
        let (name, scope, rights) = (name.clone(), scope.clone(), rights.clone());
        let view = self
            .tenant(&scope)?
            .db
            .write(move |tx| {
                let before = own_role(tx, &name)?;
                holds_all(&rights, &before.permissions)?;
                let mut after = before.clone();
                after.title = patch.title.map_or(after.title, |title| title.trim().to_owned());
                after.permissions = patch.permissions.map_or(after.permissions, sorted);
                store_groups::update_role(tx, &after)?;
                let change = Change::new("role.changed", name.as_str());
                audit::record(tx, &scope, change.before(&json!(before)).after(&json!(after)))?;
                outbox::push(tx, "role.changed", name.as_str(), &after)?;
                Ok(after)
            })
            .await?;
        self.inner.cache.clear();
        Ok(view)
    }

    /// Removes a role that nobody has any more.
    pub async fn delete_role(&self, scope: &Scope, name: &Role) -> Result<()> {
        let (name, scope) = (name.clone(), scope.clone());
        self.tenant(&scope)?
            .db
            .write(move |tx| {
                let before = own_role(tx, &name)?;
                let people = store_groups::count_with_role(tx, &name)?;
                if people > 0 {
                    let detail =
                        format!("The role '{name}' is in use by {people} people, invitations or providers.");
                    return Err(Error::new(Code::Conflict, detail)
                        .hint("Give them another role first.")
                        .into());
                }
                store_groups::delete_role(tx, &name)?;
                let change = Change::new("role.deleted", name.as_str());
                audit::record(tx, &scope, change.before(&json!(before)))?;
                outbox::push(tx, "role.deleted", name.as_str(), &())
            })
            .await?;
        self.inner.cache.clear();
        Ok(())
    }

    fn check_permissions(&self, rights: &Rights, names: &[String]) -> Result<()> {
        let whole = self.inner.catalogue.whole_tenant();
        if let Some(unknown) = names.iter().find(|name| !whole.allows(name)) {
            return Err(Error::field("permissions", format!("'{unknown}' is no permission"))
                .hint("GET /api/v1/permissions lists them."));
        }
        holds_all(rights, names)
    }
}

/// Nobody gives what they do not have.
pub(crate) fn holds_all(rights: &Rights, names: &[String]) -> Result<()> {
    match names.iter().find(|name| !rights.allows(name)) {
        None => Ok(()),
        Some(missing) => Err(Error::new(
            Code::Forbidden,
            format!("You cannot give the permission '{missing}', which you do not have."),
        )),
    }
}

fn own_role(tx: &Tx<'_>, name: &Role) -> Result<RoleView, StoreError> {
    if name.is_built_in() {
        return Err(Error::new(Code::Forbidden, "The built-in roles cannot be changed.")
            .hint("Make a role of your own with the permissions you want.")
            .into());
    }
    let found = store_groups::list_roles(tx)?.into_iter().find(|role| role.name == *name);
    found.ok_or_else(|| Error::not_found("role").into())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}

fn title(role: &Role) -> String {
    let mut letters = role.as_str().chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The rules of a role's fields.
pub(crate) fn complaints(title: Option<&str>, errors: &mut Vec<FieldError>) {
    if title.is_some_and(|t| t.trim().is_empty() || t.chars().count() > 100) {
        errors
            .push(FieldError {
                field: "title".to_owned(), message: "must have 1–100 characters".to_owned()
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roles_hold_what_their_names_say() {
        let names = [
            "session.use",
            "documents.read",
            "documents.write",
            "ask.write",
            "voice.read",
            "voice.write",
            "people.read",
            "people.manage",
            "keys.manage",
            "audit.read",
            "appliance.tenants",
        ];
        let catalogue = Catalogue::new(names.to_vec());
        let holds = |role: Role, name: &str| catalogue.built_in(&role).allows(name);
        assert!(Role::BUILT_IN.iter().all(|role| !holds(role.clone(), "appliance.tenants")));
        assert!(Role::BUILT_IN.iter().all(|role| holds(role.clone(), "session.use")));
        assert!(holds(Role::OWNER, OWN) && !holds(Role::ADMIN, OWN));
        assert!(holds(Role::ADMIN, SEE_ALL) && !holds(Role::EDITOR, SEE_ALL));
        assert!(holds(Role::EDITOR, "documents.write") && holds(Role::MEMBER, "documents.write"));
        assert!(!holds(Role::VIEWER, "documents.write") && holds(Role::VIEWER, "ask.write"));
        assert!(holds(Role::AUDITOR, "audit.read") && !holds(Role::AUDITOR, "documents.read"));
        assert!(!holds("night-shift".parse().expect("a name"), "session.use"));
        let chain = [Role::VIEWER, Role::MEMBER, Role::EDITOR, Role::ADMIN, Role::OWNER];
        assert!(chain.windows(2).all(|w| catalogue.built_in(&w[0]).are_within(&catalogue.built_in(&w[1]))));
    }
}
