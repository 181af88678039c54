//! `lectern models`.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};
use walkdir::WalkDir;

use crate::args::{ImportArgs, ModelsCommand};
use crate::client::Client;
use crate::connect;

/// An export lies in a folder or one below it.
const DEPTH: usize = 3;
const MOST_FILES: usize = 4096;

pub fn run(command: &ModelsCommand) -> Result<ExitCode> {
    match command {
        ModelsCommand::List { known, json, place } => {
            let view = connect::with(place, |c| c.get("/models", &[]))?;
            if *json {
                say!("{view:#}");
            } else {
                list(&view, *known);
            }
        }
        ModelsCommand::Import(arguments) => return import(arguments),
        ModelsCommand::Verify { name, json, place } => {
            return connect::with(place, |c| verify(c, name.as_deref(), *json));
        }
        ModelsCommand::Use { name, off, place } => {
            let view = connect::with(place, |c| {
                c.post(&format!("/models/{}/use", checked(name)?), &json!({ "in_use": !off }))
            })?;
            let kind = text(&view, "kind");
            say!(
                "{}",
                if *off { format!("no imported {kind} is in use") } else { format!("{name} is in use") }
            );
        }
        ModelsCommand::Remove { name, place } => {
            connect::with(place, |c| c.delete(&format!("/models/{}", checked(name)?)))?;
            say!("removed {name}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A name that can stand in an address as it is.
fn checked(name: &str) -> Result<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
    if name.is_empty() || !name.bytes().all(plain) {
        bail!("'{name}' is no name of a model\n  hint: lectern models list");
    }
    Ok(name)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or("-")
}

fn megabytes(value: &Value) -> String {
    let bytes = value.as_u64().unwrap_or(0);
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn list(view: &Value, known: bool) {
    let items = view["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    for model in items {
        let state = match (model["problem"].as_str(), model["in_use"].as_bool(), model["loaded"].as_bool()) {
            (Some(_), ..) => "problem",
            (_, Some(true), Some(true)) => "in use, loaded",
            (_, Some(true), _) => "in use",
            (_, _, Some(true)) => "loaded",
            _ => "",
        };
        let (name, kind, licence) = (text(model, "name"), text(model, "kind"), text(model, "licence"));
        say!("{name}  {kind}  {}  {licence}  {state}", megabytes(&model["bytes"]));
        if let Some(problem) = model["problem"].as_str() {
            say!("  {problem}");
        }
    }
    if items.is_empty() {
        say!("No model is installed: search goes by words, eSpeak NG speaks, PocketSphinx hears.");
        say!("hint: lectern models import FILE_OR_DIR");
    }
    if known {
        say!("\nKnown, not installed:");
        for model in view["known"].as_array().into_iter().flatten() {
            say!(
                "{}  {}  {}  {}",
                text(model, "name"),
                text(model, "kind"),
                text(model, "licence"),
                text(model, "source")
            );
            if let Some(how) = model["how"].as_str() {
                say!("  {how}");
            }
        }
    }
}

fn verify(client: &Client, name: Option<&str>, as_json: bool) -> Result<ExitCode> {
    let names = if let Some(name) = name {
        vec![checked(name)?.to_owned()]
    } else {
        let view = client.get("/models", &[])?;
        let items = view["items"].as_array().into_iter().flatten();
        items.filter_map(|m| m["name"].as_str().map(str::to_owned)).collect()
    };
    let mut good = true;
    for name in names {
        let found = client.post(&format!("/models/{name}/verify"), &json!({}))?;
        let ok = found["ok"].as_bool().unwrap_or(false);
        good &= ok;
        if as_json {
            say!("{}", json!({ "name": name, "ok": ok, "problem": found["model"]["problem"] }));
        } else {
            say!("{name}: {}", found["model"]["problem"].as_str().unwrap_or("whole, and works"));
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn import(arguments: &ImportArgs) -> Result<ExitCode> {
    let groups = groups(&arguments.paths)?;
    if arguments.name.is_some() && groups.len() > 1 {
        bail!("--name is for one model, and there are {}", groups.len());
    }
    connect::with(&arguments.place, |client| {
        let mut failed = false;
        for group in &groups {
            let shown = group.shown();
            match send(client, arguments, group) {
                Ok((view, created)) => report(arguments.json, &view, created),
                Err(error) => {
                    failed = true;
                    if arguments.json {
                        say!(
                            "{}",
                            json!({ "path": shown, "status": "failed", "reason": format!("{error:#}") })
                        );
                    } else {
                        eprintln!("{shown}: {error:#}");
                    }
                }
            }
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    })
}

fn report(as_json: bool, view: &Value, created: bool) {
    if as_json {
        say!("{}", json!({ "status": if created { "imported" } else { "there already" }, "model": view }));
        return;
    }
    let (name, kind) = (text(view, "name"), text(view, "kind"));
    let state = if created { "imported" } else { "is there already" };
    let known = if view["known"] == true { ", known" } else { "" };
    let hint = match view["in_use"].as_bool() {
        Some(true) => "in use".to_owned(),
        Some(false) => format!("use it: lectern models use {name}"),
        None => format!("speak with it: voice piper/{name}"),
    };
    say!("{name} {state} ({kind}{known}, {}); {hint}", megabytes(&view["bytes"]));
}

/// The files of one model, with the names they are sent under.
struct Group {
    root: PathBuf,
    files: Vec<PathBuf>,
}

impl Group {
    fn shown(&self) -> String {
        match self.files.as_slice() {
            [only] => only.display().to_string(),
            _ => self.root.display().to_string(),
        }
    }

    /// The folder's name stands in front: it names a model whose files tell no name.
    fn sent_name(&self, file: &Path) -> String {
        let name = file.strip_prefix(&self.root).unwrap_or(file).to_string_lossy().into_owned();
        let root = std::fs::canonicalize(&self.root).ok();
        match root.as_ref().and_then(|root| root.file_name()) {
            Some(root) if self.files.len() > 1 => format!("{}/{name}", root.to_string_lossy()),
            _ => name,
        }
    }
}

/// What belongs together: a bundle; a voice with its configuration; otherwise the files of a folder.
fn groups(paths: &[PathBuf]) -> Result<Vec<Group>> {
    let mut groups = Vec::new();
    for path in paths {
        if path.is_dir() {
            folder(path, &mut groups)?;
        } else if path.is_file() {
            groups.push(single(path)?);
        } else {
            bail!("{} does not exist", path.display());
        }
    }
    Ok(groups)
}

fn is_bundle(path: &Path) -> bool {
    path.to_string_lossy().ends_with(lectern_models::BUNDLE_EXTENSION)
}

fn single(path: &Path) -> Result<Group> {
    let root = path.parent().map(Path::to_owned).unwrap_or_default();
    if is_bundle(path) {
        return Ok(Group { root, files: vec![path.to_owned()] });
    }
    let onnx = match path.to_str() {
        Some(text) if text.ends_with(".onnx.json") => PathBuf::from(text.trim_end_matches(".json")),
        _ => path.to_owned(),
    };
    if onnx.extension().is_none_or(|e| e != "onnx") {
        bail!(
            "{} is neither a bundle ({}) nor an ONNX file\n  hint: give the folder of the export",
            path.display(),
            lectern_models::BUNDLE_EXTENSION
        );
    }
    Ok(match config_of(&onnx) {
        Some(config) => Group { root, files: vec![onnx, config] },
        None => Group { root, files: vec![onnx] },
    })
}

/// The configuration of a voice beside its file.
fn config_of(onnx: &Path) -> Option<PathBuf> {
    let own = PathBuf::from(format!("{}.json", onnx.display()));
    own.is_file().then_some(own)
}

fn folder(path: &Path, groups: &mut Vec<Group>) -> Result<()> {
    let mut files = Vec::new();
    for entry in WalkDir::new(path).max_depth(DEPTH).sort_by_file_name() {
        let entry = entry.with_context(|| path.display().to_string())?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
        if files.len() > MOST_FILES {
            bail!(
                "{} has more than {MOST_FILES} files\n  hint: give the folder of one model",
                path.display()
            );
        }
    }
    let before = groups.len();
    for file in &files {
        let voice = file.extension().is_some_and(|e| e == "onnx") && config_of(file).is_some();
        if voice || is_bundle(file) {
            groups.push(single(file)?);
        }
    }
    if groups.len() > before {
        return Ok(());
    }
    let names: Vec<String> = files.iter().map(|f| f.to_string_lossy().into_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let picked = lectern_models::pick(&names).map_err(|error| {
        let hint = error.hint.map(|h| format!("\n  hint: {h}")).unwrap_or_default();
        anyhow::anyhow!("{}: {}{hint}", path.display(), error.detail)
    })?;
    let files = picked.files.iter().map(|taken| files[taken.index].clone()).collect();
    groups.push(Group { root: path.to_owned(), files });
    Ok(())
}

fn send(client: &Client, arguments: &ImportArgs, group: &Group) -> Result<(Value, bool)> {
    let mut form = Form::new();
    let in_use = if arguments.in_use { Some("true") } else { arguments.no_use.then_some("false") };
    let fields = [
        ("name", arguments.name.clone()),
        ("languages", arguments.languages.clone()),
        ("licence", arguments.licence.clone()),
        ("source", arguments.source.clone()),
        ("in_use", in_use.map(str::to_owned)),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            form = form.text(field, value);
        }
    }
    let total = group.files.iter().map(|f| std::fs::metadata(f).map_or(0, |m| m.len())).sum();
    let bar = bar(total, &group.shown(), arguments.json);
    for path in &group.files {
        let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let length = file.metadata()?.len();
        let part = Part::reader_with_length(Counted { file, bar: bar.clone() }, length);
        form = form.part("file", part.file_name(group.sent_name(path)));
    }
    let outcome = client.post_form("/models", form);
    bar.finish_and_clear();
    outcome
}

/// A file that tells how far it has been read.
struct Counted {
    file: File,
    bar: ProgressBar,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let got = self.file.read(buffer)?;
        self.bar.inc(got as u64);
        if self.bar.length().is_some_and(|all| self.bar.position() >= all) {
            self.bar.set_message("trial run");
        }
        Ok(got)
    }
}

fn bar(bytes: u64, shown: &str, hidden: bool) -> ProgressBar {
    let target = if hidden || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes}  {msg}")
        .expect("a fixed template");
    ProgressBar::with_draw_target(Some(bytes), target).with_style(style).with_prefix(shown.to_owned())
}
