//! The dynamic loader: modules loaded for good, and the time that loading takes in a host as C programs are.

use std::ffi::{CStr, c_void};
use std::ptr;

use nix::libc;

use crate::clock;

/// Loads a module so that libpam finds it loaded, and nobody unloads it.
pub(crate) fn load_for_good(path: &CStr) {
    // SAFETY: `path` is a C string; the initialisers that run are those that libpam would run, and this process has one
    // thread.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NODELETE) };
    assert!(!handle.is_null(), "cannot load {}", path.to_string_lossy());
}

/// The time to load a module and what it needs beside libpam and libc, into a namespace that has just these two: this
/// program itself is linked with more than a host in C is.
pub(crate) fn time_to_load(path: &CStr) -> u64 {
    let host = load_into(libc::LM_ID_NEWLM, c"libpam.so.0");
    let mut namespace: libc::Lmid_t = 0;
    // SAFETY: `host` is a handle of the loader; RTLD_DI_LMID stores one Lmid_t (dlinfo(3)), for which there is a place.
    let status = unsafe { libc::dlinfo(host, libc::RTLD_DI_LMID, (&raw mut namespace).cast()) };
    assert_eq!(status, 0, "the loader knows its own handle");
    let begin = clock::now();
    load_into(namespace, path);
    clock::now() - begin
}

fn load_into(namespace: libc::Lmid_t, path: &CStr) -> *mut c_void {
    // SAFETY: `path` is a C string; nothing of what is loaded is called but its initialisers, on the one thread there is.
    let handle = unsafe { libc::dlmopen(namespace, path.as_ptr(), libc::RTLD_NOW) };
    assert!(!ptr::eq(handle, ptr::null()), "cannot load {}", path.to_string_lossy());
    handle
}
