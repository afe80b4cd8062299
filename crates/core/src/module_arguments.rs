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
            Self::Config => "The configuration to use, an absolute path, instead of `/etc/twinlock/config.toml`.",
            Self::Debug => "Say in the log what was looked at: never an answer, never a secret.",
            Self::Nullok => {
                "Let whoever is not enrolled pass in this stack, as `second_factor = \"optional\"` does in all. It changes nothing else."
            }
            Self::Prompt => {
                "The question, instead of `prompt` of the configuration: 1 to 200 printable characters. Words with spaces stand in brackets: `[prompt=Code from the phone: ]`."
            }
            Self::Noecho => {
                "Hide the code while it is typed, as `echo = false` does. sshd's password method then answers with the account password: switch it off with `PasswordAuthentication no`."
            }
            Self::TryFirstPass => {
                "Before asking, try the password that an earlier module of the stack was given, if it looks like a code, which a recovery code does with its dashes alone (with `forward_pass`: if one stands behind it). If it is not right the user is asked. A password of 6 to 8 digits counts as a wrong code."
            }
            Self::UseFirstPass => {
                "The same, but nobody is asked: without a code in the password the login is refused. In step-up, where two codes are wanted, such a login cannot succeed."
            }
            Self::ForwardPass => {
                "For clients that can ask only once: ask for the password with the code right behind it, unseen, and give the password to the modules behind, which then need `use_first_pass` or `try_first_pass`. A recovery code stands behind the password with its dashes. sshd's password method works with it too. Nothing is remembered in such a stack."
            }
            Self::RequireKey => {
                "Refuse, and ask nobody, unless sshd has verified a key in this login (PAM_PERM_DENIED). For stacks that ask for no password: whatever sshd's configuration allows, a code alone never opens, nor does an exemption alone."
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
