//! Voices in two parts: the same sound as from the whole graph, in pieces.

use std::ops::ControlFlow;

use lectern_neural::ort::session::RunOptions;

use crate::tests_piper::shared;
use crate::vits::{self, Plan};
use crate::vits_run::{Graph, Phrase};

fn phrase(count: usize, speaker: Option<i64>) -> Phrase {
    let ids = (0..count).map(|at| if at % 2 == 0 { 0 } else { 10 + (at as i64 * 7) % 40 }).collect();
    Phrase { ids, scales: [0.0, 1.2, 0.0], speaker, eager: true }
}

fn pieces(graph: &Graph, phrase: Phrase) -> Vec<Vec<f32>> {
    let mut pieces = Vec::new();
    let ended = graph.run(phrase, &RunOptions::new().unwrap(), &mut |piece| {
        pieces.push(piece.to_vec());
        ControlFlow::Continue(())
    });
    assert_eq!(ended, Ok(ControlFlow::Continue(())));
    pieces
}

#[test]
fn in_parts_a_voice_makes_the_same_sound_in_pieces() {
    for (name, speakers) in [("vits-tiny.onnx", 1), ("vits-tiny-4speakers.onnx", 4)] {
        let Some(path) = shared(&format!("models/{name}")) else { return };
        let (parts, whole) = (Graph::load(&path).unwrap(), Graph::whole(&path).unwrap());
        assert!(matches!(&parts, Graph::Parts { plan, .. } if plan.speaker == (speakers > 1)), "{name}");
        for speaker in 0..speakers {
            let speaker = (speakers > 1).then_some(speaker);
            for count in [1, 7, 60, 301] {
                let (made, expected) =
                    (pieces(&parts, phrase(count, speaker)), pieces(&whole, phrase(count, speaker)));
                let expected = &expected[0];
                assert_eq!(made.concat().len(), expected.len());
                let loudest = expected.iter().fold(0.0f32, |loudest, sample| loudest.max(sample.abs()));
                let apart =
                    made.concat().iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(
                    loudest > 1e-3 && apart <= 1e-5,
                    "{name}, {count} ids: {apart} apart, {loudest} loud"
                );
                assert!(
                    count < 60 || (made.len() > 1 && made[0].len() < expected.len() / 2),
                    "{}",
                    made.len()
                );
            }
        }
    }
}

#[test]
fn a_listener_who_has_heard_enough_gets_no_more() {
    let Some(path) = shared("models/vits-tiny.onnx") else { return };
    let graph = Graph::load(&path).unwrap();
    let mut heard = 0;
    let ended = graph.run(phrase(301, None), &RunOptions::new().unwrap(), &mut |_| {
        heard += 1;
        ControlFlow::Break(())
    });
    assert_eq!((ended, heard), (Ok(ControlFlow::Break(())), 1));
}

#[test]
fn the_reach_of_a_decoder_is_known() {
    let Some(path) = shared("models/vits-medium-random.onnx") else { return };
    let parts = vits::part(&std::fs::read(path).unwrap()).unwrap();
    let Plan { channels, hop, before, after, speaker, .. } = parts.plan;
    assert_eq!((channels, hop, speaker), (192, 256, false));
    assert_eq!((before, after), (13, 12));
    assert!(parts.decoder.len() < parts.front.len());
}

#[test]
fn what_is_no_voice_is_not_parted() {
    assert!(vits::part(b"").is_none() && vits::part(b"no model at all").is_none());
    let Some(path) = shared("data/vad/silero_vad.onnx") else { return };
    assert!(vits::part(&std::fs::read(path).unwrap()).is_none());
    // A model that breaks off, at many places.
    let Some(path) = shared("models/vits-tiny.onnx") else { return };
    let bytes = std::fs::read(path).unwrap();
    for end in (0..bytes.len()).step_by(bytes.len() / 97) {
        assert!(vits::part(&bytes[..end]).is_none());
    }
}
