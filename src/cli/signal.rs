//! Ctrl-C and SIGTERM: the first stops the run in order, the second at once.

use tokio::signal::unix::{SignalKind, signal};

use crate::engine::Cancel;
use crate::event::CancelReason;

/// Waits for the first Ctrl-C or SIGTERM.
pub(super) async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Listens until it is dropped.
pub(super) async fn listen(cancel: Cancel) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        std::future::pending::<()>().await;
        return;
    };
    for reason in [CancelReason::Interrupt, CancelReason::SecondInterrupt] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        cancel.raise(reason);
    }
    std::future::pending::<()>().await;
}
