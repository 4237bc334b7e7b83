/**
 * foliofs in headless Chromium: a page built with vite runs the suite on its main thread and in a worker, without
 * SharedArrayBuffer, and what vite bundled is looked at.
 *
 * Where Chromium is missing its cases are skipped and say so; FOLIOFS_REQUIRE_BROWSER=1 makes that a failure.
 */
import nodeFs, {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "./page/outcome.ts";
import type {} from "./page/streams.ts";
import type {} from "./page/watch.ts";
import { watching } from "./page/watching.ts";
import { SUITE } from "./suite.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CHROMIUM = process.env.FOLIOFS_CHROMIUM ?? "/usr/bin/chromium";
const CHROMIUM_ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** What the library may weigh in a page, minified and gzipped, Wasm inside. */
const BUNDLE_LIMIT_BYTES = 80_000;
/** With streams, trees and watching, but without the library that streams stand on. */
const FACE_LIMIT_BYTES = 110_000;
const MIME: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
const NO_WASM_POLICY = "script-src 'self'";

/** Pages with entries beside the main one: what they weigh is not the library's. */
const FULL_PAGES = ["streams.html", "watch.html"];

const isRequired = process.env.FOLIOFS_REQUIRE_BROWSER === "1";
const isThere = existsSync(CHROMIUM);
if (!isThere) console.log(`No Chromium at ${CHROMIUM}: the browser cases are skipped (apt-get install chromium).`);

/** Folder that holds the page's sources, with foliofs installed beside them, and what vite makes of them. */
const folder = mkdtempSync(join(tmpdir(), "foliofs-browser-"));
const site = join(folder, "site");
const full = join(folder, "full");

function preparePage(): void {
  cpSync(join(ROOT, "test/browser"), join(folder, "browser"), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules/foliofs"), "dir");
  // A package of its own: one of our name in a folder above, such as /tmp, would be taken for the one that is imported.
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
}

/** Builds with vite. @returns all chunks of the page's own graph */
async function bundle(
  input: string | string[],
  outDir: string,
  external: string[] = [],
): Promise<Rolldown.OutputChunk[]> {
  const { output } = (await build({
    root: join(folder, "browser/page"),
    logLevel: "error",
    worker: { format: "es" },
    build: { outDir, emptyOutDir: true, minify: true, rolldownOptions: { input, external } },
  })) as Rolldown.RolldownOutput;
  return output.filter((file) => file.type === "chunk");
}

let chunks: Rolldown.OutputChunk[];

beforeAll(async () => {
  preparePage();
  const pages = ["index.html", "forbidden.html"].map((name) => join(folder, "browser/page", name));
  chunks = await bundle(pages, site);
  await bundle(
    FULL_PAGES.map((name) => join(folder, "browser/page", name)),
    full,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the bundle", () => {
  it("holds the library and the page, and nothing else", () => {
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
    const foreign = modules.filter((id) => {
      return !/\/browser\/|\/dist\/(?:browser|common|core-module|snapshot-error)\.js$|^\0|vite\/|\?html-proxy/.test(id);
    });

    expect(modules.some((id) => id.endsWith("/dist/browser.js"))).toBe(true);
    expect(foreign).toEqual([]);
    expect(modules.filter((id) => id.includes("browser-external"))).toEqual([]);
  });

  it.each([
    ["whole", BUNDLE_LIMIT_BYTES, []],
    ["face", FACE_LIMIT_BYTES, ["readable-stream"]],
  ] as const)("weighs, as %s, at most %i bytes, minified and gzipped, Wasm inside", async (page, limit, external) => {
    const [library] = await bundle(join(folder, `browser/page/${page}.ts`), join(folder, page), [...external]);
    expect(library.code.length).toBeGreaterThan(10_000); // not shaken down to nothing

    const { length } = gzipSync(library.code, { level: 9 });
    console.log(`${page} of the library for browsers: ${library.code.length} bytes minified, ${length} gzipped`);
    expect(length).toBeLessThanOrEqual(limit);
  });
});

/** Serves the built site, without the headers that would give SharedArrayBuffer. */
function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = [site, full].map((root) => join(root, pathname)).find((one) => existsSync(one));
    if (path === undefined) {
      response.writeHead(404).end();
      return;
    }
    const policy = path.endsWith("forbidden.html") ? { "content-security-policy": NO_WASM_POLICY } : {};
    response.writeHead(200, { "content-type": MIME[extname(path)] ?? "application/octet-stream", ...policy });
    response.end(readFileSync(path));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

describe.skipIf(!isThere && !isRequired)("headless Chromium", () => {
  let server: Server;
  let browser: Browser;
  let outcomes: Record<"page" | "worker", Outcome>;

  async function open(name: string): Promise<Page> {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(error));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`);
    return page;
  }

  beforeAll(async () => {
    if (!isThere) throw new Error(`FOLIOFS_REQUIRE_BROWSER is set, but there is no Chromium at ${CHROMIUM}`);
    server = await serve();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
    const page = await open("index.html");
    await page.waitForFunction(() => "outcomes" in globalThis);
    outcomes = await page.evaluate(() => globalThis.outcomes);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  describe.each(["page", "worker"] as const)("in the %s", (place) => {
    it.each(SUITE.map(({ name }) => name))("%s", (name) => {
      expect(Object.keys(outcomes[place].results)).toContain(name);
      expect(outcomes[place].results[name]).toBeUndefined();
    });

    it("runs without SharedArrayBuffer and without Node's globals", () => {
      expect(outcomes[place].globals).toEqual({
        Buffer: "undefined",
        process: "undefined",
        SharedArrayBuffer: "undefined",
      });
    });

    it("restores a snapshot", () => expect(outcomes[place].isRestored).toBe(true));

    it("says what shared memory lacks", () => {
      expect(outcomes[place].sharedError).toMatch(/SharedArrayBuffer|cross-origin|foliofs\/shared/);
    });
  });

  it("says what to do where the page's policy forbids Wasm", async () => {
    const page = await open("forbidden.html");
    await page.waitForFunction(() => "refusal" in globalThis);

    expect(await page.evaluate(() => globalThis.refusal)).toContain("wasm-unsafe-eval");
  });

  it("takes what is fetched through a file by streams, and answers with it", async () => {
    const page = await open("streams.html");
    await page.waitForFunction(() => "streamed" in globalThis);

    const { fetched, answered, byHandle, size, lines, expectedLines } = await page.evaluate(() => globalThis.streamed);
    expect([answered, byHandle]).toEqual([fetched, fetched]);
    expect(size).toBeGreaterThan(100_000);
    expect(lines).toBe(expectedLines);
    expect(lines).toBeGreaterThan(1);
  });

  it("watches, and tells what node:fs tells on a tmpfs", async () => {
    const page = await open("watch.html");
    await page.waitForFunction(() => "watched" in globalThis);

    const root = mkdtempSync("/dev/shm/foliofs-browser-");
    try {
      expect(await page.evaluate(() => globalThis.watched)).toEqual(await watching(nodeFs, root));
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
