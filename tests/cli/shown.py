"""What a terminal shows."""

import io

from rich.console import Console, RenderableType


def shown(renderable: RenderableType, width: int = 120) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def rows(renderable: RenderableType) -> list[list[str]]:
    """Give the words of each line that says something."""
    return [line.split() for line in shown(renderable).splitlines() if line.strip(" ─━┃│┌┐└┘┏┓┗┛├┤┼╇┡┩┴┬")]
