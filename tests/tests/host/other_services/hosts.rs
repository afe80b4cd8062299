//! A host with Twinlock in sshd, sudo, su and login, and people at its terminals.

use std::fs;
use std::path::Path;
use std::thread;

use twinlock_tests::{
    Account, CONFIG, Enrolled, Family, FirstFactor, Launch, Output, Sshd, Terminal, World, in_sshd_world, set_mode,
};

pub(crate) const CODE: &str = "Verification code: ";
pub(crate) const SUDO_PASSWORD: &str = "[sudo] password for alice: ";
pub(crate) const PASSWORD_PROMPT: &str = "Password: ";

/// Debian's, without its comments.
const SUDOERS: &str = "Defaults env_reset\nDefaults mail_badpass\n\
    Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\nDefaults use_pty\n\
    root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n";

/// alice may use sudo; bob is there to be changed to.
pub(crate) struct Host<'w> {
    pub(crate) world: &'w World,
    pub(crate) family: Family,
    pub(crate) sshd: Sshd<'w>,
    pub(crate) alice: Account,
    pub(crate) bob: Account,
}

/// Runs the test on a host of each family, with nobody enrolled. Side by side, because refusals take seconds: libpam
/// waits for the longest delay that any module asks for.
pub(crate) fn on_each_host(test: impl Fn(&Host<'_>) + Send + Sync) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    thread::scope(|scope| {
        for family in [Family::Debian, Family::Rhel] {
            let test = &test;
            let on_host = move || {
                in_sshd_world(|world| {
                    test(&Host::furnish(world, family));
                    world.assert_libpam_took_every_line();
                });
            };
            thread::Builder::new().name(format!("{name}, {family:?}")).spawn_scoped(scope, on_host).unwrap();
        }
    });
}

impl<'w> Host<'w> {
    fn furnish(world: &'w World, family: Family) -> Self {
        for program in ["sudo", "su", "login"] {
            let found = ["/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists());
            assert!(found, "{program} is missing: run `make deps`");
        }
        // sudo looks its own host up and complains if it cannot.
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        world.write("/etc/hosts", format!("127.0.0.1 localhost {name}"));
        let sshd = world.ship(family, FirstFactor::Password);
        for service in ["sudo", "su", "login"] {
            world.ship_service(family, service);
        }
        if family == Family::Debian {
            world.ship_service(family, "sudo-i");
        }
        let alice = world.account("alice");
        let bob = world.account("bob");
        world.group("sudo", &["alice"]);
        let host = Host { world, family, sshd, alice, bob };
        host.configure("");
        host.sudoers(SUDOERS);
        host
    }

    /// Writes the configuration; the spacing is long, so that no test hangs on the time.
    pub(crate) fn configure(&self, lines: &str) {
        self.world.write(CONFIG, format!("{lines}fail_delay = \"0s\"\n[throttle]\nspacing = \"1m\"\n"));
    }

    /// Adds a line to sudoers.
    pub(crate) fn add_to_sudoers(&self, rule: &str) {
        self.sudoers(&format!("{SUDOERS}{rule}\n"));
    }

    fn sudoers(&self, text: &str) {
        self.world.write("/etc/sudoers", text);
        set_mode("/etc/sudoers", 0o440);
    }

    /// alice at a terminal.
    pub(crate) fn alice_runs(&self, arguments: &[&str]) -> Dialogue {
        Dialogue::begin(Launch::new(arguments).account(&self.alice))
    }

    /// Adds the guard in front of a service's account lines, which the shipped files warn of.
    pub(crate) fn add_guard(&self, service: &str) {
        let path = Path::new("/etc/pam.d").join(service);
        let text = fs::read_to_string(path).unwrap();
        self.world.service(service, &format!("account required pam_twinlock.so\n{text}"));
    }

    /// The reasons in the log since a mark, `-` for a success.
    pub(crate) fn reasons_since(&self, mark: usize) -> Vec<String> {
        self.world.entries_since(mark).iter().map(|entry| entry.value("reason").to_owned()).collect()
    }
}

/// A program that asks on a terminal.
pub(crate) struct Dialogue(Terminal);

impl Dialogue {
    /// Starts it on a terminal of its own.
    pub(crate) fn begin(launch: Launch) -> Self {
        Self(Terminal::start(launch))
    }

    /// Waits for the prompt, and answers.
    pub(crate) fn answer(mut self, prompt: &str, answer: &str) -> Self {
        self.0.expect(prompt);
        self.0.send_line(answer);
        self
    }

    /// Waits for a text.
    pub(crate) fn expect(mut self, text: &str) -> Self {
        self.0.expect(text);
        self
    }

    /// Waits for the end; nothing more may be asked, or that never comes.
    pub(crate) fn end(self) -> Output {
        self.0.finish()
    }

    /// Waits for the text that refuses, gives up there, and returns all that was shown.
    pub(crate) fn refused_with(mut self, text: &str) -> String {
        self.0.expect(text);
        self.0.send(b"\x03");
        self.0.process().kill();
        self.0.finish().stdout
    }
}

/// Whether the command ran to its end, with this as its last word.
pub(crate) fn ran(output: &Output, last: &str) -> bool {
    output.code == Some(0) && output.stdout.trim_end().ends_with(last)
}

/// One after the other: a valid code, and one that is not.
pub(crate) fn right_and_wrong(enrolled: &Enrolled) -> (String, String) {
    (enrolled.codes().next(), enrolled.authenticator.wrong_code())
}
