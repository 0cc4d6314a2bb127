"""What `strata forget` and the other commands about one person do: find, rehearse, seal, carry out."""

from functools import cached_property
from typing import Any

from flows.begin import House, open_house
from flows.erasure_requests import key_of_text, rehearse, seal_request, waiting_requests
from flows.parameters import Parameters
from tasks.steps.forgotten import find_person


class Wish:
    """One person's wish on one lake."""

    def __init__(self, *, lake: str = "", policy: str = "") -> None:
        """Open nothing yet."""
        self.parameters = Parameters(lake=lake, policy=policy)

    @cached_property
    def house(self) -> House:
        """The lake and its policy."""
        return open_house(self.parameters)

    def whom(self, text: str) -> str:
        """The id or key that is meant by what somebody typed; raises as key_of_text does."""
        return key_of_text(text, self.house)

    def found(self, asked: str) -> dict[str, int]:
        """How much belongs to the person. Raises MissingDataError when nobody is meant."""
        person = find_person(self.house.lake, self.house.lake.snapshot(), asked)
        return {"keys": len(person.keys), "orders": len(person.orders), "events": len(person.events)}

    def rehearsed(self, asked: str) -> dict[str, Any]:
        """What an erasure would change."""
        return rehearse(asked, self.parameters, self.house)

    def sealed(self, asked: str) -> str:
        """A sealed request; its id. Raises MissingDataError when nobody is meant."""
        self.found(asked)
        return seal_request(asked, self.house)

    def waiting(self) -> list[str]:
        """Requests that are not done."""
        return waiting_requests(self.house)

    def carried_out(self, request: str) -> dict[str, Any]:
        """The erasure; wakes Prefect."""
        from flows.forget import forget  # noqa: PLC0415
        from flows.parameters import ForgetParameters  # noqa: PLC0415

        told = self.parameters
        summary: dict[str, Any] = forget(ForgetParameters(request=request, lake=told.lake, policy=told.policy))
        return summary
