//! Whole ceremonies with a software authenticator, and every way to cheat in them.

use serde_json::Value;

use crate::soft::{BE, BS, Soft, UP, UV};
use crate::{
    AuthenticationResult, AuthenticationState, Claim, CredentialId, FactorError, NewPasskey, Passkey,
    Passkeys, RegistrationState, Role, SignIn, UserHandle,
};

const NOW: i64 = 1_700_000_000_000;
const MINUTE: i64 = 60_000;

fn site() -> Passkeys {
    let origins = ["https://lectern.example.org", "https://lectern.example.org:8443"];
    Passkeys::new("lectern.example.org", "Lectern", &origins).expect("a site")
}

fn anna() -> UserHandle {
    UserHandle::from_bytes([7; 16])
}

fn begin(role: Role, existing: &[CredentialId]) -> (Value, RegistrationState) {
    let new =
        NewPasskey { user: anna(), user_name: "anna@example.org", display_name: "Anna", existing, role };
    site().begin_registration(&new, NOW).expect("options")
}

fn register(soft: &mut Soft, role: Role) -> Result<Passkey, FactorError> {
    let (options, state) = begin(role, &[]);
    let answer = soft.create(&options);
    site().finish_registration(state, &answer, NOW + MINUTE)
}

fn sign_in(soft: &Soft, passkey: &Passkey, how: SignIn) -> Result<AuthenticationResult, FactorError> {
    let (options, state) = site().begin_authentication(how, NOW).expect("options");
    site().finish_authentication(state, &soft.get(&options), passkey, NOW + MINUTE)
}

/// Registered alone, then asked for as the only factor with something set wrongly.
fn tampered(change: impl FnOnce(&mut Soft)) -> FactorError {
    let mut soft = Soft::new(3);
    soft.counter = 4;
    let passkey = register(&mut soft, Role::OnlyFactor).expect("registers");
    soft.counter = 5;
    change(&mut soft);
    sign_in(&soft, &passkey, SignIn::OnlyFactor(std::slice::from_ref(&passkey))).expect_err("tampered")
}

fn stored<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).expect("writes")).expect("reads")
}

#[test]
fn the_options_are_what_the_page_needs() {
    let other = CredentialId::from_bytes(&[1, 2, 3]).expect("an id");
    let (options, _) = begin(Role::OnlyFactor, std::slice::from_ref(&other));
    assert_eq!(options["rp"], serde_json::json!({ "name": "Lectern", "id": "lectern.example.org" }));
    assert_eq!(options["user"]["id"], anna().to_string());
    assert_eq!(options["user"]["displayName"], "Anna");
    assert_eq!(options["excludeCredentials"][0]["id"], "AQID");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "preferred");
    assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["timeout"], 300_000);
    assert_eq!(options["challenge"].as_str().map(str::len), Some(43));
    let (options, _) = begin(Role::SecondFactor, &[]);
    assert_eq!(options["authenticatorSelection"]["userVerification"], "preferred");
    assert!(options["hints"].is_null() && options["extensions"]["credentialProtectionPolicy"].is_null());
}

#[test]
fn registers_and_signs_in_by_name() {
    let mut soft = Soft::new(1);
    (soft.flags, soft.aaguid) = (UP | UV | BE, [0xab; 16]);
    let mut passkey = register(&mut soft, Role::OnlyFactor).expect("registers");
    assert_eq!(passkey.id().as_bytes(), [1; 20]);
    assert_eq!(passkey.transports(), ["internal", "hybrid"]);
    assert_eq!(passkey.aaguid(), Some("abababab-abab-abab-abab-abababababab"));
    assert_eq!(
        (passkey.discoverable(), passkey.counter(), passkey.created_at()),
        (Some(true), 0, NOW + MINUTE)
    );
    assert!(passkey.backup_eligible() && !passkey.backed_up() && passkey.user_verified());

    let kept = stored(&passkey);
    let (options, state) = site().begin_authentication(SignIn::OnlyFactor(&[kept]), NOW).expect("options");
    assert_eq!(options["allowCredentials"][0]["id"], passkey.id().to_string());
    assert_eq!(options["allowCredentials"][0]["transports"], serde_json::json!(["internal", "hybrid"]));
    assert_eq!(
        (&options["userVerification"], &options["rpId"]),
        (&"required".into(), &"lectern.example.org".into())
    );
    soft.flags |= BS;
    let result = site()
        .finish_authentication(stored::<AuthenticationState>(&state), &soft.get(&options), &passkey, NOW + 1)
        .expect("signs in");
    assert!(result.user_verified && result.backed_up);
    passkey.update(&result);
    assert!(passkey.backed_up());
}

#[test]
fn signs_in_without_a_name() {
    let mut soft = Soft::new(1);
    let passkey = register(&mut soft, Role::OnlyFactor).expect("registers");
    let (options, state) = site().begin_authentication(SignIn::Nameless, NOW).expect("options");
    assert_eq!(options["allowCredentials"], serde_json::json!([]));
    assert!(options["mediation"].is_null());
    let answer = soft.get(&options);
    let claim = Claim::read(&answer).expect("a claim");
    assert_eq!((claim.credential_id, claim.user), (passkey.id(), Some(anna())));
    site().finish_authentication(state, &answer, &passkey, NOW).expect("signs in");

    soft.handle = None;
    assert_eq!(sign_in(&soft, &passkey, SignIn::Nameless), Err(FactorError::WrongPasskey));
    soft.handle = Some(UserHandle::from_bytes([8; 16]).to_string());
    assert_eq!(sign_in(&soft, &passkey, SignIn::Nameless), Err(FactorError::WrongPasskey));
}

#[test]
fn windows_hello_signs_with_rsa() {
    let mut soft = Soft::rsa(9);
    let passkey = register(&mut soft, Role::OnlyFactor).expect("registers");
    assert!(sign_in(&soft, &passkey, SignIn::Nameless).is_ok());
    soft.break_signature = true;
    assert!(sign_in(&soft, &passkey, SignIn::Nameless).is_err());
}

#[test]
fn a_second_factor_need_not_ask_who_is_there() {
    let mut soft = Soft::new(1);
    soft.flags = UP;
    assert_eq!(register(&mut soft, Role::OnlyFactor).err(), Some(FactorError::NotVerified));
    let passkey = register(&mut soft, Role::SecondFactor).expect("registers");
    let list = [passkey.clone()];
    let (options, _) = site().begin_authentication(SignIn::SecondFactor(&list), NOW).expect("options");
    assert_eq!(options["userVerification"], "preferred");
    assert_eq!(sign_in(&soft, &passkey, SignIn::SecondFactor(&list)).map(|r| r.user_verified), Ok(false));
    assert_eq!(sign_in(&soft, &passkey, SignIn::OnlyFactor(&list)), Err(FactorError::NotVerified));
    assert_eq!(sign_in(&soft, &passkey, SignIn::Nameless), Err(FactorError::NotVerified));
}

#[test]
fn what_was_verified_once_stays_so() {
    let mut soft = Soft::new(1);
    let passkey = register(&mut soft, Role::SecondFactor).expect("registers");
    let list = [passkey.clone()];
    let (options, _) = site().begin_authentication(SignIn::SecondFactor(&list), NOW).expect("options");
    assert_eq!(options["userVerification"], "required");
    assert_eq!(sign_in(&soft, &passkey, SignIn::SecondFactor(&list)).map(|r| r.user_verified), Ok(true));
    soft.flags = UP;
    assert_eq!(sign_in(&soft, &passkey, SignIn::SecondFactor(&list)), Err(FactorError::NotVerified));
}

#[test]
fn every_tampered_sign_in_is_refused() {
    let refused = |error: FactorError| matches!(error, FactorError::Refused(_));
    assert!(refused(tampered(|s| s.challenge = Some("A".repeat(43)))));
    assert!(refused(tampered(|s| s.origin = "https://lectern.example.org.evil.net".into())));
    assert!(refused(tampered(|s| s.origin = "http://lectern.example.org".into())));
    assert!(refused(tampered(|s| s.origin = "https://lectern.example.org:9".into())));
    assert!(refused(tampered(|s| s.rp_id = "evil.net".into())));
    assert!(refused(tampered(|s| s.flags = UV)));
    assert!(refused(tampered(|s| s.cross_origin = true)));
    assert!(refused(tampered(|s| s.kind = Some("webauthn.create"))));
    assert!(refused(tampered(|s| s.flags |= BE)));
    assert!(refused(tampered(|s| s.flags |= BS)));
    assert!(refused(tampered(|s| s.break_signature = true)));
    assert_eq!(tampered(|s| s.flags = UP), FactorError::NotVerified);
    assert_eq!(tampered(|s| s.id = vec![9; 20]), FactorError::WrongPasskey);
    assert_eq!(
        tampered(|s| s.handle = Some(UserHandle::from_bytes([8; 16]).to_string())),
        FactorError::WrongPasskey
    );
    // Another key under the same id.
    let stranger = tampered(|s| {
        *s = Soft::new(4);
        (s.id, s.counter) = (vec![3; 20], 9);
    });
    assert_eq!(stranger, FactorError::Refused("its signature is wrong"));
}

#[test]
fn every_tampered_registration_is_refused() {
    let refused = |change: fn(&mut Soft)| {
        let mut soft = Soft::new(3);
        change(&mut soft);
        matches!(register(&mut soft, Role::OnlyFactor), Err(FactorError::Refused(_)))
    };
    assert!(!refused(|_| ()));
    assert!(refused(|s| s.challenge = Some("A".repeat(43))));
    assert!(refused(|s| s.origin = "https://evil.net".into()));
    assert!(refused(|s| s.rp_id = "evil.net".into()));
    assert!(refused(|s| s.flags = UV));
    assert!(refused(|s| s.flags = UP | UV | BS));
    assert!(refused(|s| s.cross_origin = true));
    assert!(refused(|s| s.kind = Some("webauthn.get")));
    let mut soft = Soft::new(3);
    soft.algorithm = -257;
    assert!(register(&mut soft, Role::OnlyFactor).is_err());
    let (options, state) = begin(Role::OnlyFactor, &[CredentialId::from_bytes(&[3; 20]).expect("an id")]);
    assert!(site().finish_registration(state, &soft.create(&options), NOW).is_err());
}

#[test]
fn a_counter_that_does_not_rise_shows_a_copy() {
    assert_eq!(tampered(|s| s.counter = 4), FactorError::Cloned);
    assert_eq!(tampered(|s| s.counter = 3), FactorError::Cloned);
    assert_eq!(tampered(|s| s.counter = 0), FactorError::Cloned);
    let mut soft = Soft::new(3);
    let mut passkey = register(&mut soft, Role::SecondFactor).expect("registers");
    let list = [passkey.clone()];
    let (options, state) = site().begin_authentication(SignIn::SecondFactor(&list), NOW).expect("options");
    soft.counter = 6;
    let result = sign_in(&soft, &passkey, SignIn::SecondFactor(&list)).expect("signs in");
    passkey.update(&result);
    // The state is from before that sign-in; the stored passkey knows better.
    soft.counter = 5;
    let late = site().finish_authentication(state, &soft.get(&options), &passkey, NOW);
    assert_eq!(late, Err(FactorError::Cloned));
}

#[test]
fn only_those_who_were_asked_may_answer() {
    let (mut first, mut second) = (Soft::new(1), Soft::new(2));
    let asked = [register(&mut first, Role::OnlyFactor).expect("registers")];
    let other = register(&mut second, Role::OnlyFactor).expect("registers");
    for how in [SignIn::OnlyFactor(&asked), SignIn::SecondFactor(&asked)] {
        assert_eq!(sign_in(&second, &other, how), Err(FactorError::WrongPasskey));
        assert_eq!(sign_in(&second, &asked[0], how), Err(FactorError::WrongPasskey));
        assert!(sign_in(&first, &asked[0], how).is_ok());
    }
    for how in [SignIn::OnlyFactor(&[]), SignIn::SecondFactor(&[])] {
        assert_eq!(site().begin_authentication(how, NOW).err(), Some(FactorError::NoPasskey));
    }
}

#[test]
fn five_minutes_and_no_more() {
    let mut soft = Soft::new(1);
    for (later, good) in
        [(0, true), (5 * MINUTE, true), (5 * MINUTE + 1, false), (-1, false), (i64::MAX, false)]
    {
        let (options, state) = begin(Role::OnlyFactor, &[]);
        let made =
            site().finish_registration(stored(&state), &soft.create(&options), NOW.saturating_add(later));
        assert_eq!(made.is_ok(), good, "{later}");
        let passkey = register(&mut soft, Role::OnlyFactor).expect("registers");
        let (options, state) = site().begin_authentication(SignIn::Nameless, NOW).expect("options");
        let end = NOW.saturating_add(later);
        let result = site().finish_authentication(state, &soft.get(&options), &passkey, end);
        assert_eq!(result.err(), (!good).then_some(FactorError::Expired), "{later}");
    }
}

#[test]
fn names_are_needed() {
    let new = |user_name, display_name| NewPasskey {
        user: anna(),
        user_name,
        display_name,
        existing: &[],
        role: Role::OnlyFactor,
    };
    assert_eq!(site().begin_registration(&new(" ", "Anna"), NOW).err(), Some(FactorError::NoName));
    let (options, _) = site().begin_registration(&new("anna", ""), NOW).expect("options");
    assert_eq!(options["user"]["displayName"], "anna");
}

#[test]
fn ids_and_handles_are_base64url() {
    assert_eq!(anna().to_string().parse(), Ok(anna()));
    assert_ne!(UserHandle::generate(), UserHandle::generate());
    assert!("AAAA".parse::<UserHandle>().is_err() && "+/==".parse::<CredentialId>().is_err());
    assert!("".parse::<CredentialId>().is_err() && CredentialId::from_bytes(&[0; 1024]).is_err());
    assert_eq!(
        serde_json::to_string(&CredentialId::from_bytes(&[255]).expect("an id")).expect("writes"),
        "\"_w\""
    );
}
