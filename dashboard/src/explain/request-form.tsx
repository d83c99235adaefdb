// The fields of a request that is asked about: what a browser would send, and what else decides at a load
// balancer.
import { useState } from "preact/hooks";
import type { RequestDetails, RequestsAnswer } from "../../../src/model/dashboard-api.ts";
import { get } from "../api/client.ts";
import { sayFault } from "../parts/messages.tsx";
import { useLoaded } from "../state/loaded.ts";
import type { RequestFields } from "./question-words.ts";
import { fieldsOfHead, presetsOf } from "./request-presets.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const LEARNT_FROM = 200;

export function requestFieldsOf(query: URLSearchParams): RequestFields {
  const value = (name: string) => query.get(name) ?? "";
  return {
    url: value("url"),
    method: value("method"),
    host: value("host"),
    tlsName: value("tlsName"),
    cookie: value("cookie"),
    headers: value("headers"),
  };
}

/** `isRequired`: there is no question without a URL. */
export function RequestInputs({
  query,
  isRequired,
}: {
  readonly query: URLSearchParams;
  readonly isRequired: boolean;
}) {
  const { url, method, host, tlsName, cookie, headers } = requestFieldsOf(query);
  const isMore = [host, tlsName, headers].some((text) => text !== "");
  return (
    <>
      <label>
        Method
        <input name="method" list="explain-methods" size={8} defaultValue={method || "GET"} />
        <datalist id="explain-methods">
          {METHODS.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <label class="wide-field">
        URL
        <input
          name="url"
          size={34}
          required={isRequired}
          placeholder="https://company.com/login?next=1"
          defaultValue={url}
        />
      </label>
      <label>
        Cookies
        <input name="cookie" size={22} placeholder="SERVERID=B; theme=dark" defaultValue={cookie} />
      </label>
      <details class="more-fields" open={isMore}>
        <summary>Host, TLS name, headers</summary>
        <div>
          <label>
            Host, if not the URL's
            <input name="host" size={22} placeholder="shop.company.com" defaultValue={host} />
          </label>
          <label>
            TLS name, if not the URL's
            <input name="tlsName" size={22} placeholder="company.com" defaultValue={tlsName} />
          </label>
          <label>
            Headers, a line each
            <textarea
              name="headers"
              rows={3}
              cols={36}
              placeholder={"X-Forwarded-For: 192.0.2.9\nAccept-Language: de"}
              defaultValue={headers}
            />
          </label>
        </div>
      </details>
    </>
  );
}

/** One of those that came last, with what is kept of its head. */
export function RequestPresets({ take }: { take(fields: Readonly<Record<string, string>>): void }) {
  const { data, again } = useLoaded<RequestsAnswer>(`/requests?limit=${LEARNT_FROM}`);
  const [chosen, setChosen] = useState("");
  const presets = presetsOf(data?.requests ?? []);
  if (presets.length === 0) return null;
  const choose = async (text: string) => {
    setChosen(text);
    const preset = presets.find(({ id }) => String(id) === text);
    if (preset === undefined) return;
    const { url, method, from } = preset;
    try {
      const { headers } = await get<RequestDetails>(`/requests/${preset.id}`);
      take({ url, method, from, ...fieldsOfHead(headers) });
    } catch (error) {
      // It is no longer kept: its line is enough to ask.
      sayFault(error);
      take({ url, method, from });
    }
  };
  return (
    <label>
      Like one of the last requests
      <select value={chosen} onFocus={again} onChange={(event) => void choose(event.currentTarget.value)}>
        <option value="">…</option>
        {presets.map(({ id, label }) => (
          <option key={id} value={String(id)}>
            {label.length > 70 ? `${label.slice(0, 69)}…` : label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The words of a form that are said, in its order. */
export function wordsOfForm(form: HTMLFormElement): URLSearchParams {
  const words = new URLSearchParams();
  for (const [name, text] of new FormData(form)) {
    const word = String(text).trim();
    const isDefault = name === "method" && word === "GET";
    if (word !== "" && !isDefault) words.set(name, word);
  }
  return words;
}
