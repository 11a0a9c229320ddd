"""A service's OpenAPI document, with what each route demands of whom."""

import copy
from typing import Any

from fastapi import FastAPI

from shared.runtime.access import COOKIE, Permission, declared

_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A signed-in person; the names required are roles."},
    "key": {"type": "http", "scheme": "bearer", "description": "An API key; the names required are its scopes."},
}


def described(app: FastAPI) -> dict[str, Any]:
    """Any one of a route's requirements will do; an empty list is a route open to all."""
    document = copy.deepcopy(app.openapi())
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for method, path, permission in declared(app):
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            operation["security"] = _demanded(permission)
    return document


def _demanded(permission: Permission | None) -> list[dict[str, list[str]]]:
    if permission is None:
        return []
    return [*({"session": [role]} for role in sorted(permission.roles)), *({"key": [scope]} for scope in sorted(permission.scopes))]
