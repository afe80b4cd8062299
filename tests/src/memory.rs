//! The memory of a running process as it stands, as a core dump would have it: everything that it can write to.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::canaries::Canaries;
use crate::process::Process;

/// What was in a process.
#[derive(Debug)]
pub struct Memory {
    mappings: Vec<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    name: String,
    start: u64,
    bytes: Vec<u8>,
}

impl Memory {
    /// Reads all of a process that waits for something.
    ///
    /// # Panics
    /// When it is not ours to read, or has ended.
    pub fn of(process: &Process) -> Self {
        let folder = format!("/proc/{}", process.pid());
        let maps = fs::read_to_string(format!("{folder}/maps")).expect("it runs");
        let memory = File::open(format!("{folder}/mem")).expect("it is ours");
        let mappings = maps.lines().filter_map(|line| {
            // START-END rwxp OFFSET DEVICE INODE    NAME
            let mut fields = line.split_whitespace();
            let (start, end) = fields.next()?.split_once('-')?;
            let number = |text| u64::from_str_radix(text, 16).expect("the kernel writes it");
            let (start, end) = (number(start), number(end));
            let is_writable = fields.next()?.starts_with("rw");
            let mut bytes = vec![0; usize::try_from(end - start).expect("it fits")];
            (is_writable && memory.read_exact_at(&mut bytes, start).is_ok()).then(|| Mapping {
                name: fields.nth(3).unwrap_or("anonymous").to_owned(),
                start,
                bytes,
            })
        });
        let mappings: Vec<_> = mappings.collect();
        assert!(mappings.iter().any(|mapping| mapping.name == "[stack]"), "all of it: {maps}");
        Self { mappings }
    }

    /// How many bytes it had.
    pub fn size(&self) -> u64 {
        self.mappings.iter().map(|mapping| mapping.bytes.len() as u64).sum()
    }

    /// Each canary in it: what, where, and the bytes around it.
    pub fn found(&self, canaries: &Canaries) -> Vec<String> {
        let in_one = |mapping: &Mapping| {
            let Mapping { name, start, bytes } = mapping;
            let places = canaries.places_in(bytes).into_iter();
            let said = places.map(|(what, at)| {
                let around = bytes[at.saturating_sub(32)..bytes.len().min(at + 64)].escape_ascii();
                format!("{what} in {name} at {:x}: {around}", start + at as u64)
            });
            said.collect::<Vec<_>>()
        };
        self.mappings.iter().flat_map(in_one).collect()
    }
}
