//! Answers that no browser makes: changed at random, yet the same on every run. Nothing may panic, and nothing that differs
//! from what was signed may sign anybody in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::soft::{Soft, encode};
use crate::{Claim, NewPasskey, Passkeys, Role, SignIn, UserHandle};

const NOW: i64 = 1_700_000_000_000;
const ROUNDS: u64 = 4_000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }

    /// Cut, doubled, flipped, overwritten or filled up with what makes lengths huge.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(3) {
            let at = self.roll(bytes.len());
            match self.roll(6) {
                0 => bytes.truncate(at),
                1 => {
                    let piece = bytes[at.min(bytes.len())..].to_vec();
                    bytes.extend(piece);
                }
                2 => bytes.iter_mut().skip(at).take(9).for_each(|b| *b = 0xff),
                3 => bytes.insert(at.min(bytes.len()), [0x9f, 0xbf, 0x5b, 0xfb, 0x00, 0x81][self.roll(6)]),
                _ if bytes.is_empty() => bytes.push(0),
                4 => bytes[at] ^= 1 << self.roll(8),
                _ => bytes[at] = self.roll(256) as u8,
            }
        }
    }
}

fn site() -> Passkeys {
    Passkeys::new("lectern.example.org", "Lectern", &["https://lectern.example.org"]).expect("a site")
}

fn new_passkey() -> NewPasskey<'static> {
    let user = UserHandle::from_bytes([7; 16]);
    NewPasskey { user, user_name: "anna", display_name: "Anna", existing: &[], role: Role::OnlyFactor }
}

/// One of the byte strings inside changed, so that the change reaches the parsers of CBOR, JSON and keys.
fn inside(answer: &str, dice: &mut Dice) -> String {
    let mut answer: Value = serde_json::from_str(answer).expect("JSON");
    let fields = answer["response"].as_object_mut().expect("an object");
    let texts: Vec<String> = fields.iter().filter(|(_, v)| v.is_string()).map(|(k, _)| k.clone()).collect();
    let field = &texts[dice.roll(texts.len())];
    let mut bytes = URL_SAFE_NO_PAD.decode(fields[field].as_str().unwrap_or_default()).expect("base64url");
    dice.change(&mut bytes);
    fields[field] = encode(&bytes).into();
    answer.to_string()
}

fn outside(answer: &str, dice: &mut Dice) -> String {
    let mut bytes = answer.as_bytes().to_vec();
    dice.change(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn changed_registrations() {
    let (site, mut soft, mut dice) = (site(), Soft::new(5), Dice(1));
    let (options, state) = site.begin_registration(&new_passkey(), NOW).expect("options");
    let answer = soft.create(&options);
    let mut refused = 0;
    for round in 0..ROUNDS {
        let changed = if round % 3 == 0 { outside(&answer, &mut dice) } else { inside(&answer, &mut dice) };
        let _ = Claim::read(&changed);
        refused += u64::from(site.finish_registration(state.clone(), &changed, NOW).is_err());
    }
    // A registration without attestation is not signed: a changed id or key may be registered as it is.
    assert!(refused > ROUNDS / 2, "{refused}");
    assert!(site.finish_registration(state, &answer, NOW).is_ok());
}

#[test]
fn changed_sign_ins() {
    let (site, mut dice) = (site(), Dice(2));
    for (mut soft, rounds) in [(Soft::new(5), ROUNDS), (Soft::rsa(5), ROUNDS / 4)] {
        let (options, state) = site.begin_registration(&new_passkey(), NOW).expect("options");
        let passkey = site.finish_registration(state, &soft.create(&options), NOW).expect("registers");
        let (options, state) = site.begin_authentication(SignIn::Nameless, NOW).expect("options");
        let answer = soft.get(&options);
        let before: Value = serde_json::from_str(&answer).expect("JSON");
        for round in 0..rounds {
            let changed =
                if round % 3 == 0 { outside(&answer, &mut dice) } else { inside(&answer, &mut dice) };
            let _ = Claim::read(&changed);
            let result = site.finish_authentication(state.clone(), &changed, &passkey, NOW);
            let same = serde_json::from_str::<Value>(&changed)
                .is_ok_and(|now| now["response"] == before["response"] && now["id"] == before["id"]);
            assert!(result.is_err() || same, "{changed}");
        }
        assert!(site.finish_authentication(state, &answer, &passkey, NOW).is_ok());
    }
}

#[test]
fn garbage_and_giants() {
    let (site, mut dice) = (site(), Dice(3));
    let (_, state) = site.begin_registration(&new_passkey(), NOW).expect("options");
    let nested = |open: &str| open.repeat(50_000);
    let mut texts =
        vec![String::new(), "null".into(), "[]".into(), "{}".into(), nested("["), nested("{\"a\":")];
    texts.push(format!("\"{}\"", "a".repeat(1 << 20)));
    for _ in 0..500 {
        let bytes: Vec<u8> = (0..dice.roll(300)).map(|_| dice.roll(256) as u8).collect();
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    for text in texts {
        assert!(Claim::read(&text).is_err());
        assert!(site.finish_registration(state.clone(), &text, NOW).is_err());
    }
}

/// Arrays in arrays, and lengths that no memory has, where the attestation object is expected.
#[test]
fn hostile_cbor() {
    let (site, mut soft) = (site(), Soft::new(5));
    let (options, state) = site.begin_registration(&new_passkey(), NOW).expect("options");
    let answer: Value = serde_json::from_str(&soft.create(&options)).expect("JSON");
    let huge = |head: u8| vec![head, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let cases =
        [vec![0x81; 40_000], vec![0xa1; 40_000], vec![0xd8; 40_000], vec![0x9f; 40_000], vec![0xff; 75]];
    for object in cases.into_iter().chain([huge(0x5b), huge(0x9b), huge(0xbb), huge(0x7b)]) {
        let mut answer = answer.clone();
        answer["response"]["attestationObject"] = encode(&object).into();
        assert!(site.finish_registration(state.clone(), &answer.to_string(), NOW).is_err());
    }
}
