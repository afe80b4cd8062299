//! The second factor: every end that Twinlock can come to, and how it is brought there.

use std::fs;

use twinlock_tests::{Account, Attempt, ForgedState, Give, PamCode, STORE, World, credentials_of, in_world, state_of};

/// An account that exists nowhere.
const NOBODY: &str = "nobody-knows";

/// The user who takes over when `PAM_USER` changes in the middle. They exist and are not enrolled.
pub(crate) const OTHER: &str = "other";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ours {
    Verified,
    VerifiedUnderOptional,
    SkippedForAll,
    NotEnrolledUnderOptional,
    NotEnrolledUnderNullok,
    NotEnrolled,
    WrongCode,
    WrongCodeUnderOptional,
    Replayed,
    Junk,
    TooSoon,
    SecondOfTwoCodesMissing,
    Disabled,
    UnknownUser,
    UnknownUserUnderOptional,
    BrokenConfiguration,
    UnknownArgument,
    BrokenCredentials,
    NoStoreUnderOptional,
    NoAnswer,
    NoMemoryForAnAnswer,
    AnswerLater,
    UserChanged,
}

impl Ours {
    pub(crate) const ALL: [Self; 23] = [
        Self::Verified,
        Self::VerifiedUnderOptional,
        Self::SkippedForAll,
        Self::NotEnrolledUnderOptional,
        Self::NotEnrolledUnderNullok,
        Self::NotEnrolled,
        Self::WrongCode,
        Self::WrongCodeUnderOptional,
        Self::Replayed,
        Self::Junk,
        Self::TooSoon,
        Self::SecondOfTwoCodesMissing,
        Self::Disabled,
        Self::UnknownUser,
        Self::UnknownUserUnderOptional,
        Self::BrokenConfiguration,
        Self::UnknownArgument,
        Self::BrokenCredentials,
        Self::NoStoreUnderOptional,
        Self::NoAnswer,
        Self::NoMemoryForAnAnswer,
        Self::AnswerLater,
        Self::UserChanged,
    ];

    /// One end for each return code, for stacks that differ from another one by what libpam makes of these.
    pub(crate) const EACH_CODE: [Self; 9] = [
        Self::Verified,
        Self::NotEnrolledUnderOptional,
        Self::WrongCode,
        Self::UnknownUser,
        Self::BrokenConfiguration,
        Self::NoAnswer,
        Self::NoMemoryForAnAnswer,
        Self::AnswerLater,
        Self::UserChanged,
    ];

    /// What the module says to libpam.
    #[allow(clippy::match_same_arms, reason = "one return code an arm, in the order of the ends")]
    pub(crate) const fn code(self) -> PamCode {
        match self {
            Self::Verified | Self::VerifiedUnderOptional => PamCode::Success,
            Self::SkippedForAll | Self::NotEnrolledUnderOptional | Self::NotEnrolledUnderNullok => PamCode::Ignore,
            Self::NotEnrolled
            | Self::WrongCode
            | Self::WrongCodeUnderOptional
            | Self::Replayed
            | Self::Junk
            | Self::TooSoon
            | Self::Disabled => PamCode::AuthErr,
            Self::UnknownUser | Self::UnknownUserUnderOptional => PamCode::UserUnknown,
            Self::BrokenConfiguration
            | Self::UnknownArgument
            | Self::BrokenCredentials
            | Self::NoStoreUnderOptional => PamCode::AuthinfoUnavail,
            Self::SecondOfTwoCodesMissing | Self::NoAnswer => PamCode::ConvErr,
            Self::NoMemoryForAnAnswer => PamCode::BufErr,
            Self::AnswerLater => PamCode::Incomplete,
            Self::UserChanged => PamCode::SystemErr,
        }
    }

    /// The configuration under which it comes to this.
    const fn configuration(self) -> &'static str {
        match self {
            Self::SkippedForAll => "second_factor = \"skip\"\n",
            Self::VerifiedUnderOptional
            | Self::NotEnrolledUnderOptional
            | Self::WrongCodeUnderOptional
            | Self::UnknownUserUnderOptional
            | Self::NoStoreUnderOptional => "second_factor = \"optional\"\n",
            Self::BrokenConfiguration => "second_factor = \"perhaps\"\n",
            Self::Verified
            | Self::NotEnrolledUnderNullok
            | Self::NotEnrolled
            | Self::WrongCode
            | Self::Replayed
            | Self::Junk
            | Self::TooSoon
            | Self::SecondOfTwoCodesMissing
            | Self::Disabled
            | Self::UnknownUser
            | Self::UnknownArgument
            | Self::BrokenCredentials
            | Self::NoAnswer
            | Self::NoMemoryForAnAnswer
            | Self::AnswerLater
            | Self::UserChanged => "",
        }
    }

    /// The argument of the module's lines that this takes, or nothing.
    pub(crate) const fn argument(self) -> &'static str {
        match self {
            Self::NotEnrolledUnderNullok => "nullok",
            Self::UnknownArgument => "nullock",
            Self::Verified
            | Self::VerifiedUnderOptional
            | Self::SkippedForAll
            | Self::NotEnrolledUnderOptional
            | Self::NotEnrolled
            | Self::WrongCode
            | Self::WrongCodeUnderOptional
            | Self::Replayed
            | Self::Junk
            | Self::TooSoon
            | Self::SecondOfTwoCodesMissing
            | Self::Disabled
            | Self::UnknownUser
            | Self::UnknownUserUnderOptional
            | Self::BrokenConfiguration
            | Self::BrokenCredentials
            | Self::NoStoreUnderOptional
            | Self::NoAnswer
            | Self::NoMemoryForAnAnswer
            | Self::AnswerLater
            | Self::UserChanged => "",
        }
    }

    /// Makes the store and the configuration for one attempt of each of these accounts.
    pub(crate) fn prepare(self, world: &World, accounts: &[Account]) {
        world.set_up(self.configuration());
        for account in accounts {
            self.prepare_account(world, account);
        }
        if self == Self::NoStoreUnderOptional {
            fs::remove_dir_all(STORE).unwrap();
        }
    }

    fn prepare_account(self, world: &World, account: &Account) {
        for file in [credentials_of(&account.name), state_of(&account.name)] {
            drop(fs::remove_file(file));
        }
        if matches!(self, Self::NotEnrolled | Self::NotEnrolledUnderOptional | Self::NotEnrolledUnderNullok) {
            return;
        }
        let step = world.deploy(&account.name).authenticator.now_step();
        let mut state = ForgedState::of(account);
        if self == Self::Replayed {
            // The next step as well, or the clock may come to it before the code is given.
            state = state.used(step + 1);
        } else if self == Self::TooSoon {
            state = state.wrong_codes(3).failed_ago(0);
        } else if self == Self::SecondOfTwoCodesMissing {
            state = state.wrong_codes(3);
        } else if self == Self::Disabled {
            state = state.wrong_codes(100);
        }
        state.write(world);
        if self == Self::BrokenCredentials {
            world.write_secret(credentials_of(&account.name), "version = 1\n");
        }
    }

    /// The attempt with who makes it and what they answer.
    pub(crate) fn answer(self, world: &World, attempt: Attempt, account: &Account) -> Attempt {
        // The secret hangs on the name alone, so this is what stands in the store.
        let app = world.app_of(&account.name);
        let right = app.code_at(app.now_step());
        let attempt = attempt.user(&account.name);
        match self {
            Self::WrongCode | Self::WrongCodeUnderOptional => attempt.answer(app.wrong_code()),
            Self::Junk => attempt.answer("hunter2"),
            Self::UnknownUser | Self::UnknownUserUnderOptional => attempt.user(NOBODY).answer(right),
            Self::NoAnswer => attempt,
            Self::NoMemoryForAnAnswer => attempt.give(Give::Code(PamCode::BufErr.into())),
            Self::AnswerLater => attempt.give(Give::Code(PamCode::ConvAgain.into())),
            Self::UserChanged => attempt.change_user(OTHER).answer(right),
            Self::Verified
            | Self::VerifiedUnderOptional
            | Self::SkippedForAll
            | Self::NotEnrolledUnderOptional
            | Self::NotEnrolledUnderNullok
            | Self::NotEnrolled
            | Self::Replayed
            | Self::TooSoon
            | Self::SecondOfTwoCodesMissing
            | Self::Disabled
            | Self::BrokenConfiguration
            | Self::UnknownArgument
            | Self::BrokenCredentials
            | Self::NoStoreUnderOptional => attempt.answer(right),
        }
    }
}

#[test]
fn each_end_is_the_one_it_says() {
    // Passes every return code on, but for PAM_IGNORE, which libpam passes on to nobody: here it is CRED_UNAVAIL.
    let exact = "auth [ignore=ignore success=done default=die] pam_twinlock.so\n\
         auth required pam_debug.so auth=cred_unavail\n";
    in_world(|world| {
        let alice = world.account("alice");
        world.account(OTHER);
        for ours in Ours::ALL {
            world.service("svc", &exact.replace("twinlock.so", &format!("twinlock.so {}", ours.argument())));
            ours.prepare(world, std::slice::from_ref(&alice));
            let outcome = ours.answer(world, Attempt::new("svc"), &alice).run(world);
            let expected = if ours.code() == PamCode::Ignore { PamCode::CredUnavail } else { ours.code() };
            assert_eq!(outcome.code(), expected, "{ours:?}: {:#?}", world.log());
        }
    });
}

#[test]
fn each_code_stands_once_for_all_ends_that_have_it() {
    for ours in Ours::ALL {
        let same = Ours::EACH_CODE.iter().filter(|one| one.code() == ours.code());
        assert_eq!(same.count(), 1, "{ours:?}");
    }
}
