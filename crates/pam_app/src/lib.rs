//! libpam from the side of an application: one transaction, and the conversation in which modules ask. Used by the broker's
//! helper, the tests and the demo; nothing is decided here.
//!
//! All unsafe code is in three of the modules below. `harness` is what the hosts of the tests need besides; what does not use it
//! does not link it.

#[allow(unsafe_code, reason = "libpam calls back with pointers; all that is done with them is in this file")]
mod conversation;
mod handle;
#[allow(unsafe_code, reason = "calls into libpam that the tests alone make are in this file")]
pub mod harness;
#[allow(unsafe_code, reason = "libpam is a C library; the calls into it are in this file")]
mod transaction;

pub use conversation::{Converse, Message, Reply, Style, in_callback};
pub use handle::Handle;
pub use transaction::PamTransaction;

/// What libpam returns (`_pam_types.h` of Linux-PAM).
pub mod code {
    use std::ffi::c_int;

    /// `PAM_SUCCESS`.
    pub const SUCCESS: c_int = 0;
    /// `PAM_BUF_ERR`: no memory.
    pub const BUF_ERR: c_int = 5;
    /// `PAM_CONV_ERR`: the conversation failed.
    pub const CONV_ERR: c_int = 19;
}
