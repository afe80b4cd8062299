//! Provokes the symptoms of docs/troubleshooting.md. Each function returns what the client printed, if there is one.

use std::fs;

use serde_json::Value;
use twinlock_tests::{
    Account, Attempt, CONFIG, Enrolled, Family, FirstFactor, ForgedState, Launch, Operation, PASSWORD, STORE, Sshd,
    World, credentials_of, set_mode,
};

const STACK: &str = "/etc/pam.d/sshd";
const DROP_IN: &str = "/etc/ssh/sshd_config.d/00-twinlock.conf";
const AUTH_LINE: &str = "auth       required     pam_twinlock.so";
const ACCOUNT_LINE: &str = "account    required     pam_twinlock.so";
const METHODS: &str = "\nAuthenticationMethods publickey,keyboard-interactive\n";

/// A host with alice, who is enrolled, and bob, who is not.
pub(crate) struct Host<'w> {
    world: &'w World,
    pub(crate) sshd: Sshd<'w>,
    pub(crate) alice: Enrolled,
    account: Account,
}

impl<'w> Host<'w> {
    /// As shipped, but that it holds nothing back after a refusal, to save time.
    pub(crate) fn of(world: &'w World) -> Self {
        let sshd = world.ship_sound(Family::Debian, FirstFactor::Key);
        let bob = world.account("bob");
        world.write(bob.home.join(".ssh/authorized_keys"), "ssh-ed25519 AAAA bob\n");
        let account = Account { name: "alice".into(), uid: 1001, home: "/home/alice".into() };
        let host = Self { world, sshd, alice: world.deploy("alice"), account };
        host.configure("");
        host
    }

    fn answer(&self, code: impl AsRef<[u8]>) -> String {
        attempt("alice").answer(code).run(self.world);
        String::new()
    }

    /// Puts lines before everything else that sshd reads.
    fn first_for_sshd(&self, lines: &str) {
        self.world.write("/etc/ssh/sshd_config.d/0-before.conf", lines);
    }

    fn configure(&self, config: &str) {
        self.world.write(CONFIG, format!("fail_delay = \"0s\"\n{config}"));
    }

    /// Puts these lines in the place of Twinlock's auth line, whatever arguments that has.
    fn auth_line(&self, lines: &str) {
        let text = fs::read_to_string(STACK).unwrap();
        let old = text.lines().find(|line| line.starts_with(AUTH_LINE)).unwrap();
        self.world.write(STACK, text.replacen(old, lines, 1));
    }

    /// What the doctor finds.
    pub(crate) fn found(&self) -> Vec<String> {
        let output = self.world.twinlock(&["doctor", "--json"]);
        let findings: Vec<Value> =
            serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        findings.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// A login from the page's address, by the shipped stack, after a key.
fn attempt(user: &str) -> Attempt {
    let key = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
    Attempt::new("sshd").user(user).rhost("192.0.2.7").pam_environment("SSH_AUTH_INFO_0", key)
}

pub(crate) fn used_already(host: &Host<'_>) -> String {
    let code = host.alice.codes().next();
    host.answer(&code);
    host.answer(&code)
}

pub(crate) fn clock_off(host: &Host<'_>) -> String {
    // What keeps the clock is gone, too, for the doctor to find.
    fs::remove_file("/run/systemd/timesync/synchronized").unwrap();
    let app = &host.alice.authenticator;
    host.answer(app.code_at(app.now_step().saturating_add(6)))
}

pub(crate) fn wrong_code(host: &Host<'_>) -> String {
    host.answer(host.alice.authenticator.wrong_code())
}

pub(crate) fn second_code(host: &Host<'_>) -> String {
    ForgedState::of(&host.account).wrong_codes(3).write(host.world);
    let code = host.alice.codes().next();
    let outcome = attempt("alice").answer(&code).answer(&code).run(host.world);
    outcome.prompts().join("\n")
}

pub(crate) fn too_soon(host: &Host<'_>) -> String {
    ForgedState::of(&host.account).wrong_codes(3).failed_ago(1).write(host.world);
    wrong_code(host)
}

pub(crate) fn disabled(host: &Host<'_>) -> String {
    ForgedState::of(&host.account).wrong_codes(100).write(host.world);
    host.answer(host.alice.codes().next())
}

pub(crate) fn no_recovery_codes(host: &Host<'_>) -> String {
    ForgedState::of(&host.account).spent_codes(1..=10).write(host.world);
    String::new()
}

pub(crate) fn not_enrolled(host: &Host<'_>) -> String {
    attempt("bob").answer("123456").run(host.world);
    String::new()
}

pub(crate) fn ignored(host: &Host<'_>) -> String {
    host.configure("second_factor = \"skip\"\n");
    host.world.change(STACK, "auth       required     pam_permit.so", "");
    host.sshd.login("alice").run().stderr
}

pub(crate) fn key_alone(host: &Host<'_>) -> String {
    host.world.change(DROP_IN, METHODS, "\n");
    host.world.change(STACK, ACCOUNT_LINE, "");
    let login = host.sshd.login("alice").run();
    assert!(login.granted, "{login:?}");
    login.stderr
}

pub(crate) fn not_asked(host: &Host<'_>) -> String {
    host.configure("[[rule]]\nname = \"office\"\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"skip\"\n");
    attempt("alice").run(host.world);
    host.configure("[[rule]]\nsecond_factor = \"required\"\nremember = \"8h\"\n");
    attempt("alice").answer(host.alice.codes().next()).run(host.world);
    attempt("alice").run(host.world);
    let off = host.world.twinlock(&["emergency", "off"]);
    assert_eq!(off.code, Some(0), "{off:?}");
    attempt("alice").run(host.world);
    String::new()
}

pub(crate) fn code_alone(host: &Host<'_>) -> String {
    host.auth_line(AUTH_LINE);
    host.first_for_sshd("AuthenticationMethods keyboard-interactive\n");
    let login = host.sshd.login("alice").without_key().answer(host.alice.codes().next()).run();
    assert!(login.granted, "{login:?}");
    login.stderr
}

pub(crate) fn no_key(host: &Host<'_>) -> String {
    host.auth_line(&format!("{AUTH_LINE} require_key"));
    host.first_for_sshd("AuthenticationMethods keyboard-interactive\n");
    host.sshd.login("alice").without_key().run().stderr
}

pub(crate) fn bypass(host: &Host<'_>) -> String {
    host.world.change(DROP_IN, METHODS, "\n");
    host.sshd.login("alice").run().stderr
}

pub(crate) fn switched_off_for_some(host: &Host<'_>) -> String {
    let text = fs::read_to_string(DROP_IN).unwrap();
    host.world.write(DROP_IN, text + "Match User alice\n    KbdInteractiveAuthentication no\n");
    host.sshd.login("alice").run().stderr
}

pub(crate) fn switched_off_for_all(host: &Host<'_>) -> String {
    host.first_for_sshd("KbdInteractiveAuthentication no\n");
    Launch::new(["/usr/sbin/sshd", "-t"]).run().stderr
}

pub(crate) fn unheard(host: &Host<'_>) -> String {
    host.first_for_sshd("AuthenticationMethods publickey\n");
    String::new()
}

pub(crate) fn replaced_by_an_upgrade(host: &Host<'_>) -> String {
    host.auth_line("@include common-auth");
    host.world.change(STACK, ACCOUNT_LINE, "");
    String::new()
}

pub(crate) fn too_many_keys(host: &Host<'_>) -> String {
    host.first_for_sshd("MaxAuthTries 1\n");
    host.sshd.login("alice").with_strange_key().run().stderr
}

pub(crate) fn password_too(host: &Host<'_>) -> String {
    host.auth_line(&format!("@include common-auth\n{AUTH_LINE}"));
    let login = host.sshd.login("alice").answer(PASSWORD).answer(host.alice.codes().next()).run();
    assert!(login.granted && login.prompts == ["Password: ", "Verification code: "], "{login:?}");
    login.stderr
}

pub(crate) fn password_method(host: &Host<'_>) -> String {
    host.auth_line(AUTH_LINE);
    host.first_for_sshd("PasswordAuthentication yes\nAuthenticationMethods publickey,password\n");
    host.sshd.login("alice").answer(PASSWORD).run().stderr
}

pub(crate) fn root(host: &Host<'_>) -> String {
    let root = host.world.deploy("root");
    host.sshd.login("root").answer(root.codes().next()).run().stderr
}

pub(crate) fn not_allowed(host: &Host<'_>) -> String {
    host.auth_line(AUTH_LINE);
    let login = || host.sshd.login("alice").answer(host.alice.codes().next()).run().stderr;
    host.first_for_sshd("DenyUsers alice\n");
    let with_key = login();
    host.first_for_sshd("DenyUsers alice\nAuthenticationMethods keyboard-interactive\n");
    with_key + &login()
}

pub(crate) fn grace_time(host: &Host<'_>) -> String {
    host.configure("second_factor = \"enroll\"\n");
    host.first_for_sshd("LoginGraceTime 1\n");
    let mut session = host.sshd.login("alice").terminal();
    session.expect("Verification code: ");
    session.wait_for_server();
    session.send_line("");
    session.finish().stdout
}

pub(crate) fn nobody_to_ask(host: &Host<'_>) -> String {
    // For the doctor: a key with a command of its own is a program's.
    fs::create_dir_all("/home/alice/.ssh").unwrap();
    let key = host.sshd.public_key("ed25519");
    host.world.write("/home/alice/.ssh/authorized_keys", format!("command=\"git-shell\" {key}\n"));
    let login = host.sshd.login("alice").without_askpass().run();
    assert!(!login.granted, "{login:?}");
    host.sshd.login("alice").option("BatchMode=yes").run().stderr
}

pub(crate) fn another_service(host: &Host<'_>) -> String {
    host.world.service("cron", "account required pam_twinlock.so\n");
    Attempt::new("cron").user("alice").operations([Operation::AcctMgmt]).run(host.world);
    host.world.service("login", "auth required pam_unix.so\nauth required pam_twinlock.so\n");
    no_recovery_codes(host)
}

pub(crate) fn broken_configuration(host: &Host<'_>) -> String {
    host.world.write(CONFIG, "second_factor = \"optionnal\"\n");
    let answered = host.answer("123456");
    host.configure("");
    answered
}

pub(crate) fn unknown_argument(host: &Host<'_>) -> String {
    host.auth_line(&format!("{AUTH_LINE} nullokay"));
    host.answer("123456")
}

pub(crate) fn readable_by_others(host: &Host<'_>) -> String {
    set_mode(credentials_of("alice"), 0o644);
    host.answer("123456")
}

pub(crate) fn no_store(host: &Host<'_>) -> String {
    fs::remove_dir_all(STORE).unwrap();
    host.answer("123456")
}

pub(crate) fn not_mounted(host: &Host<'_>) -> String {
    fs::remove_file(format!("{STORE}/store-id")).unwrap();
    attempt("bob").answer("123456").run(host.world);
    String::new()
}

pub(crate) fn without_key(host: &Host<'_>) -> String {
    host.world.write_secret("/etc/twinlock-key", [7; 32]);
    host.configure("[store]\nkey_file = \"/etc/twinlock-key\"\n");
    let sealed = host.world.twinlock(&["seal", "enable", "--escrow", "/root/phrase"]);
    assert_eq!(sealed.code, Some(0), "{sealed:?}");
    fs::remove_file("/etc/twinlock-key").unwrap();
    host.answer("123456")
}

pub(crate) fn without_credentials(host: &Host<'_>) -> String {
    ForgedState::of(&host.account).write(host.world);
    fs::remove_file(credentials_of("alice")).unwrap();
    host.answer("123456")
}

pub(crate) fn renamed(host: &Host<'_>) -> String {
    host.world.account_with_uid("alicia", 1001);
    host.world.enrol("alicia");
    fs::remove_file(credentials_of("alice")).unwrap();
    host.world.remove_account("alicia");
    host.answer("123456")
}

pub(crate) fn read_only(host: &Host<'_>) -> String {
    wrong_code(host);
    for words in [&["mount", "--bind", STORE, STORE][..], &["mount", "-o", "remount,bind,ro", STORE]] {
        assert_eq!(Launch::new(words).run().code, Some(0));
    }
    host.answer("123456")
}

pub(crate) fn no_module(host: &Host<'_>) -> String {
    fs::remove_file(host.world.module_path()).unwrap();
    host.answer("123456")
}

pub(crate) fn unknown_user(host: &Host<'_>) -> String {
    attempt("zoe").answer("123456").run(host.world);
    String::new()
}

pub(crate) fn name_for_an_address(host: &Host<'_>) -> String {
    host.configure("[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"skip\"\n");
    host.first_for_sshd("UseDNS yes\n");
    attempt("alice").rhost("build.example.org").answer(host.alice.authenticator.wrong_code()).run(host.world);
    String::new()
}

pub(crate) fn login_shell(host: &Host<'_>) -> String {
    let stock = "@include common-auth\n@include common-account\n";
    host.world.service("sudo", &stock.replace("common-auth\n", &format!("common-auth\n{AUTH_LINE}\n")));
    host.world.service("sudo-i", stock);
    String::new()
}

pub(crate) fn faillock(host: &Host<'_>) -> String {
    host.auth_line(&format!("{AUTH_LINE}\nauth [default=die] pam_faillock.so authfail"));
    String::new()
}

pub(crate) fn other_module(host: &Host<'_>) -> String {
    host.auth_line(&format!("{AUTH_LINE}\nauth required pam_google_authenticator.so"));
    String::new()
}

pub(crate) fn no_broker(host: &Host<'_>) -> String {
    host.world.write("/etc/systemd/system/twinlockd.socket", "");
    host.world.twinlock_as(&host.account, &["status"]).run().stderr
}

pub(crate) fn user_changed(host: &Host<'_>) -> String {
    attempt("alice").change_user("bob").answer(host.alice.codes().next()).run(host.world);
    String::new()
}
