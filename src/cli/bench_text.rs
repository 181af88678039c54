//! Made-up texts for `lectern bench`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

const VOCABULARY: u64 = 50_000;
const WORDS_PER_PASSAGE: usize = 190;
const PASSAGES_PER_DOCUMENT: usize = 20;
const SYLLABLES: [&str; 16] =
    ["ka", "lo", "mi", "ren", "tu", "sol", "ve", "dan", "pi", "gor", "ha", "bel", "su", "nim", "ot", "ra"];

/// A stream of words, the frequent ones often (Zipf's law); xorshift64* (Vigna, 2016).
pub struct Words(u64);

impl Words {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn random(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub fn next(&mut self) -> String {
        let share = self.random() as f64 / (1u64 << 53) as f64;
        // The inverse of the distribution 1/rank.
        let mut rank = (VOCABULARY as f64).powf(share) as u64;
        let mut word = String::new();
        loop {
            word.push_str(SYLLABLES[(rank % 16) as usize]);
            rank /= 16;
            if rank == 0 {
                return word;
            }
        }
    }

    fn paragraph(&mut self, words: usize) -> String {
        let mut text = String::new();
        for number in 0..words {
            text.push_str(&self.next());
            text.push_str(if number % 14 == 13 { ". " } else { " " });
        }
        text.trim_end().to_owned() + ".\n\n"
    }
}

pub fn name(number: usize) -> String {
    format!("report-{number}.txt")
}

/// A question that one document answers.
pub fn question(number: usize) -> String {
    format!("Who inspected the boiler numbered X{number}Z?")
}

/// Writes documents with about `passages` passages; their number and bytes.
pub fn write(folder: &Path, passages: usize) -> Result<(usize, u64)> {
    std::fs::create_dir_all(folder)?;
    let documents = passages.div_ceil(PASSAGES_PER_DOCUMENT).max(1);
    let mut bytes = 0;
    for number in 0..documents {
        let mut words = Words::new(number as u64 + 100);
        let mut text = format!(
            "Report {number}\n\nThe boiler numbered X{number}Z was inspected by {}.\n\n",
            words.next()
        );
        for _ in 0..PASSAGES_PER_DOCUMENT {
            text.push_str(&words.paragraph(WORDS_PER_PASSAGE));
        }
        bytes += text.len() as u64;
        std::fs::write(folder.join(name(number)), text)?;
    }
    Ok((documents, bytes))
}

/// A word that only one page of the PDF has.
pub fn page_marker(page: usize) -> String {
    format!("pagemark{page}x")
}

/// A PDF with pages of about 400 words in Helvetica (ISO 32000-1, section 7.5).
pub fn pdf(pages: usize) -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), String::new()];
    objects
        .push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned());
    let mut kids = String::new();
    let mut words = Words::new(3);
    for page in 0..pages {
        let mut content = format!("BT /F1 10 Tf 12 TL 50 790 Td ({}) Tj T*\n", page_marker(page));
        for _ in 0..45 {
            let line: Vec<String> = (0..9).map(|_| words.next()).collect();
            let _ = writeln!(content, "({}.) Tj T*", line.join(" "));
        }
        content.push_str("ET");
        let number = objects.len() + 1;
        let _ = write!(kids, "{number} 0 R ");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            number + 1
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {pages} >>");
    assemble(&objects)
}

fn assemble(objects: &[String]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in objects.iter().enumerate() {
        let _ = writeln!(table, "{:010} 00000 n ", file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.extend(
        format!("{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").bytes(),
    );
    file
}
