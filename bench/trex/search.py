"""The search for the highest load that passes, as RFC 2544 section 26.1 has it: trials of a fixed length, halving what lies between."""


class Behind(Exception):
    """The generator could not send what was asked: its trial says nothing about the box."""


def highest(trial, most, resolution):
    """The highest load, up to `most`, of which `trial(load)` says that it passed; `None` when there is none.

    Found to within `resolution` times `most`. What the generator cannot send ([`Behind`]) is halved away as what does not pass; `highest`
    then says so by its second value: the box may do more.
    """
    behind = False

    def passes(load):
        nonlocal behind
        try:
            return trial(load)
        except Behind:
            behind = True
            return False

    if passes(most):
        return most, behind
    low, high = 0.0, float(most)
    while high - low > resolution * most:
        middle = (low + high) / 2
        if passes(middle):
            low = middle
        else:
            high = middle
    return (low or None), behind
