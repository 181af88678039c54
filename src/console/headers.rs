//! The security headers of the page. Nothing from another host, nothing inline, in no frame: it asks for consent, too.

use actix_web::HttpResponseBuilder;

/// `frame-src` is for originals shown beside their text, `microphone` for spoken questions.
const FIXED: [(&str, &str); 7] = [
    (
        "Content-Security-Policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; \
         font-src 'self'; connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "microphone=(self), camera=(), geolocation=(), payment=(), usb=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
];

pub(crate) fn secure(response: &mut HttpResponseBuilder) {
    for header in FIXED {
        response.insert_header(header);
    }
}
