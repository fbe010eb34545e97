"""Writes the text of W1: 20 files of lines with 8 to 12 words, Zipf-distributed over 100,000 words.

usage: generate.py FOLDER [--scale F]     scale 1: 7.2 M lines, 72 M words, about 480 MB
The same scale gives the same bytes; a folder that is complete is left as it is.
"""
import argparse
import itertools
import pathlib
import random

FILES, LINES, VOCABULARY = 20, 360_000, 100_000


def vocabulary(generator):
    words = {}
    while len(words) < VOCABULARY:
        words["".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randrange(2, 11)))] = None
    return list(words)


def write(folder, scale):
    ready = folder / ".ready"
    if ready.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    generator = random.Random(20260101)
    words = vocabulary(generator)
    weights = list(itertools.accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    for number in range(FILES):
        with open(folder / f"part-{number:02d}.txt", "w", encoding="ascii") as file:
            left = int(LINES * scale)
            while left > 0:
                count = min(left, 10_000)
                left -= count
                drawn = iter(generator.choices(words, cum_weights=weights, k=12 * count))
                file.writelines(" ".join(itertools.islice(drawn, generator.randrange(8, 13))) + "\n" for _ in range(count))
    ready.touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    write(options.folder, options.scale)


if __name__ == "__main__":
    main()
