//! What is printed, and the small statistics behind it.

use std::time::Duration;

/// Prints a line a figure, as soon as it is known.
#[derive(Debug)]
pub(crate) struct Table {
    missed: usize,
}

impl Table {
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("?").to_owned();
        println!("{cores} cores, load {load}, runhub {}, {} rounds", env!("CARGO_PKG_VERSION"), rounds());
        println!("{:<58} {:>12} {:>12}", "figure", "measured", "aim");
        Self { missed: 0 }
    }

    /// A figure with an aim: `measured` should be below `aim`, both in `unit`.
    pub(crate) fn aimed(&mut self, figure: &str, measured: f64, (aim, unit): (f64, &str), note: &str) {
        let met = measured < aim;
        self.missed += usize::from(!met);
        let verdict = if met { "met" } else { "MISSED" };
        let (measured, aim) = (format!("{measured:.2} {unit}"), format!("< {aim} {unit}"));
        println!("{figure:<58} {measured:>12} {aim:>12}  {verdict:<6}  {note}");
    }

    /// A figure without an aim, for comparison.
    #[expect(clippy::unused_self, reason = "a line of the same table")]
    pub(crate) fn plain(&mut self, figure: &str, measured: &str, note: &str) {
        println!("{figure:<58} {measured:>12} {:>12}  {:<6}  {note}", "", "");
    }

    pub(crate) fn close(self) {
        println!(
            "{}",
            if self.missed == 0 { "every aim is met".into() } else { format!("{} aims missed", self.missed) }
        );
    }
}

/// How often each figure is taken.
pub(crate) fn rounds() -> usize {
    std::env::var("RUNHUB_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// Takes a figure several times.
pub(crate) fn several(mut measure: impl FnMut() -> Duration) -> Vec<Duration> {
    (0..rounds()).map(|_| measure()).collect()
}

/// Takes two figures in turn, so that what disturbs one disturbs the other.
pub(crate) fn in_turn(
    mut one: impl FnMut() -> Duration,
    mut other: impl FnMut() -> Duration,
) -> (Vec<Duration>, Vec<Duration>) {
    (0..rounds()).map(|_| (one(), other())).unzip()
}

/// The value below which `share` of all lie; 0.5 is the median.
pub(crate) fn percentile(values: &[Duration], share: f64) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort();
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful of values"
    )]
    let rank = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    sorted[rank - 1]
}

pub(crate) fn median(values: &[Duration]) -> Duration {
    percentile(values, 0.5)
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median and the best of several, for the note beside a figure.
pub(crate) fn spread(values: &[Duration]) -> String {
    let (least, most) = (percentile(values, 0.0), percentile(values, 1.0));
    format!("{:.1} to {:.1} ms", ms(least), ms(most))
}
