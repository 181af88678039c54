//! A request of a program: a form, who says to send it, and where it comes from.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::Payload;
use lectern_edge::{client_ip, request_id};
use lectern_kernel::{Scope, TenantId};
use url::form_urlencoded;

use crate::Oauth;
use crate::refusal::Refusal;

const LONGEST_FORM: usize = 16 << 10;
const MOST_FIELDS: usize = 50;

/// Fields of a form or of a query. One without a value counts as absent (RFC 6749, section 3.1).
#[derive(Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).take(MOST_FIELDS);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, value)| n == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, value)| n == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    pub fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::request(format!("The field {name} is missing.")))
    }

    /// Whether a name stands twice: two readers could take different values for true. `resource` may (RFC 8707).
    pub fn repeats(&self, name: &str) -> bool {
        self.0.iter().filter(|(n, _)| n == name).count() > 1
    }

    pub fn check_single(&self) -> Result<(), Refusal> {
        if self.0.iter().any(|(name, _)| name != "resource" && self.repeats(name)) {
            return Err(Refusal::request("A field stands more than once."));
        }
        Ok(())
    }
}

/// A request to one of the endpoints for programs.
pub(crate) struct Call {
    pub form: Form,
    pub authorization: Option<String>,
    pub issuer: String,
    /// Address, or network of one, that wrong secrets are counted for.
    pub network: String,
    address: Option<String>,
    request: Option<String>,
}

impl Call {
    pub async fn read(oauth: &Oauth, request: &HttpRequest, payload: Payload) -> Result<Self, Refusal> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let kind = header(CONTENT_TYPE).and_then(|text| text.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::request("The body must be application/x-www-form-urlencoded."));
        }
        let body = payload.to_bytes_limited(LONGEST_FORM).await;
        let body = body.map_err(|_| Refusal::request("A form may have 16 KiB at most."))?;
        let body = body.map_err(|_| Refusal::request("The body broke off."))?;
        let form = Form::parse(&body);
        form.check_single()?;
        let address = client_ip(request);
        Ok(Self {
            form,
            authorization: header(AUTHORIZATION).map(str::to_owned),
            issuer: oauth.inner.issuer.of(request)?,
            network: network(address),
            address: address.map(|address| address.to_string()),
            request: request_id(request),
        })
    }

    /// The scope of the program, before it is known for whom it acts.
    pub fn scope(&self, tenant: &TenantId) -> Scope {
        Scope::system(tenant.clone()).requested(self.address.clone(), self.request.clone())
    }
}

fn network(address: Option<IpAddr>) -> String {
    match address {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        // One network of a site, as one client can take any address in it.
        Some(IpAddr::V6(address)) => format!("{:x?}", &address.segments()[..4]),
    }
}
