//! Which of the compressed forms, made when the page was built, a client takes (RFC 9110 section 12.5.3).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// Best first.
    pub(crate) const COMPRESSED: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// The name in `Content-Encoding`; none for the plain form.
    pub(crate) fn token(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// What the file of this form is called behind the plain file's name.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// Whether an `Accept-Encoding` allows this form; `q=0` forbids, `*` stands for all that are not named.
    pub(crate) fn accepted_by(self, header: &str) -> bool {
        let Some(token) = self.token() else { return true };
        let mut any = false;
        for item in header.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let allowed = !parts.any(is_zero_weight);
            if name.eq_ignore_ascii_case(token) {
                return allowed;
            }
            if name == "*" {
                any = allowed;
            }
        }
        any
    }
}

fn is_zero_weight(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|q| q <= 0.0)
}
