/**
 * Bundles one file with one of the bundlers that people use, each as its manual has it.
 *
 * Usage: node bundle.mjs BUNDLER ENTRY OUTPUT web|worker|node
 */
import { basename, dirname } from "node:path";

const [bundler, entry, output, target] = process.argv.slice(2);
const folder = dirname(output);
const name = basename(output);

/** webpack and rspack take the same options. */
async function webpackLike(run) {
  const stats = await new Promise((resolve, reject) => {
    const options = {
      mode: "development",
      devtool: false,
      context: dirname(entry),
      entry,
      target: target === "worker" ? "webworker" : target,
      output: { path: folder, filename: name },
    };
    run(options, (error, result) => (error ? reject(error) : resolve(result)));
  });
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
}

const BUNDLERS = {
  webpack: async () => webpackLike((await import("webpack")).default),
  rspack: async () => webpackLike((await import("@rspack/core")).rspack),

  async esbuild() {
    const { build } = await import("esbuild");
    const platform = target === "node" ? "node" : "browser";
    const conditions = target === "worker" ? ["worker"] : undefined;
    await build({ entryPoints: [entry], outfile: output, bundle: true, format: "cjs", platform, conditions });
  },

  async rollup() {
    const { rollup } = await import("rollup");
    const { default: commonjs } = await import("@rollup/plugin-commonjs");
    const { default: resolve } = await import("@rollup/plugin-node-resolve");
    const exportConditions = target === "web" ? [] : [target];
    const onwarn = (warning) => {
      throw new Error(warning.message);
    };
    const plugins = [resolve({ browser: target !== "node", exportConditions }), commonjs()];
    const bundle = await rollup({ input: entry, plugins, onwarn });
    await bundle.write({ file: output, format: "cjs" });
  },

  async vite() {
    const { build } = await import("vite");
    const rolldownOptions = {
      input: entry,
      output: { entryFileNames: name, format: target === "node" ? "es" : "iife" },
    };
    await build({
      root: dirname(entry),
      configFile: false,
      logLevel: "error",
      ssr: target === "node" ? { noExternal: true } : undefined,
      build: { ssr: target === "node", outDir: folder, emptyOutDir: false, minify: false, rolldownOptions },
    });
  },

  async parcel() {
    const { Parcel } = await import("@parcel/core");
    const context = { web: "browser", worker: "web-worker", node: "node" }[target];
    const built = new Parcel({
      entries: entry,
      defaultConfig: "@parcel/config-default",
      mode: "development",
      shouldDisableCache: true,
      shouldPatchConsole: false,
      targets: {
        app: {
          distDir: folder,
          distEntry: name,
          context,
          includeNodeModules: true,
          outputFormat: "global",
          sourceMap: false,
        },
      },
    });
    await built.run();
  },
};

await BUNDLERS[bundler]();
