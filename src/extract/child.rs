//! The reading child: takes jobs on its standard input, answers on its standard output, trusts nothing it reads.

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use crate::frames::{self, Done, Job, Ready, Setup};
use crate::model::{ExtractError, ExtractErrorCode, Extracted, Format, Limits, Source};
use crate::{ocr, process_limits};

/// Deep nesting ends as an error long before; what slips through overflows this and ends the child, not the server.
const STACK_BYTES: usize = 64 << 20;

/// What reads a document inside the child.
pub type Reader =
    fn(&[u8], &Source, &Limits, &mut dyn FnMut(u8)) -> Result<(Format, Extracted), ExtractError>;

/// What the hidden subcommand runs. Ends when its input ends.
pub fn child_main() -> ExitCode {
    child_main_with(crate::extract)
}

/// As [`child_main`], with another reader.
pub fn child_main_with(reader: Reader) -> ExitCode {
    match serve(reader) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reading child: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(reader: Reader) -> io::Result<()> {
    // Whatever a library prints must not run into the frames.
    let answers = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
    let answers = Mutex::new(answers);
    let mut input = io::stdin().lock();
    let Some((frames::SETUP, setup)) = frames::receive(&mut input)? else { return Ok(()) };
    let setup: Setup = serde_json::from_slice(&setup)?;
    let warnings = process_limits::apply(&setup);
    if let Some(tesseract) = setup.tesseract {
        ocr::allow(tesseract);
    }
    answer(&answers, frames::READY, &serde_json::to_vec(&Ready { warnings })?)?;
    while let Some((frames::JOB, job)) = frames::receive(&mut input)? {
        let job: Job = serde_json::from_slice(&job)?;
        process_limits::allow_cpu(job.cpu_seconds);
        let result = match receive_file(&mut input, job.bytes)? {
            Ok(bytes) => on_large_stack(reader, &job, &bytes, &answers),
            Err(error) => Err(error),
        };
        let (kind, payload) = encode(result, setup.output_bytes)?;
        answer(&answers, kind, &payload)?;
    }
    Ok(())
}

fn answer(answers: &Mutex<File>, kind: u8, payload: &[u8]) -> io::Result<()> {
    let mut out = answers.lock().map_err(|_| io::Error::other("a job died while it wrote"))?;
    frames::send(&mut *out, kind, payload)
}

/// The bytes of the file. One that has no room is read past, so that the next job finds its frame.
fn receive_file(input: &mut impl Read, length: u64) -> io::Result<Result<Vec<u8>, ExtractError>> {
    let mut bytes = Vec::new();
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if bytes.try_reserve_exact(size).is_err() {
        io::copy(&mut input.take(length), &mut io::sink())?;
        let message = "This file is larger than the memory it may be read in.".to_owned();
        return Ok(Err(ExtractError { code: ExtractErrorCode::Memory, message }));
    }
    let got = input.take(length).read_to_end(&mut bytes)?;
    if got < size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Ok(bytes))
}

fn on_large_stack(
    reader: Reader,
    job: &Job,
    bytes: &[u8],
    answers: &Mutex<File>,
) -> Result<(Format, Extracted), ExtractError> {
    let mut last = 0;
    let mut progress = |percent: u8| {
        if percent > last {
            last = percent;
            // A server that is gone is noticed at the next read.
            let _ = answer(answers, frames::PROGRESS, &[percent.min(100)]);
        }
    };
    thread::scope(|scope| {
        let job = thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, move || reader(bytes, &job.source, &job.limits, &mut progress));
        match job.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(ExtractError {
                code: ExtractErrorCode::Damaged,
                message: "This file is damaged in a way that stops its reader.".to_owned(),
            }),
            Err(_) => Err(ExtractError {
                code: ExtractErrorCode::Memory,
                message: "There is not enough memory to read this file.".to_owned(),
            }),
        }
    })
}

fn encode(result: Result<(Format, Extracted), ExtractError>, most: usize) -> io::Result<(u8, Vec<u8>)> {
    let error = match result {
        Ok((format, extracted)) => {
            let payload = serde_json::to_vec(&Done { format, extracted })?;
            if payload.len() <= most {
                return Ok((frames::DONE, payload));
            }
            let message =
                format!("The text of this file is larger than the {} MB it may have.", most / 1_000_000);
            ExtractError { code: ExtractErrorCode::TooLarge, message }
        }
        Err(error) => error,
    };
    Ok((frames::FAILED, serde_json::to_vec(&error)?))
}
