// For tests: traffic that goes on while a network is changed, as functions of bash. `flow NAME FROM TO`
// begins more than a hundred pings a second, `transfer TO FROM ADDRESS` one TCP connection; `finish` ends all
// of them, and `lost NAME` says how many pings of how many had no answer. Those behind the last answer are on
// their way.
import process from "node:process";
import { fileURLToPath } from "node:url";

const TRANSFER = fileURLToPath(new URL("transfer.ts", import.meta.url));

export function trafficIn(datacenter: string): string {
  return `
at() { nsenter --net=/run/netns/sp.${datacenter}.$1 "\${@:2}"; }
flow() {
  for i in $(seq 100); do at $2 ping -n -c1 -W1 $3 >/dev/null && break; done
  at $2 ping -n -i 0.008 $3 >/run/flow.$1 & flows="$flows $!"
}
lost() {
  grep -o 'icmp_seq=[0-9]*' /run/flow.$1 | cut -d= -f2 | awk -v name=$1 '
    { seen[$1]; if ($1 > most) most = $1 }
    END { for (i = 1; i <= most; i++) if (!(i in seen)) lost++; print name, lost + 0, "of", most }'
}
transfer() {
  at $1 ${process.execPath} ${TRANSFER} listen 9000 >/run/got & getting=$!
  until grep -q listening /run/got; do sleep 0.05; done
  at $2 ${process.execPath} ${TRANSFER} send $3 9000 /run/stop >/run/sent & sending=$!
}
finish() {
  touch /run/stop; wait $sending $getting; kill $flows; wait $flows || true
  tail -1 /run/got | cmp - /run/sent && cat /run/sent
}
`;
}
