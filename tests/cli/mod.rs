//! The command line, with the server running and without.

mod models;

use lectern_testkit::{TestApp, fixture, lectern};
use serde_json::Value;

use crate::LECTERN;

fn run(arguments: &[&str], data: &std::path::Path) -> (i32, String, String) {
    let output = lectern(LECTERN).args(arguments).arg("--data").arg(data).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn check_commands(data: &std::path::Path, folder: &std::path::Path) {
    let (code, out, err) =
        run(&["ingest", "--json", "--wait", "--collection", "Plant", folder.to_str().unwrap()], data);
    assert_eq!(code, 0, "{out}{err}");
    let lines: Vec<Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|l| l["status"] == "ready" && l["reason"].is_null()), "{out}");

    let (code, out, _) = run(&["search", "--json", "shaft seal"], data);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["hits"][0]["title"]), (0, &Value::from("Feed pump P-117")));

    let (code, out, _) = run(&["ask", "--json", "Who is responsible for the lubrication plan?"], data);
    let turn: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &turn["mode"]), (0, &Value::from("extractive")), "{out}");
    let citation = &turn["citations"][0];
    let (code, text, _) = run(&["document", "text", citation["document"].as_str().unwrap()], data);
    let (start, end) =
        (citation["start"].as_u64().unwrap() as usize, citation["end"].as_u64().unwrap() as usize);
    assert_eq!(
        (code, text.chars().skip(start).take(end - start).collect::<String>()),
        (0, citation["quote"].as_str().unwrap().to_owned())
    );

    let (code, _, _) = run(&["ask", "Which spacecraft first photographed the rings of Neptune?"], data);
    assert_eq!(code, 3);
    let (code, out, _) = run(&["index", "check", "--json"], data);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()["clean"].clone()), (0, Value::Bool(true)));
}

fn documents() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pump.md"), fixture::PUMP).unwrap();
    std::fs::write(folder.path().join("canteen.md"), fixture::CANTEEN).unwrap();
    folder
}

#[test]
fn commands_talk_to_the_running_appliance() {
    let app = TestApp::start(LECTERN);
    check_commands(app.data(), documents().path());
    assert_eq!(app.admin().get("/documents").expect(200)["total"], 2);
}

#[test]
fn commands_open_the_folder_when_nothing_runs() {
    let data = tempfile::tempdir().unwrap();
    check_commands(data.path(), documents().path());
}

#[test]
fn a_key_made_on_the_command_line_opens_the_api() {
    let app = TestApp::start(LECTERN);
    let (code, out, err) = run(&["key", "create", "robot"], app.data());
    assert_eq!(code, 0, "{err}");
    assert_eq!(app.anonymous().with_bearer(out.trim()).get("/documents").status, 200);
}

#[test]
fn speak_writes_a_wav_file_that_can_be_heard() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.wav");
    let output = lectern(LECTERN)
        .args(["speak", "Good morning. The pump is running.", "-o"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let wav = std::fs::read(file).unwrap();
    assert_eq!(&wav[..4], b"RIFF");
    assert_eq!(u32::from_le_bytes(wav[40..44].try_into().unwrap()) as usize, wav.len() - 44);
    assert!(wav.len() > 44_100);
}

#[test]
fn mistakes_are_told_and_exit_with_one() {
    let data = tempfile::tempdir().unwrap();
    let (code, _, err) = run(&["ingest", "/no/such/folder"], data.path());
    assert_eq!(code, 1);
    assert!(err.contains("/no/such/folder does not exist"), "{err}");
    let (code, _, err) = run(&["document", "text", "doc_nothing"], data.path());
    assert_eq!((code, err.contains("There is no such")), (1, true), "{err}");
}

#[test]
fn the_first_one_added_owns_main_and_operates_the_appliance() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let region = tempfile::tempdir().unwrap();
    let config = format!("[tenants]\nregions = [\"eu={}\"]\n", region.path().display());
    let add = |email: &str, more: &[&str]| {
        let mut command = lectern(LECTERN);
        command.args(["user", "add", email, "--name", "Somebody", "--data"]).arg(folder.path()).args(more);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"correct horse battery staple").unwrap();
        child.wait().unwrap().success()
    };
    assert!(add("ada@example.org", &[]) && add("ben@example.org", &[]));
    assert!(!add("carl@example.org", &["--tenant", "nowhere"]));
    let zip = folder.path().join("ben.zip");
    let (code, out, err) =
        run(&["user", "export", "Ben@example.org", "-o", zip.to_str().unwrap()], folder.path());
    assert_eq!(code, 0, "{out}{err}");
    let mut held = zip::ZipArchive::new(std::fs::File::open(&zip).unwrap()).unwrap();
    assert!(held.by_name("account/account.json").is_ok());
    let erase =
        |confirm: &str| run(&["user", "erase", "ben@example.org", "--confirm", confirm], folder.path());
    let (code, _, err) = erase("ada@example.org");
    assert_eq!((code, err.contains("confirm")), (1, true), "{err}");
    let (code, out, err) = erase("ben@example.org");
    assert_eq!((code, out.contains("accounts")), (0, true), "{out}{err}");
    let (code, _, err) = erase("ben@example.org");
    assert_eq!((code, err.contains("nobody with the e-mail")), (1, true), "{err}");
    assert!(add("ben@example.org", &[]), "and may be added again");
    std::fs::write(folder.path().join("lectern.toml"), &config).unwrap();
    let tenant =
        ["tenant", "create", "acme", "--name", "Acme", "--owner", "zoe@acme.example", "--region", "eu"];
    let (code, out, err) = run(&tenant, folder.path());
    assert_eq!(code, 0, "{out}{err}");
    assert!(add("otto@acme.example", &["--tenant", "acme", "--role", "owner"]));
    assert!(region.path().join("acme/data.db").exists() && !folder.path().join("tenants/acme").exists());
    let people = lectern(LECTERN)
        .args(["audit", "list", "--action", "user.created", "--json", "--data"])
        .arg(folder.path())
        .output();
    let people: Value = serde_json::from_slice(&people.unwrap().stdout).unwrap();
    let told = people["items"].as_array().unwrap().iter().filter(|entry| entry["forgotten"] == false);
    let roles: Vec<_> = told.map(|entry| entry["after"]["role"].clone()).collect();
    assert_eq!(roles, ["admin", "owner"], "the newest first: {people}");
}
