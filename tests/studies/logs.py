"""Small logs of evaluations of language models, in the layouts that the tools document."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def choice_row(doc_id: int, scores: Sequence[float], gold: int, **other: Any) -> dict[str, Any]:
    """A line of lm-evaluation-harness for multiple choice: a log-probability for each choice."""
    texts = [f"choice {place}" for place in range(len(scores))]
    chosen = max(range(len(scores)), key=lambda place: scores[place])
    row: dict[str, Any] = {
        "doc_id": doc_id,
        "doc": {"query": f"question {doc_id}", "choices": texts},
        "target": str(gold),
        "arguments": {
            f"gen_args_{place}": {"arg_0": f"question {doc_id}\nAnswer:", "arg_1": f" {text}"}
            for place, text in enumerate(texts)
        },
        "resps": [[[str(score), "False"]] for score in scores],
        "filtered_resps": [[str(score), "False"] for score in scores],
        "filter": "none",
        "metrics": ["acc", "acc_norm"],
        "doc_hash": _hash(f"question {doc_id}"),
        "prompt_hash": _hash("prompt"),
        "target_hash": _hash(str(gold)),
        "acc": float(chosen == gold),
        "acc_norm": 0.0,
    }
    return row | other


def text_row(doc_id: int, answer: str | list[str], target: str, right: float, **other: Any) -> dict[str, Any]:
    """A line of lm-evaluation-harness for generated text, as one filter made it."""
    row: dict[str, Any] = {
        "doc_id": doc_id,
        "doc": {"question": f"question {doc_id}"},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": f"Q: question {doc_id}\nA:", "arg_1": {"until": ["\n"]}}},
        "resps": [[answer] if isinstance(answer, str) else answer],
        "filtered_resps": [answer],
        "filter": "strict-match",
        "metrics": ["exact_match"],
        "doc_hash": _hash(f"question {doc_id}"),
        "prompt_hash": _hash("prompt"),
        "target_hash": _hash(target),
        "exact_match": right,
    }
    return row | other


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write lines as lm-evaluation-harness does."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def inspect_sample(number: int, answer: str | None, value: Any, target: Any, epoch: int = 1, **other: Any) -> Any:
    """A sample of a log of Inspect, with one scorer."""
    return {
        "id": number,
        "epoch": epoch,
        "input": [{"id": f"{epoch}-{number}", "role": "user", "content": f"question {number}"}],
        "target": target,
        "messages": [],
        "output": {"model": "mockllm/model", "choices": []},
        "scores": {"match": {"value": value, "answer": answer}},
        "metadata": {},
        **other,
    }


def write_inspect(path: Path, samples: Sequence[Any], status: str = "success") -> Path:
    """Write a log as Inspect does with ``--log-format json``."""
    header = {"task": "popularity", "model": "mockllm/model", "config": {"epochs": 2}}
    log = {"version": 2, "status": status, "eval": header, "samples": list(samples)}
    path.write_text(json.dumps(log), encoding="utf-8")
    return path
