//! Two questions to the system.

/// What goals may depend on, and whether it holds here: `membarrier` where one thread can order the memory accesses of the
/// others, which a lock can release by a plain store then; `no-membarrier` elsewhere.
pub(crate) fn facts() -> Vec<(&'static str, bool)> {
    let membarrier = has_membarrier();
    vec![("membarrier", membarrier), ("no-membarrier", !membarrier)]
}

#[cfg(target_os = "linux")]
fn has_membarrier() -> bool {
    let (flags, cpu) = (0, 0);
    // SAFETY: the system call `membarrier` takes three integers, and its query only answers which commands there are.
    let commands = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_QUERY, flags, cpu) };
    commands > 0 && commands & libc::c_long::from(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0
}

#[cfg(not(target_os = "linux"))]
fn has_membarrier() -> bool {
    false
}

/// Bytes that are allocated now, where the C library says so.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn heap_bytes() -> Option<usize> {
    // SAFETY: `mallinfo2` takes nothing and returns numbers; the allocator locks while it counts.
    let info = unsafe { libc::mallinfo2() };
    Some(info.uordblks + info.hblkhd)
}

/// Nobody says so here.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn heap_bytes() -> Option<usize> {
    None
}
