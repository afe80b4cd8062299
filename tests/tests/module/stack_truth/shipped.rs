//! Every stack of `config/pam.d/`.

use std::fs;

use twinlock_tests::{Family, in_world, is_root_in_earnest};

use crate::stack_truth::ours::Ours;
use crate::stack_truth::stack::{Stack, shipped};
use crate::stack_truth::table::Table;

/// All variants of the stacks that `wanted` names.
fn check(family: Family, wanted: impl Fn(&Stack) -> bool + Send) {
    in_world(|world| {
        let stacks: Vec<_> = shipped(world, family).into_iter().filter(wanted).collect();
        let mut table = Table::new(world);
        for stack in &stacks {
            // These only include another one.
            let is_copy = ["sudo-i", "su-l"].contains(&stack.service.as_str());
            table.check(stack, if is_copy { &Ours::EACH_CODE } else { &Ours::ALL });
            for variant in [stack.with_sssd(), stack.with_substack()].into_iter().flatten() {
                table.check(&variant, &Ours::EACH_CODE);
            }
        }
        table.finish(1000);
    });
}

#[test]
fn debian_lets_in_exactly_who_gave_both() {
    check(Family::Debian, |stack| !stack.lets_root_pass());
}

#[test]
fn rhel_lets_in_exactly_who_gave_both() {
    check(Family::Rhel, |stack| !stack.lets_root_pass());
}

#[test]
fn su_lets_in_exactly_who_gave_both() {
    if is_root_in_earnest("su") {
        for family in [Family::Debian, Family::Rhel] {
            check(family, Stack::lets_root_pass);
        }
    }
}

#[test]
fn every_file_that_is_shipped_is_in_the_table() {
    in_world(|world| {
        for (family, folder) in [(Family::Debian, "debian"), (Family::Rhel, "rhel")] {
            let tried: Vec<_> = shipped(world, family).into_iter().map(|stack| stack.name).collect();
            let files = fs::read_dir(world.repository().join("config/pam.d").join(folder)).unwrap();
            let names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            assert!(names.len() > 4, "{names:?}");
            for name in names {
                // What the broker asks has no line of ours.
                if name == "twinlock" {
                    let text = world.shipped(format!("pam.d/{folder}/{name}"));
                    assert!(text.lines().all(|line| line.starts_with('#') || !line.contains("pam_twinlock")), "{text}");
                    continue;
                }
                assert!(tried.contains(&format!("{family:?} {name}")), "{name} is not among {tried:?}");
            }
        }
    });
}

#[test]
fn root_passes_su_unasked_whatever_the_factors_would_have_been() {
    for family in [Family::Debian, Family::Rhel] {
        in_world(|world| {
            let mut table = Table::new(world);
            for stack in shipped(world, family).iter().filter(|stack| stack.lets_root_pass()) {
                table.check_root(stack);
            }
            table.finish(500);
        });
    }
}
