//! `metrics`: the daemon's metrics as text.

use framepack_ipc::{ErrorEnvelope, control::Response};

use super::Service;

impl Service {
    pub(super) async fn metrics(&self) -> Result<Response, ErrorEnvelope> {
        let text = self.metrics.text().await?;
        Ok(Response::Metrics { text })
    }
}
