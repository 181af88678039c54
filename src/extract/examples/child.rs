//! A reading child for the tests, with files that misbehave by their name.

use std::net::{TcpStream, UdpSocket};
use std::process::{Command, ExitCode};
use std::time::Duration;

use lectern_extract::{Block, BlockKind, ExtractError, Extracted, Format, Limits, Source};

// The allocator of the real program: it must keep to the limit as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    lectern_extract::child_main_with(read)
}

fn read(
    bytes: &[u8],
    source: &Source,
    limits: &Limits,
    progress: &mut dyn FnMut(u8),
) -> Result<(Format, Extracted), ExtractError> {
    match source.name.as_str() {
        "sleep" => std::thread::sleep(Duration::from_mins(10)),
        "spin" => while std::hint::black_box(true) {},
        "abort" => std::process::abort(),
        "panic" => panic!("asked for"),
        "stack" => return said(&deep(0).to_string()),
        "memory" => return said(&hoard().to_string()),
        "progress" => (0..=100).for_each(&mut *progress),
        "chatter" => println!("this must not reach the frames"),
        "large" => return said(&"x".repeat(64 << 20)),
        "passwd" => return said(&format!("{:?}", std::fs::read("/etc/passwd").map_err(|e| e.kind()))),
        "write" => {
            return said(&format!("{:?}", std::fs::write("/tmp/lectern-escape", b"x").map_err(|e| e.kind())));
        }
        "scratch" => return said(&format!("{:?}", std::fs::write("inside", b"x").map_err(|e| e.kind()))),
        "tcp" => {
            return said(&format!("{:?}", TcpStream::connect("127.0.0.1:9").map_err(|e| e.kind()).is_ok()));
        }
        "udp" => return said(&format!("{:?}", UdpSocket::bind("127.0.0.1:0").map_err(|e| e.kind()))),
        "program" => return said(&format!("{:?}", Command::new("/bin/true").status().map_err(|e| e.kind()))),
        "environment" => return said(&environment()),
        _ => return lectern_extract::extract(bytes, source, limits, progress),
    }
    said("done")
}

#[expect(clippy::disallowed_methods, reason = "the test asks what the child can see")]
fn environment() -> String {
    std::env::vars().map(|(name, _)| name + " ").collect()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a reader's answer")]
fn said(text: &str) -> Result<(Format, Extracted), ExtractError> {
    let end = text.chars().count() as u32;
    let block = Block { kind: BlockKind::Paragraph, level: 0, start: 0, end, page: None, label: None };
    Ok((Format::Txt, Extracted { text: text.to_owned(), blocks: vec![block], ..Extracted::default() }))
}

fn deep(level: u64) -> u64 {
    let room = std::hint::black_box([level; 64]);
    if level == u64::MAX { 0 } else { deep(level + 1) + room[0] }
}

fn hoard() -> usize {
    let mut all = Vec::new();
    loop {
        all.push(vec![1_u8; 16 << 20]);
        std::hint::black_box(&all);
    }
}
