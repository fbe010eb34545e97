"""What programs share that check many recorded answers: shards, and as many checks at a time as there are cores."""
import concurrent.futures
import os


def take_shard(arguments):
    """The arguments behind `--shard I/N`, and what to take of all that there is."""
    if arguments[:1] != ["--shard"]:
        return arguments, slice(None)
    shard, shards = map(int, arguments[1].split("/"))
    return arguments[2:], slice(shard, None, shards)


def check_all(items, check, name_of):
    """Prints what `check(item)` finds wrong, as lines, and returns how many items have a problem."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for item, problems in zip(items, pool.map(check, items)):
            if problems:
                failed += 1
                print(f"FAILED {name_of(item)}", *problems, sep="\n  ")
    return failed
