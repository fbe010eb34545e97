"""What `tidemill run` keeps under TMPDIR goes with it: at its end, or, where it was killed, with the next
run. What belongs to a living process, or is not ours, stays.

usage: leftovers.py TIDEMILL
"""
from harness import Engine, arguments, check, job, main, scratch, until

RATE = {"format": "rate", "options": {"rowsPerSecond": 100}}


def directories(tmp):
    return {path.name for path in tmp.iterdir() if path.name.startswith("tidemill-")}


def endless(engine, tmp):
    """A run without end and without checkpointLocation, and its directory."""
    before = directories(tmp)
    process = engine.run(engine.write("endless.yaml", job("SELECT value FROM input", RATE, {"format": "noop"}, name="endless")),
                         env={"TMPDIR": str(tmp)})

    def is_working():
        check(process.is_running(), f"ended: {process.describe()}")
        return [name for name in directories(tmp) - before if any((tmp / name).glob("checkpoint*/log/*"))]
    name, = until(is_working, 20, "the run has a checkpoint under TMPDIR")
    return process, name


def bounded(engine, tmp):
    (engine.folder / "in").mkdir(exist_ok=True)
    (engine.folder / "in" / "a.txt").write_text("a\n")
    spec = engine.write("bounded.yaml", job("SELECT value FROM input", {"format": "text", "path": "in"}, {"format": "noop"},
                                            trigger="once", name="bounded"))
    engine.run(spec, env={"TMPDIR": str(tmp)}).expect(0, 30)


def test():
    options = arguments(__doc__)
    with scratch(options.keep) as folder:
        engine = Engine(options.binary, folder, "--slots", "1")
        tmp = folder / "tmp"
        tmp.mkdir()
        foreign = tmp / "tidemill-00000000-0000-0000-0000-000000000000"
        foreign.symlink_to(folder)

        bounded(engine, tmp)
        check(directories(tmp) == {foreign.name}, f"a run leaves {directories(tmp)}")

        killed, leftover = endless(engine, tmp)
        killed.kill()
        check(leftover in directories(tmp), "a killed run removed its directory")
        living, kept = endless(engine, tmp)
        check(directories(tmp) == {foreign.name, kept}, f"the next run leaves {directories(tmp)}, it has {kept}")

        bounded(engine, tmp)
        check(directories(tmp) == {foreign.name, kept}, f"a run beside a living one leaves {directories(tmp)}")
        living.stop()
        check(directories(tmp) == {foreign.name}, f"a run that was stopped leaves {directories(tmp)}")


if __name__ == "__main__":
    main(test)
