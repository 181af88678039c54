//! Conversations of a person are handed out and erased; old ones go when the tenant says so.

use lectern_kernel::ports::{Authenticate, Credentials};
use lectern_kernel::{PersonPart, RetentionPart, RetentionRules, Scope, TenantId, UserId};
use lectern_store::audit::{self, Wanted};
use lectern_store::params;
use tokio_util::sync::CancellationToken;

use crate::NewQuestion;
use crate::testing::{Bearer, Fixture};

async fn of(user: &UserId) -> Scope {
    let bearer = Some(user.to_string());
    let principal = Bearer.authenticate(Credentials { bearer, ..Credentials::default() }).await;
    Scope::granted(&principal.expect("everybody is let in"))
}

async fn ask(fixture: &Fixture, scope: &Scope, question: &str) {
    let new = NewQuestion { question: question.to_owned(), ..NewQuestion::default() };
    fixture.ask.ask(scope, new, &CancellationToken::new(), &mut |_| {}).await.expect("answers");
}

async fn age(fixture: &Fixture, days: i64) {
    let db = fixture.ask.db(&fixture.scope).expect("is open");
    let sql = "UPDATE conversations SET updated_at = updated_at - $1 WHERE title LIKE '%pump%'";
    let aged = db.write(move |tx| tx.execute(sql, params![days * 86_400_000])).await.expect("is written");
    assert!(aged > 0);
}

#[tokio::test]
async fn a_persons_conversations_go_and_nobody_elses() {
    let fixture = Fixture::new(None);
    let (ada, bob) = (UserId::generate(), UserId::generate());
    ask(&fixture, &of(&ada).await, "How much oil holds the pump?").await;
    ask(&fixture, &of(&bob).await, "Who designed the Eiffel Tower?").await;
    let system = Scope::system(TenantId::main());
    let held = PersonPart::held(&fixture.ask, &system, &ada).await.expect("is told");
    assert_eq!(held.len(), 2, "JSON and Markdown of one conversation");
    let erased = PersonPart::erase(&fixture.ask, &system, &ada, &[]).await.expect("is erased");
    assert_eq!(erased[0].count, 1);
    assert!(PersonPart::held(&fixture.ask, &system, &ada).await.expect("is told").is_empty());
    assert_eq!(PersonPart::held(&fixture.ask, &system, &bob).await.expect("is told").len(), 2);
    let again = PersonPart::erase(&fixture.ask, &system, &ada, &[]).await.expect("again is no error");
    assert_eq!(again[0].count, 0);
}

#[tokio::test]
async fn conversations_go_after_their_days_and_it_is_recorded() {
    let fixture = Fixture::new(None);
    ask(&fixture, &fixture.scope, "How much oil holds the pump?").await;
    ask(&fixture, &fixture.scope, "Who designed the Eiffel Tower?").await;
    let rules = RetentionRules { conversations: Some(30), ..RetentionRules::default() };
    age(&fixture, 29).await;
    let due = fixture.ask.overdue(&fixture.scope, &rules).await.expect("is counted");
    assert_eq!(due[0].count, 0);
    age(&fixture, 2).await;
    assert_eq!(fixture.ask.overdue(&fixture.scope, &rules).await.expect("is counted")[0].count, 1);
    let none = fixture.ask.expire(&fixture.scope, &RetentionRules::default()).await.expect("no rule");
    assert!(none.is_empty());
    assert_eq!(fixture.ask.expire(&fixture.scope, &rules).await.expect("expires")[0].count, 1);
    let left = fixture.ask.conversations(&fixture.scope, crate::ConversationQuery::default()).await;
    assert_eq!(left.expect("lists").total, 1);
    let db = fixture.ask.db(&fixture.scope).expect("is open");
    let entries = db.read(|tx| audit::list(tx, &Wanted::default(), 10)).await.expect("reads");
    let told = entries[0].entry.as_deref().unwrap_or_default();
    assert!(told.contains("conversations.expired") && told.contains("\"count\":1"), "{told}");
}
