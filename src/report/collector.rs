//! The report that grows while the run goes on.

use std::sync::{Arc, Mutex, PoisonError};

use super::fold::Fold;
use super::run::Report;
use crate::event::{Sink, SinkError, Told};

/// A sink that folds what it hears; clones share one report.
///
/// One clone goes to the fan, the other stays with the one who writes the
/// report, also when the run is torn down half-way.
#[derive(Debug, Clone, Default)]
pub struct Collector(Arc<Mutex<Fold>>);

impl Collector {
    /// The report of what was heard so far.
    pub fn report(&self) -> Report {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).report().clone()
    }
}

impl Sink for Collector {
    fn take(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(told.event);
        Ok(())
    }
}
