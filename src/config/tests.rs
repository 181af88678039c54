//! Every layer, and the words of every refusal.

use super::*;

fn load(file: &str, variables: &[(&str, &str)], flags: &[Flag<'_>]) -> Result<Config, String> {
    let dir = tempfile::tempdir().expect("folder");
    let path = dir.path().join("lectern.toml");
    std::fs::write(&path, file).expect("writes");
    let variables = variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    Config::from_layers(Some(&path), variables, flags)
        .map_err(|e| e.to_string().replace(&dir.path().display().to_string(), "DIR"))
}

#[test]
fn defaults_load_and_show_themselves() {
    let config = load("", &[], &[]).expect("defaults");
    let again: toml::Table = config.to_toml().parse().expect("valid");
    assert_eq!(again, layer::defaults());
}

#[test]
fn later_layers_win() {
    let file = "[server]\nlisten = \"10.0.0.1:1\"\nworkers = 3\n[upload]\nmax_size = \"1 GiB\"";
    let environment = [("LECTERN_SERVER_LISTEN", "10.0.0.2:2"), ("LECTERN_SERVER_TLS_NAMES", "a, b")];
    let config = load(file, &environment, &[("server", "listen", "10.0.0.3:3".into())]).expect("loads");
    assert_eq!(config.server.listen.to_string(), "10.0.0.3:3");
    assert_eq!(config.server.workers, 3);
    assert_eq!(config.server.tls_names, ["a", "b"]);
    assert_eq!(config.upload.max_size, ByteSize(1 << 30));
}

#[test]
fn mistakes_are_named_with_file_line_and_hint() {
    let error = |file: &str| load(file, &[], &[]).expect_err("refused");
    assert_eq!(
        error("\n[server]\nlisten = \"1.1.1.1:1\"\nlisen = 2"),
        "DIR/lectern.toml:4: there is no setting 'server.lisen'\n  hint: Did you mean 'listen'?"
    );
    assert_eq!(
        error("[servr]\nlisten = \"x\""),
        "DIR/lectern.toml:2: there is no section '[servr]'\n  hint: Did you mean '[server]'?"
    );
    assert!(
        error("[upload]\nmax_size = \"5 s\"")
            .starts_with("DIR/lectern.toml:2: upload.max_size: '5 s' is not a size")
    );
    assert!(error("[upload]\nmax_size = 5").contains("a unit is missing; write it as in \"512 MB\""));
    assert!(error("[server]\nworkers = \"two\"").contains("this is string, and integer is wanted"));
    assert!(error("[server\n").starts_with("DIR/lectern.toml:1:"));
    assert!(error("[server]\nlisten = \"nowhere\"").contains("socket address"));
    assert!(error("[speech]\nrate = 9000").contains("outside 80–450"));
}

#[test]
fn an_unknown_variable_stops_the_start() {
    let error = load("", &[("LECTERN_SERVER_LISTN", "x")], &[]).expect_err("refused");
    assert!(
        error.starts_with("environment variable LECTERN_SERVER_LISTN: there is no such setting"),
        "{error}"
    );
    let error = load("", &[("LECTERN_SERVER_WORKERS", "many")], &[]).expect_err("refused");
    assert!(error.contains("'many' is not a value for server.workers"), "{error}");
}
