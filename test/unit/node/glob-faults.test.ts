/** What a program's own function throws within glob. */
import { strict as assert } from "node:assert";
import { expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";

it("ends the call, in the way of each form", async () => {
  const fs = createFsSync();
  fs.mkdirSync("/d");
  const fault = new Error("not this one");
  const options = {
    cwd: "/",
    exclude: (): boolean => {
      throw fault;
    },
  };
  const given = await new Promise<unknown[]>((resolve) => {
    fs.glob("*", options, (...all: unknown[]) => resolve(all));
  });
  expect(given).toEqual([fault]);
  assert.throws(
    () => fs.globSync("*", options),
    (error) => error === fault,
  );
  await assert.rejects((fs.promises.glob("*", options) as AsyncGenerator).next(), fault);
});
