"""Writes results into a page, between the lines that mark them."""

import datetime
import platform


def publish(page, mark, tried, title, columns, rows):
    """Replaces what is between the marks: on what it was tried, and a table."""
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
    lines = [f"Tried on {datetime.date.today()}, Linux {platform.release().split('-')[0]}:", ""]
    lines += [f"- {line}" for line in tried]
    lines += ["", f"| {title} | " + " | ".join(columns) + " |", "| --- |" + " --- |" * len(columns)]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows.items()]
    before, rest = page.read_text().split(begin)
    page.write_text(before + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.split(end)[1])
