"""`/openapi.json`, and `/docs`: a page that reads it with nothing from another host."""

from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.response import Redirect

from hub.web.openapi import document

POLICY: Final = "default-src 'none'; connect-src 'self'; script-src 'self'; style-src 'self'; base-uri 'none'"

PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Crossdock API</title><link rel="stylesheet" href="/docs/page.css"></head>
<body><header><h1>Crossdock API</h1><p id="about"></p><p><a href="/openapi.json">openapi.json</a></p>
<input id="search" type="search" placeholder="Filter by path or word" aria-label="Filter"></header>
<main id="list"><noscript>The whole reference is in openapi.json.</noscript></main>
<script src="/docs/page.js"></script></body></html>
"""

STYLE: Final = """
:root { color-scheme: light dark; font: 14px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
input { width: 100%; padding: .5rem; font: inherit; box-sizing: border-box; }
h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
details { border: 1px solid #8884; border-radius: 4px; margin: .25rem 0; padding: .25rem .5rem; }
summary { cursor: pointer; }
code, pre { font: 12px/1.5 ui-monospace, monospace; }
pre { overflow: auto; background: #8881; padding: .5rem; border-radius: 4px; }
.method { display: inline-block; width: 4.5rem; font-weight: 600; }
"""

SCRIPT: Final = """
const make = (tag, text = '', name = '') =>
  Object.assign(document.createElement(tag), {textContent: text, className: name});
const resolve = (doc, node, depth = 0) => {
  if (!node || typeof node !== 'object' || depth > 6) return node;
  if (node.$ref) return resolve(doc, node.$ref.slice(2).split('/').reduce((at, key) => at[key], doc), depth + 1);
  if (Array.isArray(node)) return node.map(part => resolve(doc, part, depth + 1));
  return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, resolve(doc, part, depth + 1)]));
};
const section = (parent, title, value) => {
  if (!value || (Array.isArray(value) && !value.length)) return;
  parent.append(make('h4', title), make('pre', JSON.stringify(value, null, 2)));
};
const operation = (doc, path, method, op) => {
  const box = make('details'), line = make('summary');
  const title = op.summary ?? '';
  line.append(make('span', method.toUpperCase(), 'method'), make('code', path), make('span', '  ' + title));
  box.append(line);
  box.dataset.words = [path, method, title, ...(op.tags ?? [])].join(' ').toLowerCase();
  box.addEventListener('toggle', () => {
    if (box.dataset.filled) return;
    box.dataset.filled = 'yes';
    box.append(make('p', op.description));
    section(box, 'Parameters', resolve(doc, op.parameters));
    section(box, 'Body', resolve(doc, op.requestBody));
    section(box, 'Answers', resolve(doc, op.responses));
  });
  return box;
};
fetch('/openapi.json').then(answer => answer.json()).then(doc => {
  document.getElementById('about').textContent = doc.info.description;
  const groups = new Map(), list = document.getElementById('list');
  for (const [path, item] of Object.entries(doc.paths))
    for (const [method, op] of Object.entries(item)) {
      const tag = (op.tags ?? ['other'])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(doc, path, method, op));
    }
  for (const [tag, boxes] of groups) list.append(make('h2', tag), ...boxes);
  document.getElementById('search').addEventListener('input', event => {
    const wanted = event.target.value.toLowerCase();
    for (const box of list.querySelectorAll('details')) box.hidden = !box.dataset.words.includes(wanted);
  });
});
"""


@get("/openapi.json", include_in_schema=False)
async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The reference."""
    return Response(msgspec.json.encode(document(request.app)), media_type=MediaType.JSON)


@get("/", include_in_schema=False)
async def front() -> Redirect:
    """Whoever opens the hub's bare address finds the reference."""
    return Redirect("/docs")


@get("/docs", include_in_schema=False)
async def docs() -> Response[str]:
    """The reference as a page."""
    return Response(PAGE, media_type=MediaType.HTML, headers={"Content-Security-Policy": POLICY})


@get("/docs/page.css", include_in_schema=False)
async def docs_style() -> Response[str]:
    """The page's looks."""
    return Response(STYLE, media_type=MediaType.CSS)


@get("/docs/page.js", include_in_schema=False)
async def docs_script() -> Response[str]:
    """The page's script."""
    return Response(SCRIPT, media_type="text/javascript")


ROUTES: Final = (openapi_json, front, docs, docs_style, docs_script)
