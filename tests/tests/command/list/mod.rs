//! `twinlock list`: who is shown, how, and how fast.

mod crowd;
mod filters;
mod forms;

use std::fs;

use serde_json::Value;
use twinlock_tests::{Output, World};

/// `/etc/passwd` beside root: who may log in, and five who may not.
const PASSWD: &str = "\
    root:x:0:0:root:/root:/bin/bash\n\
    daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n\
    halt:x:7:0::/sbin:/sbin/halt\n\
    sync:x:4:65534::/bin:/bin/sync\n\
    stopped:x:8:8::/:/bin/false\n\
    down:x:9:9::/:/sbin/shutdown\n\
    alice:x:1001:100::/home/alice:/bin/bash\n\
    bob:x:1002:1002::/home/bob:\n\
    carol:x:1003:1003::/home/carol:/usr/bin/zsh\n\
    robot:x:1004:1004::/home/robot:/usr/sbin/nologin\n";

fn furnish(world: &World) {
    world.write("/etc/passwd", PASSWD);
    world.write("/etc/group", "root:x:0:\nusers:x:100:\nadmins:x:200:bob,carol,ghost\nempty:x:300:\n");
    world.write("/etc/twinlock/config.toml", fs::read(world.repository().join("config/config.toml")).unwrap());
    world.make_store();
}

/// The fields of each line.
/// The fields of each account; the first line is the headings.
fn lines(output: &Output) -> Vec<Vec<&str>> {
    let mut lines = output.stdout.lines();
    assert_eq!(lines.next(), Some("USER\tFACTOR\tDEVICES\tLAST USED\tFROM\tRECOVERY\tTHROTTLE"), "{output:?}");
    lines.map(|line| line.split('\t').collect()).collect()
}

fn users(output: &Output) -> Vec<&str> {
    lines(output).into_iter().map(|fields| fields[0]).collect()
}

fn json(output: &Output) -> Vec<Value> {
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("no JSON array ({error}): {output:?}"))
}
