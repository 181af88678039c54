//! Standard output. Whoever reads it may go away (`lectern voices | head`): the command then goes on to its end, so that
//! everything is closed, and what it says is lost without a word.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

/// A line on standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::out::line(format_args!($($text)*)) };
}

/// Text on standard output, as it is.
macro_rules! say_part {
    ($($text:tt)*) => { $crate::out::part(format_args!($($text)*)) };
}

pub(crate) fn line(text: Arguments<'_>) {
    part(format_args!("{text}\n"));
}

pub(crate) fn part(text: Arguments<'_>) {
    match std::io::stdout().lock().write_fmt(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("lectern: standard output cannot be written: {error}");
        }
        _ => {}
    }
}
