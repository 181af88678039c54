//! Small documents with known content.

/// A page about a fictitious pump with facts to ask for.
pub const PUMP: &str = "# Feed pump P-117\n\n\
The feed pump P-117 was installed in March 2019 by Halvorsen Engineering. Its nominal flow is 48 cubic metres per hour.\n\n\
## Maintenance\n\n\
The shaft seal is replaced every 4,000 operating hours. Ingrid Dahl is responsible for the lubrication plan.\n\n\
## Alarms\n\n\
When the bearing temperature exceeds 95 degrees Celsius, the control room stops the pump within ten seconds.\n";

/// A page about something else.
pub const CANTEEN: &str = "# Canteen\n\n\
The canteen opens at 11:30 and closes at 14:00. On Thursdays there is pea soup. Meals are paid with the staff card.\n";

/// A one-page PDF with a line of text, made by hand (ISO 32000-1, section 7.5).
pub fn pdf(line: &str) -> Vec<u8> {
    let escaped = line.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    let content = format!("BT /F1 12 Tf 72 720 Td ({escaped}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n{object}\nendobj\n", number + 1).bytes());
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    file.extend(
        format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1)
            .bytes(),
    );
    file
}
