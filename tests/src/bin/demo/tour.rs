//! The tour: enrolment, then logins that must be refused and logins that must be granted.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use twinlock_tests::{Authenticator, FirstFactor, Launch, LogLine, Login, Sshd, Terminal, World};

use crate::screen::Screen;

/// What the user runs on the server, and what it prints there.
const COMMAND: &str = "echo \"Welcome, $(id -un).\"";
const WELCOME: &str = "Welcome, alice.";

const PROMPT: &str = "Verification code: ";

/// What somebody holds after `twinlock enroll`.
pub(crate) struct Holder {
    pub(crate) phone: Authenticator,
    pub(crate) recovery_codes: Vec<String>,
    /// All that the command showed.
    pub(crate) shown: String,
}

/// Shows everything, in a new world.
///
/// # Panics
/// When a step did not go as it should.
pub(crate) fn run(world: &World, screen: &mut Screen) {
    let sshd = world.ship(crate::family(), FirstFactor::Key);
    world.account("alice");
    introduce(screen);

    screen.heading("1  alice gets a second factor");
    screen.command("server #", "twinlock enroll alice");
    let alice = enrol(world, "alice", screen);
    screen.verdict("enrolled", "nothing was stored before the code was right");

    screen.heading("2  the right key, and a wrong code");
    let login = log_in(&sshd, screen, Some(&alice.phone.wrong_code()));
    expect_refusal(&login, "reason=wrong-code", screen, "a key alone is not enough any more");

    screen.heading("3  the right key, and the current code");
    let code = alice.phone.code_at(alice.phone.now_step());
    let login = log_in(&sshd, screen, Some(&code));
    expect_login(&login, "method=totp", screen, "two factors, one login");

    screen.heading("4  the same code once more, as a thief who watched would try it");
    let login = log_in(&sshd, screen, Some(&code));
    expect_refusal(&login, "reason=replayed", screen, "a code opens one door once");

    screen.heading("5  the phone is lost: a recovery code");
    let login = log_in(&sshd, screen, alice.recovery_codes.first().map(String::as_str));
    expect_login(&login, "method=recovery", screen, "and that code is used up, too");

    screen.heading("6  a mistake in sshd's configuration");
    screen.command("server #", "echo AuthenticationMethods publickey > 0-mistake.conf");
    world.write("/etc/ssh/sshd_config.d/0-mistake.conf", "AuthenticationMethods publickey\n");
    screen.say("sshd now takes the key alone, and asks PAM for no code.");
    let login = log_in(&sshd, screen, None);
    expect_refusal(&login, "reason=bypass", screen, "the guard keeps the second lock shut, and names the mistake");

    screen.heading("Shown");
    screen.say(
        "One enrolment, two logins granted and three refused by a real sshd, each as it should. Nothing on this host \
         was changed: all of it lived in a private mount namespace, which is gone now.",
    );
}

fn introduce(screen: &mut Screen) {
    let version = Launch::new(["ssh", "-V"]).run().stderr;
    let version = version.split([',', ' ']).next().unwrap_or("OpenSSH").replace('_', " ");
    screen.heading("Twinlock: a second lock on every ssh login");
    screen.say(&format!(
        "What you see is real: {version}, libpam, pam_twinlock.so, and the PAM and sshd files of config/ as they \
         ship. It runs in a private copy of this host; the only thing played is the person: answers that the \
         demonstration types stand behind the prompts."
    ));
}

/// Runs `twinlock enroll` on a terminal of its own, answering as its user would.
pub(crate) fn enrol(world: &World, user: &str, screen: &mut Screen) -> Holder {
    let mut launch = world.twinlock_launch(&["enroll", user]);
    if !screen.has_colour() {
        launch = launch.environment("NO_COLOR", "1");
    }
    let mut terminal = Terminal::start(launch);
    let mut transcript = Transcript::default();
    let introduction = transcript.until(screen, &mut terminal, "Enter the code that the app shows now: ");
    let uri = introduction.split_whitespace().find(|word| word.starts_with("otpauth://"));
    let phone = Authenticator::from_uri(uri.expect("`twinlock enroll` shows the address"));
    transcript.answer(screen, &mut terminal, &previous_code(&phone));
    let codes = transcript.until(screen, &mut terminal, "to confirm that you saved them: ");
    let is_code = |word: &&str| word.len() == 19 && word.split('-').all(|group| group.len() == 4);
    let recovery_codes: Vec<_> = codes.split_whitespace().filter(is_code).map(String::from).collect();
    let last = recovery_codes.last().expect("`twinlock enroll` shows recovery codes");
    transcript.answer(screen, &mut terminal, last);
    let output = terminal.finish();
    transcript.rest(screen, &output.stdout);
    assert_eq!(output.code, Some(0), "`twinlock enroll` ended with a failure");
    Holder { phone, recovery_codes, shown: introduction }
}

/// The code of the step before this one, which an enrolment still takes. Logins then need not wait for a later step.
fn previous_code(phone: &Authenticator) -> String {
    let period = u128::from(phone.period) * 1000;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let left = period - now % period;
    if left < 1500 {
        thread::sleep(Duration::from_millis(u64::try_from(left).expect("a period is short")));
    }
    phone.code_at(phone.now_step() - 1)
}

/// Logs in with ssh, as alice, who answers the prompt if there is to be one.
fn log_in(sshd: &Sshd<'_>, screen: &mut Screen, answer: Option<&str>) -> Login {
    screen.command("laptop $", "ssh alice@127.0.0.1");
    let mut session = sshd.login("alice").command(COMMAND).terminal();
    let mut transcript = Transcript::default();
    if let Some(answer) = answer {
        transcript.until(screen, &mut session.terminal, PROMPT);
        transcript.answer(screen, &mut session.terminal, answer);
    }
    let login = session.finish();
    transcript.rest(screen, &login.stdout);
    for line in login.server_log.iter().filter(|line| is_of_interest(line)) {
        screen.log(line);
    }
    login
}

/// What the verdict is about, out of all that sshd says.
pub(crate) fn is_of_interest(line: &LogLine) -> bool {
    let starts = ["pam_twinlock(", "Accepted ", "Access denied "];
    starts.iter().any(|start| line.text.starts_with(start))
}

fn expect_login(login: &Login, logged: &str, screen: &mut Screen, meaning: &str) {
    check(login, login.stdout.contains(WELCOME), "was refused and should have been granted");
    check(login, has_line(login, &["result=granted", logged]), "was granted, but the log says otherwise");
    screen.verdict("let in", meaning);
}

fn expect_refusal(login: &Login, logged: &str, screen: &mut Screen, meaning: &str) {
    check(
        login,
        !login.stdout.contains(WELCOME) && login.code == Some(255),
        "was granted and should have been refused",
    );
    check(login, has_line(login, &["result=refused", logged]), "was refused, but the log says otherwise");
    screen.verdict("refused", meaning);
}

fn has_line(login: &Login, words: &[&str]) -> bool {
    login.server_log.iter().any(|line| words.iter().all(|word| line.text.contains(word)))
}

fn check(login: &Login, holds: bool, otherwise: &str) {
    let log: Vec<_> = login.server_log.iter().map(ToString::to_string).collect();
    assert!(holds, "this login {otherwise}; the whole log of it:\n  {}", log.join("\n  "));
}

/// What was shown of a program on a terminal, and what was typed into it.
#[derive(Default)]
struct Transcript {
    /// What was typed, and comes back as echo.
    echo: String,
    bytes: usize,
}

impl Transcript {
    fn until(&mut self, screen: &mut Screen, terminal: &mut Terminal, prompt: &str) -> String {
        let text = terminal.expect(prompt);
        self.show(screen, &text);
        text
    }

    fn answer(&mut self, screen: &mut Screen, terminal: &mut Terminal, answer: &str) {
        screen.typed(answer);
        self.echo = format!("{answer}\n");
        terminal.send_line(answer);
    }

    /// Shows what came after the last prompt; `all` is everything that was on the terminal.
    fn rest(&mut self, screen: &mut Screen, all: &str) {
        let rest = all.get(self.bytes..).unwrap_or_default();
        self.show(screen, rest);
    }

    fn show(&mut self, screen: &mut Screen, text: &str) {
        self.bytes += text.len();
        screen.shown(text.strip_prefix(&self.echo).unwrap_or(text));
        self.echo.clear();
    }
}
