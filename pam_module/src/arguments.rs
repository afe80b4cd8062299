//! The words behind the module's name in a PAM file. A word that is not known is refused: it was meant to do something.

use std::{ffi::CStr, path::PathBuf};

use twinlock_core::config::{DEFAULT_PATH, check_prompt};

/// What the PAM file asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// `config=FILE`.
    pub(crate) config: PathBuf,
    /// `debug`: says in the log what was looked at. Never an answer.
    pub(crate) debug: bool,
    /// `nullok`: who is not enrolled passes in this stack.
    pub(crate) nullok: bool,
    /// `prompt=TEXT`.
    pub(crate) prompt: Option<String>,
    /// `noecho`.
    pub(crate) noecho: bool,
}

/// A word that is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadArgument {
    word: String,
    problem: String,
}

impl Arguments {
    pub(crate) fn parse(words: &[&CStr]) -> Result<Self, BadArgument> {
        let mut arguments =
            Self { config: DEFAULT_PATH.into(), debug: false, nullok: false, prompt: None, noecho: false };
        for word in words {
            let bad =
                |problem: &str| BadArgument { word: word.to_string_lossy().into_owned(), problem: problem.to_owned() };
            let text = word.to_str().map_err(|_| bad("not UTF-8"))?;
            match text.split_once('=') {
                None if text == "debug" => arguments.debug = true,
                None if text == "nullok" => arguments.nullok = true,
                None if text == "noecho" => arguments.noecho = true,
                Some(("config", path)) if path.starts_with('/') => arguments.config = path.into(),
                Some(("config", _)) => return Err(bad("config= wants an absolute path")),
                Some(("prompt", text)) => {
                    arguments.prompt = Some(check_prompt(text).map_err(|problem| bad(&problem))?);
                }
                None | Some(_) => {
                    return Err(bad("known are config=FILE, debug, nullok, prompt=TEXT and noecho"));
                }
            }
        }
        Ok(arguments)
    }
}

impl std::fmt::Display for BadArgument {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "the argument `{}` of pam_twinlock.so is refused: {}; mend the file in /etc/pam.d",
            self.word, self.problem
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&CStr]) -> Result<Arguments, BadArgument> {
        Arguments::parse(words)
    }

    #[test]
    fn every_known_word_does_its_own_thing() {
        let all = parsed(&[c"config=/x", c"debug", c"nullok", c"prompt=Code: ", c"noecho"]).unwrap();
        let wanted =
            Arguments { config: "/x".into(), debug: true, nullok: true, prompt: Some("Code: ".into()), noecho: true };
        assert_eq!(all, wanted);
        let none = Arguments { config: DEFAULT_PATH.into(), debug: false, nullok: false, prompt: None, noecho: false };
        assert_eq!(parsed(&[]).unwrap(), none);
    }

    #[test]
    fn everything_else_is_refused() {
        for word in [
            c"nulok",
            c"NULLOK",
            c"nullok=yes",
            c"config",
            c"config=",
            c"config=x",
            c"prompt",
            c"prompt=",
            c"prompt=a\nb",
            c"",
            c"=",
            c"secret=/x",
            c"\xff",
        ] {
            assert!(parsed(&[c"debug", word]).is_err(), "{word:?}");
        }
    }
}
