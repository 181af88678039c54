//! A recogniser at work beside a conversation: it hears while somebody speaks when it can, and all at once when it cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use lectern_hearing::{Ears, HearOptions, HearingError, Live, Transcript};
use tokio::sync::mpsc::UnboundedSender;

use crate::utterance::Said;

enum Order {
    Sound(Vec<f32>),
    Finish { work: u64, stop: Arc<AtomicBool> },
}

/// One utterance. Dropping it ends the work when what was ordered is done.
pub(crate) struct Listening {
    orders: Sender<Order>,
    /// Samples of the utterance that were given.
    sent: usize,
}

impl Listening {
    /// `spoken`: it is known that somebody speaks, so that no gate is needed. `told` gets the transcripts.
    pub(crate) fn begin(
        ears: Arc<Ears>,
        options: HearOptions,
        spoken: bool,
        told: UnboundedSender<Said>,
    ) -> Self {
        let (orders, taken) = channel();
        tokio::task::spawn_blocking(move || {
            Worker { ears: &ears, options, live: None, sound: Vec::new(), told }.run(spoken, &taken);
        });
        Self { orders, sent: 0 }
    }

    /// Gives what of the utterance is new.
    pub(crate) fn sound(&mut self, utterance: &[f32]) {
        if let Some(new) = utterance.get(self.sent..).filter(|new| !new.is_empty()) {
            self.sent = utterance.len();
            self.order(Order::Sound(new.to_vec()));
        }
    }

    /// Asks for the transcript of what was given.
    pub(crate) fn finish(&self, work: u64, stop: Arc<AtomicBool>) {
        self.order(Order::Finish { work, stop });
    }

    fn order(&self, order: Order) {
        // The worker ends early only when the process does.
        let _ = self.orders.send(order);
    }
}

struct Worker<'a> {
    ears: &'a Ears,
    options: HearOptions,
    live: Option<Box<dyn Live>>,
    /// All of it, for a recogniser that wants it at once.
    sound: Vec<f32>,
    told: UnboundedSender<Said>,
}

impl Worker<'_> {
    fn run(mut self, spoken: bool, orders: &Receiver<Order>) {
        if spoken {
            // What is wrong with it is told with the transcript.
            self.live = self.ears.live(&self.options).ok().flatten();
        }
        while let Ok(order) = orders.recv() {
            match order {
                Order::Sound(sound) => self.take(&sound),
                Order::Finish { work, stop } => self.finish(work, &stop),
            }
        }
    }

    fn take(&mut self, sound: &[f32]) {
        self.sound.extend_from_slice(sound);
        let Some(live) = &mut self.live else { return };
        if let Err(error) = live.push(sound) {
            tracing::warn!(%error, "an utterance is heard at its end instead of while it is spoken");
            self.live = None;
        }
    }

    fn finish(&mut self, work: u64, stop: &AtomicBool) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let started = Instant::now();
        let outcome = self.transcript(stop);
        if !stop.load(Ordering::Relaxed) {
            let ahead = self.live.is_some();
            // The conversation may have ended.
            let _ = self.told.send(Said { work, outcome, took: started.elapsed(), ahead });
        }
    }

    fn transcript(&mut self, stop: &AtomicBool) -> Result<Transcript, HearingError> {
        match &mut self.live {
            Some(live) => live.finish(),
            None => self.ears.hear(&self.sound, &self.options, stop),
        }
    }
}
