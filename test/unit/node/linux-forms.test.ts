/** Calls that Node does not have, by promise: what they come to when a store gives up. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { EAGAIN } from "../../../src/base/errno.ts";
import { formsOf } from "../../../src/node/linux/forms.ts";
import { Failure } from "../../../src/node/uv-errors.ts";
import { Wait, whileWaiting } from "../../../src/vfs/waiting.ts";

it.each([undefined, new AbortController().signal])("fails as the store does, and is over", async (signal) => {
  const gone = new Error("the store is gone");
  const ended: unknown[] = [];
  const [, call] = formsOf(
    { Wait, whileWaiting },
    () => ({ signal }),
    () => new Failure(-EAGAIN, "call", undefined, undefined, Promise.reject(gone)),
    (request) => ended.push(request),
  );
  await assert.rejects(call(), gone);
  assert.deepEqual(ended, [{ signal }]);
});
