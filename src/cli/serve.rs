//! `lectern serve`.

use anyhow::Result;

use crate::args::ServeArgs;

pub fn run(arguments: &ServeArgs) -> Result<()> {
    let mut flags = Vec::new();
    if let Some(listen) = &arguments.listen {
        flags.push(("server", "listen", listen.clone()));
    }
    if arguments.insecure_http {
        flags.push(("server", "insecure_http", "true".to_owned()));
    }
    if let Some(wyoming) = &arguments.wyoming {
        flags.push(("wyoming", "listen", wyoming.clone()));
    }
    let config = lectern_server::load_config(&arguments.data, arguments.config.as_deref(), &flags)?;
    lectern_server::serve(&arguments.data, config)
}
