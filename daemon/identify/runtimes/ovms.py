"""OpenVINO Model Server.

Source: `docs/parameters.md` of openvinotoolkit/model_server.
"""

from modelwarden.daemon.identify.runtimes.reading.family import Family
from modelwarden.daemon.identify.runtimes.reading.launch import Launch
from modelwarden.daemon.identify.runtimes.runtime import Runtime

_OPTIONS = ("--config_path", "--model_path", "--model_name", "--model_repository_path", "--source_model", "--rest_port")

RUNTIME: Runtime = Family(
    name="ovms",
    launches=(Launch(names=("ovms",), options=_OPTIONS),),
    supporting=("libopenvino",),
    images=("openvino/model_server",),
)
