//! Locks the reading child in: memory, CPU and file limits, no new rights, no files, no network. What the kernel lacks is
//! reported, never a reason not to start.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use crate::frames::Setup;

const OPEN_FILES: u64 = 64;
const FILE_BYTES: u64 = 256 << 20;

/// Apply everything to this process; must run before it has a second thread. The answer names what did not hold.
pub(crate) fn apply(setup: &Setup) -> Vec<String> {
    apply_with(setup, AccessFs::from_all(ABI::V6))
}

/// `scratch` is what the one folder may be used for.
fn apply_with(setup: &Setup, scratch: BitFlags<AccessFs>) -> Vec<String> {
    let mut missing = Vec::new();
    let mut note = |what: &str, result: Result<(), String>| {
        if let Err(error) = result {
            missing.push(format!("{what}: {error}"));
        }
    };
    note("memory limit", limit(Resource::As, setup.memory_bytes));
    note("data limit", limit(Resource::Data, setup.memory_bytes));
    note("core dump limit", limit(Resource::Core, 0));
    note("open file limit", limit(Resource::Nofile, OPEN_FILES));
    note("file size limit", limit(Resource::Fsize, FILE_BYTES));
    note("parent death signal", said(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))));
    note("no new privileges", said(rustix::thread::set_no_new_privs(true)));
    note("not dumpable", said(rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)));
    note("landlock", landlock(setup, scratch));
    note("seccomp", seccomp(setup.tesseract.is_some()));
    missing
}

/// Locks a process in that looks into one folder and needs nothing else: as [`apply`], with that folder to be read and
/// nowhere to write. Must run before it has a second thread. The answer names what did not hold.
pub fn confine_to_reading(folder: &Path, memory_bytes: u64, cpu_seconds: u64) -> Vec<String> {
    let setup = Setup { memory_bytes, output_bytes: 0, scratch: folder.to_owned(), tesseract: None };
    let missing = apply_with(&setup, AccessFs::from_read(ABI::V6));
    allow_cpu(cpu_seconds);
    missing
}

fn said<E: ToString>(result: Result<(), E>) -> Result<(), String> {
    result.map_err(|error| error.to_string())
}

fn limit(resource: Resource, most: u64) -> Result<(), String> {
    said(rustix::process::setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }))
}

/// Give the next job its share of CPU time, counted from what the process has used. Past it the kernel ends the process.
pub(crate) fn allow_cpu(seconds: u64) {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    let soft = Rlimit { current: Some(used + seconds.max(1) + 1), maximum: None };
    // The limit of wall time, which the server keeps, stands behind this one.
    let _ = rustix::process::setrlimit(Resource::Cpu, soft);
}

fn landlock(setup: &Setup, scratch: BitFlags<AccessFs>) -> Result<(), String> {
    let abi = ABI::V6;
    let rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.scope(Scope::from_all(abi)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.add_rules(path_beneath_rules([&setup.scratch], scratch)));
    let mut rules = rules.map_err(|error| error.to_string())?;
    if let Some(tesseract) = &setup.tesseract {
        let home = tesseract.program.parent().unwrap_or(Path::new("/usr/bin"));
        let readable = [
            "/usr",
            "/lib",
            "/lib64",
            "/bin",
            "/opt",
            "/etc/ld.so.cache",
            "/etc/alternatives",
            "/sys/devices/system/cpu",
        ];
        rules = rules
            .add_rules(path_beneath_rules(
                readable.iter().map(Path::new).chain([home]),
                AccessFs::from_read(abi),
            ))
            .and_then(|rules| {
                rules.add_rules(path_beneath_rules(["/dev/null", "/dev/urandom"], AccessFs::from_file(abi)))
            })
            .map_err(|error| error.to_string())?;
    }
    let status = rules.restrict_self().map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => Err("this kernel holds only part of it".to_owned()),
        RulesetStatus::NotEnforced => Err("this kernel does not have it".to_owned()),
    }
}

/// Calls that no reader of a document makes: network, other processes, the system itself.
const REFUSED: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_personality,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_memfd_create,
    libc::SYS_mknodat,
];

/// Starting programs is refused too, unless one of them is the recogniser.
const REFUSED_WITHOUT_OCR: &[i64] = &[libc::SYS_execve, libc::SYS_execveat];

fn seccomp(may_start_programs: bool) -> Result<(), String> {
    let more = if may_start_programs { &[] } else { REFUSED_WITHOUT_OCR };
    let rules = REFUSED.iter().chain(more).map(|call| (*call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into().map_err(|_| "no filter for this processor".to_owned())?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).map_err(|error| error.to_string())?;
    let program: BpfProgram =
        filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    said(seccompiler::apply_filter(&program))
}
