//! What the driver is told and what it reports: the JSON between `Attempt` and `pam-driver`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host_state::HostState;
use crate::pam_names::{Operation, PamCode, Style};

/// One PAM transaction. Bytes may be anything but NUL where libpam takes a C string.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spec {
    /// The service: the file in `configuration`.
    pub service: String,
    /// `PAM_USER`, or NULL.
    pub user: Option<Vec<u8>>,
    /// `PAM_RHOST`, or unset.
    pub rhost: Option<Vec<u8>>,
    /// `PAM_TTY`, or unset.
    pub tty: Option<Vec<u8>>,
    /// `NAME=VALUE` pairs for `pam_putenv`, for instance `SSH_AUTH_INFO_0`.
    pub pam_environment: Vec<String>,
    /// Flags of every operation.
    pub flags: i32,
    /// What to do, in order, whatever the one before returned.
    pub operations: Vec<Operation>,
    /// How to answer. One step per message that is a prompt; after the last, the conversation fails with `PAM_CONV_ERR`.
    pub script: Vec<Step>,
    /// The folder of service files.
    pub configuration: PathBuf,
    /// Closes these file descriptors before the first operation.
    pub closed: Vec<i32>,
    /// Where the report goes; standard output when there is none.
    pub report: Option<PathBuf>,
}

/// One answer, and what happens before it is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    /// Writes `held` to standard output and waits for a line on standard input.
    pub held: bool,
    /// Changes `PAM_USER` to this.
    pub change_user: Option<Vec<u8>>,
    /// The answer.
    pub give: Give,
}

/// An answer of a conversation, proper or not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub enum Give {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many of this byte.
    Huge {
        /// How many.
        length: usize,
        /// Which.
        byte: u8,
    },
    /// A response whose text is NULL, with `PAM_SUCCESS`.
    NullText,
    /// No response array, with `PAM_SUCCESS`.
    NullArray,
    /// This return code and no response.
    #[default]
    ConvErr,
    /// Another return code and no response.
    Code(i32),
}

/// One message of the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Prompt, error or information.
    pub style: Style,
    /// Its text; bytes that are not UTF-8 become U+FFFD.
    pub text: String,
}

/// What came of one transaction.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What `pam_start_confdir` returned; if it failed, nothing else happened.
    pub start: PamCode,
    /// The return code of each operation.
    pub codes: Vec<(Operation, PamCode)>,
    /// Every message, in order.
    pub messages: Vec<Message>,
    /// The delays that libpam would have slept, in microseconds.
    pub fail_delays: Vec<u32>,
    /// `PAM_USER` at the end.
    pub user: Option<String>,
    /// The PAM environment at the end.
    pub pam_environment: Vec<String>,
    /// The process before `pam_start` and after `pam_end`.
    pub before: HostState,
    /// See `before`.
    pub after: HostState,
    /// By how many KiB the resident memory of the process grew between `before` and `after`.
    pub grown_kib: i64,
}
