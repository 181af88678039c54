//! `lectern eval`: the quality of search and answers on data with known answers.

use std::process::ExitCode;

use anyhow::Result;

use crate::args::EvalCommand;

pub fn run(command: &EvalCommand) -> Result<ExitCode> {
    match command {
        EvalCommand::Qa { file, embedding, json } => {
            let report = match embedding {
                Some(model) => lectern_documents::measure::qa_file(file, model)?,
                None => lectern_search::eval::qa_file(file)?,
            };
            let shown = serde_json::to_value(&report)?;
            print(&shown, *json)?;
        }
        EvalCommand::Retrieval { folder, json } => {
            let report = lectern_search::beir::retrieval_dir(folder)?;
            print(&serde_json::to_value(&report)?, *json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &serde_json::Value, as_json: bool) -> Result<()> {
    if as_json {
        say!("{}", serde_json::to_string(report)?);
        return Ok(());
    }
    for (name, value) in report.as_object().into_iter().flatten() {
        say!("{name:16} {value}");
    }
    Ok(())
}
