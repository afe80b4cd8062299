//! The words behind the module's name in a PAM file: the one table that the module's parser and its manual page share.

/// A word that the module knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModuleArgument {
    /// `config=FILE`.
    Config,
    /// `debug`.
    Debug,
    /// `nullok`.
    Nullok,
    /// `prompt=TEXT`.
    Prompt,
    /// `noecho`.
    Noecho,
    /// `try_first_pass`.
    TryFirstPass,
    /// `use_first_pass`.
    UseFirstPass,
    /// `forward_pass`.
    ForwardPass,
    /// `require_key`.
    RequireKey,
}

impl ModuleArgument {
    /// All of them, in the order of the manual page.
    pub const ALL: [Self; 9] = [
        Self::Config,
        Self::Debug,
        Self::Nullok,
        Self::Prompt,
        Self::Noecho,
        Self::TryFirstPass,
        Self::UseFirstPass,
        Self::ForwardPass,
        Self::RequireKey,
    ];

    /// How it is written, with what its value is called.
    #[must_use]
    pub const fn spelling(self) -> &'static str {
        match self {
            Self::Config => "config=FILE",
            Self::Debug => "debug",
            Self::Nullok => "nullok",
            Self::Prompt => "prompt=TEXT",
            Self::Noecho => "noecho",
            Self::TryFirstPass => "try_first_pass",
            Self::UseFirstPass => "use_first_pass",
            Self::ForwardPass => "forward_pass",
            Self::RequireKey => "require_key",
        }
    }

    /// What it does, for the manual page.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Config => "Use this configuration, an absolute path, instead of `/etc/twinlock/config.toml`.",
            Self::Debug => "Log what the module looks at. Answers and secrets are never logged.",
            Self::Nullok => {
                "Let in users who are not enrolled, in this stack only, as `second_factor = \"optional\"` does in all. For sshd, give it to the account line as well."
            }
            Self::Prompt => {
                "Ask this instead of `prompt` of the configuration: 1 to 200 printable characters. Put brackets around a text with spaces: `[prompt=Code from the phone: ]`."
            }
            Self::Noecho => {
                "Hide the code while it is typed, as `echo = false` does. sshd's password method would answer the hidden prompt with the account password: set `PasswordAuthentication no`."
            }
            Self::TryFirstPass => {
                "Try the password that an earlier module asked for, if it looks like a code (with `forward_pass`: if a code follows it), and ask the user only if that fails. A password of 6 to 8 digits counts as an incorrect code. A recovery code is recognised only with its dashes."
            }
            Self::UseFirstPass => {
                "The same, but never ask the user: without a code in the password the login is denied. Such a login cannot succeed while two codes are required."
            }
            Self::ForwardPass => {
                "For clients that can answer only one question: ask for the password followed directly by the code, hidden, and pass the password to the modules after this one, which need `use_first_pass` or `try_first_pass`. A recovery code needs its dashes. This also works with sshd's password method. Logins are not remembered in such a stack."
            }
            Self::RequireKey => {
                "Deny the login without a question unless sshd has verified a key in it. For stacks that ask for no password: a code alone, or an exemption alone, is then never enough, whatever sshd's configuration allows."
            }
        }
    }

    /// The argument that `word` is, with its value where it has one.
    #[must_use]
    pub fn find(word: &str) -> Option<(Self, Option<&str>)> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let named = |argument: &Self| match argument.spelling().split_once('=') {
            Some((known, _)) => known == name && value.is_some(),
            None => argument.spelling() == name && value.is_none(),
        };
        Self::ALL.into_iter().find(named).map(|argument| (argument, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_with_its_value_if_it_has_one_and_not_otherwise() {
        assert_eq!(ModuleArgument::find("debug"), Some((ModuleArgument::Debug, None)));
        assert_eq!(ModuleArgument::find("prompt=a=b"), Some((ModuleArgument::Prompt, Some("a=b"))));
        assert_eq!(ModuleArgument::find("config="), Some((ModuleArgument::Config, Some(""))));
        for word in ["", "=", "prompt", "debug=", "debug=yes", "Debug", "config=FILE x".strip_prefix("config").unwrap()]
        {
            assert_eq!(ModuleArgument::find(word), None, "{word}");
        }
    }
}
