//! The server's messages, looked at before the LDAP library reads them: whole, not too large, not too deep. The library
//! descends once for each level and keeps all that is announced, so a hostile server could end the whole program.
//!
//! Basic encoding rules as LDAP restricts them (RFC 4511 section 5.1): definite lengths, low tag numbers.

use std::io::{self, Error, ErrorKind};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of one message: an entry with some ten thousand groups fits.
pub(crate) const LARGEST_MESSAGE: usize = 4 << 20;
/// Levels in each other; LDAP's own answers have seven.
const DEEPEST: usize = 16;
/// Tags in one message, each of which costs the reader memory of its own.
const MOST_TAGS: usize = 100_000;
const CONSTRUCTED: u8 = 0x20;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const SEQUENCE: u8 = 0x30;

/// One tag with its content, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub rest: &'a [u8],
}

/// Splits off the first element.
pub(crate) fn element(bytes: &[u8]) -> io::Result<Element<'_>> {
    let (&tag, after) = bytes.split_first().ok_or_else(|| broken("it ends too early"))?;
    let (&first, after) = after.split_first().ok_or_else(|| broken("it ends too early"))?;
    if tag & 0x1f == 0x1f {
        return Err(broken("it has a tag that LDAP does not know"));
    }
    let (length, after) = match first {
        0..=0x7f => (usize::from(first), after),
        0x81..=0x84 => {
            let (digits, after) = after
                .split_at_checked(usize::from(first & 0x7f))
                .ok_or_else(|| broken("it ends too early"))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), after)
        }
        _ => return Err(broken("it has a length that LDAP does not allow")),
    };
    let (content, rest) = after.split_at_checked(length).ok_or_else(|| broken("it ends too early"))?;
    Ok(Element { tag, content, rest })
}

/// Whether the library can read the message: well formed throughout, and within the limits.
pub(crate) fn check(message: &[u8]) -> io::Result<()> {
    let mut open: Vec<&[u8]> = vec![message];
    let mut tags = 0;
    while let Some(bytes) = open.pop() {
        if bytes.is_empty() {
            continue;
        }
        let Element { tag, content, rest } = element(bytes)?;
        open.push(rest);
        tags += 1;
        if tag & CONSTRUCTED != 0 {
            open.push(content);
        }
        if tags > MOST_TAGS || open.len() > DEEPEST {
            return Err(broken("it has too many parts"));
        }
    }
    Ok(())
}

/// Reads the next message whole and checks it; none at the connection's end.
pub(crate) async fn read_message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut message = vec![0; 2];
    if from.read(&mut message[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut message[1..]).await?;
    if message[0] != SEQUENCE {
        return Err(broken("it is not LDAP"));
    }
    let length = match message[1] {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let digits = usize::from(long & 0x7f);
            message.resize(2 + digits, 0);
            from.read_exact(&mut message[2..]).await?;
            message[2..].iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        }
        _ => return Err(broken("it has a length that LDAP does not allow")),
    };
    if length > LARGEST_MESSAGE {
        return Err(broken("it is too large"));
    }
    // Memory is taken as bytes come, not as they are announced.
    let wanted = message.len() + length;
    let read = from.take(length as u64).read_to_end(&mut message).await?;
    if read < length || message.len() != wanted {
        return Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended within a message"));
    }
    check(&message)?;
    Ok(Some(message))
}

fn broken(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the server sent a message that cannot be read: {reason}"))
}
