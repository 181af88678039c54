//! SCIM 2.0 (RFC 7643, RFC 7644): the identity services of a tenant make, change and remove its people and groups.
//!
//! People and groups live in `identity`, whose rules hold here too; this area keeps what else is given of them and goes
//! with them when they go. Filters and changes work on resources as JSON and know no database.

mod filter;
mod fits;
mod group;
mod groups;
mod list;
mod model;
mod patch;
mod patch_values;
mod path;
mod person;
mod project;
mod refusal;
mod resource;
mod routes;
mod routes_about;
mod routes_groups;
mod routes_users;
mod schema;
mod store;
mod types;
mod user;
mod users;
mod values;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests_filter;
#[cfg(test)]
mod tests_groups;
#[cfg(test)]
mod tests_lists;
#[cfg(test)]
mod tests_patch;
#[cfg(test)]
mod tests_patch_habits;
#[cfg(test)]
mod tests_peer;
#[cfg(test)]
mod tests_routes;
#[cfg(test)]
mod tests_users;

use lectern_edge::{Feature, Permit};
use lectern_identity::{Identity, PeopleManage, PeopleRead};
use lectern_kernel::{Permission, Result, Rights, Scope, permission};
use lectern_store::{Migration, Stores, TenantStore};

pub use model::{ScimError, ScimGroup, ScimList, ScimOperation, ScimPatch, ScimSearch, ScimUser};

permission! {
    /// Give and take the roles member and viewer by SCIM without holding what they hold; for keys of identity services.
    PeopleProvision = "people.provision";
}

/// Schema of a tenant's `data.db`; after that of `identity`.
pub const MIGRATIONS: &[Migration] =
    &[Migration { name: "scim/0001_scim", sql: include_str!("migrations/0001_scim.sql") }];

/// The area's one service; clones share everything.
#[derive(Clone)]
pub struct Scim {
    stores: Stores,
    identity: Identity,
}

impl Scim {
    pub fn new(stores: Stores, identity: Identity) -> Self {
        Self { stores, identity }
    }

    fn tenant(&self, scope: &Scope) -> Result<TenantStore> {
        Ok(self.stores.tenant(scope)?)
    }

    /// Who changes something, with the rights that hold for it here.
    fn caller(&self, permit: &Permit<PeopleManage>) -> Caller {
        let rights = &permit.principal().rights;
        let rights = if rights.allows(PeopleProvision::NAME) {
            self.identity.rights_to_provision(rights)
        } else {
            rights.clone()
        };
        Caller { scope: permit.scope().clone(), rights }
    }
}

/// Somebody who may what they ask for.
#[derive(Clone)]
struct Caller {
    scope: Scope,
    rights: Rights,
}

/// What this area brings to the server; its service is `web::Data<Scim>`.
pub fn feature() -> Feature {
    Feature {
        name: "scim",
        permissions: &[PeopleRead::NAME, PeopleManage::NAME, PeopleProvision::NAME],
        routes: routes::routes,
        openapi: routes::openapi(),
    }
}
