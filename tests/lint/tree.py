"""What the lint checks share: the files of a tree, C++ text without comments, allow-lists."""
import pathlib
import re
import sys

SKIPPED = {"build", ".git", ".cache", "__pycache__", "out", "checkpoints", "bench-home"}


def files(root, *suffixes):
    """Yields the files below root with one of the suffixes, in order, as paths relative to root."""
    root = pathlib.Path(root)
    pending = [root]
    found = []
    while pending:
        for entry in pending.pop().iterdir():
            if entry.is_dir():
                if entry.name not in SKIPPED:
                    pending.append(entry)
            elif entry.suffix in suffixes:
                found.append(entry.relative_to(root))
    return sorted(found)


_TOKEN = re.compile(
    r'R"(?P<delim>[^()\\ ]{0,16})\(.*?\)(?P=delim)"'  # raw string
    r'|//[^\n]*|/\*.*?\*/'                            # comments
    r'|"(?:\\.|[^"\\\n])*"'                           # string
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",          # character, not a digit separator
    re.S)


def without_comments(text, keep_strings=False):
    """Blanks comments (and string literals) and keeps every line break, so that lines still count."""
    def blank(match):
        token = match.group(0)
        if keep_strings and not token.startswith("/"):
            return token
        return "".join(c if c == "\n" else " " for c in token)
    return _TOKEN.sub(blank, text)


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+["<]([^">]+)[">]', re.M)


def includes(text):
    """Yields (line number, header) of the include directives."""
    code = without_comments(text, keep_strings=True)
    for match in _INCLUDE.finditer(code):
        yield code.count("\n", 0, match.start(1)) + 1, match.group(1)


def report(found):
    """Prints the violations and ends the process, with 1 if there is one."""
    found = list(found)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
