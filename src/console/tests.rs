//! Every story, shown.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::event::{Event, Sink as _, Told};

#[expect(clippy::duplicate_mod, reason = "the stories know `event` alone; the neighbours share no product code")]
#[path = "../report/story/mod.rs"]
mod story;

/// A writer whose text can be read later.
#[derive(Clone, Default)]
pub(super) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const PIPE: Style = Style { colour: false, unicode: true, width: None, interactive: false, loudness: Loudness::Normal };

fn events(name: &str) -> Vec<Event> {
    let (_, events) = story::all().into_iter().find(|(story, _)| *story == name).expect("a story of that name");
    events
}

fn tell(mut console: Console, events: &[Event]) {
    for event in events {
        console.take(&Told { event, line: "" }).unwrap();
    }
}

fn shown(style: Style, events: &[Event]) -> String {
    let paper = Paper::default();
    let pointers =
        Pointers { journal: Some("/state/runs/20261121-033100-5f3a".into()), reports: vec!["json report.json".into()] };
    let console = Console::new(style, Box::new(paper.clone())).pointing_to(pointers);
    tell(console, events);
    paper.text()
}

#[test]
fn every_story_in_a_pipe() {
    for (name, events) in story::all() {
        insta::assert_snapshot!(format!("pipe_{name}"), shown(PIPE, &events));
    }
}

#[test]
fn every_story_for_those_who_asked_for_quiet() {
    let style = Style { loudness: Loudness::Quiet, ..PIPE };
    let all: Vec<String> =
        story::all().into_iter().map(|(name, events)| format!("=== {name}\n{}", shown(style, &events))).collect();
    insta::assert_snapshot!(all.concat());
}

#[test]
fn a_passed_run_tells_the_verbose_about_requests_and_outputs() {
    let style = Style { loudness: Loudness::Verbose, ..PIPE };
    insta::assert_snapshot!(shown(style, &events("passes")));
}

#[test]
fn a_failed_run_in_forty_columns() {
    let style = Style { width: Some(40), ..PIPE };
    insta::assert_snapshot!(shown(style, &events("fails")));
}

#[test]
fn a_failed_run_in_colour_and_ascii() {
    let style = Style { colour: true, unicode: false, ..PIPE };
    let text = shown(style, &events("fails"));
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn nothing_that_a_terminal_obeys_is_shown() {
    let text = shown(PIPE, &events("meets_hostile_text"));
    let is_odd = |character: char| character.is_control() && character != '\n';
    assert!(!text.contains(is_odd) && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn on_a_terminal_the_lines_are_the_same_but_for_the_waits() {
    for (name, events) in story::all() {
        let paper = Paper::default();
        let screen = Screen::on(PIPE, indicatif::ProgressDrawTarget::hidden);
        tell(Console::with_screen(PIPE, Box::new(paper.clone()), screen), &events);
        let waits = |line: &&str| !line.trim_start().starts_with('…');
        let plain = Paper::default();
        tell(Console::new(PIPE, Box::new(plain.clone())), &events);
        let expected: Vec<String> = plain.text().lines().filter(waits).map(str::to_owned).collect();
        let lines: Vec<String> = paper.text().lines().map(str::to_owned).collect();
        assert_eq!(lines, expected, "{name}");
    }
}

#[test]
fn a_writer_that_has_gone_is_an_error_and_not_the_end() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut console = Console::new(PIPE, Box::new(Gone));
    let events = events("passes");
    let told = |event| Told { event, line: "" };
    let failures = events.iter().filter(|event| console.take(&told(event)).is_err()).count();
    assert!(failures > 1);
}
