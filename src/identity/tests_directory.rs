//! Signing in with OpenLDAP's slapd, which `tests/slapd.sh` unpacks; `SLAPD_DIR` says where. Without it these tests skip
//! themselves.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::soft::{Soft, UP};
use crate::testing::{PASSWORD, Site};
use crate::tests_factors::code_at;
use crate::tests_passkeys::{ORIGIN, answered, register};
use crate::tests_providers::ldap;

const DATA: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=service,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: service
userPassword: the secret of the service

dn: uid=alice,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alice
cn: Alice of Example
sn: x
mail: alice@example.org
userPassword: pick seven quiet owls

dn: cn=team,ou=groups,dc=example,dc=org
objectClass: groupOfNames
member: uid=alice,ou=people,dc=example,dc=org

";
const ALICES: &str = "pick seven quiet owls";

/// Ends with the test.
struct Slapd {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[allow(clippy::disallowed_methods, reason = "tests find their data by it")]
fn unpacked() -> Option<PathBuf> {
    let folder = std::env::var_os("SLAPD_DIR").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: SLAPD_DIR does not say where slapd lies; see tests/slapd.sh");
    }
    folder
}

fn settings(unpacked: &Path, at: &Path) -> String {
    let (unpacked, at) = (unpacked.display(), at.display());
    let schemas =
        ["core", "cosine", "inetorgperson"].map(|name| format!("include {unpacked}/schema/{name}.schema\n"));
    format!(
        "{}modulepath {unpacked}/modules\nmoduleload back_mdb\npidfile {at}/pid\ndatabase mdb\n\
         suffix dc=example,dc=org\ndirectory {at}/db\nmaxsize 67108864\n\
         access to attrs=userPassword by anonymous auth\n\
         access to * by dn.exact=cn=service,dc=example,dc=org read by * none\n",
        schemas.concat()
    )
}

fn start() -> Option<Slapd> {
    let unpacked = unpacked()?;
    let folder = tempfile::tempdir().expect("folder");
    let (at, conf) = (folder.path(), folder.path().join("slapd.conf"));
    fs::create_dir(at.join("db")).expect("folder");
    fs::write(at.join("data.ldif"), DATA).expect("writes");
    fs::write(&conf, settings(&unpacked, at)).expect("writes");
    let add = Command::new(unpacked.join("slapadd"))
        .arg("-f")
        .arg(&conf)
        .arg("-l")
        .arg(at.join("data.ldif"))
        .output();
    let added = add.expect("runs");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    let port = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("an address").port();
    let mut slapd = Command::new(unpacked.join("slapd"));
    slapd
        .arg("-f")
        .arg(&conf)
        .args(["-h", &format!("ldap://127.0.0.1:{port}"), "-d", "0"])
        .stderr(Stdio::null());
    let mut slapd = Slapd { child: slapd.spawn().expect("starts"), port, _folder: folder };
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(slapd.child.try_wait().expect("is there").is_none(), "slapd ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(slapd)
}

#[actix_web::test]
async fn somebody_of_the_directory_comes_in_with_groups_and_a_second_factor() {
    let Some(slapd) = start() else { return };
    let site = Site::signed_in().await;
    let made = site.post("/sign-in/providers", ldap(&format!("ldap://127.0.0.1:{}", slapd.port))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["id"].as_str().expect("id").to_owned();
    let tested = site.post(&format!("/sign-in/providers/{id}/test"), json!({})).await.body;
    assert_eq!((&tested["works"], &tested["people"]), (&json!(true), &json!(1)), "{tested}");
    let body = |password: &str| json!({"provider": id, "email": "alice", "password": password});
    let mut browser = site.stranger();
    assert_eq!(browser.enter(body("wrong password")).await.code(), (401, "wrong_credentials"));
    assert_eq!(browser.enter(body("")).await.code(), (401, "wrong_credentials"), "no anonymous bind");
    let unknown = json!({"provider": id, "email": "*", "password": ALICES});
    assert_eq!(browser.enter(unknown).await.code(), (401, "wrong_credentials"));
    let entered = browser.enter(body(ALICES)).await;
    assert_eq!((entered.status, &entered.body["user"]["role"]), (201, &json!("editor")), "{}", entered.body);
    assert_eq!(entered.body["user"]["name"], "Alice of Example");
    browser.take(&entered);
    let here = browser.enter(json!({"email": "alice@example.org", "password": ALICES})).await;
    assert_eq!(here.code(), (401, "wrong_credentials"), "her password is not kept here");

    // She has no password here: the directory proves that it is her.
    assert_eq!(
        browser.post("/me/factors/totp", json!({"name": "x", "password": PASSWORD})).await.status,
        422
    );
    let begun = browser.post("/me/factors/totp", json!({"name": "Phone", "password": ALICES})).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let secret = begun.body["secret"].as_str().expect("secret");
    let confirm = json!({"id": begun.body["id"], "code": code_at(&site, secret)});
    assert_eq!(browser.post("/me/factors/totp/confirm", confirm).await.status, 201);
    site.wait(30);
    let stranger = site.stranger();
    assert_eq!(stranger.enter(body(ALICES)).await.code(), (401, "second_factor_required"));
    let mut with_code = body(ALICES);
    with_code["code"] = json!(code_at(&site, secret));
    assert_eq!(stranger.enter(with_code).await.status, 201);
    drop(slapd);
    assert_eq!(stranger.enter(body(ALICES)).await.code(), (502, "upstream_unavailable"));
    assert_eq!(stranger.enter(json!({})).await.status, 201, "passwords that are kept here still do");
}

#[actix_web::test]
async fn a_key_stands_beside_the_password_of_a_directory() {
    let Some(slapd) = start() else { return };
    let mut site = Site::signed_in().await;
    site.origin = Some(ORIGIN);
    let made = site.post("/sign-in/providers", ldap(&format!("ldap://127.0.0.1:{}", slapd.port))).await;
    let body = json!({"provider": made.body["id"], "email": "alice", "password": ALICES});
    let mut alice = site.stranger();
    let entered = alice.enter(body.clone()).await;
    alice.take(&entered);
    let mut soft = Soft::new(7);
    soft.flags = UP;
    let kept = register(&alice, &mut soft, json!({"second_only": true, "password": ALICES})).await;
    assert_eq!(kept.status, 201, "{}", kept.body);

    let browser = site.stranger();
    assert_eq!(browser.enter(body.clone()).await.code(), (401, "second_factor_required"));
    let alone = answered(&browser, &soft, json!({})).await;
    assert_eq!(browser.post("/session/passkey", alone).await.status, 401, "not alone");
    let both = answered(&browser, &soft, body.clone()).await;
    let inside = browser.post("/session/passkey", both).await;
    assert_eq!((inside.status, &inside.body["user"]["name"]), (201, &json!("Alice of Example")));
    let mut wrong = body;
    wrong["password"] = json!("wrong password");
    assert_eq!(browser.post("/session/passkey/options", wrong).await.code(), (401, "wrong_credentials"));
}

#[actix_web::test]
async fn names_of_a_directory_cannot_be_guessed_faster() {
    let Some(slapd) = start() else { return };
    let site = Site::signed_in().await;
    let made = site.post("/sign-in/providers", ldap(&format!("ldap://127.0.0.1:{}", slapd.port))).await;
    let mut browser = site.stranger();
    let addresses = ["10.6.0.1:1", "10.6.0.2:1", "10.6.0.3:1", "10.6.0.4:1", "10.6.0.5:1", "10.6.0.6:1"];
    for (n, address) in addresses.into_iter().enumerate() {
        browser.address = address;
        let guess = json!({"provider": made.body["id"], "email": " ALICE", "password": format!("guess {n}")});
        assert_eq!(browser.enter(guess).await.status, if n < 5 { 401 } else { 429 }, "{n}");
    }
}
