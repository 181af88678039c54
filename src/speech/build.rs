//! Packs eSpeak NG's voice data, which `espeak-rs-sys` compiled, into one file for the binary,
//! and keeps a static build free of the shared C++ library.

#![allow(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
#![allow(unsafe_code, reason = "asks the C library where its data is")]

use std::ffi::{CStr, c_char};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, ptr};

use sha2::{Digest, Sha256};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let raw = pack(&compiled_data());
    let digest = hex::encode(Sha256::digest(&raw));
    fs::write(out.join("voices.gz"), compress(&raw)).expect("OUT_DIR is writable");
    println!("cargo:rustc-env=LECTERN_VOICES_HASH={}", &digest[..16]);
    if env::var("CARGO_CFG_TARGET_FEATURE")
        .is_ok_and(|features| features.split(',').any(|f| f == "crt-static"))
    {
        link_cpp_statically(&out);
    }
}

/// The folder `espeak-ng-data` beside the library that this script is linked with: the library
/// carries the path it was installed to.
fn compiled_data() -> PathBuf {
    // SAFETY: the script has one thread, and nothing has read the environment through C yet.
    // Both variables would lead eSpeak to the data of the build machine.
    unsafe {
        env::remove_var("ESPEAK_DATA_PATH");
        env::remove_var("HOME");
    }
    let mut path: *const c_char = ptr::null();
    // SAFETY: a null path asks for the built-in one; `espeak_Info` gives a pointer to a static,
    // zero-terminated buffer.
    let folder = unsafe {
        espeak_rs_sys::espeak_ng_InitializePath(ptr::null());
        espeak_rs_sys::espeak_Info(&raw mut path);
        PathBuf::from(CStr::from_ptr(path).to_str().expect("the build folder's name is UTF-8"))
    };
    assert!(
        folder.join("phondata").is_file() && folder.join("en_dict").is_file(),
        "eSpeak NG's compiled voice data is missing in {}",
        folder.display()
    );
    folder
}

/// Every file as: length of name (u16), name, length of content (u32), content; little endian,
/// sorted by name, so that the same data gives the same bytes.
fn pack(folder: &Path) -> Vec<u8> {
    let mut names = Vec::new();
    collect(folder, folder, &mut names);
    names.retain(|name| !name.starts_with("lang/") || has_dictionary(folder, name));
    names.sort();
    let mut raw = Vec::new();
    for name in names {
        let content = fs::read(folder.join(&name)).expect("a listed file can be read");
        raw.extend(u16::try_from(name.len()).expect("short names").to_le_bytes());
        raw.extend(name.as_bytes());
        raw.extend(u32::try_from(content.len()).expect("small files").to_le_bytes());
        raw.extend(content);
    }
    raw
}

/// The crate brings a few voice files without their dictionary; such a voice would spell or be silent.
fn has_dictionary(folder: &Path, voice: &str) -> bool {
    let text = String::from_utf8_lossy(&fs::read(folder.join(voice)).expect("a listed file can be read"))
        .into_owned();
    let value = |key: &str| {
        text.lines().find_map(|line| line.split_once(char::is_whitespace).filter(|(name, _)| *name == key))
    };
    let named = value("dictionary").or_else(|| value("language")).map_or("", |(_, value)| value.trim());
    let language = named.split(['-', ' ']).next().unwrap_or_default();
    folder.join(format!("{language}_dict")).is_file()
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the data folder can be listed") {
        let path = entry.expect("the data folder can be listed").path();
        if path.is_dir() {
            collect(root, &path, names);
        } else if path.file_name().is_some_and(|name| name != "phondata-manifest") {
            let name = path.strip_prefix(root).expect("inside root").to_str().expect("UTF-8");
            names.push(name.to_owned());
        }
    }
}

fn compress(raw: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(raw).and_then(|()| encoder.finish()).expect("writing to memory")
}

/// `espeak-rs-sys` asks for libstdc++ as a shared library. A linker script of that name, found
/// before the real one, hands over the archive instead.
fn link_cpp_statically(out: &Path) {
    let target = env::var("TARGET").expect("cargo sets TARGET");
    let host = env::var("HOST").expect("cargo sets HOST");
    let own = format!("CXX_{}", target.replace('-', "_"));
    println!("cargo:rerun-if-env-changed={own}");
    println!("cargo:rerun-if-env-changed=CXX");
    let compiler = env::var(own).or_else(|_| env::var("CXX")).unwrap_or_else(|_| {
        if target == host { "c++".to_owned() } else { format!("{}-g++", target.replace("-unknown", "")) }
    });
    let answer = Command::new(&compiler)
        .arg("-print-file-name=libstdc++.a")
        .output()
        .unwrap_or_else(|error| panic!("the C++ compiler `{compiler}` does not start: {error}"));
    let archive = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    assert!(archive.is_absolute(), "`{compiler}` has no libstdc++.a; Debian's package g++ brings it");
    let folder = out.join("static-cpp");
    fs::create_dir_all(&folder).expect("OUT_DIR is writable");
    fs::write(folder.join("libstdc++.so"), format!("INPUT({})\n", archive.display()))
        .expect("OUT_DIR is writable");
    println!("cargo:rustc-link-search=native={}", folder.display());
}
