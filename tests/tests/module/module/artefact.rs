//! The file that ships, as the linker left it.

use std::fs;

use twinlock_tests::{Launch, in_world};

/// What a program of binutils or the loader says of the module.
fn said(program: &[&str]) -> String {
    let mut said = String::new();
    in_world(|world| {
        world.install();
        let module = world.module_path().display().to_string();
        let output = Launch::new(program.iter().copied().chain([module.as_str()])).run();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{program:?}");
        said = output.stdout;
    });
    said
}

#[test]
fn it_exports_the_six_entry_points_and_nothing_else() {
    let table = said(&["nm", "--dynamic", "--defined-only", "--format=posix"]);
    let names: Vec<_> = table.lines().filter_map(|line| line.split(' ').next()).collect();
    let expected = [
        "pam_sm_acct_mgmt",
        "pam_sm_authenticate",
        "pam_sm_chauthtok",
        "pam_sm_close_session",
        "pam_sm_open_session",
        "pam_sm_setcred",
    ];
    assert_eq!(names, expected);
}

#[test]
fn it_needs_libc_libgcc_and_libpam_alone() {
    let dynamic = said(&["readelf", "--dynamic", "--wide"]);
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    let names: Vec<_> = needed.filter_map(|line| line.split(['[', ']']).nth(1)).collect();
    let allowed = ["libpam.so.0", "libc.so.6", "libgcc_s.so.1"];
    let loader = |name: &str| name.starts_with("ld-linux");
    assert!(names.iter().all(|name| allowed.contains(name) || loader(name)) && names.len() >= 2, "{names:?}");
    assert!(!dynamic.contains("RPATH") && !dynamic.contains("RUNPATH"), "{dynamic}");
}

#[test]
fn it_stays_loaded_and_is_bound_at_once_and_read_only_then() {
    let dynamic = said(&["readelf", "--dynamic", "--wide"]);
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(dynamic.contains("BIND_NOW") || dynamic.contains("Flags: NOW"), "{dynamic}");
    let segments = said(&["readelf", "--program-headers", "--wide"]);
    assert!(segments.contains("GNU_RELRO"), "{segments}");
    let stack = segments.lines().find(|line| line.contains("GNU_STACK")).unwrap_or("");
    assert!(stack.contains(" RW ") && !dynamic.contains("TEXTREL"), "{segments}");
}

#[test]
fn it_is_smaller_than_a_megabyte_and_stripped() {
    in_world(|world| {
        world.install();
        let size_bytes = fs::metadata(world.module_path()).unwrap().len();
        assert!(size_bytes < 1_000_000, "{size_bytes} bytes");
    });
    let sections = said(&["readelf", "--sections", "--wide"]);
    assert!(!sections.contains(".symtab"));
    let bss = sections.lines().find(|line| line.contains(" .bss ")).expect("statics");
    let size = bss.split_whitespace().skip_while(|word| *word != "NOBITS").nth(3).expect("a size");
    assert!(u64::from_str_radix(size, 16).unwrap() < 64 * 1024, "{bss}");
}

/// RHEL 9 has glibc 2.34, in all its releases.
#[test]
fn every_artefact_loads_with_glibc_2_34() {
    in_world(|world| {
        world.install();
        let command = "for file in \"$1\" \"$(command -v twinlock)\" \"$(command -v twinlockd)\"; do \
            readelf --version-info --wide \"$file\" || exit 1; done";
        let versions = Launch::new(["sh", "-c", command, "sh", &world.module_path().display().to_string()]).run();
        assert_eq!((versions.code, versions.stderr.as_str()), (Some(0), ""), "{versions:?}");
        let minors: Vec<u32> = versions
            .stdout
            .split("Name: GLIBC_2.")
            .skip(1)
            .map(|rest| rest.split([' ', '.']).next().unwrap().parse().unwrap())
            .collect();
        assert!(minors.len() >= 6 && minors.iter().all(|minor| *minor <= 34), "{minors:?}");
    });
}

#[test]
fn it_knows_no_variable_of_the_environment() {
    let strings = said(&["strings", "-a"]);
    for name in ["TWINLOCK_", "XDG_", "HOME", "TZ="] {
        let found: Vec<_> = strings.lines().filter(|line| line.contains(name)).collect();
        assert_eq!(found, Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn it_calls_nothing_that_runs_a_program_or_changes_its_host() {
    let imported = said(&["nm", "--dynamic", "--undefined-only", "--format=posix"]);
    let names: Vec<_> = imported.lines().filter_map(|line| line.split([' ', '@']).next()).collect();
    for forbidden in [
        "execve",
        "execvp",
        "system",
        "popen",
        "posix_spawn",
        // `socket` and `connect` are for the broker, where the host is not root's: see the module's `broker` tests.
        "bind",
        "listen",
        "getaddrinfo",
        "setuid",
        "setresuid",
        "umask",
        "setrlimit",
    ] {
        assert!(!names.contains(&forbidden), "{forbidden} is imported");
    }
}

#[test]
fn the_command_needs_no_libpam() {
    in_world(|world| {
        world.install();
        let command = Launch::new(["sh", "-c", "readelf --dynamic --wide \"$(command -v twinlock)\""]).run();
        assert!(command.stdout.contains("libc.so.6") && !command.stdout.contains("libpam"), "{command:?}");
    });
}
