//! What can be told from outside: an attempt that is refused looks the same for every user and every reason.
//! Where a difference is meant, the reason stands beside it.

use std::fs;

use twinlock_tests::{
    Attempt, CONFIG, ForgedState, Message, PamCode, Sshd, Style, World, credentials_of, in_sshd_world, in_world,
    state_of, tally,
};

use crate::leaks::owner::EXACT;

/// A kind of refusal: what is so, and what is answered.
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) user: &'static str,
    prepare: fn(&World),
    answers: fn(&World) -> Vec<String>,
    differs: Differs,
}

/// How it may differ from an incorrect code.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Differs {
    /// Prompts, texts and order are equal for enrolled, not enrolled (when required), unknown and disabled users.
    Nothing,
    /// An unknown user is `PAM_USER_UNKNOWN` after the same prompt; a broken configuration, store or policy is
    /// `PAM_AUTHINFO_UNAVAIL`. For the application; sshd tells its client nothing of it.
    Code(PamCode),
    /// An answer that comes too early is refused unseen and not counted, with the seconds left.
    Notice,
    /// In step-up the next code is asked for.
    Prompts,
    /// A code that was used, which only somebody who has it can know.
    Used,
}

const PROMPT: &str = "Verification code: ";
const USED: &str = "That code has already been used. Enter the next one.";

/// alice, who logged in before: all records have the same size.
fn fresh(world: &World) -> ForgedState {
    let account = world.account_with_uid("alice", 1001);
    let app = world.deploy("alice").authenticator;
    ForgedState::of(&account).used(app.now_step() - 20)
}

fn code_in(world: &World, steps: i64) -> String {
    let app = world.app_of("alice");
    app.code_at(app.now_step().saturating_add_signed(steps))
}

fn wrong(world: &World) -> Vec<String> {
    vec![world.app_of("alice").wrong_code()]
}

fn recovery(world: &World) -> Vec<String> {
    vec![world.deploy("alice").recovery_codes[0].clone()]
}

const JUNK: &str = "hunter2";

pub(crate) const CLASSES: [Class; 20] = [
    class("wrong", "alice", |world| fresh(world).write(world), wrong),
    Class {
        differs: Differs::Used,
        ..class(
            "replayed",
            "alice",
            |world| fresh(world).used(world.app_of("alice").now_step() + 1).write(world),
            |world| vec![code_in(world, 0)],
        )
    },
    class("behind the window", "alice", |world| fresh(world).write(world), |world| vec![code_in(world, -4)]),
    class("before the window", "alice", |world| fresh(world).write(world), |world| vec![code_in(world, 4)]),
    class("outside of everything", "alice", |world| fresh(world).write(world), |world| vec![code_in(world, -4_000)]),
    class("disabled", "alice", |world| fresh(world).wrong_codes(100).write(world), |world| vec![code_in(world, 0)]),
    class("wrong recovery code", "alice", |world| fresh(world).write(world), |_| vec!["0000-0000-0000-0000".into()]),
    class(
        "wrong recovery code beside issued codes",
        "alice",
        |world| fresh(world).issued_codes(-60, 600).write(world),
        |_| vec!["0000-0000-0000-0000".into()],
    ),
    class(
        "wrong recovery code after issued codes",
        "alice",
        |world| fresh(world).issued_codes(-600, -60).write(world),
        |_| vec!["0000-0000-0000-0000".into()],
    ),
    Class {
        differs: Differs::Used,
        ..class("used recovery code", "alice", |world| fresh(world).spent_codes([1]).write(world), recovery)
    },
    class("recovery disabled", "alice", |world| fresh(world).wrong_recovery_codes(100).write(world), recovery),
    class("junk", "alice", |world| fresh(world).write(world), |_| vec![JUNK.into()]),
    class("not enrolled", "bobby", |world| drop(world.account_with_uid("bobby", 1002)), wrong),
    class("not enrolled, recovery code", "bobby", |_| (), recovery),
    class("not enrolled, junk", "bobby", |_| (), |_| vec![JUNK.into()]),
    Class { differs: Differs::Code(PamCode::UserUnknown), ..class("unknown", "carol", |_| (), wrong) },
    Class {
        differs: Differs::Code(PamCode::AuthinfoUnavail),
        ..class("torn state", "alice", |world| world.write_secret(state_of("alice"), "torn"), wrong)
    },
    Class {
        differs: Differs::Code(PamCode::AuthinfoUnavail),
        ..class("broken credentials", "alice", break_credentials, wrong)
    },
    Class {
        differs: Differs::Notice,
        ..class("too soon", "alice", |world| fresh(world).wrong_codes(3).failed_ago(0).write(world), wrong)
    },
    Class {
        differs: Differs::Prompts,
        ..class(
            "step-up",
            "alice",
            |world| fresh(world).wrong_codes(3).write(world),
            |world| [wrong(world), wrong(world)].concat(),
        )
    },
];

const fn class(
    name: &'static str,
    user: &'static str,
    prepare: fn(&World),
    answers: fn(&World) -> Vec<String>,
) -> Class {
    Class { name, user, prepare, answers, differs: Differs::Nothing }
}

fn break_credentials(world: &World) {
    fresh(world).write(world);
    world.write_secret(credentials_of("alice"), "version = 1\n");
}

impl Class {
    /// An attempt of this kind.
    pub(crate) fn attempt(&self, world: &World) -> Attempt {
        (self.prepare)(world);
        (self.answers)(world).iter().fold(Attempt::new("svc").user(self.user), Attempt::answer)
    }

    /// Everything for one of this kind: who comes, and the answer.
    pub(crate) fn prepared(&self, world: &World) -> (&'static str, String) {
        (self.prepare)(world);
        (self.user, (self.answers)(world).remove(0))
    }
}

#[test]
fn every_refusal_looks_the_same_to_the_application_but_for_what_is_documented() {
    in_world(|world| {
        world.set_up("");
        world.service("svc", EXACT);
        let prompt = |text: &str| Message { style: Style::EchoOn, text: text.into() };
        for class in &CLASSES {
            let outcome = class.attempt(world).run(world);
            let (mut code, mut messages) = (PamCode::AuthErr, vec![prompt(PROMPT)]);
            let mut seen = outcome.messages.clone();
            match class.differs {
                Differs::Nothing => {}
                Differs::Code(other) => code = other,
                Differs::Prompts => messages.push(prompt("Wait for the next code and enter it: ")),
                Differs::Used => messages.push(Message { style: Style::ErrorMessage, text: USED.into() }),
                Differs::Notice => {
                    let notice = seen.pop().unwrap();
                    let told = notice.text.strip_prefix("Too many incorrect codes. Try again in ");
                    let seconds = told.and_then(|rest| rest.strip_suffix(" seconds.")).unwrap().parse::<u8>().unwrap();
                    assert!(notice.style == Style::ErrorMessage && (1..=10).contains(&seconds), "{notice:?}");
                }
            }
            assert_eq!((outcome.code(), seen), (code, messages), "T-ORACLE: {}", class.name);
            // 1 s was asked for, and libpam makes up to half of it more or less of that.
            assert_eq!(outcome.fail_delays.len(), 1, "{}", class.name);
            assert!(
                (500_000..=1_500_000).contains(&outcome.fail_delays[0]),
                "{}: {:?}",
                class.name,
                outcome.fail_delays
            );
            let left = (&outcome.output.stdout, &outcome.output.stderr, &outcome.pam_environment);
            assert_eq!(left, (&String::new(), &String::new(), &Vec::new()), "{}", class.name);
            assert_eq!(outcome.user.as_deref(), Some(class.user), "{}", class.name);
            assert_eq!(outcome.before, outcome.after, "{}", class.name);
        }
        tally("leaks", "classes compared through libpam", CLASSES.len() as u64);
    });
}

#[test]
fn every_refusal_looks_the_same_to_a_client_of_sshd_but_for_what_is_documented() {
    in_sshd_world(|world| {
        world.set_up("fail_delay = \"0s\"\n");
        world.service(
            "sshd",
            "auth required pam_twinlock.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
        );
        let sshd = Sshd::new(world).config("AuthenticationMethods keyboard-interactive\n");
        let mut first = None;
        for class in &CLASSES {
            drop(class.attempt(world));
            let client = sshd.login(class.user).without_key();
            let login = (class.answers)(world).into_iter().fold(client, twinlock_tests::Client::answer).run();
            assert!(!login.granted, "{login:?}");
            let unnamed = |text: &str| text.replace(class.user, "USER");
            let prompts: Vec<_> = login.prompts.iter().map(|text| unnamed(text)).collect();
            let shown = (login.code, unnamed(&login.stdout), unnamed(&login.stderr), prompts);
            let wrong = first.get_or_insert_with(|| shown.clone());
            match class.differs {
                Differs::Nothing | Differs::Code(_) => assert_eq!(shown, *wrong, "T-ORACLE: {}", class.name),
                Differs::Used => {
                    assert_eq!((shown.0, &shown.1, &shown.3), (wrong.0, &wrong.1, &wrong.3));
                    assert_eq!(shown.2, format!("{USED}\n\r\n{}", wrong.2));
                }
                Differs::Notice => assert_eq!((shown.0, shown.3.len()), (wrong.0, wrong.3.len()), "{}", class.name),
                Differs::Prompts => {
                    assert_eq!((shown.0, &shown.1, &shown.2, shown.3.len()), (wrong.0, &wrong.1, &wrong.2, 2));
                }
            }
        }
        assert!(fs::exists(CONFIG).unwrap());
        tally("leaks", "classes compared through sshd", CLASSES.len() as u64);
    });
}
