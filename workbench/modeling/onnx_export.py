"""A trained model as ONNX, in fp32 and in int8, beside the files that transformers loads."""

from __future__ import annotations

import contextlib
import logging
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from workbench.errors import ModelUnavailable
from workbench.modeling import onnx_pipeline
from workbench.modeling.artifact import LoadedModel, answers_questions

OPSET = 20
"""The first with Gelu as one node; in parts it takes a third longer."""
RUNNER = "onnx_pipeline.py"


class _Tagging(torch.nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        return self.network(input_ids=input_ids, attention_mask=attention_mask).logits


class _Answering(torch.nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> Any:
        more = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.network(input_ids=input_ids, attention_mask=attention_mask, **more)
        return output.start_logits, output.end_logits


def export_onnx(model: LoadedModel, out: Path) -> None:
    """Write ``onnx/model.onnx``, ``onnx/model_int8.onnx`` and what runs them into an export's folder.

    The int8 model has 8-bit weights, one scale for each output channel, and quantises activations as it runs. Weights
    use 7 bits: on processors without VNNI, products of two full bytes would overflow. The classifier, the last and
    smallest product, stays as it is.

    Args:
        model: On the CPU.
        out: The export's folder.

    Raises:
        ModelUnavailable: The libraries are not installed, or this kind of model can't be exported.
    """
    try:
        import onnxruntime.quantization  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ModelUnavailable(
            f"an export to ONNX needs {error.name}, which is not installed",
            remedy="run pip install -e '.[onnx]' in the workbench's folder",
        ) from None
    if model.tokenizer.pads_left:
        raise ModelUnavailable(
            "models that are padded on the left can't be exported to ONNX", remedy="export without --onnx"
        )
    folder = out / onnx_pipeline.FOLDER
    folder.mkdir()
    full, small = (folder / name for name in onnx_pipeline.WEIGHTS.values())
    with _quiet():
        try:
            _export(model, full)
            _quantise(full, small)
        except Exception as error:  # the exporter raises whatever it meets in the model's code
            raise ModelUnavailable(
                f"this model can't be exported to ONNX ({type(error).__name__})",
                remedy="export without --onnx, or choose another base model",
            ) from error
    shutil.copyfile(onnx_pipeline.__file__, out / RUNNER)


def _export(model: LoadedModel, path: Path) -> None:
    ids = torch.full((2, 9), model.tokenizer.unknown_id, dtype=torch.long)
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    network: torch.nn.Module
    if answers_questions(model.task):
        network, outputs = _Answering(model.network), ["start_logits", "end_logits"]
        if model.tokenizer.uses_types:
            given["token_type_ids"] = torch.zeros_like(ids)
    else:
        network, outputs = _Tagging(model.network), ["logits"]
    free = torch.export.Dim.DYNAMIC
    shapes: dict[str, Any] = {name: {0: free, 1: free} for name in given}
    program = torch.onnx.export(
        network.eval(),
        (),
        kwargs=given,
        dynamo=True,
        input_names=list(given),
        output_names=outputs,
        dynamic_shapes=shapes,
        opset_version=OPSET,
        verbose=False,
    )
    assert program is not None
    program.save(str(path), external_data=False)
    _forget_origin(path)


def _forget_origin(path: Path) -> None:
    """Take out the stack traces that the exporter writes beside each node: they name this machine's folders."""
    import onnx

    written = onnx.load(path)
    for node in written.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for part in (*written.graph.value_info, *written.graph.input, *written.graph.output):
        del part.metadata_props[:]
    del written.graph.metadata_props[:], written.metadata_props[:]
    onnx.save(written, path)


def _quantise(full: Path, small: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(full, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    products = [
        node for node in graph.node if node.op_type in ("MatMul", "Gemm") and node.input[1] in weights
    ]
    quantize_dynamic(
        full,
        small,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        reduce_range=True,
        nodes_to_exclude=[products[-1].name],
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's advice: what it raises is not touched."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
