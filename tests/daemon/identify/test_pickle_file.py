"""Pickles: those of models are told by what they name, all others are generic, and other files are none."""

import bz2
import collections
import datetime
import gzip
import io
import pickle
import zlib
from collections.abc import Callable
from functools import partial
from struct import pack

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.limits import within_limits
from tests.models import Memory, mutations

from modelwarden.daemon.identify.pickle_file import FORMAT
from modelwarden.daemon.identify.reading.frameworks import PACKAGES
from modelwarden.daemon.identify.sniffer import Identity

FOREST = Identity("pickle", architecture="RandomForestClassifier")
GENERIC = Identity("pickle", generic=True)
PACKINGS = [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)]


def identify(data: bytes, name: str = "", size: int | None = None) -> Identity | None:
    """The identity by the format under test, `None` where it does not recognise the data."""
    window = Memory(data, name=name, size=size)
    return FORMAT.identify(window) if FORMAT.recognises(data[:64], window.size) else None


def fitted(model: object) -> object:
    """The model, trained on irises."""
    features, labels = load_iris(return_X_y=True)
    return model.fit(features, labels)  # type: ignore[attr-defined]


def dumped(value: object, compress: object = 0) -> bytes:
    """A file of joblib's."""
    stream = io.BytesIO()
    joblib.dump(value, stream, compress=compress)
    return stream.getvalue()


@pytest.fixture(scope="module")
def forest() -> object:
    """A trained forest of ten trees."""
    return fitted(RandomForestClassifier(10))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_the_estimator(forest: object, protocol: int) -> None:
    """A pickle of scikit-learn is a model, whatever its protocol: the class of the outermost estimator names it."""
    assert identify(pickle.dumps(forest, protocol), "forest.pkl") == FOREST


@pytest.mark.parametrize("compress", PACKINGS)
def test_reads_what_joblib_writes(forest: object, compress: object) -> None:
    """Arrays stand between the opcodes, and the whole may be packed."""
    assert identify(dumped(forest, compress), "forest.joblib") == FOREST


@pytest.mark.parametrize("compress", PACKINGS)
def test_steps_over_arrays(compress: object) -> None:
    """What stands behind the bytes of arrays, of objects, of text, of structures, is found as well."""
    structures = np.zeros(20, dtype=[("a", "f8"), ("b", "i4", (3,))])
    objects = np.array([{"x": np.zeros(9)}, None, "x"], dtype=object)
    mixed = np.zeros(3, dtype=[("a", "O"), ("b", "f8")])
    arrays = [np.arange(1000.0), objects, mixed, np.array(["a", "bcd"]), structures, np.zeros((0, 4)), np.float32(3)]
    data = dumped([arrays, fitted(LogisticRegression(max_iter=1000))], compress)
    assert identify(data, "m.joblib") == Identity("pickle", architecture="LogisticRegression")


def test_names_the_pipeline() -> None:
    """A pipeline is more than its steps."""
    model = fitted(make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)))
    assert identify(pickle.dumps(model)) == Identity("pickle", architecture="Pipeline")


class Network(torch.nn.Module):
    """A network of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 3)


def test_names_a_network_of_ones_own() -> None:
    """A module that plain pickle wrote is named by its class, not by that of its layers."""
    assert identify(pickle.dumps({"epoch": 1, "model": Network()})) == Identity("pickle", architecture="Network")


def test_tensors_are_a_model_without_a_name() -> None:
    """Weights alone do not say what they are weights of."""
    assert identify(pickle.dumps({"w": torch.zeros(5)})) == Identity("pickle")


def instance(module: str, name: str) -> bytes:
    """The pickle of an object of a class that need not be here."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b")\x81}X\1\0\0\0aK\1sb."


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("xgboost.sklearn", "XGBClassifier"),
        ("xgboost.core", "Booster"),
        ("lightgbm.sklearn", "LGBMRegressor"),
        ("catboost.core", "CatBoostClassifier"),
        ("keras.src.models.sequential", "Sequential"),
        ("transformers.models.bert.modeling_bert", "BertModel"),
        ("flax.core.frozen_dict", "FrozenDict"),
        ("gensim.models.word2vec", "Word2Vec"),
        ("statsmodels.regression.linear_model", "RegressionResultsWrapper"),
    ],
)
def test_knows_frameworks(module: str, name: str) -> None:
    """The classes of models of frameworks that have no format of their own, or not only."""
    assert identify(instance(module, name)) == Identity("pickle", architecture=name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("sklearn.utils._bunch", "Bunch"),
        ("xgboost.core", "DMatrix"),
        ("keras.preprocessing.text", "Tokenizer"),
        ("transformers.training_args", "TrainingArguments"),
        ("torch", "device"),
        ("sklearnish.svm", "SVC"),
        ("numpy.random", "Generator"),
        ("shop.orders", "Order"),
    ],
)
def test_what_is_no_model_is_generic(module: str, name: str) -> None:
    """Data, settings and text splitters of the same packages, and classes of any other trade."""
    assert identify(instance(module, name)) == GENERIC


VALUES = [
    dict.fromkeys(range(1000)),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    collections.Counter("abc"),
    np.arange(100.0),
    [1, "two", None],
    load_iris(),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "write", [partial(pickle.dumps, protocol=0), pickle.dumps, dumped, partial(dumped, compress=3)]
)
def test_plain_objects_are_generic(write: Callable[[object], bytes], value: object) -> None:
    """A pickle of anything else is one only in the hands of a program that learns."""
    assert identify(write(value), "data.pkl") == GENERIC


def test_several_pickles_in_a_file_are_generic() -> None:
    """`pickle.dump` may be called again and again."""
    assert identify(pickle.dumps([1, 2, 3]) + pickle.dumps({"a": 1})) == GENERIC


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04" + bytes(1000),
        b"\x80\x03\x00\x00",
        b"\x80\x02N.\x00\x01\x02",
        b"\x80\x04\x95" + b"\xff" * 100,
        b"\x80\x02]q\x00(K\x01K\x02e",
        b"\x80\x07N..",
        pickle.dumps(0x1950A86A20F9469CFC6C, 2) + bytes(100),
    ],
)
def test_other_binaries_are_no_pickles(data: bytes) -> None:
    """Two bytes at the start are no proof; a program that ends where the file does is."""
    assert identify(data, "noise.pkl") is None


@pytest.mark.parametrize("name", ["notes.txt", "data.bin", "", "a.pkl.txt"])
def test_takes_text_and_packed_files_by_their_name_only(forest: object, name: str) -> None:
    """Everybody packs, and every text begins with some letter: without the name it is not looked into."""
    assert identify(pickle.dumps(forest, 0), name) is None
    assert identify(dumped(forest, 3), name) is None


@pytest.mark.parametrize("text", ["I was here.", "(see below).", "cc dd\n", "N.\nB.", "Subject: x\n.", "(lp0\n"])
def test_text_is_no_pickle(text: str) -> None:
    """A text that somebody named like a pickle is none."""
    assert identify(text.encode() * 3, "notes.pkl") is None


def test_is_not_run() -> None:
    """A pickle that would end the process is walked over, not obeyed."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return exec, ("raise SystemExit('the pickle ran')",)

    assert identify(pickle.dumps(Evil())) == GENERIC


def test_cut_short_is_a_problem(forest: object) -> None:
    """A download that stopped behind the class is a model with a problem."""
    data = pickle.dumps(forest)
    identity = identify(data[: len(data) // 2] + b"x")
    assert identity is not None
    assert identity.architecture == "RandomForestClassifier"
    assert identity.problem is not None


def test_a_long_pickle_is_generic_with_a_problem() -> None:
    """What is longer than a walk may hold a model further on; that is said."""
    identity = identify(pickle.dumps(list(range(1_000_000))))
    assert identity == Identity("pickle", generic=True, problem="its pickle is longer than an inspection reads")


NUMBERS = pickle.dumps(list(range(2_000_000)))
BOMBS = {
    "zlib": zlib.compress(b"\x80\x04(" + bytes(200 << 20)),
    "gzip": gzip.compress(b"\x80\x04(" + b"N" * (200 << 20)),
    "bz2": bz2.compress(b"\x80\x04(" + b"N" * (50 << 20)),
    "packed numbers": zlib.compress(NUMBERS),
    "a packed stream that gives nothing": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\0\0\0\xff\xff" * 2_000_000,
    "xz with a dictionary of 4 GiB": b"\x5d\0\0" + pack("<IQ", 0xFFFFFFFF, 1 << 40) + bytes(1 << 20),
    "lz4": b"\x04\x22\x4d\x18\x60\x40\x82" + pack("<I", 1 << 20) + b"\x1fN\1\0" + b"\xff" * (1 << 20),
    "memo": b"\x80\x04N" + b"".join(b"r" + pack("<I", number) for number in range(400_000)),
    "long number": b"\x80\x02\x8b" + pack("<i", 2**31 - 1) + bytes(1 << 20),
    "huge bytes": b"\x80\x04\x8e" + pack("<Q", 1 << 60) + bytes(100),
    "tuple of tuples": b"\x80\x04N" + b"2\x86" * 200_000 + b"\x93.",
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs_are_small(data: bytes) -> None:
    """What claims to be huge, or is when it is unpacked, ends in time."""
    identity = within_limits(lambda: identify(data, "bomb.joblib"))
    assert identity is None or identity.generic


@settings(max_examples=300, deadline=3000)
@given(data=st.data())
@pytest.mark.parametrize("compress", [0, 3])
def test_survives_mutations(data: st.DataObject, compress: int) -> None:
    """Whatever is damaged, nothing is raised."""
    valid = dumped({"arrays": [np.arange(9.0), np.array([None])], "model": LogisticRegression()}, compress)
    identity = identify(data.draw(mutations(valid)), "m.joblib")
    assert identity is None or identity.format == "pickle"


def test_packages_are_named_as_they_are_imported() -> None:
    """The table is asked for the first part of a dotted name."""
    assert [name for name in PACKAGES if "." in name] == []
