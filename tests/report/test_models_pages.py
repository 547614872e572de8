"""The pages of models with versions: what they show, that all that a run brought stays text, and the try-it."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
from html_reader import read
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect

from runhive.report.model_card import Card, Section, markdown
from runhive.report.site import build
from runhive.report.text import visible
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.registry.register import plan_version, register
from runhive.tracking.registry.writing import registry_of

sys.path.insert(0, str(Path(__file__).parents[1] / "registry"))
from shop import Shop, git, make_shop, worse

EVIL = "<img src=x onerror=window.pwned=1>"
OTHER = "<script>window.pwned=2</script>|`*_[x](javascript:alert(1))\N{RIGHT-TO-LEFT OVERRIDE}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Version 1.0.0 is prod again after 1.1.0 was forced; 1.2.0 says hostile things; 9.0.0 was tagged by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        shop = make_shop(tmp_path_factory.mktemp("shop") / "repository")
        git(shop.root, "config", "user.name", f"Bee {EVIL.replace('<', '(').replace('>', ')')}")
        shop.train(1)
        shop.call("register")
        shop.call("promote", "latest", "prod")
        shop.train(2, worse(0.5))
        shop.call("register")
        shop.call("promote", "latest", "prod", "--force", "--reason", EVIL)
        shop.call("rollback", "prod", "--reason", OTHER)
        shop.call("note", "1.1.0", f"{EVIL}\n# {OTHER}")
        shop.train(3, worse(0.1))
        with chdir(shop.root), registry_of(shop.root) as registry:
            plan = plan_version(registry, None, None, None)
            said = {
                "classes": [EVIL, OTHER],
                "by": OTHER,
                "evaluation_set": {"name": EVIL, "digest": OTHER, "images": 30},
            }
            register(
                registry, replace(plan, data={**plan.data, **said}), {"findings": [{"rule": EVIL, "words": OTHER}]}
            )
        git(shop.root, "tag", "--annotate", "colours@v9.0.0", "--message", EVIL, "HEAD~2")
        yield shop


@pytest.fixture(scope="module")
def site(shop: Shop, source: Path) -> Path:
    build(shop.ledger, source, shop.root / "site")
    return shop.root / "site"


def test_models_shows_versions_aliases_states_and_verdicts(site: Path) -> None:
    shown = read(site / "models/index.html").text

    for words in (
        "prod colours@v1.0.0", "colours@v1.1.0", "unverified made by hand", "0 of 30",
        "promoted by force, against the gate",
        "accuracy: 5 images lost, 0 won against colours@v1.0.0 on 30 of val, p = 0.0312: worse", "rolled back",
    ):  # fmt: skip
        assert words in shown


def test_models_draws_accuracy_parity_size_and_latency_from_version_to_version(site: Path) -> None:
    page = (site / "models/index.html").read_text()
    titles = ("accuracy, with its 95 % interval", "largest difference of ONNX to torch logits, over their spread",
              "size of the ONNX file", "time of ONNX Runtime for one image")  # fmt: skip

    assert [page.count(f"<figcaption>{title}</figcaption>") for title in titles] == [1, 1, 1, 1]
    assert page.count("rh-dot") == 2 + 3 * 3, "1.2.0 says that it was scored on a set that it has no accuracy of"


def test_the_page_of_a_version_has_its_card_its_lineage_and_its_verdicts(site: Path, shop: Shop) -> None:
    shown = read(site / "models/colours-1.1.0.html").text

    for words in ("Intended data", "By class", "Known mistakes", "Exported files", "Provenance",
                  "How to use it", "Lineage", "5 images are answered wrongly", "number 2"):  # fmt: skip
        assert words in shown
    assert shop.ledger.runs()[0].run_id[:8] in shown


def test_home_and_the_page_of_the_run_name_the_version(site: Path) -> None:
    assert "colours@v1.0.0" in read(site / "index.html").text
    assert "colours@v1.0.0" in read(site / "runs/20261123-142201-7f3a9c.html").text


def test_nothing_is_shown_as_true_of_a_tag_made_by_hand(site: Path) -> None:
    shown = read(site / "models/colours-9.0.0.html").text

    assert "Unverified." in shown
    assert "Intended data" not in shown


def test_what_a_version_says_of_itself_never_becomes_part_of_a_page(site: Path, browser: Browser) -> None:
    opened = browser.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    for name in ("index", "colours-1.0.0", "colours-1.1.0", "colours-1.2.0", "colours-9.0.0"):
        opened.goto((site / f"models/{name}.html").as_uri())
        assert opened.evaluate("window.pwned") is None, name
        assert opened.locator(".rh img[src=x], .rh a[href^=javascript]").count() == 0
    opened.close()
    assert errors == []
    assert EVIL in read(site / "models/colours-1.1.0.html").text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in (site / "models/colours-1.2.0.html").read_text()


def test_the_pages_of_models_and_versions_are_quiet_and_usable_for_all(
    site: Path,
    told: tuple[Page, list[str]],
    axe: Callable[[Page], list[list[str]]],
    served: Callable[[Path], str],
) -> None:
    """From a folder and from a server: no word to the console, no other host, nothing that axe-core finds."""
    page, said = told
    for path in sorted((site / "models").glob("*.html")):
        page.goto(served(path), wait_until="networkidle")
        page.goto(path.as_uri(), wait_until="networkidle")
        page.evaluate("document.querySelectorAll('article details').forEach(one => one.open = true)")

        assert said == [], path.name
        assert axe(page) == [], path.name


def test_the_search_finds_versions_by_name_and_alias(site: Path, told: tuple[Page, list[str]]) -> None:
    page, said = told
    for words, version in (("colours@v1.1.0", "colours-1.1.0"), ("colours prod", "colours-1.0.0")):
        page.goto((site / "index.html").as_uri())
        page.locator(".md-search__input").click()
        page.keyboard.type(words)
        page.locator(".md-search-result__link").first.click()
        page.wait_for_url(f"**/models/{version}.html*")
    assert said == []


def test_by_the_jumps_of_a_version_s_page_each_part_is_one_click_away(site: Path, told: tuple[Page, list[str]]) -> None:
    page, said = told
    page.goto((site / "models/colours-1.1.0.html").as_uri())
    for name in ("Provenance", "Lineage", "Known mistakes"):
        page.get_by_role("navigation", name="On this page").get_by_role("link", name=name).click()

        expect(page.locator(":target")).to_have_text(name)
        expect(page.locator(":target")).to_be_in_viewport()
    assert said == []


def test_a_hint_names_only_a_version_that_could_have_an_alias(source: Path, tmp_path: Path) -> None:
    """In a clone that lacks the run, a version is unverified, and what would help is shown as a command."""
    shop = make_shop(tmp_path / "repository")
    shop.train(1)
    shop.call("register")
    build(shop.ledger, source, tmp_path / "first")
    subprocess.run(["git", "clone", "--quiet", shop.root, tmp_path / "clone"], check=True)
    build(open_ledger(tmp_path / "clone"), source, tmp_path / "second")
    known, unknown = ((tmp_path / name / "models/index.html").read_text() for name in ("first", "second"))

    assert "<code>runhive models promote colours@latest prod</code>" in known
    assert "models promote" not in unknown and "no version that could have one" in unknown
    assert "<code>runhive runs pull</code>" in unknown


def test_a_version_is_tried_in_its_page_with_exactly_its_bytes(site: Path, shop: Shop, browser: Browser) -> None:
    told = shop.ledger.run("20261123-142201-7f3a9c").files["models/model.onnx"]
    opened = browser.new_page()
    opened.goto((site / "models/colours-1.0.0.html").as_uri())
    assert opened.locator("[data-try-it]").get_attribute("data-name") == f"model-{told['sha256']}"
    opened.get_by_role("button", name="Load the model").click()
    opened.locator("[data-difference]").wait_for()
    difference = float(opened.locator("[data-difference]").get_attribute("data-difference") or "nan")
    opened.close()

    assert 0 <= difference < 1e-4


def test_a_version_whose_run_was_exported_again_is_tried_with_its_own_bytes(
    shop: Shop, source: Path, tmp_path: Path
) -> None:
    """The run's page offers what the run has now, the version's page what was registered."""
    root = Path(shutil.copytree(shop.root, tmp_path / "repository", symlinks=True))
    again = Shop(root)
    before = again.ledger.run("20261123-142201-7f3a9c").files["models/model.onnx"]["sha256"]
    after = refile(again)
    build(again.ledger, source, root / "site")

    assert before != after
    assert f"model-{before}" in (root / "site/models/colours-1.0.0.html").read_text()
    assert f"model-{after}" in (root / "site/runs/20261123-142201-7f3a9c.html").read_text()


def refile(shop: Shop) -> str:
    """File another ONNX file with the first run, and return its digest."""
    from shop import CLASSES, GOOD, write_onnx

    from runhive.tracking.ledger.run import Event
    from runhive.tracking.storage.artifacts import keep_file

    path = shop.root / "models/model.onnx"
    write_onnx(path, GOOD * 3, CLASSES, "ab" * 32)
    told = keep_file(shop.root, path, "model")
    shop.ledger.append("20261123-142201-7f3a9c", [Event("filed", {"files": {"models/model.onnx": told}})])
    return str(told["sha256"])


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [EVIL, OTHER, "1. x", "---", "> x"]
)


@given(TEXT, TEXT)
def test_whatever_a_run_says_is_text_in_the_cards_markdown(line: str, cell: str) -> None:
    """Read as GitHub reads it: a heading, a paragraph, a table of two cells, and no markup of the run's."""
    card = Card("m@v1.0.0", "A model.", (Section("Part", (line,), (("What", "Value"), (cell, cell))),))
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown(card))
    kinds = [one.type for one in tokens]
    inside = {child.type for one in tokens for child in one.children or ()}

    assert inside <= {"text", "text_special"}
    assert kinds.count("td_open") == 2 and kinds.count("heading_open") == 2 and kinds.count("table_open") == 1
    assert not {
        "html_block",
        "fence",
        "code_block",
        "bullet_list_open",
        "ordered_list_open",
        "blockquote_open",
        "hr",
    } & {*kinds}
    told = ["".join(child.content for child in one.children or ()) for one in tokens if one.type == "inline"]
    assert " ".join(told[-1].split()) == " ".join(visible(cell).split())
