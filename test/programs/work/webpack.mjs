/**
 * webpack builds one project: into an empty folder, again from its cache on disk, after changes, with errors. With the
 * argument "options" its three file systems are what is told, else its fs has been replaced.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { makeProject } from "./bundled-project.mjs";
import { digest, treeOf } from "./report.mjs";

const require = createRequire(import.meta.url);

export default async function main({ fs, root, say, args: [how] }) {
  const webpack = require("webpack");
  const CachedInputFileSystem = require("enhanced-resolve/lib/CachedInputFileSystem");
  makeProject(fs, root);

  function takeFileSystems(compiler) {
    compiler.inputFileSystem = new CachedInputFileSystem(fs, 0);
    compiler.outputFileSystem = fs;
    compiler.intermediateFileSystem = fs;
  }
  const configuration = (more = {}) => ({
    mode: "production",
    target: "node20",
    context: root,
    entry: { main: "./source/main.js", second: "./source/second.js" },
    devtool: "source-map",
    output: {
      path: join(root, "out"),
      filename: "[name].[contenthash].js",
      chunkFilename: "chunk.[contenthash].js",
      assetModuleFilename: "asset.[contenthash][ext]",
      library: { type: "commonjs2" },
      clean: true,
      uniqueName: "bundled", // it would be read from package.json by the real fs
    },
    module: { rules: [{ test: /\.(bin|txt)$/, type: "asset/resource" }] },
    optimization: { minimize: false, splitChunks: { chunks: "all", minSize: 0 } },
    cache: {
      type: "filesystem",
      cacheDirectory: join(root, "cache"),
      buildDependencies: { defaultWebpack: [] },
      idleTimeoutForInitialStore: 0,
    },
    plugins: how === "options" ? [{ apply: takeFileSystems }] : [],
    infrastructureLogging: { level: "error" },
    ...more,
  });

  async function build(title, more) {
    const compiler = webpack(configuration(more));
    const stats = await new Promise((resolve, reject) =>
      compiler.run((error, stats) => (error ? reject(error) : resolve(stats))),
    );
    const { assets, modules, chunks, errors, warnings, entrypoints } = stats.toJson({ all: true, source: false });
    await new Promise((resolve, reject) => compiler.close((error) => (error ? reject(error) : resolve())));
    say(title);
    for (const { message, moduleName, loc } of [...errors, ...warnings])
      say("said", moduleName ?? "", loc ?? "", message);
    const byName = (a, b) => (a.name < b.name ? -1 : 1);
    // Whether a file was written or found equal, and whether a module came from the cache, are results too.
    for (const { name, size, emitted, comparedForEmit, cached } of assets.sort(byName))
      say("asset", name, size, { emitted, comparedForEmit, cached });
    for (const { name, size, built, cached, usedExports, optimizationBailout } of modules.sort(byName))
      say("module", name, size, { built, cached, usedExports }, digest(JSON.stringify(optimizationBailout ?? [])));
    say("chunks", chunks.map(({ files }) => files).sort(), Object.keys(entrypoints));
    say(
      "files",
      [...stats.compilation.fileDependencies]
        .sort()
        .map((path) => path.slice(root.length))
        .filter((path) => !path.startsWith("..")),
    );
    say("missing", digest([...stats.compilation.missingDependencies].sort().join("\n")));
    say(treeOf(fs, join(root, "out"), { times: false }).sort().join("\n"));
  }

  await build("first");
  await build("from the cache");
  fs.writeFileSync(join(root, "source/shared.js"), "export default 'changed';\nexport const used = 2;\n");
  fs.writeFileSync(join(root, "out/left-over"), "to be cleaned");
  await build("changed");

  fs.writeFileSync(join(root, "source/blob.bin"), Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * i) & 0xff)));
  fs.writeFileSync(
    join(root, "source/main.js"),
    `export { default as url } from "./blob.bin";\nexport * as data from "../data.json";\nimport "nowhere";\nimport "./no/such.js";\n`,
  );
  fs.writeFileSync(join(root, "data.json"), '{ "value": [1, 2, 3] }');
  await build("two imports that are not there");
  fs.writeFileSync(join(root, "data.json"), '{ "value": ');
  await build("no JSON");
  fs.writeFileSync(join(root, "data.json"), "[]");
  fs.writeFileSync(
    join(root, "source/main.js"),
    `import data from "../data.json";\nimport url from "./blob.bin";\nexport { data, url };\n`,
  );
  await build("mended");

  // What is in the way of the output.
  fs.rmSync(join(root, "out"), { recursive: true });
  fs.writeFileSync(join(root, "out"), "a file");
  await build("a file for a folder").catch(({ name, message, code, syscall }) => say({ name, message, code, syscall }));
  say(treeOf(fs, join(root, "source"), { times: false }).sort());
}
