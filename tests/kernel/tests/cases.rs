//! Every case under `cases/`, against what the kernel is recorded to have done. Needs no privilege.

use std::fs;
use std::path::{Path, PathBuf};

use kernel::System;
use kernel::compare::compare;
use kernel::differential::replay;
use kernel::frame::View;
use kernel::generate::Generator;
use kernel::observed::Observed;
use kernel::rampart::Rampart;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_engine_does_with_every_case_what_the_kernel_did() {
    let mut differences = Vec::new();
    let mut files = 0;
    for file in fs::read_dir(here("cases")).expect("the cases") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|e| e == "case") {
            files += 1;
            let found = replay(&path).unwrap_or_else(|error| panic!("{error:#}"));
            differences.extend(found.iter().map(|difference| format!("{}: {difference}", path.display())));
        }
    }
    assert!(files > 0, "no cases");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Frames between different ends in the order of their ends: two workers have no order between them.
fn by_ends(mut observed: Observed) -> Observed {
    for frames in &mut observed.steps {
        frames.sort_by_key(|(port, frame)| (*port, View::of_frame(frame).map(|view| (view.src, view.dst))));
    }
    observed
}

/// Under rules that translate no source, three workers and packets at any queue give what one worker gives, which is compared with the kernel.
#[test]
fn three_workers_do_what_one_does() {
    let (mut one, mut three) = (Rampart::default(), Rampart::with_workers(3));
    let mut packets = 0;
    for generator in Generator::ALL {
        for case in (0..30).map(|seed| generator.case(seed)) {
            let rules = case.all_tables();
            // Where answers have zones of their own, sources are translated apart as well.
            if ["-j SNAT", "-j MASQUERADE", "--zone-reply"].iter().any(|words| rules.contains(words)) {
                continue;
            }
            packets += case.packets();
            let [alone, together] =
                [&mut one, &mut three].map(|system| by_ends(system.run(&case).expect("it runs in this process")));
            let differences = compare(&case, &alone, &together);
            assert!(differences.is_empty(), "{}: {differences:#?}\n{}", generator.name(), case.write(None));
        }
    }
    assert!(packets > 1000, "only {packets} packets");
}

#[test]
fn generators_give_the_same_case_for_the_same_seed_and_it_can_be_read_back() {
    for generator in Generator::ALL {
        for seed in 0..20 {
            let case = generator.case(seed);
            assert_eq!(case, generator.case(seed));
            assert_eq!(kernel::case::Case::parse(&case.write(None)).unwrap().0, case);
        }
    }
}

#[test]
fn every_documented_deviation_is_known_to_the_comparison_and_no_other() {
    use std::collections::BTreeSet;

    use kernel::compare::{DEVIATIONS, OF_COMMANDS};

    let page = fs::read_to_string(here("../../docs/deviations.md")).expect("docs/deviations.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id "));
    let documented: Vec<&str> = rows
        .map(|row| row.strip_prefix("| `").and_then(|rest| rest.split('`').next()).unwrap_or_else(|| panic!("no id: {row}")))
        .collect();
    let known: Vec<&str> = DEVIATIONS.iter().map(|(id, _)| *id).chain(OF_COMMANDS.iter().copied()).collect();
    assert_eq!(documented.len(), documented.iter().collect::<BTreeSet<_>>().len(), "an id twice");
    assert_eq!(documented.iter().collect::<BTreeSet<_>>(), known.iter().collect());
}

#[test]
fn the_engine_does_with_thousands_of_generated_cases_what_the_kernel_did() {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use kernel::generate::Generator;
    use kernel::records;

    let work: Vec<_> = Generator::ALL
        .into_iter()
        .flat_map(|generator| {
            let records = records::read(&records::path(&here("records"), generator)).unwrap_or_else(|error| panic!("{error:#}"));
            assert!(records.len() >= 100, "{} records of {}", records.len(), generator.name());
            records.into_iter().map(move |record| (generator, record))
        })
        .collect();
    assert!(work.len() >= 3000, "{} records", work.len());
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((generator, record)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differences = record.replay(*generator).unwrap_or_else(|error| panic!("{error:#}"));
                    let text =
                        differences.iter().map(|difference| format!("{} seed {}: {difference}", generator.name(), record.seed));
                    failed.lock().expect("no thread panicked").extend(text);
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no thread panicked");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
