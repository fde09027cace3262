"""The bundled study by a plain GET route: its table and one picture a row."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from cgan.registry import closest
from cgan.study.bundled import BundledStudy
from cgan.ui.query import Query
from cgan.ui.routes import IMMUTABLE, REVALIDATE


class StudyRoutes:
    """Answers with the files of the bundled study, and with nothing else."""

    def __init__(self, study: BundledStudy):
        self.study = study

    def add_to(self, app: Starlette) -> None:
        """Register the route."""
        app.add_route("/study/{path:path}", self.file, methods=["GET"])

    async def file(self, request: Request) -> Response:
        """A file; 404 or 400 with one line where there is none or a parameter is unknown."""
        path, study = request.path_params["path"], self.study
        if path not in study.files:
            known = [*study.files]
            hint = closest(path[:100], known) or (
                f" There is {known[0]}." if known else " There is no study here."
            )
            return PlainTextResponse(f"no file {path[:100]!a} of a study.{hint}\n", 404)
        try:
            query = Query(request.query_params.multi_items())
            current = query.matching("v", "[0-9a-f]{1,64}", "a version of the study")
            query.done()
        except ValueError as error:
            return PlainTextResponse(f"{error}\n", 400)
        body, media = study.files[path]
        kept = IMMUTABLE if current == study.version else REVALIDATE
        headers = {"Cache-Control": kept, "ETag": f'"{study.version}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media, headers=headers)
