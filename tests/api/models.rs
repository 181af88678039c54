//! Models through HTTP: import, trial run in a child, choice, removal, refusals.

use std::path::Path;

use lectern_testkit::{Answer, Client, Options, TestApp};
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{LECTERN, shared};

fn import(client: &Client, fields: &[(&str, &str)], files: &[(&str, Vec<u8>)]) -> Answer {
    let mut form = Form::new();
    for (name, value) in fields {
        form = form.text((*name).to_owned(), (*value).to_owned());
    }
    for (name, bytes) in files {
        form = form.part("file", Part::bytes(bytes.clone()).file_name((*name).to_owned()));
    }
    client.send(client.request("POST", "/models").multipart(form))
}

fn read(path: &str) -> Option<Vec<u8>> {
    shared(path).map(|path| std::fs::read(path).unwrap())
}

fn left(app: &TestApp) -> Vec<String> {
    let names = |path: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|e| e.file_name().to_string_lossy().into_owned()).filter(|n| n != ".staging").collect()
    };
    let models = app.data().join("models");
    [names(&models), names(&models.join(".staging"))].concat()
}

fn item(client: &Client, name: &str) -> Value {
    let view = client.get("/models").expect(200);
    view["items"].as_array().unwrap().iter().find(|m| m["name"] == name).cloned().unwrap_or_default()
}

#[test]
fn a_known_model_comes_in_is_chosen_verified_and_removed() {
    let Some(silero) = read("data/vad/silero_vad.onnx") else { return };
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let before = admin.get("/models").expect(200);
    assert_eq!(
        (before["items"].as_array().unwrap().len(), before["runtime"]["name"].as_str()),
        (0, Some("RTen"))
    );
    let made = import(&admin, &[("id", "mine")], &[("silero_vad.onnx", silero.clone())]).expect(201);
    assert_eq!((made["name"].as_str(), made["known"].as_bool()), (Some("silero-vad"), Some(true)), "{made}");
    assert_eq!(made["in_use"], true);
    assert_eq!(import(&admin, &[], &[("silero_vad.onnx", silero)]).status, 200, "it is there already");
    let view = admin.get("/models").expect(200);
    assert_eq!(
        (view["imports"][1]["id"].as_str(), view["imports"][1]["state"].as_str()),
        (Some("mine"), Some("done"))
    );
    let checked = admin.post("/models/silero-vad/verify", &json!({})).expect(200);
    assert_eq!(checked["ok"], true, "{checked}");
    let off = admin.post("/models/silero-vad/use", &json!({ "in_use": false })).expect(200);
    assert_eq!(off["in_use"], false);
    let status = admin.get("/status").expect(200);
    assert_eq!(status["models"]["items"][0]["name"], "silero-vad");
    assert_eq!(status["models"]["runtime"]["name"], "RTen");
    assert_eq!(admin.delete("/models/silero-vad").status, 204);
    assert_eq!(admin.delete("/models/silero-vad").problem(404), "not_found");
    assert!(left(&app).is_empty(), "{:?}", left(&app));
}

#[test]
fn models_need_somebody_who_is_known() {
    let app = TestApp::start(LECTERN);
    app.admin();
    let nobody = app.anonymous();
    assert_eq!(nobody.get("/models").problem(401), "unauthenticated");
    assert_eq!(import(&nobody, &[], &[("x.onnx", vec![1])]).problem(401), "unauthenticated");
    assert_eq!(nobody.delete("/models/x").problem(401), "unauthenticated");
    assert_eq!(nobody.get("/models/events").problem(401), "unauthenticated");
}

#[test]
fn what_is_no_model_is_refused_with_its_reason_and_leaves_nothing() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let garbage: Vec<u8> = vec![0x0a; 75];
    for (files, reason) in [
        (vec![("x.onnx", garbage.clone())], "x.onnx"),
        (vec![("x.lectern-model", garbage.clone())], "no bundle"),
        (vec![("README.md", b"hello".to_vec())], "no ONNX file"),
        (vec![("encoder_model.onnx", garbage.clone())], "decoder_model.onnx"),
    ] {
        let answer = import(&admin, &[], &files);
        assert_eq!(answer.status, 422, "{}", answer.text());
        let told = answer.json();
        assert_eq!(told["code"], "model_refused");
        let text = told["detail"].as_str().unwrap();
        assert!(text.contains(reason) || reason == "x.onnx", "{text}");
        assert!(told["hint"].as_str().is_some_and(|h| !h.is_empty()) && !text.contains("/tmp"), "{told}");
    }
    assert_eq!(import(&admin, &[("name", "../up")], &[("x.onnx", garbage)]).problem(422), "model_refused");
    assert_eq!(import(&admin, &[], &[]).problem(400), "invalid_request");
    let imports = admin.get("/models").expect(200)["imports"].clone();
    assert!(
        imports
            .as_array()
            .unwrap()
            .iter()
            .all(|i| i["state"] == "failed" && i["problem"]["message"].is_string())
    );
    assert!(left(&app).is_empty(), "{:?}", left(&app));
}

#[test]
fn damaged_models_of_others_end_their_trial_run_not_the_server() {
    let Some(folder) = shared("data/hostile/models") else { return };
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let answer =
            import(&admin, &[("name", "hostile")], &[("hostile.onnx", std::fs::read(entry.path()).unwrap())]);
        assert_eq!(answer.problem(422), "model_refused", "{}", entry.path().display());
    }
    assert_eq!(admin.get("/healthz").status, 200);
    assert!(left(&app).is_empty());
}

#[test]
fn a_voice_whose_configuration_does_not_fit_is_refused_at_its_import() {
    let (Some(one), Some(four)) = (read("models/vits-tiny.onnx"), read("models/vits-tiny-4speakers.onnx"))
    else {
        return;
    };
    let (Some(config), Some(config4)) =
        (read("models/vits.onnx.json"), read("models/vits-4speakers.onnx.json"))
    else {
        return;
    };
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    for (graph, wrong) in [(&one, &config4), (&four, &config)] {
        let files = [("en_US-t-low.onnx", graph.clone()), ("en_US-t-low.onnx.json", wrong.clone())];
        assert_eq!(import(&admin, &[], &files).problem(422), "model_refused");
    }
    assert_eq!(import(&admin, &[], &[("en_US-t-low.onnx", one.clone())]).problem(422), "model_refused");
    let files = [("en_US-t-low.onnx", four), ("en_US-t-low.onnx.json", config4)];
    let voice = import(&admin, &[], &files).expect(201);
    assert_eq!(
        (voice["kind"].as_str(), voice["facts"]["speakers"].as_u64()),
        (Some("voice"), Some(4)),
        "{voice}"
    );
    assert!(voice["in_use"].is_null());
    assert_eq!(admin.post("/models/en_US-t-low/use", &json!({ "in_use": true })).problem(409), "conflict");
    let files = [("en_US-t-low.onnx", one), ("en_US-t-low.onnx.json", config)];
    assert_eq!(import(&admin, &[], &files).problem(409), "conflict", "the name is taken by another voice");
}

#[test]
fn a_changed_file_is_found_after_a_restart_and_a_kill_leaves_no_half_model() {
    let Some(silero) = read("data/vad/silero_vad.onnx") else { return };
    let mut app = TestApp::start(LECTERN);
    import(&app.admin(), &[("name", "v")], &[("v.onnx", silero)]).expect(201);
    app.kill();
    let half = app.data().join("models/.staging/req_x");
    std::fs::create_dir_all(&half).unwrap();
    std::fs::write(half.join("model.onnx"), b"half").unwrap();
    std::fs::write(app.data().join("models/v/model.onnx"), b"changed").unwrap();
    app.start_again();
    let admin = app.admin();
    assert_eq!(item(&admin, "v")["in_use"], true);
    let checked = admin.post("/models/v/verify", &json!({})).expect(200);
    assert_eq!(checked["ok"], false);
    assert!(checked["model"]["problem"].as_str().unwrap().contains("model.onnx"), "{checked}");
    assert_eq!(admin.post("/models/v/use", &json!({})).problem(409), "conflict");
    assert!(!half.exists());
}

#[test]
fn an_import_that_is_too_large_is_refused() {
    let config = "[models]\nmax_size = \"100 kB\"\n".to_owned();
    let app = TestApp::start_with(LECTERN, Options { config, ..Options::default() });
    let answer = import(&app.admin(), &[], &[("x.onnx", vec![0; 200_000])]);
    assert_eq!(answer.problem(413), "too_large");
    assert!(left(&app).is_empty());
}
