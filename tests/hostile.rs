//! Files made to break readers: each ends ready or failed, the appliance goes on and gives its memory back.

use std::path::{Path, PathBuf};

use lectern_testkit::{TestApp, fixture};

use crate::{LECTERN, shared};

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if entry.metadata().unwrap().len() > 0 {
            out.push(path);
        }
    }
}

fn resident_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn every_hostile_file_ends_as_ready_or_failed() {
    let Some(folder) = shared("data/hostile") else { return };
    let mut all = Vec::new();
    files(&folder, &mut all);
    all.sort();
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let before = resident_bytes(app.process());
    let sent: Vec<(PathBuf, String)> = all
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            let view = admin.upload(&name, &std::fs::read(path).unwrap(), &[]);
            assert!(view.status == 201 || view.status == 200, "{name}: {}", view.text());
            (path.clone(), view.json()["id"].as_str().unwrap().to_owned())
        })
        .collect();
    for (path, id) in &sent {
        let started = std::time::Instant::now();
        let view = loop {
            let view = admin.get(&format!("/documents/{id}")).expect(200);
            if view["status"] == "ready" || view["status"] == "failed" {
                break view;
            }
            assert!(started.elapsed().as_secs() < 600, "{}: {view}", path.display());
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        if view["status"] == "failed" {
            let (code, message) =
                (view["problem"]["code"].as_str().unwrap(), view["problem"]["message"].as_str().unwrap());
            assert_ne!(code, "internal", "{}: {message}", path.display());
            assert!(message.ends_with('.') && message.len() < 300, "{}: {message}", path.display());
        }
    }
    let fine = admin.add("fine.md", fixture::PUMP.as_bytes());
    assert_eq!(fine["status"], "ready");
    let grown = resident_bytes(app.process()).saturating_sub(before);
    assert!(grown < 400 << 20, "the server grew by {} MiB", grown >> 20);
}

#[test]
fn documents_with_passwords_ask_for_them() {
    let Some(folder) = shared("data/docs/encrypted") else { return };
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let file = folder.join("tika_testWORD_protected_passtika.docx");
    let view = admin.add("secret.docx", &std::fs::read(file).unwrap());
    assert_eq!(view["problem"]["code"], "encrypted", "{view}");
    let id = view["id"].as_str().unwrap();
    let again = |password: &str| {
        admin
            .post(&format!("/documents/{id}/retry"), &serde_json::json!({ "password": password }))
            .expect(202);
        admin.wait(id)
    };
    assert_eq!(again("not it")["problem"]["code"], "wrong_password");
    let opened = again("tika");
    assert_eq!(opened["status"], "ready", "{opened}");
}
