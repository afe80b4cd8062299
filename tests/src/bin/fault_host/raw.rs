//! All unsafe code of `fault-host`: fork(2), memory shared with a fork, what threads of hosts in C do, and the functions of
//! the C allocator, which stand here under its own names so that libpam and the module find them first.

use std::ffi::{CStr, c_int, c_void};
use std::mem::{MaybeUninit, size_of};
use std::num::NonZeroUsize;
use std::ptr;

use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid};

use crate::memory::{self, Count};

/// Starts a copy of this process, which does this alone.
pub(crate) fn fork(child: impl FnOnce()) -> Pid {
    // SAFETY: this process has one thread, so the copy is whole: no lock of it is held by a thread that it lacks.
    match unsafe { nix::unistd::fork() }.expect("a process more") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            child();
            unreachable!("a fork ends by itself");
        }
    }
}

/// A count in memory that forks share.
pub(crate) fn shared() -> &'static Count {
    let length = NonZeroUsize::new(size_of::<Count>()).expect("it has fields");
    let flags = MapFlags::MAP_SHARED | MapFlags::MAP_ANONYMOUS;
    // SAFETY: a new mapping at a place of the kernel's choice touches nothing that is there.
    let memory = unsafe { mmap_anonymous(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, flags) };
    // SAFETY: the mapping is as long as a `Count`, aligned to a page, never unmapped, and all zeros, which is a `Count`:
    // it is made of atomics, which may be changed by several processes.
    unsafe { memory.expect("a page").cast().as_ref() }
}

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(memory: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void;
}

fn refuse() -> *mut c_void {
    Errno::set_raw(libc::ENOMEM);
    ptr::null_mut()
}

// SAFETY: the name is that of the C function, and so are its type and what it does.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    if memory::refuses(size) {
        return refuse();
    }
    // SAFETY: as malloc(3) itself.
    unsafe { __libc_malloc(size) }
}

// SAFETY: as for `malloc`.
#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    if memory::refuses(count.saturating_mul(size)) {
        return refuse();
    }
    // SAFETY: as calloc(3) itself.
    unsafe { __libc_calloc(count, size) }
}

// SAFETY: as for `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    if memory::refuses(size) {
        return refuse();
    }
    // SAFETY: the caller's memory is that of the C allocator, as realloc(3) demands.
    unsafe { __libc_realloc(memory, size) }
}

// SAFETY: as for `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
    if memory::refuses(size) {
        return libc::ENOMEM;
    }
    // SAFETY: as memalign(3) itself.
    let memory = unsafe { __libc_memalign(alignment, size) };
    if memory.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: posix_memalign(3): the caller gives a place for a pointer.
    unsafe { *place = memory };
    0
}

/// Interrupts what waits, by a signal that is taken note of; system calls are not begun again.
pub(crate) fn take_note_of(signal: Signal) {
    extern "C" fn note(_: c_int) {}
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, which may be done at any time.
    unsafe { sigaction(signal, &action) }.expect("a signal that can be handled");
}

/// Leaves with this status when the signal comes, as hosts do that set themselves a time limit.
pub(crate) fn leave_at(signal: Signal) {
    extern "C" fn leave(_: c_int) {
        // SAFETY: _exit(2) may be called at any time.
        unsafe { libc::_exit(1) };
    }
    let action = SigAction::new(SigHandler::Handler(leave), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing but end the process, which may be done at any time.
    unsafe { sigaction(signal, &action) }.expect("a signal that can be handled");
}

/// Starts a copy that ends at once, and waits for it.
pub(crate) fn fork_for_nothing() {
    // SAFETY: the copy calls nothing but _exit(2), which needs no lock.
    match unsafe { nix::unistd::fork() }.expect("a process more") {
        // SAFETY: _exit(2) may be called at any time.
        ForkResult::Child => unsafe { libc::_exit(0) },
        ForkResult::Parent { child } => while waitpid(child, None) == Err(Errno::EINTR) {},
    }
}

/// The time of day where TZ says, in libc's one place for it.
pub(crate) fn ask_for_local_time() {
    let mut broken_down = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: a time, and a place for what is made of it.
    unsafe { libc::localtime_r(&0, broken_down.as_mut_ptr()) };
}

/// Changes a variable of the environment, as hosts in C do it: behind everybody's back.
pub(crate) fn set_environment(name: &str, value: &str) {
    // SAFETY: once a variable is there, a new value of it moves nothing that others may be reading.
    unsafe { std::env::set_var(name, value) };
}

/// Looks for a variable, as C does it.
pub(crate) fn ask_environment(name: &CStr) {
    // SAFETY: a C string; what is returned is not looked at.
    unsafe { libc::getenv(name.as_ptr()) };
}
