// What HAProxy counts of HTTP/2, in a FRONTEND row; a BACKEND's are 0, since servers are spoken to by
// HTTP/1.1. HAProxy calls the streams of clients those of a backend, too.
import type { Fields } from "./fields.ts";
import type { SlotCounters } from "./statistics-view.ts";

/** `counters`: of a frontend; null for a backend. */
export function http2Fields(counters: SlotCounters | null): Fields {
  return {
    h2_headers_rcvd: counters?.total("h2Headers") ?? 0,
    h2_data_rcvd: counters?.total("h2Data") ?? 0,
    h2_settings_rcvd: counters?.total("h2Settings") ?? 0,
    h2_rst_stream_rcvd: counters?.total("h2Resets") ?? 0,
    h2_goaway_rcvd: counters?.total("h2Goaways") ?? 0,
    h2_detected_conn_protocol_errors: counters?.total("h2ConnectionErrors") ?? 0,
    h2_detected_strm_protocol_errors: counters?.total("h2StreamErrors") ?? 0,
    h2_rst_stream_resp: counters?.total("h2ResetsSent") ?? 0,
    h2_goaway_resp: counters?.total("h2GoawaysSent") ?? 0,
    h2_open_connections: counters?.total("h2Connections") ?? 0,
    h2_backend_open_streams: counters?.total("h2Streams") ?? 0,
    h2_total_connections: counters?.total("h2ConnectionsTotal") ?? 0,
    h2_backend_total_streams: counters?.total("h2StreamsTotal") ?? 0,
  };
}
