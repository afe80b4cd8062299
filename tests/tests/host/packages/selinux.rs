//! `packaging/selinux`: the reference policy's own tools compile it, and it labels the store.

use std::fs;

use crate::packages::built::{Folder, has, repository, text};

#[test]
fn the_policy_module_compiles_and_labels_the_store() {
    if !has("semodule_unpackage") {
        return;
    }
    let folder = Folder::new("selinux");
    for part in ["te", "fc", "if"] {
        let name = format!("twinlock.{part}");
        fs::copy(repository().join("packaging/selinux").join(&name), folder.0.join(&name)).unwrap();
    }
    text("make", &["-C", folder.text(), "-f", "/usr/share/selinux/devel/Makefile", "twinlock.pp"]);
    let [compiled, rules, labels] = ["pp", "mod", "labels"].map(|ending| folder.0.join(format!("twinlock.{ending}")));
    let parts = [&compiled, &rules, &labels].map(|path| path.to_str().unwrap());
    text("semodule_unpackage", &parts);
    let labels = fs::read_to_string(labels).unwrap();
    assert!(labels.contains("/var/lib/twinlock(/.*)?\t\tsystem_u:object_r:var_auth_t"), "{labels}");
}
