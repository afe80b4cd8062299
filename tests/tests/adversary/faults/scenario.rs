//! What is going on when the fault comes.

use twinlock_tests::PamCode::{self, AuthErr, CredUnavail, Success};

use crate::faults::attempts::{Given, RECOVERY, Scene};

/// An attempt that is struck.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) service: &'static str,
    pub(crate) user: &'static str,
    /// The state of alice that it finds; `None` for none.
    pub(crate) state: fn(&Scene<'_>) -> Option<Vec<u8>>,
    pub(crate) answers: fn(&Given) -> Vec<String>,
    /// What it ends with where no fault comes. With faults it may end so, or be refused, and nothing else.
    pub(crate) normal: PamCode,
    pub(crate) worth: Worth,
    pub(crate) afterwards: Afterwards,
    /// The fewest system calls that it is made of: fewer, and the sweep has lost sight of the module.
    pub(crate) floor: usize,
}

/// What the answer can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Open one login.
    OneLogin,
    /// Nothing.
    Nothing,
    /// It need not be given at all.
    NotAsked,
}

/// How the user stands after the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// One correct code is enough.
    Open,
    /// Two are needed, some time after the last failure.
    TwoCodes,
    /// Nothing is looked at for some time.
    Throttled,
    /// Not enrolled, and so as before.
    NotEnrolled,
}

const RIGHT: Scenario = Scenario {
    name: "right code",
    service: "svc",
    user: "alice",
    state: |scene| Some(scene.state().bytes()),
    answers: |given| vec![given.code.clone()],
    normal: Success,
    worth: Worth::OneLogin,
    afterwards: Afterwards::Open,
    floor: 60,
};

const WRONG: Scenario = Scenario {
    name: "wrong code",
    answers: |given| vec![given.wrong.clone()],
    normal: AuthErr,
    worth: Worth::Nothing,
    ..RIGHT
};

const ALL: [Scenario; 17] = [
    RIGHT,
    WRONG,
    Scenario {
        name: "used code",
        state: |scene| Some(scene.state().used(scene.app.now_step()).bytes()),
        answers: |given| vec![given.code.clone()],
        ..WRONG
    },
    Scenario { name: "junk", answers: |_| vec!["hunter2".into()], floor: 30, ..WRONG },
    Scenario { name: "right recovery code", answers: |_| vec![RECOVERY[0].0.into()], ..RIGHT },
    Scenario { name: "wrong recovery code", answers: |_| vec!["0000-0000-0000-0000".into()], ..WRONG },
    Scenario {
        name: "used recovery code",
        state: |scene| Some(scene.state().spent_codes([1]).bytes()),
        answers: |_| vec![RECOVERY[0].0.into()],
        ..WRONG
    },
    Scenario {
        name: "throttled",
        state: |scene| Some(scene.state().wrong_codes(10).failed_ago(1).bytes()),
        answers: |given| vec![given.code.clone()],
        afterwards: Afterwards::Throttled,
        ..WRONG
    },
    Scenario {
        name: "two right codes",
        state: |scene| Some(scene.state().wrong_codes(10).bytes()),
        answers: |given| vec![given.code.clone(), given.next.clone()],
        afterwards: Afterwards::TwoCodes,
        ..RIGHT
    },
    Scenario { name: "first attempt ever", state: |_| None, ..RIGHT },
    Scenario { name: "torn first half", state: |scene| Some(torn(&scene.state().bytes())), ..RIGHT },
    Scenario { name: "remembering", service: "office", ..RIGHT },
    Scenario {
        name: "remembered",
        service: "office",
        state: |scene| Some(scene.remembered()),
        answers: |given| vec![given.wrong.clone()],
        worth: Worth::NotAsked,
        floor: 50,
        ..RIGHT
    },
    Scenario { name: "enrolled where it is optional", service: "lax", ..WRONG },
    Scenario { name: "asked for a group alone", service: "crew", ..WRONG },
    Scenario {
        name: "not enrolled where it is optional",
        service: "lax",
        user: "bob",
        normal: CredUnavail,
        worth: Worth::NotAsked,
        afterwards: Afterwards::NotEnrolled,
        floor: 40,
        ..RIGHT
    },
    Scenario {
        name: "not enrolled where it is required",
        user: "bob",
        afterwards: Afterwards::NotEnrolled,
        floor: 50,
        ..WRONG
    },
];

/// The scenario of this name.
pub(crate) fn of(name: &str) -> Scenario {
    *ALL.iter().find(|scenario| scenario.name == name).unwrap_or_else(|| panic!("no scenario {name}"))
}

/// The same state in the second half, with a first half that cannot be read.
fn torn(bytes: &[u8]) -> Vec<u8> {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let damaged: Vec<u8> = second.iter().map(|byte| !byte).collect();
    [&damaged, first].concat()
}
