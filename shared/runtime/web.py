"""Pages: one Jinja2 environment per service, and its static files under addresses that carry their content's hash."""

import hashlib
import importlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Depends
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

import shared
from shared.runtime.access import open_to_all
from shared.runtime.errors import AftercallError
from shared.runtime.problems import not_found

SHARED_WEB = Path(shared.__file__).parent / "web"


class AssetMissing(AftercallError):
    def __init__(self, name: str) -> None:
        super().__init__(f"No static folder of this service has the file {name!r}")


class AssetTwice(AftercallError):
    def __init__(self, name: str) -> None:
        super().__init__(f"Two static folders have the file {name!r}: rename one")


@dataclass(frozen=True, slots=True)
class Asset:
    digest: str
    media_type: str
    body: bytes


class Assets:
    """The static files of some folders, read once."""

    def __init__(self, folders: list[Path]) -> None:
        self._assets: dict[str, Asset] = {}
        for folder in folders:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                self._add(file.relative_to(folder).as_posix(), file)

    def url(self, name: str) -> str:
        """The address of a file; it changes when the content does, so that it may be cached for ever."""
        if name not in self._assets:
            raise AssetMissing(name)
        return f"/static/{self._assets[name].digest}/{name}"

    def get(self, digest: str, name: str) -> Asset | None:
        asset = self._assets.get(name)
        return asset if asset and asset.digest == digest else None

    def _add(self, name: str, file: Path) -> None:
        if name in self._assets:
            raise AssetTwice(name)
        body = file.read_bytes()
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self._assets[name] = Asset(hashlib.sha256(body).hexdigest()[:16], media_type, body)


def templates(package: str | None = None) -> Environment:
    """Templates of `shared/web` and of every `templates` folder in the package; `asset(name)` gives a static file's address."""
    environment = Environment(
        loader=FileSystemLoader([*_folders(package, "templates"), SHARED_WEB / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    assets = Assets([SHARED_WEB / "static", *_folders(package, "static")])
    environment.globals.update(asset=assets.url, assets=assets)
    return environment


def page(environment: Environment, template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """The rendered page as a response."""
    return HTMLResponse(environment.get_template(template).render(values), status)


def static_router(environment: Environment) -> APIRouter:
    """Serves the environment's assets."""
    router = APIRouter()
    assets = environment.globals["assets"]
    assert isinstance(assets, Assets)

    @router.get("/static/{digest}/{name:path}", dependencies=[Depends(open_to_all)], include_in_schema=False)
    async def static(digest: str, name: str) -> Response:
        asset = assets.get(digest, name)
        if asset is None:
            raise not_found()
        return Response(asset.body, media_type=asset.media_type, headers={"Cache-Control": "public, max-age=31536000, immutable"})

    return router


def _folders(package: str | None, name: str) -> Iterator[Path]:
    if package is None:
        return
    for root in importlib.import_module(package).__path__:
        yield from sorted(path for path in Path(root).rglob(name) if path.is_dir())
