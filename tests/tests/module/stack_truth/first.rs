//! The first factor: `pam_debug.so` in its place, with every return code that libpam knows.

use twinlock_tests::PamCode;

/// What comes of a key that sshd was to verify: Twinlock's own line refuses where it verified none.
pub(crate) const KEYS: [(&str, PamCode); 2] = [("key", PamCode::Success), ("no-key", PamCode::AuthErr)];

/// Each return code, as `pam_debug.so` spells it, in the order of the numbers.
pub(crate) const CODES: [(&str, PamCode); 32] = [
    ("success", PamCode::Success),
    ("open_err", PamCode::OpenErr),
    ("symbol_err", PamCode::SymbolErr),
    ("service_err", PamCode::ServiceErr),
    ("system_err", PamCode::SystemErr),
    ("buf_err", PamCode::BufErr),
    ("perm_denied", PamCode::PermDenied),
    ("auth_err", PamCode::AuthErr),
    ("cred_insufficient", PamCode::CredInsufficient),
    ("authinfo_unavail", PamCode::AuthinfoUnavail),
    ("user_unknown", PamCode::UserUnknown),
    ("maxtries", PamCode::MaxTries),
    ("new_authtok_reqd", PamCode::NewAuthtokReqd),
    ("acct_expired", PamCode::AcctExpired),
    ("session_err", PamCode::SessionErr),
    ("cred_unavail", PamCode::CredUnavail),
    ("cred_expired", PamCode::CredExpired),
    ("cred_err", PamCode::CredErr),
    ("no_module_data", PamCode::NoModuleData),
    ("conv_err", PamCode::ConvErr),
    ("authtok_err", PamCode::AuthtokErr),
    ("authtok_recover_err", PamCode::AuthtokRecoveryErr),
    ("authtok_lock_busy", PamCode::AuthtokLockBusy),
    ("authtok_disable_aging", PamCode::AuthtokDisableAging),
    ("try_again", PamCode::TryAgain),
    ("ignore", PamCode::Ignore),
    ("abort", PamCode::Abort),
    ("authtok_expired", PamCode::AuthtokExpired),
    ("module_unknown", PamCode::ModuleUnknown),
    ("bad_item", PamCode::BadItem),
    ("conv_again", PamCode::ConvAgain),
    ("incomplete", PamCode::Incomplete),
];

/// The text of a service in which this module of the auth phase is `pam_debug.so` with this code.
pub(crate) fn replace(text: &str, module: &str, code: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(module) {
        Some((control, _)) if line.trim_start_matches('-').starts_with("auth") => {
            format!("{control}pam_debug.so auth={code}\n")
        }
        Some(_) | None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn pam_debug_returns_each_code_that_the_table_names() {
    twinlock_tests::in_world(|world| {
        world.account("alice");
        for (name, code) in CODES {
            // libpam passes PAM_IGNORE on to nobody: where all modules are ignored, it refuses.
            let expected = if code == PamCode::Ignore { PamCode::PermDenied } else { code };
            world.service("svc", &format!("auth [success=done ignore=ignore default=die] pam_debug.so auth={name}\n"));
            assert_eq!(twinlock_tests::Attempt::new("svc").user("alice").run(world).code(), expected, "{name}");
        }
    });
}
