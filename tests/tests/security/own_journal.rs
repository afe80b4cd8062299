//! The filter of fail2ban on a journal that a real systemd-journald wrote, which says of each line who sent it (A).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use twinlock_tests::{Attempt, in_world};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[Row {
    id: "A10",
    flaw: "fail2ban believed log lines that any account could send",
    origin: Some("Twinlock review"),
    trial: Trial::Ours(lines_of_other_accounts_ban_nobody),
}];

const ADDRESS: &str = "198.51.100.7";
const FORGED: &str = "198.51.100.9";

/// Starts a journald whose sockets and files are in a namespace of its own, has root and nobody send a line each, and
/// prints the addresses that fail2ban would count.
const SCRIPT: &str = r#"
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
/usr/lib/systemd/systemd-journald 2>/run/journald.log &
socket=/run/systemd/journal/dev-log
until [ -S "$socket" ]; do kill -0 $! || exit 9; done
logger --socket-errors=on -u "$socket" -p authpriv.notice -t sshd "$LINE"
setpriv --reuid 65534 --clear-groups logger --socket-errors=on -u "$socket" -p authpriv.notice -t sshd "$FORGED"
journalctl --sync
file=$(find /run/log/journal -name system.journal)
[ "$(journalctl --file "$file" -o cat SYSLOG_FACILITY=10 | grep -c pam_twinlock)" = 2 ] || exit 8
fail2ban-regex --config "$CONFIG" --out ip "systemd-journal[journalfiles=$file]" twinlock
"#;

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn lines_of_other_accounts_ban_nobody() -> String {
    let mut line = String::new();
    in_world(|world| {
        world.set_up("fail_delay = \"0s\"\n");
        world.account("alice");
        world.service("sshd", "auth required pam_twinlock.so\n");
        let wrong = world.enrol("alice").authenticator.wrong_code();
        Attempt::new("sshd").user("alice").rhost(ADDRESS).answer(&wrong).run(world);
        let log = world.log();
        line.push_str(&log.iter().find(|line| line.text.contains("reason=wrong-code")).unwrap().text);
    });
    let folder = Folder(env::temp_dir().join(format!("twinlock-journal-{}", process::id())));
    fs::create_dir(&folder.0).unwrap();
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/fail2ban/.");
    for from in [Path::new("/etc/fail2ban/."), &packaging] {
        assert!(
            Command::new("cp").arg("-r").arg(from).arg(&folder.0).status().unwrap().success(),
            "{}",
            from.display()
        );
    }
    let output = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", SCRIPT])
        .env("LINE", &line)
        .env("FORGED", line.replace(ADDRESS, FORGED))
        .env("CONFIG", &folder.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let counted = String::from_utf8(output.stdout).unwrap();
    assert_eq!(counted.lines().collect::<Vec<_>>(), [ADDRESS], "the line of another account counts");
    "root's line counts, nobody's does not".into()
}
