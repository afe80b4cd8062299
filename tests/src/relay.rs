//! A PAM host that keeps nothing of what passes through it: each prompt goes straight out, each answer comes straight in,
//! and its own copies are wiped. What is found in its memory is then the module's or libpam's.

use std::io::{Error, ErrorKind};

use nix::unistd::{read, write};
use zeroize::Zeroizing;

use crate::attempt::Attempt;
use crate::drive::start;
use crate::memory::Memory;
use crate::pam_app::{self, Reply, open_syslog};
use crate::pam_names::PamCode;
use crate::process::{Output, Process};
use crate::script::{Message, Spec};
use crate::world::World;

/// Ends what the host says at once. No text of libpam can hold it.
const END: u8 = 0;

/// The inside of `pam-driver --relay`: plays one `Spec`, whose script is not used.
///
/// # Panics
/// When the harness hangs up, or the spec holds a NUL byte where libpam takes a C string.
pub fn relay(spec: &Spec) {
    open_syslog();
    let converse = |_: &_, message: &Message| {
        let is_prompt = message.style.is_prompt();
        say(if is_prompt { "prompt " } else { "notice " }, &message.text);
        if is_prompt { Reply::Text(hear().into()) } else { Reply::NoText }
    };
    let mut transaction = start(spec, converse).expect("libpam starts");
    for operation in &spec.operations {
        let code = PamCode::from(pam_app::run(&mut transaction, *operation, spec.flags));
        say("done ", &format!("{operation:?} {code:?}"));
        hear();
    }
    drop(transaction);
    say("ended", "");
    hear();
}

fn say(kind: &str, text: &str) {
    // Without std's buffer, which would keep a copy.
    for part in [kind.as_bytes(), text.as_bytes(), &[END]] {
        let mut rest = part;
        while !rest.is_empty() {
            let length = write(std::io::stdout(), rest).expect("the harness listens");
            rest = &rest[length..];
        }
    }
}

/// One line.
fn hear() -> Vec<u8> {
    // Room for all of it at once: a growing buffer would leave copies behind.
    let mut line = Vec::with_capacity(512);
    let mut byte = Zeroizing::new([0]);
    while read(std::io::stdin(), byte.as_mut_slice()).expect("the harness speaks") == 1 && byte[0] != b'\n' {
        assert!(line.len() < line.capacity(), "{}", Error::from(ErrorKind::FileTooLarge));
        line.push(byte[0]);
    }
    line
}

/// An attempt whose host keeps nothing, held by the test at every step.
pub struct Relay {
    process: Process,
    read_bytes: usize,
}

/// What the host said; it waits at a prompt and after each operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was asked this, and waits for [`Relay::answer`].
    Prompt(String),
    /// It was told this, and does not wait.
    Notice(String),
    /// An operation returned: `Authenticate AuthErr`.
    Done(String),
    /// `pam_end` has returned.
    Ended,
}

impl Attempt {
    /// Starts it with a host that keeps nothing; answers that were described before are not used.
    pub fn relay(self, world: &World) -> Relay {
        Relay { process: self.start_relay(world), read_bytes: 0 }
    }
}

impl Relay {
    /// What the host says next.
    ///
    /// # Panics
    /// When it has ended.
    pub fn listen(&mut self) -> Said {
        let from = self.read_bytes;
        let said = self.process.wait("a word of the host", |seen| {
            let rest = &seen.stdout[from..];
            let end = rest.iter().position(|byte| *byte == END);
            let said = end.map(|end| Ok(String::from_utf8_lossy(&rest[..end]).into_owned()));
            said.or_else(|| seen.ended().then(|| Err(String::from_utf8_lossy(&seen.stderr).into_owned())))
        });
        let said = said.unwrap_or_else(|error| panic!("the host has ended: {error}"));
        self.read_bytes += said.len() + 1;
        match said.split_once(' ') {
            Some(("prompt", text)) => Said::Prompt(text.into()),
            Some(("notice", text)) => Said::Notice(text.into()),
            Some((_, text)) => Said::Done(text.into()),
            None => Said::Ended,
        }
    }

    /// Lets it go on, with this answer if it waits at a prompt.
    pub fn answer(&mut self, text: &str) {
        self.process.write(format!("{text}\n").as_bytes());
    }

    /// What is in its memory now.
    pub fn memory(&self) -> Memory {
        Memory::of(&self.process)
    }

    /// Waits for its end.
    pub fn finish(self) -> Output {
        self.process.finish()
    }

    /// The process that runs it.
    pub fn process(&self) -> &Process {
        &self.process
    }
}
