//! SQL of people and invitations in a tenant's database.

use lectern_kernel::{Code, Error, GroupId, InvitationId, Role, Timestamp, UserId};
use lectern_store::{Column, Row, StoreError, Tx, Value, params};

use crate::model::UserView;
use crate::model_people::{InvitationKind, InvitationView, PersonView, UserState};
use crate::store_groups;

type Result<T> = std::result::Result<T, StoreError>;

/// What signing in needs of a user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub password: Option<String>,
    pub state: UserState,
}

pub(crate) fn state(text: &str) -> UserState {
    if text == "active" { UserState::Active } else { UserState::Disabled }
}

pub(crate) fn count_users(tx: &Tx<'_>) -> Result<u64> {
    Ok(tx.scalar("SELECT count(*) FROM users", params![])?.unwrap_or_default())
}

/// Owners that may come in, `but` not counted.
pub(crate) fn count_other_owners(tx: &Tx<'_>, but: &UserId) -> Result<u64> {
    let found = tx.scalar(
        "SELECT count(*) FROM users WHERE role = 'owner' AND state = 'active' AND id <> $1",
        params![but],
    )?;
    Ok(found.unwrap_or_default())
}

/// A user with the e-mail's compared form and the password's hash.
pub(crate) struct UserRow<'a> {
    pub view: &'a UserView,
    pub email_key: &'a str,
    pub password: Option<&'a str>,
}

pub(crate) fn insert_user(tx: &Tx<'_>, user: &UserRow<'_>) -> Result<()> {
    let UserRow { view, email_key, password } = user;
    let inserted = tx.execute(
        "INSERT INTO users (id, name, email, email_key, role, password, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (email_key) DO NOTHING",
        params![&view.id, &view.name, &view.email, *email_key, &view.role, *password, tx.now()],
    )?;
    if inserted == 0 {
        return Err(Error::new(Code::Conflict, "There is a user with this e-mail already.").into());
    }
    Ok(())
}

const ACCOUNT: &str = "SELECT id, name, email, password, state FROM users WHERE";

pub(crate) fn account_by_email(tx: &Tx<'_>, email_key: &str) -> Result<Option<Account>> {
    tx.query_one(&format!("{ACCOUNT} email_key = $1"), params![email_key], account)
}

pub(crate) fn account_by_id(tx: &Tx<'_>, id: &UserId) -> Result<Option<Account>> {
    tx.query_one(&format!("{ACCOUNT} id = $1"), params![id], account)
}

fn account(row: &Row<'_>) -> Result<Account> {
    Ok(Account {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        password: row.get("password")?,
        state: state(&row.get::<String>("state")?),
    })
}

pub(crate) fn set_password(tx: &Tx<'_>, id: &UserId, password: &str) -> Result<()> {
    tx.execute(
        "UPDATE users SET password = $2, updated_at = $3 WHERE id = $1",
        params![id, password, tx.now()],
    )?;
    Ok(())
}

/// Lets somebody in again.
pub(crate) fn activate(tx: &Tx<'_>, id: &UserId) -> Result<usize> {
    tx.execute("UPDATE users SET state = 'active', updated_at = $2 WHERE id = $1", params![id, tx.now()])
}

pub(crate) fn user_by_id(tx: &Tx<'_>, id: &UserId) -> Result<Option<UserView>> {
    tx.query_one(
        "SELECT id, name, email, role, language, voice FROM users WHERE id = $1",
        params![id],
        |row| {
            Ok(UserView {
                id: row.get("id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                role: row.get("role")?,
                language: row.get("language")?,
                voice: row.get("voice")?,
            })
        },
    )
}

/// Which people are wanted; by id, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct WantedPeople {
    pub text: String,
    pub role: String,
    pub group: String,
    pub after: String,
}

const FITS: &str = "($1 = '' OR instr(lower(u.name), $1) > 0 OR instr(u.email_key, $1) > 0)
    AND ($2 = '' OR u.role = $2)
    AND ($3 = '' OR u.id IN (SELECT user_id FROM group_members WHERE group_id = $3))";

const PERSON: &str = "SELECT u.id, u.name, u.email, u.role, u.state, u.language, u.voice, u.last_seen_at,
    u.created_at, u.password IS NOT NULL AS has_password,
    EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id) AS second_factor,
    (SELECT count(*) FROM sessions s WHERE s.user_id = u.id) AS sessions FROM users u";

pub(crate) fn list_people(tx: &Tx<'_>, wanted: &WantedPeople, limit: u32) -> Result<Vec<PersonView>> {
    let people = tx.query(
        &format!("{PERSON} WHERE {FITS} AND u.id > $4 ORDER BY u.id LIMIT $5"),
        params![wanted.text.to_lowercase(), &wanted.role, &wanted.group, &wanted.after, limit],
        person,
    )?;
    people.into_iter().map(|person| with_groups(tx, person)).collect()
}

pub(crate) fn count_people(tx: &Tx<'_>, wanted: &WantedPeople) -> Result<u64> {
    let found = tx.scalar(
        &format!("SELECT count(*) FROM users u WHERE {FITS}"),
        params![wanted.text.to_lowercase(), &wanted.role, &wanted.group],
    )?;
    Ok(found.unwrap_or_default())
}

pub(crate) fn person_by_id(tx: &Tx<'_>, id: &UserId) -> Result<Option<PersonView>> {
    let found = tx.query_one(&format!("{PERSON} WHERE u.id = $1"), params![id], person)?;
    found.map(|person| with_groups(tx, person)).transpose()
}

fn with_groups(tx: &Tx<'_>, mut person: PersonView) -> Result<PersonView> {
    person.groups = store_groups::groups_of(tx, &person.id)?;
    Ok(person)
}

fn person(row: &Row<'_>) -> Result<PersonView> {
    Ok(PersonView {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        role: row.get("role")?,
        state: state(&row.get::<String>("state")?),
        groups: Vec::new(),
        language: row.get("language")?,
        voice: row.get("voice")?,
        has_password: row.get("has_password")?,
        second_factor: row.get("second_factor")?,
        sessions: row.get("sessions")?,
        last_seen_at: row.get("last_seen_at")?,
        created_at: row.get("created_at")?,
    })
}

pub(crate) fn update_person(tx: &Tx<'_>, person: &PersonView) -> Result<()> {
    let state = if person.state == UserState::Active { "active" } else { "disabled" };
    tx.execute(
        "UPDATE users SET name = $2, role = $3, state = $4, language = $5, voice = $6, updated_at = $7 WHERE id = $1",
        params![
            &person.id,
            &person.name,
            &person.role,
            state,
            person.language.clone(),
            person.voice.clone(),
            tx.now()
        ],
    )?;
    Ok(())
}

pub(crate) fn delete_user(tx: &Tx<'_>, id: &UserId) -> Result<usize> {
    tx.execute("DELETE FROM users WHERE id = $1", params![id])
}

/// Fingerprintable e-mails of everybody, for the names of signing in.
pub(crate) fn email_keys(tx: &Tx<'_>) -> Result<Vec<String>> {
    column(tx, "SELECT email_key FROM users ORDER BY email_key")
}

fn column<T: Column>(tx: &Tx<'_>, sql: &str) -> Result<Vec<T>> {
    tx.query(sql, params![], |row| row.at(0))
}

/// An invitation to be kept, by its secret's fingerprint.
pub(crate) struct InvitationRow<'a> {
    pub view: &'a InvitationView,
    pub email_key: &'a str,
    pub user: Option<&'a UserId>,
    pub fingerprint: &'a str,
    pub created_by: Option<&'a UserId>,
}

pub(crate) fn insert_invitation(tx: &Tx<'_>, row: &InvitationRow<'_>) -> Result<()> {
    let InvitationRow { view, email_key, user, fingerprint, created_by } = row;
    tx.execute(
        "INSERT INTO invitations
           (id, email, email_key, name, role, user_id, token_sha256, created_by, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            Value::from(&view.id),
            (&view.email).into(),
            (*email_key).into(),
            (&view.name).into(),
            (&view.role).into(),
            (*user).into(),
            (*fingerprint).into(),
            (*created_by).into(),
            view.created_at.into(),
            view.expires_at.into(),
        ],
    )?;
    for group in &view.groups {
        add_invitation_group(tx, &view.id, group)?;
    }
    Ok(())
}

fn add_invitation_group(tx: &Tx<'_>, id: &InvitationId, group: &GroupId) -> Result<()> {
    if store_groups::find_group(tx, group)?.is_none() {
        return Err(Error::field("groups", format!("there is no group '{group}'")).into());
    }
    tx.execute(
        "INSERT INTO invitation_groups (invitation_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        params![id, group],
    )?;
    Ok(())
}

const INVITATION: &str =
    "SELECT id, email, name, role, user_id, created_at, expires_at FROM invitations WHERE expires_at > $1";

/// Open invitations, the newest first.
pub(crate) fn list_invitations(tx: &Tx<'_>) -> Result<Vec<InvitationView>> {
    let found =
        tx.query(&format!("{INVITATION} ORDER BY id DESC LIMIT 1000"), params![tx.now()], invitation)?;
    found.into_iter().map(|(view, _)| with_invited_groups(tx, view)).collect()
}

/// The open invitation of a link, and the person whose password it is about.
pub(crate) fn find_invitation(
    tx: &Tx<'_>,
    fingerprint: &str,
) -> Result<Option<(InvitationView, Option<UserId>)>> {
    let found = tx.query_one(
        &format!("{INVITATION} AND token_sha256 = $2"),
        params![tx.now(), fingerprint],
        invitation,
    )?;
    found.map(|(view, user)| Ok((with_invited_groups(tx, view)?, user))).transpose()
}

fn with_invited_groups(tx: &Tx<'_>, mut view: InvitationView) -> Result<InvitationView> {
    view.groups = tx.query(
        "SELECT group_id FROM invitation_groups WHERE invitation_id = $1 ORDER BY group_id",
        params![&view.id],
        |row| row.get("group_id"),
    )?;
    Ok(view)
}

fn invitation(row: &Row<'_>) -> Result<(InvitationView, Option<UserId>)> {
    let user: Option<UserId> = row.get("user_id")?;
    let (role, expires_at): (Role, Timestamp) = (row.get("role")?, row.get("expires_at")?);
    let view = InvitationView {
        id: row.get("id")?,
        kind: if user.is_some() { InvitationKind::Reset } else { InvitationKind::Join },
        email: row.get("email")?,
        name: row.get("name")?,
        role,
        groups: Vec::new(),
        created_at: row.get("created_at")?,
        expires_at,
    };
    Ok((view, user))
}

pub(crate) fn delete_invitation(tx: &Tx<'_>, id: &InvitationId) -> Result<usize> {
    tx.execute("DELETE FROM invitations WHERE id = $1", params![id])
}

/// Earlier links for the same e-mail do not work any more.
pub(crate) fn delete_invitations_of(tx: &Tx<'_>, email_key: &str) -> Result<usize> {
    tx.execute("DELETE FROM invitations WHERE email_key = $1", params![email_key])
}

pub(crate) fn sweep_invitations(tx: &Tx<'_>) -> Result<usize> {
    tx.execute("DELETE FROM invitations WHERE expires_at <= $1", params![tx.now()])
}

/// A person of the first version, who becomes an owner.
pub(crate) fn adopt_user(tx: &Tx<'_>, user: &crate::store_control::OldUser) -> Result<()> {
    tx.execute(
        "INSERT INTO users (id, name, email, email_key, role, password, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'owner', $5, $6, $6) ON CONFLICT DO NOTHING",
        params![&user.id, &user.name, &user.email, &user.email_key, &user.password, tx.now()],
    )?;
    Ok(())
}
