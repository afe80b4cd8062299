//! What libpam calls a transaction by.

#[repr(C)]
pub(crate) struct PamHandle {
    _opaque: [u8; 0],
}

/// A pointer that libpam gave and has not taken back.
pub struct Handle(pub(crate) *mut PamHandle);
