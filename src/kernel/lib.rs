//! The words all areas share: ids, errors, time, pages, events, scopes and ports.
//!
//! Small and boring on purpose: no HTTP, no SQL, and nothing that only one area needs.

mod clock;
mod error;
mod event;
mod id;
mod page;
pub mod ports;
mod privacy;
mod scope;
pub mod text;

pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Code, Error, FieldError, Result};
pub use event::Event;
pub use id::{
    AppId, ConsentId, ConversationId, DocumentId, EventId, FactorId, GroupId, IdError, InvitationId, JobId,
    KeyId, LexiconId, ProviderId, RequestId, SessionId, TargetId, TenantId, TurnId, UserId, WorkspaceId,
};
pub use page::{Cursor, Page, PageRequest};
pub use privacy::{Erased, HeldContent, HeldFile, PersonPart, RetentionPart, RetentionRules};
pub use scope::{APPLIANCE, Actor, Origin, Permission, Principal, Rights, Role, SEE_ALL, Scope, Sight};
