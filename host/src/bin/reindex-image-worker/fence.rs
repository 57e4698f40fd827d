//! The sandbox of a process that decodes: no files except its own and the libraries', no network, no programs.
//!
//! A kernel that lacks a part of it is not an error here; [`gaps`] finds out by trying what is still allowed.

use std::{fs::File, io, net::UdpSocket, process::Command};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope, path_beneath_rules,
};
use rustix::{
    fs::{Mode, chmod},
    process::{getppid, test_kill_process},
    thread::{CapabilitySet, CapabilitySets, set_capabilities, set_thread_groups},
};
#[cfg(target_arch = "x86_64")]
use seccompiler::sock_filter;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// Where libraries, their modules, fonts and settings are.
const READABLE: [&str; 10] = [
    "in",
    "/usr",
    "/lib",
    "/lib64",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/etc/ImageMagick-6",
    "/etc/ImageMagick-7",
    "/var/cache/fontconfig",
];

/// What no decoder needs: the network, other processes, metadata of files, memory shared with other processes, and
/// privileged kernel interfaces.
const FORBIDDEN: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_open_by_handle_at,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_reboot,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_utimensat,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setaffinity,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_inotify_init1,
    libc::SYS_fanotify_init,
    libc::SYS_fanotify_mark,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_fsmount,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_name_to_handle_at,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_delete_module,
    libc::SYS_personality,
    libc::SYS_capset,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
];

/// The same calls under their older names.
#[cfg(target_arch = "x86_64")]
const OLDER: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_inotify_init,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: TargetArch = TargetArch::riscv64;

/// Applies every part of the sandbox that the kernel supports, for this thread and all threads it starts.
pub(super) fn build() {
    // A part that failed shows in `gaps`.
    let _ = powers();
    let _ = files();
    let _ = calls();
}

/// Drops the privileges of an administrator, and the groups of a user.
fn powers() -> io::Result<()> {
    // Only an administrator can drop groups.
    let _ = set_thread_groups(&[]);
    let none = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
}

fn files() -> Result<(), landlock::RulesetError> {
    // Newer kernels have more kinds of access; those that this kernel lacks are left out.
    let abi = ABI::V6;
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rules(path_beneath_rules(READABLE, read))?
        .add_rules(path_beneath_rules(["out"], write))?
        .restrict_self()
        .map(drop)
}

fn calls() -> Result<(), seccompiler::Error> {
    let refused = |number: i32| SeccompAction::Errno(number.unsigned_abs());
    #[cfg(target_arch = "x86_64")]
    apply_filter_all_threads(&no_other_numbers())?;
    let mut rules: Vec<_> = FORBIDDEN.iter().chain(OLDER).map(|call| (*call, Vec::new())).collect();
    rules.push((libc::SYS_clone, vec![SeccompRule::new(vec![no_thread()?])?]));
    // A process may signal only itself, and may change only its own limits.
    let own = u64::from(std::process::id());
    rules.push((libc::SYS_kill, vec![SeccompRule::new(vec![other_than(own)?])?]));
    rules.push((libc::SYS_tgkill, vec![SeccompRule::new(vec![other_than(own)?])?]));
    rules.push((libc::SYS_prlimit64, vec![SeccompRule::new(vec![other_than(0)?])?]));
    install(rules, refused(libc::EPERM))?;
    // Its flags are in memory, where no filter sees them. The C library uses `clone` instead if it is missing.
    install(vec![(libc::SYS_clone3, Vec::new())], refused(libc::ENOSYS))
}

fn no_thread() -> Result<SeccompCondition, seccompiler::BackendError> {
    let flag = u64::from(libc::CLONE_THREAD.unsigned_abs());
    SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), 0)
}

fn other_than(process: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, process)
}

/// Refuses the system call numbers of x32, which would be a second way to make every call.
#[cfg(target_arch = "x86_64")]
fn no_other_numbers() -> BpfProgram {
    const FIRST: u32 = 0x4000_0000;
    let line = |code, jf, k| sock_filter { code, jt: 0, jf, k };
    vec![
        // The number of the call.
        line(0x20, 0, 0),
        // At least the first of x32, or over the next line.
        line(0x35, 1, FIRST),
        line(0x06, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs()),
        line(0x06, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

fn install(rules: Vec<(i64, Vec<SeccompRule>)>, action: SeccompAction) -> Result<(), seccompiler::Error> {
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, action, ARCHITECTURE)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter_all_threads(&program)
}

/// Tries what must be impossible, and returns what was possible.
pub(super) fn gaps() -> Vec<String> {
    let tried = [
        ("read any file", denied(&File::open("/").map(drop))),
        ("reach the network", denied(&UdpSocket::bind(("127.0.0.1", 0)).map(drop))),
        ("start programs", denied(&Command::new("/bin/true").output().map(drop))),
        ("change files that it does not write", denied(&chmod("in", Mode::RWXU).map_err(io::Error::from))),
        ("signal other processes", denied(&signalled())),
    ];
    tried.into_iter().filter(|(_, denied)| !denied).map(|(what, _)| what.to_owned()).collect()
}

/// Tries to reach the process that started this one.
fn signalled() -> io::Result<()> {
    let parent = getppid().ok_or_else(|| io::Error::from(io::ErrorKind::PermissionDenied))?;
    Ok(test_kill_process(parent)?)
}

fn denied(tried: &io::Result<()>) -> bool {
    tried.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_fence_is_found_open() {
        let open = ["read any file", "reach the network", "start programs"];
        let open = [&open[..], &["change files that it does not write", "signal other processes"]].concat();
        assert_eq!(gaps(), open);
    }
}
