// Where a packet or a request goes, and which line decided it: asked in a form, shown on the drawing, told
// step by step; the address of the page is the question.
import { session } from "../api/client.ts";
import { PacketQuestion } from "../explain/packet-question.tsx";
import { RequestQuestion } from "../explain/request-question.tsx";
import { PageHead } from "../parts/small.tsx";
import { go, place } from "../router.ts";
import "../explain/explain.css";
import "../topology/panel.css";

export default function ExplainPage() {
  const hasDatacenter = session.value?.features.datacenter === true;
  const isRequest = !hasDatacenter || place.value.query.get("of") === "request";
  return (
    <>
      <PageHead title="Explain">
        {hasDatacenter && (
          <fieldset class="choices" aria-label="What">
            <button type="button" aria-pressed={!isRequest} onClick={() => go("/explain")}>
              A packet
            </button>
            <button type="button" aria-pressed={isRequest} onClick={() => go("/explain?of=request")}>
              A request
            </button>
          </fieldset>
        )}
      </PageHead>
      {isRequest ? <RequestQuestion /> : <PacketQuestion />}
    </>
  );
}
