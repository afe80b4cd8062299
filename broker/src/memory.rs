//! What the allocator may keep. Hashing takes 19 MiB at a time, on whichever thread; glibc learns from the first such block
//! that is given back to keep later ones, per arena, and the broker would stay at hundreds of MiB after a busy morning.

/// Large blocks go back to the kernel at once, and threads share two arenas.
pub(crate) fn keep_little() {
    #[cfg(target_env = "gnu")]
    for (parameter, value) in [
        (nix::libc::M_MMAP_THRESHOLD, 256 * 1024),
        (nix::libc::M_TRIM_THRESHOLD, 256 * 1024),
        (nix::libc::M_ARENA_MAX, 2),
    ] {
        // SAFETY: mallopt(3) takes any numbers, and no other thread is there yet. Where it fails, more memory is kept.
        let _ = unsafe { nix::libc::mallopt(parameter, value) };
    }
}
