"""The Hub's rules for the metadata of a data set's card, as far as they are documented.

From the Hub's pages on data set cards and on licences, and from the lists in `datasets/utils/resources`; nothing was
compared with the Hub itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

LICENCES = frozenset({
    "afl-3.0", "agpl-3.0", "apache-2.0", "apple-amlr", "apple-ascl", "artistic-2.0", "bigcode-openrail-m",
    "bigscience-bloom-rail-1.0", "bigscience-openrail-m", "bsd", "bsd-2-clause", "bsd-3-clause",
    "bsd-3-clause-clear", "bsl-1.0", "c-uda", "cc", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0",
    "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0",
    "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc0-1.0",
    "cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "creativeml-openrail-m",
    "deepfloyd-if-license", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "eupl-1.2", "gemma",
    "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "grok2-community", "h-research", "intel-research", "isc", "lgpl",
    "lgpl-2.1", "lgpl-3.0", "lgpl-lr", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4",
    "lppl-1.3c", "mit", "mpl-2.0", "ms-pl", "ncsa", "odbl", "odc-by", "ofl-1.1", "open-mdw", "openrail",
    "openrail++", "osl-3.0", "other", "pddl", "postgresql", "unknown", "unlicense", "wtfpl", "zlib",
})  # fmt: skip
SIZES = (
    "n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B", "1B<n<10B", "10B<n<100B",
    "100B<n<1T", "n>1T", "other",
)  # fmt: skip
CREATORS = ("found", "crowdsourced", "expert-generated", "machine-generated", "other")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "size_categories": SIZES,
    "annotations_creators": (*CREATORS, "no-annotation"),
    "language_creators": CREATORS,
    "multilinguality": ("monolingual", "multilingual", "translation", "other"),
    "task_categories": (
        "text-generation", "question-answering", "text-classification", "token-classification", "text2text-generation",
        "summarization", "translation", "fill-mask", "sentence-similarity", "feature-extraction", "text-ranking",
        "table-question-answering", "multiple-choice", "reinforcement-learning", "other",
    ),
}  # fmt: skip
WORDS = ("license", "language", "tags", "source_datasets", *CHOICES)
_SLUG = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SOURCE = re.compile(r"original|extended(\|.+)?|[\w.-]+(/[\w.-]+)?")
_LANGUAGE = re.compile(r"[a-z]{2,3}|code|multilingual")


def front_matter(card: str) -> str | None:
    """The YAML before a card's text."""
    found = re.match(r"\ufeff?\s*---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", card, re.DOTALL)
    return found[1] if found else None


def faults_of(card: str) -> list[str]:
    """What the Hub would refuse a card for."""
    try:
        value = yaml.safe_load(front_matter(card) or "{}")
    except yaml.YAMLError as error:
        return [f"YAML is not valid: {error}"]
    return list(_faults(value)) if isinstance(value, dict) else ["YAML metadata must be a mapping"]


def _faults(value: dict[str, Any]) -> Iterator[str]:
    for key in WORDS:
        if not _are_words(value.get(key, [])):
            yield f'"{key}" must be a string or an array of strings'
            return
    for key, choices in CHOICES.items():
        for word in _listed(value.get(key, [])):
            if word not in choices:
                yield f'"{key}" must be one of {", ".join(choices)}; not {word}'
    licences = _listed(value.get("license", []))
    yield from (f'"license" {one} is none of the known ones' for one in licences if one not in LICENCES)
    if "other" in licences:
        yield from _other_licence(value)
    yield from (
        f'"language" {one} is no code' for one in _listed(value.get("language", [])) if not _LANGUAGE.fullmatch(one)
    )
    for one in _listed(value.get("source_datasets", [])):
        if not _SOURCE.fullmatch(one):
            yield f'"source_datasets" {one} is no data set'
    if len(str(value.get("pretty_name", ""))) > 120:
        yield '"pretty_name" is too long'
    yield from _configs(value.get("configs") or [])
    yield from _info(value)


def _other_licence(value: Mapping[str, Any]) -> Iterator[str]:
    if not _SLUG.fullmatch(str(value.get("license_name", ""))):
        yield '"license_name" must be a slug where the license is other'
    link = str(value.get("license_link", ""))
    if link not in ("LICENSE", "LICENSE.md") and urlsplit(link).scheme not in ("http", "https"):
        yield '"license_link" must be a file named LICENSE or an address'


def _configs(configs: object) -> Iterator[str]:
    if not isinstance(configs, list):
        yield '"configs" must be an array'
        return
    names = []
    for place, config in enumerate(configs):
        if not isinstance(config, dict) or "config_name" not in config:
            yield f'"configs[{place}].config_name" is required'
            continue
        names.append(config["config_name"])
        for files in config.get("data_files", []):
            if not isinstance(files, dict) or set(files) != {"split", "path"}:
                yield f'"configs[{place}].data_files" must have a split and a path each'
    if len(set(names)) != len(names):
        yield '"configs" names one twice'
    if sum(bool(config.get("default")) for config in configs if isinstance(config, dict)) > 1:
        yield '"configs" has more than one default'


def _info(value: Mapping[str, Any]) -> Iterator[str]:
    """What is said of configs must be of those that there are."""
    info = value.get("dataset_info") or []
    known = {config.get("config_name") for config in value.get("configs") or [] if isinstance(config, dict)}
    for one in info if isinstance(info, list) else [info]:
        if one.get("config_name", "default") not in known | ({"default"} if not known else set()):
            yield f'"dataset_info" is of {one.get("config_name")}, which is no config'
        if not one.get("features") or not one.get("splits"):
            yield '"dataset_info" must have features and splits'


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _are_words(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
