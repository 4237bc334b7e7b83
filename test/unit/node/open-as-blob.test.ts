/** openAsBlob: checks as in Node, data as it was, Blobs that others take for Blobs. */
import nodeFs from "node:fs";
import { describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

/** What a call throws, at once or by its promise, without stack and path. */
async function errorOf(call: () => unknown): Promise<unknown> {
  let isThrown = true;
  try {
    const promise = call();
    isThrown = false;
    await promise;
    return undefined;
  } catch (error) {
    const { name, message, code } = error as Error & { code?: unknown };
    return { name, message, code, isThrown };
  }
}

describe("openAsBlob", () => {
  const fs = createFsSync();
  fs.writeFileSync("/file", "hello");

  it("gives what the file holds", async () => {
    const blob = await fs.openAsBlob("/file", { type: "text/plain" });
    expect([blob instanceof Blob, blob.size, blob.type]).toEqual([true, 5, "text/plain"]);
    expect(await blob.slice(1, 3).text()).toBe("el");
    expect(await new Response(blob).text()).toBe("hello");
  });

  it("keeps it when the file changes", async () => {
    fs.writeFileSync("/changing", "before");
    const blob = await fs.openAsBlob("/changing");
    fs.writeFileSync("/changing", "after");
    fs.unlinkSync("/changing");
    expect(await blob.text()).toBe("before");
  });

  it.each([
    ["path", [1]],
    ["path", ["/\0"]],
    ["options", ["/file", 1]],
    ["options", ["/file", null]],
    ["type", ["/file", { type: 1 }]],
    ["type before path", [1, { type: 1 }]],
  ])("fails as Node's: %s", async (_what, args) => {
    const own = await errorOf(() => fs.openAsBlob(...(args as [string])));
    expect(own).toBeDefined();
    expect(own).toEqual(await errorOf(() => nodeFs.openAsBlob(...(args as [string]))));
  });

  it("tells at once what is missing, as Node 26", async () => {
    const { message, isThrown } = (await errorOf(() => fs.openAsBlob("/missing"))) as Record<string, unknown>;
    expect([message, isThrown]).toEqual(["ENOENT: no such file or directory, stat '/missing'", true]);
  });

  it("refuses a directory", async () => {
    await expect(fs.openAsBlob("/")).rejects.toMatchObject({ name: "NotReadableError" });
  });

  it("has a synchronous form, as Node 26", async () => {
    const { openAsBlobSync } = fs as unknown as { openAsBlobSync(path: string): Blob };
    expect(await openAsBlobSync("/file").text()).toBe("hello");
    expect(() => openAsBlobSync("/missing")).toThrow("ENOENT: no such file or directory, stat '/missing'");
  });
});
