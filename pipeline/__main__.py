try:
    from runhive.cli import main
except ModuleNotFoundError as error:
    if error.name and error.name.startswith("runhive"):
        raise
    raise SystemExit(
        f"runhive: this Python lacks {error.name}: run `make demo` once, then `. .venv/bin/activate`"
    ) from None

main()
