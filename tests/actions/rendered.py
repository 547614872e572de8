"""What GitHub would make of an answer: whatever is not ours is strange."""

from markdown_it import MarkdownIt
from markdown_it.token import Token

OURS = ("https://bees.example/", "https://github.com/team/bees/")
HTML = ("<details>", "</details>", "<summary>", "</summary>", "<br>")


def strange_tokens(text: str) -> list[str]:
    """Links, pictures and HTML that are not ours, and text outside of code that GitHub would make something of."""
    found = []
    for token in flat(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)):
        match token.type:
            case "image":
                found.append(f"image {token.attrs}")
            case "link_open" if not str(token.attrs["href"]).startswith(OURS):
                found.append(f"link {token.attrs}")
            case "html_inline" | "html_block":
                for line in token.content.splitlines():
                    fine = line.startswith(("<!-- runhive", '<img src="https://bees.example/media/', *HTML))
                    found += [] if fine or not line.strip() else [f"html {line}"]
            case "text" if any(sign in token.content for sign in ("@", "://", "www.", "#", "$")):
                found.append(f"text {token.content}")
    return found


def flat(tokens: list[Token]) -> list[Token]:
    """The tokens with those inside of them."""
    return [one for token in tokens for one in [token, *flat(token.children or [])]]
