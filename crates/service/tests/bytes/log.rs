//! The lines of the log.

use std::fmt::Write as _;

use twinlock_core::{
    audit::{AuditLine, Reason, enrolled_in_login},
    notice::Change,
};

use super::compare_made;

#[test]
fn every_reason_and_every_change_is_logged_as_it_was_recorded() {
    let mut log = String::new();
    let granted = AuditLine {
        refused: None,
        emergency: false,
        user: Some("alice"),
        method: Some("totp"),
        authenticator: Some("k3v9q2"),
        service: Some("sshd"),
        rhost: Some("192.0.2.7"),
        failures: Some(0),
        claimed: true,
        clock_offset: Some(-180),
        disables: true,
        detail: Some("what \"is\" broken"),
    };
    let emergency = AuditLine { emergency: true, ..AuditLine::default() };
    writeln!(log, "{granted}\n{}\n{emergency}", AuditLine::default()).unwrap();
    for reason in Reason::ALL {
        writeln!(log, "{}", AuditLine { refused: Some(reason), ..AuditLine::default() }).unwrap();
    }
    writeln!(log, "{}", enrolled_in_login("alice", 1001, "sshd", Some("192.0.2.7"))).unwrap();
    writeln!(log, "{}", enrolled_in_login("alice", 1001, "login", None)).unwrap();
    let changes = [
        Change::Enrolled,
        Change::DeviceAdded,
        Change::Replaced,
        Change::RecoveryRenewed,
        Change::RecoveryIssued,
        Change::DeviceRenamed,
        Change::DeviceSuspended,
        Change::DeviceResumed,
        Change::DeviceRemoved,
        Change::Removed,
        Change::Resynced,
        Change::Unlocked,
        Change::Acknowledged,
    ];
    for change in changes {
        writeln!(log, "change={}", change.name()).unwrap();
    }
    compare_made("log.txt", log.as_bytes());
}
