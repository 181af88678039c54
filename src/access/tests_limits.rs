//! Plans over HTTP: what is counted, when it is refused, and what the refusal says.

use std::sync::atomic::Ordering;

use actix_web::http::Method;
use lectern_kernel::ports::{Metered, Quota};
use lectern_kernel::{Code, Role, Scope, TenantId};
use serde_json::{Value, json};

use crate::store;
use crate::testing::{Site, Somebody};

async fn limit(site: &Site, operator: &Somebody, limits: Value) {
    let body = json!({ "limits": limits });
    let answer = site.send(operator, Method::PATCH, "/tenants/main", Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[actix_web::test]
async fn a_rate_is_told_and_kept() {
    let site = Site::new("");
    let operator = site.operator().await;
    assert_eq!(site.get(&operator, "/session").await.header("ratelimit"), "", "no limit, no header");
    limit(&site, &operator, json!({"requests_per_minute": 5, "requests_per_day": 100})).await;
    let first = site.get(&operator, "/session").await;
    assert_eq!(first.header("ratelimit-policy"), "\"minute\";q=5;w=60, \"day\";q=100;w=86400");
    assert!(first.header("ratelimit").starts_with("\"minute\";r=4;t="), "{}", first.header("ratelimit"));
    for _ in 0..4 {
        assert_eq!(site.get(&operator, "/session").await.status, 200);
    }
    let refused = site.get(&operator, "/session").await;
    assert_eq!(refused.code(), (429, "too_many_requests"));
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=13).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"minute\";r=0;t="));
    let other = site.person("main", "ben@example.org", Role::MEMBER).await;
    assert_eq!(site.get(&other, "/session").await.status, 200, "another person has a rate of their own");
}

#[actix_web::test]
async fn a_tenant_together_has_a_rate_too() {
    let site = Site::new("[tenants]\nrate_factor = 2\n");
    let operator = site.operator().await;
    let people = [
        site.person("main", "a@example.org", Role::MEMBER).await,
        site.person("main", "b@example.org", Role::MEMBER).await,
        site.person("main", "c@example.org", Role::MEMBER).await,
    ];
    limit(&site, &operator, json!({"requests_per_minute": 3})).await;
    let mut seen = Vec::new();
    for person in people.iter().cycle().take(9) {
        seen.push(site.get(person, "/session").await.status);
    }
    assert_eq!(seen.iter().filter(|status| **status == 200).count(), 6, "{seen:?}");
}

#[actix_web::test]
async fn a_months_requests_end_and_begin_anew_and_administrators_come_in() {
    let site = Site::new("");
    let operator = site.operator().await;
    let member = site.person("main", "mia@example.org", Role::MEMBER).await;
    limit(&site, &operator, json!({"requests_per_month": 5})).await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(site.get(&member, "/session").await.status);
    }
    assert_eq!(
        statuses.iter().filter(|s| **s == 200).count(),
        4,
        "the operator's call was the first: {statuses:?}"
    );
    let refused = site.get(&member, "/session").await;
    assert_eq!(refused.code(), (403, "quota_exceeded"));
    assert!(refused.body["detail"].as_str().is_some_and(|text| text.contains("5 API requests in a month")));
    assert!(
        refused.body["hint"].as_str().is_some_and(|text| text.contains("2027-02-01")),
        "{}",
        refused.body
    );
    let usage = site.get(&operator, "/usage").await.body;
    let line =
        |what: &str| usage["lines"].as_array().expect("lines").iter().find(|l| l["what"] == what).cloned();
    assert_eq!(line("requests").expect("a line")["level"], "reached");
    site.wait(31 * 86_400);
    let member = site.sign_in(&TenantId::main(), "mia@example.org").await;
    assert_eq!(site.get(&member, "/session").await.status, 200, "another month");
}

#[actix_web::test]
async fn people_are_counted_once_a_month() {
    let site = Site::new("");
    let operator = site.operator().await;
    let mia = site.person("main", "mia@example.org", Role::MEMBER).await;
    let ben = site.person("main", "ben@example.org", Role::MEMBER).await;
    limit(&site, &operator, json!({"monthly_active_users": 2})).await;
    for _ in 0..3 {
        assert_eq!(site.get(&mia, "/session").await.status, 200);
    }
    assert_eq!(site.get(&ben, "/session").await.code(), (403, "quota_exceeded"));
    assert_eq!(site.get(&mia, "/session").await.status, 200);
    let usage = site.get(&operator, "/usage").await.body;
    let active =
        usage["lines"].as_array().expect("lines").iter().find(|l| l["what"] == "monthly_active_users");
    assert_eq!(active.expect("a line")["used"], 2);
}

#[actix_web::test]
async fn what_is_spent_at_the_same_time_is_counted_exactly() {
    let site = Site::new("");
    let operator = site.operator().await;
    limit(&site, &operator, json!({"questions_per_month": 10})).await;
    let scope = Scope::system(TenantId::main());
    let tries = (0..25).map(|_| site.access.spend(&scope, Metered::Questions, 1));
    let outcomes = futures_util::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 10);
    assert!(outcomes.iter().filter_map(|o| o.as_ref().err()).all(|e| e.code == Code::QuotaExceeded));
    let store = site.stores.tenant(&scope).expect("opens");
    let counted = store.db.read_now(store::counters).expect("reads");
    let of = |period: &str| {
        counted.iter().find(|(p, name, _)| p == period && name == "questions").map(|(_, _, n)| *n)
    };
    assert_eq!((of("2027-01"), of("2027-01-15")), (Some(10), Some(10)));
}

#[actix_web::test]
async fn requests_are_written_and_come_back_after_a_start() {
    let site = Site::new("");
    let operator = site.operator().await;
    for _ in 0..7 {
        site.get(&operator, "/session").await;
    }
    site.access.write_counts().await;
    site.access.write_counts().await;
    let Site { folder, access, identity, stores, part, .. } = site;
    drop((access, identity, stores, part));
    let site = Site::on(folder, "");
    let (used, _) = site.access.used_this_month(&Scope::system(TenantId::main())).await.expect("reads");
    assert_eq!(used[&Metered::Requests], 7);
}

#[actix_web::test]
async fn days_tell_requests_before_and_after_they_are_written_alike() {
    let site = Site::new("");
    let operator = site.operator().await;
    let scope = Scope::system(TenantId::main());
    for (asked, written) in [(3, 0), (5, 3)] {
        for _ in written..asked {
            site.get(&operator, "/session").await;
        }
        let told = async || {
            let days = site.access.usage(&scope).await.expect("tells").days;
            days.iter().map(|day| (day.day.clone(), day.what, day.used)).collect::<Vec<_>>()
        };
        let before = told().await;
        assert_eq!(before, [("2027-01-15".to_owned(), Metered::Requests, asked)]);
        let kept = site.stores.tenant(&scope).expect("opens").db.read_now(store::counters);
        let kept: u64 = kept.expect("reads").iter().filter(|row| row.0.len() == 10).map(|row| row.2).sum();
        assert_eq!(kept, written, "looking writes nothing");
        site.access.write_counts().await;
        assert_eq!(told().await, before);
    }
}

#[actix_web::test]
async fn nobody_joins_a_full_tenant() {
    let site = Site::new("");
    let operator = site.operator().await;
    let invited =
        site.post(&operator, "/invitations", json!({"email": "b@example.org", "role": "viewer"})).await;
    limit(&site, &operator, json!({"members": 1})).await;
    let accept = json!({"token": invited.body["token"], "name": "B", "password": crate::testing::PASSWORD});
    let refused = site.post(&operator, "/invitations/accept", accept.clone()).await;
    assert_eq!(refused.code(), (403, "quota_exceeded"), "{}", refused.body);
    limit(&site, &operator, json!({"members": 2})).await;
    assert_eq!(
        site.post(&operator, "/invitations/accept", accept).await.status,
        201,
        "the link is not used up"
    );
}

#[actix_web::test]
async fn warnings_come_at_80_and_95_percent() {
    let site = Site::new("");
    let operator = site.operator().await;
    limit(&site, &operator, json!({"documents": 100})).await;
    for (documents, level) in [(79, "ok"), (80, "near"), (95, "close"), (100, "reached")] {
        site.part.documents.store(documents, Ordering::SeqCst);
        let usage = site.get(&operator, "/usage").await.body;
        assert_eq!(
            (&usage["lines"][0]["used"], &usage["lines"][0]["level"]),
            (&json!(documents), &json!(level))
        );
    }
}
