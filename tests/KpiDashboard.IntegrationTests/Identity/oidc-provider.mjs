// Two real OpenID providers (npm oidc-provider) for the tests, with what a person would click done by the query of the interaction, and with ways to
// misbehave that the real one has not. Arguments: folder of the package. Environment: KPI_TEST_OIDC = {clientId, clientSecret, callbacks: {<key>: url}}.
import { createHmac, generateKeyPairSync, randomBytes, createPrivateKey, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(join(process.argv[2], 'lib', 'index.js')));
const { clientId, clientSecret, callbacks } = JSON.parse(process.env.KPI_TEST_OIDC);

const newKey = () => ({
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: randomBytes(8).toString('hex'),
  use: 'sig',
  alg: 'RS256',
});
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const rs256 = (text, jwk) => sign('sha256', Buffer.from(text), createPrivateKey({ key: jwk, format: 'jwk' })).toString('base64url');

class Site {
  accounts = new Map();
  mode = '';
  key = newKey();
  fetched = 0;

  constructor(name) {
    this.name = name;
    this.server = createServer((request, response) => this.answer(request, response).catch((error) => response.destroy(error)));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.issuer = `http://127.0.0.1:${this.server.address().port}`;
    this.build();
  }

  // The same provider with other keys: what it keeps in memory is kept.
  build() {
    const site = this;
    // "lean" tells the address at the userinfo endpoint only, as the standard has it, and takes the secret in the form only.
    const lean = this.name === 'lean';
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          redirect_uris: [callbacks[this.name]],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          token_endpoint_auth_method: lean ? 'client_secret_post' : 'client_secret_basic',
        },
      ],
      clientAuthMethods: [lean ? 'client_secret_post' : 'client_secret_basic'],
      jwks: { keys: [this.key] },
      pkce: { required: () => true },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: lean,
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      cookies: { keys: ['only for tests'] },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...site.accounts.get(sub) }) }),
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({ clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    provider.use(async (ctx, next) => {
      await next();
      if (ctx.path === '/jwks') site.fetched++;
      if (ctx.path === '/token' && ctx.body?.id_token) ctx.body.id_token = site.forge(ctx.body.id_token);
    });
    this.provider = provider;
    this.handle = provider.callback();
  }

  forge(token) {
    const [head, body, signature] = token.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url'));
    const payload = JSON.parse(Buffer.from(body, 'base64url'));
    const now = Math.floor(Date.now() / 1000);
    const again = (changes) => {
      const text = `${head}.${encode({ ...payload, ...changes })}`;
      return `${text}.${rs256(text, this.key)}`;
    };
    switch (this.mode) {
      case 'nonce': return again({ nonce: 'another' });
      case 'no-nonce': return again({ nonce: undefined });
      case 'audience': return again({ aud: 'somebody-else' });
      case 'azp': return again({ aud: [clientId, 'somebody-else'], azp: 'somebody-else' });
      case 'many-audiences': return again({ aud: [clientId, 'somebody-else'] });
      case 'issuer': return again({ iss: 'http://127.0.0.1:1' });
      case 'expired': return again({ iat: now - 600, exp: now - 300 });
      case 'no-expiry': return again({ exp: undefined });
      case 'stale': return again({ iat: now - 3600 });
      case 'at-hash': return again({ at_hash: encode('sixteen bytes...') });
      case 'no-subject': return again({ sub: '' });
      case 'tampered': return `${head}.${encode({ ...payload, email: 'victim@kpi.test' })}.${signature}`;
      case 'none': return `${encode({ alg: 'none' })}.${body}.`;
      case 'hs256': {
        const text = `${encode({ alg: 'HS256', kid: header.kid })}.${body}`;
        return `${text}.${createHmac('sha256', clientSecret).update(text).digest('base64url')}`;
      }
      case 'foreign-key': return `${head}.${body}.${rs256(`${head}.${body}`, newKey())}`;
      case 'unknown-key': {
        const text = `${encode({ ...header, kid: randomBytes(8).toString('hex') })}.${body}`;
        return `${text}.${rs256(text, newKey())}`;
      }
      case 'garbage': return 'no token at all';
      default: return token;
    }
  }

  async answer(request, response) {
    const url = new URL(request.url, this.issuer);
    if (url.pathname.startsWith('/_test/')) return this.control(url, request, response);
    if (this.mode === 'down') return request.socket.destroy();
    if (!url.pathname.startsWith('/interaction/')) return this.handle(request, response);
    const as = url.searchParams.get('as');
    return this.provider.interactionFinished(
      request,
      response,
      as === 'nobody' ? { error: 'access_denied', error_description: 'The person said no' } : { login: { accountId: as } },
      { mergeWithLastSubmission: false },
    );
  }

  async control(url, request, response) {
    let text = '';
    for await (const part of request) text += part;
    const body = text ? JSON.parse(text) : {};
    switch (url.pathname) {
      case '/_test/account': {
        const { sub, ...claims } = body;
        this.accounts.set(sub, claims);
        break;
      }
      case '/_test/mode': this.mode = body.mode; break;
      case '/_test/roll': this.key = newKey(); this.build(); break;
    }
    response.end(JSON.stringify({ fetched: this.fetched }));
  }
}

const sites = Object.keys(callbacks).map((name) => new Site(name));
for (const site of sites) await site.listen();
console.log(`ready ${JSON.stringify(Object.fromEntries(sites.map((site) => [site.name, site.issuer])))}`);
