// Uploads a file by tus-js-client through a proxy that cuts the connection a few times.
//
// node tus.mjs MODULES SERVER AUTHORIZATION FILE CUTS
import fs from "node:fs";
import net from "node:net";
import { createRequire } from "node:module";

const [modules, server, authorization, path, times] = process.argv.slice(2);
const tus = createRequire(`${modules}/`)("tus-js-client");
const size = fs.statSync(path).size;
const [host, port] = server.split(":");

let cuts = 0;
const proxy = net.createServer((near) => {
  const far = net.connect(Number(port), host);
  let passed = 0;
  const both = (work) => [near, far].forEach(work);
  both((side) => side.on("error", () => both((it) => it.destroy())));
  both((side) => side.on("close", () => both((it) => it.destroy())));
  near.on("data", (bytes) => {
    passed += bytes.length;
    if (cuts < Number(times) && passed > size / (Number(times) + 2)) {
      cuts += 1;
      both((it) => it.destroy());
    } else if (!far.write(bytes)) {
      near.pause();
    }
  });
  far.on("drain", () => near.resume());
  far.on("data", (bytes) => near.write(bytes));
});

proxy.listen(0, "127.0.0.1", () => {
  let furthest = 0;
  const upload = new tus.Upload(fs.createReadStream(path), {
    endpoint: `http://127.0.0.1:${proxy.address().port}/-/tus/`,
    chunkSize: Number.POSITIVE_INFINITY,
    uploadSize: size,
    headers: { authorization },
    metadata: { filename: "sent.bin", filetype: "application/octet-stream" },
    retryDelays: Array(200).fill(50),
    onProgress: (sent) => (furthest = Math.max(furthest, sent)),
    onError: (error) => {
      console.error(String(error));
      process.exit(1);
    },
    onSuccess: () => {
      console.log(JSON.stringify({ cuts, furthest, url: new URL(upload.url).pathname }));
      process.exit(0);
    },
  });
  upload.start();
});
