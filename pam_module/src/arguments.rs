//! The words behind the module's name in a PAM file. A word that is not known is refused: it was meant to do something.

use std::{ffi::CStr, path::PathBuf};

use twinlock_core::module_arguments::ModuleArgument;
use twinlock_store::config::{DEFAULT_PATH, check_prompt};

use crate::messages;

/// What the PAM file asks for.
#[derive(Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a word of the PAM file")]
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
    /// `try_first_pass`: a code that is the password of an earlier module is tried before anybody is asked.
    pub(crate) try_first_pass: bool,
    /// `use_first_pass`: the same, and nobody is asked.
    pub(crate) use_first_pass: bool,
    /// `forward_pass`: the code stands behind the password, which goes to the modules behind.
    pub(crate) forward_pass: bool,
    /// `require_key`: without a key that sshd has verified nobody is asked, and nobody passes.
    pub(crate) require_key: bool,
}

/// A word that is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadArgument {
    word: String,
    problem: String,
}

impl Arguments {
    pub(crate) fn parse(words: &[&CStr]) -> Result<Self, BadArgument> {
        let mut arguments = Self::default();
        for word in words {
            let bad =
                |problem: &str| BadArgument { word: word.to_string_lossy().into_owned(), problem: problem.to_owned() };
            let text = word.to_str().map_err(|_| bad(messages::NOT_UTF8))?;
            match ModuleArgument::find(text) {
                Some((ModuleArgument::Config, path)) => {
                    let absolute = path.filter(|path| path.starts_with('/'));
                    arguments.config = absolute.ok_or_else(|| bad(messages::RELATIVE_CONFIG))?.into();
                }
                Some((ModuleArgument::Debug, _)) => arguments.debug = true,
                Some((ModuleArgument::Nullok, _)) => arguments.nullok = true,
                Some((ModuleArgument::Prompt, text)) => {
                    let prompt = check_prompt(text.unwrap_or_default()).map_err(|problem| bad(&problem))?;
                    arguments.prompt = Some(prompt);
                }
                Some((ModuleArgument::Noecho, _)) => arguments.noecho = true,
                Some((ModuleArgument::TryFirstPass, _)) => arguments.try_first_pass = true,
                Some((ModuleArgument::UseFirstPass, _)) => arguments.use_first_pass = true,
                Some((ModuleArgument::ForwardPass, _)) => arguments.forward_pass = true,
                Some((ModuleArgument::RequireKey, _)) => arguments.require_key = true,
                None => {
                    return Err(bad(&messages::unknown_argument(&ModuleArgument::ALL.map(ModuleArgument::spelling))));
                }
            }
        }
        Ok(arguments)
    }

    /// Whether the code may come together with a password.
    pub(crate) const fn wants_first_pass(&self) -> bool {
        self.try_first_pass || self.use_first_pass || self.forward_pass
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            config: DEFAULT_PATH.into(),
            debug: false,
            nullok: false,
            prompt: None,
            noecho: false,
            try_first_pass: false,
            use_first_pass: false,
            forward_pass: false,
            require_key: false,
        }
    }
}

impl std::fmt::Display for BadArgument {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&messages::bad_argument(&self.word, &self.problem))
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
        let words = [c"config=/x", c"debug", c"nullok", c"prompt=Code: ", c"noecho", c"require_key"];
        let passes = [c"try_first_pass", c"use_first_pass", c"forward_pass"];
        let wanted = Arguments {
            config: "/x".into(),
            debug: true,
            nullok: true,
            prompt: Some("Code: ".into()),
            noecho: true,
            try_first_pass: true,
            use_first_pass: true,
            forward_pass: true,
            require_key: true,
        };
        assert_eq!(parsed(&[words.as_slice(), &passes].concat()).unwrap(), wanted);
        assert_eq!(parsed(&[]).unwrap(), Arguments::default());
        for pass in passes {
            assert!(parsed(&[pass]).unwrap().wants_first_pass());
        }
        assert!(!parsed(&words).unwrap().wants_first_pass());
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
