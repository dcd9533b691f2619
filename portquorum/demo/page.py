"""The output of the demo: chapters, a timeline, tables; for at least 80 columns."""

from collections.abc import Sequence

from rich.box import ROUNDED
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from portquorum.presentation.output import cell, table


class DemoPage:
    """Prints to a console."""

    def __init__(self, console: Console) -> None:
        """The width is the console's."""
        self.console = console
        self._chapter = 0

    def title(self) -> None:
        """Prints the title."""
        self.console.print()
        self.console.print(Text("portquorum demo", style="bold"))
        self.console.print(
            Text(
                "A real port closes and opens again. Kafka, ClickHouse and all roles are the\n"
                "shipped ones, as processes on this machine; what you see is read back from\n"
                "Kafka's topics and from ClickHouse.",
                style="dim",
            )
        )

    def chapter(self, text: str) -> None:
        """Prints the heading of a new stage."""
        self._chapter += 1
        self.console.print()
        self.console.print(
            Text.assemble((f" {self._chapter} ", "bold black on cyan"), " ", (text, "bold"))
        )

    def done(self, what: str, detail: str = "", took_s: float | None = None) -> None:
        """Prints a line with a tick."""
        text = Text(detail)
        if took_s is not None:
            text.append(f"  {took_s:.1f} s", style="dim")
        line = Table.grid(padding=(0, 1))
        line.add_column(width=4, justify="right")
        line.add_column(min_width=12, no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(Text("✓", style="green"), Text(what, style="bold"), text)
        self.console.print(line)

    def note(self, text: str) -> None:
        """Prints a dim line."""
        self.console.print(Padding(Text(text, style="dim"), (0, 0, 0, 3)))

    def trouble(self, text: str) -> None:
        """Prints a yellow line."""
        self.console.print(Padding(Text(f"! {text}", style="yellow"), (0, 0, 0, 3)))

    def moment(self, seconds: float, who: str, what: Text | str, topic: str = "") -> None:
        """Prints a line of the timeline; `topic` is the source."""
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(width=9, justify="right", no_wrap=True)
        line.add_column(width=10, no_wrap=True)
        line.add_column(ratio=1, overflow="fold")
        line.add_column(justify="right", no_wrap=True)
        said = what if isinstance(what, Text) else Text(what)
        line.add_row(
            Text(f"+{seconds:.1f} s", style="dim"),
            Text(who, style="bold"),
            said,
            Text(f"[{topic}]" if topic else "", style="cyan dim"),
        )
        self.console.print(line)

    def message(self, title: str, body: str, style: str) -> None:
        """Prints a notification in the form that its reader sees."""
        self.console.print(
            Padding(
                Panel(
                    Text(body),
                    title=Text(title, style=f"bold {style}"),
                    title_align="left",
                    border_style=style,
                    box=ROUNDED,
                ),
                (0, 0, 0, 3),
            )
        )

    def answer(
        self, question: str, sql: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Prints a question to ClickHouse, its SQL and the answer."""
        self.console.print()
        self.console.print(Text(f"   {question}", style="bold"))
        self.console.print(Padding(Text(sql, style="dim cyan"), (0, 0, 0, 3)))
        if len(rows) == 1:  # few facts of one thing read better below each other
            facts = Table.grid(padding=(0, 2))
            for name, value in zip(columns, rows[0], strict=True):
                facts.add_row(Text(name, style="dim"), cell(value))
            self.console.print(Padding(facts, (1, 0, 0, 5)))
        else:
            self.console.print(Padding(table(columns, rows), (0, 0, 0, 3)))

    def log(self, role: str, lines: Sequence[str]) -> None:
        """Prints the last lines of a role."""
        self.console.print(Text(f"   last lines of {role}:", style="bold"))
        for line in lines:
            self.console.print(Padding(Text(line, style="dim"), (0, 0, 0, 5)))

    def end(self, took_s: float, hints: Sequence[tuple[str, str]]) -> None:
        """Prints the next steps for the user."""
        self.console.print()
        self.console.print(
            Text.assemble((f"   That was portquorum, in {took_s:.0f} s.", "bold green"), " Next:")
        )
        for command, use in hints:
            self.console.print(Text.assemble(("     " + command.ljust(44), "cyan"), (use, "dim")))
        self.console.print()
