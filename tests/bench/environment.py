"""What benchmarks need beside our binary: a Python with numpy, pyarrow and DuckDB, generated data, Spark's Python."""
import os
import pathlib
import subprocess
import venv

PACKAGES = ("numpy==2.4.6", "pyarrow==26.0.1", "duckdb==2.0.1")
SPARK_PYTHON = pathlib.Path(os.path.expanduser("~/.cache/tidemill/pyspark/bin/python"))    # made by tests/oracle


def python(home):
    """The Python of <home>/venv, which is made, with packages from PyPI, the first time."""
    folder = home / "venv"
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
        (folder / ".ready").touch()
    return str(folder / "bin" / "python")


def data(home, work, scale):
    """The folder of a work's data, which is written the first time."""
    folder = home / f"{work}-{scale:g}"
    if not (folder / ".ready").exists():
        subprocess.run([python(home), pathlib.Path(__file__).with_name("generate.py"), folder, work, "--scale", str(scale)], check=True)
    return folder
