//! Which models are in memory: loaded when they are used, unloaded when idle or when others need the room.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use lectern_kernel::{Clock, Code, Error, Result, Timestamp};
use parking_lot::Mutex;

type AnyModel = Arc<dyn Any + Send + Sync>;

/// What is known of a model's stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stay {
    pub loaded: bool,
    pub memory_bytes: u64,
    pub last_used_at: Option<Timestamp>,
}

/// One model, loaded or not.
struct Slot {
    /// Held while it is loaded, so that many who ask at once wait for one loading.
    model: Mutex<Option<AnyModel>>,
    /// Counted against the budget from before it is loaded.
    bytes: AtomicU64,
    last_used: AtomicI64,
}

impl Slot {
    /// Lets go of the model when nobody else holds it.
    fn unload(&self) -> bool {
        let Some(mut model) = self.model.try_lock() else { return false };
        let free = model.as_ref().is_some_and(|m| Arc::strong_count(m) == 1);
        if free {
            *model = None;
            self.bytes.store(0, Ordering::Relaxed);
        }
        free
    }

    fn is_loaded(&self) -> bool {
        self.model.try_lock().is_some_and(|model| model.is_some())
    }
}

pub(crate) struct Residency {
    clock: Arc<dyn Clock>,
    budget: u64,
    idle: Duration,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

impl Residency {
    pub fn new(clock: Arc<dyn Clock>, budget: u64, idle: Duration) -> Self {
        Self { clock, budget, idle, slots: Mutex::default() }
    }

    pub fn budget(&self) -> u64 {
        self.budget
    }

    pub fn idle(&self) -> Duration {
        self.idle
    }

    pub fn used(&self) -> u64 {
        self.slots.lock().values().map(|slot| slot.bytes.load(Ordering::Relaxed)).sum()
    }

    pub fn stay(&self, name: &str) -> Stay {
        let Some(slot) = self.slots.lock().get(name).cloned() else { return Stay::default() };
        let last = slot.last_used.load(Ordering::Relaxed);
        Stay {
            loaded: slot.is_loaded(),
            memory_bytes: slot.bytes.load(Ordering::Relaxed),
            last_used_at: (last > 0).then_some(Timestamp(last)),
        }
    }

    /// The model, loaded by `load` when it is not; `bytes` is what it takes.
    pub fn get<T: Any + Send + Sync>(
        &self,
        name: &str,
        bytes: u64,
        load: impl FnOnce() -> Result<Arc<T>>,
    ) -> Result<Arc<T>> {
        let slot = self
            .slots
            .lock()
            .entry(name.to_owned())
            .or_insert_with(|| {
                Arc::new(Slot {
                    model: Mutex::new(None),
                    bytes: AtomicU64::new(0),
                    last_used: AtomicI64::new(0),
                })
            })
            .clone();
        slot.last_used.store(self.clock.now().0, Ordering::Relaxed);
        let mut model = slot.model.lock();
        if let Some(loaded) = model.as_ref() {
            return loaded.clone().downcast().map_err(|_| Error::internal("a model of another type"));
        }
        slot.bytes.store(bytes, Ordering::Relaxed);
        let loaded = self.make_room(name, bytes).and_then(|()| load());
        let Ok(loaded) = loaded else {
            slot.bytes.store(0, Ordering::Relaxed);
            return loaded;
        };
        *model = Some(loaded.clone());
        tracing::info!(model = name, megabytes = bytes / 1_000_000, "model loaded");
        Ok(loaded)
    }

    /// Unloads the least recently used until `bytes` more, already counted, fit. What is at work stays.
    fn make_room(&self, name: &str, bytes: u64) -> Result<()> {
        if bytes > self.budget {
            return Err(does_not_fit(name, bytes, self.budget));
        }
        let mut others: Vec<(String, Arc<Slot>)> = self
            .slots
            .lock()
            .iter()
            .filter(|(n, _)| *n != name)
            .map(|(n, s)| (n.clone(), s.clone()))
            .collect();
        others.sort_by_key(|(_, slot)| slot.last_used.load(Ordering::Relaxed));
        for (other, slot) in others {
            if self.used() <= self.budget {
                return Ok(());
            }
            if slot.unload() {
                tracing::info!(model = other, for_model = name, "model unloaded: others need the memory");
            }
        }
        if self.used() > self.budget {
            tracing::warn!(model = name, "models at work take more than models.memory together");
        }
        Ok(())
    }

    /// Unloads what was idle for too long; whether there was any.
    pub fn sweep(&self) -> bool {
        let mut unloaded = false;
        let now = self.clock.now();
        let slots: Vec<_> = self.slots.lock().iter().map(|(n, s)| (n.clone(), s.clone())).collect();
        for (name, slot) in slots {
            let last = Timestamp(slot.last_used.load(Ordering::Relaxed));
            if slot.is_loaded() && last.plus(self.idle) <= now && slot.unload() {
                tracing::info!(model = name, "model unloaded: it was idle");
                unloaded = true;
            }
        }
        unloaded
    }

    /// Forgets a model whose files change or go; who holds it keeps it to the end of their work.
    pub fn forget(&self, name: &str) {
        self.slots.lock().remove(name);
    }
}

pub(crate) fn does_not_fit(name: &str, bytes: u64, budget: u64) -> Error {
    let mb = |n: u64| n.div_ceil(1_000_000);
    Error::new(
        Code::ModelRefused,
        format!(
            "The model '{name}' takes about {} MB, and loaded models may take {} MB.",
            mb(bytes),
            mb(budget)
        ),
    )
    .hint("An administrator can raise models.memory in the configuration, or import a smaller model.")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    fn residency(budget: u64) -> (Arc<Hand>, Residency) {
        let clock = Arc::new(Hand(AtomicI64::new(1000)));
        (clock.clone(), Residency::new(clock, budget, Duration::from_secs(10)))
    }

    fn take(residency: &Residency, name: &str, bytes: u64) -> Arc<String> {
        residency.get(name, bytes, || Ok(Arc::new(name.to_owned()))).unwrap()
    }

    #[test]
    fn a_model_is_loaded_once_and_unloaded_when_idle() {
        let (clock, residency) = residency(100);
        take(&residency, "a", 10);
        let again: Arc<String> = residency.get("a", 10, || panic!("loaded twice")).unwrap();
        clock.0.fetch_add(20_000, Ordering::Relaxed);
        residency.sweep();
        assert!(residency.stay("a").loaded, "somebody holds it");
        drop(again);
        residency.sweep();
        let stay = residency.stay("a");
        assert_eq!((stay.loaded, stay.memory_bytes, residency.used()), (false, 0, 0));
        assert!(stay.last_used_at.is_some());
    }

    #[test]
    fn the_least_recently_used_makes_room() {
        let (_, residency) = residency(100);
        for name in ["a", "b"] {
            take(&residency, name, 40);
        }
        take(&residency, "a", 40);
        take(&residency, "c", 40);
        let loaded = ["a", "b", "c"].map(|n| residency.stay(n).loaded);
        assert_eq!(loaded, [true, false, true]);
        let held = [take(&residency, "a", 40), take(&residency, "c", 40)];
        take(&residency, "b", 40);
        assert_eq!(residency.used(), 120, "what is at work stays, the new one works too");
        drop(held);
    }

    #[test]
    fn what_never_fits_or_fails_leaves_no_trace() {
        let (_, residency) = residency(100);
        let error = residency.get::<String>("big", 101, || panic!("must not load")).unwrap_err();
        assert_eq!(error.code, Code::ModelRefused);
        let broken = residency.get::<String>("broken", 50, || Err(Error::not_found("file")));
        assert!(broken.is_err());
        assert_eq!(residency.used(), 0);
    }

    #[test]
    fn many_at_once_wait_for_one_loading() {
        let (_, residency) = residency(100);
        let loads = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let load = || {
                        loads.fetch_add(1, Ordering::Relaxed);
                        std::thread::sleep(Duration::from_millis(20));
                        Ok(Arc::new(7_u8))
                    };
                    assert_eq!(*residency.get("m", 1, load).unwrap(), 7);
                });
            }
        });
        assert_eq!(loads.into_inner(), 1);
    }
}
