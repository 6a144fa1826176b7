use proptest::prelude::*;
use serde_json::{Value, json};

use crate::event::{EventKind, Ledger as _, Phase, StepEnd, StepId, Verdict};
use crate::journal::kit::{Left, applied, bench, clock, ended, intent, note};
use crate::journal::{Error, Journal, Vault, read};

/// Notes, a settled change and a record; the last line is a record without a sync behind it.
fn left() -> Left {
    let bench = bench();
    bench.note("one");
    let ticket = bench.ledger.intend(&intent("a")).unwrap();
    bench.ledger.settle(ticket, &applied()).unwrap();
    bench.note("two");
    bench.ledger.remember(&ended("rotate")).unwrap();
    bench.stop()
}

fn damage(error: Error) -> (usize, String) {
    let Error::Damaged { line, why, .. } = error else { panic!("{error}") };
    (line, why)
}

#[test]
fn a_last_line_cut_at_any_byte_is_left_out_and_the_run_goes_on() {
    let left = left();
    let whole = std::fs::read(left.journal()).unwrap();
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in last..whole.len() {
        std::fs::write(left.journal(), &whole[..length]).unwrap();
        let journaled = read(&left.journal()).unwrap();
        assert_eq!(journaled.torn_tail, length > last, "{length}");
        assert_eq!((journaled.events.len(), journaled.records.len()), (2, 0), "{length}");
        let (Journal { ledger, .. }, _) = left.reopen().unwrap();
        assert_eq!(std::fs::read(left.journal()).unwrap(), &whole[..last]);
        ledger.remember(&ended("again")).unwrap();
        drop(ledger);
        assert_eq!(read(&left.journal()).unwrap().records.len(), 1, "{length}");
    }
}

#[test]
fn zeros_that_a_power_cut_left_behind_the_last_line_are_a_torn_tail() {
    let left = left();
    let mut bytes = std::fs::read(left.journal()).unwrap();
    bytes.extend([0; 512]);
    std::fs::write(left.journal(), &bytes).unwrap();
    assert!(read(&left.journal()).unwrap().torn_tail);
    assert!(left.reopen().is_ok());
}

#[test]
fn damage_before_the_last_line_is_refused_by_its_line() {
    let left = left();
    let whole = std::fs::read_to_string(left.journal()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for (at, bad) in lines.iter().enumerate() {
        let broken = bad.replacen("data", "daft", 1);
        let text: Vec<&str> =
            lines[..at].iter().copied().chain([broken.as_str()]).chain(lines[at + 1..].iter().copied()).collect();
        std::fs::write(left.journal(), text.join("\n") + "\n").unwrap();
        let (line, why) = damage(read(&left.journal()).unwrap_err());
        assert_eq!((line, why.as_str()), (at + 1, "its content does not match its hash"));
        assert!(left.reopen().is_err());
    }
}

#[test]
fn a_file_that_is_no_journal_is_refused() {
    let left = left();
    for text in ["", "{\"n\":0", "hello\n", "{}\n"] {
        std::fs::write(left.journal(), text).unwrap();
        assert_eq!(damage(read(&left.journal()).unwrap_err()).0, 1, "{text:?}");
    }
    std::fs::remove_file(left.journal()).unwrap();
    assert!(read(&left.journal()).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn a_journal_of_a_later_format_is_refused_by_its_version() {
    let left = left();
    let (mut line, data) = (String::new(), json!({"journal-version": 9, "colour": "red"}).to_string());
    let start = crate::journal::chain::Chain::start();
    start.forge(crate::journal::chain::Kind::Header, &data, &mut line);
    std::fs::write(left.journal(), &line).unwrap();
    let error = read(&left.journal()).unwrap_err().to_string();
    assert!(error.contains("format 9") && error.contains("use a newer one"), "{error}");
}

#[test]
fn a_journal_is_found_by_its_runs_folder() {
    let left = left();
    let folder = left.places.run(&left.run).unwrap();
    assert_eq!(read(&folder).unwrap(), read(&left.journal()).unwrap());
}

#[test]
fn a_record_that_a_power_cut_took_is_cut_from_the_journal_too() {
    let left = left();
    let vault = std::fs::read_to_string(left.vault()).unwrap();
    let kept: Vec<&str> = vault.lines().take(2).collect();
    std::fs::write(left.vault(), kept.join("\n") + "\n").unwrap();
    assert_eq!(read(&left.journal()).unwrap().records.len(), 1);
    let (Journal { ledger, .. }, journaled) = left.reopen().unwrap();
    assert!(journaled.torn_tail && journaled.records.is_empty());
    ledger.remember(&ended("again")).unwrap();
    drop(ledger);
    let journaled = read(&left.journal()).unwrap();
    let opened = Vault::open(&left.places, &left.run).unwrap();
    assert_eq!(opened.record(&journaled.records[0]).unwrap(), ended("again"));
}

#[test]
fn a_record_that_is_missing_before_a_change_is_damage() {
    let bench = bench();
    bench.ledger.remember(&ended("rotate")).unwrap();
    let _ticket = bench.ledger.intend(&intent("a")).unwrap();
    let left = bench.stop();
    let vault = std::fs::read_to_string(left.vault()).unwrap();
    std::fs::write(left.vault(), vault.lines().next().unwrap().to_owned() + "\n").unwrap();
    let (line, why) = damage(left.reopen().unwrap_err());
    assert_eq!((line, why.as_str()), (2, "its vault record is missing"));
}

#[test]
fn a_vault_that_was_tampered_with_gives_nothing() {
    let left = left();
    let journaled = read(&left.journal()).unwrap();
    let whole = std::fs::read_to_string(left.vault()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    std::fs::write(left.vault(), [lines[0], lines[2], lines[1], ""].join("\n")).unwrap();
    let vault = Vault::open(&left.places, &left.run).unwrap();
    let (line, why) = damage(vault.intent(&journaled.intents[0]).unwrap_err());
    assert_eq!((line, why.as_str()), (2, "the record is not the one that the journal names"));
    std::fs::write(left.vault(), [lines[0], ""].join("\n")).unwrap();
    let vault = Vault::open(&left.places, &left.run).unwrap();
    assert_eq!(damage(vault.record(&journaled.records[0]).unwrap_err()).1, "the record is missing");
}

#[test]
fn another_key_opens_nothing() {
    let left = left();
    let journaled = read(&left.journal()).unwrap();
    std::fs::write(left.places.state.join(format!("keys/{}.key", left.run)), [1; 32]).unwrap();
    let vault = Vault::open(&left.places, &left.run).unwrap();
    let (_, why) = damage(vault.intent(&journaled.intents[0]).unwrap_err());
    assert_eq!(why, "the key of the run does not open the record");
}

#[test]
fn a_journal_in_the_folder_of_another_run_is_refused() {
    let left = left();
    let other = crate::event::RunId("other".into());
    std::fs::rename(left.places.run(&left.run).unwrap(), left.places.run(&other).unwrap()).unwrap();
    let keys = left.places.state.join("keys");
    std::fs::rename(keys.join(format!("{}.key", left.run)), keys.join("other.key")).unwrap();
    let error = Journal::reopen(&left.places, &other, &crate::journal::kit::redactor(), clock()).unwrap_err();
    assert_eq!(damage(error).1, format!("it is the journal of run {}", left.run));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_kind() -> impl Strategy<Value = EventKind> {
    let step_end = (".{0,12}", any_value(), any_value(), any::<u32>()).prop_map(|(step, output, info, attempts)| {
        EventKind::StepFinished(Box::new(StepEnd {
            step: StepId(step.clone()),
            verdict: Verdict::Skipped(step.clone()),
            tolerated: false,
            changed: true,
            attempts,
            elapsed_ms: u64::from(attempts),
            expectations: 0,
            outputs: [(step, output)].into(),
            info,
        }))
    });
    prop_oneof![
        ".{0,40}".prop_map(|text| note(&text)),
        Just(EventKind::PhaseStarted(Phase::Always)),
        step_end,
        Just(EventKind::Changed { change: Box::new(intent("a").change), settled: applied() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_events_read_back_are_the_events_that_were_told(kinds in prop::collection::vec(any_kind(), 0..12)) {
        let bench = bench();
        for kind in kinds {
            bench.fan.tell(kind);
        }
        let left = bench.stop();
        let journaled = read(&left.journal()).unwrap();
        prop_assert_eq!(journaled.last_seq(), left.told.len() as u64);
        prop_assert_eq!(journaled.events, left.told);
    }
}
