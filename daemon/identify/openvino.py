"""OpenVINO's IR: a graph as XML beside a file of bare weights that has the same name.

Source: "OpenVINO IR format" in its documentation. The weights have no mark: they are a model because of their
neighbour.
"""

from html import unescape

from modelwarden.daemon.identify.reading import claims, transformers_config
from modelwarden.daemon.identify.reading.damage import Damaged
from modelwarden.daemon.identify.reading.folder import Folder
from modelwarden.daemon.identify.reading.magicless import runs_code
from modelwarden.daemon.identify.reading.openvino_ir import Graph, graph_of
from modelwarden.daemon.identify.sniffer import BudgetSpentError, Format, Identity, Window

XML_LIMIT = 16 << 20
"""Bytes of a graph that are read: the largest real ones have some MiB."""
XML_STARTS = (b"<?xml", b"<net ", b"\xef\xbb\xbf<")
COMMON_NAMES = frozenset(("torch_jit", "main_graph", "tf2onnx"))
COMMON_STARTS, COMMON_ENDS = ("Model",), ("_Frontend_IR",)
"""What converters call every graph: `Model0`, `TensorFlow_Frontend_IR`."""


class OpenVino:
    """The IR format of OpenVINO."""

    name = "openvino"

    def recognises(self, head: bytes, size: int) -> bool:
        """By what nothing forbids: the weights are bare numbers, so that their name and neighbour have to tell."""
        return size > 0 and not runs_code(head)

    def identify(self, window: Window) -> Identity | None:
        """The identity of weights by the graph beside them, or of a graph itself."""
        stem, dot, suffix = window.name.rpartition(".")
        if dot and suffix.lower() == "bin":
            xml = window.beside.read(f"{stem}.xml", XML_LIMIT)
            graph = graph_of(xml) if xml else None
            return _identity(graph, xml, window.size, window.beside) if graph and xml else None
        if not window.read(0, 8).startswith(XML_STARTS):
            return None
        graph = graph_of(window.read(0, 4096))
        if graph is None:
            return None
        try:
            return _identity(graph, window.read(0, min(window.size, XML_LIMIT)), None, window.beside)
        except BudgetSpentError:
            return Identity(self.name, name=_name(graph.name), problem="it is larger than an inspection reads")


def _identity(graph: Graph, xml: bytes, weights_size: int | None, beside: Folder) -> Identity:
    complete, problem = False, None
    try:
        graph.read(xml)
        complete = True
        if weights_size is not None and graph.end > weights_size:
            problem = claims.cut_short(weights_size, graph.end)
    except Damaged as damage:
        problem = str(damage)
    tally = graph.tally
    config = transformers_config.read(beside) or transformers_config.Config()
    return Identity(
        OpenVino.name,
        name=_name(graph.name) or config.name,
        architecture=config.architecture,
        parameters=(tally.parameters or None) if complete else None,
        quantization=tally.dominant,
        problem=problem,
        tensor_types=tally.tensor_types,
    )


def _name(name: str | None) -> str | None:
    name = unescape(name) if name else None
    if name is None or name in COMMON_NAMES or name.endswith(COMMON_ENDS):
        return None
    return None if name.startswith(COMMON_STARTS) and name[5:].isdecimal() else name


FORMAT: Format = OpenVino()
