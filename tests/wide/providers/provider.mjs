// A real OpenID Connect provider (oidc-provider, certified) with its own login pages, for one client.
// Arguments: port, redirect URI. Signs in everybody by their name; groups come with the scope `groups`.
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.WIDE_NODE}/`)
const { Provider } = await import(require.resolve('oidc-provider'))
const [port, redirectUri] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'portquorum',
    client_secret: 'a-secret-of-the-test',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
  scopes: ['openid', 'email', 'groups'],
  pkce: { required: () => true },
  cookies: { keys: ['of the test'] },
  async findAccount(ctx, id) {
    const groups = { ann: ['pq-admins'], bob: ['db-oncall'], eve: ['others'] }[id] ?? []
    return {
      accountId: id,
      claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true, groups }),
    }
  },
})
provider.listen(Number(port), '127.0.0.1', () => console.log(`listening at ${issuer}`))
