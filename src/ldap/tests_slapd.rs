//! Against OpenLDAP's slapd, which `tests/slapd.sh` unpacks; `SLAPD_DIR` says where. Without it these tests skip themselves.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use async_trait::async_trait;
use ldap3::LdapConnAsync;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::StepKind::{Bind, Connect, GroupBase, Tls, UserBase, Users};
use crate::tests::{INJECTIONS, config};
use crate::tests_hostile::Open;
use crate::{Dial, DialError, Directory, DirectoryConfig, Kind, Refusal};

const SERVICE: &str = "the secret of the service";
const PASSWORD: &str = "corr\u{e9}ct horse";

/// What is there before people and groups.
const PEOPLE: &str = "\
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

dn: ou=empty,dc=example,dc=org
objectClass: organizationalUnit
ou: empty

dn: ou=elsewhere,dc=example,dc=org
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:9/dc=other

dn: cn=service,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: service
userPassword: the secret of the service

";

/// A comma, brackets, an asterisk and a backslash in the name of the entry itself.
const STAR: &str = r"dn: cn=Star\, A* (Ops)\\,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: star
cn: Star, A* (Ops)\
sn: Star
mail: star@example.org
userPassword: corréct horse

";

fn person(uid: &str, rdn: &str, mail: &str) -> String {
    format!(
        "dn: {rdn},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid} of Example\nsn: x\n\
         mail: {mail}\nuserPassword: {PASSWORD}\n\n"
    )
}

fn group(name: &str, members: &[&str]) -> String {
    let members: Vec<_> = members.iter().map(|dn| format!("member: {dn},dc=example,dc=org\n")).collect();
    let members = members.concat();
    format!("dn: cn={name},ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\n{members}\n")
}

fn data() -> String {
    let mut ldif = PEOPLE.to_owned();
    ldif += &person("alice", "uid=alice", "alice@example.org");
    ldif += &person("bob", "uid=bob", "alice@example.org");
    ldif += STAR;
    for n in 0..30 {
        ldif += &person(&format!("user{n}"), &format!("uid=user{n}"), &format!("user{n}@example.org"));
    }
    ldif += &person("nopassword", "uid=nopassword", "none@example.org")
        .replace(&format!("userPassword: {PASSWORD}\n"), "");
    ldif += &group("team", &["uid=alice,ou=people", "cn=Star\\, A* (Ops)\\\\,ou=people"]);
    ldif += &group("Red\\, \\28old\\29", &["uid=alice,ou=people"]);
    // department and division hold each other.
    ldif += &group("department", &["cn=team,ou=groups", "cn=division,ou=groups"]);
    ldif += &group("division", &["cn=department,ou=groups"]);
    ldif += &group("company", &["cn=division,ou=groups"]);
    ldif += &group("others", &["uid=bob,ou=people"]);
    ldif += "dn: cn=unix,ou=groups,dc=example,dc=org\nobjectClass: posixGroup\ngidNumber: 1\nmemberUid: alice\n\n";
    ldif
}

/// A running slapd that ends with the test.
struct Slapd {
    child: Child,
    folder: TempDir,
    plain: u16,
    tls: u16,
    authority: String,
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

/// Takes every host for this machine.
struct Home;

#[async_trait]
impl Dial for Home {
    async fn dial(&self, _host: &str, port: u16) -> Result<tokio::net::TcpStream, DialError> {
        Open.dial("127.0.0.1", port).await
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A new authority as PEM, and a certificate and key for 127.0.0.1 and localhost.
fn certificates() -> (String, String, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

impl Slapd {
    fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// With more lines of its configuration.
    fn start_with(more: &str) -> Option<Self> {
        let unpacked = unpacked()?;
        let folder = TempDir::new().unwrap();
        let at = folder.path();
        let (authority, certificate, key) = certificates();
        for (name, text) in
            [("ca.pem", &authority), ("cert.pem", &certificate), ("key.pem", &key), ("data.ldif", &data())]
        {
            fs::write(at.join(name), text).unwrap();
        }
        fs::create_dir(at.join("db")).unwrap();
        fs::write(at.join("slapd.conf"), settings(&unpacked, at, more)).unwrap();
        let conf = at.join("slapd.conf");
        let added = Command::new(unpacked.join("slapadd"))
            .arg("-f")
            .arg(&conf)
            .arg("-l")
            .arg(at.join("data.ldif"))
            .output();
        let added = added.unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let (plain, tls) = (free_port(), free_port());
        let child = Command::new(unpacked.join("slapd"))
            .arg("-f")
            .arg(&conf)
            .args(["-h", &format!("ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}"), "-d", "0"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut slapd = Self { child, folder, plain, tls, authority };
        slapd.wait();
        Some(slapd)
    }

    fn wait(&mut self) {
        while TcpStream::connect(("127.0.0.1", self.tls)).is_err() {
            assert!(self.child.try_wait().unwrap().is_none(), "slapd ended; see {:?}", self.folder.path());
            sleep(Duration::from_millis(20));
        }
    }

    fn config(&self) -> DirectoryConfig {
        let mut config = config(Kind::OpenLdap, &format!("ldaps://127.0.0.1:{}", self.tls));
        config.authorities = Some(self.authority.clone());
        config.groups.base = Some("ou=groups,dc=example,dc=org".to_owned());
        config
    }

    fn directory(&self, change: impl FnOnce(&mut DirectoryConfig)) -> Directory {
        let mut config = self.config();
        change(&mut config);
        open(config, SERVICE)
    }

    fn plain_url(&self) -> Vec<String> {
        vec![format!("ldap://localhost:{}", self.plain)]
    }
}

fn settings(unpacked: &Path, at: &Path, more: &str) -> String {
    let (unpacked, at) = (unpacked.display(), at.display());
    let schema = |name: &str| format!("include {unpacked}/schema/{name}.schema\n");
    let schemas: String =
        ["core", "cosine", "inetorgperson", "nis"].iter().map(|name| schema(name)).collect();
    format!(
        "{schemas}modulepath {unpacked}/modules\nmoduleload back_mdb\nmoduleload memberof\npidfile {at}/pid\n\
         TLSCACertificateFile {at}/ca.pem\nTLSCertificateFile {at}/cert.pem\nTLSCertificateKeyFile {at}/key.pem\n\
         allow bind_anon_dn\ndatabase mdb\nsuffix dc=example,dc=org\ndirectory {at}/db\nmaxsize 67108864\n\
         access to attrs=userPassword by anonymous auth\n\
         access to * by dn.exact=cn=service,dc=example,dc=org read by * none\n{more}\n"
    )
}

fn open(config: DirectoryConfig, password: &str) -> Directory {
    Directory::new(config, Zeroizing::new(password.to_owned()), Arc::new(Open)).unwrap()
}

fn field(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Misconfigured { field, .. } => field,
        other => panic!("{other:?}"),
    }
}

async fn group_names(directory: &Directory, user: &str) -> Vec<String> {
    let mut names: Vec<_> =
        directory.lookup(user).await.unwrap().groups.into_iter().map(|group| group.name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn people_sign_in_with_their_password_and_no_other() {
    let Some(slapd) = Slapd::start() else { return };
    let directory = slapd.directory(|_| {});
    let alice = directory.sign_in("alice", PASSWORD).await.unwrap();
    assert_eq!(alice.dn, "uid=alice,ou=people,dc=example,dc=org");
    assert_eq!((alice.user_name.as_str(), alice.name.as_str()), ("alice", "alice of Example"));
    assert_eq!(alice.email.as_deref(), Some("alice@example.org"));
    assert!(alice.id.len() == 32 && alice.id.bytes().all(|b| b.is_ascii_hexdigit()), "{}", alice.id);
    assert_eq!(directory.lookup("ALICE").await.unwrap(), alice);
    assert_eq!(directory.groups(&alice).await.unwrap(), alice.groups);
    for (user, password) in
        [("alice", "wrong"), ("alice", SERVICE), ("alice", "\0"), ("nopassword", PASSWORD)]
    {
        assert_eq!(directory.sign_in(user, password).await, Err(Refusal::WrongCredentials), "{user}");
    }
    let long = format!("{PASSWORD}\0");
    assert_eq!(directory.sign_in("alice", &long).await, Err(Refusal::WrongCredentials));
    assert_eq!(directory.sign_in("carol", PASSWORD).await, Err(Refusal::NotFound));
    assert_eq!(directory.lookup("carol").await, Err(Refusal::NotFound));
    // The entry's own name has all that filters and names give a meaning to.
    let star = directory.sign_in("star@example.org", PASSWORD).await.unwrap();
    assert_eq!(star.groups.len(), 1, "{star:?}");
    assert_eq!(star.groups[0].name, "team");
}

#[tokio::test]
async fn an_empty_password_is_nobodys_though_the_server_takes_it() {
    let Some(slapd) = Slapd::start() else { return };
    let directory = slapd.directory(|_| {});
    let alice = directory.lookup("alice").await.unwrap();
    let (conn, mut ldap) = LdapConnAsync::new(&slapd.plain_url()[0]).await.unwrap();
    let taken = tokio::select! {
        taken = ldap.simple_bind(&alice.dn, "") => taken.unwrap(),
        ended = conn.drive() => panic!("{ended:?}"),
    };
    assert_eq!(taken.rc, 0, "{taken}");
    assert_eq!(directory.sign_in("alice", "").await, Err(Refusal::WrongCredentials));
    let none = Directory::new(slapd.config(), Zeroizing::new(String::new()), Arc::new(Open)).unwrap_err();
    assert_eq!(field(&none), "bind_password");
}

#[tokio::test]
async fn injected_text_finds_nobody() {
    let Some(slapd) = Slapd::start() else { return };
    let directory = slapd.directory(|_| {});
    for text in INJECTIONS {
        assert_eq!(directory.lookup(text).await, Err(Refusal::NotFound), "{text:?}");
        assert_eq!(directory.sign_in(text, PASSWORD).await, Err(Refusal::NotFound), "{text:?}");
    }
    // The same asterisk unescaped finds people, so it was the escaping that found nobody.
    assert_eq!(directory.test().await.users, Some(34));
}

#[tokio::test]
async fn encryption_is_starttls_or_from_the_beginning() {
    let Some(slapd) = Slapd::start_with("security simple_bind=128") else { return };
    let starttls = slapd.directory(|c| (c.urls, c.starttls) = (slapd.plain_url(), true));
    assert_eq!(starttls.sign_in("alice", PASSWORD).await.unwrap().user_name, "alice");
    assert_eq!(starttls.sign_in("alice", "wrong").await, Err(Refusal::WrongCredentials));
    // This server takes no passwords unencrypted, so the others were encrypted.
    let plain = slapd.directory(|c| (c.urls, c.allow_plain) = (slapd.plain_url(), true));
    assert_eq!(field(&plain.sign_in("alice", PASSWORD).await.unwrap_err()), "starttls");
}

#[tokio::test]
async fn only_the_given_authority_is_trusted() {
    let Some(slapd) = Slapd::start() else { return };
    let other = certificates().0;
    for (urls, starttls) in [(slapd.config().urls, false), (slapd.plain_url(), true)] {
        let wrong = slapd.directory(|c| {
            (c.urls, c.starttls, c.authorities) = (urls.clone(), starttls, Some(other.clone()));
        });
        let refusal = wrong.sign_in("alice", PASSWORD).await.unwrap_err();
        assert_eq!(field(&refusal), "authorities");
        assert!(refusal.to_string().contains("not trusted"), "{refusal}");
        let both = slapd.directory(|c| {
            c.authorities = Some(format!("{other}{}", slapd.authority));
            (c.urls, c.starttls) = (urls.clone(), starttls);
        });
        assert!(both.sign_in("alice", PASSWORD).await.is_ok());
    }
    let mut config = slapd.config();
    config.urls = vec![format!("ldaps://directory.example.org:{}", slapd.tls)];
    let named = Directory::new(config, Zeroizing::new(SERVICE.to_owned()), Arc::new(Home)).unwrap();
    let refusal = named.lookup("alice").await.unwrap_err();
    assert!(field(&refusal) == "urls" && refusal.to_string().contains("for other names"), "{refusal}");
    let not_tls = slapd.directory(|c| c.urls = vec![format!("ldaps://127.0.0.1:{}", slapd.plain)]);
    assert!(matches!(not_tls.lookup("alice").await, Err(Refusal::Unavailable { .. })));
}

#[tokio::test]
async fn a_server_that_is_away_is_told_with_a_hint() {
    let Some(mut slapd) = Slapd::start() else { return };
    let directory = slapd.directory(|_| {});
    let second = slapd.directory(|c| c.urls.insert(0, format!("ldaps://127.0.0.1:{}", free_port())));
    assert!(second.sign_in("alice", PASSWORD).await.is_ok());
    assert!(directory.sign_in("alice", PASSWORD).await.is_ok());
    slapd.child.kill().unwrap();
    slapd.child.wait().unwrap();
    let refusal = directory.sign_in("alice", PASSWORD).await.unwrap_err();
    assert!(matches!(refusal, Refusal::Unavailable { .. }), "{refusal:?}");
    assert!(refusal.hint().contains("firewalls"), "{refusal:?}");
    let report = directory.test().await;
    assert_eq!(report.steps.len(), 1);
    assert!(!report.works() && report.steps[0].kind == Connect && report.steps[0].hint.is_some());
}

#[tokio::test]
async fn groups_in_groups_are_followed_to_their_end() {
    let Some(slapd) = Slapd::start() else { return };
    let direct = slapd.directory(|_| {});
    assert_eq!(group_names(&direct, "alice").await, ["Red, (old)", "team"]);
    let nested = slapd.directory(|c| c.groups.nested = true);
    let all = ["Red, (old)", "company", "department", "division", "team"];
    assert_eq!(group_names(&nested, "alice").await, all);
    assert_eq!(group_names(&nested, "bob").await, ["others"]);
    let two = slapd.directory(|c| (c.groups.nested, c.groups.max_depth) = (true, 2));
    assert_eq!(group_names(&two, "alice").await, ["Red, (old)", "department", "team"]);
    let few = slapd.directory(|c| (c.groups.nested, c.groups.max_groups) = (true, 4));
    assert_eq!(field(&few.lookup("alice").await.unwrap_err()), "groups.max_groups");
    let unix = slapd.directory(|c| {
        c.groups.filter = Some("(objectClass=posixGroup)".to_owned());
        c.groups.member = "memberUid".to_owned();
    });
    assert_eq!(group_names(&unix, "alice").await, ["unix"]);
}

#[tokio::test]
async fn one_user_name_is_one_person() {
    let Some(slapd) = Slapd::start() else { return };
    let directory = slapd.directory(|_| {});
    let refusal = directory.sign_in("alice@example.org", PASSWORD).await.unwrap_err();
    assert_eq!(field(&refusal), "user_filter");
    assert!(refusal.to_string().contains("more than one entry"), "{refusal}");
    let everybody =
        slapd.directory(|c| c.user_filter = Some("(|(uid={user})(objectClass=person))".to_owned()));
    assert_eq!(field(&everybody.lookup("alice").await.unwrap_err()), "user_filter");
}

#[tokio::test]
async fn the_entrys_own_groups_count_without_a_group_base() {
    let Some(slapd) = Slapd::start_with("overlay memberof") else { return };
    let directory = slapd.directory(|c| {
        c.groups.base = None;
        // No membership was noted while the data was loaded; any attribute with names will do.
        c.attributes.groups = Some("entryDN".to_owned());
    });
    assert_eq!(group_names(&directory, "alice").await, ["alice"]);
    let alice = directory.lookup("alice").await.unwrap();
    assert_eq!(directory.groups(&alice).await.unwrap(), alice.groups);
}

#[tokio::test]
async fn the_servers_limit_on_results_is_told() {
    let Some(slapd) = Slapd::start_with("sizelimit 10") else { return };
    let report = slapd.directory(|_| {}).test().await;
    assert_eq!((report.users, report.more_users, report.works()), (Some(10), true, true), "{report:?}");
    let report = slapd.directory(|c| c.limits.count_users = 5).test().await;
    assert_eq!((report.users, report.more_users), (Some(5), true));
    let report = slapd.directory(|c| c.user_filter = Some("(uid={user}9)".to_owned())).test().await;
    assert_eq!((report.users, report.more_users), (Some(3), false));
}

#[tokio::test]
async fn a_test_shows_every_step() {
    let Some(slapd) = Slapd::start() else { return };
    let report = slapd.directory(|_| {}).test().await;
    let kinds: Vec<_> = report.steps.iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [Connect, Tls, Bind, UserBase, Users, GroupBase]);
    assert!(report.works() && report.steps.iter().all(|step| step.ok && step.hint.is_none()), "{report:?}");
    assert_eq!((report.users, report.more_users), (Some(34), false));

    let away =
        slapd.directory(|c| c.urls.insert(0, format!("ldaps://127.0.0.1:{}", free_port()))).test().await;
    assert!(away.works() && !away.steps[0].ok && away.steps.len() == 7, "{away:?}");

    let failed = async |directory: Directory| {
        let report = directory.test().await;
        let last = report.steps.iter().find(|step| !step.ok).unwrap().clone();
        assert!(!report.works() && last.hint.is_some() && last.message.is_ascii(), "{last:?}");
        (last.kind, last.field.unwrap())
    };
    assert_eq!(failed(open(slapd.config(), "wrong")).await, (Bind, "bind_dn"));
    let other = certificates().0;
    assert_eq!(failed(slapd.directory(|c| c.authorities = Some(other))).await, (Tls, "authorities"));
    let base = |dn: &str| Some(format!("{dn},dc=example,dc=org"));
    assert_eq!(
        failed(slapd.directory(|c| c.user_base = base("ou=x").unwrap())).await,
        (UserBase, "user_base")
    );
    assert_eq!(
        failed(slapd.directory(|c| c.user_base = base("ou=empty").unwrap())).await,
        (Users, "user_filter")
    );
    let elsewhere = slapd.directory(|c| c.user_base = base("ou=elsewhere").unwrap());
    assert_eq!(failed(elsewhere).await, (UserBase, "user_base"));
    assert_eq!(failed(slapd.directory(|c| c.groups.base = base("ou=x"))).await, (GroupBase, "groups.base"));
    assert_eq!(
        failed(slapd.directory(|c| c.groups.base = base("ou=empty"))).await,
        (GroupBase, "groups.filter")
    );
    let no_id = slapd.directory(|c| c.attributes.id = Some("employeeNumber".to_owned()));
    assert_eq!(failed(no_id).await, (Users, "attributes.id"));
    // Anonymous people may see nothing here.
    let anonymous = slapd.directory(|c| c.bind_dn = String::new());
    assert_eq!(failed(anonymous).await, (UserBase, "user_base"));
}
