// How the dashboard becomes files: `npm run build`. Pages that are not looked at first are files of their
// own; nothing is inlined, because the server's policy lets no script or style inside a page run.
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
  worker: { format: "es" },
});
