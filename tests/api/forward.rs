//! The record sent to other servers, through the binary: what was written while a server was down comes after a restart.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lectern_testkit::{Client, Options, TestApp, lectern};
use serde_json::{Value, json};

use crate::LECTERN;

const PATIENCE: Duration = Duration::from_secs(60);

/// All that connections bring, each until it ends.
fn listen(listener: TcpListener) -> Arc<Mutex<Vec<u8>>> {
    let got = Arc::<Mutex<Vec<u8>>>::default();
    let own = got.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut bytes = Vec::new();
            let _ = stream.unwrap().read_to_end(&mut bytes);
            own.lock().unwrap().extend(bytes);
        }
    });
    got
}

/// Entries of lines of JSON.
fn lines(bytes: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(bytes).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn until(got: &Arc<Mutex<Vec<u8>>>, name: &str) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let entries = lines(&got.lock().unwrap());
        if entries.iter().any(|entry| entry["after"]["name"] == name) {
            return entries;
        }
        assert!(started.elapsed() < PATIENCE, "'{name}' did not come: {entries:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn add(client: &Client, path: &str, kind: &str, address: &str) -> Value {
    let new = json!({"name": "SIEM", "kind": kind, "address": address, "format": "json"});
    client.post(path, &new).expect(201)
}

fn group(client: &Client, name: &str) {
    client.post("/groups", &json!({ "name": name })).expect(201);
}

#[test]
fn entries_written_while_a_server_was_down_come_after_kills_in_order_and_none_is_lost() {
    let mut app = TestApp::start(LECTERN);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    add(&app.admin(), "/audit/targets", "tcp", &address);
    for round in 0..3 {
        let admin = app.admin();
        for n in 0..40 {
            group(&admin, &format!("Group {round}-{n}"));
        }
        app.kill();
        app.start_again();
    }
    let waiting = app.admin().get("/audit/targets").expect(200)[0].clone();
    assert!(waiting["waiting"].as_u64().unwrap() >= 120, "{waiting}");
    app.kill();
    let got = listen(TcpListener::bind(&address).unwrap());
    app.start_again();
    group(&app.admin(), "Last");
    let entries = until(&got, "Last");
    let numbers: Vec<u64> = entries.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
    assert_eq!(entries[0]["action"], "forward.created");
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    let groups = entries.iter().filter(|entry| entry["action"] == "group.created").count();
    assert_eq!(groups, 121);
}

#[test]
fn a_collector_gets_requests_and_nothing_is_connected_that_nobody_saved() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::<Mutex<Vec<String>>>::default();
    let bodies = Arc::<Mutex<Vec<u8>>>::default();
    let (own_heads, own_bodies) = (heads.clone(), bodies.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (heads, bodies) = (own_heads.clone(), own_bodies.clone());
            std::thread::spawn(move || answer(stream.unwrap(), &heads, &bodies));
        }
    });
    for literal in ["169.254.169.254:514", "0.0.0.0:514", "224.0.0.1:514", "[fe80::1]:514"] {
        let new = json!({"name": "x", "kind": "udp", "address": literal, "format": "json"});
        assert_eq!(admin.post("/audit/targets", &new).problem(422), "invalid_field", "{literal}");
    }
    let new = json!({"name": "Collector", "kind": "https", "address": format!("http://{address}/in?channel=1"),
        "format": "json", "secret": "Bearer the-secret-value"});
    let made = admin.post("/appliance/audit/targets", &new).expect(201);
    let id = made["id"].as_str().unwrap();
    let tested = admin.post(&format!("/appliance/audit/targets/{id}/test"), &json!({})).expect(200);
    assert_eq!(tested["works"], true, "{tested}");
    admin
        .post("/tenants", &json!({"id": "acme", "name": "Acme", "owner_email": "zoe@acme.example"}))
        .expect(201);
    let entries = until(&bodies, "Acme");
    assert!(entries.iter().all(|entry| entry["log"] == "lectern.audit"), "{entries:?}");
    let head = heads.lock().unwrap()[0].to_lowercase();
    assert!(
        head.starts_with("post /in?channel=1 http/1.1")
            && head.contains("authorization: bearer the-secret-value"),
        "{head}"
    );
    let status = admin.get("/status").expect(200).to_string();
    assert!(
        status.contains(&format!("audit {id}"))
            && !status.contains("the-secret-value")
            && !status.contains("channel"),
        "{status}"
    );
}

/// Answers requests of one connection with 200.
fn answer(mut stream: TcpStream, heads: &Mutex<Vec<String>>, bodies: &Mutex<Vec<u8>>) {
    let mut waiting = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let whole = waiting.windows(4).position(|window| window == b"\r\n\r\n").and_then(|end| {
            let head = String::from_utf8_lossy(&waiting[..end]).into_owned();
            let named = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let length: usize = named.map_or(0, |text| text.trim().parse().unwrap());
            (waiting.len() >= end + 4 + length).then_some((head, end + 4, end + 4 + length))
        });
        if let Some((head, from, to)) = whole {
            heads.lock().unwrap().push(head);
            bodies.lock().unwrap().extend(waiting[from..to].iter());
            waiting.drain(..to);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            continue;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => waiting.extend_from_slice(&buffer[..length]),
        }
    }
}

#[test]
fn the_command_line_adds_tests_lists_and_removes() {
    let app = TestApp::start_with(LECTERN, Options::default());
    app.admin();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let got = listen(listener);
    let run = |arguments: &[&str]| {
        let output = lectern(LECTERN)
            .args(["audit", "forward"])
            .args(arguments)
            .arg("--data")
            .arg(app.data())
            .output();
        let output = output.unwrap();
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), told)
    };
    let (good, id) = run(&["add", "tcp", &address, "--name", "SIEM", "--format", "json"]);
    assert!(good, "{id}");
    let (good, told) = run(&["test", id.trim()]);
    assert!(good && told.contains("connected") && told.contains("sent"), "{told}");
    let (good, told) = run(&["list"]);
    assert!(good && told.contains("SIEM") && told.contains(&address), "{told}");
    let started = Instant::now();
    while !lines(&got.lock().unwrap()).iter().any(|entry| entry["action"] == "forward.created") {
        assert!(started.elapsed() < PATIENCE, "nothing came");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(run(&["remove", id.trim()]).0);
    let (good, told) = run(&["test", id.trim()]);
    assert!(!good && told.contains("no such target"), "{told}");
}
