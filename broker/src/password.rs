//! The password of an account, asked through PAM in a process of its own: modules of others may crash, leak or take
//! their time, and none of that is to happen in the broker.
//!
//! The broker starts itself again with one end of a socket as stdin. The helper runs the service `twinlock` and sends
//! its questions; the broker carries them to who came. It was right only if the helper says so *and* ends with status 0.

use std::{
    io::{self, stdin},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use nix::sys::{
    prctl,
    signal::{SigSet, Signal},
};
use twinlock_core::{
    account::Subject,
    audit::escaped,
    policy::{FirstFactors, KeyType},
    ports::{Clock, Dialogue},
};
use twinlock_login::wire::{Connection, Kind, Peer};
use twinlock_service::{
    lifecycle::{FirstFactor, RequestError},
    process::ChildGuard,
    syslog,
    wire::relay,
};
use twinlock_store::host::SystemClock;

use crate::{
    PROGRAM,
    limits::ConnectionLimiter,
    messages,
    pam::{self, PamQuestion, Refused},
};

/// How long the broker may take to read.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long it may take to end after its last word.
const LEAVING: Duration = Duration::from_secs(5);
/// The helper's last word.
const RIGHT: &[u8] = b"right";

/// The user of a session, who does not have root's rights.
pub(crate) struct Owner<'a> {
    pub(crate) limiter: &'a ConnectionLimiter,
    pub(crate) peer: Peer,
}

impl FirstFactor for Owner<'_> {
    fn password(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<(), RequestError> {
        let Some(_permit) = self.limiter.acquire_password_permit(subject.uid) else {
            return Err(messages::password_asked_elsewhere());
        };
        let asked = ask(subject, dialogue);
        let right = matches!(asked, Ok(true));
        let result = if right { "right" } else { "wrong" };
        let line = format!("password={result} user={} by-uid={}", escaped(subject.name.as_str()), self.peer.uid);
        syslog::log(PROGRAM, syslog::SyslogPriority::Notice, &line);
        match asked {
            Ok(true) => Ok(()),
            Ok(false) => Err(messages::password_not_accepted()),
            Err(error) => Err(messages::cannot_ask_for_password(&error)),
        }
    }

    fn fresh_session(&self, subject: &Subject) -> Result<(), RequestError> {
        crate::freshness::check(self.peer, subject.uid, SystemClock.now())
    }
}

/// Whether the password was right.
fn ask(subject: &Subject, dialogue: &mut dyn Dialogue) -> io::Result<bool> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut helper = ChildGuard::new(
        Command::new("/proc/self/exe")
            // Modules write to the log under this name.
            .arg0(PROGRAM)
            .args(["--prove", subject.name.as_str()])
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    let said_right = relay(&Connection::accepted(ours), dialogue).is_ok_and(|last_word| last_word.as_slice() == RIGHT);
    // One that said anything else is killed at once. One that said so is waited for, but not for ever: a module's cleaning
    // up may hang. A helper that was killed has no status of 0, whatever it said before.
    Ok(said_right && helper.end_within(LEAVING)?.is_some_and(|status| status.success()))
}

/// The helper: asks for what a service wants of an account over stdin; the broker's own wants the password. Behind a key,
/// the environment of PAM names one that belongs to nobody.
pub(crate) fn prove(user: &str, service: &str, key_type: Option<KeyType>) -> ExitCode {
    // Where the broker ends, so does this. The broker takes SIGTERM and SIGINT on one thread and blocks them elsewhere;
    // here they are to end it, and whatever modules start.
    if prctl::set_pdeathsig(Signal::SIGKILL).is_err() || SigSet::all().thread_unblock().is_err() {
        return ExitCode::FAILURE;
    }
    let Some(broker) = stdin().as_fd().try_clone_to_owned().ok().map(UnixStream::from).map(Connection::accepted) else {
        return ExitCode::FAILURE;
    };
    let mut question = |question: PamQuestion<'_>| {
        let (kind, text) = match question {
            PamQuestion::Shown(text) => (Kind::Ask, text),
            PamQuestion::Hidden(text) => (Kind::AskHidden, text),
            PamQuestion::None(text) => {
                let line = [text, b"\n"].concat();
                return broker.write(Kind::Tell, &line, PATIENCE).ok().map(|()| Vec::new().into());
            }
        };
        broker.write(kind, text, PATIENCE).ok()?;
        let answer = broker.read(Duration::from_mins(5)).ok()?;
        (answer.kind == Kind::Answer).then_some(answer.content)
    };
    let variable = key_type.map(|key_type| format!("SSH_AUTH_INFO_0={}", FirstFactors::told_of_key(key_type)));
    let ended = pam::authenticate(service, user, variable.as_deref(), &mut question);
    let last_word = match &ended {
        Ok(()) => RIGHT.to_vec(),
        Err(Refused { phase, code }) => format!("wrong {phase} {code}").into_bytes(),
    };
    let said = broker.write(Kind::Verdict, &last_word, PATIENCE);
    if ended.is_ok() && said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
