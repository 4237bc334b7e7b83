/** A page that takes what it fetches through a file by streams, and answers with it; the test reads `streamed`. */
import { createFs } from "foliofs";
import { toWebReadable, toWebWritable } from "foliofs/streams";

/** What came of it: bytes as hash, sizes, and what the globals of Node were. */
export interface Streamed {
  readonly fetched: string;
  readonly answered: string;
  readonly byHandle: string;
  readonly size: number;
  readonly lines: number;
  readonly expectedLines: number;
}

declare global {
  var streamed: Promise<Streamed>;
}

async function hashOf(bytes: ArrayBuffer): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).join();
}

async function run(): Promise<Streamed> {
  const fs = await createFs();
  const { pathname } = new URL(document.querySelector("script")?.src ?? "");
  const body = (await fetch(pathname)).body as ReadableStream<Uint8Array>;
  await body.pipeTo(toWebWritable(fs.createWriteStream("/file")) as WritableStream<Uint8Array>);
  const web = toWebReadable(fs.createReadStream("/file", { highWaterMark: 1000 }));
  const answered = await new Response(web as never).arrayBuffer();
  const handle = await fs.promises.open("/file");
  const byHandle = await new Response(handle.readableWebStream({ autoClose: true }) as never).arrayBuffer();
  let lines = 0;
  for await (const _line of (await fs.promises.open("/file")).readLines()) lines++;
  const fetched = await (await fetch(pathname)).arrayBuffer();
  return {
    fetched: await hashOf(fetched),
    answered: await hashOf(answered),
    byHandle: await hashOf(byHandle),
    size: fs.statSync("/file").size,
    lines,
    expectedLines: new TextDecoder().decode(fetched).replace(/\n$/, "").split("\n").length,
  };
}

globalThis.streamed = run();
