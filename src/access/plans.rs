//! Plans, and what a tenant's own limits change of them.

use lectern_config::{Config, Plan};
use lectern_kernel::ports::Metered;
use lectern_store::TenantRecord;

use crate::model::Limits;

pub(crate) const NAMES: [&str; 4] = ["free", "team", "business", "enterprise"];

/// The plans of the configuration.
pub(crate) struct Plans([Limits; 4]);

impl Plans {
    pub fn new(config: &Config) -> Self {
        Self(
            [&config.plan_free, &config.plan_team, &config.plan_business, &config.plan_enterprise]
                .map(limits),
        )
    }

    /// What holds for a tenant: its own limits before its plan's. 0 is no limit.
    pub fn of(&self, tenant: &TenantRecord) -> Limits {
        let plan =
            NAMES.iter().position(|name| *name == tenant.plan).map_or(Limits::default(), |at| self.0[at]);
        let own: Limits = serde_json::from_value(tenant.limits.clone()).unwrap_or_default();
        own.or(plan)
    }
}

fn limits(plan: &Plan) -> Limits {
    Limits {
        requests_per_minute: Some(plan.requests_per_minute),
        requests_per_day: Some(plan.requests_per_day),
        documents: Some(plan.documents),
        storage: Some(plan.storage.0),
        members: Some(plan.members),
        monthly_active_users: Some(plan.monthly_active_users),
        requests_per_month: Some(plan.requests_per_month),
        questions_per_month: Some(plan.questions_per_month),
        speech_seconds_per_month: Some(plan.speech_seconds_per_month),
        at_once: Some(plan.at_once),
    }
}

impl Limits {
    /// The most of something; none when there is no limit.
    pub(crate) fn most(&self, what: Metered) -> Option<u64> {
        let most = match what {
            Metered::Documents => self.documents,
            Metered::Storage => self.storage,
            Metered::Members => self.members,
            Metered::MonthlyActiveUsers => self.monthly_active_users,
            Metered::Requests => self.requests_per_month,
            Metered::Questions => self.questions_per_month,
            Metered::SpeechSeconds => self.speech_seconds_per_month,
        };
        most.filter(|most| *most > 0)
    }

    fn or(self, other: Self) -> Self {
        Self {
            requests_per_minute: self.requests_per_minute.or(other.requests_per_minute),
            requests_per_day: self.requests_per_day.or(other.requests_per_day),
            documents: self.documents.or(other.documents),
            storage: self.storage.or(other.storage),
            members: self.members.or(other.members),
            monthly_active_users: self.monthly_active_users.or(other.monthly_active_users),
            requests_per_month: self.requests_per_month.or(other.requests_per_month),
            questions_per_month: self.questions_per_month.or(other.questions_per_month),
            speech_seconds_per_month: self.speech_seconds_per_month.or(other.speech_seconds_per_month),
            at_once: self.at_once.or(other.at_once),
        }
    }
}
