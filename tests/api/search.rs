//! The query language, filters, highlights, cursors.

use lectern_testkit::{TestApp, fixture};

use crate::LECTERN;

#[test]
fn words_phrases_prefixes_typos_fields_and_boolean_queries() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let pump = admin.add("pump.md", fixture::PUMP.as_bytes());
    let canteen = admin.add("canteen.md", fixture::CANTEEN.as_bytes());
    let first = |query: &str| {
        let found = admin.send(admin.request("GET", "/search").query(&[("q", query)])).expect(200);
        found["hits"][0]["document"].clone()
    };
    for query in [
        "seals",
        "\"shaft seal\"",
        "lubric*",
        "brearing~",
        "seal AND hours",
        "pump -soup",
        "title:pump",
        "(soup OR seal) NOT canteen",
        "type:md seal",
    ] {
        assert_eq!(first(query), pump["id"], "{query}");
    }
    for query in ["soup", "canteen OR nothing", "\"pea soup\"", "NOT pump"] {
        assert_eq!(first(query), canteen["id"], "{query}");
    }
    assert!(first("\"seal shaft\"").is_null());
    for broken in ["(seal", "date:yesterday", "\"open"] {
        let answer = admin.send(admin.request("GET", "/search").query(&[("q", broken)]));
        assert!(answer.status == 200 || answer.problem(400) == "invalid_query", "{broken}");
    }
}

#[test]
fn a_hit_shows_where_and_what() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let pump = admin.add("pump.md", fixture::PUMP.as_bytes());
    let found = admin.get("/search?q=seal&facets=true").expect(200);
    let hit = &found["hits"][0];
    let snippet: Vec<char> = hit["snippet"].as_str().unwrap().chars().collect();
    let mark = &hit["highlights"][0];
    let (from, to) = (mark[0].as_u64().unwrap() as usize, mark[1].as_u64().unwrap() as usize);
    assert_eq!(snippet[from..to].iter().collect::<String>(), "seal");
    let text = admin.get(&format!("/documents/{}/text", pump["id"].as_str().unwrap())).expect(200);
    let (start, end) = (hit["start"].as_u64().unwrap() as usize, hit["end"].as_u64().unwrap() as usize);
    let passage: String = text["text"].as_str().unwrap().chars().skip(start).take(end - start).collect();
    assert!(passage.contains("shaft seal"), "{passage}");
    assert_eq!(found["facets"]["types"][0]["value"], "md");
}

#[test]
fn pages_of_hits_go_on_where_they_stopped() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let ids: Vec<_> = (0..9)
        .map(|n| {
            admin.upload(&format!("{n}.txt"), format!("common word and {n}").as_bytes(), &[]).expect(201)
        })
        .collect();
    for view in &ids {
        assert_eq!(admin.wait(view["id"].as_str().unwrap())["status"], "ready");
    }
    let (mut seen, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    for _ in 0..5 {
        let page = admin.get(&format!("/search?q=common&limit=2&cursor={cursor}")).expect(200);
        assert_eq!(page["total"], 9);
        seen.extend(
            page["hits"].as_array().unwrap().iter().map(|h| h["document"].as_str().unwrap().to_owned()),
        );
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!((seen.len(), cursor.as_str()), (9, ""));
    let first = admin.get("/search?q=common&limit=2").expect(200);
    let stolen = first["next_cursor"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/search?q=other&cursor={stolen}")).problem(400), "invalid_cursor");
}

#[test]
fn index_check_is_clean_and_rebuild_brings_all_back() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let pump = admin.add("pump.md", fixture::PUMP.as_bytes());
    let report = admin.post("/index/check", &serde_json::json!({})).expect(200);
    assert_eq!(report["clean"], true, "{report}");
    assert_eq!(admin.post("/index/rebuild", &serde_json::json!({})).expect(202)["queued"], 1);
    assert_eq!(admin.wait(pump["id"].as_str().unwrap())["status"], "ready");
    assert_eq!(admin.get("/search?q=seal").expect(200)["hits"][0]["document"], pump["id"]);
}
