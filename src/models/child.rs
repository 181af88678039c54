//! The trial run of a model: the side of the hidden subcommand. It locks itself in, looks, runs, and says one word.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

use lectern_neural::RuntimeChoice;

use crate::engines;
use crate::trial::{Task, Word};

const TASK_BYTES: u64 = 64 << 10;
const PAGE: u64 = 4096;

/// What the hidden subcommand runs.
pub fn child_main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trial run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> std::io::Result<()> {
    // Whatever a library prints must not run into the answer.
    let mut answer = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    let mut text = Vec::new();
    std::io::stdin().lock().take(TASK_BYTES).read_to_end(&mut text)?;
    let task: Task = serde_json::from_slice(&text)?;
    let mut memory = Memory::open();
    // The library is read before the file system is closed to it. The trial needs no GPU.
    let choice = RuntimeChoice { onnxruntime: task.onnxruntime.clone(), ..RuntimeChoice::default() };
    engines::start(&choice).map_err(|error| std::io::Error::other(error.detail))?;
    let missing = lectern_extract::confine_to_reading(&task.folder, task.memory_bytes, task.cpu_seconds);
    if !missing.is_empty() {
        eprintln!("trial run is locked in less than it could be: {}", missing.join(", "));
    }
    let before = memory.resident();
    let word = match engines::try_out(&task.folder, &task.kinds) {
        Ok((kind, mut facts)) => {
            let grown = memory.resident().saturating_sub(before);
            facts.memory_bytes = facts.memory_bytes.max(grown);
            Word::Works { kind, facts }
        }
        Err(error) => Word::Refused { message: error.detail, hint: error.hint },
    };
    answer.write_all(&serde_json::to_vec(&word)?)
}

/// What this process holds; opened before the file system is closed to it.
struct Memory(Option<File>);

impl Memory {
    fn open() -> Self {
        Self(File::open("/proc/self/statm").ok())
    }

    fn resident(&mut self) -> u64 {
        let Some(file) = &mut self.0 else { return 0 };
        let mut text = String::new();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
        let pages = read.ok().and_then(|_| text.split_whitespace().nth(1)?.parse::<u64>().ok());
        pages.unwrap_or(0) * PAGE
    }
}
