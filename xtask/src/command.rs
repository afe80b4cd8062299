//! twinlock(1): what can be typed, from its one definition.

use clap::{Arg, Command};

use crate::{
    flags::{help, plain, spelled, value_name},
    page::{Page, word},
};

/// What cannot be read off the flags: examples, in the order in which one meets the verbs.
const EXAMPLES: [(&str, &str); 13] = [
    (
        "Enrol alice at a terminal: scan the picture, type a code, keep the recovery codes. Then see that it works; this uses the code up.",
        "twinlock enroll alice\ntwinlock verify alice",
    ),
    (
        "For yourself, without root's rights: a first phone, and later a new one. The old one, or a recovery code, is asked for.",
        "twinlock enroll\ntwinlock enroll --replace",
    ),
    (
        "Provision bob from a script, which hands the address and the recovery codes over. Nothing of it is shown again.",
        "twinlock enroll bob --no-confirm --json | hand-over",
    ),
    (
        "A hardware token beside the phone; its secret comes from a file and is in no argument.",
        "twinlock enroll alice --add --label token --type hotp --secret-file seed.hex",
    ),
    ("A lost phone: log in with a recovery code, then", "twinlock enroll alice --replace"),
    (
        "Who may log in without a second factor, and who of the administrators?",
        "twinlock list --without\ntwinlock list --without --group wheel",
    ),
    (
        "The same for a program: who has three or fewer recovery codes?",
        "twinlock list --json | jq -r '.[] | select(.enrolled and .recovery_codes_left <= 3) | .user'",
    ),
    ("Too many wrong codes: look at it, then help in again.", "twinlock status alice\ntwinlock unlock alice"),
    (
        "Will git be asked when it comes from the build host? And alice on the day after the roll-out?",
        "twinlock explain git --from 10.0.0.5 --key-type ssh-ed25519\ntwinlock explain alice --at 2027-02-01",
    ),
    ("A laptop was stolen whose logins were remembered:", "twinlock forget alice"),
    (
        "Switch it on for sshd: look, do it on trial, log in from another terminal, keep it.",
        "twinlock ssh plan\ntwinlock ssh enable --try 10m\ntwinlock ssh confirm",
    ),
    ("Before logging out after a change of the configuration:", "twinlock check"),
    (
        "After a change of sshd's configuration or of PAM files, and after an upgrade of the system: everybody, and alice from the office.",
        "twinlock doctor\ntwinlock doctor --user alice --from 192.0.2.7",
    ),
];

const FILES: [(&str, &str); 8] = [
    ("/etc/twinlock/config.toml", "The configuration, see twinlock.toml(5)."),
    (
        "/etc/twinlock/store-id, /var/lib/twinlock/store-id",
        "The id of the store, no secret: 32 hexadecimal digits and a newline. `twinlock store init` and root's first `enroll` or `import` write both. A user without credentials counts as not enrolled only if both are there and equal.",
    ),
    ("/run/twinlock/broker.sock", "Where twinlockd(8) listens for those who are not root."),
    ("/var/lib/twinlock/", "The store, unless `[store] directory` names another. Root's alone."),
    ("/var/lib/twinlock/credentials/", "What users hold: secrets, hashes of recovery codes. Logins never write here."),
    (
        "/var/lib/twinlock/ssh/",
        "While `twinlock ssh` has it switched on: sshd's two files as they were before (`pam.before`, `drop_in.before`) and after.",
    ),
    ("/var/lib/twinlock/state/", "What logins change: what was used, when, from where, and wrong answers."),
    (
        "/var/lib/twinlock/uid/",
        "Which users have a second factor under a uid, by which a renamed account is recognised.",
    ),
];

const STATUSES: [(&str, &str); 5] = [
    ("0", "Done."),
    ("1", "Refused or failed; the message says what, and a hint what to do."),
    ("2", "Wrong usage."),
    (
        "3",
        "Not permitted: it is for root, or the administrator leaves it to nobody, or no broker runs and you are not root.",
    ),
    ("4", "The user is not enrolled."),
];

const OUTCOMES: [(&str, &str); 4] = [
    ("passes", "Nothing is asked."),
    ("asked", "A code is asked for, or a recovery code, and a right one opens."),
    ("enrolls", "The user is not enrolled, and enrols inside the login."),
    (
        "refused",
        "The question is asked, and no answer opens: the user is not enrolled, has no code left that is looked at, or does not exist.",
    ),
];

pub(crate) fn page() -> String {
    let mut cli = twinlock_command::definition();
    cli.build();
    let mut page = Page::new("twinlock", "1", "second factors of the accounts of this host");
    page.heading("SYNOPSIS");
    page.paragraph("`twinlock` [`--config` FILE] COMMAND [ARGUMENT...]");
    page.heading("DESCRIPTION");
    page.paragraph(
        "`twinlock` gives users a second factor, shows how they stand, and helps them in again. pam_twinlock(8) asks for \
         it at the login. A user holds one or more authenticators, apps or hardware tokens, of which each opens, and \
         recovery codes, of which each opens once.",
    );
    page.paragraph(
        "USER is the account that runs the command if it is left out. Names are those of the passwd database. Results are \
         written to standard output, questions and pictures to the terminal, everything else to standard error. Secrets are \
         shown once, at enrolment, and never again.",
    );
    page.paragraph(
        "Root does everything here and now, for anybody. Anybody else has it done by the broker, twinlockd(8), where it is \
         switched on, and for the own account alone: `enroll`, `status`, `verify`, `recovery`, `device`, `resync` and `remove`. \
         A first enrolment then asks for the password of the account, or for a login of the last ten minutes; whoever is \
         enrolled shows a code or a recovery code before anything is changed. What of it is left to users is set in \
         twinlock.toml(5), `[self_service]`. `--config`, `--no-confirm`, `--secret-file` and `--secret-stdin` are for root.",
    );
    page.heading("COMMANDS");
    for verb in visible_verbs(&cli) {
        describe(&mut page, verb, "twinlock");
    }
    page.heading("OPTIONS");
    for option in cli.get_arguments().filter(|option| !option.is_hide_set()) {
        page.item(spelled(option), &help(option));
    }
    accounts_and_logins(&mut page);
    of_ssh(&mut page);
    doctor(&mut page);
    page.heading("EXIT STATUS");
    for (status, meaning) in STATUSES {
        page.item(word(status), meaning);
    }
    page.heading("ENVIRONMENT");
    page.item(word("NO_COLOR"), "If it is set and not empty, nothing is coloured (https://no-color.org).");
    page.item(word("TERM"), "On a terminal that calls itself `dumb` nothing is coloured.");
    page.heading("FILES");
    for (path, what) in FILES {
        page.item(word(path), what);
    }
    page.heading("EXAMPLES");
    for (text, typed) in EXAMPLES {
        page.example(text, typed);
    }
    page.see_also(&[
        "pam_twinlock(8)",
        "twinlock.toml(5)",
        "twinlockd(8)",
        "sshd_config(5)",
        "pam.conf(5)",
        "nsswitch.conf(5)",
    ]);
    page.finish()
}

/// What `list`, `explain` and `check` look at and print.
fn accounts_and_logins(page: &mut Page) {
    page.heading("LIST");
    page.paragraph(
        "`twinlock list` knows the accounts of /etc/passwd whose shell lets them in, that is not nologin, false, sync, halt \
         or shutdown; everybody who is enrolled; and with `--group` the members of the group. A directory (LDAP, sssd) \
         is asked for these by name and never for all it knows, as sssd.conf(5) itself advises for `enumerate`: of its \
         users who are not enrolled, only those of a named group appear. A locked password does not hide an account, \
         because a key may be all that it needs, nor does a shell that is not in /etc/shells.",
    );
    page.paragraph(
        "On a terminal the columns are aligned. Elsewhere each account is a line of seven fields between tabs, without \
         a heading: user, `enrolled`, `WITHOUT` or an error, labels, last use (RFC 3339, UTC), where from, recovery codes \
         left, and `normal`, `step-up` or `disabled`. `-` stands where there is nothing to say: no use yet, or a use from \
         the host itself. An address with `(claimed)` behind it is the word of the user's own program. A use of a recovery code is not a use of an authenticator. A user whose files cannot be read is \
         shown with the error whatever is asked for, and the exit status is 1.",
    );
    page.paragraph(
        "With `--json` each account is an object: user, uid, enrolled, authenticators (as in `twinlock status --json`), \
         last_used, last_from, recovery_codes_left, throttle, error. `last_from_claimed`, there and in authenticators, is true \
         where last_from is the word of the user's own program (of a host that is not root's, such as a screen locker), and \
         left out elsewhere. Where error is not null, enrolled, recovery_codes_left \
         and throttle are.",
    );
    page.heading("EXPLAIN");
    page.paragraph(
        "`twinlock explain` asks what the module asks: the rules of the configuration for this user, service, source, key \
         and time, what the service's PAM file says behind pam_twinlock.so, and how the user stands. It asks nobody else, \
         so it can be run for a login that never was. The outcome is one of four:",
    );
    for (outcome, meaning) in OUTCOMES {
        page.item(word(outcome), meaning);
    }
    page.paragraph(
        "A source that is no address is taken as the module takes it: it is in no network, and of what the rules could mean \
         the strictest holds, which is then said. `guard`, and `key_alone` of `--json`, tell what becomes of a login by key \
         alone, of which sshd shows PAM no key. An account that does not exist is explained, too, and the exit status is 1.",
    );
    page.paragraph(
        "With `--json` all fields are always there. rule is null where no rule fits; remember, doubt, from and key_type are \
         null where there is none; enrolled is null where the user's files cannot be read; notes are sentences for people.",
    );
    page.heading("CHECK");
    page.paragraph(
        "`twinlock check` names each problem with its file and line, and what to do. Any problem makes the exit status 1, \
         also one that harms nobody yet: a rule whose last day is over, one in the shadow of another, or one with a name \
         that does not exist on this host was meant to decide something. Where one configuration serves many hosts, let its rules \
         name groups that all of them have.",
    );
    page.paragraph(
        "Of PAM files it looks at those of services that run their account phase without the auth phase (cron, crond, atd, \
         systemd-user, su, su-l, runuser, runuser-l, sudo, sudo-i, polkit-1) with all that they include: an account line of \
         pam_twinlock.so there refuses whom nobody asked. And of sshd's, where users are to enrol inside the login: it needs that line.",
    );
}

fn of_ssh(page: &mut Page) {
    page.heading("SSH");
    page.paragraph(
        "`twinlock ssh enable` changes two files: /etc/ssh/sshd_config.d/00-twinlock.conf, which comes before all others, and \
         /etc/pam.d/sshd, of which the line that asks for the password goes (`key+code`) or stays (`password+code`) and to which \
         the lines of pam_twinlock.so are added. It knows the files of Debian, RHEL, SUSE and their relatives by what is in \
         them, and leaves alone what it does not know. What sshd would not take (`sshd -t`) is not put in place.",
    );
    page.paragraph(
        "It is refused where nobody with administrator rights is enrolled: a member of sudo, wheel or admin, or root if \
         `PermitRootLogin yes` lets root answer. It is refused where codes would be the only way in for administrators: one \
         needs a password for the console (the service login, without pam_twinlock.so), or a rule that spares one the code. It is \
         refused where another file of sshd's configuration would overrule this one.",
    );
    page.paragraph(
        "And it is refused, unless `--deny-unenrolled` is given, where accounts can log in today and would be denied: policy \
         requires a code and they are not enrolled. `plan`, `enable` and `confirm` count these accounts and name the first of \
         them. An account counts if its shell and sshd's lists let it log in, if it has not expired, and if it has a key or \
         a password that sshd takes today. A rule by `from` or `key_types` is judged for a login from outside by a key of \
         another kind. Users of a directory (LDAP, SSSD) who are not enrolled are not looked for: use \
         `twinlock list --without --group` for them. `confirm` warns, and keeps what was enabled. \
         `plan` and `enable` also name accounts that have no key (`key+code`) or no password (`password+code`), and will be denied \
         whether they are enrolled or not; `enable` only warns of them, because many have a password for the console alone.",
    );
    page.paragraph(
        "A trial ends after the span of `--try` in a process that outlives the session, or in a timer of systemd. A reboot ends it, too: by a \
         unit before sshd starts, or without systemd at the next `twinlock ssh`. Everything is then as it was before. Where that unit \
         cannot write (a full or read-only disk, an immutable file), it fails after two tries, sshd starts under the configuration on \
         trial, and twinlock-ssh-rollback-retry.service goes on trying every ten seconds and logs each failure. Interrupted at any point, the host has its old \
         configuration or its new one, and the next `twinlock ssh` puts back the old one if nobody was told of the new. `disable` \
         brings back content, mode and owner; with `--discard-changes` also over what was changed since.",
    );
}

/// What `twinlock doctor` looks at, and the names of what it finds.
fn doctor(page: &mut Page) {
    page.heading("DOCTOR");
    page.paragraph(
        "`twinlock doctor` looks at what is around Twinlock, as `twinlock check` looks at its own files: what `sshd -t` and \
         `sshd -T` say for root, for somebody who is enrolled, for somebody who is not, and for whoever a Match line or a rule \
         names; the PAM files of sshd with all that they include, walked as libpam walks them, for every way in which a login \
         can succeed; the module, the store, the clock and the accounts. It changes no configuration and \
         logs nobody in; where sshd is started by its socket it makes /run/sshd, without which sshd judges no configuration. It does \
         not load the module. Where SELinux enforces it reads the labels of the store, and no others.",
    );
    page.paragraph(
        "Each finding has a name, how bad it is (`lockout`: somebody does not get in; `open`: somebody gets in with one factor; \
         `warning`: it will be one of these; `hint`), what was found and where, why it matters, and what to do. The exit status \
         is 1 if there is one above a hint. With `--json` each is an object: id, severity, found, place, why, mend; place is \
         null where there is none. The names and severities are stable, the sentences are not:",
    );
    for (id, about) in twinlock_command::doctor_checks() {
        page.item(word(id), about);
    }
}

/// The verbs that are for people.
fn visible_verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

fn describe(page: &mut Page, verb: &Command, above: &str) {
    let name = format!("{above} {}", verb.get_name());
    let about = verb.get_about().map(plain).unwrap_or_default();
    if verb.has_subcommands() {
        for below in visible_verbs(verb) {
            describe(page, below, &name);
        }
        return;
    }
    let arguments: Vec<&Arg> =
        verb.get_arguments().filter(|argument| !argument.is_hide_set() && !argument.is_global_set()).collect();
    let own: Vec<&Arg> = arguments
        .into_iter()
        .filter(|argument| argument.get_id() != "help" && argument.get_id() != "version")
        .collect();
    let mut usage = name;
    for position in own.iter().filter(|argument| argument.is_positional()) {
        usage = usage + " " + &usage_of(position);
    }
    if own.iter().any(|argument| !argument.is_positional()) {
        usage.push_str(" [OPTION...]");
    }
    page.subheading(&usage);
    page.paragraph(&format!("{about}."));
    for argument in own {
        page.item(spelled(argument), &help(argument));
        let values: Vec<_> = argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect();
        if argument.get_action().takes_values() && values.iter().any(|value| value.get_help().is_some()) {
            page.inner(|page| {
                for value in values {
                    page.item(word(value.get_name()), &value.get_help().map(plain).unwrap_or_default());
                }
            });
        }
    }
}

fn usage_of(position: &Arg) -> String {
    let name = value_name(position);
    let several = if position.get_num_args().is_some_and(|range| range.max_values() > 1) { "..." } else { "" };
    if position.is_required_set() { format!("{name}{several}") } else { format!("[{name}]{several}") }
}
