"""Which tests are quick; a small data set, and a finished run on it; the built book."""

from pathlib import Path

import pytest
from drawn_data import draw_small_data

from book_pages import address, book, browser, pages  # noqa: F401

HERE = Path(__file__).parent
WHOLE_COURSE = ("book", "tools")  # folders of tests that build pages or kits
WAIT_FOR_THE_BOOK = ("test_book.py", "test_browser.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark as quick what tests the package alone, and is neither long nor slow."""
    # Two more files look at the built book: not at once, when they would wait for the
    # one that builds it, and not last, when one worker would end alone.
    late = [item for item in items if item.path.name in WAIT_FOR_THE_BOOK]
    others = [item for item in items if item not in late]
    # not within a file: its fixtures would be made twice
    half = next(
        (
            index
            for index in range(len(others) // 2, len(others))
            if others[index].path != others[index - 1].path
        ),
        len(others),
    )
    items[:] = others[:half] + late + others[half:]
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        takes_long = any(map(item.get_closest_marker, ("long", "slow")))
        room = item.path.relative_to(HERE).parts[0]
        if not (takes_long or "browser" in item.fixturenames or room in WHOLE_COURSE):
            item.add_marker("quick")


@pytest.fixture(scope="session")
def small_data():
    """Shapes with 96 training, 20 validation and 40 test images."""
    return draw_small_data()


@pytest.fixture
def train_on_small_data(small_data, monkeypatch):
    """`train`, on the small data set, silently."""
    from patchconvnet.training import running

    monkeypatch.setattr(running, "load_dataset", lambda name, **options: small_data)
    return lambda out, **options: running.train("shapes", out, verbose=0, **options)


@pytest.fixture(scope="session")
def finished_run(small_data, tmp_path_factory):
    """The folder of a finished run of two epochs. Tests only read it."""
    from patchconvnet.training import running

    folder = tmp_path_factory.mktemp("runs") / "finished"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "load_dataset", lambda name, **options: small_data)
        running.train("shapes", folder, epochs=2, verbose=0)
    return folder
