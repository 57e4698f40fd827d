//! The fence around a process that decodes: no files but its own and the libraries', no network, no programs.
//!
//! A kernel that lacks a part of it is no error here; [`gaps`] finds out by trying what is left open.

use std::{fs::File, net::UdpSocket, process::Command};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope, path_beneath_rules,
};
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

/// What no decoder needs: the network, other processes, and the kernel's larger machinery.
const FORBIDDEN: [i64; 35] = [
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
    libc::SYS_reboot,
];

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;
#[cfg(target_arch = "riscv64")]
const ARCHITECTURE: TargetArch = TargetArch::riscv64;

/// Builds what the kernel has of the fence, for this thread and all it will start.
pub(super) fn build() {
    // What failed shows in `gaps`, whatever the reason.
    let _ = files();
    let _ = calls();
}

fn files() -> Result<(), landlock::RulesetError> {
    // Newer kernels know more kinds of access; what this one does not know is left out.
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
    let mut rules: Vec<_> = FORBIDDEN.iter().map(|call| (*call, Vec::new())).collect();
    rules.push((libc::SYS_clone, vec![SeccompRule::new(vec![no_thread()?])?]));
    // A process may end itself only.
    rules.push((libc::SYS_kill, vec![SeccompRule::new(vec![another_process()?])?]));
    #[cfg(target_arch = "x86_64")]
    rules.extend([(libc::SYS_fork, Vec::new()), (libc::SYS_vfork, Vec::new())]);
    install(rules, refused(libc::EPERM))?;
    // Its flags lie in memory, where no filter sees them. The C library takes `clone` instead when it is absent.
    install(vec![(libc::SYS_clone3, Vec::new())], refused(libc::ENOSYS))
}

fn no_thread() -> Result<SeccompCondition, seccompiler::BackendError> {
    let flag = u64::from(libc::CLONE_THREAD.unsigned_abs());
    SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(flag), 0)
}

fn another_process() -> Result<SeccompCondition, seccompiler::BackendError> {
    let own = u64::from(std::process::id());
    SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own)
}

fn install(rules: Vec<(i64, Vec<SeccompRule>)>, action: SeccompAction) -> Result<(), seccompiler::Error> {
    let filter = SeccompFilter::new(rules.into_iter().collect(), SeccompAction::Allow, action, ARCHITECTURE)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter_all_threads(&program)
}

/// Tries what must be impossible, and tells what is not.
pub(super) fn gaps() -> Vec<String> {
    let tried = [
        ("read any file", denied(&File::open("/").map(drop))),
        ("reach the network", denied(&UdpSocket::bind(("127.0.0.1", 0)).map(drop))),
        ("start programs", denied(&Command::new("/bin/true").output().map(drop))),
    ];
    tried.into_iter().filter(|(_, denied)| !denied).map(|(what, _)| what.to_owned()).collect()
}

fn denied(tried: &std::io::Result<()>) -> bool {
    tried.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_fence_is_found_open() {
        assert_eq!(gaps(), ["read any file", "reach the network", "start programs"]);
    }
}
