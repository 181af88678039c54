//! Reaching the appliance: one on another machine, the running one of a data folder, or the folder opened here.

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
            let token = token(&serving, place);
            let authority = serving.authority.as_deref().map(str::as_bytes);
            let client = Client::new(&serving.url, &token, authority)?;
            return Ok(Self { client, embedded: None });
        }
        Self::open_folder(place)
    }

    fn open_folder(place: &Place) -> Result<Self> {
        let (data, config) = (place.data.as_path(), place.config.as_deref());
        if !data.join("control.db").exists() && !data.as_os_str().is_empty() && data.is_file() {
            bail!("{} is a file, not a data folder", data.display());
        }
        let config = lectern_server::load_config(data, config, &[])?;
        let embedded = Embedded::start(data, config)?;
        let serving = embedded.serving();
        let client = Client::new(&serving.url, &token(serving, place), None)?;
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

/// The local token, with the tenant that is worked in.
fn token(serving: &Serving, place: &Place) -> String {
    let tenant = place.tenant.as_ref().map(|name| format!(":{name}"));
    format!("{}{}", serving.token, tenant.unwrap_or_default())
}

/// Runs `work` on the appliance of `place`.
pub fn with<T>(place: &Place, work: impl FnOnce(&Client) -> Result<T>) -> Result<T> {
    let connection = Connection::open(place)?;
    let outcome = work(&connection.client);
    connection.close()?;
    outcome
}
