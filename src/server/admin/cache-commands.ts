// `show cache` (management manual 9.3), in HAProxy's words. The master reads the memory that workers work
// with.
import { crc32 } from "node:zlib";
import type { SharedCache } from "../../proxy/cache/shared-cache.ts";
import { type Command, type CommandContext, message, nowSecondsOf } from "./command.ts";

export const CACHE_COMMANDS: readonly Command[] = [
  { name: "show cache", usage: "", help: "caches, and what is in them", level: "user", run: show },
];

function show(_words: readonly string[], context: CommandContext): string {
  const nowSeconds = nowSecondsOf(context);
  return [...context.actions.caches.values()]
    .map((cache) => message(describeCache(cache, nowSeconds)))
    .join("");
}

/**
 * HAProxy's pointers are addresses; ours are places. All blocks are available: none is held by who delivers
 * it. The second hash is of what the response depends on besides its URI.
 */
function describeCache(cache: SharedCache, nowSeconds: number): string {
  const lines = cache.rows().map(({ block, hash, variant, byteCount, blockCount, expiresSeconds }) => {
    const vary = variant.length === 0 ? 0 : crc32(variant);
    return (
      `0x${block.toString(16)} hash:${hash} vary:0x${vary.toString(16).padStart(16, "0")} ` +
      `size:${byteCount} (${blockCount} blocks), refcount:0, expire:${expiresSeconds - nowSeconds}`
    );
  });
  return [`0x1: ${cache.name} (shctx:0x0, available blocks:${cache.blockCount})`, ...lines].join("\n");
}
