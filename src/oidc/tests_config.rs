//! Settings: defaults, what is refused, and texts that say so.

use serde_json::json;

use crate::{OidcError, ProviderConfig};

fn wrong(change: impl Fn(&mut ProviderConfig)) -> Vec<&'static str> {
    let mut config = ProviderConfig::new("https://login.example.org", "lectern");
    change(&mut config);
    config.validate().into_iter().map(|(field, _)| field).collect()
}

#[test]
fn defaults_are_the_same_from_text_and_from_code() {
    let text = json!({"issuer": "https://login.example.org", "client_id": "lectern"});
    let read: ProviderConfig = serde_json::from_value(text.clone()).unwrap();
    assert_eq!(read, ProviderConfig::new("https://login.example.org", "lectern"));
    assert!(read.validate().is_empty() && read.require_verified_email && !read.allow_http);
    assert_eq!(read.scopes, ["openid", "profile", "email"]);
    let back = serde_json::to_value(&read).unwrap();
    assert_eq!(serde_json::from_value::<ProviderConfig>(back).unwrap(), read);
    let mut odd = text;
    odd["client_secret"] = json!("here it does not belong");
    assert!(serde_json::from_value::<ProviderConfig>(odd).unwrap_err().to_string().contains("client_secret"));
}

#[test]
fn issuers_are_https_or_this_machine() {
    for issuer in [
        "",
        "login.example.org",
        "http://login.example.org",
        "http://127.0.0.1:8080",
        "https://",
        "https://login.example.org?x=1",
        "https://login.example.org#x",
        "https://user@login.example.org",
        "https://169.254.169.254",
        "ftp://login.example.org",
    ] {
        assert_eq!(wrong(|c| c.issuer = issuer.to_owned()), ["issuer"], "{issuer}");
    }
    let open = |issuer: &'static str| {
        wrong(move |c| {
            c.issuer = issuer.to_owned();
            c.allow_http = true;
        })
    };
    for issuer in
        ["http://127.0.0.1:8080/x", "http://localhost:1", "http://[::1]:1", "https://10.0.0.5/realm/"]
    {
        assert!(open(issuer).is_empty(), "{issuer}");
    }
    for issuer in ["http://login.example.org", "http://127.0.0.1.example.org", "http://10.0.0.5"] {
        assert_eq!(open(issuer), ["issuer"], "{issuer}");
    }
}

#[test]
fn each_field_is_checked() {
    assert_eq!(wrong(|c| c.client_id = String::new()), ["client_id"]);
    assert_eq!(wrong(|c| c.scopes = vec!["two words".to_owned()]), ["scopes"]);
    assert_eq!(wrong(|c| c.group_claim = "a\nb".to_owned()), ["group_claim"]);
    assert_eq!(wrong(|c| c.email_claim = String::new()), ["email_claim"]);
    assert_eq!(wrong(|c| c.name_claim = String::new()), ["name_claim"]);
    assert_eq!(wrong(|c| c.user_name_claim = String::new()), ["user_name_claim"]);
    for domain in ["", "@example.org", "*.example.org", ".example.org", "exa mple.org", "example.org."] {
        assert_eq!(wrong(|c| c.allowed_domains = vec![domain.to_owned()]), ["allowed_domains"], "{domain}");
    }
    assert!(wrong(|c| c.allowed_domains = vec!["bücher.example".to_owned()]).is_empty());
    for prompt in ["", "none", "login none", "login  consent"] {
        assert_eq!(wrong(|c| c.prompt = Some(prompt.to_owned())), ["prompt"], "{prompt}");
    }
    assert!(wrong(|c| c.prompt = Some("login consent".to_owned())).is_empty());
    assert_eq!(wrong(|c| c.acr_values = vec![String::new()]), ["acr_values"]);
    assert_eq!(wrong(|c| c.clock_skew_seconds = 601), ["clock_skew_seconds"]);
    for pem in ["", "hello", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        assert_eq!(wrong(|c| c.ca_pem = Some(pem.to_owned())), ["ca_pem"], "{pem}");
    }
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(wrong(|c| c.ca_pem = Some(pem.to_owned())).is_empty());
    assert_eq!(wrong(|c| (c.client_id, c.issuer) = (String::new(), String::new())), ["issuer", "client_id"]);
}

#[test]
fn every_error_has_a_sentence_and_a_hint() {
    let text = || "x".to_owned();
    let errors = [
        OidcError::ProviderUnavailable { hint: text() },
        OidcError::Misconfigured { field: "issuer", hint: text() },
        OidcError::Denied { reason: text() },
        OidcError::Replayed,
        OidcError::Expired,
        OidcError::StateMismatch,
        OidcError::OtherIssuer { found: Some(text()) },
        OidcError::OtherIssuer { found: None },
        OidcError::InvalidToken { reason: text() },
        OidcError::EmailNotVerified,
        OidcError::DomainNotAllowed { domain: text() },
    ];
    for error in errors {
        assert!(error.to_string().ends_with('.') && !error.hint().is_empty(), "{error:?}");
    }
}
