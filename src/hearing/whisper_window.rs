//! One window after the other: what it says, where its segments are, and where the next window begins.

use crate::whisper_config::Marks;

/// Milliseconds of a frame of features.
pub(crate) const FRAME_MS: u64 = 10;
const FRAMES_A_STEP: usize = 2;
/// A window that gets less far than this is taken as a whole: a broken model would else never come to an end.
const LEAST_FRAMES: usize = 10;

/// Part of a window with its place in the recording, in frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub start: usize,
    pub end: usize,
    pub tokens: Vec<u32>,
}

/// Cuts the tokens of a window that begins at frame `seek` and holds `frames` of sound.
///
/// Two times beside each other end a segment and begin the next. What follows the last such pair was cut off by the
/// window's end and is heard again in the next one, which begins there.
pub(crate) fn pieces(tokens: &[u32], marks: &Marks, seek: usize, frames: usize) -> (Vec<Piece>, usize) {
    let first = marks.first_time.unwrap_or(u32::MAX);
    let is_time = |token: u32| token >= first;
    let place = |token: u32| token.saturating_sub(first) as usize * FRAMES_A_STEP;
    let mut cuts: Vec<usize> =
        (1..tokens.len()).filter(|n| is_time(tokens[n - 1]) && is_time(tokens[*n])).collect();
    if cuts.is_empty() {
        let last = tokens.iter().rev().find(|token| is_time(**token)).map(|token| place(*token));
        let end = last.filter(|end| *end > 0).unwrap_or(frames).min(frames);
        return (vec![Piece { start: seek, end: seek + end, tokens: tokens.to_vec() }], frames);
    }
    let closed = is_time(tokens[tokens.len() - 1]) && !is_time(tokens[tokens.len() - 2]);
    if closed {
        cuts.push(tokens.len());
    }
    let mut out = Vec::with_capacity(cuts.len());
    let mut from = 0;
    for cut in cuts {
        let part = &tokens[from..cut];
        let begin = if is_time(part[0]) { place(part[0]) } else { 0 };
        out.push(Piece {
            start: seek + begin,
            end: seek + place(part[part.len() - 1]),
            tokens: part.to_vec(),
        });
        from = cut;
    }
    let reached = if closed { frames } else { place(tokens[from - 1]) };
    let advance = if reached < LEAST_FRAMES { frames } else { reached.min(frames) };
    (out, advance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks {
            end: 50,
            start: 51,
            transcribe: None,
            no_timestamps: Some(99),
            previous: None,
            no_speech: None,
            first_time: Some(100),
        }
    }

    fn piece(start: usize, end: usize, tokens: &[u32]) -> Piece {
        Piece { start, end, tokens: tokens.to_vec() }
    }

    #[test]
    fn a_window_is_cut_at_pairs_of_times() {
        // Two segments and a third that was cut off: the next window begins at its start.
        let (parts, advance) = pieces(&[100, 1, 2, 150, 160, 3, 200, 200, 4], &marks(), 1_000, 3_000);
        assert_eq!(parts, [piece(1_000, 1_100, &[100, 1, 2, 150]), piece(1_120, 1_200, &[160, 3, 200])]);
        assert_eq!(advance, 200);
        // The last one is closed, and nothing follows: the rest of the window is silent.
        let (parts, advance) = pieces(&[100, 1, 150, 150, 2, 300], &marks(), 0, 3_000);
        assert_eq!(parts, [piece(0, 100, &[100, 1, 150]), piece(100, 400, &[150, 2, 300])]);
        assert_eq!(advance, 3_000);
    }

    #[test]
    fn without_pairs_the_window_is_one_segment() {
        assert_eq!(
            pieces(&[100, 1, 2, 250], &marks(), 0, 500),
            (vec![piece(0, 300, &[100, 1, 2, 250])], 500)
        );
        assert_eq!(pieces(&[1, 2], &marks(), 500, 700), (vec![piece(500, 1_200, &[1, 2])], 700));
        assert_eq!(pieces(&[], &marks(), 0, 700), (vec![piece(0, 700, &[])], 700));
    }

    #[test]
    fn it_always_gets_further() {
        for tokens in
            [&[100, 100][..], &[100, 101, 102], &[100, 1, 100, 100, 1], &[1, 104, 104], &[5_000, 9_000]]
        {
            let (_, advance) = pieces(tokens, &marks(), 0, 400);
            assert!((LEAST_FRAMES..=400).contains(&advance), "{tokens:?}: {advance}");
        }
    }
}
