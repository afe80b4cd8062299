//! The module's allocator: the system's, with every block wiped before it is given back. Prompts with a secret, the TOML
//! parser's texts and pictures are copied by crates that do not wipe.
//!
//! Where memory runs out, Rust ends the process, and with it the login: that denies. Argon2's memory is the exception, since
//! it is large enough to be refused in practice: it is requested in a way that returns an error (`recovery.rs`).

#![allow(unsafe_code, reason = "an allocator")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    mem::MaybeUninit,
    slice,
};

use zeroize::Zeroize as _;

struct Wiping;

#[global_allocator]
static MEMORY: Wiping = Wiping;

// SAFETY: every block is the system's allocator's and goes back to it; it is only written to while it is still the
// caller's. `realloc` is the default of `GlobalAlloc`, made of these, so a block that moves is wiped too.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    // Inlined into every place that frees something it is 33 KB.
    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is `layout.size()` bytes of the caller's, who gives them up; they may be uninitialised, which
        // `MaybeUninit` allows.
        let bytes = unsafe { slice::from_raw_parts_mut(block.cast::<MaybeUninit<u8>>(), layout.size()) };
        bytes.zeroize();
        // SAFETY: the block came from the system's allocator with this layout, as the caller promises.
        unsafe { System.dealloc(block, layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_grows_keeps_its_bytes() {
        let small = Layout::from_size_align(20, 1).expect("a power of two");
        // SAFETY: the layout is not of size zero.
        let block = unsafe { MEMORY.alloc(small) };
        // SAFETY: 20 bytes of ours.
        unsafe { block.write_bytes(7, 20) };
        // SAFETY: the block is the allocator's, with that layout; 40 bytes are no overflow.
        let grown = unsafe { MEMORY.realloc(block, small, 40) };
        // SAFETY: 20 of its 40 bytes, which were copied.
        assert_eq!(unsafe { slice::from_raw_parts(grown, 20) }, [7; 20]);
        // SAFETY: the block was grown to this layout.
        unsafe { MEMORY.dealloc(grown, Layout::from_size_align(40, 1).expect("a power of two")) };
    }

    #[test]
    fn a_zeroed_block_is_zero() {
        let layout = Layout::from_size_align(64, 8).expect("a power of two");
        // SAFETY: the layout is not of size zero.
        let block = unsafe { MEMORY.alloc_zeroed(layout) };
        // SAFETY: 64 bytes of ours, initialised.
        assert_eq!(unsafe { slice::from_raw_parts(block, 64) }, [0; 64]);
        // SAFETY: as it was made.
        unsafe { MEMORY.dealloc(block, layout) };
    }
}
