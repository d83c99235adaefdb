// One request in all detail: its timers and its termination state in words, and why it went where it went.
import type { RequestDetails, RequestRecord } from "../../../src/model/dashboard-api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { RequestTraceView } from "../parts/request-trace.tsx";
import { Fault } from "../parts/small.tsx";
import { useLoaded } from "../state/loaded.ts";
import { formatClock, formatMs } from "../text/format.ts";

export function RequestDialog({ id, close }: { readonly id: string; close(): void }) {
  const { data, fault, again } = useLoaded<RequestDetails>(`/requests/${encodeURIComponent(id)}`);
  return (
    <Dialog title={data === null ? `Request ${id}` : titleOf(data.request)} onClose={close}>
      {fault !== null && data === null && <Fault fault={fault} again={again} />}
      {data !== null && <Details details={data} />}
      <div class="dialog-buttons">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Details({ details }: { readonly details: RequestDetails }) {
  const { request, timers, termination, headers, explanation } = details;
  return (
    <>
      <p>
        {formatClock(request.atMs)} from <span class="mono">{request.client}</span> by {request.frontend}
        {request.isTls && ", TLS"}
        {request.server !== null && (
          <>
            {" "}
            to{" "}
            <b>
              {request.backend}/{request.server}
            </b>
          </>
        )}
        {request.persistence !== "" && `, ${request.persistence}`}.{" "}
        {request.ending !== "" && <span class="bad-text">{request.ending}. </span>}
        {request.retries > 0 && ` ${request.retries} retries.`}
      </p>
      <section>
        <h2>Where the time went: {formatMs(request.timers.totalMs)}</h2>
        <table class="plain">
          <tbody>
            {timers.map(({ name, ms, meaning }) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                <td class="number">{formatMs(ms)}</td>
                <td class="wrap">{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section>
        <h2>
          How it ended: <span class="mono">{request.termination}</span>
        </h2>
        <table class="plain">
          <tbody>
            {termination.map(({ letter, meaning }, index) => (
              <tr key={`${index}${letter}`}>
                <th scope="row" class="mono">
                  {letter}
                </th>
                <td class="wrap">{meaning}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {headers.length > 0 && (
        <details>
          <summary>What the client sent</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reached by the keyboard. */}
          <pre class="excerpt" tabIndex={0}>
            {request.http !== null && `${request.http.method} ${request.http.target}\n`}
            {headers.map(([name, value]) => `${name}: ${value}\n`).join("")}
          </pre>
        </details>
      )}
      <section>
        <h2>Why</h2>
        {explanation.kind === "unexplained" ? (
          <p class="quiet">{explanation.reason}</p>
        ) : (
          <>
            {explanation.assumptions.length > 0 && (
              <p class="quiet small">{explanation.assumptions.join(" ")}</p>
            )}
            <RequestTraceView trace={explanation.trace} />
          </>
        )}
      </section>
    </>
  );
}

function titleOf({ http, id }: RequestRecord): string {
  return http === null ? `Connection ${id}` : `${http.method} ${http.target}`;
}
