//! The built module through libpam: every entry point, every outcome, every odd thing a host or a user can do to it.

mod answers;
mod arguments;
mod artefact;
mod conversation;
mod deployed;
mod end;
mod entry_points;
mod footprint;
mod host;
mod hostile;
mod log;
mod options;
mod panics;
mod policy;
mod probe;
mod races;
mod reads;
mod recovery;
mod throttle;
mod users;
mod verdicts;
mod versions;
mod without_enrolment;
