//! Somebody who talks with the broker in frames: sees a request through, question by question.

use serde_json::{Value, json};
use twinlock_tests::{Account, Authenticator, Caller, Frame, PASSWORD, Raw, World, recovery_codes_in};

/// What the questions are answered with. What is not here is not answered, and ends the talk.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) password: Option<String>,
    /// What shows whose second factor it is.
    pub(crate) code: Option<String>,
    /// A code of the new app, and a new recovery code.
    pub(crate) confirms: bool,
}

impl Given {
    /// All that a first enrolment wants.
    pub(crate) fn password() -> Self {
        Self { password: Some(PASSWORD.into()), code: None, confirms: true }
    }

    /// All that a change wants.
    pub(crate) fn code(code: &str) -> Self {
        Self { password: None, code: Some(code.into()), confirms: true }
    }
}

/// How a talk stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A question.
    Asked(String),
    /// It was done.
    Done(Value),
    /// It was not done: kind and message.
    Refused(String, String),
    /// Nobody is there any more.
    Gone,
}

/// A request under way.
pub(crate) struct Talk {
    raw: Raw,
    given: Given,
    /// The new app, once it was shown.
    pub(crate) app: Option<Authenticator>,
    /// The new recovery codes, once they were shown.
    pub(crate) recovery: Vec<String>,
    /// All that was told.
    pub(crate) told: String,
    /// How many questions came.
    pub(crate) asked: usize,
}

/// A wish for an authenticator in this place.
pub(crate) fn enroll(place: &str) -> Value {
    json!({ "enroll": {
        "place": place, "label": if place == "beside" { "tablet" } else { "phone" }, "issuer": null, "confirm": "ask",
        "parameters": { "algorithm": "sha1", "digits": 6, "factor": { "time": { "period": 30 } } },
    } })
}

/// New recovery codes.
pub(crate) fn renew() -> Value {
    json!({ "renew-recovery": "ask" })
}

impl Talk {
    /// Sends the request.
    pub(crate) fn begin(raw: Raw, request: &Value, given: Given) -> Self {
        let mut talk = Self { raw, given, app: None, recovery: vec![], told: String::new(), asked: 0 };
        let envelope = json!({ "version": 1, "user": null, "request": request });
        talk.raw.say('R', envelope.to_string().as_bytes());
        talk
    }

    /// Hears until there is a question, or an end.
    pub(crate) fn next(&mut self) -> Turn {
        loop {
            let Some(Frame { kind, content }) = self.raw.hear() else { return Turn::Gone };
            let text = String::from_utf8_lossy(&content).into_owned();
            let json = || serde_json::from_str::<Value>(&text).unwrap();
            match kind {
                'T' => {
                    self.recovery.extend(recovery_codes_in(&text));
                    self.told += &text;
                }
                'I' => self.app = Some(Authenticator::from_uri(json()["uri"].as_str().unwrap())),
                'Q' | 'H' => {
                    self.asked += 1;
                    return Turn::Asked(text);
                }
                'D' => return Turn::Done(json()),
                'F' => {
                    let word = |key: &str| json()[key].as_str().unwrap().to_owned();
                    return Turn::Refused(word("cause"), word("message"));
                }
                other => panic!("out of place: {other} {text}"),
            }
        }
    }

    /// The right answer to a question; `None` if nothing was given for it.
    pub(crate) fn answer_to(&self, question: &str) -> Option<String> {
        if question.to_lowercase().contains("password") {
            self.given.password.clone()
        } else if question.starts_with("To confirm your identity") || question.starts_with("Verification code") {
            self.given.code.clone()
        } else if !self.given.confirms {
            None
        } else if question.contains("app shows now") {
            self.app.as_ref().map(|app| app.code_at(app.now_step()))
        } else if question.contains("Enter one of these codes") {
            self.recovery.last().cloned()
        } else {
            panic!("nobody asks that: {question}")
        }
    }

    /// Types something.
    pub(crate) fn type_in(&mut self, answer: &str) {
        self.raw.say('A', answer.as_bytes());
    }

    /// Answers questions until this one comes, which stays open.
    pub(crate) fn until(mut self, wanted: &str) -> Self {
        loop {
            match self.next() {
                Turn::Asked(question) if question.contains(wanted) => return self,
                Turn::Asked(question) => {
                    let answer = self.answer_to(&question).unwrap_or_else(|| panic!("nothing given for {question}"));
                    self.type_in(&answer);
                }
                end @ (Turn::Done(_) | Turn::Refused(..) | Turn::Gone) => panic!("{wanted:?} was never asked: {end:?}"),
            }
        }
    }

    /// The same from an open question on.
    pub(crate) fn until_last(mut self, open: &str, wanted: &str) -> Self {
        let answer = self.answer_to(open).unwrap();
        self.type_in(&answer);
        self.until(wanted)
    }

    /// Answers everything to the end.
    pub(crate) fn finish(&mut self) -> Turn {
        loop {
            match self.next() {
                Turn::Asked(question) => match self.answer_to(&question) {
                    Some(answer) => self.type_in(&answer),
                    None => self.raw.say('X', b""),
                },
                end @ (Turn::Done(_) | Turn::Refused(..) | Turn::Gone) => return end,
            }
        }
    }

    /// Answers the open question rightly, and everything after it.
    pub(crate) fn finish_with(&mut self, question: &str) -> Turn {
        let answer = self.answer_to(question).unwrap();
        self.type_in(&answer);
        self.finish()
    }
}

/// A whole request of a user.
pub(crate) fn perform(world: &World, account: &Account, request: &Value, given: Given) -> Turn {
    perform_by(&world.caller(account.uid), request, given)
}

/// The same, by a caller that is there already.
pub(crate) fn perform_by(caller: &Caller, request: &Value, given: Given) -> Turn {
    Talk::begin(caller.connect(), request, given).finish()
}

impl Turn {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    /// The message of a refusal.
    pub(crate) fn refusal(&self) -> &str {
        match self {
            Self::Refused(_, message) => message,
            other @ (Self::Asked(_) | Self::Done(_) | Self::Gone) => panic!("not refused: {other:?}"),
        }
    }
}
