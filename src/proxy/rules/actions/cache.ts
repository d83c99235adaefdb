// `cache-use` and `cache-store` (manual 6.2.2). The verdict of a hit ends the rules for the request.
import type { CacheAction } from "../../../model/cache.ts";
import { storeInCache, useCache } from "../../cache/stream-cache.ts";
import { COUNTER } from "../../state.ts";
import type { RuleEnvironment } from "../environment.ts";
import type { RunAction } from "./action.ts";

export function compileCacheAction(action: CacheAction, { caches, clock }: RuleEnvironment): RunAction {
  const cache = caches?.get(action.cache);
  if (cache === undefined) return () => null;
  const nowSeconds = () => Math.floor(clock.wallClockMs / 1000);
  if (action.kind === "cache-store")
    return (stream) => {
      storeInCache(stream, cache, nowSeconds());
      return null;
    };
  return (stream) => {
    if (stream.request === null) return null;
    const object = useCache(stream, cache, nowSeconds());
    if (stream.cache?.isLookedUp === true) {
      const { state, slot } = stream.backend ?? stream.frontend;
      state.count(slot, COUNTER.cacheLookups);
    }
    return object === null ? null : { kind: "cached", object };
  };
}
