/** rollup builds one project, by its `fs` option, in several formats, with a cache, and tells errors. */
import { dirname, join } from "node:path";
import { rollup } from "rollup";
import { makeProject } from "./bundled-project.mjs";
import { digest, treeOf } from "./report.mjs";

/** Finds packages by their `exports`, as import would, through the file system that rollup hands to plugins. */
function resolvePackages(root) {
  const target = (value) => {
    if (typeof value !== "object" || value === null) return value;
    for (const [condition, inner] of Object.entries(value))
      if (["import", "default"].includes(condition)) return target(inner);
  };
  return {
    name: "packages",
    async resolveId(source, importer) {
      if (source.startsWith("node:")) return { id: source, external: true };
      if (/^[./]/.test(source) || !importer) return null;
      for (let folder = dirname(importer); folder.startsWith(root); folder = dirname(folder)) {
        const home = join(folder, "node_modules", source);
        const text = await this.fs.readFile(join(home, "package.json"), { encoding: "utf8" }).catch((error) => {
          if (!["ENOENT", "ENOTDIR"].includes(error.code)) throw error;
        });
        if (text === undefined) continue;
        const { exports, module, main } = JSON.parse(text);
        const path = target(exports?.["."] ?? exports) ?? module ?? main ?? "index.js";
        return this.fs.realpath(join(home, path));
      }
      return null;
    },
  };
}

/** Gives a file of the project as an asset, and lists a folder. */
function assets(root) {
  return {
    name: "assets",
    async generateBundle() {
      const entries = await this.fs.readdir(join(root, "source"), { withFileTypes: true });
      const names = entries.map((entry) => [entry.name, entry.isDirectory(), entry.isFile()]).sort();
      this.emitFile({ type: "asset", fileName: "deep/er/list.json", source: JSON.stringify(names) });
      this.emitFile({
        type: "asset",
        name: "bytes.bin",
        source: await this.fs.readFile(join(root, "source/bytes.bin")),
      });
    },
  };
}

export default async function main({ fs, root, say }) {
  makeProject(fs, root);
  fs.writeFileSync(
    join(root, "source/bytes.bin"),
    Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) & 0xff)),
  );
  const failed = ({ code, message, name, syscall, id, loc, frame }) =>
    say("failed", { code, message, name, syscall, id, loc, frame });

  async function build(title, { outputs = [{ format: "es" }], cache, ...more } = {}) {
    say(title);
    const logs = []; // modules are read at once, and told of in the order in which that ends
    const bundle = await rollup({
      fs: fs.promises,
      input: { main: join(root, "source/main.js"), second: join(root, "source/second.js") },
      plugins: [resolvePackages(root), assets(root)],
      onLog: (level, { code, message, id }) => logs.push([level, code, message, id ?? ""]),
      cache,
      ...more,
    });
    say("watches", bundle.watchFiles.map((path) => path.slice(root.length)).sort());
    for (const output of outputs) {
      const options = { dir: join(root, "out", output.format), sourcemap: true, hashCharacters: "hex", ...output };
      const written = await bundle.write(options);
      for (const chunk of written.output.sort((a, b) => (a.fileName < b.fileName ? -1 : 1))) {
        const { type, fileName, isEntry, imports, dynamicImports, exports, modules } = chunk;
        say(
          type,
          fileName,
          { isEntry, imports, dynamicImports, exports, modules: Object.keys(modules ?? {}) },
          digest(chunk.code ?? chunk.source),
        );
      }
    }
    await bundle.close();
    say(treeOf(fs, join(root, "out"), { times: false }).sort().join("\n"));
    return bundle.cache;
  }

  const formats = ["es", "cjs", "system", "amd"].map((format) => ({ format, entryFileNames: "[name].[hash].js" }));
  const cache = await build("first", {
    outputs: [...formats, { format: "es", preserveModules: true, dir: join(root, "out/modules") }],
  });
  fs.writeFileSync(join(root, "source/shared.js"), "export default 'changed';\nexport const used = 2;\n");
  fs.unlinkSync(join(root, "source/pure.js"));
  fs.symlinkSync("../source/pure-target.js", join(root, "source/pure.js"));
  fs.writeFileSync(join(root, "source/pure-target.js"), "export const pure = 'by its link';\n");
  await build("with the cache", { cache });
  await build("links stay", {
    preserveSymlinks: true,
    outputs: [{ format: "es", dir: join(root, "out/links") }],
  }).catch(failed);

  fs.writeFileSync(join(root, "source/second.js"), "import './no/such.js';");
  await build("an import that is not there").catch(failed);
  fs.writeFileSync(join(root, "source/second.js"), "export const = 1;");
  await build("no JavaScript").catch(failed);
  fs.unlinkSync(join(root, "source/second.js"));
  fs.mkdirSync(join(root, "source/second.js"));
  await build("a folder for a module").catch(failed);
  await build("no entry", { input: join(root, "nowhere.js") }).catch(failed);
  const inTheWay = { format: "es", dir: join(root, "source/main.js"), sourcemap: false };
  const single = { input: join(root, "source/pure-target.js"), plugins: [], outputs: [inTheWay] };
  await build("a file for a folder", single).catch(failed);
}
