//! The answer without a model: exact sentences, each with the place it stands at.

use lectern_kernel::ports::Retrieved;

use crate::draft::Draft;
use crate::event::AskEvent;
use crate::evidence::Place;

/// Writes the chosen sentences that can be checked; false when none is left.
pub(crate) async fn write(draft: &mut Draft<'_, '_>, found: &Retrieved) -> bool {
    for chosen in &found.sentences {
        let Some(passage) = found.passages.get(chosen.passage) else { continue };
        let block = passage.blocks.iter().find(|block| (block.start..block.end).contains(&chosen.start));
        let place = Place {
            passage: chosen.passage,
            start: chosen.start,
            end: chosen.end,
            page: chosen.page,
            label: block.and_then(|block| block.label.clone()),
            text: chosen.text.clone(),
        };
        let Some(n) = draft.cite(passage, place).await else { continue };
        let text = chosen.text.split_whitespace().collect::<Vec<_>>().join(" ");
        draft.emit(AskEvent::Token(format!("{}{text}", if draft.sentences.is_empty() { "" } else { " " })));
        draft.sentence(text, vec![n], " ");
    }
    !draft.sentences.is_empty()
}
