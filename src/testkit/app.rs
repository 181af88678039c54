//! A running appliance that ends with the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::client::Client;

pub const PASSWORD: &str = "correct horse battery staple";
pub const EMAIL: &str = "ada@example.org";
const START: Duration = Duration::from_secs(60);

/// How an appliance is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Lines for `lectern.toml`.
    pub config: String,
    /// HTTPS with the made certificate instead of plain HTTP.
    pub https: bool,
}

/// A process of the binary with a data folder of its own.
pub struct TestApp {
    program: PathBuf,
    folder: TempDir,
    child: Option<Child>,
    options: Options,
    pub url: String,
    pub setup_code: Option<String>,
}

/// A command of the binary, without the environment's own settings.
pub fn lectern(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("LECTERN_DATA")
        .env_remove("LECTERN_CONFIG")
        .env_remove("LECTERN_TENANT")
        .env_remove("LECTERN_URL")
        .env_remove("LECTERN_KEY");
    command
}

impl TestApp {
    /// Starts on an empty folder.
    pub fn start(program: &str) -> Self {
        Self::start_with(program, Options::default())
    }

    pub fn start_with(program: &str, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut app = Self {
            program: program.into(),
            folder,
            child: None,
            options,
            url: String::new(),
            setup_code: None,
        };
        app.start_again();
        app
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the process on the same folder; the one before has ended.
    pub fn start_again(&mut self) {
        std::fs::write(self.data().join("lectern.toml"), &self.options.config).unwrap();
        let mut command = lectern(self.program.to_str().unwrap());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(self.data());
        if !self.options.https {
            command.arg("--insecure-http");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        self.child = Some(child);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        self.setup_code = None;
        let mut url = None;
        // The first line tells the address; after it comes what the data folder's state asks for.
        while let Ok(line) = told.recv_timeout(if url.is_some() { Duration::from_millis(300) } else { START })
        {
            if let Some(at) = line.split_once("is running: ") {
                url = Some(at.1.trim_end_matches('/').to_owned());
            }
            if let Some(code) = line.strip_prefix("setup code: ") {
                self.setup_code = Some(code.trim().to_owned());
            }
        }
        self.url = url.expect("the appliance tells its address");
    }

    /// Nobody in particular.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// The first administrator, signed in by cookie; sets the appliance up when that was not done.
    pub fn admin(&self) -> Client {
        let client = self.anonymous();
        let session = match &self.setup_code {
            Some(code) if client.get("/setup").expect(200)["needed"] == true => client
                .post("/setup", &json!({ "code": code, "name": "Ada", "email": EMAIL, "password": PASSWORD }))
                .expect(201),
            _ => client.post("/session", &json!({ "email": EMAIL, "password": PASSWORD })).expect(201),
        };
        client.with_csrf(session["csrf_token"].as_str().unwrap())
    }

    /// A program with an API key.
    pub fn machine(&self) -> Client {
        let scopes = ["*", "appliance.models"];
        let key = self.admin().post("/keys", &json!({ "name": "test", "scopes": scopes })).expect(201);
        self.anonymous().with_bearer(key["secret"].as_str().unwrap())
    }

    pub fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// SIGKILL, as a power cut.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; true when it ended by itself and in order.
    pub fn terminate(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        for _ in 0..600 {
            if let Some(status) = child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        child.kill().unwrap();
        false
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
