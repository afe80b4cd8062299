//! What users read of the command when they look after their own second factor, in their language: what was done, and what was
//! refused and why. The catalogues are those of logins.

use twinlock_core::{
    catalogue::{UserText, definitions},
    texts,
};

texts! {
    /// A text of self-service.
    SelfServiceText:
    AskAdministrator, "ask-administrator", "ask your administrator";
    AdminsEnrol, "admins-enrol", "not permitted: on this host only an administrator can enrol an account";
    AdminsEnrolFirst, "admins-enrol-first", "not permitted: on this host only an administrator can enrol an account for the first time";
    AdminsAdd, "admins-add", "not permitted: on this host only an administrator can add a device";
    AdminsReplace, "admins-replace", "not permitted: on this host only an administrator can replace a second factor";
    AdminsRenew, "admins-renew", "not permitted: on this host only an administrator can make new recovery codes";
    AdminsChange, "admins-change", "not permitted: on this host only an administrator can change a device";
    AdminsRemove, "admins-remove", "not permitted: on this host only an administrator can remove a second factor";
    SecondFactorRequired, "second-factor-required", "not permitted: this host requires a second factor for your account";
    ReplaceInstead, "replace-instead", "`twinlock enroll --replace` sets up a new one in its place";
    ProofTooNew, "proof-too-new", "not permitted: this code does not end the notices, because it may come from one of the changes that they report";
    OlderProof, "older-proof", "use a code of an app that you had before the changes, or ask your administrator; notices end after a week";
    NotYours, "not-yours", "not permitted: only root can do this for another account";
    WithoutUserName, "without-user-name", "run the command without a user name, or as root";
    NoSession, "no-session", "not permitted: you can enrol only from a login session, and this host does not recognise yours";
    OldSession, "old-session", "not permitted: you can enrol only within ten minutes of logging in";
    LogInAgain, "log-in-again", "log in again, and run `twinlock enroll` within ten minutes";
    PasswordNotAccepted, "password-not-accepted", "the password was not accepted";
    AccountPassword, "account-password", "enter the password of your account on this host; if you have none, ask your administrator to enrol you";
    NotEnrolled, "not-enrolled", "{user} is not enrolled";
    EnrolFirst, "enrol-first", "enrol the account with `twinlock enroll {user}`";
    NotConfirmed, "not-confirmed", "not confirmed, so nothing was changed";
    AtHand, "at-hand", "run the command again when you have the phone and the codes at hand";
    AlreadyEnrolled, "already-enrolled", "{user} is already enrolled";
    AddOrReplace, "add-or-replace", "--add adds another device, --replace replaces the present second factor";
    ChangedMeanwhile, "changed-meanwhile", "another command changed the second factor of {user} in the meantime; nothing was changed";
    SeeStatus, "see-status", "see `twinlock status {user}`, then run the command again";
    NoSuchDevice, "no-such-device", "{user} has no device with this id or label";
    SeveralDevices, "several-devices", "several devices of {user} have this label";
    LabelTaken, "label-taken", "{user} already has a device with this label, or with one that looks the same";
    LastDevice, "last-device", "this is the only device of {user}";
    TooManyDevices, "too-many-devices", "{user} already has {count} devices, which is the limit";
    ListDevices, "list-devices", "`twinlock device list {user}` shows the devices with their ids and labels";
    UseId, "use-id", "use the id instead: `twinlock device list {user}` shows the devices with their ids and labels";
    OtherLabel, "other-label", "choose another label: `twinlock device list {user}` shows the devices with their ids and labels";
    RemoveDeviceFirst, "remove-device-first", "remove one first: `twinlock device list {user}` shows the devices with their ids and labels";
    RemoveAltogether, "remove-altogether", "`twinlock remove {user}` removes the second factor altogether";
    NotChecked, "not-checked", "too many incorrect codes: this one was not checked, try again in {seconds} seconds";
    NotCheckedOne, "not-checked-1", "too many incorrect codes: this one was not checked, try again in 1 second";
    NoCode, "no-code", "no code was entered";
    EnterCode, "enter-code", "enter the code at the prompt, or pipe it into stdin";
    OtherTime, "other-time", "that code is not valid now: the clocks of the phone and of this host differ by {seconds} seconds";
    OtherTimeOne, "other-time-1", "that code is not valid now: the clocks of the phone and of this host differ by {seconds} second";
    SetClock, "set-clock", "set the clock that is wrong; if that is not possible, run `twinlock resync {user}`";
    IncorrectCode, "incorrect-code", "that code is not valid: it matches neither the app right now nor a recovery code";
    IncorrectTokenCode, "incorrect-token-code", "that code is not valid: it is neither one of the token's next codes nor a recovery code";
    IncorrectAnyCode, "incorrect-any-code", "that code is not valid: it matches no device right now and no recovery code";
    AutomaticTime, "automatic-time", "check that the phone and this host set their time automatically";
    PressedOften, "pressed-often", "if the button of the token was pressed many times without a login, run `twinlock resync {user}`";
    TimeOrPressed, "time-or-pressed", "check that the phone and this host set their time automatically; if the button of the token was pressed many times without a login, run `twinlock resync {user}`";
    UsedCode, "used-code", "that code has been used already";
    WaitForNext, "wait-for-next", "wait for the next code";
    PressForNext, "press-for-next", "press the button of the token for the next code";
    WaitOrPress, "wait-or-press", "wait for the next code of the phone, or press the button of the token";
    NotConsecutive, "not-consecutive", "the second code does not follow the first";
    TwoConsecutive, "two-consecutive", "enter two consecutive codes; or root runs `twinlock unlock {user}`, and one is enough again";
    ResyncApp, "resync-app", "those are not two consecutive codes from within ten minutes of this host's time";
    ResyncAppHint, "resync-app-hint", "set the phone to automatic date and time, enter one code, wait for the next one and enter that";
    ResyncToken, "resync-token", "those are not two consecutive codes among the next hundred of the token";
    ResyncTokenHint, "resync-token-hint", "press the button twice and enter the two codes in that order; a token that is further ahead has to be enrolled again, with --counter";
    ResyncAny, "resync-any", "those are not two consecutive codes of one device";
    ResyncAnyHint, "resync-any-hint", "enter two codes of the same device, one after the other; set a phone to automatic date and time first";
    NotACode, "not-a-code", "that is not a code: codes have 6 to 8 digits, recovery codes 16 letters and digits";
    NotCounted, "not-counted", "it was not counted as a failure; enter the code again";
    CodesDisabled, "codes-disabled", "codes of {user} are disabled after too many failures; recovery codes still work";
    RootUnlocks, "root-unlocks", "root can enable them again with `twinlock unlock {user}`";
    NoTerminalToEnrol, "no-terminal-to-enrol", "cannot enrol {user}: there is no terminal";
    NoTerminalForRecovery, "no-terminal-for-recovery", "cannot show new recovery codes of {user}: there is no terminal";
    TerminalOrJson, "terminal-or-json", "connect with `ssh -t`; in scripts, use --no-confirm --json";
    NoTerminalForCodes, "no-terminal-for-codes", "cannot ask for a code: there is no terminal";
    TerminalOrStdin, "terminal-or-stdin", "connect with `ssh -t`, or pipe the code into stdin, one code a line";
    NoTerminalToRemove, "no-terminal-to-remove", "cannot ask whether to remove the second factor of {user}: there is no terminal";
    RemoveUnasked, "remove-unasked", "use --yes to remove it without a question";
    NoBroker, "no-broker", "not permitted: only root can do this, because the broker (twinlockd) is not running";
    StartBroker, "start-broker", "ask your administrator to start the broker, with `systemctl enable --now twinlockd.socket`, or to run this command";
    RootOnly, "root-only", "not permitted: only root can do this";
    SudoOrAsk, "sudo-or-ask", "run the command with sudo, or ask your administrator";
    DoneEnrolled, "done-enrolled", "Done: {user} now has a second factor. Try it with `twinlock verify {user}`.";
    DoneRenewed, "done-renewed", "Done: the new recovery codes of {user} are valid, and the old ones no longer work.";
    DoneRenamed, "done-renamed", "{user}: renamed {device}";
    DoneSuspended, "done-suspended", "{user}: suspended {device}";
    DoneResumed, "done-resumed", "{user}: resumed {device}";
    DoneRemoved, "done-removed", "{user}: removed {device}";
    NoneActive, "none-active", "{user} has no active device left: only recovery codes are accepted until you resume one that `twinlock device list {user}` shows";
    DoneAcknowledged, "done-acknowledged", "the next login of {user} reports nothing that happened until now";
    WithoutLogsIn, "without-logs-in", "Without a second factor, {user} logs in with the first factor alone.";
    WithoutDenied, "without-denied", "Without a second factor, {user} cannot log in until enrolled again.";
    WithoutEnrols, "without-enrols", "Without a second factor, {user} enrols again at the next login.";
    UnlessRule, "unless-rule", "A rule may decide otherwise.";
    RemoveConfirm, "remove-confirm", "Remove the second factor of {user}? Type {yes}:";
    Yes, "yes", "yes";
    NotRemoved, "not-removed", "not confirmed, so {user} keeps the second factor";
    TypeYes, "type-yes", "type the word {yes} to confirm, or use --yes";
    FactorRemoved, "factor-removed", "{user}: second factor removed.";
    NothingToRemove, "nothing-to-remove", "there is nothing to remove";
    CodeCorrect, "code-correct", "correct: the code is now used up; the next login needs a new one";
    RecoveryCodeCorrect, "recovery-code-correct", "correct: this recovery code is now used up; {count} left";
    Resynced, "resynced", "correct: codes of this device are accepted again";
    RecoveryCodesOf, "recovery-codes-of", "{count} of {all} left";
}

/// Key and English of every text that a catalogue has.
#[must_use]
pub fn all_texts() -> Vec<(&'static str, &'static str)> {
    [definitions::<UserText>(), definitions::<SelfServiceText>()].concat()
}
