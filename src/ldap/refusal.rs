//! Why nobody was signed in: what the person did, what the directory says of the account, or what the site has to mend.

/// What this crate's functions give.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// Why a person was not signed in or not found. Never carries a password. The first two read the same, since outsiders
/// are not told which names exist; the next two come only where the directory gave them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The password is not this person's.
    #[error("user name or password are wrong")]
    WrongCredentials,
    /// Nobody has this name.
    #[error("user name or password are wrong")]
    NotFound,
    /// The password has to be changed first, in the directory.
    #[error("the password has expired and has to be changed first")]
    PasswordExpired,
    /// The directory does not let this account in.
    #[error("{0}")]
    AccountDisabled(Closed),
    /// No server answered as it should; another try may help.
    #[error("the directory does not answer: {message}")]
    Unavailable { message: String, hint: &'static str },
    /// A setting has to be changed; `field` is its name as in the configuration, or `bind_password`.
    #[error("the directory's settings do not fit ({field}): {message}")]
    Misconfigured { field: &'static str, message: String, hint: &'static str },
}

/// Why an account is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    #[error("the account is disabled")]
    Disabled,
    #[error("the account has expired")]
    Expired,
    /// Active Directory says this to wrong passwords too, so it tells outsiders that the name exists. The others are
    /// said only to those who have the password.
    #[error("the account is locked after too many wrong passwords")]
    Locked,
    #[error("the account may not sign in at this time")]
    Hours,
    #[error("the account may not sign in from here")]
    Workstation,
}

impl Refusal {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WrongCredentials | Self::NotFound => "Check the spelling, and whether caps lock is on.",
            Self::PasswordExpired => {
                "Change the password where it is kept, for example on a Windows computer."
            }
            Self::AccountDisabled(_) => "Ask the administrators of the directory.",
            Self::Unavailable { hint, .. } | Self::Misconfigured { hint, .. } => hint,
        }
    }

    /// Whether it is about the person and not about the site: such a refusal counts as a failed sign-in.
    pub fn is_persons(&self) -> bool {
        !matches!(self, Self::Unavailable { .. } | Self::Misconfigured { .. })
    }

    pub(crate) fn unavailable(message: impl Into<String>, hint: &'static str) -> Self {
        Self::Unavailable { message: message.into(), hint }
    }

    pub(crate) fn misconfigured(field: &'static str, message: impl Into<String>, hint: &'static str) -> Self {
        Self::Misconfigured { field, message: message.into(), hint }
    }
}

/// What Active Directory says by the code after `data` in the text of a failed bind, for example `80090308: LdapErr:
/// DSID-0C09044E, comment: AcceptSecurityContext error, data 52e, v2580`. The codes are those of Windows' logon errors
/// in hex (Microsoft, "Bind Errors for LDAP"). None where the text has none that is known.
pub(crate) fn from_data_code(text: &str) -> Option<Refusal> {
    let (_, rest) = text.split_once(", data ")?;
    let code = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    Some(match u32::from_str_radix(code, 16).ok()? {
        0x525 => Refusal::NotFound,
        0x52e => Refusal::WrongCredentials,
        0x530 => Refusal::AccountDisabled(Closed::Hours),
        0x531 => Refusal::AccountDisabled(Closed::Workstation),
        0x532 | 0x773 => Refusal::PasswordExpired,
        0x533 => Refusal::AccountDisabled(Closed::Disabled),
        0x701 => Refusal::AccountDisabled(Closed::Expired),
        0x775 => Refusal::AccountDisabled(Closed::Locked),
        _ => return None,
    })
}

/// A server's own words for an administrator: short, one line, no control characters.
pub(crate) fn quoted(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if text.trim().is_empty() { String::new() } else { format!(" ({})", text.trim()) }
}
