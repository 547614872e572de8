#!/usr/bin/env python3
"""A fake of the program `gh`: it keeps each call, and answers from files.

In the folder that FAKE_GH names, `calls.jsonl` gets a line for each call (method, path, query, body), and
`answers.json` says what to answer: a list of {"method", "path", "status", "body"}; the first that fits is taken.
`path` is a regular expression. `once: true` is used up by one call. Without an answer that fits, it is 404. The text
`$submission` in a body becomes that input of the last workflow that was started.
"""

import fcntl
import json
import os
import re
import sys
from pathlib import Path


def main() -> None:
    words = sys.argv[1:]
    if words[:2] != ["api", "--method"]:
        sys.exit(f"fake gh: unknown call {words}")
    method, address = words[2], words[3]
    path, _, query = address.partition("?")
    body = json.loads(sys.stdin.read()) if words[4:] == ["--input", "-"] else None
    folder = Path(os.environ["FAKE_GH"])
    with (folder / "calls.jsonl").open("a") as calls:
        fcntl.flock(calls, fcntl.LOCK_EX)
        calls.write(json.dumps({"method": method, "path": path, "query": query, "body": body}) + "\n")
        calls.flush()
        answer = take(folder / "answers.json", method, path, query)
    status = answer.get("status", 200)
    if "text" in answer:
        print(answer["text"], end="")
    elif "body" in answer:
        print(json.dumps(answer["body"]).replace("$submission", submitted(folder / "calls.jsonl")))
    if status == 401 and "message" not in answer:
        sys.exit(4)  # not logged in
    if status >= 400:
        sys.exit(f"gh: {answer.get('message', 'Not Found')} (HTTP {status})")


def submitted(calls: Path) -> str:
    """Return the input `submission` of the last workflow that was started: GitHub shows it in the title of its run."""
    bodies = [json.loads(line)["body"] or {} for line in calls.read_text().splitlines()]
    return next((body["inputs"]["submission"] for body in reversed(bodies) if "inputs" in body), "")


def take(file: Path, method: str, path: str, query: str) -> dict:
    """Return the answer that fits, and take it out where it holds once."""
    answers = json.loads(file.read_text()) if file.exists() else []
    for index, answer in enumerate(answers):
        asked = f"{path}?{query}" if "?" in answer["path"] else path
        if answer.get("method", "GET") == method and re.fullmatch(answer["path"].replace("?", r"\?"), asked):
            if answer.pop("once", False):
                del answers[index]
                file.write_text(json.dumps(answers))
            return answer
    return {"status": 404, "body": {"message": "Not Found"}}


main()
