"""Fails when a systemd unit or a Containerfile of deploy/ would not do: a section, key or instruction
that does not exist, a unit that is less shut off than it should be, a source of COPY that is not there;
and, given the program, a subcommand, flag or variable that it does not know.

usage: packaging.py ROOT [TIDEMILL]
"""
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import tree

KEYS = {
    "Unit": {"Description", "Documentation", "Wants", "After", "StartLimitIntervalSec", "StartLimitBurst"},
    "Service": {
        "Type", "User", "Group", "EnvironmentFile", "StateDirectory", "StateDirectoryMode", "WorkingDirectory",
        "ExecStart", "Restart", "RestartSec", "RestartPreventExitStatus", "KillSignal", "KillMode", "TimeoutStopSec",
        "LimitNOFILE", "NoNewPrivileges", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectClock",
        "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
        "ProtectProc", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
        "LockPersonality", "RemoveIPC", "CapabilityBoundingSet", "AmbientCapabilities", "SystemCallArchitectures",
        "SystemCallFilter", "SystemCallErrorNumber", "UMask"},
    "Install": {"WantedBy"},
}
REPEATABLE = {"EnvironmentFile"}
REQUIRED = {
    "User": "tidemill", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "CapabilityBoundingSet": "", "StateDirectory": "tidemill", "Restart": "on-failure", "KillSignal": "SIGTERM"}
NO_RESTART = {"2", "10"}   # exit codes: usage, fenced
PROGRAM = "/usr/bin/tidemill"

INSTRUCTIONS = {"FROM", "RUN", "COPY", "USER", "WORKDIR", "ENV", "ARG", "LABEL", "VOLUME", "EXPOSE", "STOPSIGNAL",
                "ENTRYPOINT", "CMD"}


def unit_settings(text):
    """Yields (line number, section, key, value); a line that is none of these has no key."""
    section = None
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
            continue
        key, equals, value = line.partition("=")
        yield number, section, key.strip() if equals else None, value.strip()


def unit_problems(name, text):
    values = {}
    for number, section, key, value in unit_settings(text):
        if section not in KEYS:
            yield f"{name}:{number}: unknown section: {section}"
        elif key not in KEYS[section]:
            yield f"{name}:{number}: unknown key in [{section}]: {key}"
        elif key in values and key not in REPEATABLE:
            yield f"{name}:{number}: key given twice: {key}"
        values[key] = value
    for key, wanted in REQUIRED.items():
        if values.get(key) != wanted:
            yield f"{name}: {key} must be {wanted or 'empty'}: value={values.get(key)}"
    if "TimeoutStopSec" not in values:
        yield f"{name}: TimeoutStopSec must be given"
    if not NO_RESTART <= set(values.get("RestartPreventExitStatus", "").split()):
        yield f"{name}: RestartPreventExitStatus must hold {' '.join(sorted(NO_RESTART))}"
    if not values.get("ExecStart", "").startswith(PROGRAM + " "):
        yield f"{name}: ExecStart must start {PROGRAM}"


def systemd_problems(path, text):
    """What systemd itself has to say, where it is installed. The program need not be."""
    if shutil.which("systemd-analyze") is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        unit = pathlib.Path(folder) / path.name.replace("@.", "@1.")
        unit.write_text(text.replace(PROGRAM, "/bin/true"))
        verify = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit],
                                capture_output=True, text=True, timeout=60)
        said = [line for line in (verify.stdout + verify.stderr).splitlines() if unit.name in line]
        if verify.returncode != 0 or said:
            yield f"{path}: systemd-analyze verify: {' '.join(said) or verify.stderr.strip()}"


def instructions(text):
    """Yields (line number, name, argument) with continued lines joined."""
    pending, began = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not pending and not line.strip()):
            continue
        began = began if pending else number
        pending += line.rstrip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        name, _, argument = pending.strip().partition(" ")
        yield began, name, argument.strip()
        pending = ""


def exec_form(argument):
    try:
        words = json.loads(argument)
    except ValueError:
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def container_problems(root, path, text):
    stages, user, last = set(), None, None
    for number, name, argument in instructions(text):
        where = f"{path}:{number}"
        if name not in INSTRUCTIONS:
            yield f"{where}: unknown instruction: {name}"
        elif last is None and name not in ("FROM", "ARG"):
            yield f"{where}: FROM comes first"
        elif name == "FROM":
            user = None
            words = argument.split()
            if len(words) == 3 and words[1].upper() == "AS":
                stages.add(words[2])
            elif len(words) != 1:
                yield f"{where}: FROM image [AS name]: {argument}"
        elif name == "COPY":
            yield from copy_problems(root, where, argument, stages)
        elif name == "USER":
            user = argument
        elif name in ("ENTRYPOINT", "CMD") and exec_form(argument) is None:
            yield f"{where}: {name} must be a list of words: {argument}"
        elif name == "RUN" and exec_form(argument) is None:
            script = shlex.split(argument)[0]
            if "/" in script and not (root / script).is_file():
                yield f"{where}: no such script: {script}"
        last = name
    if user in (None, "root", "0"):
        yield f"{path}: the last stage must have a USER that is not root"


def copy_problems(root, where, argument, stages):
    words = argument.split()
    flags = [word for word in words if word.startswith("--")]
    sources = [word for word in words if not word.startswith("--")][:-1]
    for flag in flags:
        key, _, value = flag.partition("=")
        if key != "--from" or value not in stages:
            yield f"{where}: no such stage: {flag}"
    for source in sources if not flags else []:
        if not (root / source).exists():
            yield f"{where}: no such file to COPY: {source}"


def units(root):
    return sorted(root.glob("deploy/systemd/*.service"))


def containerfiles(root):
    return sorted(root.glob("deploy/container/Containerfile"))


def command_lines(root):
    """Yields (file, words after the program's name) of what the packages start."""
    for path in units(root):
        for _, _, key, value in unit_settings(path.read_text()):
            if key == "ExecStart":
                yield path.relative_to(root), shlex.split(value)[1:]
    for path in containerfiles(root):
        for _, name, argument in instructions(path.read_text()):
            if name == "CMD":
                yield path.relative_to(root), exec_form(argument) or []


def program_problems(root, program):
    """Checks what the packages say about the command line against its own help."""
    helps = {}

    def help_of(*words):
        if words not in helps:
            shown = subprocess.run([program, *words, "--help"], capture_output=True, text=True, timeout=60)
            helps[words] = shown.stdout if shown.returncode == 0 else None
        return helps[words]

    for path, words in command_lines(root):
        text = help_of(words[0]) if words else None
        if text is None:
            yield f"{path}: no such subcommand: {' '.join(words[:1])}"
            continue
        for flag in (word.partition("=")[0] for word in words if word.startswith("--")):
            if not re.search(rf"(^|[\s,]){re.escape(flag)}\b", text):
                yield f"{path}: tidemill {words[0]} has no flag {flag}"
    known = "".join(filter(None, (help_of("driver"), help_of("worker"))))
    for path in [*units(root), *containerfiles(root), *sorted(root.glob("deploy/*/README.md"))]:
        for variable in sorted(set(re.findall(r"\bTIDEMILL_(?:DRIVER|WORKER)[A-Z_]*", path.read_text()))):
            if not re.search(rf"\b{variable}\b", known):
                yield f"{path.relative_to(root)}: neither driver nor worker has the variable {variable}"


def violations(root):
    for path in units(root):
        name, text = path.relative_to(root), path.read_text()
        problems = list(unit_problems(name, text))
        yield from problems or systemd_problems(name, text)
    for path in containerfiles(root):
        yield from container_problems(root, path.relative_to(root), path.read_text())


if __name__ == "__main__":
    top = pathlib.Path(sys.argv[1])
    if len(sys.argv) > 2:
        tree.report(program_problems(top, sys.argv[2]))
    tree.report(violations(top))
