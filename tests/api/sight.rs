//! Access lists inside answers: whatever lists documents and collections have, nobody is told by any way of asking what they
//! do not see, and everybody is told what they see.

use lectern_testkit::{Client, TestApp};
use serde_json::{Value, json};

use crate::LECTERN;

const DOCUMENTS: usize = 14;
const PEOPLE: usize = 4;
const ROUNDS: u64 = 3;

/// A small xorshift generator: the same seed gives the same choices.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

struct Person {
    client: Client,
    id: String,
    groups: Vec<String>,
}

/// Where a document lies and who is named: None is everybody.
struct Placed {
    id: String,
    code: String,
    room: String,
    readers: Option<Vec<String>>,
}

const PLACES: [&str; DOCUMENTS] = [
    "Aldgate",
    "Brixton",
    "Camden",
    "Dalston",
    "Ealing",
    "Finchley",
    "Greenwich",
    "Hackney",
    "Islington",
    "Kilburn",
    "Lambeth",
    "Mayfair",
    "Norwood",
    "Peckham",
];

fn people(app: &TestApp, admin: &Client) -> (Vec<Person>, Vec<String>) {
    let groups: Vec<String> = ["Red", "Green"]
        .iter()
        .map(|name| {
            let made = admin.post("/groups", &json!({ "name": name })).expect(201);
            made["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let people = (0..PEOPLE).map(|n| {
        let own: Vec<String> =
            groups.iter().enumerate().filter(|(g, _)| n >> g & 1 == 1).map(|(_, id)| id.clone()).collect();
        let email = format!("p{n}@example.org");
        let new = json!({ "email": email, "role": "member", "groups": own });
        let made = admin.post("/invitations", &new).expect(201);
        let client = app.anonymous();
        let accept =
            json!({ "token": made["token"], "name": email, "password": "another horse at the battery" });
        let session = client.post("/invitations/accept", &accept).expect(201);
        let client = client.with_csrf(session["csrf_token"].as_str().unwrap());
        Person { client, id: session["user"]["id"].as_str().unwrap().to_owned(), groups: own }
    });
    (people.collect(), groups)
}

fn documents(admin: &Client) -> Vec<Placed> {
    let uploaded: Vec<Placed> = PLACES
        .iter()
        .enumerate()
        .map(|(n, place)| {
            let code = format!("qz{}v{}", 7919 * (n + 3), n);
            let text = format!("# The {place} depot\n\nThe entry code of the {place} depot is {code}.\n");
            let view = admin.upload(&format!("{place}.md"), text.as_bytes(), &[]).expect(201);
            let id = view["id"].as_str().unwrap().to_owned();
            Placed { id, code, room: (*place).to_owned(), readers: None }
        })
        .collect();
    for placed in &uploaded {
        admin.wait(&placed.id);
    }
    uploaded
}

/// Gives every document a list, or takes it away.
fn shuffle(admin: &Client, random: &mut Random, placed: &mut [Placed], people: &[Person], groups: &[String]) {
    for document in placed {
        let path = format!("/documents/{}/access", document.id);
        if random.below(3) == 0 {
            admin.delete(&path).expect(204);
            document.readers = None;
            continue;
        }
        let mut names: Vec<String> =
            people.iter().map(|person| person.id.clone()).chain(groups.to_vec()).collect();
        names.retain(|_| random.below(3) == 0);
        let entries: Vec<Value> =
            names.iter().map(|name| json!({ "subject": name, "may": "read" })).collect();
        admin.send(admin.request("PUT", &path).json(&json!({ "entries": entries }))).expect(200);
        document.readers = Some(names);
    }
}

fn sees(person: &Person, document: &Placed) -> bool {
    let named =
        |names: &Vec<String>| names.contains(&person.id) || person.groups.iter().any(|g| names.contains(g));
    document.readers.as_ref().is_none_or(named)
}

#[test]
fn nobody_is_told_what_they_do_not_see() {
    let app = TestApp::start(LECTERN);
    let admin = app.admin();
    let (people, groups) = people(&app, &admin);
    let mut placed = documents(&admin);
    let (mut told, mut kept) = (0, 0);
    for seed in 1..=ROUNDS {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        shuffle(&admin, &mut random, &mut placed, &people, &groups);
        for person in &people {
            for document in &placed {
                let question = format!("What is the entry code of the {} depot?", document.room);
                let streamed = person.client.send(
                    person
                        .client
                        .request("POST", "/ask")
                        .header("Accept", "text/event-stream")
                        .json(&json!({ "question": question })),
                );
                let whole = person.client.post("/ask", &json!({ "question": question })).expect(200);
                let turn =
                    person.client.get(&format!("/ask/{}", whole["turn"].as_str().unwrap())).expect(200);
                let found = person.client.get(&format!("/search?q={}", document.code)).expect(200);
                let answers = [streamed.text(), whole.to_string(), turn.to_string(), found.to_string()];
                let (seen, place) =
                    (sees(person, document), format!("round {seed}, {}, {}", person.id, document.room));
                if seen {
                    assert!(answers.iter().all(|text| text.contains(&document.code)), "{place}: {whole}");
                    told += 1;
                } else {
                    let leaks = |word: &String| answers.iter().any(|text| text.contains(word));
                    assert!(!leaks(&document.code) && !leaks(&document.id), "{place}: {answers:?}");
                    assert_eq!(found["total"], 0, "{place}");
                    kept += 1;
                }
                // Nothing of any other hidden document comes with it: not in citations, not among the nearest.
                for other in placed.iter().filter(|other| !sees(person, other)) {
                    assert!(!answers.iter().any(|text| text.contains(&other.id)), "{place}: {}", other.room);
                }
            }
        }
    }
    assert!(told > 40 && kept > 40, "{told} told, {kept} kept");
}
