//! `/people`, `/groups`, `/roles`, `/permissions` and `/invitations`.

use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, PathId, Permit, Problem, ValidJson, ValidQuery};
use lectern_kernel::{Error, GroupId, InvitationId, Page, Role, UserId};
use utoipa::OpenApi;

use crate::model::SessionView;
use crate::model_people::{
    AcceptInvitation, GroupView, InvitationOffer, InvitationToken, InvitationView, NewGroup, NewInvitation,
    NewInvitationView, NewRole, PatchGroup, PatchPerson, PatchRole, PeopleParameters, PermissionView,
    PersonView, RoleView,
};
use crate::routes::{caller, refuse, welcome};
use crate::{Identity, PeopleManage, PeopleRead};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/people").route(web::get().to(list_people)))
        .service(
            web::resource("/people/{id}")
                .route(web::get().to(get_person))
                .route(web::patch().to(update_person))
                .route(web::delete().to(delete_person)),
        )
        .service(web::resource("/people/{id}/sessions").route(web::delete().to(delete_person_sessions)))
        .service(web::resource("/people/{id}/password-link").route(web::post().to(create_password_link)))
        .service(
            web::resource("/groups").route(web::get().to(list_groups)).route(web::post().to(create_group)),
        )
        .service(
            web::resource("/groups/{id}")
                .route(web::patch().to(update_group))
                .route(web::delete().to(delete_group)),
        )
        .service(web::resource("/groups/{id}/members").route(web::get().to(list_group_members)))
        .service(web::resource("/permissions").route(web::get().to(list_permissions)))
        .service(web::resource("/roles").route(web::get().to(list_roles)).route(web::post().to(create_role)))
        .service(
            web::resource("/roles/{name}")
                .route(web::patch().to(update_role))
                .route(web::delete().to(delete_role)),
        )
        .service(
            web::resource("/invitations")
                .route(web::get().to(list_invitations))
                .route(web::post().to(create_invitation)),
        )
        .service(web::resource("/invitations/offer").route(web::post().to(get_invitation_offer)))
        .service(web::resource("/invitations/accept").route(web::post().to(accept_invitation)))
        .service(web::resource("/invitations/{id}").route(web::delete().to(delete_invitation)));
}

#[derive(OpenApi)]
#[openapi(paths(
    list_people,
    get_person,
    update_person,
    delete_person,
    delete_person_sessions,
    create_password_link,
    list_groups,
    create_group,
    update_group,
    delete_group,
    list_group_members,
    list_permissions,
    list_roles,
    create_role,
    update_role,
    delete_role,
    list_invitations,
    create_invitation,
    get_invitation_offer,
    accept_invitation,
    delete_invitation
))]
pub(crate) struct Description;

/// The tenant's people, the oldest first.
#[utoipa::path(get, path = "/people", tag = "people", operation_id = "list_people", params(PeopleParameters),
    responses((status = 200, body = Page<PersonView>), (status = 400, body = Problem),
    (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_people(
    permit: Permit<PeopleRead>,
    identity: Data<Identity>,
    wanted: ValidQuery<PeopleParameters>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.people(permit.scope(), wanted.0).await?))
}

/// A person.
#[utoipa::path(get, path = "/people/{id}", tag = "people", operation_id = "get_person",
    params(("id" = UserId, Path)), responses((status = 200, body = PersonView), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn get_person(permit: Permit<PeopleRead>, identity: Data<Identity>, id: PathId<UserId>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.person(permit.scope(), &id.0).await?))
}

/// Changes a person's name, role, state or groups.
#[utoipa::path(patch, path = "/people/{id}", tag = "people", operation_id = "update_person",
    params(("id" = UserId, Path)), request_body = PatchPerson, responses((status = 200, body = PersonView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The last owner stays"), (status = 422, body = Problem)))]
async fn update_person(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
    body: ValidJson<PatchPerson>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Ok().json(identity.change_person(permit.scope(), rights, &id.0, body.0).await?))
}

/// Removes a person from the tenant.
#[utoipa::path(delete, path = "/people/{id}", tag = "people", operation_id = "delete_person",
    params(("id" = UserId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "The last owner stays")))]
async fn delete_person(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
) -> ApiResult {
    identity.remove_person(permit.scope(), &permit.principal().rights, &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ends all sessions of a person.
#[utoipa::path(delete, path = "/people/{id}/sessions", tag = "people", operation_id = "delete_person_sessions",
    params(("id" = UserId, Path)), responses((status = 204, description = "Ended"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_person_sessions(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
) -> ApiResult {
    identity.end_sessions(permit.scope(), &id.0, None).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A link with which the person chooses a new password; it is in this answer and nowhere else.
#[utoipa::path(post, path = "/people/{id}/password-link", tag = "people", operation_id = "create_password_link",
    params(("id" = UserId, Path)), responses((status = 201, body = NewInvitationView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn create_password_link(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<UserId>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(identity.reset_link(permit.scope(), rights, &id.0).await?))
}

/// All groups and workspaces, by name.
#[utoipa::path(get, path = "/groups", tag = "people", operation_id = "list_groups", responses(
    (status = 200, body = Vec<GroupView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_groups(permit: Permit<PeopleRead>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.groups(permit.scope()).await?))
}

/// Makes a group or a workspace.
#[utoipa::path(post, path = "/groups", tag = "people", operation_id = "create_group", request_body = NewGroup,
    responses((status = 201, body = GroupView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_group(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    body: ValidJson<NewGroup>,
) -> ApiResult {
    Ok(HttpResponse::Created().json(identity.create_group(permit.scope(), body.0).await?))
}

/// Changes a group's name or members.
#[utoipa::path(patch, path = "/groups/{id}", tag = "people", operation_id = "update_group",
    params(("id" = GroupId, Path)), request_body = PatchGroup, responses((status = 200, body = GroupView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn update_group(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<GroupId>,
    body: ValidJson<PatchGroup>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.change_group(permit.scope(), &id.0, body.0).await?))
}

/// Removes a group.
#[utoipa::path(delete, path = "/groups/{id}", tag = "people", operation_id = "delete_group",
    params(("id" = GroupId, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_group(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<GroupId>,
) -> ApiResult {
    identity.delete_group(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ids of the people in a group.
#[utoipa::path(get, path = "/groups/{id}/members", tag = "people", operation_id = "list_group_members",
    params(("id" = GroupId, Path)), responses((status = 200, body = Vec<UserId>),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn list_group_members(
    permit: Permit<PeopleRead>,
    identity: Data<Identity>,
    id: PathId<GroupId>,
) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.group_members(permit.scope(), &id.0).await?))
}

/// All permissions, and which built-in roles hold them.
#[utoipa::path(get, path = "/permissions", tag = "people", operation_id = "list_permissions", responses(
    (status = 200, body = Vec<PermissionView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_permissions(_permit: Permit<PeopleRead>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.permissions()))
}

/// The roles of the tenant, the built-in ones first.
#[utoipa::path(get, path = "/roles", tag = "people", operation_id = "list_roles", responses(
    (status = 200, body = Vec<RoleView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_roles(permit: Permit<PeopleRead>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.roles(permit.scope()).await?))
}

/// Makes a role out of permissions.
#[utoipa::path(post, path = "/roles", tag = "people", operation_id = "create_role", request_body = NewRole,
    responses((status = 201, body = RoleView), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_role(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    body: ValidJson<NewRole>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(identity.create_role(permit.scope(), rights, body.0).await?))
}

/// Changes a role that the tenant made.
#[utoipa::path(patch, path = "/roles/{name}", tag = "people", operation_id = "update_role",
    params(("name" = Role, Path)), request_body = PatchRole, responses((status = 200, body = RoleView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
async fn update_role(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    name: Path<String>,
    body: ValidJson<PatchRole>,
) -> ApiResult {
    let (name, rights) = (role(&name)?, &permit.principal().rights);
    Ok(HttpResponse::Ok().json(identity.change_role(permit.scope(), rights, &name, body.0).await?))
}

/// Removes a role that nobody has.
#[utoipa::path(delete, path = "/roles/{name}", tag = "people", operation_id = "delete_role",
    params(("name" = Role, Path)), responses((status = 204, description = "Removed"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
async fn delete_role(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    name: Path<String>,
) -> ApiResult {
    identity.delete_role(permit.scope(), &role(&name)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn role(name: &str) -> Result<Role, Error> {
    name.parse().map_err(|_| Error::not_found("role"))
}

/// Open invitations, the newest first.
#[utoipa::path(get, path = "/invitations", tag = "people", operation_id = "list_invitations", responses(
    (status = 200, body = Vec<InvitationView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list_invitations(permit: Permit<PeopleRead>, identity: Data<Identity>) -> ApiResult {
    Ok(HttpResponse::Ok().json(identity.invitations(permit.scope()).await?))
}

/// Invites somebody; the link's token is in this answer and nowhere else.
#[utoipa::path(post, path = "/invitations", tag = "people", operation_id = "create_invitation",
    request_body = NewInvitation, responses((status = 201, body = NewInvitationView),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
async fn create_invitation(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    body: ValidJson<NewInvitation>,
) -> ApiResult {
    let rights = &permit.principal().rights;
    Ok(HttpResponse::Created().json(identity.invite(permit.scope(), rights, body.0).await?))
}

/// What a link offers.
#[utoipa::path(post, path = "/invitations/offer", tag = "people", operation_id = "get_invitation_offer",
    security(()), request_body = InvitationToken, responses((status = 200, body = InvitationOffer),
    (status = 410, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn get_invitation_offer(
    request: HttpRequest,
    identity: Data<Identity>,
    body: ValidJson<InvitationToken>,
) -> ApiResult {
    match identity.offer(&body.0.token, &caller(&request)).await {
        Ok(offer) => Ok(HttpResponse::Ok().json(offer)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Joins by a link, or sets the new password, and signs in.
#[utoipa::path(post, path = "/invitations/accept", tag = "people", operation_id = "accept_invitation",
    security(()), request_body = AcceptInvitation, responses((status = 201, body = SessionView),
    (status = 409, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn accept_invitation(
    request: HttpRequest,
    identity: Data<Identity>,
    body: ValidJson<AcceptInvitation>,
) -> ApiResult {
    match identity.accept(body.0, &caller(&request)).await {
        Ok(signed_in) => Ok(welcome(&identity, signed_in)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Withdraws an invitation.
#[utoipa::path(delete, path = "/invitations/{id}", tag = "people", operation_id = "delete_invitation",
    params(("id" = InvitationId, Path)), responses((status = 204, description = "Withdrawn"),
    (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete_invitation(
    permit: Permit<PeopleManage>,
    identity: Data<Identity>,
    id: PathId<InvitationId>,
) -> ApiResult {
    identity.withdraw_invitation(permit.scope(), &id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
