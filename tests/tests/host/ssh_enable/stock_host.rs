//! A host as its distribution installs it, with alice, who may become root, holds a key, and is enrolled.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use twinlock_tests::{
    Account, Authenticator, Client, Family, FirstFactor, ForgedState, Login, Output, PASSWORD, Sshd, World,
    in_sshd_world,
};

pub(crate) const PAM: &str = "/etc/pam.d/sshd";
pub(crate) const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-twinlock.conf";
pub(crate) const JOURNAL: &str = "/var/lib/twinlock/ssh";

pub(crate) const FAMILIES: [Family; 2] = [Family::Debian, Family::Rhel];
pub(crate) const MODES: [(FirstFactor, &str); 2] =
    [(FirstFactor::Key, "key+code"), (FirstFactor::Password, "password+code")];

pub(crate) struct Host<'w> {
    pub(crate) world: &'w World,
    pub(crate) sshd: Sshd<'w>,
    pub(crate) alice: Account,
    pub(crate) app: Authenticator,
}

pub(crate) fn with_host(family: Family, test: impl FnOnce(&Host<'_>) + Send) {
    in_sshd_world(|world| {
        let sshd = world.stock(family);
        let alice = world.account("alice");
        world.write(alice.home.join(".ssh/authorized_keys"), sshd.public_key("ed25519"));
        // The group of Debian, and that of RHEL.
        world.group(if family == Family::Debian { "sudo" } else { "wheel" }, &["alice"]);
        let app = world.deploy("alice").authenticator;
        test(&Host { world, sshd, alice, app });
    });
}

impl Host<'_> {
    /// `twinlock ssh` with these words.
    pub(crate) fn ssh(&self, words: &[&str]) -> Output {
        self.world.twinlock(&[&["ssh"], words].concat())
    }

    /// The same, which has to be done.
    pub(crate) fn ssh_done(&self, words: &[&str]) -> Output {
        let output = self.ssh(words);
        assert_eq!(output.code, Some(0), "{words:?}: {output:?}");
        output
    }

    /// alice's login as this client, with no code used up and none counted.
    pub(crate) fn login(&self, change: impl FnOnce(Client<'_>) -> Client<'_>) -> Login {
        ForgedState::of(&self.alice).write(self.world);
        change(self.sshd.login("alice")).run()
    }

    pub(crate) fn code(&self) -> String {
        self.app.codes().next()
    }

    /// What she gives as the first factor, and then this code.
    pub(crate) fn both(&self, first: FirstFactor, code: &str) -> Login {
        self.login(|client| match first {
            FirstFactor::Key => client.answer(code),
            FirstFactor::Password => client.without_key().answer(PASSWORD).answer(code),
        })
    }

    /// By her key alone.
    pub(crate) fn key_alone(&self) -> Login {
        self.login(|client| client)
    }

    /// By a key that is not hers.
    pub(crate) fn strange_key(&self) -> Login {
        self.sshd.login("alice").with_strange_key().run()
    }

    /// By sshd's password method.
    pub(crate) fn password_method(&self, password: &str) -> Login {
        self.login(|client| client.without_key().option("PreferredAuthentications=password").answer(password))
    }

    /// By keyboard-interactive alone, with these answers.
    pub(crate) fn answers(&self, answers: &[&str]) -> Login {
        self.login(|client| {
            let client = client.without_key().option("PreferredAuthentications=keyboard-interactive");
            answers.iter().fold(client, |client, answer| client.answer(*answer))
        })
    }

    /// The new configuration: both factors together, and nothing less.
    pub(crate) fn asks_for_both(&self, first: FirstFactor) {
        let both = self.both(first, &self.code());
        assert!(both.granted, "{both:#?}");
        let wrong = self.app.wrong_code();
        let code = self.code();
        let less = [self.both(first, &wrong), self.key_alone(), self.password_method(PASSWORD), self.answers(&[&code])];
        for login in less {
            assert!(!login.granted, "{login:#?}");
        }
        if first == FirstFactor::Key {
            assert!(!self.answers(&[PASSWORD, &code]).granted);
        }
    }
}

/// Everything that is told apart of the folders of PAM, sshd and Twinlock.
pub(crate) fn configuration() -> Vec<(String, String, u32, u32, u32)> {
    let mut all = Vec::new();
    for folder in ["/etc/pam.d", "/etc/ssh", "/etc/ssh/sshd_config.d", "/etc/twinlock"] {
        for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            let found = entry.metadata().unwrap();
            let path = entry.path().display().to_string();
            if found.is_file() {
                all.push((path.clone(), fs::read_to_string(path).unwrap(), found.mode(), found.uid(), found.gid()));
            }
        }
    }
    all.sort();
    all
}

/// The two files, `None` where there is none.
pub(crate) fn pair() -> [Option<String>; 2] {
    [PAM, DROP_IN].map(|path| fs::read_to_string(path).ok())
}

/// What is in the journal's folder.
pub(crate) fn journal() -> Vec<String> {
    let entries = fs::read_dir(JOURNAL).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The words of lines that say something.
pub(crate) fn meaning(text: &str) -> Vec<String> {
    let lines =
        text.lines().map(|line| line.split('#').next().unwrap().split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect()
}

pub(crate) fn exists(path: &str) -> bool {
    Path::new(path).exists()
}
