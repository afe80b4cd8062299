//! The harness: drives what was built through real libpam and a real sshd, inside a private copy of the host.
//!
//! A test enters a [`World`] (its own `/etc`, `/var`, `/run`, `/home`, `/dev`), writes accounts and PAM services
//! into it, and runs an [`Attempt`] (one PAM transaction), an [`Sshd`] login or the `twinlock` command there.
//! Nothing in this crate uses twinlock-core: what is tested must not help to test itself.
//!
//! ```no_run
//! use twinlock_tests::{Attempt, PamCode, in_world};
//!
//! in_world(|world| {
//!     world.account("alice");
//!     world.service("svc", "auth required pam_permit.so\n");
//!     let outcome = Attempt::new("svc").user("alice").run(world);
//!     assert_eq!(outcome.code(), PamCode::Success);
//! });
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a harness that cannot go on panics: that is how a test fails"
)]

mod account;
mod artefacts;
mod attempt;
mod broker;
#[allow(unsafe_code, reason = "a descriptor comes as a number from recvmsg(2)")]
mod caller;
mod canaries;
mod command;
mod deployed;
mod disk;
mod drive;
mod fake_broker;
mod faults;
mod here;
mod host_state;
mod injector;
mod journal;
mod journald;
mod launch;
mod log_entry;
mod long;
mod loop_disk;
mod memory;
mod namespace;
mod odd;
mod orphans;
mod otp;
mod outcome;
mod pam_app;
mod pam_names;
mod process;
mod random;
mod relay;
mod runners;
mod screen;
mod script;
mod shipped;
mod shown;
mod snapshot;
mod ssh_client;
mod ssh_keys;
mod sshd;
mod state_file;
mod stock;
mod tally;
mod terminal;
mod user;
mod watched;
mod world;

pub use account::{Account, PASSWORD};
pub use attempt::{Attempt, Held, one_after_another, race};
pub use broker::{Broker, Frame, Raw, SOCKET, frame};
pub use caller::Caller;
pub use canaries::Canaries;
pub use command::{Enrolled, Twinlock};
pub use deployed::{BESIDE, CONFIG, STORE, credentials_of, set_mode, state_of};
pub use disk::{Disk, file_system_of_stores};
pub use drive::{Moment, drive, drive_watched};
pub use fake_broker::{Act, FakeBroker};
pub use faults::{Blow, Call, End, Faults, Order, Resource, Share, Shortage, Told};
pub use here::{Loaded, authenticate, authenticate_from, converse, time_of_an_answer};
pub use host_state::HostState;
pub use injector::Injector;
pub use journal::LogLine;
pub use journald::Journald;
pub use launch::{Launch, tool};
pub use log_entry::LogEntry;
pub use long::{is_long, sample_of_sweep, sweep_of};
pub use loop_disk::LoopDisk;
pub use memory::Memory;
pub use odd::{odd_texts, odd_user_names};
pub use otp::{Algorithm, Authenticator, Codes};
pub use outcome::Outcome;
pub use pam_app::in_callback;
pub use pam_names::{Operation, PamCode, Style};
pub use process::{DEADLINE, Output, Process};
pub use random::Random;
pub use relay::{Relay, Said, relay};
pub use runners::Runners;
pub use screen::{Background, Screen};
pub use script::{Give, Message, Report, Spec, Step};
pub use shipped::{Family, FirstFactor};
pub use shown::{address_in, recovery_code_in, recovery_codes_in};
pub use snapshot::Snapshot;
pub use ssh_client::{Client, Login, Session, Watched};
pub use ssh_keys::VERIFIED_KEY;
pub use sshd::{Lobby, Sshd};
pub use state_file::{ForgedState, SLOT, State};
pub use tally::tally;
pub use terminal::Terminal;
pub use user::{EXACT, IGNORED, Setup, User};
pub use world::{World, in_sshd_world, in_world, is_root_in_earnest};
