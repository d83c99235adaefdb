// The metrics of HAProxy's exporter, in its order, with its names and types, so that dashboards made for it
// work here. A pure table: which column or field of `show info` each one shows. The help texts are our own.

export type MetricForm =
  | "number"
  /** A column in milliseconds, shown in seconds. */
  | "seconds"
  /** One sample per state, 1 for the present one. */
  | "states"
  /** One sample per class of HTTP status. */
  | "codes"
  /** One sample per outcome of a check. */
  | "check-states"
  /** How many servers of a backend are in each state. */
  | "server-states"
  | "server-check-states"
  /** Always 1, with the version as a label. */
  | "version";

export interface Metric {
  /** Without "haproxy_" and the section. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  /** Column of the CSV, or name in `show info`. */
  readonly source: string;
  readonly form: MetricForm;
  /** Not for proxies in tcp mode. */
  readonly isHttpOnly: boolean;
  /** Not for servers without check. */
  readonly isCheckedOnly: boolean;
  readonly help: string;
}

// name,type,source,form and conditions,help
const PROCESS = `
nbthread,g,Nbthread,,Worker processes
nbproc,g,Nbproc,,Always 1
relative_process_id,g,Process_num,,Always 1
uptime_seconds,g,Uptime_sec,,Seconds since the start
pool_failures_total,c,PoolFailed,,Failed allocations from memory pools
max_fds,g,Ulimit-n,,File descriptors that a process may have
max_sockets,g,Maxsock,,Sockets that a process may have
max_connections,g,Maxconn,,Client connections allowed at a time
hard_max_connections,g,Hard_maxconn,,Client connections allowed at a time by the configuration
current_connections,g,CurrConns,,Client connections now
connections_total,c,CumConns,,Client connections since the start
requests_total,c,CumReq,,HTTP requests since the start
max_ssl_connections,g,MaxSslConns,,TLS connections allowed at a time (0: no limit)
current_ssl_connections,g,CurrSslConns,,TLS connections now
ssl_connections_total,c,CumSslConns,,TLS connections since the start
max_pipes,g,Maxpipes,,Pipes allowed for splicing
pipes_used_total,c,PipesUsed,,Pipes in use
pipes_free_total,c,PipesFree,,Pipes kept for use
current_connection_rate,g,ConnRate,,Client connections in the last second
limit_connection_rate,g,ConnRateLimit,,Limit of client connections per second (0: none)
max_connection_rate,g,MaxConnRate,,Most client connections in a second
current_session_rate,g,SessRate,,Sessions in the last second
limit_session_rate,g,SessRateLimit,,Limit of sessions per second (0: none)
max_session_rate,g,MaxSessRate,,Most sessions in a second
current_ssl_rate,g,SslRate,,TLS connections in the last second
limit_ssl_rate,g,SslRateLimit,,Limit of TLS connections per second (0: none)
max_ssl_rate,g,MaxSslRate,,Most TLS connections in a second
current_frontend_ssl_key_rate,g,SslFrontendKeyRate,,TLS keys computed for clients in the last second
max_frontend_ssl_key_rate,g,SslFrontendMaxKeyRate,,Most TLS keys computed for clients in a second
frontend_ssl_reuse,g,SslFrontendSessionReuse_pct,,Percent of client TLS connections that resumed a session
current_backend_ssl_key_rate,g,SslBackendKeyRate,,TLS keys computed for servers in the last second
max_backend_ssl_key_rate,g,SslBackendMaxKeyRate,,Most TLS keys computed for servers in a second
ssl_cache_lookups_total,c,SslCacheLookups,,Lookups in the cache of TLS sessions
ssl_cache_misses_total,c,SslCacheMisses,,Failed lookups in the cache of TLS sessions
http_comp_bytes_in_total,c,CompressBpsIn,,Bytes given to compression in the last second
http_comp_bytes_out_total,c,CompressBpsOut,,Bytes that came out of compression in the last second
limit_http_comp,g,CompressBpsRateLim,,Limit of compression (0: none)
current_zlib_memory,g,ZlibMemUsage,,Memory of compression
max_zlib_memory,g,MaxZlibMemUsage,,Limit of the memory of compression
current_tasks,g,Tasks,,Tasks of the scheduler
current_run_queue,g,Run_queue,,Tasks that wait to run
idle_time_percent,g,Idle_pct,,Percent of the last second spent idle
stopping,g,Stopping,,1 while it stops softly
jobs,g,Jobs,,Client connections and listeners
unstoppable_jobs,g,Unstoppable Jobs,,Always 0
listeners,g,Listeners,,Listeners of all bind lines
active_peers,g,ActivePeers,,Peers that were verified
connected_peers,g,ConnectedPeers,,Peers that are connected
dropped_logs_total,c,DroppedLogs,,Log lines that were dropped
busy_polling_enabled,g,BusyPolling,,1 with busy polling
failed_resolutions,c,FailedResolutions,,Failed resolutions of names
bytes_out_total,c,TotalBytesOut,,Bytes sent to clients since the start
spliced_bytes_out_total,c,TotalSplicdedBytesOut,,Bytes sent through pipes since the start
bytes_out_rate,g,BytesOutRate,,Bytes sent in the last second
recv_logs_total,c,CumRecvLogs,,Log lines received for forwarding
build_info,g,Build info,version,Version of the program
max_memory_bytes,g,Memmax_bytes,,Limit of memory (0: none)
pool_allocated_bytes,g,PoolAlloc_bytes,,Memory in pools
pool_used_bytes,g,PoolUsed_bytes,,Memory of pools in use
start_time_seconds,g,Start_time_sec,,When it was started (seconds since 1970)`;

const FRONTEND = `
current_sessions,g,scur,,Sessions now
max_sessions,g,smax,,Most sessions at a time
limit_sessions,g,slim,,Sessions allowed at a time
sessions_total,c,stot,,Sessions since the start
bytes_in_total,c,bin,,Bytes of requests since the start
bytes_out_total,c,bout,,Bytes of responses since the start
requests_denied_total,c,dreq,,Requests denied by rules
responses_denied_total,c,dresp,,Responses denied by rules
request_errors_total,c,ereq,,Bad or aborted requests
status,g,status,states,State: 1 at the label of the present one
limit_session_rate,g,rate_lim,,Limit of sessions per second (0: none)
max_session_rate,g,rate_max,,Most sessions in a second
http_responses_total,c,hrsp,codes http,HTTP responses by class of status
http_requests_rate_max,g,req_rate_max,http,Most HTTP requests in a second
http_requests_total,c,req_tot,http,HTTP requests since the start
http_comp_bytes_in_total,c,comp_in,http,Bytes given to compression
http_comp_bytes_out_total,c,comp_out,http,Bytes that came out of compression
http_comp_bytes_bypassed_total,c,comp_byp,http,Bytes that went past compression
http_comp_responses_total,c,comp_rsp,http,Compressed responses
connections_rate_max,g,conn_rate_max,,Most connections in a second
connections_total,c,conn_tot,,Connections since the start
intercepted_requests_total,c,intercepted,http,Requests answered by the proxy itself
denied_connections_total,c,dcon,,Connections denied by tcp-request connection
denied_sessions_total,c,dses,,Sessions denied by tcp-request session
failed_header_rewriting_total,c,wrew,,Header changes that failed
http_cache_lookups_total,c,cache_lookups,http,Lookups in the HTTP cache
http_cache_hits_total,c,cache_hits,http,Hits in the HTTP cache
internal_errors_total,c,eint,,Internal errors`;

const LISTENER = `
current_sessions,g,scur,,Sessions now
max_sessions,g,smax,,Most sessions at a time
limit_sessions,g,slim,,Sessions allowed at a time
sessions_total,c,stot,,Sessions since the start
bytes_in_total,c,bin,,Bytes of requests since the start
bytes_out_total,c,bout,,Bytes of responses since the start
requests_denied_total,c,dreq,,Requests denied by rules
responses_denied_total,c,dresp,,Responses denied by rules
request_errors_total,c,ereq,,Bad or aborted requests
status,g,status,states,State: 1 at the label of the present one
denied_connections_total,c,dcon,,Connections denied by tcp-request connection
denied_sessions_total,c,dses,,Sessions denied by tcp-request session
failed_header_rewriting_total,c,wrew,,Header changes that failed
internal_errors_total,c,eint,,Internal errors`;

const BACKEND = `
current_queue,g,qcur,,Streams that wait for a server
max_queue,g,qmax,,Most streams that waited at a time
current_sessions,g,scur,,Streams now
max_sessions,g,smax,,Most streams at a time
limit_sessions,g,slim,,Streams that count as full load (fullconn)
sessions_total,c,stot,,Streams since the start
bytes_in_total,c,bin,,Bytes of requests since the start
bytes_out_total,c,bout,,Bytes of responses since the start
requests_denied_total,c,dreq,,Requests denied by rules
responses_denied_total,c,dresp,,Responses denied by rules
connection_errors_total,c,econ,,Failed connections to servers
response_errors_total,c,eresp,,Bad or broken responses
retry_warnings_total,c,wretr,,Retried connections to servers
redispatch_warnings_total,c,wredis,,Streams sent to another server after a failure
status,g,status,states,State: 1 at the label of the present one
weight,g,weight,,Weights of the servers in use
active_servers,g,act,,Active servers that take traffic
backup_servers,g,bck,,Backup servers that take traffic
check_up_down_total,c,chkdown,,How often all servers were lost
check_last_change_seconds,g,lastchg,,Seconds since the state changed
downtime_seconds_total,c,downtime,,Seconds without any server
loadbalanced_total,c,lbtot,,Streams that balancing chose a server for
max_session_rate,g,rate_max,,Most streams in a second
http_responses_total,c,hrsp,codes http,HTTP responses by class of status
http_requests_total,c,req_tot,http,HTTP requests since the start
client_aborts_total,c,cli_abrt,,Streams that the client aborted
server_aborts_total,c,srv_abrt,,Streams that the server aborted
http_comp_bytes_in_total,c,comp_in,http,Bytes given to compression
http_comp_bytes_out_total,c,comp_out,http,Bytes that came out of compression
http_comp_bytes_bypassed_total,c,comp_byp,http,Bytes that went past compression
http_comp_responses_total,c,comp_rsp,http,Compressed responses
last_session_seconds,g,lastsess,,Seconds since the last stream (-1: none yet)
queue_time_average_seconds,g,qtime,seconds,Mean time in queues over the last streams
connect_time_average_seconds,g,ctime,seconds,Mean time to connect over the last streams
response_time_average_seconds,g,rtime,seconds,Mean time to the response over the last streams
total_time_average_seconds,g,ttime,seconds,Mean time of a stream over the last streams
failed_header_rewriting_total,c,wrew,,Header changes that failed
connection_attempts_total,c,connect,,New connections to servers
connection_reuses_total,c,reuse,,Reuses of connections to servers
http_cache_lookups_total,c,cache_lookups,http,Lookups in the HTTP cache
http_cache_hits_total,c,cache_hits,http,Hits in the HTTP cache
max_queue_time_seconds,g,qtime_max,seconds,Longest time in queues
max_connect_time_seconds,g,ctime_max,seconds,Longest time to connect
max_response_time_seconds,g,rtime_max,seconds,Longest time to the response
max_total_time_seconds,g,ttime_max,seconds,Longest time of a stream
internal_errors_total,c,eint,,Internal errors
uweight,g,uweight,,Configured weights of the servers in use
agg_server_status,g,status,server-states,Servers in each state
agg_server_check_status,g,status,server-states,Servers in each state
agg_check_status,g,check_status,server-check-states,Servers by outcome of their last check`;

const SERVER = `
current_queue,g,qcur,,Streams that wait for this server
max_queue,g,qmax,,Most streams that waited at a time
current_sessions,g,scur,,Streams now
max_sessions,g,smax,,Most streams at a time
limit_sessions,g,slim,,Streams allowed at a time
sessions_total,c,stot,,Streams since the start
bytes_in_total,c,bin,,Bytes of requests since the start
bytes_out_total,c,bout,,Bytes of responses since the start
responses_denied_total,c,dresp,,Responses denied by rules
connection_errors_total,c,econ,,Failed connections
response_errors_total,c,eresp,,Bad or broken responses
retry_warnings_total,c,wretr,,Retried connections
redispatch_warnings_total,c,wredis,,Streams sent to another server after a failure
status,g,status,states,State: 1 at the label of the present one
weight,g,weight,,Weight in force
check_failures_total,c,chkfail,,Failed checks while it was up
check_up_down_total,c,chkdown,,How often it went down
check_last_change_seconds,g,lastchg,,Seconds since the state changed
downtime_seconds_total,c,downtime,,Seconds that it was down
queue_limit,g,qlimit,,Streams that may wait
current_throttle,g,throttle,,Percent of its weight that slow start allows
loadbalanced_total,c,lbtot,,Streams that balancing chose it for
max_session_rate,g,rate_max,,Most streams in a second
check_status,g,check_status,check-states checked,Outcome of the last check: 1 at the label of the present one
check_code,g,check_code,checked,Code of the last check
check_duration_seconds,g,check_duration,seconds checked,How long the last check took
http_responses_total,c,hrsp,codes http,HTTP responses by class of status
client_aborts_total,c,cli_abrt,,Streams that the client aborted
server_aborts_total,c,srv_abrt,,Streams that the server aborted
last_session_seconds,g,lastsess,,Seconds since the last stream (-1: none yet)
queue_time_average_seconds,g,qtime,seconds,Mean time in queues over the last streams
connect_time_average_seconds,g,ctime,seconds,Mean time to connect over the last streams
response_time_average_seconds,g,rtime,seconds,Mean time to the response over the last streams
total_time_average_seconds,g,ttime,seconds,Mean time of a stream over the last streams
failed_header_rewriting_total,c,wrew,,Header changes that failed
connection_attempts_total,c,connect,,New connections
connection_reuses_total,c,reuse,,Reuses of connections
idle_connections_current,g,srv_icur,,Idle connections kept
idle_connections_limit,g,src_ilim,,Idle connections that may be kept
max_queue_time_seconds,g,qtime_max,seconds,Longest time in queues
max_connect_time_seconds,g,ctime_max,seconds,Longest time to connect
max_response_time_seconds,g,rtime_max,seconds,Longest time to the response
max_total_time_seconds,g,ttime_max,seconds,Longest time of a stream
internal_errors_total,c,eint,,Internal errors
unsafe_idle_connections_current,g,idle_conn_cur,,Idle connections that are not known to be safe
safe_idle_connections_current,g,safe_conn_cur,,Idle connections that are known to be safe
used_connections_current,g,used_conn_cur,,Connections in use
need_connections_current,g,need_conn_est,,Connections that are thought to be needed
uweight,g,uweight,,Configured weight`;

function parse(table: string): readonly Metric[] {
  return table
    .trim()
    .split("\n")
    .map((line) => {
      const [name, type, source, words, ...help] = line.split(",");
      const flags = words!.split(" ");
      const form = flags.find((flag) => flag !== "" && flag !== "http" && flag !== "checked") ?? "number";
      return {
        name: name!,
        type: type === "g" ? "gauge" : "counter",
        source: source!,
        form: form as MetricForm,
        isHttpOnly: flags.includes("http"),
        isCheckedOnly: flags.includes("checked"),
        help: help.join(","),
      };
    });
}

export const PROCESS_METRICS: readonly Metric[] = parse(PROCESS);
/** In the order in which the exporter prints them. */
export const ROW_METRICS: Readonly<
  Record<"frontend" | "listener" | "backend" | "server", readonly Metric[]>
> = {
  frontend: parse(FRONTEND),
  listener: parse(LISTENER),
  backend: parse(BACKEND),
  server: parse(SERVER),
};
