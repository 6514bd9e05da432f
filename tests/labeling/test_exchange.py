"""What goes to the browser and what comes back: plain functions, tried with what a browser might send."""

from __future__ import annotations

import json
import re

import pytest

from tests.labeling.corpus import QA_TEXT, make_project, make_user
from workbench.domain import AnnotationStatus
from workbench.services import Workbench
from workbench.services.annotation_items import Receipt, Submission
from workbench.ui.labeler import bundle, exchange

GOOD = {"client_id": "c1", "example_id": 3, "status": "accepted", "payload": {"spans": []}, "seconds": 1.5}


def test_an_outbox_becomes_submissions() -> None:
    state = {
        "turn": 4,
        "items": [{**GOOD, "batch_id": 2, "base_revision": 0, "comment": "x", "snippet": "…"}],
    }
    assert exchange.read_outbox(state) == [
        Submission(3, "c1", AnnotationStatus.ACCEPTED, {"spans": []}, 1.5, "x", 2, None, 0)
    ]


@pytest.mark.parametrize(
    "state",
    [
        None,
        "text",
        [],
        {"items": "text"},
        {"items": [None, 3]},
        {"items": [{**GOOD, "client_id": ""}]},
        {"items": [{**GOOD, "client_id": 7}]},
        {"items": [{**GOOD, "example_id": "3"}]},
        {"items": [{**GOOD, "status": "perhaps"}]},
    ],
)
def test_what_is_no_outbox_is_empty(state: object) -> None:
    assert exchange.read_outbox(state) == []


def test_odd_values_are_dropped_not_stored() -> None:
    item = {
        **GOOD,
        "seconds": float("nan"),
        "payload": [1],
        "comment": 4,
        "batch_id": "2",
        "base_revision": True,
    }
    assert exchange.read_outbox({"items": [item]}) == [Submission(3, "c1", AnnotationStatus.ACCEPTED)]
    for seconds in (-1, 1e12, True, "3"):
        assert exchange.read_outbox({"items": [{**GOOD, "seconds": seconds}]})[0].seconds is None


def test_requests() -> None:
    assert exchange.read_request({"turn": 1, "open": 7}) == (1, 7, None)
    assert exchange.read_request({"turn": 2, "search": "ferry"}) == (2, None, "ferry")
    assert exchange.read_request({"turn": 2, "search": "  "}) == (2, None, None)
    assert exchange.read_request({"open": 7}) is None
    assert exchange.read_request(None) is None


def test_receipts_are_kept_while_the_browser_holds_their_items() -> None:
    one, two = Receipt("a", 1, message="no"), Receipt("b", 2, message="no")
    kept = exchange.keep_receipts({}, [one, two], ["a", "b"])
    assert exchange.keep_receipts(kept, [], ["b", "c"]) == {"b": two}


def test_what_the_browser_gets_is_json(sqlite_workbench: Workbench) -> None:
    project, ids = make_project(sqlite_workbench, "qa", (), [QA_TEXT], name="qa")
    ada = make_user(sqlite_workbench)
    submission = Submission(ids[0], "c", payload={"answers": [], "no_answer": True}, comment="why")
    receipt = sqlite_workbench.annotation.submit(project, ada, [submission])[0]
    queue = sqlite_workbench.annotation.queue(project, ada)
    described = {
        **exchange.describe_project(project, ada, None),
        **exchange.describe_queue(project, queue),
        "receipts": [exchange.describe_receipt(project, receipt)],
        "recent": exchange.describe_recent(sqlite_workbench.annotation.recent(project, ada)),
        "found": exchange.describe_found(sqlite_workbench.annotation.search(project, "mill")),
    }
    sent = json.loads(json.dumps(described))
    assert [item["id"] for item in sent["queue"]] == ids[1:]
    assert sent["progress"] == {"done": 1, "total": 3}
    assert sent["receipts"] == [
        {"client_id": "c", "stored": True, "message": None, "asked": None, "newer": None}
    ]
    assert sent["recent"][0]["status"] == "accepted"
    earlier = exchange.describe_item(project, sqlite_workbench.annotation.item(project, ada, ids[0]))
    assert earlier["said"]["payload"] == {"answers": [], "no_answer": True}


def test_a_colleagues_newer_labels_are_shown_not_ones_own_older_ones(sqlite_workbench: Workbench) -> None:
    workbench = sqlite_workbench
    project, ids = make_project(workbench, texts=("Ada left .", "Ada came .", "Ada sat ."))
    ada, bob = make_user(workbench), make_user(workbench, "bob")
    person = {"spans": [{"start": 0, "end": 3, "label": "PER"}]}
    skip = AnnotationStatus.SKIPPED
    said = [
        (ada, Submission(ids[0], "a1", payload={"spans": []})),
        (bob, Submission(ids[0], "b1", payload=person, base_revision=1)),
        (ada, Submission(ids[1], "a2", skip)),
        (bob, Submission(ids[1], "b2", payload=person, base_revision=1)),
        # A skip has no labels: her own still stand.
        (ada, Submission(ids[2], "a3", payload=person)),
        (bob, Submission(ids[2], "b3", skip, base_revision=1)),
    ]
    for user, submission in said:
        assert workbench.annotation.submit(project, user, [submission])[0].stored
    shown = [
        exchange.describe_item(project, workbench.annotation.item(project, ada, one))["said"] for one in ids
    ]
    assert [(one["author"], one["payload"]) for one in shown] == [
        ("bob", person),
        ("bob", person),
        ("ada", person),
    ]


def test_the_browsers_storage_is_named_after_project_and_person(sqlite_workbench: Workbench) -> None:
    one, _ = make_project(sqlite_workbench, name="one")
    two, _ = make_project(sqlite_workbench, name="two")
    ada, bob = make_user(sqlite_workbench), make_user(sqlite_workbench, "bob")
    spaces = {exchange.space_of(project, user) for project in (one, two) for user in (ada, bob)}
    assert len(spaces) == 4


# --- the script ------------------------------------------------------------------------------------------


def test_the_bundle_has_no_import_and_one_export() -> None:
    script = bundle.script()
    assert not re.search(r"^\s*import\s", script, re.MULTILINE)
    assert re.findall(r"^export .*", script, re.MULTILINE) == ["export default function (component) {"]
    for source in bundle.SOURCE.glob("*.js"):
        assert f"// {source.name}\n" in script, f"{source.name} is not imported by anything"


def test_names_are_unique_over_all_sources() -> None:
    names = re.findall(r"^(?:function|class|const|let) (\w+)", bundle.script(), re.MULTILINE)
    assert sorted(names) == sorted(set(names))


def test_data_never_becomes_markup() -> None:
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in bundle.script(), word


def test_every_place_that_the_script_fills_is_in_the_markup() -> None:
    used = set(re.findall(r"\brefs\.(\w+)", bundle.script()))
    there = set(re.findall(r'data-ref="(\w+)"', bundle.markup()))
    assert used <= there, used - there
