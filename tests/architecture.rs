//! Who may depend on whom, as in docs/architecture.md; and sizes of files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const ENGINES: &[&str] = &[
    "extract",
    "factors",
    "hearing",
    "inference",
    "ldap",
    "oidc",
    "seal",
    "search",
    "speech",
    "syslog",
    "vectors",
];
const SLICES: &[&str] =
    &["access", "ask", "documents", "identity", "models", "oauth", "ops", "privacy", "scim", "voice"];
/// Dependencies between slices that are allowed.
const BETWEEN: &[(&str, &str)] = &[("access", "identity"), ("ask", "documents"), ("scim", "identity")];
const LONGEST: usize = 600;

fn layer(name: &str) -> u8 {
    match name {
        "kernel" | "merkle" | "ort-rten" => 0,
        "config" | "store" | "edge" | "neural" | "audio" => 1,
        name if ENGINES.contains(&name) => 2,
        name if SLICES.contains(&name) => 3,
        "console" => 3,
        "server" => 4,
        "cli" => 5,
        "lectern" | "testkit" => 6,
        other => panic!("'{other}' has no place in the architecture"),
    }
}

fn metadata() -> BTreeMap<String, Vec<(String, bool)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let data: Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &str| name.trim_start_matches("lectern-").to_owned();
    let package = |p: &Value| {
        let dependencies = p["dependencies"].as_array().unwrap().iter();
        let listed =
            dependencies.map(|d| (d["name"].as_str().unwrap().to_owned(), d["kind"] == "dev")).collect();
        (short(p["name"].as_str().unwrap()), listed)
    };
    data["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn dependencies_point_down() {
    for (name, dependencies) in metadata() {
        for (other, development) in dependencies {
            let Some(other) = other.strip_prefix("lectern-").filter(|_| !development) else { continue };
            let slice_to_slice = SLICES.contains(&name.as_str()) && SLICES.contains(&other);
            let allowed = if slice_to_slice {
                BETWEEN.contains(&(name.as_str(), other))
            } else {
                layer(other) < layer(&name) || (name == "edge" && other == "config")
            };
            assert!(allowed, "{name} must not depend on {other}");
        }
    }
}

#[test]
fn heavy_dependencies_have_one_home() {
    let homes = [
        ("rusqlite", &["store"][..]),
        ("tantivy", &["search"]),
        ("ollama-rs", &["inference"]),
        ("espeak-rs-sys", &["speech"]),
        ("piper-rs", &["speech"]),
        ("rten", &["ort-rten"]),
        ("symphonia", &["audio"]),
        (
            "actix-web",
            &[
                "edge",
                "access",
                "identity",
                "documents",
                "ask",
                "voice",
                "models",
                "oauth",
                "ops",
                "privacy",
                "scim",
                "console",
                "server",
            ],
        ),
    ];
    for (name, dependencies) in metadata() {
        for (dependency, homes) in homes {
            let uses = dependencies.iter().any(|(d, development)| d == dependency && !development);
            assert!(!uses || homes.contains(&name.as_str()), "{name} must not depend on {dependency}");
        }
    }
}

fn walk(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, check);
        } else if path.extension().is_some_and(|e| e == "rs") {
            check(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn files_are_small_say_what_they_own_and_are_finished() {
    let unfinished = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["unimplemented", "!("].concat(),
        ["todo", "!("].concat(),
    ];
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        let lines = text.lines().count();
        let place = path.display();
        assert!(lines <= LONGEST, "{place} has {lines} lines");
        assert!(text.starts_with("//!"), "{place} does not begin with what it owns");
        for word in &unfinished {
            assert!(!text.contains(word.as_str()), "{place} is unfinished: {word}");
        }
    });
}

#[test]
fn sql_sits_in_store_files() {
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        let name = path.file_name().unwrap().to_string_lossy();
        let own = path.components().any(|c| c.as_os_str() == "store");
        if own || name.starts_with("store") || name.starts_with("tests") {
            return;
        }
        for verb in ["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM "] {
            assert!(!text.contains(verb), "{} has SQL outside a store file", path.display());
        }
    });
}

#[test]
fn every_error_code_is_in_the_docs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/errors.md")).unwrap();
    let table = std::fs::read_to_string(root.join("src/kernel/error.rs")).unwrap();
    let rows = table
        .lines()
        .filter_map(|line| line.trim().split_once(" = \"")?.1.strip_suffix(';')?.split_once("\", "));
    let mut count = 0;
    for (code, rest) in rows {
        let (status, title) = rest.split_once(", \"").unwrap();
        let row = format!("`{code}` | {status} | {} |", title.trim_end_matches('"'));
        assert!(page.contains(&row), "docs/errors.md lacks: {row}");
        count += 1;
    }
    assert!(count > 15, "{count}");
}
