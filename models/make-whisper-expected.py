#!/usr/bin/env python3
"""Runs the small Whisper of make-whisper-fixture.py in transformers and writes down what it says.

Usage: make-whisper-expected.py SPEECH OUT.json [--seed N]
  SPEECH  the folder with the speech clips named below (each clip that is not there is left out)
  OUT     src/hearing/fixtures/whisper.json; for another seed expected.json in that model's folder

Needs torch and transformers (made with 4.44): for remaking the file only. The tests need neither.
"""

import argparse
import importlib.util
import json
import pathlib
import wave

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import (GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration)
from transformers.generation.logits_process import WhisperNoSpeechDetection

HERE = pathlib.Path(__file__).resolve().parent
RATE = 16000
NEW_TOKENS = 40
PROMPT = " The letters of the town, and the price of wood."
CLIPS = {
    "tones": [],
    "jfk": ["en/jfk.wav"],
    "cards": ["en/cards/005.wav"],
    "vosk": ["en/vosk_test.wav"],
    "russian": ["multi/silero_test.wav"],
    "long": ["en/jfk.wav", "en/vosk_test.wav", "en/librivox_austen-0880.wav", "en/librivox_austen-0890.wav",
             "en/librivox_austen-0920.wav", "en/cards/005.wav"],
}


def fixture():
    spec = importlib.util.spec_from_file_location("fixture", HERE / "make-whisper-fixture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tones():
    """Three seconds that anybody can make again: chords that change, and a click train. 16-bit values."""
    at = np.arange(3 * RATE)
    step = at // 4000
    sound = 6000 * np.sin(2 * np.pi * (200 + 50 * (step % 7)) * at / RATE)
    sound += 3000 * np.sin(2 * np.pi * (900 + 210 * (step % 5)) * at / RATE)
    sound += np.where(at % 1600 < 20, 4000, 0)
    return np.floor(sound + 0.5).astype(np.int16)


def read(path):
    with wave.open(str(path)) as clip:
        assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (1, 2, RATE), path
        return np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2")


def model_of(make, shape, seed):
    vocabulary = make.Vocabulary(shape)
    config, generation, _ = make.configs(shape, vocabulary)
    model = WhisperForConditionalGeneration(WhisperConfig(**config, attn_implementation="eager"))
    state = {name: torch.from_numpy(np.array(w)) for name, w in make.weights(shape, vocabulary, seed).items()}
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    model.load_state_dict(state)
    model.generation_config = GenerationConfig(**generation)
    return model.eval(), vocabulary


def figures(array):
    """A few values and sums that tell whether two arrays are the same."""
    flat = np.asarray(array, dtype=np.float64).ravel()
    places = [int(p) for p in np.linspace(0, flat.size - 1, 48)]
    return {"shape": list(np.shape(array)), "sum": float(flat.sum()), "squares": float((flat**2).sum()),
            "places": places, "values": [round(float(flat[p]), 7) for p in places]}


def run(model, features, prompt_length, **options):
    out = model.generate(features, language="en", task="transcribe", max_new_tokens=NEW_TOKENS, temperature=0.0,
                         return_dict_in_generate=True, output_scores=True, **options)
    tokens = out["sequences"][0][prompt_length:].tolist()
    end = model.generation_config.eos_token_id
    return tokens[: tokens.index(end)] if end in tokens else tokens


def average(model, features, tokens, timestamps):
    """Mean log probability of greedy tokens by transformers' own rule, and the chance that nobody speaks.

    Where the end was reached, transformers 4.44 shifts tokens against scores: such means are left out.
    """
    captured = {}
    own = type(model)._retrieve_avg_logprobs

    def listen(scores, chosen, end, temperature):
        captured["mean"] = float(own(scores, chosen, end, temperature))
        return own(scores, chosen, end, temperature)

    type(model)._retrieve_avg_logprobs = staticmethod(listen)
    silent = WhisperNoSpeechDetection.__call__

    def hear(self, ids, scores):
        result = silent(self, ids, scores)
        captured["no_speech"] = float(self.no_speech_prob[0])
        return result

    WhisperNoSpeechDetection.__call__ = hear
    model.generate(features, language="en", task="transcribe", max_new_tokens=NEW_TOKENS, temperature=0.0,
                   return_timestamps=timestamps, logprob_threshold=-100.0, no_speech_threshold=1.0)
    type(model)._retrieve_avg_logprobs = staticmethod(own)
    WhisperNoSpeechDetection.__call__ = silent
    if len(tokens) < NEW_TOKENS:
        del captured["mean"]
    return captured


def windows(model, extractor, sound):
    """A recording longer than a window: segments in milliseconds with their tokens."""
    features = extractor(sound, sampling_rate=RATE, return_tensors="pt", truncation=False, padding="longest")
    made = model.generate(features.input_features, attention_mask=None, language="en", task="transcribe",
                          return_timestamps=True, return_segments=True, max_new_tokens=NEW_TOKENS, temperature=0.0)
    return [{"start_ms": round(float(s["start"]) * 1000), "end_ms": round(float(s["end"]) * 1000),
             "tokens": s["tokens"].tolist()} for s in made["segments"][0]]


def clip_figures(model, vocabulary, extractor, sound):
    sound = sound.astype(np.float32) / 32768.0
    out = {}
    if len(sound) > 30 * RATE:
        return {"windows": windows(model, extractor, sound)}
    features = extractor(sound, sampling_rate=RATE, return_tensors="pt").input_features
    out["features"] = figures(features[0].numpy())
    special = vocabulary.special
    prompt = [special[f"<|{name}|>"] for name in ("startoftranscript", "en", "transcribe", "notimestamps")]
    with torch.no_grad():
        encoded = model.model.encoder(features).last_hidden_state
        out["encoded"] = figures(encoded[0].numpy())
        logits = model(encoder_outputs=(encoded,), decoder_input_ids=torch.tensor([prompt])).logits
        out["logits"] = figures(logits[0, -1].numpy())
        language = int(model.detect_language(features)[0])
        start = model(encoder_outputs=(encoded,), decoder_input_ids=torch.tensor([prompt[:1]])).logits[0, 0]
    out["language"] = next(c for c in sorted(special) if special[c] == language)[2:-2]
    out["languages"] = {c: float(start[special[f"<|{c}|>"]]) for c in fixture().LANGUAGES}
    for name, beams, stamps in (("greedy", 1, False), ("beam", 5, False), ("greedy_timestamps", 1, True),
                                ("beam_timestamps", 5, True)):
        length = 3 if stamps else 4
        options = {"num_beams": beams} if beams > 1 else {}
        out[name] = run(model, features, length, return_timestamps=stamps, **options)
    text = Tokenizer.from_str(json.dumps(vocabulary.tokenizer())).encode(PROMPT, add_special_tokens=False).ids
    said = torch.tensor([special["<|startofprev|>"], *text])
    out["prompted"] = run(model, features, 4 + len(said), return_timestamps=False, prompt_ids=said)
    out["mean"] = average(model, features, out["greedy"], False)
    out["mean_timestamps"] = average(model, features, out["greedy_timestamps"], True)
    return out


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("speech", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    make = fixture()
    arguments.add_argument("--seed", type=int, default=make.SEED)
    given = arguments.parse_args()
    model, vocabulary = model_of(make, make.SHAPES["small"], given.seed)
    extractor = WhisperFeatureExtractor(feature_size=80)
    out = {"made_with": "transformers 4.44.2", "new_tokens": NEW_TOKENS, "prompt": PROMPT, "clips": {}}
    for name, files in CLIPS.items():
        paths = [given.speech / f for f in files]
        if not all(p.exists() for p in paths):
            continue
        sound = np.concatenate([read(p) for p in paths]) if paths else tones()
        out["clips"][name] = {"files": files, **clip_figures(model, vocabulary, extractor, sound)}
    many = WhisperFeatureExtractor(feature_size=128)
    out["features_128"] = figures(many(tones().astype(np.float32) / 32768.0, sampling_rate=RATE).input_features[0])
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(out, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
