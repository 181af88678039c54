//! The one binary: everything is in `lectern-cli` and below.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    lectern_cli::main()
}
