// An OpenID Connect provider of somebody else's making, for one client: node oidc_provider.mjs PORT REDIRECT_URI SECRET
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirectUri, secret] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const person = (sub) => ({ sub, email: `${sub}@corp.example`, email_verified: true, preferred_username: sub });

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "app", client_secret: secret, redirect_uris: [redirectUri] }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "first" }] },
  cookies: { keys: ["of the tests"] },
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  conformIdTokenClaims: false,
  findAccount: (context, sub) => ({ accountId: sub, claims: () => person(sub) }),
  pkce: { required: () => true },
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
