"""The rules: what may happen to a parcel, given what has happened to it."""

from __future__ import annotations

from dataclasses import dataclass


class NotStartedError(Exception):
    """A command that the rules refuse."""


@dataclass(frozen=True)
class Parcel:
    """What the log says of a parcel; version 0 is one that nobody registered."""

    version: int = 0
    is_delivered: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happened to a parcel, at a place."""

    type: str
    place: str


def decide(parcel: Parcel, command: str, place: str) -> Event:
    """The event that a command becomes.

    Raises:
        NotStartedError: The rules refuse it.
    """
    if not place:
        raise NotStartedError("a place is missing")
    match command, parcel:
        case "register", Parcel(version=0):
            return Event("Registered", place)
        case "register", _:
            raise NotStartedError("this parcel is registered already")
        case _, Parcel(version=0):
            raise NotStartedError("there is no such parcel")
        case _, Parcel(is_delivered=True):
            raise NotStartedError("this parcel is delivered")
        case "scan", _:
            return Event("Scanned", place)
        case "deliver", _:
            return Event("Delivered", place)
    raise NotStartedError(f"there is no command {command!r}")


def evolve(parcel: Parcel, event_type: str) -> Parcel:
    """The parcel after an event."""
    return Parcel(parcel.version + 1, event_type == "Delivered")
