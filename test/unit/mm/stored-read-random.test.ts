/**
 * Random work on the read side: reads of all forms, advice, drops and cuts of one file, over a store that answers in any order,
 * short or not at all. Whatever comes, a read gives bytes of the file or an error, and in the end nothing is held.
 */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { simpleSetattr } from "../../../src/fs/libfs.ts";
import { invalidateInodePages2Range } from "../../../src/mm/invalidate.ts";
import { attachPagePrivate, PageAt, pagePrivate } from "../../../src/mm/page.ts";
import { putPage, readMappingPage } from "../../../src/mm/read-cache-page.ts";
import { LAST_PAGE } from "../../../src/mm/truncate.ts";
import { cachedIndexes, preadLater, storeScene } from "../../helpers/mock-scene.ts";
import { PAGE, settled } from "../../helpers/mock-store.ts";

const PAGES = 40;

const place = fc.record({ page: fc.nat(PAGES), offset: fc.nat(PAGE), pages: fc.integer({ min: 0, max: 12 }) });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("read" as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("readSync" as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("nowait" as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("own" as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("advice" as const), at: place, advice: fc.nat(5) }) },
  { weight: 8, arbitrary: fc.record({ what: fc.constant("answer" as const), number: fc.nat(9), verdict: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant({ what: "drop" as const }) },
  { weight: 1, arbitrary: fc.constant({ what: "invalidate" as const }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("attach" as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("cut" as const), at: place }) },
);

describe("random reads, advice, drops and cuts", () => {
  for (const hasReadahead of [true, false]) {
    it(`give bytes of the file, and leave nothing held: ${hasReadahead ? "with" : "without"} readahead`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const all = storeScene(PAGES * PAGE, { isAsync: true, hasReadahead, setattr: simpleSetattr });
          const { kernel, inode, fs, fd, data, store } = all;
          const { mapping } = kernel.tableOf(inode);
          const reads: Promise<void>[] = [];
          const check = (got: Buffer, position: number): void =>
            assert.deepEqual(got, data.subarray(position, position + got.length));
          const expected = (error: NodeJS.ErrnoException, ...codes: string[]): void =>
            assert.ok(codes.includes(error.code ?? ""), `${error}`);
          for (const now of steps) {
            const { page = 0, offset = 0, pages = 0 } = "at" in now ? now.at : {};
            const [position, length] = [page * PAGE + offset, pages * PAGE + 1];
            switch (now.what) {
              case "read":
                reads.push(
                  preadLater(all, position, length).then(
                    (got) => check(got, position),
                    (error) => expected(error, "EIO"),
                  ),
                );
                break;
              case "readSync":
              case "nowait":
                try {
                  const buffer = Buffer.alloc(length);
                  const n =
                    now.what === "nowait"
                      ? fs.kernel.preadv2Sync(fd, [buffer], position, 8)
                      : fs.readSync(fd, buffer, 0, length, position);
                  check(buffer.subarray(0, n), position);
                } catch (error) {
                  expected(error as Error, "EAGAIN", "EIO");
                }
                break;
              case "own": {
                const own = readMappingPage(kernel, mapping, inode, page % PAGES);
                if (typeof own === "number") break;
                const size = Math.max(0, Math.min(PAGE, store.files.get("file")?.length ?? 0 - own.position));
                check(
                  Buffer.from(own.views()[0].subarray(0, Math.min(size, fs.fstatSync(fd).size - own.position))),
                  own.position,
                );
                putPage(kernel, own);
                break;
              }
              case "advice":
                fs.kernel.fadviseSync(fd, position, length, now.advice);
                break;
              case "answer": {
                if (store.pending.length === 0) break;
                store.verdict = (what, bytes) =>
                  now.verdict === 0 ? -EIO : now.verdict === 1 && what.startsWith("readahead") ? bytes >> 1 : bytes;
                await store.answer(now.number % store.pending.length);
                break;
              }
              case "drop":
                fs.kernel.dropCaches(1);
                break;
              case "invalidate":
                invalidateInodePages2Range(kernel, mapping, inode, 0, LAST_PAGE);
                break;
              case "attach": {
                const pfn = kernel.core.x.findPage(inode, page);
                const cached = new PageAt(kernel.core, inode, page, pfn);
                if (pfn !== 0 && pagePrivate(kernel, cached) === undefined) attachPagePrivate(kernel, cached, page);
                break;
              }
              case "cut":
                if (position >= fs.fstatSync(fd).size) break;
                store.files.set("file", data.subarray(0, position));
                fs.truncateSync("/m/file", position);
            }
            kernel.verify();
          }
          store.verdict = undefined;
          await store.answerAll();
          await Promise.all(reads);
          await settled();
          const whole = fs.promises.readFile("/m/file");
          await store.answerAll();
          assert.deepEqual(await whole, store.files.get("file"));
          await store.answerAll();
          fs.kernel.dropCaches(1); // all can go: nobody has locked or pinned one
          assert.deepEqual(cachedIndexes(all), []);
          assert.equal(kernel.pageReads.tokens.size, 0);
          kernel.verify();
          kernel.destroy();
        }),
        { numRuns: 150, ...(process.env.FOLIOFS_SEED && { seed: Number(process.env.FOLIOFS_SEED) }) },
      );
    });
  }
});
