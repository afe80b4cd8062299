//! The links of the README and of the pages in `docs/`.

use std::fs;

use twinlock_tests::in_world;

#[test]
fn every_link_of_the_readme_and_of_the_pages_leads_somewhere() {
    in_world(|world| {
        let repository = world.repository();
        let docs = fs::read_dir(repository.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let pages: Vec<_> = docs.filter(|path| path.is_file()).chain([repository.join("README.md")]).collect();
        assert!(pages.len() > 8, "{pages:?}");
        for page in pages {
            let text = fs::read_to_string(&page).unwrap();
            for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let (file, heading) = link.split_once('#').unwrap_or((link, ""));
                let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
                let target = fs::read_to_string(&target).unwrap_or_else(|error| panic!("{page:?}: {link}: {error}"));
                let found = target.lines().filter(|line| line.starts_with('#'));
                let found = found.map(|line| anchor(line.trim_start_matches('#').trim())).any(|known| known == heading);
                assert!(heading.is_empty() || found, "{page:?}: {link}");
            }
        }
    });
}

/// A heading as GitHub links to it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}
