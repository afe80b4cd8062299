//! Odd texts of others: names of users (R0 in SECURITY.md), hosts and terminals.

/// Names that somebody may type and that no account of a test has.
pub fn odd_user_names() -> Vec<Vec<u8>> {
    let texts = [
        "../x",
        "/",
        ".",
        "..",
        "a/b",
        "-rf",
        "--",
        " ",
        "a b",
        "al\nice",
        "a\r\nNov 24 sshd[1]: Accepted",
        "\x1b[31mred\x1b[0m",
        "%s%n",
        "$(id)",
        "`id`",
        ";id",
        "~root",
        "*",
        "\u{202e}ecila",
        "\u{130}",
        "ﬁ",
        "ALICE",
        "alice.",
        "alice@dom",
        "DOM\\alice",
        "DOM/alice",
        "alice+x",
        "0",
        "1000",
        "1001",
        "-1",
        "4294967295",
        "alice ",
        "alice\t",
        " alice",
        "alice:x",
        "user/role",
        "alice/../alice",
        "credentials/alice",
        ".alice.new",
        "alice.toml",
        "%61lice",
        "result=granted",
    ];
    let long = [255, 256, 257, 4096, 100_000].map(|length| vec![b'x'; length]);
    let bytes = [b"\xff\xfe".to_vec(), b"\xc0\xae\xc0\xae/x".to_vec(), b"al\x80ice".to_vec()];
    texts.iter().map(|text| text.as_bytes().to_vec()).chain(long).chain(bytes).collect()
}

/// What others can make of `PAM_RHOST` and `PAM_TTY`, and what the log has of it.
pub fn odd_texts() -> Vec<(Vec<u8>, String)> {
    let pairs: [(&[u8], &str); 11] = [
        (b"192.0.2.7", "192.0.2.7"),
        (b"2001:db8::7", "2001:db8::7"),
        (b"", "-"),
        (b"a\nNov 24 sshd[1]: Accepted", "a%0ANov%2024%20sshd%5B1%5D:%20Accepted"),
        (b"x\r\n\x1b[31m", "x%0D%0A%1B%5B31m"),
        (b"%s%n%d", "%25s%25n%25d"),
        (b"x result=granted", "x%20result%3Dgranted"),
        (b"\"quoted\"", "%22quoted%22"),
        (b"../../etc", "..%2F..%2Fetc"),
        (b"\xff", "%EF%BF%BD"),
        ("\u{202e}x".as_bytes(), "%E2%80%AEx"),
    ];
    // Longer ones make libpam's own audit fail.
    let long = [64, 65, 4096].map(|length| (vec![b'x'; length], "x".repeat(64)));
    pairs.iter().map(|(from, to)| (from.to_vec(), (*to).to_owned())).chain(long).collect()
}
