"""The headers of a message: in order, several of one name, in any spelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping


Pair = tuple[str, str]


class Fields:
    """A list of headers; ``[name]`` is the first of that name, and sets all of them."""

    __slots__ = ("_pairs",)

    def __init__(self, given: Mapping[str, str] | Iterable[Pair] = ()) -> None:
        pairs = given.items() if isinstance(given, Mapping) else given
        self._pairs: list[Pair] = list(pairs)

    def __repr__(self) -> str:
        """Return the names alone: a value may be a secret."""
        return f"Fields({', '.join(self)})"

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        return any(own.lower() == wanted for own, _ in self._pairs)

    def __getitem__(self, name: str) -> str:
        return self.getall(name)[0]

    def __setitem__(self, name: str, value: str) -> None:
        self.discard(name)
        self.add(name, value)

    def keys(self) -> Iterable[str]:
        """Return the names, in order."""
        return list(self)

    def items(self) -> Iterable[Pair]:
        """Return names and values, in order."""
        return tuple(self._pairs)

    def getall(self, name: str) -> list[str]:
        """Return the values of *name*; raise KeyError when there is none."""
        wanted = name.lower()
        found = [value for own, value in self._pairs if own.lower() == wanted]
        if not found:
            raise KeyError(name)
        return found

    def add(self, name: str, value: str) -> None:
        """Add a header beside those of the same name."""
        self._pairs.append((name, value))

    def discard(self, name: str) -> None:
        """Take out all headers of *name*."""
        wanted = name.lower()
        self._pairs = [pair for pair in self._pairs if pair[0].lower() != wanted]

    def copy(self) -> Fields:
        """Return the same headers, to be changed."""
        return Fields(self._pairs)
