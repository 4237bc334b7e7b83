/** Streams of the entries as they are published: with foliofs/streams in browsers, on readable-stream, and in Node without. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ROOT } from "./user-folder.ts";

/** Writes by a stream, reads it back by one, by lines and by a web stream. */
const PROGRAM = `
  const fs = createFsSync();
  await new Promise((resolve) => {
    const out = fs.createWriteStream("/file");
    out.write("first\\nsec");
    out.end("ond\\r\\nthird", () => {});
    out.on("close", resolve);
  });
  let text = "";
  for await (const chunk of fs.createReadStream("/file", { encoding: "utf8", highWaterMark: 4 })) text += chunk;
  console.log(JSON.stringify(text));
  const lines = [];
  for await (const line of (await fs.promises.open("/file")).readLines({ highWaterMark: 3 })) lines.push(line);
  console.log(lines.join());
  const handle = await fs.promises.open("/file");
  console.log(await new Response(handle.readableWebStream({ autoClose: true })).text() === text, handle.fd);
  const log = new fs.Utf8Stream({ dest: "/log", sync: true });
  log.write("line");
  console.log(fs.readFileSync("/log", "utf8"), fs.createReadStream("/file") instanceof fs.ReadStream);
`;
const EXPECTED = '"first\\nsecond\\r\\nthird"\nfirst,second,third\ntrue -1\nline true\n';

const AS_MODULES = ["--input-type=module", "-e"];

function outputOf(args: string[], program: string): string {
  return execFileSync(process.execPath, [...args, program], { cwd: ROOT, encoding: "utf8" });
}

/** What pages have not. */
const WITHOUT_NODE = "delete process.getBuiltinModule;";

describe("streams", () => {
  it.each([
    ["Node", 'import { createFsSync } from "./dist/index.js";'],
    ["browsers", 'import "./dist/streams.js"; import { createFsSync } from "./dist/browser.js";'],
    [
      "browsers, without what Node brings",
      `${WITHOUT_NODE} await import("./dist/streams.js"); const { createFsSync } = await import("./dist/browser.js");`,
    ],
  ])("work in %s", (_name, imports) => {
    expect(outputOf(AS_MODULES, imports + PROGRAM)).toBe(EXPECTED);
  });

  it("work in CommonJS for browsers", () => {
    const requires = 'require("./dist/streams.cjs"); const { createFsSync } = require("./dist/browser.cjs");';
    expect(outputOf(["-e"], `${requires} (async () => {${PROGRAM}})();`)).toBe(EXPECTED);
  });

  it("say that they are not there, in browsers without foliofs/streams", () => {
    const program = `import { createFsSync } from "./dist/browser.js";
      try { createFsSync().createReadStream("/file"); } catch (error) { console.log(error.code); }`;
    expect(outputOf(AS_MODULES, program)).toBe("ERR_METHOD_NOT_IMPLEMENTED\n");
  });
});
