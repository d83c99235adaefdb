// The pages, in the order of the navigation. Each is loaded when it is first looked at.
import type { ComponentType } from "preact";
import type { SessionAnswer } from "../../src/model/dashboard-api.ts";
import type { IconName } from "./parts/icons.tsx";

export interface Page {
  /** First part of the address. */
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  /** Whether there is something to show. */
  isThere(features: SessionAnswer["features"]): boolean;
  load(): Promise<{ readonly default: ComponentType }>;
}

const always = () => true;

export const PAGES: readonly Page[] = [
  {
    name: "overview",
    title: "Overview",
    icon: "pulse",
    isThere: always,
    load: () => import("./pages/overview.tsx"),
  },
  {
    name: "servers",
    title: "Servers",
    icon: "servers",
    isThere: always,
    load: () => import("./pages/servers.tsx"),
  },
  {
    name: "requests",
    title: "Requests",
    icon: "list",
    isThere: always,
    load: () => import("./pages/requests.tsx"),
  },
  {
    name: "topology",
    title: "Topology",
    icon: "topology",
    isThere: ({ datacenter }) => datacenter,
    load: () => import("./pages/topology.tsx"),
  },
  {
    name: "explain",
    title: "Explain",
    icon: "route",
    isThere: always,
    load: () => import("./pages/explain.tsx"),
  },
  { name: "check", title: "Check", icon: "check", isThere: always, load: () => import("./pages/check.tsx") },
  {
    name: "configuration",
    title: "Configuration",
    icon: "file",
    isThere: always,
    load: () => import("./pages/configuration.tsx"),
  },
  {
    name: "consoles",
    title: "Consoles",
    icon: "console",
    isThere: ({ consoles }) => consoles,
    load: () => import("./pages/consoles.tsx"),
  },
];

export function pageOf(name: string | undefined): Page | undefined {
  return PAGES.find((page) => page.name === name);
}
