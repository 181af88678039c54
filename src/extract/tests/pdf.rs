//! PDFs made here, and the protected and odd ones of the shared data.

use std::fmt::Write as _;
use std::path::PathBuf;

use lectern_extract::{BlockKind, ExtractError, ExtractErrorCode, Extracted, Limits, Source, extract};

/// A PDF of pages that show these lines: size, x, y, text.
fn pdf(pages: &[&[(u32, u32, u32, &str)]]) -> Vec<u8> {
    let mut objects = vec![String::from("<</Type/Catalog/Pages 2 0 R>>")];
    let kids: String = (0..pages.len()).fold(String::new(), |mut kids, at| {
        let _ = write!(kids, "{} 0 R ", 4 + 2 * at);
        kids
    });
    objects.push(format!("<</Type/Pages/Kids[{kids}]/Count {}/MediaBox[0 0 612 792]>>", pages.len()));
    objects.push(String::from("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"));
    for (at, lines) in pages.iter().enumerate() {
        let content = lines.iter().fold(String::new(), |mut content, (size, x, y, text)| {
            let _ = write!(content, "BT /F {size} Tf {x} {y} Td ({text}) Tj ET ");
            content
        });
        let stream = 5 + 2 * at;
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents {stream} 0 R>>"
        ));
        objects.push(format!("<</Length {}>>stream\n{content}\nendstream", content.len()));
    }
    let mut file = String::from("%PDF-1.4\n");
    let mut table = String::new();
    for (at, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        let _ = writeln!(file, "{} 0 obj{object}endobj", at + 1);
    }
    let start = file.len();
    let size = objects.len() + 1;
    let _ = write!(
        file,
        "xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    );
    file.into_bytes()
}

fn read(bytes: &[u8], password: Option<&str>) -> Result<Extracted, ExtractError> {
    let source = Source { name: "a.pdf".to_owned(), password: password.map(str::to_owned) };
    extract(bytes, &source, &Limits::default(), &mut |_| ()).map(|(_, extracted)| extracted)
}

fn shared(path: &str) -> Option<Vec<u8>> {
    let usual = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    #[expect(clippy::disallowed_methods, reason = "tests find their data by it")]
    let root = std::env::var_os("LECTERN_SHARED").map_or(usual, PathBuf::from);
    let found = std::fs::read(root.join("data").join(path)).ok();
    if found.is_none() {
        println!("skipped: {path} of the shared data is not here");
    }
    found
}

#[test]
fn headings_paragraphs_and_pages() {
    let first: &[_] = &[
        (20, 72, 700, "Care of the lantern"),
        (11, 72, 660, "The wick is trimmed once a week, and the glass is cleaned with a soft"),
        (11, 72, 646, "cloth, never with sand."),
        (11, 72, 610, "Oil is kept in the cellar."),
    ];
    let second: &[_] = &[(11, 72, 700, "On the second page there is more to read about the oil.")];
    let got = read(&pdf(&[first, second]), None).expect("a plain PDF");
    let blocks: Vec<_> = got.blocks.iter().map(|b| (b.kind, b.page)).collect();
    assert_eq!(
        blocks,
        [
            (BlockKind::Heading, Some(1)),
            (BlockKind::Paragraph, Some(1)),
            (BlockKind::Paragraph, Some(1)),
            (BlockKind::Paragraph, Some(2)),
        ]
    );
    assert!(got.text.contains("with a soft cloth, never with sand."), "{}", got.text);
    assert_eq!((got.pages, got.title.as_deref()), (2, Some("Care of the lantern")));
}

#[test]
fn a_damaged_cross_reference_is_repaired() {
    let mut bytes = pdf(&[&[(11, 72, 700, "Still here.")]]);
    let table = bytes.windows(4).position(|part| part == b"xref").expect("it has one");
    bytes.truncate(table);
    assert_eq!(read(&bytes, None).map(|got| got.text), Ok("Still here.".to_owned()));
}

#[test]
fn what_is_no_pdf_inside_is_damaged() {
    assert_eq!(read(b"%PDF-1.4\nnothing", None).expect_err("no pages").code, ExtractErrorCode::Damaged);
}

#[test]
fn passwords_open_what_they_should() {
    let unicode = "  ! < > \" \\ € œ ¤ 1⁄4 1⁄2 \u{2070E} \u{29D98} \u{1F600}  ";
    let cases = [
        ("tika_testPDF_no_extract_no_accessibility_owner_user.pdf", "user", "Hello"),
        ("tika_testPassword4Spaces.pdf", "    ", "Just some text"),
        ("tika_testUnicodePassword.pdf", unicode, "Just some text"),
    ];
    for (file, password, wanted) in cases {
        let Some(bytes) = shared(&format!("docs/encrypted/{file}")) else { return };
        let got = read(&bytes, Some(password)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(got.text.contains(wanted), "{file}: {}", got.text);
        assert_eq!(
            read(&bytes, Some("no such")).expect_err(file).code,
            ExtractErrorCode::WrongPassword,
            "{file}"
        );
        assert_eq!(read(&bytes, None).expect_err(file).code, ExtractErrorCode::Encrypted, "{file}");
    }
}

#[test]
fn codes_of_japanese_fonts_without_a_map() {
    for file in ["noembed-sjis.pdf", "noembed-eucjp.pdf"] {
        let Some(bytes) = shared(&format!("docs/pdfjs/{file}")) else { return };
        let got = read(&bytes, None).expect(file);
        assert!(got.text.contains("あいうえお"), "{file}: {}", got.text);
    }
}
