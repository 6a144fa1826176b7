//! What every request goes through: recognition, misfortune, the routes, the record.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tower::Service;

use super::App;
use super::ask::Ask;
use super::faults::Effect;
use super::identity::Caller;
use super::requests::Seen;
use super::{reply, routes};

/// The simulated server as a plain tower service; clones share the server.
#[derive(Clone)]
pub(super) struct ControlHub(pub(super) Arc<App>);

impl std::fmt::Debug for ControlHub {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ControlHub")
    }
}

impl Service<Request> for ControlHub {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let app = Arc::clone(&self.0);
        Box::pin(async move { Ok(answer(&app, request).await) })
    }
}

async fn answer(app: &Arc<App>, request: Request) -> Response {
    let Some(mut ask) = Ask::read(request).await else {
        return reply::dropped();
    };
    let caller = if routes::is_login(&ask) { None } else { Some(app.identity.recognise(&ask)) };
    let uri = ask.uri.to_string();
    let traits = routes::traits(app, &ask, &uri);
    let effect = app.faults.strike(&traits);
    let effect = effect.cloned();
    match &effect {
        Some(Effect::Lag(writes)) => ask.lag = *writes,
        Some(Effect::Meddle(patch)) => routes::meddle(app, &traits, patch),
        _ => {}
    }
    let known = caller.as_ref().and_then(|found| found.as_ref().ok());
    let response = match effect.as_ref().and_then(|effect| instead(app, &ask, known, effect)) {
        Some(response) => response,
        None => match &caller {
            None => routes::forged(&ask).unwrap_or_else(|| routes::login(app, &ask)),
            Some(Ok(caller)) => routes::forged(&ask).unwrap_or_else(|| routes::dispatch(app, &ask, caller)),
            Some(Err(why)) => routes::forged(&ask).unwrap_or_else(|| routes::denied(app, &ask, *why)),
        },
    };
    let status = response.status().as_u16();
    app.requests.push(Seen::of(&ask, status, known.map(Caller::name), app.store.clock().now()));
    match effect {
        Some(Effect::Stall | Effect::StallAfter) => stalled(app).await,
        Some(effect) => spoiled(app, &effect, response),
        None => response,
    }
}

/// The answer of a misfortune that keeps the request from being done.
fn instead(app: &App, ask: &Ask, caller: Option<&Caller>, effect: &Effect) -> Option<Response> {
    let uri = ask.uri.to_string();
    let traits = routes::traits(app, ask, &uri);
    match effect {
        Effect::Status(status) => Some(routes::failure(ask, *status)),
        Effect::Throttle(throttle) => Some(routes::throttled(ask, throttle.retry_after)),
        Effect::Conflict => Some(routes::conflict(&traits)),
        Effect::Forbid => Some(routes::forbidden(caller, &traits)),
        Effect::Gone => Some(routes::gone(app, ask)),
        Effect::Html => Some(reply::page()),
        Effect::DropBefore | Effect::Stall => Some(reply::dropped()),
        Effect::DropAfter
        | Effect::StallAfter
        | Effect::Truncate
        | Effect::Garble
        | Effect::BufferWatch
        | Effect::CloseWatch
        | Effect::Lag(_)
        | Effect::Meddle(_) => None,
    }
}

/// No answer, until the server ends.
async fn stalled(app: &App) -> Response {
    app.stop.cancelled().await;
    reply::dropped()
}

/// The answer as a misfortune on its way leaves it.
fn spoiled(app: &Arc<App>, effect: &Effect, response: Response) -> Response {
    match effect {
        Effect::DropAfter => reply::dropped(),
        Effect::Garble => replaced(response, Body::from("\u{1f}\u{8b}{\"kind\": \"Dep")),
        Effect::Truncate => map_stream(response, |body| {
            body.take(1).flat_map(|chunk| {
                let half = chunk.map(|chunk| chunk.slice(..chunk.len() / 2)).map_err(broken);
                stream::iter([half, Err(broken("the connection broke"))])
            })
        }),
        Effect::CloseWatch => map_stream(response, |body| body.take(1)),
        Effect::BufferWatch => {
            let stop = app.stop.clone();
            let (parts, body) = response.into_parts();
            let held = stream::once(async move {
                tokio::select! {
                    whole = body.collect() => whole.map(http_body_util::Collected::to_bytes),
                    () = stop.cancelled() => Ok(Bytes::new()),
                }
            });
            Response::from_parts(parts, Body::from_stream(held))
        }
        _ => response,
    }
}

fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, error)
}

fn replaced(response: Response, body: Body) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

fn map_stream<S, E>(response: Response, change: impl FnOnce(BodyDataStream) -> S) -> Response
where
    S: stream::Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<axum::BoxError> + 'static,
{
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from_stream(change(body.into_data_stream())))
}
