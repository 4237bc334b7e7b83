/** express's send behind http, its fs replaced. */
import { expect, it } from "vitest";
import { both } from "./both.ts";

it("answers the same: paths, options, ranges, conditions, files that change meanwhile", () => {
  const told = both("send.mjs", { replace: true });
  for (const status of [200, 206, 301, 304, 400, 403, 404, 412, 416]) expect(told).toContain(`-> ${status} {`);
});
