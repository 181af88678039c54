//! Where one message ends and the next begins.

/// What every receiver of datagrams should take whole (RFC 5426, section 3.2).
pub const UDP_LIMIT: usize = 2048;

/// How messages follow each other in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Each message after its length (RFC 6587, section 3.4.1; RFC 5425, section 4.3).
    Counted,
    /// Each on a line of its own.
    Lines,
}

/// Adds a message to what is to be sent.
pub fn frame(out: &mut Vec<u8>, message: &[u8], framing: Framing) {
    match framing {
        Framing::Counted => {
            out.extend_from_slice(message.len().to_string().as_bytes());
            out.push(b' ');
            out.extend_from_slice(message);
        }
        Framing::Lines => {
            out.extend_from_slice(message);
            out.push(b'\n');
        }
    }
}
