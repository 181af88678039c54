//! What can be wrong with a passkey, a code or what the browser sent.

use webauthn_rs::prelude::WebauthnError;

/// What this crate's functions give.
pub type Result<T, E = FactorError> = std::result::Result<T, E>;

/// Why a factor was not accepted or could not be set up. Never carries a secret, nor text that a browser sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// WebAuthn level 3, section 5.1.2: a relying party is a domain, never an address.
    #[error("passkeys do not work on the IP address {0}")]
    IpAddress(String),
    /// The relying party's id is no host name.
    #[error("'{0}' is not a host name")]
    HostName(String),
    /// An origin that browsers would not give passkeys to.
    #[error("passkeys do not work on '{origin}': {reason}")]
    Origin { origin: String, reason: &'static str },
    /// Authenticators show the name; they refuse an empty one.
    #[error("a passkey needs the name of the person")]
    NoName,
    /// The person has nothing to be asked for.
    #[error("there is no passkey to sign in with")]
    NoPasskey,
    /// The state is older than five minutes, or from the future.
    #[error("this took too long: the request for a passkey has run out")]
    Expired,
    /// Not what a browser makes of an authenticator's answer.
    #[error("the browser's answer cannot be read: {0}")]
    Unreadable(&'static str),
    /// The answer is well formed, and not to this question.
    #[error("the passkey was not accepted: {0}")]
    Refused(&'static str),
    /// The authenticator only saw that somebody is there.
    #[error("the passkey did not ask for a PIN, a fingerprint or a face")]
    NotVerified,
    /// The answer is by another passkey, or by one of another person.
    #[error("this passkey is not one that was asked for")]
    WrongPasskey,
    /// The signature counter did not rise.
    #[error("the passkey may have been copied: its counter did not rise")]
    Cloned,
    /// Neither this nor the steps beside it.
    #[error("the code is wrong")]
    WrongCode,
    /// A code counts once.
    #[error("the code was used before")]
    UsedCode,
    /// The stored or typed secret of one-time codes.
    #[error("this is not a secret for one-time codes: {0}")]
    Secret(&'static str),
    /// More than a QR code holds.
    #[error("the text is too long for a QR code")]
    QrTooLong,
    /// What was stored cannot be used.
    #[error("the stored {0} is damaged")]
    Stored(&'static str),
    /// The operating system has no random bytes.
    #[error("no random numbers: {0}")]
    Random(String),
    /// Something that the library does not explain.
    #[error("the passkey could not be checked")]
    Internal,
}

impl FactorError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::IpAddress(_) => {
                "Browsers bind passkeys to a host name. Give this server one and open it by that; on this machine \
                 'localhost' works too."
            }
            Self::HostName(_) => "Use a name such as 'lectern.example.org', without port and path.",
            Self::Origin { .. } => "Use an address such as 'https://lectern.example.org'.",
            Self::NoName => "Give the person a name first.",
            Self::NoPasskey => "Register a passkey first, or sign in another way.",
            Self::Expired => "Try again; there are five minutes from the click to the finger.",
            Self::Unreadable(_) => "Try again; if it stays, use another browser.",
            Self::Refused(_) => "Try again from the page of this server.",
            Self::NotVerified => "Set a PIN, a fingerprint or a face on the device that holds the passkey.",
            Self::WrongPasskey => "Take a passkey that was registered for this account.",
            Self::Cloned => "Remove this passkey and register it again; ask who else may hold a copy.",
            Self::WrongCode => "Look at the clock of the device that shows the codes: it must be right.",
            Self::UsedCode => "Wait for the next code.",
            Self::Secret(_) => "Set the one-time codes up again.",
            Self::QrTooLong => "Use a shorter name of the site or account; the secret can be typed as well.",
            Self::Stored(_) => "Remove this factor and set it up again.",
            Self::Random(_) => "Look into the system's log; a moment after its start this can pass.",
            Self::Internal => "Try again; if it stays, register the passkey anew.",
        }
    }
}

/// The library's reasons, in words for the person at the screen. What is not listed is a fault of form.
impl From<WebauthnError> for FactorError {
    fn from(error: WebauthnError) -> Self {
        use WebauthnError as E;
        match error {
            E::InvalidClientDataType => Self::Refused("it answers another kind of question"),
            E::MismatchedChallenge | E::ChallengeNotFound => Self::Refused("it answers another request"),
            E::InvalidRPOrigin => Self::Refused("it was asked for by another site"),
            E::InvalidRPIDHash => Self::Refused("it belongs to another site"),
            E::CredentialCrossOrigin => Self::Refused("it was asked for inside another site's page"),
            E::UserNotPresent => Self::Refused("nobody touched it"),
            E::UserNotVerified => Self::NotVerified,
            E::CredentialNotFound | E::InvalidUserUniqueId => Self::WrongPasskey,
            E::CredentialPossibleCompromise => Self::Cloned,
            E::CredentialBackupEligibilityInconsistent | E::CredentialMayNotBeHardwareBound => {
                Self::Refused("what it says about copies of itself does not fit")
            }
            E::AuthenticationFailure | E::SignatureInvalid => Self::Refused("its signature is wrong"),
            E::CredentialAlteredAlgFromRequest => {
                Self::Refused("it has a key of another kind, or is registered already")
            }
            E::AttestationNotSupported => {
                Self::Refused("it vouches for itself in a way that is not known here")
            }
            E::InvalidUsername => Self::NoName,
            E::Configuration => Self::Internal,
            _ => Self::Unreadable("a part of it is not as WebAuthn says"),
        }
    }
}
