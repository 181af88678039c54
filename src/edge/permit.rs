//! The permission is in the handler's signature: `Permit<DocumentsWrite>` proves it and gives the scope.

use std::future::Future;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use lectern_kernel::ports::{Admission, Admit, Authenticate, Credentials, RateState};
use lectern_kernel::{Actor, Code, Error, Permission, Principal, Result, Scope};
use subtle::ConstantTimeEq;

use crate::{ApiError, request_id};

pub const SESSION_COOKIE: &str = "lectern_session";
pub const CSRF_HEADER: &str = "x-csrf-token";
/// The permission of what people do with their own session and profile.
const PERSONAL: &str = "session.use";

/// Proof that the sender of this request holds the permission `P`.
pub struct Permit<P> {
    principal: Principal,
    scope: Scope,
    permission: PhantomData<P>,
}

impl<P> Permit<P> {
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn principal(&self) -> &Principal {
        &self.principal
    }
}

impl<P: Permission> FromRequest for Permit<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = principal(&request).await?;
            if principal.actor.operator().is_some() && is_personal(&request, P::NAME) {
                return Err(Error::new(Code::Forbidden, "An operator does not do this in a person's place.")
                    .hint("Passwords, second factors, apps and consents are for the person alone.")
                    .into());
            }
            if !principal.rights.allows(P::NAME) {
                return Err(Error::new(Code::Forbidden, format!("This needs the permission '{}'.", P::NAME))
                    .hint("Ask an administrator for a role that has it.")
                    .into());
            }
            let scope = Scope::granted(&principal).requested(client_address(&request), request_id(&request));
            Ok(Self { scope, principal, permission: PhantomData })
        })
    }
}

/// What is for a person alone: all that they change about themselves. Ending the session is for whoever is in it.
fn is_personal(request: &HttpRequest, permission: &str) -> bool {
    permission == PERSONAL && !request.method().is_safe() && !request.path().ends_with("/session")
}

/// Where the request comes from. Behind a proxy on this machine it is what the proxy saw, the last entry of
/// `X-Forwarded-For`; from anywhere else that header is only what the client claims.
pub fn client_ip(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?;
    let forwarded = request.headers().get_all("x-forwarded-for").last();
    let forwarded = forwarded.and_then(|v| v.to_str().ok()).and_then(|v| v.rsplit(',').next());
    let seen = forwarded.and_then(|v| v.trim().parse::<IpAddr>().ok());
    Some(seen.filter(|_| peer.ip().is_loopback()).unwrap_or(peer.ip()).to_canonical())
}

fn client_address(request: &HttpRequest) -> Option<String> {
    client_ip(request).map(|address| address.to_string())
}

/// What the request brings to prove its sender.
pub fn credentials(request: &HttpRequest) -> Credentials {
    let bearer = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(|token| token.trim().to_owned());
    let session = request.cookie(SESSION_COOKIE).map(|cookie| cookie.value().to_owned());
    Credentials { session, bearer, address: client_ip(request) }
}

/// The sender; a browser that changes something must also show its CSRF token.
pub async fn principal(request: &HttpRequest) -> Result<Principal> {
    let authenticate = request
        .app_data::<Data<dyn Authenticate>>()
        .ok_or_else(|| Error::internal("no Authenticate was given to the server"))?
        .clone();
    let principal = authenticate.authenticate(credentials(request)).await?;
    admit(request, &principal).await?;
    if let Actor::Session { csrf_token, .. } = &principal.actor
        && !request.method().is_safe()
    {
        let shown = request.headers().get(CSRF_HEADER).map_or(&b""[..], |value| value.as_bytes());
        if !bool::from(shown.ct_eq(csrf_token.as_bytes())) {
            return Err(Error::new(
                Code::CsrfMissing,
                "The header X-CSRF-Token is absent or not the session's.",
            )
            .hint("Send `csrf_token` of GET /api/v1/session in the header X-CSRF-Token."));
        }
    }
    Ok(principal)
}

/// What the rates said to a request, for the headers of its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Admitted {
    pub rate: Option<RateState>,
    /// Seconds to wait.
    pub retry_after: Option<u64>,
}

/// Counts a request once, however many of its extractors ask who sends it.
async fn admit(request: &HttpRequest, principal: &Principal) -> Result<()> {
    let Some(port) = request.app_data::<Data<dyn Admit>>().cloned() else { return Ok(()) };
    if request.extensions().contains::<Admitted>() {
        return Ok(());
    }
    request.extensions_mut().insert(Admitted::default());
    let route = format!("{} {}", request.method(), request.match_pattern().unwrap_or_default());
    let (admitted, outcome) = match port.admit(principal, &route).await {
        Ok(Admission { rate, place }) => {
            place.map(|place| request.extensions_mut().insert(place));
            (Admitted { rate, retry_after: None }, Ok(()))
        }
        Err(refused) => {
            let (rate, retry_after) = (refused.rate, refused.retry_after);
            (Admitted { rate, retry_after }, Err(refused.error))
        }
    };
    request.extensions_mut().insert(admitted);
    outcome
}
