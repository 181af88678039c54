//! `/session/passkey` and `/session/oidc`: ways in beside the password.

use actix_web::cookie::time::Duration as CookieDuration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::{HOST, LOCATION, ORIGIN};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use lectern_edge::{ApiResult, PathId, Problem, ValidJson, ValidQuery};
use lectern_kernel::{Code, Error, ProviderId};
use lectern_oidc::Callback;
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use crate::Identity;
use crate::model::SessionView;
use crate::model_factors::{AskPasskey, FinishPasskey, PasskeyOptions};
use crate::model_sign_in::{BeginOidc, OidcBegun};
use crate::passkeys::Site;
use crate::routes::{caller, refuse, welcome};

/// What ties the answer of a provider to the browser that asked.
const AWAY_COOKIE: &str = "lectern_sign_in";
const AWAY_PATH: &str = "/api/v1/session/oidc";

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/session/passkey/options").route(web::post().to(ask_passkey)))
        .service(web::resource("/session/passkey").route(web::post().to(create_passkey_session)))
        .service(web::resource("/session/oidc/callback").route(web::get().to(finish_oidc)))
        .service(web::resource("/session/oidc/{id}/begin").route(web::post().to(begin_oidc)));
}

#[derive(OpenApi)]
#[openapi(paths(ask_passkey, create_passkey_session, begin_oidc, finish_oidc))]
pub(crate) struct Description;

/// What the page needs to sign in by passkey: without a name, or as the second proof of e-mail and password.
#[utoipa::path(post, path = "/session/passkey/options", tag = "sign-in", operation_id = "ask_passkey", security(()),
    request_body = AskPasskey, responses((status = 200, body = PasskeyOptions), (status = 401, body = Problem),
    (status = 409, body = Problem, description = "The address of the page is no host name"),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn ask_passkey(
    request: HttpRequest,
    identity: Data<Identity>,
    body: ValidJson<AskPasskey>,
) -> ApiResult {
    match identity.ask_passkey(body.0, site(&request)?, &caller(&request)).await {
        Ok(options) => Ok(HttpResponse::Ok().json(options)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Signs in by the passkey that answered.
#[utoipa::path(post, path = "/session/passkey", tag = "sign-in", operation_id = "create_passkey_session",
    security(()), request_body = FinishPasskey, responses((status = 201, body = SessionView),
    (status = 401, body = Problem), (status = 410, body = Problem), (status = 422, body = Problem),
    (status = 429, body = Problem)))]
async fn create_passkey_session(
    request: HttpRequest,
    identity: Data<Identity>,
    body: ValidJson<FinishPasskey>,
) -> ApiResult {
    match identity.answer_passkey(body.0, &caller(&request)).await {
        Ok(signed_in) => Ok(welcome(&identity, signed_in)),
        Err(refused) => refuse(&request, refused),
    }
}

/// Begins a sign-in at a provider: the address to send the browser to.
#[utoipa::path(post, path = "/session/oidc/{id}/begin", tag = "sign-in", operation_id = "begin_oidc", security(()),
    params(("id" = ProviderId, Path)), request_body = BeginOidc, responses((status = 200, body = OidcBegun),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
    (status = 502, body = Problem)))]
async fn begin_oidc(
    request: HttpRequest,
    identity: Data<Identity>,
    id: PathId<ProviderId>,
    body: ValidJson<BeginOidc>,
) -> ApiResult {
    let site = site(&request)?;
    let away = identity.begin_oidc(&id.0, body.0, &site.origin).await?;
    let begun = OidcBegun { authorization_url: away.authorization_url };
    Ok(HttpResponse::Ok().cookie(identity.away_cookie(away.cookie)).json(begun))
}

/// The query of the way back; what a provider adds to it does not matter.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Where the provider sends the browser back to. Ends on a page of this server: the one that was asked for, or
/// `/?sign_in_error=CODE`.
#[utoipa::path(get, path = "/session/oidc/callback", tag = "sign-in", operation_id = "finish_oidc", security(()),
    params(Answer), responses((status = 302, description = "To a page of this server")))]
async fn finish_oidc(request: HttpRequest, identity: Data<Identity>, query: ValidQuery<Answer>) -> ApiResult {
    let Answer { code, state, iss, error, error_description } = query.0;
    let callback = Callback { code, state, iss, error, error_description };
    let cookie = request.cookie(AWAY_COOKIE).map(|cookie| cookie.value().to_owned());
    let mut response = HttpResponse::Found();
    let mut gone = identity.away_cookie(String::new());
    gone.make_removal();
    response.cookie(gone);
    match identity.finish_oidc(cookie, callback, &caller(&request)).await {
        Ok((signed_in, page)) => {
            response.cookie(identity.cookie(signed_in.token)).insert_header((LOCATION, page));
        }
        Err(lost) => {
            response.insert_header((LOCATION, format!("/?sign_in_error={}", lost.0)));
        }
    }
    Ok(response.finish())
}

impl Identity {
    /// Comes back with the browser from another site, and only to where it is needed.
    fn away_cookie(&self, value: String) -> Cookie<'static> {
        Cookie::build(AWAY_COOKIE, value)
            .path(AWAY_PATH)
            .http_only(true)
            .secure(self.inner.secure_cookies)
            .same_site(SameSite::Lax)
            .max_age(CookieDuration::minutes(10))
            .finish()
    }
}

/// Host and origin of the page that sends a request. A page of another host is no page of this server.
pub(crate) fn site(request: &HttpRequest) -> Result<Site, Error> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let wrong = || {
        Error::new(Code::InvalidRequest, "This has to come from a page of this server.")
            .hint("Browsers send the header Origin; its host must be that of the header Host.")
    };
    let origin = header(ORIGIN).ok_or_else(wrong)?;
    let (scheme, authority) = origin.split_once("://").ok_or_else(wrong)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    // HTTP/2 has the host in the address.
    let host =
        header(HOST).or_else(|| request.uri().authority().map(actix_web::http::uri::Authority::as_str));
    let same = host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
    if !matches!(scheme, "http" | "https") || !same || authority.is_empty() || !authority.bytes().all(plain) {
        return Err(wrong());
    }
    let port = authority.rfind(':').filter(|at| !authority[*at..].contains(']'));
    let host = authority[..port.unwrap_or(authority.len())].to_ascii_lowercase();
    Ok(Site { host, origin: origin.to_owned() })
}
