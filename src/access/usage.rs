//! What a tenant uses of what it may.

use std::time::Duration;

use futures_util::future::try_join3;
use lectern_kernel::ports::{Metered, Quota};
use lectern_kernel::{Result, Scope};

use crate::model::{Level, UsageLine, UsageView};
use crate::month::day;
use crate::{Access, store};

const SHOWN: Duration = Duration::from_hours(90 * 24);
const KEPT: Duration = Duration::from_hours(400 * 24);

impl Access {
    /// The plan's lines with what is used now, and the last days.
    pub async fn usage(&self, scope: &Scope) -> Result<UsageView> {
        let from = day(self.now().minus(SHOWN));
        let store = self.tenant(scope)?;
        let days = async { Ok(store.db.read(move |tx| store::days(tx, &from)).await?) };
        let used = self.used_this_month(scope);
        let (held, days, (month, active)) = try_join3(self.held(scope.tenant()), days, used).await?;
        let used = |what: Metered| match what {
            Metered::Documents => held.documents,
            Metered::Storage => held.bytes,
            Metered::Members => held.members,
            Metered::MonthlyActiveUsers => active,
            other => month.get(&other).copied().unwrap_or_default(),
        };
        let all = [
            Metered::Documents,
            Metered::Storage,
            Metered::Members,
            Metered::MonthlyActiveUsers,
            Metered::Requests,
            Metered::Questions,
            Metered::SpeechSeconds,
        ];
        let line = |what: Metered| {
            let (used, limit) = (used(what), self.limit(scope.tenant(), what));
            UsageLine { what, used, limit, resets_at: self.resets_at(what), level: Level::of(used, limit) }
        };
        let days = self.with_unwritten(scope, days);
        let plan = self.record(scope.tenant())?.plan;
        Ok(UsageView { plan, lines: all.into_iter().map(line).collect(), days })
    }

    /// Forgets days that nobody looks at any more.
    pub async fn trim_usage(&self, scope: &Scope) -> Result<usize> {
        let before = day(self.now().minus(KEPT));
        Ok(self.tenant(scope)?.db.write(move |tx| store::trim_days(tx, &before)).await?)
    }
}
