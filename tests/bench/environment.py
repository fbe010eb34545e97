"""What benchmarks need beside our binary: a Python with numpy, pyarrow and DuckDB, generated data, Spark's Python, Flink."""
import os
import pathlib
import shutil
import subprocess
import venv

PACKAGES = ("numpy==2.4.6", "pyarrow==26.0.1", "duckdb==2.0.1")
SPARK_PYTHON = pathlib.Path(os.path.expanduser("~/.cache/tidemill/pyspark/bin/python"))    # made by tests/oracle
FLINK_PACKAGES = ("apache-flink==2.3.0",)
FLINK_JARS = ("org.apache.flink:flink-sql-parquet:2.3.0", "org.apache.hadoop:hadoop-client-api:3.4.2", "org.apache.hadoop:hadoop-client-runtime:3.4.2")


def make_once(folder, packages, more=lambda folder: None):
    """The Python of a virtual environment with packages from PyPI."""
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True)
        more(folder)
        (folder / ".ready").touch()
    return str(folder / "bin" / "python")


def python(home):
    return make_once(home / "venv", PACKAGES)


def spark():
    if not SPARK_PYTHON.exists():
        raise SystemExit(f"{SPARK_PYTHON} is not there: see tests/oracle/README.md, or leave spark out of --peers")
    return str(SPARK_PYTHON)


def flink(home):
    """A Python with Flink; what reads Parquet is in its folder jars/, from Maven Central."""
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    if missing:
        raise SystemExit(f"Flink needs Java 17 and Maven, not found: {', '.join(missing)}; install them or leave flink out of --peers")
    return make_once(home / "flink", FLINK_PACKAGES, flink_jars)


def flink_jars(folder):
    for artifact in FLINK_JARS:
        subprocess.run(["mvn", "--batch-mode", "--quiet", "-Dstyle.color=never", "dependency:copy", f"-Dartifact={artifact}",
                        f"-DoutputDirectory={folder / 'jars'}"], check=True)


def data(home, work, scale):
    """The folder of a work's data, which is written the first time."""
    folder = home / f"{work}-{scale:g}"
    if not (folder / ".ready").exists():
        subprocess.run([python(home), pathlib.Path(__file__).with_name("generate.py"), folder, work, "--scale", str(scale)], check=True)
    return folder
