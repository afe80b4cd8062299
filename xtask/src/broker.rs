//! twinlockd(8): its flags from the broker's own definition, which is compiled in here for this page alone.

use clap::CommandFactory;

use crate::{
    flags::{help, spelled},
    page::{Page, word},
};

#[allow(dead_code, reason = "the command describes these flags and takes none of them")]
#[path = "../../broker/src/cli.rs"]
mod cli;

const FILES: [(&str, &str); 5] = [
    (
        twinlock_login::wire::SOCKET,
        "Where it is looked for. Whoever looks goes on only if the socket, all folders above it and the process behind it are root's.",
    ),
    ("/etc/twinlock/config.toml", "The configuration, see twinlock.toml(5): `[self_service]` and `[notify]`."),
    (
        "/etc/pam.d/twinlock",
        "How the password is asked for at a first enrolment. Twinlock's own; nothing else uses it.",
    ),
    ("/var/lib/twinlock/", "The store, unless `[store] directory` names another."),
    ("twinlockd.socket, twinlockd.service", "The units of systemd, which are installed and not enabled."),
];

const DEEDS: [(&str, &str); 6] = [
    ("enroll", "A first enrolment: the password of the account or a fresh login session, as `first_enrollment` says."),
    ("enroll --replace, --add", "A new app in the place of all others, or beside them: a code or a recovery code."),
    ("recovery new", "New recovery codes: a code or a recovery code."),
    ("device rename, suspend, resume, remove", "A change of one app or token: a code or a recovery code."),
    ("remove", "No second factor any more, where no rule asks the user for one: a code or a recovery code."),
    (
        "status, device list, recovery count, verify, resync",
        "To look, to try a code, to set a clock right: nothing. A code that is tried is charged and used up as at a login.",
    ),
];

const LIMITS: [(&str, &str); 4] = [
    ("Connections", "8 of one account at once, 8 of all user numbers without an account together, and 256 in all."),
    ("Passwords", "One of a user is asked for at once, so guessing is no faster over many connections."),
    (
        "Recovery codes",
        "One set of new codes is hashed at a time on a host, with 19 MiB; others wait up to 2 minutes. Logins have a second permit.",
    ),
    (
        "Time",
        "10 seconds for the first message, and for reading what the broker says; 5 minutes for each answer of a person, 15 \
         for all of them; 10 seconds for what is being written when the broker is told to stop.",
    ),
];

pub(crate) fn page() -> String {
    let mut command = cli::BrokerCli::command();
    command.build();
    let mut page = Page::new("twinlockd", "8", "broker for second factors of users without root's rights");
    page.heading("SYNOPSIS");
    page.paragraph("`twinlockd` [`--listen` [PATH]] [`--config` FILE]");
    page.heading("DESCRIPTION");
    page.paragraph(
        "Second factors are kept where only root may read and write, and no program of Twinlock is set-user-ID. `twinlockd` \
         runs as root and listens on a Unix socket; twinlock(1), run by anybody else, asks it for what is to be done, for the \
         user's own account. Who comes is what the kernel says of the other side of the socket, and never what it says of itself.",
    );
    page.paragraph(
        "PAM hosts that do not run as root, such as screen lockers, cannot read second factors either: there pam_twinlock(8) \
         carries question and answer, and the broker makes the attempt for the account that the host runs as.",
    );
    page.paragraph(
        "With `[notify] mail`, pam_twinlock(8) also has the broker mail users who enrolled inside a login. It takes that from root alone.",
    );
    page.paragraph(
        "The socket is handed over by systemd (twinlockd.socket), or made by `--listen` under any other supervisor. The broker \
         stays in the foreground, writes to syslog, and ends on SIGTERM, after what is being written. The configuration is read \
         anew for each request; another `[store] directory` alone wants a restart. After an upgrade it is restarted: `systemctl try-restart twinlockd.service`.",
    );
    page.heading("OPTIONS");
    for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
        page.item(spelled(option), &help(option));
    }
    page.heading("WHAT USERS MAY DO");
    page.paragraph(
        "Each with what must be shown for it. `[self_service] allow` can leave less to users, and nobody but root does \
         anything for somebody else.",
    );
    for (verbs, proof) in DEEDS {
        page.item(word(verbs), proof);
    }
    page.paragraph(
        "What was proved holds for exactly the second factor that was there then. A change of it in the meantime, by \
         whomever, ends what was begun.",
    );
    page.heading("LIMITS");
    for (what, limit) in LIMITS {
        page.item(word(what), limit);
    }
    page.heading("CONFINEMENT");
    page.paragraph(
        "The broker gives up the right to gain rights (no_new_privs), and where the kernel has landlock that of writing outside \
         of the store, /run, /dev, /var/log, /var/mail and /var/spool, for itself and all that it starts. The unit of systemd \
         takes most capabilities, the network and most of the file system besides, and hides the service manager, the system bus \
         and container engines. A password is asked for in a process of its own.",
    );
    page.heading("LOG");
    page.paragraph(
        "To syslog's authpriv, as `twinlockd`. Attempts are lines as in pam_twinlock(8). A change is `change=` with what was \
         done, `user=` and `by-uid=`; lines of twinlock(1) have `by-loginuid=` as well, where somebody logged in before becoming root; a password `password=right` or `password=wrong` with the same; a mail that did not go out \
         `mail=failed`; refusals above ten and one a second of an account are counted in `not-logged=`, with `by-uid=`, but each \
         code that was charged is logged; what is the matter with the host `error=host` with `detail=`, of which the user is told only that there is something.",
    );
    page.heading("EXIT STATUS");
    page.item(word("0"), "It was told to stop.");
    page.item(word("1"), "It could not start; standard error and the log say why.");
    page.item(word("2"), "Wrong usage.");
    page.heading("FILES");
    for (path, what) in FILES {
        page.item(word(path), what);
    }
    page.heading("EXAMPLES");
    page.example("Switched on, with systemd:", "systemctl enable --now twinlockd.socket");
    page.example(
        "Under another supervisor, here runit's run file:",
        "#!/bin/sh\nexec /usr/local/sbin/twinlockd --listen",
    );
    page.example("Is it there? As a user:", "twinlock status");
    page.see_also(&["twinlock(1)", "twinlock.toml(5)", "pam_twinlock(8)", "systemd.socket(5)", "unix(7)"]);
    page.finish()
}
