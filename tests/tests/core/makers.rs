//! The makers of the values that let somebody in, read out of the sources: each of them is called in so many places.

#![allow(clippy::disallowed_methods, reason = "it reads the sources")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The sources that ship, without tests beside the code and without comments.
pub(crate) fn product() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let not_shipped = ["target", "tests", "fuzz", "bench", "xtask", ".git"];
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir() && !not_shipped.iter().any(|name| path.ends_with(name)));
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
                let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                sources.push((path, code.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    sources
}

#[test]
fn nothing_lets_anybody_in_but_a_durable_verdict_a_remembered_login_and_the_broker() {
    let product = product();
    let callers = |call: &str| -> Vec<&Path> {
        let files = product.iter().map(|(path, code)| (path.as_path(), code.matches(call).count()));
        files.flat_map(|(path, calls)| vec![path; calls]).collect()
    };
    for (maker, places) in [
        ("Granted::from_committed(", 1),
        ("Granted::from_remembered_login(", 1),
        ("Granted::from_broker(", 1),
        // For the store, and for the word of the broker.
        ("Exempt::by_policy(", 2),
        // By the store that has made the record durable.
        (".committed()", 1),
        ("decide::judge(", 1),
    ] {
        assert_eq!(callers(maker).len(), places, "{maker}: {:#?}", callers(maker));
    }
    let (_, source) = product.iter().find(|(_, code)| code.contains("pub struct Granted {")).unwrap();
    let makers = source.split("impl Granted {").nth(1).unwrap().split("\n}").next().unwrap();
    assert_eq!(
        (makers.matches("fn from_").count(), makers.matches("Self { recovery_codes_left").count()),
        (3, 3),
        "{makers}"
    );
    // Where it is made otherwise, it is by name.
    assert_eq!(callers("Granted {").len(), 2, "its declaration, and `impl`: {:#?}", callers("Granted {"));
}
