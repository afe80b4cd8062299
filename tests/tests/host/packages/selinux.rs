//! `packaging/selinux`: it compiles with a policy that knows the type, and labels the store.

use std::fs;

use crate::packages::built::{Folder, has, repository};

/// As much of a policy as a compiler needs, with the type that the policies of distributions have.
const POLICY: &str = "(handleunknown allow)(mls true)\
    (class file (read))(classorder (file))(sid kernel)(sidorder (kernel))\
    (sensitivity s0)(sensitivityorder (s0))\
    (user system_u)(role object_r)(role system_r)(type kernel_t)(type var_auth_t)(typeattribute cil_gen_require)\
    (userrole system_u object_r)(userrole system_u system_r)(roletype system_r kernel_t)\
    (roletype object_r var_auth_t)(userlevel system_u (s0))(userrange system_u ((s0)(s0)))\
    (sidcontext kernel (system_u system_r kernel_t ((s0)(s0))))(allow kernel_t var_auth_t (file (read)))";

#[test]
fn the_policy_module_compiles_and_labels_the_store() {
    if !has("secilc") {
        return;
    }
    let folder = Folder::new("selinux");
    let [policy, module, compiled, labels] =
        ["policy.cil", "twinlock.cil", "policy", "labels"].map(|name| folder.0.join(name).display().to_string());
    fs::copy(repository().join("packaging/selinux/twinlock.cil"), &module).unwrap();
    let compile = |base: &str| {
        fs::write(&policy, base).unwrap();
        std::process::Command::new("secilc").args(["-o", &compiled, "-f", &labels, &policy, &module]).output().unwrap()
    };
    let built = compile(POLICY);
    assert!(built.status.success(), "{built:?}");
    let labels = fs::read_to_string(&labels).unwrap();
    assert!(labels.contains("/var/lib/twinlock(/.*)?\tsystem_u:object_r:var_auth_t:s0"), "{labels}");
    let without = POLICY.replace("(type var_auth_t)", "").replace("(roletype object_r var_auth_t)", "");
    assert!(!compile(&without.replace("var_auth_t", "kernel_t")).status.success(), "a policy without the type");
}
