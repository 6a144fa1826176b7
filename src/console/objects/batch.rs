//! Jobs and what makes them.

use super::Columns;
use super::object::{NONE, Object, count, status_word};
use crate::console::age::age;
use crate::console::table::Cell;

pub(super) static JOB: Columns = Columns {
    headings: &["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"],
    cells: |job| vec![job.name(), status_word(status(job)), completions(job), duration(job), job.age()],
    more: &["CONTAINERS", "IMAGES", "SELECTOR"],
    more_cells: |job| {
        let [names, images] = job.containers("/spec/template/spec/containers");
        vec![names, images, job.selector()]
    },
};

pub(super) static CRON_JOB: Columns = Columns {
    headings: &["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"],
    cells: |cron_job| {
        let last = "/status/lastScheduleTime";
        let is_suspended = cron_job.at("/spec/suspend").and_then(serde_json::Value::as_bool).unwrap_or(false);
        vec![
            cron_job.name(),
            Cell::plain(cron_job.text("/spec/schedule")),
            Cell::plain(cron_job.text_or_none("/spec/timeZone")),
            Cell::plain(if is_suspended { "True" } else { "False" }),
            count(cron_job.list("/status/active").len()),
            Cell::plain(cron_job.at(last).map_or_else(|| NONE.to_owned(), |_| cron_job.ago(last))),
            cron_job.age(),
        ]
    },
    more: &["CONTAINERS", "IMAGES"],
    more_cells: |cron_job| cron_job.containers("/spec/jobTemplate/spec/template/spec/containers").into(),
};

fn status(job: &Object<'_>) -> &'static str {
    let holds = |condition: &str| job.condition(condition) == "True";
    if holds("Complete") {
        "Complete"
    } else if holds("Failed") {
        "Failed"
    } else if job.is_going() {
        "Terminating"
    } else if holds("Suspended") {
        "Suspended"
    } else if holds("FailureTarget") {
        "FailureTarget"
    } else if holds("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(job: &Object<'_>) -> Cell {
    let (done, parallel) = (job.number("/status/succeeded"), job.number("/spec/parallelism"));
    Cell::plain(match job.at("/spec/completions") {
        Some(wanted) => format!("{done}/{wanted}"),
        None if parallel > 1 => format!("{done}/1 of {parallel}"),
        None => format!("{done}/1"),
    })
}

fn duration(job: &Object<'_>) -> Cell {
    let end = job.moment("/status/completionTime").unwrap_or(job.now());
    Cell::plain(job.moment("/status/startTime").map(|start| age(start, end)).unwrap_or_default())
}
