//! The part of PocketSphinx's and sphinxbase's C interface that is used (version 5prealpha, as Debian packs it).

#![allow(unsafe_code, reason = "declares a C library")]

use std::ffi::{c_char, c_int, c_void};

/// Opaque handles of the library.
#[repr(C)]
pub(crate) struct Config {
    _private: [u8; 0],
}
#[repr(C)]
pub(crate) struct Decoder {
    _private: [u8; 0],
}
#[repr(C)]
pub(crate) struct Segments {
    _private: [u8; 0],
}
#[repr(C)]
pub(crate) struct NGrams {
    _private: [u8; 0],
}
#[repr(C)]
pub(crate) struct FrontEnd {
    _private: [u8; 0],
}
#[repr(C)]
pub(crate) struct LogMath {
    _private: [u8; 0],
}

unsafe extern "C" {
    pub(crate) fn err_set_callback(
        callback: Option<unsafe extern "C" fn(*mut c_void, c_int, *const c_char, ...)>,
        user: *mut c_void,
    );
    pub(crate) fn err_set_logfp(stream: *mut c_void);

    pub(crate) fn ps_args() -> *const c_void;
    pub(crate) fn cmd_ln_init(
        inout: *mut Config,
        definitions: *const c_void,
        strict: c_int,
        ...
    ) -> *mut Config;
    pub(crate) fn cmd_ln_free_r(config: *mut Config) -> c_int;

    pub(crate) fn ps_init(config: *mut Config) -> *mut Decoder;
    pub(crate) fn ps_free(decoder: *mut Decoder) -> c_int;
    pub(crate) fn ps_get_logmath(decoder: *mut Decoder) -> *mut LogMath;
    pub(crate) fn ps_add_word(
        decoder: *mut Decoder,
        word: *const c_char,
        phones: *const c_char,
        update: c_int,
    ) -> c_int;
    pub(crate) fn ps_set_lm(decoder: *mut Decoder, name: *const c_char, model: *mut NGrams) -> c_int;
    pub(crate) fn ps_set_search(decoder: *mut Decoder, name: *const c_char) -> c_int;
    pub(crate) fn ps_start_utt(decoder: *mut Decoder) -> c_int;
    pub(crate) fn ps_process_raw(
        decoder: *mut Decoder,
        data: *const i16,
        samples: usize,
        no_search: c_int,
        full_utterance: c_int,
    ) -> c_int;
    pub(crate) fn ps_get_config(decoder: *mut Decoder) -> *mut Config;
    pub(crate) fn ps_process_cep(
        decoder: *mut Decoder,
        cepstra: *mut *mut f32,
        frames: c_int,
        no_search: c_int,
        full_utterance: c_int,
    ) -> c_int;
    pub(crate) fn ps_end_utt(decoder: *mut Decoder) -> c_int;
    pub(crate) fn ps_seg_iter(decoder: *mut Decoder) -> *mut Segments;
    pub(crate) fn ps_seg_next(segments: *mut Segments) -> *mut Segments;
    pub(crate) fn ps_seg_word(segments: *mut Segments) -> *const c_char;
    pub(crate) fn ps_seg_frames(segments: *mut Segments, start: *mut c_int, end: *mut c_int);
    pub(crate) fn ps_seg_prob(
        segments: *mut Segments,
        acoustic: *mut i32,
        language: *mut i32,
        back_off: *mut i32,
    ) -> i32;

    pub(crate) fn fe_init_auto_r(config: *mut Config) -> *mut FrontEnd;
    pub(crate) fn fe_get_output_size(front: *mut FrontEnd) -> c_int;
    pub(crate) fn fe_start_utt(front: *mut FrontEnd) -> c_int;
    pub(crate) fn fe_process_frames(
        front: *mut FrontEnd,
        samples: *mut *const i16,
        count: *mut usize,
        cepstra: *mut *mut f32,
        frames: *mut i32,
        first: *mut i32,
    ) -> c_int;
    pub(crate) fn fe_free(front: *mut FrontEnd) -> c_int;

    pub(crate) fn ngram_model_read(
        config: *mut Config,
        file: *const c_char,
        kind: c_int,
        log_math: *mut LogMath,
    ) -> *mut NGrams;
    pub(crate) fn ngram_model_set_init(
        config: *mut Config,
        models: *mut *mut NGrams,
        names: *mut *mut c_char,
        weights: *const f32,
        count: i32,
    ) -> *mut NGrams;
    pub(crate) fn ngram_model_free(model: *mut NGrams) -> c_int;
    pub(crate) fn logmath_exp(log_math: *mut LogMath, value: c_int) -> f64;
}
