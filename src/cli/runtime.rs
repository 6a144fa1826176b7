//! The runtime of commands that ask a server.

use super::exit::{self, Stop};

/// Does the work on a runtime of its own; whoever still waits for a terminal then is not waited for.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::new(exit::FAILED, format!("the runtime cannot start: {error}")))?;
    let ended = runtime.block_on(work);
    runtime.shutdown_background();
    ended
}
