//! Flips bits of the stack of a process that this one traces.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;

use nix::unistd::Pid;
use twinlock_tests::Flip;

/// Flips the bit beside a place where the word stands; whether there was one.
pub(crate) fn flip(host: Pid, flip: Flip) -> bool {
    let maps = fs::read_to_string(format!("/proc/{host}/maps")).expect("it stands");
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).expect("every process has one");
    let (from, to) = stack.split_once(' ').and_then(|(range, _)| range.split_once('-')).expect("proc(5)");
    let [from, to] = [from, to].map(|end| usize::from_str_radix(end, 16).expect("proc(5)"));
    let memory = OpenOptions::new().read(true).write(true).open(format!("/proc/{host}/mem")).expect("we trace it");
    let mut stack = vec![0; to.saturating_sub(from)];
    memory.read_exact_at(&mut stack, from as u64).expect("it is there");
    let words = stack.chunks_exact(8).enumerate();
    let places: Vec<_> = words.filter(|(_, word)| **word == flip.word.to_ne_bytes()).map(|(at, _)| at).collect();
    let Some(place) = flip.place.checked_rem(places.len()).and_then(|nth| places.get(nth)) else {
        return false;
    };
    let start = i64::try_from(place.saturating_mul(64)).expect("a stack is small");
    let bit = usize::try_from(start.saturating_add(flip.bit)).expect("within the stack");
    let byte = stack.get(bit / 8).expect("within the stack") ^ (1 << (bit % 8));
    memory.write_all_at(&[byte], from.saturating_add(bit / 8) as u64).expect("it is there");
    true
}
