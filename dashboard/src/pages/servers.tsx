// HAProxy's table of servers, made readable: thousands of them, found by a word, in the order that is asked
// for, each with a dialog of its own.
import { useEffect, useState } from "preact/hooks";
import type { ApiFault } from "../api/client.ts";
import { Empty, Fault, Heads, PageHead } from "../parts/small.tsx";
import { VirtualRows } from "../parts/virtual-rows.tsx";
import { goWith, place } from "../router.ts";
import { ServerDialog } from "../servers/server-dialog.tsx";
import { ServerTableRow } from "../servers/server-row.tsx";
import { shownServers, sortKeyOf } from "../state/server-list.ts";
import { followServers, loadServers, servers } from "../state/servers.ts";
import "./servers.css";

const ROW_HEIGHT = 53;
const COLUMNS = 9;
export default function ServersPage() {
  const [fault, setFault] = useState<ApiFault | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const load = () => {
    loadServers().then(
      () => setFault(null),
      (error: unknown) => setFault(error as ApiFault),
    );
  };
  useEffect(() => {
    load();
    return followServers();
  }, []);
  const rows = servers.value;
  const { query } = place.value;
  const find = query.get("find") ?? "";
  const condition = query.get("state") ?? "";
  const sort = sortKeyOf(query.get("sort"));
  const shown = rows === null ? [] : shownServers(rows, find, condition, sort);
  const counts = Map.groupBy(rows ?? [], (row) => row.condition);
  const open = rows?.find(({ id }) => id === chosen) ?? null;
  return (
    <>
      <PageHead title="Servers">
        <input
          type="search"
          aria-label="Find a server"
          placeholder="Name, address or cookie"
          value={find}
          onInput={(event) => goWith({ find: event.currentTarget.value })}
        />
        <select
          aria-label="State"
          value={condition}
          onChange={(event) => goWith({ state: event.currentTarget.value })}
        >
          <option value="">{`All (${rows?.length ?? 0})`}</option>
          {[...counts].map(([name, some]) => (
            <option key={name} value={name}>{`${name} (${some.length})`}</option>
          ))}
        </select>
        <select
          aria-label="Order"
          value={sort}
          onChange={(event) => goWith({ sort: event.currentTarget.value })}
        >
          <option value="file">as in the file</option>
          <option value="condition">what needs me first</option>
          <option value="sessions">most sessions first</option>
          <option value="requests">most requests first</option>
          <option value="errors">most errors first</option>
          <option value="response">slowest first</option>
        </select>
      </PageHead>
      {fault !== null && rows === null && <Fault fault={fault} again={load} />}
      {rows !== null && shown.length === 0 && (
        <Empty>{rows.length === 0 ? "No backend has a server." : "No server is like that."}</Empty>
      )}
      {shown.length > 0 && (
        <div class="table-scroll">
          <table class="servers">
            <Heads
              columns={[
                ["Server"],
                ["State"],
                ["Last check"],
                ["Weight", "number"],
                ["Sessions", "number"],
                ["Requests", "number"],
                ["Response", "number"],
                ["Errors", "number"],
                ["Sticky clients"],
              ]}
            />
            <VirtualRows
              rows={shown}
              rowHeight={ROW_HEIGHT}
              columns={COLUMNS}
              render={(row) => <ServerTableRow key={row.id} row={row} open={() => setChosen(row.id)} />}
            />
          </table>
        </div>
      )}
      {open !== null && <ServerDialog row={open} close={() => setChosen(null)} />}
    </>
  );
}
