//! The simulated server on a socket.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A server on a port of the loopback interface; it stops when this is dropped.
#[derive(Debug)]
pub struct Serving {
    /// Where it listens: `http://127.0.0.1:<port>`.
    pub url: String,
    /// The same as an address.
    pub address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Serving {
    pub(super) async fn start(service: Router, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        // Without this, a watch event may wait for the acknowledgement of the one before.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let server = axum::serve(listener, service).with_graceful_shutdown(stopped);
        let task = tokio::spawn(async move { drop(server.await) });
        Ok(Self { url: format!("http://{address}"), address, stop, task })
    }

    /// Serves until the task is ended from outside.
    pub async fn forever(mut self) {
        drop((&mut self.task).await);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}
