"""How the simulated UPS reads requests: what it refuses, and its habit of answering one for a list of one."""

from typing import Any, Final

from adapters.ups.simulator_books import ends, packages, references

IMAGES: Final = frozenset({"GIF", "ZPL", "EPL", "SPL"})
LISTS: Final = frozenset({"RatedShipment", "PackageResults", "LabelResults", "shipment", "package", "activity"})
DOMESTIC: Final = frozenset({"US", "PR"})


class Refusal(Exception):
    """An error of UPS."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def checked_ship(wanted: dict[str, Any], account: str) -> tuple[dict[str, Any], str]:
    """The shipment and label format of a request to ship. Raises `Refusal` for what UPS does not take."""
    shipment = wanted.get("Shipment") or {}
    if not shipment:
        raise Refusal("9300001", "The request has no ShipmentRequest with a Shipment")
    if (shipment.get("Shipper") or {}).get("ShipperNumber") != account:
        raise Refusal("120100", "Missing or invalid shipper number")
    start, end = ends(shipment)
    for place, name in ((start, "ShipFrom"), (end, "ShipTo")):
        for line in _lines(place):
            if len(line) > 35:
                raise Refusal("120203", f"Invalid {name} AddressLine")
        if not place.get("City") or not place.get("CountryCode") or not _lines(place):
            raise Refusal("120206", f"Missing or invalid {name} address")
    if not (shipment.get("Service") or {}).get("Code"):
        raise Refusal("120500", "Missing or invalid service code")
    _boxes(shipment)
    domestic = start["CountryCode"] == end["CountryCode"] and start["CountryCode"] in DOMESTIC
    if domestic and shipment.get("ReferenceNumber"):
        raise Refusal("120541", "Shipment/ReferenceNumber is not allowed for this shipment")
    if not domestic and any(references(box) for box in packages(shipment)):
        raise Refusal("120545", "Package/ReferenceNumber is not allowed for this shipment")
    label = wanted.get("LabelSpecification") or {}
    image = (label.get("LabelImageFormat") or {}).get("Code") or ""
    if image.upper() not in IMAGES:
        raise Refusal("120600", "Missing or invalid label image format")
    return shipment, image.upper()


def single(node: Any) -> Any:
    """The document with one object where a list of one was."""
    if isinstance(node, dict):
        shrunk = {name: single(value) for name, value in node.items()}
        return {
            name: value[0] if name in LISTS and isinstance(value, list) and len(value) == 1 else value
            for name, value in shrunk.items()
        }
    return [single(value) for value in node] if isinstance(node, list) else node


def _boxes(shipment: dict[str, Any]) -> None:
    boxes = packages(shipment)
    if not boxes:
        raise Refusal("120602", "Missing package")
    for box in boxes:
        if not (box.get("PackageWeight") or {}).get("Weight"):
            raise Refusal("120612", "Missing or invalid package weight")
        if shipment.get("ReturnService") and not box.get("Description"):
            raise Refusal("120623", "Invalid merchandise description of package")
        if any(len(name) > 35 for name in references(box)):
            raise Refusal("120543", "Invalid reference number value")


def _lines(place: dict[str, Any]) -> list[str]:
    found = place.get("AddressLine") or []
    return found if isinstance(found, list) else [found]
