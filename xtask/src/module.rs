//! `pam_twinlock(8)`: its arguments and reasons from core's tables.

use twinlock_core::{audit::Reason, module_arguments::ModuleArgument};

use crate::page::{Page, word, word_and_value};

/// What the module returns; one table in `pam_module/src/returns.rs` decides it, and a test compares the two.
const RETURNS: [(&str, &str); 11] = [
    (
        "PAM_SUCCESS",
        "A right code of now, or a right recovery code, not used before; that it is used up is on the disk.",
    ),
    (
        "PAM_IGNORE",
        "Nobody is asked: `second_factor` is \"skip\", or it is \"optional\" and the user is not enrolled. Put pam_permit(8) behind the module, as the shipped stacks do.",
    ),
    ("PAM_AUTH_ERR", "A wrong or used code, one too soon, something that is no code, a user without a second factor."),
    (
        "PAM_PERM_DENIED",
        "In the account phase: this login verified no code, and one is required. In the auth phase: `require_key`, and sshd has verified no key.",
    ),
    ("PAM_USER_UNKNOWN", "There is no such account. The question was asked all the same."),
    ("PAM_AUTHINFO_UNAVAIL", "The configuration or the store cannot be used."),
    ("PAM_CONV_ERR", "The application or the client gave no answer."),
    ("PAM_BUF_ERR", "The application had no memory for the question."),
    ("PAM_INCOMPLETE", "The application wants to be called again."),
    ("PAM_SYSTEM_ERR", "The host failed the module, or the module has a bug."),
    ("PAM_CRED_ERR", "From pam_setcred(3) alone: an enrolment inside the login could not be stored."),
];

const KEYS: [(&str, &str); 11] = [
    ("result", "`granted` or `refused`."),
    ("reason", "Why it was refused, see below."),
    ("user", "The account."),
    ("method", "`totp`, `hotp` or `recovery`."),
    ("authenticator", "The id of the one that was used, as `twinlock device list` shows it."),
    ("service", "The PAM service."),
    ("rhost", "Where from, as the application says."),
    ("failures", "Wrong answers in a row, this one included."),
    (
        "claimed",
        "Only in lines of twinlockd(8), of hosts that are not root's: `service,rhost`, both of which are the word of the \
         user's own program.",
    ),
    ("clock-offset", "Only where it is known: by how many seconds a clock is off."),
    (
        "detail",
        "Only where there is more to say: what is broken and what to do, which rule asked nobody, what was enrolled.",
    ),
];

pub(crate) fn page() -> String {
    let mut page = Page::new("pam_twinlock", "8", "PAM module that asks for a second factor");
    page.heading("SYNOPSIS");
    let arguments = ModuleArgument::ALL.map(|argument| format!("[{}]", argument.spelling())).join(" ");
    page.paragraph(&format!("`pam_twinlock.so` {arguments}"));
    page.heading("DESCRIPTION");
    page.paragraph(
        "In the auth phase, behind the first factor, the module asks one question, the same for everybody, known or not, \
         enrolled or not. It accepts the code that an authenticator of the user shows now, or one of the user's recovery \
         codes, and each of them once. Spaces and dashes in the answer do not count.",
    );
    page.paragraph(
        "After a few wrong codes in a row two consecutive codes are asked for, and after many the authenticator is disabled \
         until `twinlock unlock`; recovery codes still work then. twinlock.toml(5) has the numbers.",
    );
    page.paragraph(
        "In the account phase the module is a guard: logins by key alone pass the auth phase by, and it stops those that \
         verified no code where one is required. Every error denies. Nothing is done in the session and password phases.",
    );
    page.paragraph(
        "Where policy says \"enroll\", users who are not enrolled enrol inside the login. The account phase keeps the enrolment \
         in the store, and pam_setcred(3), which applications call when the whole login has passed, makes it count. It needs \
         both lines of the module, `auth` and `account`. A login that is refused in between, by another account module or by \
         a method of sshd that comes later, enrols nobody.",
    );
    page.paragraph(
        "In a host that does not run as root (a screen locker, a web server) the module cannot read second factors. It then has \
         the broker, twinlockd(8), make the attempt, for the account that the host runs as and for no other; without a broker \
         nobody gets in there, but where policy asks nobody.",
    );
    page.paragraph(
        "For a week after a change of a second factor, every login that is granted tells of it, so that the owner learns what \
         somebody else did. After several changes it names the gravest, and says how many others there were.",
    );
    page.heading("OPTIONS");
    page.paragraph(
        "A word that the module does not know is refused, and with it the login: it was meant to do something.",
    );
    page.paragraph(
        "On an account line only `config=`, `debug` and `nullok` do anything: the guard asks nothing. The others are for the \
         auth line.",
    );
    for argument in ModuleArgument::ALL {
        let term = match argument.spelling().split_once('=') {
            Some((name, value)) => word_and_value(name, "=", value),
            None => word(argument.spelling()),
        };
        page.item(term, argument.help());
    }
    page.heading("MODULE TYPES PROVIDED");
    page.paragraph("`auth` and `account`. `session` and `password` are answered by PAM_IGNORE.");
    page.heading("RETURN VALUES");
    for (code, meaning) in RETURNS {
        page.item(word(code), meaning);
    }
    page.heading("LOG");
    page.paragraph(
        "One line an attempt, to syslog's authpriv, with these keys in this order. `-` stands where there is nothing to say; what \
         comes from outside is cut and percent-escaped. Codes and secrets are never logged.",
    );
    for (key, meaning) in KEYS {
        page.item(word_and_value(key, "=", ""), meaning);
    }
    page.paragraph(
        "An enrolment inside a login has one more line, `change=enrolled` with `user=`, `by-uid=`, `service=` and `rhost=`.",
    );
    page.subheading("Reasons");
    for reason in Reason::ALL {
        page.item(word(reason.name()), reason.meaning());
    }
    page.heading("FILES");
    page.item(word("/etc/twinlock/config.toml"), "The configuration, see twinlock.toml(5).");
    page.item(
        word("/usr/local/share/twinlock/pam.d/"),
        "Whole stacks for sshd, with comments, under the prefix of the installation.",
    );
    page.heading("EXAMPLES");
    page.example(
        "/etc/pam.d/sshd for a key and a code, on Debian. sshd has checked the key; the module asks for the code. sshd_config(5) \
         needs `AuthenticationMethods publickey,keyboard-interactive`.",
        "auth     required  pam_twinlock.so\nauth     required  pam_permit.so\naccount  required  pam_twinlock.so\n@include common-account",
    );
    page.example(
        "A password, then a code, in another service:",
        "@include common-auth\nauth     required  pam_twinlock.so\naccount  required  pam_twinlock.so\n@include common-account",
    );
    page.example(
        "In this stack alone, who is not enrolled passes, and the question is another one:",
        "auth     required  pam_twinlock.so nullok [prompt=Code from your phone: ]\nauth     required  pam_permit.so",
    );
    page.see_also(&["twinlock(1)", "twinlock.toml(5)", "twinlockd(8)", "pam(8)", "pam.conf(5)", "sshd_config(5)"]);
    page.finish()
}
