//! Counts the seconds that were spoken or heard, for the tenant's plan: when whoever counts is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lectern_kernel::Scope;
use lectern_kernel::ports::{Metered, Quota};
use lectern_speech::SAMPLE_RATE;

/// What one sound or recording took; it is counted when this is dropped.
pub(crate) struct Meter {
    to: Option<(Arc<dyn Quota>, Scope)>,
    milliseconds: AtomicU64,
    samples: AtomicU64,
}

impl Meter {
    pub fn new(quota: Option<&Arc<dyn Quota>>, scope: &Scope) -> Self {
        let to = quota.map(|quota| (quota.clone(), scope.clone()));
        Self { to, milliseconds: AtomicU64::new(0), samples: AtomicU64::new(0) }
    }

    pub fn add(&self, time: Duration) {
        self.milliseconds.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }

    pub fn add_samples(&self, samples: usize) {
        self.samples.fetch_add(samples as u64, Ordering::Relaxed);
    }

    /// Whole seconds, begun ones too.
    fn seconds(&self) -> u64 {
        let spoken = self.samples.load(Ordering::Relaxed) * 1000 / u64::from(SAMPLE_RATE);
        (self.milliseconds.load(Ordering::Relaxed) + spoken).div_ceil(1000)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let seconds = self.seconds();
        if let Some((quota, scope)) = self.to.take()
            && seconds > 0
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { quota.count(&scope, Metered::SpeechSeconds, seconds).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_second_counts() {
        let meter = Meter::new(None, &Scope::system(lectern_kernel::TenantId::main()));
        assert_eq!(meter.seconds(), 0);
        meter.add_samples(SAMPLE_RATE as usize);
        meter.add(Duration::from_millis(1));
        assert_eq!(meter.seconds(), 2);
    }
}
