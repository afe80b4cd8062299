//! What is done to a host in the middle of an attempt, and what is reported of it: the JSON between `Injector` and
//! `fault-host`.

use serde::{Deserialize, Serialize};

use crate::pam_names::PamCode;
use crate::script::Spec;

/// What happens to one system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blow {
    /// It is not made, and fails with this error. Only close(2) is made all the same, as Linux does it.
    Errno(i32),
    /// It reads or writes no more than so many bytes of those that it was asked for.
    Short(Share),
    /// This signal comes as it begins. By SIGKILL it is not made.
    Signal(i32),
}

/// How much of what a system call was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Share {
    /// Nothing.
    Nothing,
    /// One byte.
    OneByte,
    /// All but one byte.
    AllButOneByte,
}

/// A resource of getrlimit(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// `RLIMIT_FSIZE`
    FileSize,
    /// `RLIMIT_NOFILE`
    Descriptors,
    /// `RLIMIT_NPROC`
    Processes,
    /// `RLIMIT_AS`; the limit counts from what is in use.
    AddressSpace,
    /// `RLIMIT_DATA`; the limit counts from what is in use.
    Data,
    /// `RLIMIT_STACK`
    Stack,
    /// `RLIMIT_CPU`, in seconds
    Cpu,
    /// `RLIMIT_MEMLOCK`
    LockedMemory,
    /// `RLIMIT_SIGPENDING`
    PendingSignals,
}

/// Which requests for memory are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shortage {
    /// This one alone, counted from 0.
    At(usize),
    /// This one and all after it.
    From(usize),
}

/// All that happens to an attempt, from the call of its first operation to the return of its last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Faults {
    /// Blows, each with the system call that it hits, counted from 0. With none at all, nothing is traced.
    pub blows: Vec<(usize, Blow)>,
    /// Whether its system calls are told to the end, and not up to the last blow.
    pub traced: bool,
    /// Limits that are set for so long.
    pub limits: Vec<(Resource, u64)>,
    /// Memory that the C allocator refuses; the conversation's own is not counted.
    pub shortage: Option<Shortage>,
    /// Whether the sizes of all requests for memory are told.
    pub measured: bool,
}

/// One host: attempts, the first of them with faults.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub(crate) specs: Vec<Spec>,
    pub(crate) faults: Faults,
}

impl Order {
    /// What is to be played.
    pub fn specs(&self) -> &[Spec] {
        &self.specs
    }

    /// What happens to the first.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

/// One system call of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its number, as in `SYS_read`.
    pub number: i64,
    /// Its third argument: how many bytes, for those that move bytes.
    pub length: u64,
    /// What it returned; `None` if it never came back.
    pub result: Option<i64>,
}

/// How the host ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// Its operations came back with these codes.
    Returned(Vec<PamCode>),
    /// By a signal.
    Killed(i32),
    /// It left by itself with this status, in the middle.
    Left(i32),
}

/// What came of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// How the host ended.
    pub end: End,
    /// What the host has otherwise than before, if it returned.
    pub changed: Option<String>,
    /// Its system calls, where it was traced.
    pub calls: Vec<Call>,
    /// How many blows fell.
    pub struck: usize,
    /// How many requests for memory there were, and their sizes where they were measured.
    pub requests: usize,
    /// See `requests`.
    pub sizes: Vec<u32>,
    /// Whether memory was refused.
    pub refused_memory: bool,
    /// The lines of syslog, as they came.
    pub log: Vec<String>,
}
