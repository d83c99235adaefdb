// Who sends to whom, by names of the file or by addresses; and the request, where the way leads to a load
// balancer.
import { useMemo } from "preact/hooks";
import type { TopologyAnswer } from "../../../src/model/dashboard-datacenter.ts";
import { go, place } from "../router.ts";
import { PACKET_FIELDS } from "./question-words.ts";
import { RequestInputs, RequestPresets, wordsOfForm } from "./request-form.tsx";

const NAMES_MAX = 2000;

export function PacketForm({ topology }: { readonly topology: TopologyAnswer | null }) {
  const { query } = place.value;
  const value = (name: string) => query.get(name) ?? "";
  const hasRequest = value("url") !== "";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    go(`/explain?${wordsOfForm(event.currentTarget as HTMLFormElement)}`);
  };
  const takeRequest = ({ from: _, ...fields }: Readonly<Record<string, string>>) => {
    const packet = PACKET_FIELDS.flatMap((name) => (value(name) === "" ? [] : [[name, value(name)]]));
    go(`/explain?${new URLSearchParams([...packet, ...Object.entries(fields)])}`);
  };
  return (
    <form key={query.toString()} class="explain-form" onSubmit={submit}>
      <Names topology={topology} />
      <label>
        From
        <input name="from" list="topology-names" required defaultValue={value("from") || "internet"} />
      </label>
      <label>
        To
        <input
          name="to"
          list="topology-names"
          required
          placeholder="name or address"
          defaultValue={value("to")}
        />
      </label>
      <label>
        Protocol
        <select name="protocol" defaultValue={value("protocol") || "tcp"}>
          <option>tcp</option>
          <option>udp</option>
          <option>icmp</option>
        </select>
      </label>
      <label>
        Port
        <input name="port" inputMode="numeric" pattern="\d{1,5}" size={6} defaultValue={value("port")} />
      </label>
      <button type="submit" class="primary">
        Explain
      </button>
      <details class="request-fields" open={hasRequest}>
        <summary>Beyond a load balancer: which request</summary>
        <div class="explain-form">
          <RequestInputs query={query} isRequired={false} />
          <RequestPresets take={takeRequest} />
        </div>
      </details>
    </form>
  );
}

function Names({ topology }: { readonly topology: TopologyAnswer | null }) {
  const names = useMemo(
    () => topology?.nodes.flatMap(({ reference }) => reference ?? []).slice(0, NAMES_MAX) ?? [],
    [topology],
  );
  return (
    <datalist id="topology-names">
      {names.map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  );
}
