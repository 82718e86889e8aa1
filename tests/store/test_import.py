"""Files of other tools come in without loss."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from bioseq.errors import OptionError, StoreError
from bioseq.records import Record, refget_digest
from bioseq.store import check_store, content_digest, open_store
from bioseq.store.layouts import import_store

RECORDS = [
    Record("sp|P00001|ONE_HUMAN", "first protein", "ACDEF"),
    Record("tr|Q00002|TWO_HUMAN", "", "GH"),
    Record("plain.3/1-4", "x y", "IKLM"),
]
DIM = 4


def residue(record: Record, dtype: str = "f4") -> np.ndarray:
    rng = np.random.default_rng(len(record.sequence))
    return rng.standard_normal((len(record.sequence), DIM)).astype(dtype)


def pooled(record: Record) -> np.ndarray:
    return residue(record).mean(axis=0)


def md5(record: Record) -> str:
    return hashlib.md5(record.sequence.encode()).hexdigest()


def sha256(record: Record) -> str:
    return hashlib.sha256(f"{record.sequence}_{len(record.sequence)}".encode()).hexdigest()


def header(record: Record) -> str:
    return f"{record.id} {record.description}".rstrip()


def safe(text: str) -> str:
    return text.replace("/", "_").replace(".", "_")


def accession(record: Record) -> str:
    return record.id.split("|")[1] if "|" in record.id else record.id


def keyed(
    key: Callable[[Record], str],
    value: Callable[[Record], np.ndarray] = residue,
    *,
    original_id: bool = False,
    **options: object,
) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        for record in RECORDS:
            dataset = file.create_dataset(key(record), data=value(record), **options)
            if original_id:
                dataset.attrs["original_id"] = record.id

    return write


def biotrainer_database(file: h5py.File) -> None:
    for record in RECORDS:
        dataset = file.create_dataset(f"{sha256(record)}_prot_t5", data=pooled(record))
        dataset.attrs["sequence_hash"] = sha256(record)
        dataset.attrs["embedder_name"] = "prot_t5"


def numbered(file: h5py.File) -> None:
    for number, record in enumerate(RECORDS):
        file.create_dataset(str(number), data=residue(record)).attrs["original_id"] = record.id


def protspace(file: h5py.File) -> None:
    file.attrs["model_name"] = "esm2"
    for record in RECORDS:
        file.create_dataset(f"embeddings_set/{safe(accession(record))}", data=pooled(record))


def protembedder(file: h5py.File) -> None:
    file.attrs["per_residue"] = True
    file.create_dataset("headers", data=[header(r) for r in RECORDS], dtype=h5py.string_dtype())
    for record in RECORDS:
        name = header(record).replace("/", "|")
        file.create_dataset(f"embeddings/{name}", data=residue(record), compression="gzip")


def scikit_bio(file: h5py.File, *, loses_last: bool = True, is_pooled: bool = False) -> None:
    stop = -1 if loses_last else None
    ends = np.cumsum([len(r.sequence) for r in RECORDS]).astype(np.int32)
    values = [pooled(r)[np.newaxis] if is_pooled else residue(r) for r in RECORDS]
    file.attrs["format"] = "embedding"
    file.create_dataset("embedding", data=np.concatenate(values), compression="gzip")
    letters = "".join(r.sequence for r in RECORDS).encode()
    file.create_dataset("id", data=np.frombuffer(letters, np.uint8), compression="gzip")
    file.create_dataset("idptr", data=ends[:stop], compression="gzip")
    if is_pooled:
        file.create_dataset("embedding_ptr", data=np.arange(1, 4, dtype=np.int32)[:stop])


def one_embedding(file: h5py.File) -> None:
    file.attrs["metadata"] = json.dumps({"codec": "one"})
    for record in RECORDS:
        group = file.create_group(safe(accession(record)))
        group.attrs["seq_len"] = len(record.sequence)
        group.create_dataset("protein_vec", data=pooled(record))
        group.create_dataset("per_residue_bits", data=np.zeros((len(record.sequence), 1), "u1"))


RESIDUE_FILES = {
    "uniprot": ("id-keyed", keyed(accession, lambda r: residue(r, "f2"))),
    "prottrans": ("id-keyed", keyed(lambda r: safe(header(r)))),
    "eat": ("id-keyed", keyed(lambda r: safe(accession(r)))),
    "d-script": ("id-keyed", keyed(accession, lambda r: residue(r)[np.newaxis])),
    "bio_embeddings": ("bio_embeddings", keyed(md5, original_id=True)),
    "tmbed": ("bio_embeddings", keyed(md5, lambda r: residue(r, "f2"))),
    "numbered": ("bio_embeddings", numbered),
    "biotrainer": (
        "biotrainer",
        keyed(sha256, original_id=True, compression="gzip", chunks=True),
    ),
    "protembedder": ("protembedder", protembedder),
    "scikit-bio": ("scikit-bio", scikit_bio),
    "scikit-bio, mended": ("scikit-bio", lambda f: scikit_bio(f, loses_last=False)),
}
POOLED_FILES = {
    "uniprot": ("id-keyed", keyed(accession, pooled)),
    "protspace": ("id-keyed", protspace),
    "reduced": ("bio_embeddings", keyed(md5, pooled, original_id=True)),
    "reduced, no id": ("bio_embeddings", keyed(md5, pooled)),
    "biotrainer": ("biotrainer", keyed(sha256, pooled, original_id=True)),
    "biotrainer database": ("biotrainer-database", biotrainer_database),
    "scikit-bio": ("scikit-bio", lambda f: scikit_bio(f, is_pooled=True)),
    "one": ("one-embedding", one_embedding),
}


def write_foreign(tmp_path: Path, write: Callable[[h5py.File], None]) -> Path:
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        write(file)
    return path


@pytest.mark.parametrize("name", RESIDUE_FILES)
def test_per_residue_files_come_in_with_their_sequences(tmp_path: Path, name: str) -> None:
    layout, write = RESIDUE_FILES[name]
    foreign = write_foreign(tmp_path, write)
    path = import_store(foreign, tmp_path / "o.h5", records=[*RECORDS, RECORDS[0]])
    assert check_store(path) == []
    with open_store(path) as store:
        assert store.provenance["layout"] == layout
        assert store.ids == [r.id for r in [*RECORDS, RECORDS[0]]]
        assert store.num_sequences == 3
        assert store.records["digest"][0] == refget_digest(RECORDS[0].sequence)
        for index, record in enumerate(RECORDS):
            expected = residue(record).astype(store["residue"].dtype)
            np.testing.assert_array_equal(store["residue"][index], expected)


@pytest.mark.parametrize("name", POOLED_FILES)
def test_per_protein_files_come_in_with_their_sequences(tmp_path: Path, name: str) -> None:
    layout, write = POOLED_FILES[name]
    foreign = write_foreign(tmp_path, write)
    path = import_store(foreign, tmp_path / "o.h5", name="mean", records=RECORDS)
    assert check_store(path) == []
    with open_store(path) as store:
        assert store.provenance["layout"] == layout
        assert store.names == ["mean"]
        np.testing.assert_array_equal(
            store["mean"].to_numpy(), np.stack([pooled(r) for r in RECORDS])
        )


@pytest.mark.parametrize("name", RESIDUE_FILES)
def test_a_file_comes_in_alone_with_what_it_knows(tmp_path: Path, name: str) -> None:
    _, write = RESIDUE_FILES[name]
    path = import_store(write_foreign(tmp_path, write), tmp_path / "o.h5")
    assert check_store(path) == []
    with open_store(path) as store:
        assert len(store) == 3
        assert sorted(store.records["length"]) == [2, 4, 5]
        found = sorted(float(np.sum(value, dtype="f8")) for _, value in store["residue"])
        dtype = store["residue"].dtype
        expected = sorted(float(residue(r).astype(dtype).sum(dtype="f8")) for r in RECORDS)
        assert found == pytest.approx(expected)
        is_known = name.startswith("scikit-bio")
        assert store.attrs["digests"] == ("refget" if is_known else "unknown")


def test_a_slash_in_a_key_stays_part_of_the_id(tmp_path: Path) -> None:
    path = import_store(write_foreign(tmp_path, keyed(accession)), tmp_path / "o.h5")
    with open_store(path) as store:
        assert set(store.ids) == {"P00001", "Q00002", "plain.3/1-4"}


def test_the_three_layers_of_seqvec_become_three_embeddings(tmp_path: Path) -> None:
    write = keyed(md5, lambda r: np.stack([residue(r) * k for k in range(3)]), original_id=True)
    path = import_store(write_foreign(tmp_path, write), tmp_path / "o.h5", records=RECORDS)
    assert check_store(path) == []
    with open_store(path) as store:
        assert set(store.names) == {"residue", "residue_layer0", "residue_layer1"}
        for factor, name in enumerate(["residue_layer0", "residue_layer1", "residue"]):
            np.testing.assert_array_equal(store[name][0], residue(RECORDS[0]) * factor)


def test_vespa_scores_become_predictions_the_right_way_round(tmp_path: Path) -> None:
    order = "ALGVSREDTIPKFQNYMHWC"
    scores = {r.id: np.random.default_rng(1).random((len(r.sequence), 20)) for r in RECORDS[:2]}

    def write(file: h5py.File) -> None:
        for name, values in scores.items():
            group = file.create_group(name)
            group.attrs["residue-order"] = order
            group.create_dataset("VESPA", data=values.T)
            group.create_dataset("VESPAl", data=values.T / 2)

    foreign = write_foreign(tmp_path, write)
    path = import_store(foreign, tmp_path / "o.h5", records=RECORDS[:2])
    assert check_store(path) == []
    with open_store(path) as store:
        assert store.predictions["VESPA"].attrs["classes"] == list(order)
        np.testing.assert_array_equal(store.predictions["VESPA"][1], scores[RECORDS[1].id])
        np.testing.assert_array_equal(store.predictions["VESPAl"][1], scores[RECORDS[1].id] / 2)
    with pytest.raises(OptionError, match="have names"):
        import_store(foreign, tmp_path / "p.h5", name="mean")


def test_a_record_that_the_file_lacks_becomes_a_failure(tmp_path: Path) -> None:
    longer = Record("P00001", "", "ACDEFG")
    records = [RECORDS[1], RECORDS[2], Record("new", "", "WWW"), longer]
    foreign = write_foreign(tmp_path, keyed(accession))
    path = import_store(foreign, tmp_path / "o.h5", records=records)
    assert check_store(path) == []
    with open_store(path) as store:
        assert store.failures["id"].to_list() == ["new", "P00001"]
        assert store.failures["reason"].to_list() == [
            "the imported file has no values for it",
            "5 rows of values for 6 residues",
        ]
        assert store.failures["digest"][0] == refget_digest("WWW")


def mixed(file: h5py.File) -> None:
    file["a"] = np.zeros((2, 3))
    file["b"] = np.zeros((2, 4))


def several_models(file: h5py.File) -> None:
    biotrainer_database(file)
    file[f"{sha256(RECORDS[0])}_prot_t5"].attrs["embedder_name"] = "esm"


def strings(file: h5py.File) -> None:
    file["a"] = "text"


def a_store(file: h5py.File) -> None:
    file.attrs["format_version"] = 1


def four_axes(file: h5py.File) -> None:
    file["a"] = np.zeros((2, 2, 2, 2))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (mixed, "b has float64 .* unlike a"),
        (several_models, "several models, import one alone: esm, prot_t5"),
        (strings, "layout that is not known; known are: scikit-bio"),
        (lambda file: None, "layout that is not known"),
        (a_store, "bioseq store already"),
        (four_axes, "has shape"),
        (keyed(accession), "1 entries belong to none of the records: plain.3/1-4"),
    ],
)
def test_a_file_that_can_not_come_in_whole_is_refused(
    tmp_path: Path, write: Callable[[h5py.File], None], message: str
) -> None:
    with pytest.raises(StoreError, match=message):
        import_store(write_foreign(tmp_path, write), tmp_path / "o.h5", records=RECORDS[:2])
    assert not (tmp_path / "o.h5").exists()


def test_an_import_does_not_depend_on_its_source_being_compressed(tmp_path: Path) -> None:
    digests = []
    for number, options in enumerate([{}, {"compression": "gzip", "chunks": True}]):
        foreign = tmp_path / f"{number}.h5"
        with h5py.File(foreign, "w") as file:
            keyed(sha256, original_id=True, **options)(file)
        path = import_store(foreign, tmp_path / f"store{number}.h5", records=RECORDS)
        with open_store(path) as store:
            digests.append(content_digest(store))
    assert digests[0] == digests[1]
