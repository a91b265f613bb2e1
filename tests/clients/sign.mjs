// Signs the requests that come in as JSON, by the signer of the AWS SDK for JavaScript, and prints them as they would be sent.
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

class Sha256 {
  constructor(secret) { this.hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret); }
  update(data) { this.hash.update(data); }
  async digest() { return new Uint8Array(this.hash.digest()); }
}

const { credentials, requests } = JSON.parse(process.argv[2]);
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const wire = (query) => Object.keys(query).sort().flatMap((key) => [query[key]].flat().map((value) => `${encode(key)}=${encode(value)}`)).join("&");

const signed = [];
for (const { presign, expiresIn, ...request } of requests) {
  const signer = new SignatureV4({ service: "sts", region: "us-east-1", credentials, sha256: Sha256, uriEscapePath: true });
  const ready = presign ? await signer.presign(request, { expiresIn }) : await signer.sign(request);
  signed.push({ method: ready.method, path: ready.path, query: wire(ready.query ?? {}), headers: ready.headers, body: ready.body ?? "" });
}
console.log(JSON.stringify(signed));
