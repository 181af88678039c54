//! Upload, states, text, change, delete.

use lectern_testkit::{Options, TestApp, fixture};
use serde_json::json;

use crate::LECTERN;

#[test]
fn a_document_goes_in_is_shown_changed_downloaded_and_deleted() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let sent = admin.upload(
        "pump.md",
        fixture::PUMP.as_bytes(),
        &[("collection", "Plant"), ("tags", "pumps, P-117"), ("path", "plant/pump.md")],
    );
    assert!(sent.headers.contains_key("location"));
    let sent = sent.expect(201);
    let id = sent["id"].as_str().unwrap();
    let view = admin.wait(id);
    assert_eq!(view["status"], "ready", "{view}");
    assert_eq!(
        (&view["type"], &view["language"], &view["collection"]),
        (&json!("md"), &json!("en"), &json!("Plant"))
    );
    assert_eq!((&view["tags"], &view["source"]), (&json!(["P-117", "pumps"]), &json!("plant/pump.md")));
    assert_eq!(view["title"], "Feed pump P-117");

    let text = admin.get(&format!("/documents/{id}/text")).expect(200);
    let whole = text["text"].as_str().unwrap();
    assert!(whole.contains("Ingrid Dahl is responsible"));
    let heading = text["blocks"].as_array().unwrap().iter().find(|b| b["kind"] == "heading").unwrap();
    let (start, end) =
        (heading["start"].as_u64().unwrap() as usize, heading["end"].as_u64().unwrap() as usize);
    assert_eq!(whole.chars().skip(start).take(end - start).collect::<String>(), "Feed pump P-117");
    let part = admin.get(&format!("/documents/{id}/text?from=5&to=9")).expect(200);
    assert_eq!(part["text"], whole.chars().skip(5).take(4).collect::<String>());

    let file = admin.get(&format!("/documents/{id}/original"));
    assert_eq!((file.status, file.text().as_str()), (200, fixture::PUMP));
    assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));

    let patched =
        admin.patch(&format!("/documents/{id}"), &json!({ "title": "Pump", "collection": null })).expect(200);
    assert_eq!((&patched["title"], &patched["collection"]), (&json!("Pump"), &json!(null)));
    assert_eq!(admin.get("/search?q=title:pump").expect(200)["total"], json!(view["passages"]));
    assert_eq!(admin.get("/search?q=seal&collection=Plant").expect(200)["total"], 0);
    admin.patch(&format!("/documents/{id}"), &json!({ "title": " " })).problem(422);
    admin.patch(&format!("/documents/{id}"), &json!({ "status": "ready" })).problem(422);

    assert_eq!(admin.delete(&format!("/documents/{id}")).status, 204);
    assert_eq!(admin.get("/search?q=seal").expect(200)["total"], 0);
    assert_eq!(admin.get(&format!("/documents/{id}")).problem(404), "not_found");
    assert_eq!(admin.get(&format!("/documents/{id}/original")).problem(404), "not_found");
    let left = walk(&app.data().join("tenants/main/blobs"));
    assert_eq!(left, 0, "the original is gone from the disk");
}

fn walk(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| if e.path().is_dir() { walk(&e.path()) } else { 1 })
        .sum()
}

#[test]
fn the_same_bytes_are_one_document() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let first = admin.upload("a.txt", b"some text that is here twice", &[]).expect(201);
    let second = admin.upload("b.txt", b"some text that is here twice", &[]).expect(200);
    assert_eq!(first["id"], second["id"]);
    assert_eq!(admin.get("/documents").expect(200)["total"], 1);
}

#[test]
fn bad_files_fail_with_one_sentence_and_a_hint() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    assert_eq!(admin.upload("empty.txt", b"", &[]).problem(422), "invalid_field");
    let cut = admin.add("cut.pdf", &fixture::pdf("hello")[..60]);
    assert_eq!(cut["status"], "failed", "{cut}");
    assert_eq!(cut["problem"]["code"], "damaged", "{cut}");
    assert!(cut["problem"]["hint"].is_string());
    let program = admin.add("program.exe", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0 not a document");
    assert_eq!(program["problem"]["code"], "unsupported", "{program}");
    let page = admin.get("/documents?status=failed&sort=title").expect(200);
    assert_eq!(page["total"], 2);
    let id = cut["id"].as_str().unwrap();
    assert_eq!(admin.post(&format!("/documents/{id}/retry"), &json!({})).status, 202);
    assert_eq!(admin.wait(id)["status"], "failed");
    assert_eq!(admin.get(&format!("/documents/{id}/text")).problem(409), "conflict");
    let fine = admin.add("fine.pdf", &fixture::pdf("Hello from a page"));
    assert_eq!((&fine["status"], &fine["pages"]), (&json!("ready"), &json!(1)), "{fine}");
}

#[test]
fn an_upload_over_the_limit_is_refused_and_leaves_nothing() {
    let app = TestApp::start_with(
        LECTERN,
        Options { config: "[upload]\nmax_size = \"1 MB\"\n".into(), ..Options::default() },
    );
    let admin = app.admin();
    assert_eq!(admin.upload("big.txt", &vec![b'x'; 1_000_001], &[]).problem(413), "too_large");
    assert_eq!(walk(&app.data().join("tenants/main/incoming")), 0);
    assert_eq!(admin.get("/documents").expect(200)["total"], 0);
}

#[test]
fn many_are_listed_by_pages_filtered_and_handled_at_once() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let ids: Vec<String> = (0..7)
        .map(|n| {
            let sent = admin.upload(
                &format!("n{n}.txt"),
                format!("number {n} of the list").as_bytes(),
                &[("collection", if n < 3 { "few" } else { "more" })],
            );
            sent.expect(201)["id"].as_str().unwrap().to_owned()
        })
        .collect();
    for id in &ids {
        assert_eq!(admin.wait(id)["status"], "ready");
    }
    for sort in ["-created_at", "created_at", "title", "-size_bytes"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = admin.get(&format!("/documents?sort={sort}&limit=3&cursor={cursor}")).expect(200);
            assert_eq!(page["total"], 7);
            seen.extend(
                page["items"].as_array().unwrap().iter().map(|d| d["id"].as_str().unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        seen.sort();
        let mut all = ids.clone();
        all.sort();
        assert_eq!(seen, all, "{sort}");
    }
    assert_eq!(admin.get("/documents?collection=few").expect(200)["total"], 3);
    assert_eq!(admin.get("/documents?q=n5").expect(200)["total"], 1);
    assert_eq!(admin.get("/documents?cursor=nonsense").problem(400), "invalid_cursor");
    assert_eq!(admin.get("/documents?colour=red").problem(400), "invalid_request");
    let facets = admin.get("/documents/facets").expect(200);
    assert_eq!(
        facets["collections"],
        json!([{ "value": "more", "count": 4 }, { "value": "few", "count": 3 }])
    );

    let tagged = admin
        .post("/documents/bulk", &json!({ "action": "add_tags", "ids": ids[..2], "tags": ["seen"] }))
        .expect(200);
    assert!(tagged["results"].as_array().unwrap().iter().all(|r| r["ok"] == true));
    assert_eq!(admin.get("/search?q=number&tag=seen").expect(200)["total"], 2);
    let gone = admin
        .post("/documents/bulk", &json!({ "action": "delete", "ids": [ids[0], "doc_unknown"] }))
        .expect(200);
    assert_eq!((&gone["results"][0]["ok"], &gone["results"][1]["ok"]), (&json!(true), &json!(false)));
    assert_eq!(admin.get("/documents").expect(200)["total"], 6);
}

#[test]
fn live_events_tell_of_a_document_until_it_is_ready() {
    use std::io::{BufRead, BufReader};
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let stream = admin.request("GET", "/events").send().unwrap();
    let id =
        admin.upload("pump.md", fixture::PUMP.as_bytes(), &[]).expect(201)["id"].as_str().unwrap().to_owned();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let ready = lines.take(500).find(|line| line.contains(&id) && line.contains("\"status\":\"ready\""));
    assert!(ready.is_some());
}
