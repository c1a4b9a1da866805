"""Documents in parts of which a command writes: between a line that says what, and one that ends it."""

from collections.abc import Callable, Iterable

from twostream.files import UserError

# Of a marker, and where it stands, what is to stand below it; None if that is another command's to write.
Block = Callable[[str, str], Iterable[str] | None]


def rewritten(text: str, document: str, begins: str, end: str, block: Block) -> str:
    """Return a document with what stands between its markers written anew.

    A line that begins with `begins` is a marker, and one that is `end` ends what stands below it. Raises
    UserError, which names the document and the line, if one of the two lacks the other.
    """
    written: list[str] = []
    begun = ""
    # Whether what stands below a marker goes, as it is written anew.
    replaced = False
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{document}:{number}"
        if line.rstrip() == end:
            if not begun:
                raise UserError(f"{where}: nothing begins before this end")
            begun, replaced = "", False
        elif line.startswith(begins):
            if begun:
                raise UserError(f"{begun}: lacks its `{end}` before line {number}")
            begun = where
            lines = block(line.rstrip(), where)
            replaced = lines is not None
            written += [line] if lines is None else [line, "", *lines, ""]
            continue
        if not replaced:
            written.append(line)
    if begun:
        raise UserError(f"{begun}: lacks its `{end}`")
    return "\n".join(written)
