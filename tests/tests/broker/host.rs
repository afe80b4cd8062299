//! PAM hosts that are not root's, screen lockers above all: what root's module decides, the broker decides for them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use twinlock_tests::{
    Attempt, DEADLINE, ForgedState, IGNORED, Message, Operation, PamCode, Setup, State, Style, User, credentials_of,
    state_of,
};

use crate::asked::by_broker;

const AUTH: &[Operation] = &[Operation::Authenticate];
const ACCOUNT: &[Operation] = &[Operation::AcctMgmt];
const BOTH: &[Operation] = &[Operation::Authenticate, Operation::AcctMgmt];

/// One login, under all that it hangs on.
struct Case {
    name: &'static str,
    config: &'static str,
    enrolled: bool,
    state: fn(ForgedState) -> ForgedState,
    /// `now`, `next`, `wrong`, `far` and `recovery` are codes of these kinds; anything else is typed as it is.
    answers: &'static [&'static str],
    operations: &'static [Operation],
    codes: &'static [PamCode],
}

const PLAIN: Case =
    Case { name: "", config: "", enrolled: true, state: |state| state, answers: &[], operations: AUTH, codes: &[] };

/// All that a host and a log can tell of a login. Not the details: some are of the one way alone.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    codes: Vec<PamCode>,
    messages: Vec<Message>,
    held_back: bool,
    log: Vec<String>,
    charges: Option<[u64; 4]>,
}

impl Case {
    fn prepare(&self, alice: &User<'_>) {
        alice.configure(self.config);
        drop(std::fs::remove_file(state_of("alice")));
        if self.enrolled {
            alice.world.deploy("alice");
            (self.state)(alice.state()).write(alice.world);
        } else {
            drop(std::fs::remove_file(credentials_of("alice")));
        }
    }

    fn attempt(&self, alice: &User<'_>) -> Attempt {
        let app = &alice.enrolled.authenticator;
        let step = app.now_step();
        let typed = |answer: &&str| match *answer {
            "now" => app.code_at(step),
            "next" => app.code_at(step + 1),
            "wrong" => app.wrong_code(),
            "recovery" => alice.recovery_code(0).to_owned(),
            other => other.to_owned(),
        };
        let attempt = Attempt::new("svc").user("alice").rhost("192.0.2.7").operations(self.operations.iter().copied());
        self.answers.iter().map(typed).fold(attempt, Attempt::answer)
    }

    /// Prepares the host and logs in there. Of clients that have left, the broker may write after the end: so many lines are
    /// waited for.
    fn see(&self, alice: &User<'_>, lines: usize, run: impl FnOnce(Attempt) -> Attempt) -> Seen {
        self.prepare(alice);
        let mark = alice.world.log_mark();
        let outcome = run(self.attempt(alice)).run(alice.world);
        let end = Instant::now() + DEADLINE;
        while alice.world.entries_since(mark).len() < lines && Instant::now() < end {
            sleep(Duration::from_millis(2));
        }
        let entries = alice.world.entries_since(mark);
        let without_detail = |text: &str| text.split(" detail=").next().unwrap_or_default().to_owned();
        Seen {
            codes: outcome.codes.iter().map(|(_, code)| *code).collect(),
            messages: outcome.messages.iter().map(without_seconds).collect(),
            held_back: !outcome.fail_delays.is_empty(),
            // That the broker says whose word it has is a difference that is wanted.
            log: entries
                .iter()
                .map(|entry| without_detail(&entry.text.replace(" claimed=service,rhost", "")))
                .collect(),
            charges: std::fs::exists(state_of("alice")).unwrap().then(|| State::of("alice").charges()),
        }
    }
}

/// A message in which it does not matter how much of the wait has passed.
fn without_seconds(Message { style, text }: &Message) -> Message {
    let is_wait = text.starts_with("Too many incorrect codes. Try again in ");
    let text = if is_wait { text.replace(|c: char| c.is_ascii_digit(), "") } else { text.clone() };
    Message { style: *style, text }
}

const CASES: &[Case] = &[
    Case { name: "a right code", answers: &["now"], codes: &[PamCode::Success], ..PLAIN },
    Case { name: "a wrong code", answers: &["wrong"], codes: &[PamCode::AuthErr], ..PLAIN },
    Case {
        name: "a code that was used",
        state: |state| state.used(4_000_000_000),
        answers: &["now"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case { name: "a recovery code", answers: &["recovery"], codes: &[PamCode::Success], ..PLAIN },
    Case {
        name: "the last recovery code",
        state: |state| state.spent_codes(2..=10),
        answers: &["recovery"],
        codes: &[PamCode::Success],
        ..PLAIN
    },
    Case {
        name: "a recovery code that was used",
        state: |state| state.spent_codes([1]),
        answers: &["recovery"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case { name: "no code", answers: &["hello"], codes: &[PamCode::AuthErr], ..PLAIN },
    Case { name: "an empty answer", answers: &[""], codes: &[PamCode::AuthErr], ..PLAIN },
    Case { name: "no answer", codes: &[PamCode::ConvErr], ..PLAIN },
    Case {
        name: "two codes after wrong ones",
        state: |state| state.wrong_codes(11).failed_ago(100_000),
        answers: &["now", "next"],
        codes: &[PamCode::Success],
        ..PLAIN
    },
    Case {
        name: "a second code that does not follow",
        state: |state| state.wrong_codes(11).failed_ago(100_000),
        answers: &["now", "wrong"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case {
        name: "disabled",
        state: |state| state.wrong_codes(100).failed_ago(100_000),
        answers: &["now"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case {
        name: "too soon",
        state: |state| state.wrong_codes(8).failed_ago(0),
        config: "[throttle]\nspacing = \"1h\"\n",
        answers: &["now"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case { name: "required, not enrolled", enrolled: false, answers: &["123456"], codes: &[PamCode::AuthErr], ..PLAIN },
    Case {
        name: "optional, not enrolled",
        config: "second_factor = \"optional\"\n",
        enrolled: false,
        codes: &[IGNORED],
        ..PLAIN
    },
    Case {
        name: "optional, enrolled",
        config: "second_factor = \"optional\"\n",
        answers: &["now"],
        codes: &[PamCode::Success],
        ..PLAIN
    },
    Case { name: "skip, enrolled", config: "second_factor = \"skip\"\n", codes: &[IGNORED], ..PLAIN },
    Case {
        name: "skip, not enrolled",
        config: "second_factor = \"skip\"\n",
        enrolled: false,
        codes: &[IGNORED],
        ..PLAIN
    },
    Case {
        name: "enroll, not enrolled, without a first factor",
        config: "second_factor = \"enroll\"\n",
        enrolled: false,
        answers: &["123456"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case {
        name: "enroll, enrolled",
        config: "second_factor = \"enroll\"\n",
        answers: &["now"],
        codes: &[PamCode::Success],
        ..PLAIN
    },
    Case {
        name: "another prompt, without echo, with help",
        config: "prompt = \"Code? \"\necho = false\nhelp = \"Call 1234.\"\nfail_delay = \"0s\"\n",
        answers: &["wrong"],
        codes: &[PamCode::AuthErr],
        ..PLAIN
    },
    Case {
        name: "the account phase after a right code",
        answers: &["now"],
        operations: BOTH,
        codes: &[PamCode::Success, PamCode::Success],
        ..PLAIN
    },
    Case {
        name: "the account phase after a wrong code",
        answers: &["wrong"],
        operations: BOTH,
        codes: &[PamCode::AuthErr, PamCode::PermDenied],
        ..PLAIN
    },
    Case { name: "the account phase alone", operations: ACCOUNT, codes: &[PamCode::PermDenied], ..PLAIN },
    Case {
        name: "the account phase alone, optional, enrolled",
        config: "second_factor = \"optional\"\n",
        operations: ACCOUNT,
        codes: &[PamCode::PermDenied],
        ..PLAIN
    },
    Case {
        name: "the account phase alone, optional, not enrolled",
        config: "second_factor = \"optional\"\n",
        enrolled: false,
        operations: ACCOUNT,
        codes: &[IGNORED],
        ..PLAIN
    },
    Case {
        name: "the account phase alone, skip",
        config: "second_factor = \"skip\"\n",
        operations: ACCOUNT,
        codes: &[IGNORED],
        ..PLAIN
    },
];

#[test]
fn a_login_of_a_host_that_is_not_root_s_ends_as_root_s_does() {
    Setup::with_broker().enrolled(|alice| {
        for case in CASES {
            let by_root = case.see(alice, 0, |attempt| attempt);
            let lines = by_root.log.len();
            let by_alice = case.see(alice, lines, |attempt| attempt.as_account(&alice.account));
            assert_eq!(by_alice, by_root, "{}", case.name);
            assert_eq!(by_root.codes, case.codes, "{}: {by_root:?}", case.name);
        }
    });
}

#[test]
fn every_login_is_written_down_once_by_the_broker_with_service_and_address() {
    Setup::with_broker().enrolled(|alice| {
        for (answer, line) in [
            (
                alice.wrong_code(),
                "result=refused reason=wrong-code user=alice method=totp authenticator=- service=svc rhost=192.0.2.7 failures=1 claimed=service,rhost",
            ),
            (
                alice.codes().next(),
                "result=granted reason=- user=alice method=totp authenticator=phone1 service=svc rhost=192.0.2.7 failures=0 claimed=service,rhost",
            ),
            (
                alice.codes().next(),
                "result=refused reason=replayed user=alice method=totp authenticator=- service=svc rhost=192.0.2.7 failures=0 claimed=service,rhost",
            ),
            (
                alice.recovery_code(3).to_owned(),
                "result=granted reason=- user=alice method=recovery authenticator=- service=svc rhost=192.0.2.7 failures=0 claimed=service,rhost",
            ),
        ] {
            let mark = alice.world.log_mark();
            alice.unprivileged_attempt().rhost("192.0.2.7").answer(answer).run(alice.world);
            assert_eq!(by_broker(alice.world, mark), [line]);
            assert_eq!(alice.world.entries_since(mark).len(), 1, "{:#?}", alice.world.log_since(mark));
        }
        let status: serde_json::Value =
            serde_json::from_str(&alice.world.twinlock(&["status", "alice", "--json"]).stdout).unwrap();
        let phone = &status["authenticators"][0];
        assert_eq!((&phone["last_from"], &phone["last_from_claimed"]), (&"192.0.2.7".into(), &true.into()), "{status}");
        let shown = alice.world.twinlock(&["status", "alice"]).stdout;
        assert!(shown.contains(" from 192.0.2.7 (claimed by the user's program, not verified)\n"), "{shown}");
        let listed = alice.world.twinlock(&["list"]).stdout;
        assert!(listed.contains("\t192.0.2.7 (claimed)\t"), "{listed}");
        // What root's host says is no claim.
        let app = &alice.enrolled.authenticator;
        let later = app.code_at(app.now_step() + 1);
        alice.attempt().rhost("192.0.2.8").answer(later).run(alice.world);
        let shown = alice.world.twinlock(&["status", "alice"]).stdout;
        assert!(shown.contains(" from 192.0.2.8\n"), "{shown}");
    });
}

/// A caller who is not root says where they come from. The throttle must not go by it, or anybody could be at home.
#[test]
fn an_address_that_a_caller_claims_is_no_network_to_the_throttle() {
    Setup::with_broker().enrolled(|alice| {
        let mut codes = alice.codes();
        let mut after = |attempt: &dyn Fn() -> Attempt| {
            for (answer, code) in [(alice.wrong_code(), PamCode::AuthErr), (codes.next(), PamCode::Success)] {
                assert_eq!(attempt().rhost("192.0.2.7").answer(answer).run(alice.world).code(), code);
            }
            let state = State::of("alice");
            (state.text("throttle.home").to_owned(), state.text("throttle.otp.networks").to_owned())
        };
        assert_eq!(after(&|| alice.unprivileged_attempt()), (String::new(), "[]".into()));
        let (home, networks) = after(&|| Attempt::new("svc").user("alice"));
        assert_eq!(home, "192.0.2.7/32");
        assert!(networks.starts_with("[[\"192.0.2.7/32\",0,"), "{networks}");
    });
}

#[test]
fn the_login_of_somebody_else_is_refused_unasked_and_costs_them_nothing() {
    Setup::with_broker().enrolled(|alice| {
        let bob = alice.world.account("bob");
        let app = alice.world.deploy("bob");
        ForgedState::of(&bob).write(alice.world);
        let before = std::fs::read(state_of("bob")).unwrap();
        let mark = alice.world.log_mark();
        let outcome =
            alice.unprivileged_attempt().user("bob").rhost("192.0.2.7").answer(app.codes().next()).run(alice.world);
        assert_eq!((outcome.code(), outcome.prompts()), (PamCode::UserUnknown, vec![]));
        assert_eq!(std::fs::read(state_of("bob")).unwrap(), before);
        assert_eq!(State::of("alice").charges(), [0; 4]);
        let line = "result=refused reason=unknown-user user=- method=- authenticator=- service=svc rhost=192.0.2.7 \
                    failures=- claimed=service,rhost detail=\"uid 1001 requested a login of another account\"";
        assert_eq!(by_broker(alice.world, mark), [line]);
        assert_eq!(alice.world.entries_since(mark).len(), 1);
    });
}

#[test]
fn an_account_that_does_not_exist_is_refused() {
    Setup::with_broker().enrolled(|alice| {
        let outcome = alice.unprivileged_attempt().user("nosuch").answer(alice.codes().next()).run(alice.world);
        assert_eq!(outcome.code(), PamCode::UserUnknown);
        assert_eq!(State::of("alice").charges(), [0; 4]);
    });
}

fn without_broker(alice: &User<'_>) {
    alice.broker().kill();
    while alice.broker().is_running() {
        std::thread::yield_now();
    }
}

#[test]
fn without_a_broker_nobody_is_let_in_and_the_log_says_why() {
    Setup::with_broker().enrolled(|alice| {
        without_broker(alice);
        // The socket of a broker that was killed is still there; then none is.
        for step in ["killed", "removed"] {
            let mark = alice.world.log_mark();
            let outcome = alice.unprivileged_attempt().answer(alice.codes().next()).run(alice.world);
            assert_eq!((outcome.code(), outcome.prompts()), (PamCode::AuthinfoUnavail, vec![]), "{step}");
            let entries = alice.world.entries_since(mark);
            let detail =
                "this process does not run as root, so it needs the broker: the broker (twinlockd) is not running";
            assert_eq!(entries.len(), 1, "{entries:?}");
            assert_eq!(entries[0].detail.as_deref(), Some(detail), "{step}");
            assert_eq!(entries[0].value("reason"), "store");
            if step == "killed" {
                std::fs::remove_file(twinlock_tests::SOCKET).unwrap();
            }
        }
        assert_eq!(State::of("alice").charges(), [0; 4]);
    });
}

#[test]
fn where_nobody_is_asked_no_broker_is_needed() {
    Setup::with_broker().enrolled(|alice| {
        without_broker(alice);
        alice.configure("[[rule]]\nname = \"lockers\"\nservices = [\"svc\"]\nsecond_factor = \"skip\"\n");
        assert_eq!(alice.unprivileged_attempt().run(alice.world).code(), IGNORED);
        alice.configure("second_factor = \"optional\"\n");
        assert_eq!(
            alice.unprivileged_attempt().run(alice.world).code(),
            PamCode::AuthinfoUnavail,
            "who knows whether she is enrolled"
        );
        let guard = alice.unprivileged_attempt().operations([Operation::AcctMgmt]).run(alice.world);
        assert_eq!(guard.code(), PamCode::PermDenied);
    });
}

#[test]
fn a_broker_whose_configuration_is_broken_lets_nobody_in() {
    Setup::with_broker().enrolled(|alice| {
        // The module is given another file than the broker, which finds a mistake in its own.
        alice.world.write("/etc/twinlock/good.toml", "");
        alice.world.service("svc", "auth required pam_twinlock.so config=/etc/twinlock/good.toml\n");
        alice.configure("second_factor = \"requird\"\n");
        let mark = alice.world.log_mark();
        let outcome = alice.unprivileged_attempt().answer(alice.codes().next()).run(alice.world);
        assert_eq!((outcome.code(), outcome.prompts()), (PamCode::AuthinfoUnavail, vec![]));
        let lines = by_broker(alice.world, mark);
        assert!(
            lines.len() == 1 && lines[0].contains("reason=config") && lines[0].contains("config.toml:1:17"),
            "{lines:?}"
        );
    });
}

#[test]
fn a_host_that_is_not_root_s_leaves_nothing_behind() {
    Setup::with_broker().enrolled(|alice| {
        let outcome = alice.unprivileged_attempt().answer(alice.codes().next()).run(alice.world);
        assert_eq!(outcome.code(), PamCode::Success);
        assert_eq!(outcome.after, outcome.before, "descriptors, signals, mask and directory");
        assert_eq!((outcome.output.stdout.as_str(), outcome.output.stderr.as_str()), ("", ""));
        assert!(outcome.messages.iter().all(|message| message.style == Style::EchoOn), "{:?}", outcome.messages);
    });
}

#[test]
fn the_connection_is_never_open_under_the_numbers_of_the_standard_streams() {
    Setup::with_broker().enrolled(|alice| {
        let trace = "/tmp/trace";
        let under = ["strace", "-f", "-o", trace, "-e", "trace=sendto,recvfrom"];
        let attempt = alice.unprivileged_attempt().closed_stdio().under(under);
        let outcome = attempt.answer(alice.codes().next()).run(alice.world);
        assert_eq!(outcome.code(), PamCode::Success);
        let trace = std::fs::read_to_string(trace).unwrap();
        assert!(trace.contains("sendto("), "{trace}");
        let is_low = |line: &&str| {
            (0..3).any(|number| ["to", "from"].iter().any(|call| line.contains(&format!("{call}({number}, "))))
        };
        // libpam's own audit lines are not ours.
        let low = trace.lines().filter(is_low).filter(|line| !line.contains("AF_NETLINK"));
        assert_eq!(low.collect::<Vec<_>>(), Vec::<&str>::new());
    });
}

/// The broker does not enrol inside a login, so the module must not begin with it.
#[test]
fn nobody_is_invited_to_enrol_where_the_host_cannot_store_it() {
    Setup::with_broker().enrolled(|alice| {
        alice.configure("second_factor = \"enroll\"\n");
        std::fs::remove_file(credentials_of("alice")).unwrap();
        for user in ["alice", "nosuch"] {
            let attempt = alice.unprivileged_attempt().user(user).pam_environment("SSH_AUTH_INFO_0", "password");
            let outcome = attempt.answer("a").answer("a").run(alice.world);
            assert_ne!(outcome.code(), PamCode::Success, "{user}");
            assert!(outcome.prompts().iter().all(|prompt| !prompt.contains("Scan")), "{user}: {outcome:?}");
        }
    });
}
