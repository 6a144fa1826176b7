use std::path::Path;

use crate::event::{Class, Failure, Ledger as _, Outcome, Record, Settled, Ticket};
use crate::journal::append::Appender;
use crate::journal::append::tests::SmallDisk;
use crate::journal::kit::{Bench, SECRET, applied, bench, clock, ended, files_under, finished, intent, note, redactor};
use crate::journal::{Error, Intended, Journal, Kept, Places, Vault, read};

fn unknown() -> Settled {
    Settled::Unknown(format!("the answer was lost: {SECRET}"))
}

fn refused() -> Settled {
    let failure = Failure::new(Class::Invalid, format!("{SECRET} is too short"))
        .help(format!("not {SECRET}"))
        .because(vec![format!("Secret: {SECRET}")]);
    Settled::Refused(failure)
}

/// A run with a bit of everything.
fn rich() -> Bench {
    let bench = bench();
    bench.ledger.remember(&Record::Inputs(serde_json::json!({"p": SECRET}))).unwrap();
    bench.note(SECRET);
    for (name, settled) in [("a", applied()), ("b", refused()), ("c", unknown())] {
        let ticket = bench.ledger.intend(&intent(name)).unwrap();
        bench.ledger.settle(ticket, &settled).unwrap();
    }
    bench.ledger.remember(&ended(&format!("rotate[{SECRET}]"))).unwrap();
    let _in_flight = bench.ledger.intend(&intent("d")).unwrap();
    bench
}

#[test]
fn what_was_intended_settled_and_remembered_is_read_back() {
    let left = rich().stop();
    let journaled = read(&left.journal()).unwrap();
    assert_eq!(journaled.header.run, left.run);
    assert!(!journaled.torn_tail);
    let names: Vec<&str> = journaled.intents.iter().map(|i| i.change.object.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(journaled.intents[0].settled, Some(applied()));
    assert!(matches!(journaled.intents[1].settled, Some(Settled::Refused(_))));
    let open: Vec<u64> = journaled.in_flight().map(|i| i.number).collect();
    assert_eq!(open, [journaled.intents[2].number, journaled.intents[3].number]);
    let kept: Vec<Kept> = journaled.records.iter().map(|record| record.what).collect();
    assert_eq!(kept, [Kept::Inputs, Kept::Ended]);
    assert_eq!(journaled.events, left.told);
}

#[test]
fn the_vault_gives_back_whole_what_the_journal_hides() {
    let left = rich().stop();
    let journaled = read(&left.journal()).unwrap();
    let vault = Vault::open(&left.places, &left.run).unwrap();
    let whole = vault.intent(&journaled.intents[3]).unwrap();
    let json = |intent| serde_json::to_value(intent).unwrap();
    assert_eq!(json(&whole), json(&intent("d")));
    let step = format!("rotate[{SECRET}]");
    assert_eq!(vault.record(&journaled.records[1]).unwrap(), ended(&step));
}

#[test]
fn no_secret_is_in_any_file_and_values_stand_in_the_vault_alone() {
    let bench = rich();
    let files = files_under(bench.folder.path());
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for planted in ["hunter2", "quoted", "aHVudGVyMi", "\"1234\"", "\"0000\""] {
            assert!(!text.contains(planted), "{planted} in {}", file.display());
        }
    }
}

#[test]
fn a_ticket_is_settled_once_but_an_unknown_end_may_still_become_known() {
    let bench = bench();
    let number = bench.ledger.intend(&intent("a")).unwrap().number();
    bench.ledger.settle(Ticket::issued(number), &unknown()).unwrap();
    bench.ledger.settle(Ticket::issued(number), &applied()).unwrap();
    let error = bench.ledger.settle(Ticket::issued(number), &applied()).unwrap_err();
    assert!(error.to_string().contains("is not open"), "{error}");
    assert!(bench.ledger.settle(Ticket::issued(99), &applied()).is_err());
    let left = bench.stop();
    assert_eq!(read(&left.journal()).unwrap().in_flight().count(), 0);
}

#[test]
fn a_run_that_broke_off_goes_on_in_the_same_chain() {
    let left = rich().stop();
    let (Journal { ledger, .. }, before) = left.reopen().unwrap();
    for intended in before.in_flight() {
        ledger.settle(Ticket::issued(intended.number), &applied()).unwrap();
    }
    let ticket = ledger.intend(&intent("e")).unwrap();
    ledger.settle(ticket, &applied()).unwrap();
    let root = ledger.root();
    drop(ledger);
    let after = read(&left.journal()).unwrap();
    assert_eq!(after.in_flight().count(), 0);
    assert_eq!(after.intents.len(), 5);
    assert_eq!(after.root(), root);
    let vault = Vault::open(&left.places, &left.run).unwrap();
    assert!(after.intents.iter().all(|intended| vault.intent(intended).is_ok()));
}

#[test]
fn a_run_has_one_writer() {
    let bench = bench();
    let again = Journal::create(&bench.places, &bench.run, &redactor(), clock());
    assert!(matches!(again, Err(Error::Taken(_))));
    let twice = Journal::reopen(&bench.places, &bench.run, &redactor(), clock()).unwrap_err();
    assert!(twice.to_string().starts_with("run 20261121-033100-5f3a is in the hands of"), "{twice}");
    assert!(bench.stop().reopen().is_ok());
}

#[test]
fn a_beginning_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keys"), "a file").unwrap();
    let (places, run) = (Places::new(folder.path()), crate::event::RunId("r1".into()));
    let error = Journal::create(&places, &run, &redactor(), clock()).unwrap_err();
    assert!(error.to_string().contains("keys: cannot create the folder"), "{error}");
    assert!(!places.run(&run).unwrap().exists());
}

#[test]
fn a_full_disk_refuses_the_ticket_and_keeps_the_journal_whole() {
    let bench = rich();
    let before = read(&bench.places.journal(&bench.run).unwrap()).unwrap();
    let disk = SmallDisk::default();
    for spare in [0, 1, 100] {
        *disk.room.lock().unwrap() = spare;
        bench.ledger.state().vault.on(Box::new(disk.clone()));
        let error = bench.ledger.intend(&intent("e")).unwrap_err().to_string();
        assert!(error.contains("free some space"), "{error}");
        assert!(error.contains("vault.jsonl"), "{error}");
        assert!(disk.bytes.lock().unwrap().is_empty());
    }
    let after = read(&bench.places.journal(&bench.run).unwrap()).unwrap();
    assert_eq!(before, after);
}

#[test]
fn an_intent_that_cannot_be_synced_gets_no_ticket_now_or_later() {
    let bench = bench();
    let disk = SmallDisk::default();
    *disk.room.lock().unwrap() = usize::MAX;
    *disk.deaf.lock().unwrap() = true;
    bench.ledger.state().lines.appender = Appender::on(Box::new(disk.clone()), Path::new("/disk/journal.jsonl"), 0);
    let error = bench.ledger.intend(&intent("a")).unwrap_err().to_string();
    assert!(error.contains("/disk/journal.jsonl: cannot sync"), "{error}");
    *disk.deaf.lock().unwrap() = false;
    assert!(bench.ledger.intend(&intent("a")).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error_of_the_sink_and_of_the_ledger() {
    let bench = bench();
    let path = Path::new("/dev/full");
    let full = || std::fs::File::options().append(true).open(path).unwrap();
    bench.ledger.state().lines.appender = Appender::after(full(), path, 0).unwrap();
    bench.note("lost");
    let errors = bench.fan.errors();
    assert!(errors[0].to_string().contains("journal: /dev/full: cannot write: No space"), "{errors:?}");
    bench.ledger.state().lines.appender = Appender::after(full(), path, 0).unwrap();
    let error = bench.ledger.intend(&intent("a")).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
}

#[test]
fn a_line_that_failed_leaves_no_gap_in_the_chain() {
    let bench = bench();
    let root = bench.ledger.root();
    let disk = SmallDisk::default();
    {
        let mut state = bench.ledger.state();
        state.lines.appender = Appender::on(Box::new(disk.clone()), Path::new("/disk"), 0);
    }
    bench.note("lost");
    assert_eq!(bench.ledger.root(), root);
    *disk.room.lock().unwrap() = 10_000;
    bench.note("kept");
    let text = String::from_utf8(disk.bytes.lock().unwrap().clone()).unwrap();
    assert!(text.starts_with(r#"{"n":1,"prev":""#) && text.contains(&root), "{text}");
}

#[test]
fn many_writers_at_once_make_one_chain() {
    let bench = bench();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let bench = &bench;
            scope.spawn(move || {
                for round in 0..20 {
                    bench.note(&format!("{thread}.{round}"));
                    let ticket = bench.ledger.intend(&intent(&format!("{thread}-{round}"))).unwrap();
                    bench.ledger.settle(ticket, &applied()).unwrap();
                }
            });
        }
    });
    let left = bench.stop();
    let journaled = read(&left.journal()).unwrap();
    assert_eq!(journaled.events.len(), 160);
    assert_eq!(journaled.intents.iter().filter(|i: &&Intended| !i.is_in_flight()).count(), 160);
}

#[test]
fn the_end_of_a_run_is_synced_and_is_the_root() {
    let bench = bench();
    bench.fan.tell(note("work"));
    bench.fan.tell(finished(Outcome::Passed));
    assert!(bench.ledger.sync().is_ok());
    let root = bench.ledger.root();
    assert_eq!(read(&bench.stop().journal()).unwrap().root(), root);
}

#[cfg(unix)]
#[test]
fn files_and_folders_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = rich();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    for file in files_under(bench.folder.path()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let run = bench.places.run(&bench.run).unwrap();
    for folder in [&run, &bench.places.runs(), &bench.places.state.join("keys"), &bench.places.state] {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
}

#[test]
fn an_intent_whose_values_are_not_on_stable_storage_is_not_named() {
    let bench = bench();
    let root = bench.ledger.root();
    let disk = SmallDisk::default();
    *disk.room.lock().unwrap() = usize::MAX;
    *disk.deaf.lock().unwrap() = true;
    bench.ledger.state().vault.on(Box::new(disk));
    let error = bench.ledger.intend(&intent("a")).unwrap_err().to_string();
    assert!(error.contains("vault.jsonl: cannot sync"), "{error}");
    assert_eq!(bench.ledger.root(), root);
}
