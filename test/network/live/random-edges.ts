// Edges of a random datacentre: routes, firewall and NAT of every kind, and a load balancer with its
// haproxy.cfg.
import {
  addressIn,
  BALANCED_PORT,
  BALANCER_FILE,
  both,
  type Json,
  type Plan,
  PUBLIC,
  PUBLIC6,
  pick,
  subnetNumber,
} from "./random-plan.ts";

export function edgeSection(plan: Plan): Json {
  const { chance, near, deep, hasIpv6 } = plan;
  const outside = [...PUBLIC, ...(hasIpv6 ? PUBLIC6 : [])];
  const routes: Json[] = [
    { to: "0.0.0.0/0", via: "203.0.113.1" },
    ...(hasIpv6 ? [{ to: "::/0", via: "2001:db8:0:1::1" }] : []),
  ];
  const middle = near.at(-1)!;
  if (deep !== null) {
    const number = subnetNumber(deep);
    routes.push({ to: `10.${number}.0.0/24`, via: addressIn(middle, 2, 4) });
    if (hasIpv6) routes.push({ to: `fd00:${number}::/64`, via: addressIn(middle, 2, 6) });
  }
  const interfaces = Object.fromEntries(near.map((name) => [name, both(plan, name, 1)]));
  const border = {
    interfaces: { internet: outside, ...interfaces },
    routes,
    firewall: withBalancer(plan, randomFirewall(plan, ["internet", ...near])),
    nat: randomNat(plan),
    ...(plan.balanced.length === 0 ? {} : { "load-balancer": BALANCER_FILE }),
  };
  if (deep === null) return { border };
  const inner = {
    interfaces: { [middle]: both(plan, middle, 2), [deep]: both(plan, deep, 1) },
    routes: [
      { to: "0.0.0.0/0", via: addressIn(middle, 1, 4) },
      ...(hasIpv6 ? [{ to: "::/0", via: addressIn(middle, 1, 6) }] : []),
    ],
    firewall: randomFirewall(plan, [middle, deep]),
    nat: chance(3) === 0 ? [{ masquerade: deep, out: middle }] : [],
  };
  return { border, inner };
}

function randomFirewall(plan: Plan, networks: readonly string[]): Json {
  const { chance, machines } = plan;
  const places = [
    ...[...networks, ...machines.map(({ name }) => name)],
    ...[...PUBLIC, "10.0.0.0/25", "any"],
    ...(plan.hasIpv6 ? [...PUBLIC6, "fd00:0::/96"] : []),
  ];
  const rules = Array.from({ length: chance(6) }, (): Json => {
    const protocol = pick(chance, ["any", "tcp", "udp", "icmp"]);
    const hasPorts = protocol === "tcp" || protocol === "udp";
    const ports = pick(chance, [80, [80, 8001], "50-100", [53, "8000-8009"]]);
    return {
      [pick(chance, ["allow", "allow", "deny"])]: protocol,
      ...(chance(3) === 0 ? {} : { from: pick(chance, places) }),
      ...(chance(3) === 0 ? {} : { to: pick(chance, places) }),
      ...(hasPorts && chance(2) === 0 ? { ports } : {}),
    };
  });
  return {
    default: pick(chance, ["allow", "deny"]),
    match: pick(chance, ["original", "translated"]),
    rules,
  };
}

/** Mostly open for what the load balancer serves. */
function withBalancer({ balanced, more }: Plan, firewall: Json): Json {
  if (balanced.length === 0 || more(4) === 0) return firewall;
  const rule = { allow: "tcp", to: [PUBLIC[0], PUBLIC6[0]].slice(0, 1 + more(2)), ports: BALANCED_PORT };
  return { ...firewall, rules: [rule, ...(firewall["rules"] as Json[])] };
}

/** Its haproxy.cfg; null: there is none. Everything in it depends on the request alone. */
export function balancerText({ balanced, hasIpv6, more }: Plan): string | null {
  if (balanced.length === 0) return null;
  const backend = (name: string) => [
    `backend ${name}`,
    `  balance ${pick(more, ["uri", "source", "hdr(X-User)", "url_param id", "first"])}`,
    ...(more(2) === 0 ? ["  hash-type consistent"] : []),
    ...(more(3) === 0 ? ["  http-request set-path /changed%[path]"] : []),
    ...balanced.map((one) => `  server ${one.name} ${one.address}:80 weight ${1 + more(4)}`),
  ];
  const lines = [
    "defaults",
    "  mode http",
    "  timeout connect 1s",
    "  timeout client 5s",
    "  timeout server 5s",
    "  retries 0",
    "frontend web",
    `  bind ${PUBLIC[0]}:${BALANCED_PORT}`,
    ...(hasIpv6 ? [`  bind [${PUBLIC6[0]}]:${BALANCED_PORT}`] : []),
    `  acl api path_beg ${pick(more, ["/api", "/a", "/b"])}`,
    ...(more(3) === 0 ? ["  http-request deny deny_status 403 if { path_end .php }"] : []),
    `  use_backend api ${pick(more, ["if api", "unless api", "if api { hdr(X-User) -m beg 1 2 }"])}`,
    "  default_backend site",
    ...backend("api"),
    ...backend("site"),
  ];
  return `${lines.join("\n")}\n`;
}

function randomNat(plan: Plan): Json[] {
  const { chance, more, near, deep, machines, hasIpv6 } = plan;
  const networks = [...near, ...(deep === null ? [] : [deep])];
  const sources = networks.flatMap((network): Json[] => {
    switch (chance(4)) {
      case 0:
        return [];
      case 1:
        return [{ masquerade: network, out: "internet" }];
      case 2:
        return [
          { snat: `10.${subnetNumber(network)}.0.0/24`, to: pick(chance, PUBLIC) },
          ...(hasIpv6 ? [{ masquerade: network, out: "internet" }] : []),
        ];
      default:
        return [{ snat: network, to: pick(chance, PUBLIC) }];
    }
  });
  const targets = machines.map(({ network, host }) => addressIn(network, host, 4));
  const destinations = Array.from({ length: chance(4) }, (): Json => {
    const to = pick(chance, targets);
    const dnat = pick(chance, PUBLIC.slice(1));
    const hairpin = chance(2) === 0;
    switch (chance(4)) {
      case 0:
        return { dnat, protocol: "tcp", port: 8001, to, "to-port": 80, hairpin };
      case 1:
        return { dnat, protocol: pick(chance, ["tcp", "udp"]), port: pick(chance, [53, 80]), to, hairpin };
      case 2:
        return { dnat, protocol: "tcp", port: "8000-8004", to, "to-port": 78, hairpin };
      default:
        return { dnat, to, hairpin };
    }
  });
  const targets6 = machines.map(({ network, host }) => addressIn(network, host, 6));
  const destinations6 = hasIpv6 ? Array.from({ length: more(4) }, () => destination6(plan, targets6)) : [];
  const exchanged: Json[] =
    chance(3) === 0
      ? [{ "one-to-one": PUBLIC[2]!, to: pick(chance, targets), hairpin: chance(2) === 0 }]
      : [];
  const exchanged6: Json[] =
    hasIpv6 && more(4) === 0 ? [{ "one-to-one": PUBLIC6[1]!, to: pick(more, targets6) }] : [];
  const sources6: Json[] =
    hasIpv6 && more(3) === 0 ? [{ snat: `fd00:${more(3)}::/64`, to: pick(more, PUBLIC6) }] : [];
  return [...exchanged, ...exchanged6, ...destinations, ...destinations6, ...sources6, ...sources];
}

function destination6({ more }: Plan, targets: readonly string[]): Json {
  const to = pick(more, targets);
  const dnat = pick(more, PUBLIC6);
  const hairpin = more(2) === 0;
  switch (more(4)) {
    case 0:
      return { dnat, protocol: "tcp", port: 80, to, hairpin };
    case 1:
      return { dnat, protocol: pick(more, ["tcp", "udp"]), port: pick(more, [53, 80]), to, hairpin };
    case 2:
      return { dnat, protocol: "tcp", port: "8000-8004", to, "to-port": 78, hairpin };
    default:
      return { dnat, to, hairpin };
  }
}
