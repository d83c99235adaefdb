// Actions that change the request line. The first one to do so keeps the original for logs and
// `capture.req.*`.

import type { RequestLineAction, UriNormalizer } from "../../../model/rule.ts";
import type { LogFormat } from "../../../model/sample.ts";
import type { MessageHead } from "../../../protocol/http1/message-head.ts";
import type { Stream } from "../../stream.ts";
import type { RuleEnvironment } from "../environment.ts";
import { compileFormat } from "../format.ts";
import { createNormalizer } from "../normalize-uri.ts";
import { requireRegex } from "../regex.ts";
import { pathAndQueryOf, pathOf, pathStart } from "../target.ts";
import type { RunAction } from "./action.ts";
import { compileReplacement, replaceMatch } from "./edits.ts";

export function compileRequestLineAction(action: RequestLineAction, environment: RuleEnvironment): RunAction {
  switch (action.kind) {
    case "set-method":
      return change(action.value, environment, (request, value) => {
        request.method = value;
      });
    case "set-path":
      return change(action.value, environment, (request, value) => replacePart(request, value, "path"));
    case "set-pathq":
      return change(action.value, environment, (request, value) => replacePart(request, value, "pathq"));
    case "set-query":
      return change(action.value, environment, setQuery);
    case "set-uri":
      return change(action.value, environment, setUri);
    case "replace-path":
      return replace(
        action,
        false,
        environment,
        ({ target }) => pathOf(target),
        (request, value) => replacePart(request, value, "path"),
      );
    case "replace-pathq":
      return replace(
        action,
        false,
        environment,
        ({ target }) => pathAndQueryOf(target),
        (request, value) => replacePart(request, value, "pathq"),
      );
    case "replace-uri":
      return replace(action, action.ignoreCase, environment, ({ target }) => target, setUri);
    case "normalize-uri":
      return normalize(action.normalizer);
  }
}

function change(
  format: LogFormat,
  environment: RuleEnvironment,
  apply: (request: MessageHead, value: string) => void,
): RunAction {
  const write = compileFormat(format, environment, "http");
  return (stream) => {
    if (stream.request === null) return null;
    const value = write(stream);
    keepOriginal(stream, stream.request);
    apply(stream.request, value);
    return null;
  };
}

function replace(
  action: { readonly pattern: string; readonly value: LogFormat },
  ignoreCase: boolean,
  environment: RuleEnvironment,
  read: (request: MessageHead) => string | undefined,
  apply: (request: MessageHead, value: string) => void,
): RunAction {
  const regex = requireRegex(action.pattern, ignoreCase);
  const replacement = compileReplacement(action.value, environment);
  return (stream) => {
    const subject = stream.request === null ? undefined : read(stream.request);
    if (stream.request === null || subject === undefined) return null;
    const value = replaceMatch(subject, regex, replacement(stream));
    if (value === null) return null;
    keepOriginal(stream, stream.request);
    apply(stream.request, value);
    return null;
  };
}

/** Targets without a path (`*`, an authority) have no other form. */
function normalize(normalizer: UriNormalizer): RunAction {
  const run = createNormalizer(normalizer);
  return (stream) => {
    const { request } = stream;
    const before = request === null ? undefined : pathAndQueryOf(request.target);
    if (request === null || before === undefined) return null;
    const after = run(before);
    if (after === null) return { kind: "invalid" };
    if (after === before) return null;
    keepOriginal(stream, request);
    replacePart(request, after, "pathq");
    return null;
  };
}

export function keepOriginal(stream: Stream, request: MessageHead): void {
  stream.originalMethod ??= request.method;
  stream.originalTarget ??= request.target;
}

/** A URI with an authority decides on the Host header too. */
function setUri(request: MessageHead, uri: string): void {
  request.target = uri;
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/]*@)?([^/]+)/.exec(uri)?.[1];
  if (authority === undefined) return;
  for (let i = request.indexOf("host", 0); i >= 0; i = request.indexOf("host", i + 1))
    request.setValueAt(i, authority);
}

/** Scheme and authority stay; with "path" the query stays as well. */
function replacePart(request: MessageHead, value: string, part: "path" | "pathq"): void {
  const { target } = request;
  const start = pathStart(target);
  if (start < 0) return;
  const mark = part === "path" ? target.indexOf("?", start) : -1;
  request.target = target.slice(0, start) + value + (mark < 0 ? "" : target.slice(mark));
}

/** A question mark that is there stays, even before an empty query; one is added only before a query. */
function setQuery(request: MessageHead, query: string): void {
  const { target } = request;
  const mark = target.indexOf("?");
  if (mark >= 0) request.target = target.slice(0, mark + 1) + query;
  else if (query !== "") request.target = `${target}?${query}`;
}
