//! The memory of this module and of nothing else in the host: wiped before it is given back, and there when the host has
//! none left.
//!
//! Where memory runs out, Rust ends the process, and that process is sshd, sudo or a screen locker. So the module takes what
//! it needs out of a reserve then, and the attempt goes on. It may grant: a right code, its charge and its end on the disk
//! are asked for by the same code, whoever lent the memory, so whoever starves a host gains nothing by it; and who comes to
//! end what starves it should not be kept out. (libpam, which has no reserve, refuses if it gets nothing at all.)

#![allow(unsafe_code, reason = "an allocator")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::UnsafeCell,
    mem::MaybeUninit,
    ptr, slice,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire},
    },
};

use zeroize::Zeroize as _;

/// The system's allocator, and behind it the reserve. Every block is wiped before it is given back: prompts with a secret,
/// texts of the TOML parser and pictures are copied by crates that do not wipe.
struct Wiping;

#[global_allocator]
static MEMORY: Wiping = Wiping;

static RESERVE: Reserve<RESERVED> = Reserve::new();

/// Bytes of the reserve, which lies in .bss: no page of it is there before it is touched. Where there is nothing else, both
/// phases of a login take 0.1 MB of it, with the configuration that ships 0.2 MB, with fifty rules 0.7 MB. One that takes
/// more, with hundreds of rules, ends the host. Argon2's memory is far more, and is asked for in a way that can be refused.
const RESERVED: usize = 1024 * 1024;

// SAFETY: a block is the system's allocator's or the reserve's, goes back to where it came from, and is only written to
// while it is still the caller's. What is not said here is made of these by `GlobalAlloc`, so a block that moves is wiped too.
unsafe impl GlobalAlloc for Wiping {
    // Not inlined into every place that asks for something: that is 8 KB.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() { RESERVE.take(layout) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the same.
        let block = unsafe { System.alloc_zeroed(layout) };
        if block.is_null() { RESERVE.take(layout) } else { block }
    }

    // Inlined into every place that frees something it is 33 KB.
    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is `layout.size()` bytes of the caller's, who gives them up; they may be uninitialised, which
        // `MaybeUninit` allows.
        let bytes = unsafe { slice::from_raw_parts_mut(block.cast::<MaybeUninit<u8>>(), layout.size()) };
        bytes.zeroize();
        if RESERVE.has(block) {
            RESERVE.take_back();
        } else {
            // SAFETY: it came from the system's allocator; the caller keeps the contract of `GlobalAlloc::dealloc`, which
            // is the same.
            unsafe { System.dealloc(block, layout) };
        }
    }
}

/// Blocks one behind the other. What is given back can be given again once all of them came back.
///
/// Any number of threads may use it, and none ever waits for another: what is taken is one word, changed in one step. So a
/// fork, too, finds it whole, whatever the threads that it lacks were about; what they held stays taken in the fork.
#[repr(C, align(16))]
struct Reserve<const BYTES: usize> {
    /// All zeros, but for blocks that are out.
    bytes: UnsafeCell<[u8; BYTES]>,
    /// In the upper half, how many blocks are out; in the lower, how many bytes are taken, from the first to the end of the
    /// last of them.
    taken: AtomicU64,
}

/// One block in the upper half of the word.
const ONE_BLOCK: u64 = 1 << 32;

/// Each block begins at a multiple of this, to which malloc(3) aligns too.
const UNIT: usize = 16;

// SAFETY: of the bytes, `take` gives each to one owner at a time, and nothing else reaches them; the word is an atomic.
unsafe impl<const BYTES: usize> Sync for Reserve<BYTES> {}

impl<const BYTES: usize> Reserve<BYTES> {
    const fn new() -> Self {
        Self { bytes: UnsafeCell::new([0; BYTES]), taken: AtomicU64::new(0) }
    }

    /// A block of zeros for this layout; null where there is none.
    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.align() > UNIT {
            return ptr::null_mut();
        }
        // Acquire: whoever had these bytes before has wiped them.
        let before = self.taken.fetch_update(AcqRel, Acquire, |word| {
            let size = layout.size().checked_next_multiple_of(UNIT)?;
            let fits = bytes_of(word).checked_add(size)? <= BYTES;
            fits.then_some(word.checked_add(ONE_BLOCK)?.checked_add(size as u64)?)
        });
        match before {
            // SAFETY: the block, and so where it begins, is within the array, as was just seen.
            Ok(word) => unsafe { self.bytes.get().cast::<u8>().add(bytes_of(word)) },
            Err(_) => ptr::null_mut(),
        }
    }

    /// Whether a block is one of these.
    fn has(&self, block: *const u8) -> bool {
        block.addr().wrapping_sub(self.bytes.get().addr()) < BYTES
    }

    /// Takes one of its blocks back, which is wiped.
    #[cold]
    fn take_back(&self) {
        // Release: the wiping comes before all that the next owner does.
        let _ = self.taken.fetch_update(AcqRel, Acquire, |word| {
            let left = word.checked_sub(ONE_BLOCK)?;
            Some(if left < ONE_BLOCK { 0 } else { left })
        });
    }
}

#[allow(clippy::cast_possible_truncation, reason = "no more than a reserve has")]
const fn bytes_of(word: u64) -> usize {
    (word % ONE_BLOCK) as usize
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a power of two, and not much")
    }

    /// A block of the reserve, as its owner sees it.
    fn block<const BYTES: usize>(reserve: &Reserve<BYTES>, size: usize) -> Option<&'static mut [u8]> {
        let block = reserve.take(layout(size, 1));
        // SAFETY: so many bytes, initialised, and nobody else's until they are given back; each test stops to use them then.
        (!block.is_null()).then(|| unsafe { slice::from_raw_parts_mut(block, size) })
    }

    fn give_back<const BYTES: usize>(reserve: &Reserve<BYTES>, block: &mut [u8]) {
        assert!(reserve.has(block.as_ptr()));
        block.zeroize();
        reserve.take_back();
    }

    /// Blocks and bytes.
    fn taken<const BYTES: usize>(reserve: &Reserve<BYTES>) -> (u64, usize) {
        let word = reserve.taken.load(Acquire);
        (word / ONE_BLOCK, bytes_of(word))
    }

    #[test]
    fn blocks_are_aligned_apart_and_zero() {
        let reserve = Reserve::<256>::new();
        let sizes = [1, 16, 17, 100, 64];
        let mut blocks = sizes.map(|size| block(&reserve, size).expect("there is room"));
        for (fill, block) in (1..).zip(&mut blocks) {
            assert!(block.as_ptr().addr().is_multiple_of(UNIT));
            assert!(block.iter().all(|byte| *byte == 0));
            block.fill(fill);
        }
        for (fill, block) in (1..).zip(&blocks) {
            assert!(block.iter().all(|byte| *byte == fill));
        }
        assert_eq!(taken(&reserve), (5, 16 + 16 + 32 + 112 + 64));
    }

    #[test]
    fn what_came_back_is_given_again_once_all_came_back() {
        let reserve = Reserve::<64>::new();
        for _ in 0..3 {
            let [first, second] = [32, 32].map(|size| block(&reserve, size).expect("there is room"));
            first.fill(1);
            second.fill(2);
            give_back(&reserve, first);
            assert!(block(&reserve, 1).is_none());
            give_back(&reserve, second);
            assert_eq!(taken(&reserve), (0, 0));
        }
        let whole = block(&reserve, 64).expect("there is room");
        assert!(whole.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_cannot_be_given_takes_nothing() {
        let reserve = Reserve::<128>::new();
        for (size, align) in [(129, 1), (usize::MAX >> 1, 1), (1, 32), (4096, 4096)] {
            assert!(reserve.take(layout(size, align)).is_null());
        }
        assert_eq!(taken(&reserve), (0, 0));
        assert!(block(&reserve, 49).is_some() && block(&reserve, 64).is_some());
        assert!(block(&reserve, 1).is_none());
        assert_eq!(taken(&reserve).0, 2);
    }

    #[test]
    fn blocks_of_others_are_none_of_its() {
        let reserve = Reserve::<64>::new();
        let start = reserve.bytes.get().cast::<u8>();
        assert!(reserve.has(start) && reserve.has(start.wrapping_add(63)));
        for other in [start.wrapping_sub(1), start.wrapping_add(64), ptr::null_mut(), ptr::dangling_mut()] {
            assert!(!reserve.has(other));
        }
    }

    #[test]
    fn threads_never_share_a_block() {
        let reserve = Reserve::<512>::new();
        let rounds = if cfg!(miri) { 20 } else { 20_000 };
        thread::scope(|scope| {
            for fill in 1..=4 {
                let reserve = &reserve;
                scope.spawn(move || {
                    let blocks = (0..rounds).filter_map(|round| block(reserve, 1 + round % 120));
                    for block in blocks {
                        assert!(block.iter().all(|byte| *byte == 0));
                        block.fill(fill);
                        thread::yield_now();
                        assert!(block.iter().all(|byte| *byte == fill));
                        give_back(reserve, block);
                    }
                });
            }
        });
        assert_eq!(taken(&reserve), (0, 0));
    }

    #[test]
    fn a_block_of_the_reserve_moves_to_the_system_when_it_grows_and_leaves_nothing() {
        let small = layout(20, 1);
        let block = RESERVE.take(small);
        // SAFETY: 20 bytes of ours.
        unsafe { block.write_bytes(7, 20) };
        // SAFETY: the block is the allocator's, with that layout; 40 bytes are no overflow.
        let moved = unsafe { MEMORY.realloc(block, small, 40) };
        assert!(RESERVE.has(block) && !RESERVE.has(moved));
        // SAFETY: 20 of its 40 bytes, which were copied.
        assert_eq!(unsafe { slice::from_raw_parts(moved, 20) }, [7; 20]);
        // SAFETY: as it was made.
        unsafe { MEMORY.dealloc(moved, layout(40, 1)) };
        assert_eq!(taken(&RESERVE), (0, 0));
        // SAFETY: the reserve is never unmapped, and nobody else takes of it in these tests.
        assert_eq!(unsafe { slice::from_raw_parts(RESERVE.bytes.get().cast::<u8>(), 64) }, [0; 64]);
    }
}
