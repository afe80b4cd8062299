//! The real `ssh` as a client: prompts answered from a script through `SSH_ASKPASS`, or by the test on a terminal.

use std::fs;

use crate::journal::LogLine;
use crate::launch::Launch;
use crate::namespace::inside;
use crate::process::{Output, Process};
use crate::screen::{Background, Screen};
use crate::ssh_keys;
use crate::sshd::{Door, Sshd};
use crate::terminal::Terminal;

/// Shown a prompt, it keeps it and gives the next answer. When there is no next one it fails, and ssh sends nothing.
const ASKPASS: &str = "#!/bin/sh
number=1
while [ -e \"$HARNESS_SCRIPT/prompt-$number\" ]; do number=$((number + 1)); done
printf %s \"$1\" >\"$HARNESS_SCRIPT/prompt-$number\"
exec cat \"$HARNESS_SCRIPT/answer-$number\"
";

/// The remote command when a test names none, and what it prints.
const COMMAND: &str = "echo IN";

/// A client of an [`Sshd`], not yet connected.
#[derive(Clone)]
pub struct Client<'s> {
    sshd: &'s Sshd<'s>,
    user: String,
    key_type: Option<String>,
    authorized: bool,
    certified: bool,
    answers: Vec<String>,
    options: Vec<String>,
    address: String,
    /// What stands behind the options.
    operands: Vec<String>,
    askpass: bool,
}

impl<'s> Client<'s> {
    pub(crate) fn new(sshd: &'s Sshd<'s>, user: &str) -> Self {
        Self {
            sshd,
            user: user.into(),
            key_type: Some("ed25519".into()),
            authorized: true,
            certified: false,
            answers: Vec::new(),
            options: Vec::new(),
            address: "127.0.0.1".into(),
            operands: vec!["127.0.0.1".into(), COMMAND.into()],
            askpass: true,
        }
    }

    /// Answers the next prompt with this. After the last answer, ssh answers prompts with nothing, as it does without a
    /// terminal.
    pub fn answer(mut self, text: impl Into<String>) -> Self {
        self.answers.push(text.into());
        self
    }

    /// Offers no key.
    pub fn without_key(mut self) -> Self {
        self.key_type = None;
        self
    }

    /// Offers a key that the server does not know.
    pub fn with_strange_key(mut self) -> Self {
        self.authorized = false;
        self
    }

    /// Offers a key of another type than `ed25519`: whatever `ssh-keygen -t` takes.
    pub fn with_key_type(mut self, key_type: &str) -> Self {
        self.key_type = Some(key_type.into());
        self
    }

    /// Has a certificate of its key, and the server knows the authority alone.
    pub fn with_certificate(mut self) -> Self {
        self.certified = true;
        self
    }

    /// Comes from this address of 127.0.0.0/8, which the server sees as the client's.
    pub fn from(mut self, address: &str) -> Self {
        self.address = address.into();
        self
    }

    /// Sets an option of ssh: `NumberOfPasswordPrompts=3`, `PreferredAuthentications=password`.
    pub fn option(mut self, option: &str) -> Self {
        self.options.push(option.into());
        self
    }

    /// Runs this command on the server; it has to print `IN` on a line for the login to count as granted.
    pub fn command(mut self, command: &str) -> Self {
        self.operands = vec!["127.0.0.1".into(), command.into()];
        self
    }

    /// Opens the shell of the user on the server, for [`Client::terminal`].
    pub fn shell(mut self) -> Self {
        self.operands = vec!["127.0.0.1".into()];
        self
    }

    /// Has neither terminal nor askpass: ssh then answers every prompt with nothing.
    pub fn without_askpass(mut self) -> Self {
        self.askpass = false;
        self
    }

    /// Logs in, answering from the script, and waits until both sides have ended.
    pub fn run(self) -> Login {
        let world = self.sshd.world;
        let mark = world.log_mark();
        let script = inside(&format!("script-{}", world.serial()));
        world.write_script(format!("{script}/askpass"), ASKPASS);
        for (number, answer) in (1..).zip(&self.answers) {
            world.write(format!("{script}/answer-{number}"), format!("{answer}\n"));
        }
        let door = self.sshd.listen(&self.authorized_key());
        let launch = self.launch(&door);
        let launch = if self.askpass {
            launch
                .environment("SSH_ASKPASS", format!("{script}/askpass"))
                .environment("SSH_ASKPASS_REQUIRE", "force")
                .environment("HARNESS_SCRIPT", &script)
        } else {
            launch.environment("SSH_ASKPASS_REQUIRE", "never")
        };
        let client = launch.start();
        let server = door.answer(&client);
        let output = client.finish();
        let prompts = self.prompts(&script);
        Login::new(self.sshd, mark, server, output, prompts)
    }

    /// Logs in on a terminal that the test drives.
    pub fn terminal(self) -> Session<'s> {
        let mark = self.sshd.world.log_mark();
        let door = self.sshd.listen(&self.authorized_key());
        let terminal = Terminal::start(self.launch(&door).environment("SSH_ASKPASS_REQUIRE", "never"));
        let server = door.answer(terminal.process());
        Session { terminal, server, sshd: self.sshd, mark }
    }

    /// Logs in on a terminal on a screen, whose picture the test looks at.
    pub fn screen(self, background: Background) -> Watched<'s> {
        let mark = self.sshd.world.log_mark();
        let door = self.sshd.listen(&self.authorized_key());
        let launch = self.launch(&door).environment("SSH_ASKPASS_REQUIRE", "never");
        let screen = Screen::start(self.sshd.world, launch, background, "80x24");
        let server = door.answer(screen.process());
        Watched { screen, server, sshd: self.sshd, mark }
    }

    /// The key that the server accepts, whatever this client offers.
    fn known_key(&self) -> String {
        ssh_keys::key(self.sshd.world, "client", self.key_type.as_deref().unwrap_or("ed25519"))
    }

    /// The line of the server's list of keys.
    fn authorized_key(&self) -> String {
        if self.certified {
            format!("cert-authority {}", ssh_keys::certify(self.sshd.world, &self.known_key(), &self.user))
        } else {
            ssh_keys::public(&self.known_key())
        }
    }

    fn launch(&self, door: &Door<'_>) -> Launch {
        let mut arguments: Vec<String> = ["ssh", "-F", "none"].map(String::from).into();
        let mut option = |text: String| arguments.extend(["-o".into(), text]);
        // The first value wins here too.
        self.options.iter().cloned().for_each(&mut option);
        for fixed in [
            "GlobalKnownHostsFile=none",
            "StrictHostKeyChecking=yes",
            "ControlPath=none",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "GSSAPIAuthentication=no",
            "NumberOfPasswordPrompts=1",
            "ConnectTimeout=20",
            // Not what is tested here; the newer default costs 60 ms a login.
            "KexAlgorithms=curve25519-sha256",
        ] {
            option(fixed.into());
        }
        option(format!("UserKnownHostsFile={}", inside("known_hosts")));
        option(format!("IdentityFile={}", self.offered_key().unwrap_or("none".into())));
        if self.certified {
            option(format!("CertificateFile={}-cert.pub", self.known_key()));
        }
        option(format!("SecurityKeyProvider={}", ssh_keys::SECURITY_KEY));
        option(format!("BindAddress={}", self.address));
        option(format!("Port={}", door.address().port()));
        option(format!("User={}", self.user));
        Launch::new(arguments.into_iter().chain(self.operands.iter().cloned()))
    }

    fn offered_key(&self) -> Option<String> {
        self.key_type.as_ref()?;
        Some(if self.authorized { self.known_key() } else { ssh_keys::key(self.sshd.world, "strange", "ed25519") })
    }

    fn prompts(&self, script: &str) -> Vec<String> {
        let files = (1..).map(|number| format!("{script}/prompt-{number}"));
        let shown = files.map_while(|path| fs::read(path).ok());
        let prefix = format!("({}@127.0.0.1) ", self.user);
        shown
            .map(|prompt| String::from_utf8_lossy(&prompt).into_owned())
            .map(|prompt| prompt.strip_prefix(&prefix).map_or(prompt.clone(), String::from))
            .collect()
    }
}

/// What came of a login.
#[derive(Clone, Debug)]
pub struct Login {
    /// Whether the command ran on the server.
    pub granted: bool,
    /// The exit code of ssh: the command's, or 255.
    pub code: Option<i32>,
    /// Every prompt that was answered through askpass, without the client's own `(user@host) `. Empty on a terminal.
    pub prompts: Vec<String>,
    /// What ssh wrote to its output; on a terminal, everything that was shown.
    pub stdout: String,
    /// Banners, notices and errors; empty on a terminal.
    pub stderr: String,
    /// What the server side wrote to syslog. Logins at the same time in the same world see each other's lines.
    pub server_log: Vec<LogLine>,
}

impl Login {
    fn new(sshd: &Sshd<'_>, mark: usize, server: Option<Process>, output: Output, prompts: Vec<String>) -> Self {
        if let Some(server) = server {
            server.finish();
        }
        Self {
            granted: output.stdout.lines().any(|line| line == "IN"),
            code: output.code,
            prompts,
            stdout: output.stdout,
            stderr: output.stderr,
            server_log: sshd.world.log_since(mark),
        }
    }
}

/// A login on a terminal.
pub struct Session<'s> {
    /// What the person sees and types on.
    pub terminal: Terminal,
    server: Option<Process>,
    sshd: &'s Sshd<'s>,
    mark: usize,
}

impl Session<'_> {
    /// Waits for a text on the terminal, see [`Terminal::expect`].
    pub fn expect(&mut self, text: &str) -> String {
        self.terminal.expect(text)
    }

    /// Types a line, see [`Terminal::send_line`].
    pub fn send_line(&mut self, line: &str) {
        self.terminal.send_line(line);
    }

    /// Waits until the server has ended; the client may not have noticed.
    pub fn wait_for_server(&self) {
        if let Some(server) = &self.server {
            server.wait("the end of sshd", |seen| seen.status);
        }
    }

    /// Waits until both sides have ended.
    pub fn finish(self) -> Login {
        let output = self.terminal.finish();
        Login::new(self.sshd, self.mark, self.server, output, Vec::new())
    }
}

/// A login on a screen.
pub struct Watched<'s> {
    /// What the person sees and types on.
    pub screen: Screen,
    server: Option<Process>,
    sshd: &'s Sshd<'s>,
    mark: usize,
}

impl Watched<'_> {
    /// Waits until both sides have ended.
    pub fn finish(self) -> Login {
        let output = self.screen.finish();
        Login::new(self.sshd, self.mark, self.server, output, Vec::new())
    }
}
