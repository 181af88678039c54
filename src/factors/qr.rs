//! A QR code as a picture that needs no other file: SVG.

use std::fmt::Write;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use crate::error::{FactorError, Result};

/// Empty modules around the code that scanners need (ISO/IEC 18004).
const QUIET: i32 = 4;

/// An SVG element without fixed size, dark on white in every colour scheme. What the text says can be read from it, so
/// a secret stays one.
pub fn qr_svg(text: &str) -> Result<Zeroizing<String>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|_| FactorError::QrTooLong)?;
    let size = code.size();
    let whole = size + 2 * QUIET;
    let mut svg = Zeroizing::new(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" shape-rendering="crispEdges" role="img"><path fill="#fff" d="M0 0h{whole}v{whole}H0z"/><path fill="#000" d=""##
    ));
    // Enough for all modules, so that growing leaves no copy of a secret behind.
    svg.reserve(size as usize * size as usize * 16);
    for y in 0..size {
        for x in (0..size).filter(|&x| code.get_module(x, y)) {
            let _ = write!(svg, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    svg.push_str("\"/></svg>");
    Ok(svg)
}
