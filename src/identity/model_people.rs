//! What comes in and goes out about people, groups, roles and invitations.

use lectern_edge::Validate;
use lectern_kernel::{FieldError, GroupId, InvitationId, Role, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::model::{check_email, check_name, wrong};
use crate::password;
use crate::roles;

/// Whether a person may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    Active,
    Disabled,
}

/// A person of the tenant, as its administrators see them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PersonView {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub state: UserState,
    pub groups: Vec<GroupId>,
    /// ISO 639-1 code.
    pub language: Option<String>,
    pub voice: Option<String>,
    /// Whether there is a password here; without it the person signs in elsewhere.
    pub has_password: bool,
    /// Whether signing in asks for a second proof.
    pub second_factor: bool,
    pub sessions: u32,
    /// To the minute.
    pub last_seen_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Which people are listed.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PeopleParameters {
    /// A piece of name or e-mail.
    pub q: Option<String>,
    pub role: Option<String>,
    pub group: Option<String>,
    pub limit: Option<u32>,
    pub cursor: Option<String>,
}

/// Changes a person; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchPerson {
    pub name: Option<String>,
    pub role: Option<Role>,
    pub state: Option<UserState>,
    /// All groups the person is to be in.
    pub groups: Option<Vec<GroupId>>,
}

impl Validate for PatchPerson {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut errors);
        }
        errors
    }
}

/// Changes one's own profile; what is absent stays, an empty text takes it away.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchProfile {
    pub name: Option<String>,
    /// ISO 639-1 code.
    pub language: Option<String>,
    pub voice: Option<String>,
}

impl Validate for PatchProfile {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut errors);
        }
        let code = |l: &String| l.is_empty() || (l.len() == 2 && l.bytes().all(|b| b.is_ascii_lowercase()));
        if !self.language.as_ref().is_none_or(code) {
            errors.push(wrong("language", "must be an ISO 639-1 code such as de"));
        }
        if self.voice.as_ref().is_some_and(|v| v.len() > 100 || v.chars().any(char::is_control)) {
            errors.push(wrong("voice", "must be the name of a voice"));
        }
        errors
    }
}

/// A browser that is signed in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OpenSessionView {
    pub id: SessionId,
    /// The one that asks.
    pub current: bool,
    /// How the person signed in.
    pub method: String,
    pub address: Option<String>,
    /// What the browser calls itself.
    pub agent: Option<String>,
    /// Set when an operator of the appliance is in it, with the tenant's consent.
    #[serde(default)]
    pub operator: Option<String>,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

/// What a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// For access lists.
    Group,
    /// A team that works together.
    Workspace,
}

impl GroupKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Workspace => "workspace",
        }
    }
}

/// A group of people, or a workspace.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GroupView {
    pub id: GroupId,
    pub name: String,
    pub kind: GroupKind,
    pub members: u32,
    pub created_at: Timestamp,
}

/// A group to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    pub name: String,
    #[serde(default = "group")]
    pub kind: GroupKind,
    #[serde(default)]
    pub members: Vec<UserId>,
}

fn group() -> GroupKind {
    GroupKind::Group
}

impl Validate for NewGroup {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_name(&self.name, &mut errors);
        errors
    }
}

/// Changes a group; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchGroup {
    pub name: Option<String>,
    /// All people that are to be in it.
    pub members: Option<Vec<UserId>>,
    #[serde(default)]
    pub add: Vec<UserId>,
    #[serde(default)]
    pub remove: Vec<UserId>,
}

impl Validate for PatchGroup {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(name) = &self.name {
            check_name(name, &mut errors);
        }
        errors
    }
}

/// A role and what it may.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RoleView {
    pub name: Role,
    pub title: String,
    pub built_in: bool,
    pub permissions: Vec<String>,
}

/// A role to be made.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    pub name: Role,
    pub title: String,
    pub permissions: Vec<String>,
}

impl Validate for NewRole {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.name.is_built_in() {
            errors.push(wrong("name", "is that of a built-in role"));
        }
        roles::complaints(Some(&self.title), &mut errors);
        errors
    }
}

/// Changes a role; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchRole {
    pub title: Option<String>,
    pub permissions: Option<Vec<String>>,
}

impl Validate for PatchRole {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        roles::complaints(self.title.as_deref(), &mut errors);
        errors
    }
}

/// A permission, and which built-in roles hold it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PermissionView {
    pub name: String,
    pub roles: Vec<Role>,
}

/// Somebody to be invited.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    pub email: String,
    #[serde(default)]
    pub name: String,
    pub role: Role,
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// 1–30; 7 when absent.
    #[serde(default)]
    pub days: Option<u32>,
}

impl Validate for NewInvitation {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        check_email(&self.email, &mut errors);
        if !self.name.is_empty() {
            check_name(&self.name, &mut errors);
        }
        if self.days.is_some_and(|d| !(1..=30).contains(&d)) {
            errors.push(wrong("days", "must lie between 1 and 30"));
        }
        errors
    }
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvitationKind {
    /// To join the tenant.
    Join,
    /// To choose a new password.
    Reset,
}

/// An open invitation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InvitationView {
    pub id: InvitationId,
    pub kind: InvitationKind,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub groups: Vec<GroupId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// An invitation that was just made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewInvitationView {
    #[serde(flatten)]
    pub invitation: InvitationView,
    /// Shown this once; only its hash is kept. The page takes it at `/join#TOKEN`.
    pub token: String,
}

/// Shows who is invited to what.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationToken {
    pub token: String,
}

impl Validate for InvitationToken {}

/// What an invited person sees before they join.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InvitationOffer {
    pub kind: InvitationKind,
    pub tenant: String,
    pub email: String,
    pub name: String,
    pub role: Role,
}

/// Joins, or sets the new password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    pub token: String,
    #[serde(default)]
    pub name: String,
    /// 10–200 characters, not the e-mail.
    #[schema(format = Password)]
    pub password: String,
    /// The second factor of somebody who has one and chooses a new password.
    #[serde(default)]
    pub code: Option<String>,
}

impl Validate for AcceptInvitation {
    fn validate(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !self.name.is_empty() {
            check_name(&self.name, &mut errors);
        }
        if let Some(complaint) = password::complaint(&self.password, "") {
            errors.push(wrong("password", complaint));
        }
        errors
    }
}
