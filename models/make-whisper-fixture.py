#!/usr/bin/env python3
"""Makes the small Whisper that the tests of src/hearing run: random weights, real shape, ONNX files as users have them.

Usage: make-whisper-fixture.py FOLDER [--shape small|tiny] [--seed N]
  small  two layers of 64, for the parity test (the expected tokens lie in src/hearing/fixtures/whisper.json)
  tiny   the size of Whisper tiny (four layers of 384, 51,865 tokens), for measuring speed

Needs numpy and onnx, nothing else. The weights come from a seeded generator whose stream numpy has promised to keep, so
every machine makes the same model; make-whisper-expected.py runs that very model in transformers.
FOLDER gets three exports: with-past/ (decoder and decoder_with_past), merged/ (one decoder with a switch), and
plain/ (a decoder without a cache).
"""

import argparse
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as Type
from onnx import helper

OPSET = 14
SEED = 29
LANGUAGES = ["en", "zh", "de", "es", "ru", "fr", "pt", "tr", "pl", "ar", "hi", "sw"]
TIMESTAMPS = 1501
MOST_TARGETS = 448
SOURCES = 1500
TEXT = """
The library keeps the letters of the town in the order in which they came. Whoever wants to read one asks at the desk,
and the keeper of the letters brings it, with the list of those who read it before. In the winter the reading room is
warm, and the older people come there to talk about the harvest, the price of wood and the roads over the mountain.
Nobody remembers who built the tower. There is a stone above the door with a year in it, but the year is hard to read.
"""


class Shape:
    """Sizes of a model."""

    def __init__(self, width, heads, layers, inner, mels, merges, padding):
        self.width, self.heads, self.layers, self.inner, self.mels = width, heads, layers, inner, mels
        self.merges, self.padding = merges, padding


SHAPES = {"small": Shape(64, 4, 2, 128, 80, 244, 0), "tiny": Shape(384, 6, 4, 1536, 80, 244, 49744)}


# ---------------------------------------------------------------- vocabulary

def alphabet():
    """The printable letter that stands for each byte in byte-level BPE, as GPT-2 defined it."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, next_free = {}, 256
    for byte in range(256):
        if byte in plain:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(next_free)
            next_free += 1
    return letters


def learn_merges(count):
    """Byte pair encoding over the little text above; ties go to the pair that sorts first."""
    letters = alphabet()
    words = [[letters[b] for b in f" {word}".encode()] for word in TEXT.split()]
    merges = []
    while len(merges) < count:
        pairs = {}
        for word in words:
            for pair in zip(word, word[1:]):
                pairs[pair] = pairs.get(pair, 0) + 1
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for index, word in enumerate(words):
            out, at = [], 0
            while at < len(word):
                if tuple(word[at : at + 2]) == best:
                    out.append(word[at] + word[at + 1])
                    at += 2
                else:
                    out.append(word[at])
                    at += 1
            words[index] = out
    return merges


class Vocabulary:
    """Text tokens, then the special ones in Whisper's order."""

    def __init__(self, shape):
        self.merges = learn_merges(shape.merges)
        texts = [alphabet()[b] for b in range(256)] + [a + b for a, b in self.merges]
        texts += [f"padding{n}" for n in range(shape.padding)]
        self.texts = {text: n for n, text in enumerate(dict.fromkeys(texts))}
        names = ["<|endoftext|>", "<|startoftranscript|>"] + [f"<|{code}|>" for code in LANGUAGES]
        names += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>"]
        names += ["<|notimestamps|>"] + [f"<|{n * 0.02:.2f}|>" for n in range(TIMESTAMPS)]
        self.special = {name: len(self.texts) + n for n, name in enumerate(names)}
        self.size = len(self.texts) + len(names)

    def tokenizer(self):
        added = [
            {"id": n, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
             "special": not name[2].isdigit()}
            for name, n in self.special.items()
        ]
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        model = {"type": "BPE", "dropout": None, "unk_token": "", "continuing_subword_prefix": "",
                 "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "vocab": self.texts,
                 "merges": [f"{a} {b}" for a, b in self.merges]}
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
                "pre_tokenizer": level, "post_processor": None, "decoder": level, "model": model}


def configs(shape, vocabulary):
    """config.json, generation_config.json and preprocessor_config.json."""
    s = vocabulary.special
    end, start = s["<|endoftext|>"], s["<|startoftranscript|>"]
    space = vocabulary.texts[alphabet()[32]]
    config = {
        "model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "vocab_size": vocabulary.size,
        "num_mel_bins": shape.mels, "d_model": shape.width, "encoder_layers": shape.layers,
        "decoder_layers": shape.layers, "encoder_attention_heads": shape.heads, "decoder_attention_heads": shape.heads,
        "encoder_ffn_dim": shape.inner, "decoder_ffn_dim": shape.inner, "max_source_positions": SOURCES,
        "max_target_positions": MOST_TARGETS, "activation_function": "gelu", "scale_embedding": False,
        "is_encoder_decoder": True, "pad_token_id": end, "bos_token_id": end, "eos_token_id": end,
        "decoder_start_token_id": start, "tie_word_embeddings": True,
    }
    generation = {
        "begin_suppress_tokens": [space, end], "bos_token_id": end, "decoder_start_token_id": start,
        "eos_token_id": end, "is_multilingual": True, "max_initial_timestamp_index": 50, "max_length": MOST_TARGETS,
        "lang_to_id": {f"<|{code}|>": s[f"<|{code}|>"] for code in LANGUAGES},
        "task_to_id": {"transcribe": s["<|transcribe|>"], "translate": s["<|translate|>"]},
        "no_timestamps_token_id": s["<|notimestamps|>"], "pad_token_id": end, "prev_sot_token_id": s["<|startofprev|>"],
        "return_timestamps": False,
        "suppress_tokens": [1, 2, 7, 8, 9, 10, 14, 25, s["<|translate|>"], s["<|transcribe|>"], s["<|startoflm|>"],
                            s["<|startofprev|>"], s["<|nospeech|>"], start],
    }
    features = {
        "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": shape.mels,
        "hop_length": 160, "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000, "padding_side": "right",
        "padding_value": 0.0, "processor_class": "WhisperProcessor", "return_attention_mask": False,
        "sampling_rate": 16000,
    }
    return config, generation, features


# ------------------------------------------------------------------- weights

def linear(out, name, inputs, outputs, draw, scale, bias=True):
    out[f"{name}.weight"] = draw((outputs, inputs), scale / np.sqrt(inputs))
    if bias:
        out[f"{name}.bias"] = draw((outputs,), 0.02)


def norm(out, name, width, draw, signs=False):
    weight = 1.0 + draw((width,), 0.1)
    # Signs at the very end keep a tied output from naming the token that just went in.
    out[f"{name}.weight"] = (weight * np.sign(draw((width,), 1.0))).astype(np.float32) if signs else weight
    out[f"{name}.bias"] = draw((width,), 0.02)


def attention(out, name, width, draw, sharp, loud):
    linear(out, f"{name}.q_proj", width, width, draw, sharp)
    linear(out, f"{name}.k_proj", width, width, draw, sharp, bias=False)
    linear(out, f"{name}.v_proj", width, width, draw, 1.0)
    linear(out, f"{name}.out_proj", width, width, draw, loud)


def block(out, name, shape, draw, cross):
    attention(out, f"{name}.self_attn", shape.width, draw, 1.2, 0.8)
    norm(out, f"{name}.self_attn_layer_norm", shape.width, draw)
    if cross:
        attention(out, f"{name}.encoder_attn", shape.width, draw, 2.0, 1.5)
        norm(out, f"{name}.encoder_attn_layer_norm", shape.width, draw)
    linear(out, f"{name}.fc1", shape.width, shape.inner, draw, 2.5)
    linear(out, f"{name}.fc2", shape.inner, shape.width, draw, 3.0)
    norm(out, f"{name}.final_layer_norm", shape.width, draw)


def sinusoids(length, width):
    steps = np.exp(-np.log(10000.0) / (width // 2 - 1) * np.arange(width // 2))
    angles = np.arange(length)[:, None] * steps[None, :]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def weights(shape, vocabulary, seed=SEED):
    """Every weight by its name in transformers.

    The scales are chosen so that tokens vary, depend on the sound, and end now and then: a random model left to
    itself says one token for ever, and then a wrong cache or a wrong rule would not be seen.
    """
    random = np.random.RandomState(seed)

    def draw(size, scale):
        return (random.standard_normal(size) * scale).astype(np.float32)

    out = {}
    width, s = shape.width, vocabulary.special
    for name, inputs in (("conv1", shape.mels), ("conv2", width)):
        out[f"model.encoder.{name}.weight"] = draw((width, inputs, 3), 1.5 / np.sqrt(inputs * 3))
        out[f"model.encoder.{name}.bias"] = draw((width,), 0.02)
    out["model.encoder.embed_positions.weight"] = sinusoids(SOURCES, width)
    for layer in range(shape.layers):
        block(out, f"model.encoder.layers.{layer}", shape, draw, cross=False)
    norm(out, "model.encoder.layer_norm", width, draw)
    tokens = draw((vocabulary.size, width), 0.5)
    # 1,501 timestamps together must not outweigh the text at every step, nor never.
    first = s["<|notimestamps|>"] + 1
    tokens[first:] *= 0.62
    tokens[first:] += tokens[first - 2] * 0.12
    tokens[s["<|endoftext|>"]] *= 1.7
    out["model.decoder.embed_tokens.weight"] = tokens
    out["model.decoder.embed_positions.weight"] = draw((MOST_TARGETS, width), 1.0)
    for layer in range(shape.layers):
        block(out, f"model.decoder.layers.{layer}", shape, draw, cross=True)
    norm(out, "model.decoder.layer_norm", width, draw, signs=True)
    return out


# -------------------------------------------------------------------- graphs

class Graph:
    """Nodes under construction; weights are shared between the graphs of a model."""

    def __init__(self, data, shape, prefix=""):
        self.data, self.shape, self.prefix = data, shape, prefix
        self.nodes, self.tensors = [], {}

    def op(self, kind, *inputs, out=None, **attributes):
        name = out or f"{self.prefix}{kind.lower()}_{len(self.nodes)}"
        label = f"{self.prefix}/{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=label, **attributes))
        return name

    def const(self, value):
        array = np.asarray(value)
        name = f"c_{array.dtype}_{'_'.join(map(str, array.shape))}_{'_'.join(str(v) for v in array.ravel())}"
        self.tensors[name] = array
        return name

    def ints(self, *values):
        return self.const(np.array(values, dtype=np.int64))

    def real(self, value):
        return self.const(np.float32(value))

    def weight(self, name, turned=False):
        self.tensors[name + ("^T" if turned else "")] = self.data[name].T if turned else self.data[name]
        return name + ("^T" if turned else "")

    def linear(self, x, name, bias=True):
        y = self.op("MatMul", x, self.weight(f"{name}.weight", turned=True))
        return self.op("Add", y, self.weight(f"{name}.bias")) if bias else y

    def norm(self, x, name):
        centred = self.op("Sub", x, self.op("ReduceMean", x, axes=[-1], keepdims=1))
        variance = self.op("ReduceMean", self.op("Pow", centred, self.real(2.0)), axes=[-1], keepdims=1)
        y = self.op("Div", centred, self.op("Sqrt", self.op("Add", variance, self.real(1e-5))))
        return self.op("Add", self.op("Mul", y, self.weight(f"{name}.weight")), self.weight(f"{name}.bias"))

    def gelu(self, x):
        y = self.op("Add", self.op("Erf", self.op("Div", x, self.real(np.sqrt(2.0)))), self.real(1.0))
        return self.op("Mul", self.op("Mul", x, y), self.real(0.5))

    def split(self, x, length):
        """[1, T, width] to [1, heads, T, width of a head]."""
        heads, each = self.shape.heads, self.shape.width // self.shape.heads
        return self.op("Transpose", self.op("Reshape", x, self.ints(0, length, heads, each)), perm=[0, 2, 1, 3])

    def keys(self, x, name, out=None):
        k = self.split(self.linear(x, f"{name}.k_proj", bias=False), -1)
        v = self.split(self.linear(x, f"{name}.v_proj"), -1)
        return [self.op("Identity", a, out=f"{out}.{b}") if out else a for a, b in ((k, "key"), (v, "value"))]

    def attend(self, x, k, v, name, mask=None):
        scale = (self.shape.width // self.shape.heads) ** -0.5
        q = self.split(self.op("Mul", self.linear(x, f"{name}.q_proj"), self.real(scale)), -1)
        scores = self.op("MatMul", q, self.op("Transpose", k, perm=[0, 1, 3, 2]))
        if mask:
            scores = self.op("Add", scores, mask)
        y = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        y = self.op("Reshape", self.op("Transpose", y, perm=[0, 2, 1, 3]), self.ints(0, -1, self.shape.width))
        return self.linear(y, f"{name}.out_proj")

    def inner(self, x, name):
        y = self.norm(x, f"{name}.final_layer_norm")
        return self.op("Add", x, self.linear(self.gelu(self.linear(y, f"{name}.fc1")), f"{name}.fc2"))

    def model(self, name, inputs, outputs):
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.initializers())
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        onnx.checker.check_model(made)
        return made

    def initializers(self):
        return [onnx.numpy_helper.from_array(np.array(a, order="C"), n) for n, a in self.tensors.items()]


def value(name, kind, *dims):
    return helper.make_tensor_value_info(name, kind, list(dims))


def encoder(data, shape):
    g = Graph(data, shape)
    x = "input_features"
    for name, stride in (("conv1", 1), ("conv2", 2)):
        full = f"model.encoder.{name}"
        x = g.op("Conv", x, g.weight(f"{full}.weight"), g.weight(f"{full}.bias"), kernel_shape=[3], pads=[1, 1],
                 strides=[stride])
        x = g.gelu(x)
    x = g.op("Add", g.op("Transpose", x, perm=[0, 2, 1]), g.weight("model.encoder.embed_positions.weight"))
    for layer in range(shape.layers):
        name = f"model.encoder.layers.{layer}"
        y = g.norm(x, f"{name}.self_attn_layer_norm")
        x = g.op("Add", x, g.attend(y, *g.keys(y, f"{name}.self_attn"), f"{name}.self_attn"))
        x = g.inner(x, name)
    x = g.norm(x, "model.encoder.layer_norm")
    g.op("Identity", x, out="last_hidden_state")
    return g.model("encoder", [value("input_features", Type.FLOAT, "batch_size", shape.mels, 2 * SOURCES)],
                   [value("last_hidden_state", Type.FLOAT, "batch_size", SOURCES, shape.width)])


def causal(g, length):
    at = g.op("Range", g.const(np.int64(0)), length, g.const(np.int64(1)))
    later = g.op("Less", g.op("Unsqueeze", at, g.ints(1)), g.op("Unsqueeze", at, g.ints(0)))
    return g.op("Where", later, g.real(-3.0e38), g.real(0.0))


def decode(g, cached, with_keys):
    """The nodes of one step. Gives the names of logits and of the keys and values that go out."""
    length = g.op("Gather", g.op("Shape", "input_ids"), g.const(np.int64(1)), axis=0)
    if cached:
        begin = g.op("Gather", g.op("Shape", "past_key_values.0.decoder.key"), g.const(np.int64(2)), axis=0)
    else:
        begin = g.const(np.int64(0))
    places = g.op("Range", begin, g.op("Add", begin, length), g.const(np.int64(1)))
    x = g.op("Gather", g.weight("model.decoder.embed_tokens.weight"), "input_ids", axis=0)
    x = g.op("Add", x, g.op("Gather", g.weight("model.decoder.embed_positions.weight"), places, axis=0))
    mask = None if cached else causal(g, length)
    present = []
    for layer in range(g.shape.layers):
        name, past = f"model.decoder.layers.{layer}", f"past_key_values.{layer}"
        y = g.norm(x, f"{name}.self_attn_layer_norm")
        own = g.keys(y, f"{name}.self_attn")
        if cached:
            own = [g.op("Concat", f"{past}.decoder.{part}", new, axis=2) for part, new in zip(("key", "value"), own)]
        x = g.op("Add", x, g.attend(y, *own, f"{name}.self_attn", mask))
        y = g.norm(x, f"{name}.encoder_attn_layer_norm")
        far = [f"{past}.encoder.key", f"{past}.encoder.value"]
        if not cached:
            far = g.keys("encoder_hidden_states", f"{name}.encoder_attn")
        x = g.op("Add", x, g.attend(y, *far, f"{name}.encoder_attn"))
        x = g.inner(x, name)
        present.append((layer, own, far))
    x = g.norm(x, "model.decoder.layer_norm")
    logits = g.op("MatMul", x, g.weight("model.decoder.embed_tokens.weight", turned=True))
    outputs = [("logits", logits)]
    for layer, own, far in present if with_keys else []:
        outputs += [(f"present.{layer}.decoder.{part}", n) for part, n in zip(("key", "value"), own)]
        outputs += [(f"present.{layer}.encoder.{part}", n) for part, n in zip(("key", "value"), far)]
    return outputs


def logits_value(vocabulary):
    return value("logits", Type.FLOAT, "batch_size", "decoder_sequence_length", vocabulary.size)


def cache_values(shape, prefix, sides):
    each = shape.width // shape.heads
    lengths = {"decoder": "past_decoder_sequence_length", "encoder": "encoder_sequence_length_out"}
    return [value(f"{prefix}.{layer}.{side}.{part}", Type.FLOAT, "batch_size", shape.heads, lengths[side], each)
            for layer in range(shape.layers) for side in sides for part in ("key", "value")]


def first_decoder(data, shape, vocabulary, with_keys):
    g = Graph(data, shape)
    for wanted, name in decode(g, cached=False, with_keys=with_keys):
        g.op("Identity", name, out=wanted)
    inputs = [value("input_ids", Type.INT64, "batch_size", "decoder_sequence_length"),
              value("encoder_hidden_states", Type.FLOAT, "batch_size", "encoder_sequence_length", shape.width)]
    keys = cache_values(shape, "present", ("decoder", "encoder")) if with_keys else []
    return g.model("decoder", inputs, [logits_value(vocabulary), *keys])


def next_decoder(data, shape, vocabulary):
    g = Graph(data, shape)
    outputs = [(w, n) for w, n in decode(g, cached=True, with_keys=True) if ".encoder." not in w]
    for wanted, name in outputs:
        g.op("Identity", name, out=wanted)
    inputs = [value("input_ids", Type.INT64, "batch_size", 1)]
    inputs += cache_values(shape, "past_key_values", ("decoder", "encoder"))
    keys = cache_values(shape, "present", ("decoder",))
    return g.model("decoder_with_past", inputs, [logits_value(vocabulary), *keys])


def branch(g, outputs, cached):
    """One side of the switch. With a cache the encoder's keys come out as empty stand-ins, as exporters do it."""
    values = []
    for wanted, name in outputs:
        if cached and ".encoder." in wanted:
            each = g.shape.width // g.shape.heads
            name = g.const(np.zeros((0, g.shape.heads, 1, each), dtype=np.float32))
        out = g.op("Identity", name, out=f"{g.prefix}{wanted}")
        values.append(helper.make_tensor_value_info(out, Type.FLOAT, None))
    return helper.make_graph(g.nodes, g.prefix.strip("_"), [], values)


def merged_decoder(data, shape, vocabulary):
    g = Graph(data, shape)
    sides = []
    for cached in (True, False):
        part = Graph(data, shape, prefix="past_" if cached else "first_")
        sides.append(branch(part, decode(part, cached, with_keys=True), cached))
        g.tensors.update(part.tensors)
    keys = cache_values(shape, "present", ("decoder", "encoder"))
    names = ["logits"] + [k.name for k in keys]
    g.nodes.append(helper.make_node("If", ["use_cache_branch"], names, name="switch", then_branch=sides[0],
                                    else_branch=sides[1]))
    inputs = [value("input_ids", Type.INT64, "batch_size", "decoder_sequence_length"),
              value("encoder_hidden_states", Type.FLOAT, "batch_size", "encoder_sequence_length", shape.width)]
    inputs += cache_values(shape, "past_key_values", ("decoder", "encoder"))
    inputs.append(value("use_cache_branch", Type.BOOL, 1))
    return g.model("decoder_merged", inputs, [logits_value(vocabulary), *keys])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--shape", choices=sorted(SHAPES), default="small")
    arguments.add_argument("--seed", type=int, default=SEED)
    given = arguments.parse_args()
    shape = SHAPES[given.shape]
    vocabulary = Vocabulary(shape)
    data = weights(shape, vocabulary, given.seed)
    made = {"encoder_model.onnx": encoder(data, shape)}
    exports = {
        "with-past": {"decoder_model.onnx": first_decoder(data, shape, vocabulary, with_keys=True),
                      "decoder_with_past_model.onnx": next_decoder(data, shape, vocabulary)},
        "merged": {"decoder_model_merged.onnx": merged_decoder(data, shape, vocabulary)},
        "plain": {"decoder_model.onnx": first_decoder(data, shape, vocabulary, with_keys=False)},
    }
    names = ("config.json", "generation_config.json", "preprocessor_config.json")
    texts = dict(zip(names, configs(shape, vocabulary)), **{"tokenizer.json": vocabulary.tokenizer()})
    for export, decoders in exports.items():
        folder = given.folder / export
        folder.mkdir(parents=True, exist_ok=True)
        for name, model in {**made, **decoders}.items():
            onnx.save(model, str(folder / name))
        for name, text in texts.items():
            (folder / name).write_text(json.dumps(text, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"{given.folder}: {vocabulary.size} tokens, {sum(a.size for a in data.values()):,} weights")


if __name__ == "__main__":
    main()
