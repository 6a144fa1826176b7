use super::super::story::all;
use super::*;
use crate::event::StepId;

fn told(report: &Report) -> String {
    String::from_utf8(write(report).unwrap()).unwrap()
}

#[test]
fn every_story_is_a_whole_page_with_a_line_for_each_step() {
    for (name, events) in all() {
        let report = Report::of(&events);
        let page = told(&report);
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</script></body></html>\n"), "{name}");
        assert_eq!(page.matches("<details class=\"step ").count(), report.steps.len(), "{name}");
        assert!(page.contains(&format!("badge {}", report.outcome_word())), "{name}");
    }
}

#[test]
fn hostile_words_stay_words() {
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover=\"alert(3)";
    for (name, events) in all() {
        let mut report = Report::of(&events);
        report.run.book = hostile.into();
        report.run.description = Some(hostile.into());
        report.notes.push(hostile.into());
        report.left.next.push(hostile.into());
        for step in &mut report.steps {
            step.id = StepId(hostile.into());
            step.name = hostile.into();
            step.notes.push(hostile.into());
        }
        let page = told(&report);
        assert_eq!(page.matches("<script").count(), 1, "{name}");
        assert!(!page.contains("<img") && !page.contains("\" onmouseover"), "{name}");
    }
}

#[test]
fn the_only_script_that_may_run_is_the_one_in_the_page() {
    let page = told(&Report::default());
    let script = page.split("<script>").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    let hash = STANDARD.encode(digest(&SHA256, script.as_bytes()));
    assert!(page.contains(&format!("script-src 'sha256-{hash}'")));
    assert!(!page.contains("http://") && !page.contains("https://"), "nothing comes from a network");
}
