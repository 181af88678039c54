//! Reaching the appliance: one on another machine, the running one of a data folder, or the folder opened here.

use std::path::Path;

use anyhow::{Context, Result, bail};
use lectern_server::{Embedded, Serving};

use crate::args::Place;
use crate::client::Client;

/// An appliance that answers; an embedded one ends with this.
pub struct Connection {
    pub client: Client,
    embedded: Option<Embedded>,
}

impl Connection {
    pub fn open(place: &Place) -> Result<Self> {
        if let Some(url) = &place.url {
            let authority =
                place.authority.as_deref().map(std::fs::read).transpose().context("--authority")?;
            let client = Client::new(url, place.key.as_deref().unwrap_or_default(), authority.as_deref())?;
            return Ok(Self { client, embedded: None });
        }
        if let Some(serving) = Serving::of(&place.data)? {
            let client =
                Client::new(&serving.url, &serving.token, serving.authority.as_deref().map(str::as_bytes))?;
            return Ok(Self { client, embedded: None });
        }
        Self::open_folder(&place.data, place.config.as_deref())
    }

    fn open_folder(data: &Path, config: Option<&Path>) -> Result<Self> {
        if !data.join("control.db").exists() && !data.as_os_str().is_empty() && data.is_file() {
            bail!("{} is a file, not a data folder", data.display());
        }
        let config = lectern_server::load_config(data, config, &[])?;
        let embedded = Embedded::start(data, config)?;
        let client = Client::new(&embedded.serving().url, &embedded.serving().token, None)?;
        Ok(Self { client, embedded: Some(embedded) })
    }

    /// Ends an embedded appliance in order: jobs at a checkpoint, index and databases closed.
    pub fn close(self) -> Result<()> {
        match self.embedded {
            Some(embedded) => embedded.stop(),
            None => Ok(()),
        }
    }
}

/// Runs `work` on the appliance of `place`.
pub fn with<T>(place: &Place, work: impl FnOnce(&Client) -> Result<T>) -> Result<T> {
    let connection = Connection::open(place)?;
    let outcome = work(&connection.client);
    connection.close()?;
    outcome
}
